//! What a catalogue service says that it can do (OGC 07-006r1, 10.4; OGC 06-121r3, 7.4).

use crate::lift::Element;
use crate::source::catalogue::CatalogueDescription;
use crate::source::platform_catalogue::PlatformCatalogue;
use url::Url;

/// What is of use of a service's capabilities.
#[derive(Debug, Clone, Default)]
pub(super) struct Capabilities {
    /// The versions, as stated.
    pub(super) versions: Vec<String>,
    /// The output schemas of its records.
    pub(super) schemas: Vec<String>,
    /// The types that can be asked for.
    pub(super) type_names: Vec<String>,
    /// Where records are asked for by GET.
    pub(super) get: Option<Url>,
    /// Where they are asked for by POST, in plain XML.
    pub(super) post: Option<Url>,
    /// The most records that come at a time, where it says so.
    pub(super) most: Option<u64>,
}

impl Capabilities {
    /// Reads them; addresses on another host than the one that was asked are not followed, since services behind
    /// proxies state addresses of their inside, nor templates that nobody filled in.
    pub(super) fn of(root: &Element, endpoint: &Url) -> Self {
        let stated = root.attribute("version").into_iter();
        let more = root.at(&["ServiceIdentification", "ServiceTypeVersion"]).filter_map(Element::any_text);
        let mut found = Self { versions: stated.chain(more).map(ToOwned::to_owned).collect(), ..Self::default() };
        let metadata = || root.at(&["OperationsMetadata"]);
        let operations = || {
            metadata().flat_map(|metadata| metadata.children.iter()).filter(|child| child.local() == "Operation")
        };
        for operation in operations().filter(|operation| operation.attribute("name") == Some("GetRecords")) {
            found.read_operation(operation, endpoint);
        }
        let constraints = metadata().flat_map(|metadata| metadata.children.iter());
        found.most = constraints
            .filter(|child| {
                child.attribute("name").is_some_and(|name| name.eq_ignore_ascii_case("MaxRecordDefault"))
            })
            .find_map(|constraint| constraint.any_text()?.parse().ok());
        found
    }

    fn read_operation(&mut self, operation: &Element, endpoint: &Url) {
        let values = |name: &str| -> Vec<String> {
            let named = operation.children.iter().filter(|child| child.local() == "Parameter");
            let named = named
                .filter(|child| child.attribute("name").is_some_and(|stated| stated.eq_ignore_ascii_case(name)));
            named.flat_map(texts).collect()
        };
        self.schemas = values("outputSchema");
        self.type_names = values("typeNames");
        for way in operation.at(&["DCP", "HTTP", "*"]) {
            let Some(address) = way.attribute("href").and_then(|href| endpoint.join(href.trim()).ok()) else {
                continue;
            };
            let is_template = ["%7B", "{", "$"].iter().any(|mark| address.path().contains(mark));
            let is_of_host = address.host_str() == endpoint.host_str();
            let address = if is_of_host && !is_template { address } else { endpoint.clone() };
            let is_soap = texts(way).iter().any(|text| text.eq_ignore_ascii_case("SOAP"));
            match way.local() {
                "Get" => self.get = self.get.take().or(Some(address)),
                "Post" if !is_soap => self.post = self.post.take().or(Some(address)),
                _ => {}
            }
        }
    }
}

/// What the service says of itself (OGC 06-121r3, 7.4.4 and 7.4.5): its title, its abstract, its keywords, who provides it.
pub(super) fn description(root: &Element, endpoint: &Url) -> Option<CatalogueDescription> {
    let text = |way: &'static [&'static str]| root.at(way).find_map(Element::any_text);
    let told = PlatformCatalogue {
        title: text(&["ServiceIdentification", "Title"]),
        description: text(&["ServiceIdentification", "Abstract"]),
        keywords: root
            .at(&["ServiceIdentification", "Keywords", "Keyword"])
            .filter_map(Element::any_text)
            .collect(),
        homepage: None,
        publisher: text(&["ServiceProvider", "ProviderName"]),
        publisher_page: root.at(&["ServiceProvider", "ProviderSite"]).find_map(|site| site.attribute("href")),
    };
    told.to_description(endpoint)
}

/// The texts at the leaves of an element.
fn texts(element: &Element) -> Vec<String> {
    let own = (!element.text.is_empty()).then(|| element.text.clone());
    own.into_iter().chain(element.children.iter().flat_map(texts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::csw::contents::{Contents, first_element};

    #[test]
    fn a_service_s_title_and_provider_describe_its_catalogue() {
        let text = "<csw:Capabilities xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' xmlns:ows='http://www.opengis.net/ows' \
            xmlns:xlink='http://www.w3.org/1999/xlink'><ows:ServiceIdentification><ows:Title>GéoVallée</ows:Title><ows:Abstract> \
            </ows:Abstract><ows:Keywords><ows:Keyword>eau</ows:Keyword></ows:Keywords></ows:ServiceIdentification><ows:ServiceProvider>\
            <ows:ProviderName>Vallée</ows:ProviderName><ows:ProviderSite xlink:href='https://vallee.example.org/'/></ows:ServiceProvider></csw:Capabilities>";
        let Contents::Capabilities(root) = first_element(text) else { panic!("they are capabilities") };
        let endpoint = Url::parse("https://vallee.example.org/csw").unwrap();
        let told = description(&root, &endpoint).unwrap();
        let lines: Vec<String> = told.triples.iter().map(|lifted| lifted.triple.to_string()).collect();
        assert_eq!(lines.len(), 7, "{lines:#?}");
        assert!(lines.contains(
            &"<https://vallee.example.org/csw> <http://purl.org/dc/terms/title> \"GéoVallée\"".to_owned()
        ));
        assert!(lines.contains(
            &"_:publisher <http://xmlns.com/foaf/0.1/homepage> <https://vallee.example.org/>".to_owned()
        ));
    }
}
