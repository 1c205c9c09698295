//! The source kind `ckan`: the packages of a portal, by its action API (CKAN API guide, version 3).

use super::crawl::{Appetite, Crawl, CrawlOutcome, SourceError, Target, page_name};
use super::json::{answer_of, interface_error};
use super::json_pages::{Found, Interface, Taken, Walk, address, is_an_answer};
use super::records::{Record, RecordSink, Records};
use super::selection::{Dialect, Facet, parse_date};
use crate::catalog::with_causes;
use crate::catalog::{ItemError, Place};
use crate::fetch::Body;
use jiff::civil::DateTime;
use serde_json::{Map, Value};
use url::Url;

/// Packages asked for one by one that are handed over together.
const PORTION: usize = 100;
/// Types of packages that describe no dataset.
const OTHER_TYPES: [&str; 4] = ["harvest", "showcase", "application", "ckanext-showcase"];

/// The addresses of a portal's actions.
#[derive(Debug, Clone)]
struct Api {
    site: String,
    /// What the search is filtered by.
    fq: Option<String>,
}

/// Filters in the language of CKAN's search engine (Solr).
const SOLR: Dialect = Dialect {
    field: |facet| match facet {
        Facet::Organization => Some(&["organization", "owner_org"]),
        Facet::Group => Some(&["groups"]),
        Facet::Tag => Some(&["tags"]),
        Facet::License => Some(&["license_id"]),
        Facet::Format => Some(&["res_format"]),
        // Its extras are not searched alike on every portal.
        Facet::Theme => None,
    },
    one_of: |field, values| format!("{field}:({values})"),
    between: " OR ",
    since: |date| format!("metadata_modified:[{date}Z TO *]"),
    not: "NOT ",
};

impl Api {
    /// Of the portal's root, of an action or of a page on it.
    fn of(url: &Url) -> Self {
        let mut site = url.clone();
        site.set_query(None);
        site.set_fragment(None);
        let site = site.as_str();
        let after_host = site.find("://").and_then(|at| site[at + 3..].find('/').map(|slash| at + 3 + slash));
        let end = after_host.map_or(site.len(), |start| {
            let path = &site[start..];
            let inner =
                ["/api/", "/dataset/", "/organization/", "/group/"].iter().filter_map(|part| path.find(part));
            let last = ["/api", "/dataset", "/organization", "/group"]
                .iter()
                .filter_map(|part| path.strip_suffix(part).map(str::len));
            start + inner.chain(last).min().unwrap_or(path.len())
        });
        Self { site: site[..end].trim_end_matches('/').to_owned(), fq: None }
    }

    fn action(&self, name: &str, parameters: &[(&str, &str)]) -> Url {
        address(&self.site, &format!("/api/3/action/{name}"), parameters)
    }

    fn package(&self, id: &str) -> Url {
        self.action("package_show", &[("id", id)])
    }
}

impl Interface for Api {
    fn platform(&self) -> &'static str {
        "CKAN"
    }

    fn site(&self) -> &str {
        &self.site
    }

    /// Portals give 1,000 at most.
    fn sizes(&self) -> &'static [u64] {
        &[500, 50]
    }

    /// Sorted by what does not change while the crawl goes on.
    fn page(&self, start: u64, size: u64) -> Url {
        let (start, rows) = (start.to_string(), size.to_string());
        let mut parameters = vec![("sort", "id asc"), ("rows", rows.as_str()), ("start", start.as_str())];
        parameters.extend(self.fq.as_deref().map(|fq| ("fq", fq)));
        self.action("package_search", &parameters)
    }

    fn pointer(&self) -> &'static str {
        "/result"
    }

    fn found(&self, page: &str, answer: Value) -> Result<Found, SourceError> {
        let mut result = result_of(page, answer)?.value;
        let count = result.get("count").and_then(Value::as_u64);
        match result.get_mut("results").map(Value::take) {
            Some(Value::Array(records)) => Ok(Found { count, records }),
            _ => Err(interface_error(page, "the answer has no list of results")),
        }
    }

    fn record(&self, package: Value) -> Taken {
        let Some((id, fields)) = identified(package) else { return Taken::Unidentified };
        if is_hidden(&fields) {
            return Taken::Hidden(id);
        }
        Taken::Record { page: self.package(&id).to_string(), id, fields }
    }
}

