//! The source kind `opendatasoft`: the datasets of a portal, by its Explore API (versions 2.1 and 2.0) or, of old
//! portals, by its search API 1.0.

use super::crawl::{Crawl, CrawlOutcome, SourceError, Target, page_name};
use super::json::{answer_of, interface_error};
use super::json_pages::{Found, Interface, Taken, address, is_an_answer};
use super::records::RecordSink;
use super::selection::{Dialect, Facet};
use crate::fetch::Body;
use serde_json::{Map, Value};
use url::Url;

/// Pages end here: what lies behind is in the export of the whole catalogue only.
const WINDOW: u64 = 10_000;

/// The versions of the interface, the best one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Explore21,
    Explore20,
    Search10,
}

#[derive(Debug, Clone)]
struct Api {
    site: String,
    version: Version,
    /// What the catalogue is filtered by; the search API 1.0 has no such language.
    condition: Option<String>,
}

/// Filters in the portal's query language (ODSQL).
const ODSQL: Dialect = Dialect {
    field: |facet| match facet {
        Facet::Organization => Some(&["publisher"]),
        Facet::Tag => Some(&["keyword"]),
        Facet::Theme => Some(&["theme"]),
        Facet::License => Some(&["license"]),
        Facet::Group | Facet::Format => None,
    },
    one_of: |field, values| format!("{field} in ({values})"),
    between: ", ",
    since: |date| format!("modified >= date'{date}'"),
    not: "NOT ",
};

impl Api {
    /// Of the portal's root, of its interface or of a page on it.
    fn of(url: &Url, version: Version) -> Self {
        let path = url.path();
        let end = ["/api/", "/explore/", "/api", "/explore"].iter().filter_map(|part| path.find(part)).min();
        let path = path[..end.unwrap_or(path.len())].trim_end_matches('/');
        Self { site: format!("{}{path}", url.origin().ascii_serialization()), version, condition: None }
    }

    fn datasets(&self) -> &'static str {
        match self.version {
            Version::Explore21 => "/api/explore/v2.1/catalog/datasets",
            Version::Explore20 => "/api/explore/v2.0/catalog/datasets",
            Version::Search10 => "/api/datasets/1.0/search/",
        }
    }
}

impl Interface for Api {
    fn platform(&self) -> &'static str {
        "Opendatasoft"
    }

    fn site(&self) -> &str {
        &self.site
    }

    /// Portals give 100 at most.
    fn sizes(&self) -> &'static [u64] {
        &[100, 20]
    }

    /// Without an order, pages repeat and lose datasets.
    fn page(&self, start: u64, size: u64) -> Url {
        let (start, size) = (start.to_string(), size.to_string());
        match self.version {
            Version::Explore21 | Version::Explore20 => {
                let mut parameters =
                    vec![("order_by", "dataset_id"), ("limit", size.as_str()), ("offset", start.as_str())];
                parameters.extend(self.condition.as_deref().map(|condition| ("where", condition)));
                address(&self.site, self.datasets(), &parameters)
            }
            Version::Search10 => address(
                &self.site,
                self.datasets(),
                &[("interopmetas", "true"), ("rows", &size), ("start", &start)],
            ),
        }
    }

    fn pointer(&self) -> &'static str {
        match self.version {
            Version::Explore20 => "/dataset",
            Version::Explore21 | Version::Search10 => "",
        }
    }

    fn found(&self, page: &str, answer: Value) -> Result<Found, SourceError> {
        let count = ["total_count", "nhits"].iter().find_map(|name| answer.get(name).and_then(Value::as_u64));
        datasets(answer)
            .map(|(_, records)| Found { count, records })
            .ok_or_else(|| interface_error(page, "the answer has no list of datasets"))
    }

    /// The uid stays when the slug is renamed; old portals have a slug only.
    fn record(&self, dataset: Value) -> Taken {
        let Value::Object(fields) = unwrapped(dataset) else { return Taken::Unidentified };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let Some(slug) = text("dataset_id").or_else(|| text("datasetid")) else { return Taken::Unidentified };
        let id = text("dataset_uid").unwrap_or(slug).to_owned();
        if text("visibility").is_some_and(|visibility| visibility == "restricted") {
            return Taken::Hidden(id);
        }
        let name: String = url::form_urlencoded::byte_serialize(slug.as_bytes()).collect();
        let path = match self.version {
            Version::Search10 => format!("/api/datasets/1.0/{name}/"),
            Version::Explore21 | Version::Explore20 => format!("{}/{name}", self.datasets()),
        };
        Taken::Record { page: format!("{}{path}", self.site), id, fields }
    }
}

