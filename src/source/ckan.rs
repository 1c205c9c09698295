//! The source kind `ckan`: the packages of a portal, by its action API (CKAN API guide, version 3).

use super::crawl::{Appetite, Crawl, CrawlOutcome, SourceError, Target, page_name, with_causes};
use super::json::{JsonRecord, JsonRecords, JsonSink};
use crate::catalog::{ItemError, Place};
use crate::fetch::{Answer, Body, FetchError, Request, Wanted};
use serde_json::{Map, Value};
use std::collections::HashSet;
use url::Url;

/// Packages asked for at a time; fewer, where the portal cannot give so many. Portals give 1,000 at most.
const ROWS: [u64; 2] = [500, 50];
/// Pages in a row that may fail before the crawl is given up.
const FAILURES: u32 = 3;
/// Packages asked for one by one that are handed over together.
const PORTION: usize = 100;
/// Types of packages that describe no dataset.
const OTHER_TYPES: [&str; 4] = ["harvest", "showcase", "application", "ckanext-showcase"];

/// The addresses of a portal's actions.
#[derive(Debug, Clone)]
struct Api {
    site: String,
}

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
        Self { site: site[..end].trim_end_matches('/').to_owned() }
    }

    fn action(&self, name: &str, parameters: &[(&str, &str)]) -> Url {
        let address = format!("{}/api/3/action/{name}", self.site);
        let mut url = Url::parse(&address).expect("a path after an address is one");
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        url
    }

    /// Sorted by what does not change while the crawl goes on.
    fn search(&self, start: u64, rows: u64) -> Url {
        let (start, rows) = (start.to_string(), rows.to_string());
        self.action("package_search", &[("sort", "id asc"), ("rows", &rows), ("start", &start)])
    }

    fn package(&self, id: &str) -> Url {
        self.action("package_show", &[("id", id)])
    }
}

