//! What a catalogue service is asked: by POST in XML, or by GET in key-value pairs (OGC 07-006r1, 10.8; OGC 12-176r7, 7.3).

use super::OUTPUT_SCHEMAS;
use super::capabilities::Capabilities;
use crate::source::crawl::Selection;
use askama::Template;
use url::Url;

/// Parameters of a request that an address may have been copied with.
const OWN_PARAMETERS: [&str; 20] = [
    "service",
    "request",
    "version",
    "acceptversions",
    "typenames",
    "outputschema",
    "outputformat",
    "elementsetname",
    "resulttype",
    "startposition",
    "maxrecords",
    "constraint",
    "constraintlanguage",
    "constraint_language_version",
    "sortby",
    "namespace",
    "id",
    "sections",
    "acceptformats",
    "elementname",
];

/// The service's own address, of any request to it.
pub(super) fn endpoint(url: &Url) -> Url {
    let mut endpoint = url.clone();
    endpoint.set_fragment(None);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !OWN_PARAMETERS.contains(&name.to_lowercase().as_str()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    endpoint.set_query(None);
    if !kept.is_empty() {
        endpoint.query_pairs_mut().extend_pairs(kept);
    }
    endpoint
}

/// The address at which a service says what it can do.
pub(super) fn get_capabilities(endpoint: &Url, version: Option<&str>) -> Url {
    with(endpoint, &[("service", "CSW"), ("version", version.unwrap_or("2.0.2")), ("request", "GetCapabilities")])
}

fn with(endpoint: &Url, parameters: &[(&str, &str)]) -> Url {
    let mut url = endpoint.clone();
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

/// How records are asked for: what a service refuses is left out, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    get: Url,
    post: Option<Url>,
    pub(super) version: &'static str,
    pub(super) schema: String,
    pub(super) type_names: String,
    /// The property that records are sorted by; without an order, pages repeat and lose records.
    pub(super) sort: Option<&'static str>,
    /// A condition in CQL, or as a filter of OGC.
    condition: Option<String>,
    /// The most records at a time.
    pub(super) most: u64,
}

/// Records asked for at a time, where a service bears so many.
const PAGE: u64 = 100;

impl Asking {
    /// The best way of asking a service; else what cannot be asked of it.
    pub(super) fn of(offered: &Capabilities, endpoint: &Url, selection: &Selection) -> Result<Self, String> {
        let settings = &selection.catalogue;
        let offers = |version: &str| offered.versions.iter().any(|stated| stated == version);
        let version = match settings.version.as_deref() {
            Some("2.0.2") => "2.0.2",
            Some("3.0.0" | "3.0") => "3.0.0",
            Some(other) => return Err(format!("the version {other:?} of CSW is not spoken: 2.0.2 and 3.0.0 are")),
            None if !offers("2.0.2") && offers("3.0.0") => "3.0.0",
            None => "2.0.2",
        };
        let schema = schema(offered, settings.output_schema.as_deref())?;
        Ok(Self {
            get: offered.get.clone().unwrap_or_else(|| endpoint.clone()),
            post: offered.post.clone().filter(|_| version == "2.0.2"),
            version,
            type_names: type_names(offered, &schema),
            schema,
            sort: Some("dc:identifier"),
            condition: selection.filters.platform_query.clone(),
            most: offered.most.filter(|most| (1..PAGE).contains(most)).unwrap_or(PAGE),
        })
    }

    /// Other ways, for a service that refuses this one: by the other property, without an order, by GET.
    pub(super) fn other_ways(&self) -> Vec<Self> {
        let sorted = |sort| Self { sort, ..self.clone() };
        let mut ways = vec![sorted(Some("apiso:Identifier")), sorted(Some("apiso:identifier")), sorted(None)];
        if self.post.is_some() {
            let by_get = Self { post: None, ..self.clone() };
            ways.extend([by_get.clone(), Self { sort: None, ..by_get }]);
        }
        if self.type_names != "csw:Record" {
            ways.push(Self { sort: None, type_names: "csw:Record".to_owned(), ..self.clone() });
        }
        ways
    }

    /// The same at the address that told the capabilities, where these name another one.
    pub(super) fn at_its_own_address(&self, endpoint: &Url) -> Option<Self> {
        let is_own = self.get == *endpoint && self.post.as_ref().is_none_or(|post| post == endpoint);
        let post = self.post.as_ref().map(|_| endpoint.clone());
        (!is_own).then(|| Self { get: endpoint.clone(), post, ..self.clone() })
    }

    /// The same, for a service that cannot sort.
    pub(super) fn without_order(&self) -> Self {
        Self { sort: None, ..self.clone() }
    }

    /// Where records are asked for by GET.
    pub(super) fn address(&self) -> &Url {
        &self.get
    }

    /// The address of a page, and the document to send there, where it is not in the address.
    pub(super) fn page(&self, start: u64, size: u64) -> (Url, Option<String>) {
        match &self.post {
            Some(post) => (post.clone(), Some(self.document(start, size))),
            None => (self.name(start, size), None),
        }
    }

    /// The address at which one record can be looked at.
    pub(super) fn record(&self, id: &str) -> String {
        let names = [("service", "CSW"), ("version", self.version), ("request", "GetRecordById"), ("id", id)];
        let more = [("outputSchema", self.schema.as_str()), ("elementSetName", "full")];
        with(&with(&self.get, &names), &more).to_string()
    }

    /// The `XPath` to a record in the answer to a request for it alone: in version 2.0.2 an element stands around it, of
    /// the same prefix as that around the records of a page (OGC 07-006r1, 10.9); in version 3 it is the answer
    /// (OGC 12-176r7, 7.4).
    pub(super) fn path_in_its_page(&self, path_in_list: &str, name: &str) -> String {
        let root = path_in_list.split('/').nth(1).unwrap_or_default();
        match root.split_once(':') {
            _ if self.version != "2.0.2" => format!("/{name}"),
            Some((prefix, _)) => format!("/{prefix}:GetRecordByIdResponse/{name}"),
            None => format!("/GetRecordByIdResponse/{name}"),
        }
    }

    /// The service's address, which its records' IRIs begin with.
    pub(super) fn site(&self) -> String {
        self.get.to_string().trim_end_matches(['/', '?']).to_owned()
    }

    /// The address of a page by GET, which names it for people too: it tells one page from another.
    pub(super) fn name(&self, start: u64, size: u64) -> Url {
        let (start, size) = (start.to_string(), size.to_string());
        let mut pairs = vec![
            ("service", "CSW"),
            ("version", self.version),
            ("request", "GetRecords"),
            ("typeNames", self.type_names.as_str()),
            ("elementSetName", "full"),
            ("outputFormat", "application/xml"),
            ("outputSchema", self.schema.as_str()),
            ("startPosition", start.as_str()),
            ("maxRecords", size.as_str()),
        ];
        if self.version == "2.0.2" {
            pairs.push(("resultType", "results"));
        }
        if let Some(condition) = &self.condition {
            let language = if is_filter(condition) { "FILTER" } else { "CQL_TEXT" };
            pairs.push(("constraintLanguage", language));
            pairs.push(("constraint_language_version", "1.1.0"));
            pairs.push(("constraint", condition));
        }
        let sort = self.sort.map(|property| format!("{property}:A"));
        pairs.extend(sort.as_deref().map(|sort| ("sortBy", sort)));
        with(&self.get, &pairs)
    }

    fn document(&self, start: u64, size: u64) -> String {
        let (filters, texts): (Vec<&String>, Vec<&String>) =
            self.condition.iter().partition(|condition| is_filter(condition));
        let document = GetRecords {
            output_schema: &self.schema,
            type_names: &self.type_names,
            start,
            size,
            cql: texts.first().map(|text| text.as_str()),
            filter: filters.first().map(|text| text.as_str()),
            sort: self.sort,
        };
        document.render().expect("a template over text and numbers")
    }
}

/// The request of CSW 2.0.2, in XML.
#[derive(Template)]
#[template(path = "get-records.xml")]
struct GetRecords<'a> {
    output_schema: &'a str,
    type_names: &'a str,
    start: u64,
    size: u64,
    cql: Option<&'a str>,
    filter: Option<&'a str>,
    sort: Option<&'static str>,
}