impl Crawl<'_> {
    /// Reads the datasets of an Opendatasoft portal, or of a file that holds an answer of its interface.
    ///
    /// # Errors
    /// When no version of the interface answers, or the file holds no dataset.
    pub fn opendatasoft(
        mut self,
        target: &Target,
        sink: &mut RecordSink<'_>,
    ) -> Result<CrawlOutcome, SourceError> {
        match target {
            Target::File(path) => self.datasets_of_file(&target.url(), &Body::File(path.clone()), sink)?,
            Target::Web(url) => {
                let condition = ODSQL.query(&self.selection.filters, None);
                let best = Api { condition, ..Api::of(url, Version::Explore21) };
                match self.whole(&best, sink) {
                    Err(refused) if is_an_answer(&refused) => self.otherwise(url, &best, refused, sink)?,
                    walked => walked?,
                }
            }
        }
        Ok(self.outcome)
    }

    /// Asks without the filters, which are applied all the same, then older versions. What only the portal can
    /// select by is then missing, and the refusal stands.
    fn otherwise(
        &mut self,
        url: &Url,
        best: &Api,
        refused: SourceError,
        sink: &mut RecordSink<'_>,
    ) -> Result<(), SourceError> {
        if self.selection.filters.platform_query.is_some() {
            return Err(refused);
        }
        if best.condition.is_some() && self.whole(&Api { condition: None, ..best.clone() }, sink).is_ok() {
            return Ok(());
        }
        let mut walked = Err(refused);
        for version in [Version::Explore20, Version::Search10] {
            match walked {
                Err(refused) if is_an_answer(&refused) => {
                    walked = self.walk(&Api::of(url, version), sink).map_err(|_| refused);
                }
                _ => break,
            }
        }
        walked
    }

    /// Walks the pages; a catalogue that is longer than they reach is exported whole.
    fn whole(&mut self, api: &Api, sink: &mut RecordSink<'_>) -> Result<(), SourceError> {
        let url = api.page(0, 1);
        let first = api.found(&page_name(&url), self.ask(api.platform(), &url)?)?;
        if first.count.is_none_or(|count| count <= WINDOW) {
            return self.walk(api, sink);
        }
        let parameters: Vec<_> = api.condition.iter().map(|condition| ("where", condition.as_str())).collect();
        let url = address(&api.site, "/api/explore/v2.1/catalog/exports/json", &parameters);
        self.give_streamed(api, &url, sink)?;
        self.outcome.announced = first.count.map(|count| count.saturating_sub(self.outcome.skipped));
        Ok(())
    }

    fn datasets_of_file(&mut self, url: &Url, body: &Body, sink: &mut RecordSink<'_>) -> Result<(), SourceError> {
        let page = page_name(url);
        let answer = answer_of("Opendatasoft", &page, body)?;
        let (pointers, found) = match answer {
            Value::Object(ref fields) if identifies(fields) || fields.contains_key("dataset") => {
                (vec![inner_pointer(&answer).to_owned()], vec![answer])
            }
            answer => {
                let (list, found) =
                    datasets(answer).ok_or_else(|| interface_error(&page, "the answer holds no dataset"))?;
                let pointer = |(at, dataset)| format!("{list}/{at}{}", inner_pointer(dataset));
                (found.iter().enumerate().map(pointer).collect(), found)
            }
        };
        let api = Api { site: format!("urn:file:{page}"), version: Version::Explore21, condition: None };
        let place =
            |pointer: String| Some(if pointer.is_empty() { page.clone() } else { format!("{page}#{pointer}") });
        let places: Vec<_> = pointers.into_iter().map(place).collect();
        self.outcome.pages = 1;
        self.give_in_portions(&api, &page, found.into_iter().zip(places), sink);
        Ok(())
    }
}

/// The datasets of an answer, behind the pointer to their list: `results` of 2.1, `datasets` of the others, the list
/// that an export is.
fn datasets(mut answer: Value) -> Option<(&'static str, Vec<Value>)> {
    if let Value::Array(all) = answer {
        return Some(("", all));
    }
    let list = |pointer: &&str| answer.pointer(pointer).is_some_and(Value::is_array);
    let pointer = ["/results", "/datasets"].into_iter().find(list)?;
    match answer.pointer_mut(pointer).map(Value::take) {
        Some(Value::Array(found)) => Some((pointer, found)),
        _ => None,
    }
}

/// The pointer to what version 2.0 wraps.
fn inner_pointer(dataset: &Value) -> &'static str {
    if dataset.get("dataset").is_some_and(Value::is_object) { "/dataset" } else { "" }
}

/// Version 2.0 wraps each dataset with its links.
fn unwrapped(mut dataset: Value) -> Value {
    match dataset.get_mut("dataset").map(Value::take) {
        Some(inner @ Value::Object(_)) => inner,
        _ => dataset,
    }
}

fn identifies(fields: &Map<String, Value>) -> bool {
    fields.contains_key("dataset_id") || fields.contains_key("datasetid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_interface_from_any_address_of_the_portal() {
        for (address, site) in [
            ("https://data.example.org", "https://data.example.org"),
            ("https://data.example.org/explore/dataset/trees/table/?flg=fr", "https://data.example.org"),
            ("https://data.example.org/api/explore/v2.1/catalog/datasets?limit=1", "https://data.example.org"),
            ("https://example.org:8443/portal/explore", "https://example.org:8443/portal"),
        ] {
            assert_eq!(Api::of(&Url::parse(address).unwrap(), Version::Explore21).site, site, "{address}");
        }
    }
}