impl Crawl<'_> {
    /// Reads the packages of a CKAN portal, or of a file that holds an answer of its interface.
    ///
    /// # Errors
    /// When neither `package_search` nor `package_list` gives anything, or the file holds no package.
    pub fn ckan(mut self, target: &Target, sink: &mut JsonSink<'_>) -> Result<CrawlOutcome, SourceError> {
        match target {
            Target::File(path) => self.file(&target.url(), &Body::File(path.clone()), sink)?,
            Target::Web(url) => {
                let api = Api::of(url);
                match self.search(&api, sink) {
                    Err(refused) if is_an_answer(&refused) => self.list(&api, sink).map_err(|_| refused)?,
                    searched => searched?,
                }
            }
        }
        Ok(self.outcome)
    }

    fn file(&mut self, url: &Url, body: &Body, sink: &mut JsonSink<'_>) -> Result<(), SourceError> {
        let page = page_name(url);
        let result = result_of(&page, body)?;
        // Answers name the portal that gave them, and a package alone may name nobody.
        let api = Api { site: result.site.clone().unwrap_or_else(|| format!("urn:file:{page}")) };
        let mut walk = Walk::default();
        let (packages, pointer) = packages(result.value, &page)?;
        let places = (0..packages.len()).map(|position| format!("{page}#{pointer}/{position}"));
        let packages = packages.into_iter().zip(places).collect();
        self.outcome.pages = 1;
        self.give(&api, page, packages, &mut walk, sink);
        Ok(())
    }

    /// Walks `package_search`. Fails only when its first page does.
    fn search(&mut self, api: &Api, sink: &mut JsonSink<'_>) -> Result<(), SourceError> {
        let mut walk = Walk::default();
        let (mut start, mut size, mut failures) = (0, 0, 0);
        loop {
            let rows = ROWS[size];
            let url = api.search(start, rows);
            if self.is_at_its_limit(&url) {
                return Ok(());
            }
            let found = match self.found(&url) {
                Ok(found) => found,
                Err(error) if is_too_much(&error) && size + 1 < ROWS.len() => {
                    size += 1;
                    continue;
                }
                Err(error) if start == 0 => return Err(error),
                Err(error) => {
                    self.fail(&url, None, with_causes(&error));
                    failures += 1;
                    if failures == FAILURES || walk.count.is_none_or(|count| start + rows >= count) {
                        return Ok(());
                    }
                    start += rows;
                    continue;
                }
            };
            failures = 0;
            walk.count = found.count.max(walk.count);
            let given = found.packages.len() as u64;
            let places = found.packages.into_iter().map(|package| (package, String::new())).collect();
            let (step, appetite) = self.give(api, page_name(&url), places, &mut walk, sink);
            self.outcome.pages += 1;
            start += given;
            self.outcome.announced = walk.count.map(|count| count.saturating_sub(walk.left_out));
            if appetite == Appetite::Enough {
                self.outcome.complete = false;
                return Ok(());
            }
            if step == Step::Repeated {
                self.fail(&url, None, "this page holds the packages of those before it".to_owned());
                return Ok(());
            }
            let is_last = given < rows && walk.count.is_none_or(|count| start >= count);
            if given == 0 || is_last {
                return Ok(());
            }
        }
    }

    /// A page of results.
    fn found(&mut self, url: &Url) -> Result<Found, SourceError> {
        let page = page_name(url);
        let mut result = self.answer(url)?;
        let count = result.get("count").and_then(Value::as_u64);
        match result.get_mut("results").map(Value::take) {
            Some(Value::Array(packages)) => Ok(Found { count, packages }),
            _ => Err(api_error(&page, "the answer has no list of results")),
        }
    }

    /// Asks for each package that `package_list` names.
    fn list(&mut self, api: &Api, sink: &mut JsonSink<'_>) -> Result<(), SourceError> {
        let url = api.action("package_list", &[]);
        let page = page_name(&url);
        let Value::Array(names) = self.answer(&url)? else {
            return Err(api_error(&page, "the answer is no list of names"));
        };
        self.outcome.pages += 1;
        let names: Vec<String> = names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        let mut walk = Walk::default();
        for names in names.chunks(PORTION) {
            let mut packages = Vec::new();
            for name in names {
                let url = api.package(name);
                if self.is_at_its_limit(&url) {
                    break;
                }
                match self.answer(&url).and_then(|value| self::packages(value, &page_name(&url))) {
                    Ok((shown, _)) => packages.extend(shown.into_iter().map(|package| (package, String::new()))),
                    Err(error) => {
                        self.outcome.complete = false;
                        self.outcome.unread += 1;
                        let place = Place { page: page_name(&url), line: None };
                        let message = with_causes(&error);
                        self.outcome.errors.push(ItemError { record: Some(name.clone()), place, message });
                    }
                }
            }
            let (_, appetite) = self.give(api, page.clone(), packages, &mut walk, sink);
            if appetite == Appetite::Enough || !self.has_time() {
                self.outcome.complete = false;
                break;
            }
        }
        Ok(())
    }

    fn answer(&mut self, url: &Url) -> Result<Value, SourceError> {
        match self.get(&Request::new(url, Wanted::Json))? {
            Answer::Content { body, .. } => Ok(result_of(&page_name(url), &body)?.value),
            Answer::NotModified => {
                Err(api_error(&page_name(url), "an answer without content, which was not asked for"))
            }
        }
    }

    /// Hands over the packages that are public datasets and were not met before.
    fn give(
        &mut self,
        api: &Api,
        page: String,
        packages: Vec<(Value, String)>,
        walk: &mut Walk,
        sink: &mut JsonSink<'_>,
    ) -> (Step, Appetite) {
        let mut records = Vec::new();
        let mut is_new = packages.is_empty();
        for (package, place) in packages {
            let Some((id, fields)) = identified(package) else {
                is_new = true;
                let message = "this package has neither an id nor a name: it was left out".to_owned();
                let place = if place.is_empty() { page.clone() } else { place };
                self.outcome.errors.push(ItemError {
                    record: None,
                    place: Place { page: place, line: None },
                    message,
                });
                self.outcome.unread += 1;
                continue;
            };
            if !walk.seen.insert(id.clone()) {
                continue;
            }
            is_new = true;
            if is_hidden(&fields) {
                self.outcome.skipped += 1;
                walk.left_out += 1;
                continue;
            }
            let page = if place.is_empty() { api.package(&id).to_string() } else { place };
            records.push(JsonRecord { id, page, fields });
        }
        let step = if is_new { Step::New } else { Step::Repeated };
        (step, sink(JsonRecords { site: api.site.clone(), page, records }))
    }
}