/// Whether a condition is an `ogc:Filter`, and not CQL.
fn is_filter(condition: &str) -> bool {
    condition.trim_start().starts_with('<')
}

/// The output schema that is asked for, else the best that is offered.
fn schema(offered: &Capabilities, asked: Option<&str>) -> Result<String, String> {
    let known = |name: &str| OUTPUT_SCHEMAS.iter().find(|(known, _)| *known == name).map(|(_, address)| *address);
    if let Some(asked) = asked {
        let address = known(asked).unwrap_or(asked);
        // The version of ISO 19115-3 in the address is the service's choice.
        let alike = offered.schemas.iter().find(|schema| is_alike(schema, address));
        return match alike {
            Some(schema) => Ok(schema.clone()),
            None if address.contains(':') => Ok(address.to_owned()),
            None => {
                let names: Vec<&str> = OUTPUT_SCHEMAS.iter().map(|(name, _)| *name).collect();
                Err(format!("{asked:?} is no output schema: write one of {}, or its address", names.join(", ")))
            }
        };
    }
    let best = OUTPUT_SCHEMAS
        .iter()
        .find_map(|(_, address)| offered.schemas.iter().find(|schema| is_alike(schema, address)).cloned());
    Ok(best.unwrap_or_else(|| OUTPUT_SCHEMAS[0].1.to_owned()))
}