impl Crawl<'_> {
    /// Reads the packages of a CKAN portal, or of a file that holds an answer of its interface.
    ///
    /// # Errors
    /// When neither `package_search` nor `package_list` gives anything, or the file holds no package.
    pub fn ckan(mut self, target: &Target, sink: &mut RecordSink<'_>) -> Result<CrawlOutcome, SourceError> {
        match target {
            Target::File(path) => self.packages_of_file(&target.url(), &Body::File(path.clone()), sink)?,
            Target::Web(url) => {
                let (filters, since) = (&self.selection.filters, self.selection.changed_since);
                let fq = SOLR.query(filters, since);
                let api = Api { fq, ..Api::of(url) };
                match self.selected(&api, sink) {
                    Err(refused) if is_an_answer(&refused) => self.unselected(api, refused, sink)?,
                    walked => walked?,
                }
            }
        }
        Ok(self.outcome)
    }

    /// Walks what the portal's search selects. A portal that does not obey gives everything, which is well.
    fn selected(&mut self, api: &Api, sink: &mut RecordSink<'_>) -> Result<(), SourceError> {
        let Some(since) = self.selection.changed_since else { return self.walk(api, sink) };
        let mut obeys = true;
        self.walk(api, &mut |page: Records| {
            obeys &= page.records.iter().all(|record| is_changed_since(record, since));
            sink(page)
        })?;
        self.outcome.changed_since = Some(since).filter(|_| obeys);
        Ok(())
    }

    /// Walks all packages of a portal whose search refuses, or lists them where it has none. What only the
    /// portal can select by is then missing, and the refusal stands.
    fn unselected(
        &mut self,
        api: Api,
        refused: SourceError,
        sink: &mut RecordSink<'_>,
    ) -> Result<(), SourceError> {
        if self.selection.filters.platform_query.is_some() {
            return Err(refused);
        }
        let was_selected = api.fq.is_some();
        let api = Api { fq: None, ..api };
        if was_selected && self.walk(&api, sink).is_ok() {
            return Ok(());
        }
        self.list(&api, sink).map_err(|_| refused)
    }

    fn packages_of_file(&mut self, url: &Url, body: &Body, sink: &mut RecordSink<'_>) -> Result<(), SourceError> {
        let page = page_name(url);
        let result = result_of(&page, answer_of("CKAN", &page, body)?)?;
        // Answers name the portal that gave them, and a package alone may name nobody.
        let site = result.site.clone().unwrap_or_else(|| format!("urn:file:{page}"));
        let api = Api { site, fq: None };
        let (packages, pointer) = packages(result.value, &page)?;
        let places = (0..packages.len()).map(|position| Some(format!("{page}#{pointer}/{position}")));
        self.outcome.pages = 1;
        self.give_in_portions(&api, &page, packages.into_iter().zip(places), sink);
        Ok(())
    }

    /// Asks for each package that `package_list` names.
    fn list(&mut self, api: &Api, sink: &mut RecordSink<'_>) -> Result<(), SourceError> {
        let url = api.action("package_list", &[]);
        let page = page_name(&url);
        let Value::Array(names) = result_of(&page, self.ask("CKAN", &url)?)?.value else {
            return Err(interface_error(&page, "the answer is no list of names"));
        };
        self.outcome.pages += 1;
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        let mut walk = Walk::default();
        for names in names.chunks(PORTION) {
            let mut packages = Vec::new();
            for name in names {
                if self.is_at_its_limit(&api.package(name)) {
                    break;
                }
                packages.extend(self.shown(api, name).into_iter().map(|package| (package, None)));
            }
            if self.give(api, page.clone(), packages, &mut walk, sink) == Appetite::Enough || !self.has_time() {
                self.outcome.complete = false;
                break;
            }
        }
        Ok(())
    }

    /// The package of a name; one that the portal does not show is an error of its own.
    fn shown(&mut self, api: &Api, name: &str) -> Vec<Value> {
        let url = api.package(name);
        let page = page_name(&url);
        let shown = self
            .ask("CKAN", &url)
            .and_then(|answer| result_of(&page, answer))
            .and_then(|result| packages(result.value, &page));
        match shown {
            Ok((shown, _)) => shown,
            Err(error) => {
                self.outcome.complete = false;
                self.outcome.unread += 1;
                let place = Place::of_page(page);
                self.outcome.errors.push(ItemError::new(Some(name.to_owned()), place, with_causes(&error)));
                Vec::new()
            }
        }
    }
}

struct ActionResult {
    value: Value,
    /// The portal, by the address of the answer's help.
    site: Option<String>,
}

/// The result of an action: of an answer, or a document that is the result itself.
fn result_of(page: &str, answer: Value) -> Result<ActionResult, SourceError> {
    match answer {
        Value::Object(mut fields) if fields.contains_key("success") || fields.contains_key("result") => {
            if fields.get("success").and_then(Value::as_bool) == Some(false) {
                return Err(interface_error(page, &format!("the portal refuses: {}", refusal(&fields))));
            }
            let help = fields.get("help").and_then(Value::as_str).and_then(|help| Url::parse(help).ok());
            let site = help.filter(|help| help.path().contains("/api/")).map(|help| Api::of(&help).site);
            let value = fields.get_mut("result").map(Value::take).unwrap_or_default();
            Ok(ActionResult { value, site })
        }
        value => Ok(ActionResult { value, site: None }),
    }
}

/// What a portal says of its refusal: CKAN's `error` is an object with a message, or with a list a field.
fn refusal(fields: &Map<String, Value>) -> String {
    let error = fields.get("error").unwrap_or(&Value::Null);
    let message = error.get("message").or_else(|| error.get("__type")).unwrap_or(error);
    message.as_str().map_or_else(|| message.to_string(), ToOwned::to_owned)
}