/// What a walk knows of the pages before.
#[derive(Debug, Default)]
struct Walk {
    seen: HashSet<String>,
    /// Packages that the portal says it has.
    count: Option<u64>,
    /// Packages that are no public dataset.
    left_out: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    New,
    Repeated,
}

struct Found {
    count: Option<u64>,
    packages: Vec<Value>,
}

struct ActionResult {
    value: Value,
    /// The portal, by the address of the answer's help.
    site: Option<String>,
}

/// The result of an action: of an answer, or a document that is the result itself.
fn result_of(page: &str, body: &Body) -> Result<ActionResult, SourceError> {
    let bytes = body.read().map_err(|source| crate::lift::LiftError::Io { page: page.to_owned(), source })?;
    let start = || String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).trim().to_owned();
    let bytes_without_mark = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let answer: Value = serde_json::from_slice(bytes_without_mark).map_err(|error| {
        let what = if start().starts_with('<') { "a web page" } else { "no JSON" };
        api_error(
            page,
            &format!("CKAN's interface would answer in JSON, and this is {what} ({error}): {:?}", start()),
        )
    })?;
    match answer {
        Value::Object(mut fields) if fields.contains_key("success") || fields.contains_key("result") => {
            if fields.get("success").and_then(Value::as_bool) == Some(false) {
                return Err(api_error(page, &format!("the portal refuses: {}", refusal(&fields))));
            }
            let help = fields.get("help").and_then(Value::as_str).and_then(|help| Url::parse(help).ok());
            let site = help.filter(|help| help.path().contains("/api/")).map(|help| Api::of(&help).site);
            let value = fields.get_mut("result").map(Value::take).unwrap_or_default();
            Ok(ActionResult { value, site })
        }
        Value::String(text) => Err(api_error(page, &format!("the portal says: {text:?}"))),
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
        _ => Err(api_error(page, "the answer holds no package")),
    }
}

/// A package with its identifier; the name is one where there is no other.
fn identified(package: Value) -> Option<(String, Map<String, Value>)> {
    let Value::Object(fields) = package else { return None };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let id = text("id").or_else(|| text("name"))?.to_owned();
    Some((id, fields))
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

/// Whether the portal answered at all: only then is another question worth its while.
fn is_an_answer(error: &SourceError) -> bool {
    matches!(error, SourceError::Interface { .. } | SourceError::Fetch(FetchError::Status { .. }))
}

/// Whether fewer packages at a time may help.
fn is_too_much(error: &SourceError) -> bool {
    match error {
        SourceError::Fetch(FetchError::Status { status, .. }) => *status >= 500 || *status == 413,
        SourceError::Fetch(FetchError::Timeout { .. } | FetchError::TooLong { .. }) => true,
        _ => false,
    }
}

fn api_error(page: &str, message: &str) -> SourceError {
    SourceError::Interface { page: page.to_owned(), message: message.to_owned() }
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
            result_of("page", &body).map(|result| result.value.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(result(r#"{"success": true, "result": [1]}"#), Ok("[1]".to_owned()));
        assert_eq!(result("\u{feff}{\"success\": true, \"result\": 1}"), Ok("1".to_owned()));
        let refused = result(r#"{"success": false, "error": {"__type": "Authorization Error", "message": "No"}}"#);
        assert!(refused.unwrap_err().ends_with("the portal refuses: No"));
        assert!(result("\"Bad request\"").unwrap_err().contains("Bad request"));
        assert!(result("<html>").unwrap_err().contains("a web page"));
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