fn is_alike(offered: &str, wanted: &str) -> bool {
    let bare = |address: &str| {
        let address = address.trim().trim_end_matches(['/', '#']);
        address.split("/mdb/").next().unwrap_or(address).to_owned()
    };
    bare(offered) == bare(wanted) || (wanted.contains("/cat/csw/") && offered.contains("/cat/csw/"))
}

/// The type of records to ask for: the one that the schema's records are of, where the service has it.
fn type_names(offered: &Capabilities, schema: &str) -> String {
    let wanted = if schema == OUTPUT_SCHEMAS[0].1 { "gmd:MD_Metadata" } else { "csw:Record" };
    let local = |name: &str| name.rsplit(':').next().unwrap_or(name).to_owned();
    let has = |name: &str| offered.type_names.iter().any(|stated| local(stated) == local(name));
    if offered.type_names.is_empty() || has(wanted) { wanted.to_owned() } else { "csw:Record".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(schemas: &[&str], versions: &[&str]) -> Capabilities {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Capabilities { schemas: texts(schemas), versions: texts(versions), ..Capabilities::default() }
    }

    #[test]
    fn an_address_is_brought_to_that_of_its_service() {
        for (given, expected) in [
            ("https://a.org/srv/fre/csw-x?SERVICE=CSW&REQUEST=GetCapabilities", "https://a.org/srv/fre/csw-x"),
            ("https://a.org/cgi?map=a.map&service=CSW&version=2.0.2", "https://a.org/cgi?map=a.map"),
            ("https://a.org/csw#x", "https://a.org/csw"),
        ] {
            assert_eq!(endpoint(&Url::parse(given).unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn the_best_schema_on_offer_is_asked_for_unless_another_is_named() {
        let endpoint = Url::parse("https://a.org/csw").unwrap();
        let asking = |schemas: &[&str], asked: Option<&str>| {
            let mut selection = Selection::default();
            selection.catalogue.output_schema = asked.map(ToOwned::to_owned);
            Asking::of(&offering(schemas, &["2.0.2"]), &endpoint, &selection).map(|asking| asking.schema)
        };
        let (core, gmd, mdb) = (
            "http://www.opengis.net/cat/csw/2.0.2",
            "http://www.isotc211.org/2005/gmd",
            "http://standards.iso.org/iso/19115/-3/mdb/1.0",
        );
        assert_eq!(asking(&[core, gmd], None).as_deref(), Ok(gmd));
        assert_eq!(asking(&[core, mdb], None).as_deref(), Ok(mdb));
        assert_eq!(asking(&[core], None).as_deref(), Ok(core));
        assert_eq!(asking(&[core, gmd], Some("dublin-core")).as_deref(), Ok(core));
        assert_eq!(asking(&[gmd], Some("geodcat-ap")).as_deref(), Ok("http://data.europa.eu/930/"));
        assert!(asking(&[gmd], Some("marc")).is_err());
    }

    #[test]
    fn the_way_to_a_record_alone_is_that_of_the_version() {
        let endpoint = Url::parse("https://a.org/csw").unwrap();
        let way = |version: &str, list: &str| {
            let asking = Asking::of(&offering(&[], &[version]), &endpoint, &Selection::default()).unwrap();
            asking.path_in_its_page(list, "gmd:MD_Metadata")
        };
        let list = "/c:GetRecordsResponse/c:SearchResults[1]/gmd:MD_Metadata[2]";
        assert_eq!(way("2.0.2", list), "/c:GetRecordByIdResponse/gmd:MD_Metadata");
        assert_eq!(way("2.0.2", "/GetRecordsResponse/x"), "/GetRecordByIdResponse/gmd:MD_Metadata");
        assert_eq!(way("3.0.0", list), "/gmd:MD_Metadata");
    }

    #[test]
    fn a_condition_is_sent_as_what_it_is() {
        let endpoint = Url::parse("https://a.org/csw").unwrap();
        let mut selection = Selection::default();
        selection.filters.platform_query = Some("dc:title LIKE '%eau & sol%'".to_owned());
        let mut capabilities = offering(&[], &[]);
        capabilities.post = Some(endpoint.clone());
        let asking = Asking::of(&capabilities, &endpoint, &selection).unwrap();
        let sent = asking.page(1, 10).1.unwrap();
        assert!(sent.contains("<csw:CqlText>dc:title LIKE &#39;%eau &#38; sol%&#39;</csw:CqlText>"), "{sent}");
        selection.filters.platform_query = Some("<ogc:Filter><ogc:Not/></ogc:Filter>".to_owned());
        let asking = Asking::of(&capabilities, &endpoint, &selection).unwrap();
        assert!(asking.page(1, 10).1.unwrap().contains("<csw:Constraint version=\"1.1.0\"><ogc:Filter>"));
        assert!(asking.name(1, 10).as_str().contains("constraintLanguage=FILTER"));
    }
}