/// The packages of a result, and the pointer to their list: those of a search, a list, or one alone.
fn packages(mut result: Value, page: &str) -> Result<(Vec<Value>, &'static str), SourceError> {
    if let Some(Value::Array(found)) = result.get_mut("results").map(Value::take) {
        return Ok((found, "/result/results"));
    }
    match result {
        // DKAN shows a package as a list of one.
        Value::Array(found) if found.iter().all(Value::is_object) => Ok((found, "/result")),
        // Organisations look alike, and say what they are.
        Value::Object(ref fields) if !fields.contains_key("is_organization") => Ok((vec![result], "/result")),
        _ => Err(interface_error(page, "the answer holds no package")),
    }
}

/// A package with its identifier; the name is one where there is no other.
fn identified(package: Value) -> Option<(String, Map<String, Value>)> {
    let Value::Object(mut fields) = package else { return None };
    // The interface before version 3 has extras as one object: they are fields like the others.
    if fields.get("extras").is_some_and(Value::is_object)
        && let Some(Value::Object(extras)) = fields.remove("extras")
    {
        for (name, value) in extras {
            fields.entry(name).or_insert(value);
        }
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let id = text("id").or_else(|| text("name"))?.to_owned();
    Some((id, fields))
}

/// Whether a package says that it changed since a time.
fn is_changed_since(record: &Record, since: DateTime) -> bool {
    let modified = record.text("metadata_modified").and_then(|text| parse_date(text).ok());
    modified.is_some_and(|modified| modified >= since)
}

/// Whether a package is not for the public, or describes no dataset.
fn is_hidden(fields: &Map<String, Value>) -> bool {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let is_private = match fields.get("private") {
        Some(Value::Bool(is_private)) => *is_private,
        Some(Value::String(written)) => written.eq_ignore_ascii_case("true"),
        _ => false,
    };
    // DKAN writes `Active`, and calls private what it shows to everybody.
    let state = text("state").unwrap_or("active");
    (is_private && state != "Active")
        || !state.eq_ignore_ascii_case("active")
        || text("type").is_some_and(|kind| OTHER_TYPES.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_interface_from_any_address_of_the_portal() {
        for (address, site) in [
            ("https://data.example.org", "https://data.example.org"),
            ("https://data.example.org/", "https://data.example.org"),
            ("https://example.org/data/", "https://example.org/data"),
            ("https://example.org/data/api/3/action/package_search?rows=0", "https://example.org/data"),
            ("https://example.org/api/3", "https://example.org"),
            ("https://example.org/en/dataset/bus-stops", "https://example.org/en"),
            ("https://example.org/dataset", "https://example.org"),
            ("https://example.org/organization/city?page=2", "https://example.org"),
            ("https://dataset.example.org/", "https://dataset.example.org"),
        ] {
            assert_eq!(Api::of(&Url::parse(address).unwrap()).site, site, "{address}");
        }
    }

    #[test]
    fn an_answer_is_a_result_or_says_why_not() {
        let result = |text: &str| {
            let body = Body::Memory(text.as_bytes().to_vec().into());
            answer_of("CKAN", "page", &body)
                .and_then(|answer| result_of("page", answer))
                .map(|result| result.value.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(result(r#"{"success": true, "result": [1]}"#), Ok("[1]".to_owned()));
        assert_eq!(result("\u{feff}{\"success\": true, \"result\": 1}"), Ok("1".to_owned()));
        let refused = result(r#"{"success": false, "error": {"__type": "Authorization Error", "message": "No"}}"#);
        assert!(refused.unwrap_err().ends_with("the portal refuses: No"));
        assert!(result("\"Bad request\"").unwrap_err().contains("Bad request"));
        assert!(result("<html>").unwrap_err().contains("a web page"));
    }

    #[test]
    fn extras_are_fields_whether_listed_or_not() {
        let fields = |text: &str| identified(serde_json::from_str(text).unwrap()).unwrap().1;
        let flat = fields(r#"{"id": "a", "title": "T", "extras": {"title": "other", "theme": "x"}}"#);
        assert_eq!((&flat["title"], &flat["theme"], flat.get("extras")), (&"T".into(), &"x".into(), None));
        assert!(fields(r#"{"id": "a", "extras": [{"key": "k", "value": "v"}]}"#)["extras"].is_array());
    }

    #[test]
    fn only_public_datasets_are_taken() {
        let hidden = |text: &str| is_hidden(&serde_json::from_str(text).unwrap());
        assert!(hidden(r#"{"private": true}"#) && hidden(r#"{"private": "True"}"#));
        assert!(
            hidden(r#"{"state": "draft"}"#)
                && hidden(r#"{"state": "deleted"}"#)
                && hidden(r#"{"type": "harvest"}"#)
        );
        assert!(!hidden(r#"{"private": true, "state": "Active", "type": "Dataset"}"#) && !hidden("{}"));
    }
}
