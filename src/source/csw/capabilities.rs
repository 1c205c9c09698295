//! What a catalogue service says that it can do (OGC 07-006r1, 10.4; OGC 06-121r3, 7.4).

use crate::lift::Element;
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

/// The texts at the leaves of an element.
fn texts(element: &Element) -> Vec<String> {
    let own = (!element.text.is_empty()).then(|| element.text.clone());
    own.into_iter().chain(element.children.iter().flat_map(texts)).collect()
}
