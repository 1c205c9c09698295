//! The source kind `dcat-us`: a `data.json` file (DCAT-US 1.1 and 3.0), read as a stream.

use super::catalogue::CatalogueDescription;
use super::crawl::{Appetite, Crawl, CrawlOutcome, SourceError, Target, page_name};
use super::foreign::advice;
use super::json::{interface_error, without_mark};
use super::json_stream::{Envelope, Layout, read_records};
use super::platform_catalogue::PlatformCatalogue;
use super::records::{Content, JsonRecord, Record, RecordSink, Records};
use super::utf8::Utf8Reader;
use crate::catalog::{ItemError, Place};
use crate::fetch::{Answer, Body, Request, Wanted};
use crate::lift::LiftError;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// A catalogue has datasets and services (3.0), and catalogues within it.
const LAYOUT: Layout<'static> = Layout { path: &[&["dataset", "service"]], nested: &["catalog", "hasPart"] };

/// Datasets handed over together.
const PORTION: usize = 200;

impl Crawl<'_> {
    /// Reads the datasets of a `data.json`.
    ///
    /// # Errors
    /// When it cannot be fetched, is not JSON from its beginning on, or has no list of datasets.
    pub fn dcat_us(mut self, target: &Target, sink: &mut RecordSink<'_>) -> Result<CrawlOutcome, SourceError> {
        let (url, body) = match target {
            Target::File(path) => (target.url(), Body::File(path.clone())),
            Target::Web(url) => match self.get(&Request::new(url, Wanted::Json))? {
                Answer::Content { url, body, .. } => (url, body),
                Answer::NotModified => return Err(interface_error(url.as_str(), "an answer without content")),
            },
        };
        let page = page_name(&url);
        let reader = body.open().map_err(|source| LiftError::Io { page: page.clone(), source })?;
        let (reader, mended) = Utf8Reader::new(without_mark(reader));
        let mut portions = Portions { site: site_of(&url), page: page.clone(), ..Portions::default() };
        let read = read_records(reader, LAYOUT, &mut |record, pointer| portions.add(record, pointer, sink));
        let appetite = portions.give(sink);
        self.outcome.pages = 1;
        self.outcome.unread = portions.errors.len() as u64;
        self.outcome.errors = portions.errors;
        self.outcome.errors.extend(not_utf8(&page, mended.get()));
        match read {
            Ok(envelope) if portions.met == 0 => {
                if let Some(advice) = advice(&envelope) {
                    return Err(interface_error(&page, &advice));
                }
                let keys: Vec<&str> = envelope.keys().map(String::as_str).take(5).collect();
                let found = if keys.is_empty() { "an empty object".to_owned() } else { keys.join(", ") };
                Err(interface_error(
                    &page,
                    &format!("no dataset was found: a data.json has a list `dataset`, and this has {found}"),
                ))
            }
            Ok(envelope) => {
                self.outcome.catalogue = description(&envelope, &url).map(|told| (page, Arc::new(told)));
                // What cannot be told from others may be a record that is known: its absence says nothing.
                self.outcome.complete = appetite == Appetite::More && !portions.has_unidentified;
                Ok(self.outcome)
            }
            Err(broken) if portions.met == 0 => {
                let message = format!("this is no data.json: {} (line {})", broken.message, broken.line);
                Err(interface_error(&page, &message))
            }
            Err(broken) => {
                let message = format!("the JSON is broken: {}; the datasets before it were read", broken.message);
                self.fail(&url, Some(broken.line), message);
                Ok(self.outcome)
            }
        }
    }
}

/// What a file says of its catalogue beside its datasets: version 3 has a title and a publisher there, and so have files that
/// extend version 1.1.
fn description(envelope: &Envelope, url: &Url) -> Option<CatalogueDescription> {
    let text = |value: &'_ Value| -> Option<String> { value.as_str().map(ToOwned::to_owned) };
    let of = |key: &str| envelope.get(key).and_then(text);
    let publisher = envelope.get("publisher");
    let name = publisher.and_then(|publisher| text(publisher).or_else(|| text(publisher.get("name")?)));
    let (title, description, homepage) = (of("title"), of("description"), of("homepage"));
    let told = PlatformCatalogue {
        title: title.as_deref(),
        description: description.as_deref(),
        homepage: homepage.as_deref(),
        publisher: name.as_deref(),
        ..PlatformCatalogue::default()
    };
    told.to_description(url)
}

/// What is said of a file that is not UTF-8; its records are read all the same.
fn not_utf8(page: &str, bytes: u64) -> Option<ItemError> {
    (bytes > 0).then(|| {
        let message = format!(
            "the file is not UTF-8, as JSON must be (RFC 8259, 8.1): {bytes} bytes were read as windows-1252; save it as UTF-8"
        );
        ItemError::new(None, Place::of_page(page), message)
    })
}

/// The address of the file, of which its datasets are parts; of a local file, its name.
fn site_of(url: &Url) -> String {
    let mut site = url.clone();
    site.set_fragment(None);
    if site.scheme() == "file" { format!("urn:file:{}", page_name(url)) } else { site.to_string() }
}

/// Datasets on their way to the sink.
#[derive(Default)]
struct Portions {
    site: String,
    page: String,
    records: Vec<Record>,
    /// Where each identifier was met first.
    seen: HashMap<String, String>,
    errors: Vec<ItemError>,
    met: u64,
    has_unidentified: bool,
    is_enough: bool,
}

impl Portions {
    fn add(&mut self, record: Value, pointer: &str, sink: &mut RecordSink<'_>) -> Appetite {
        self.met += 1;
        let page = format!("{}#{pointer}", self.page);
        match identified(record) {
            None => {
                self.has_unidentified = true;
                let message = "this dataset has neither an identifier nor a title: it was left out";
                self.fail(None, page, message.to_owned());
            }
            Some((id, fields)) => {
                if let Some(first) = self.seen.get(&id) {
                    let message = format!(
                        "the identifier {id:?} was met before, at {first}; the first record stays. Give each dataset an identifier of its own."
                    );
                    self.fail(Some(id), page, message);
                } else {
                    self.seen.insert(id.clone(), page.clone());
                    let content = Content::Json(JsonRecord::new(fields, &page, ""));
                    self.records.push(Record { id, page, content });
                }
            }
        }
        if self.records.len() < PORTION { Appetite::More } else { self.give(sink) }
    }

    fn fail(&mut self, record: Option<String>, page: String, message: String) {
        self.errors.push(ItemError::new(record, Place::of_page(page), message));
    }

    fn give(&mut self, sink: &mut RecordSink<'_>) -> Appetite {
        let records = std::mem::take(&mut self.records);
        if !records.is_empty() && !self.is_enough {
            let portion = Records { site: self.site.clone(), page: self.page.clone(), page_prefix: None, records };
            self.is_enough = sink(portion) == Appetite::Enough;
        }
        if self.is_enough { Appetite::Enough } else { Appetite::More }
    }
}

/// A dataset with its identifier: text, or an object with a notation (3.0); else its IRI, else its title.
fn identified(record: Value) -> Option<(String, Map<String, Value>)> {
    let Value::Object(fields) = record else { return None };
    let text = |value: Option<&Value>| match value? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let identifier = fields.get("identifier");
    let id = text(identifier)
        .or_else(|| text(identifier?.get("notation")))
        .or_else(|| text(fields.get("@id")))
        .or_else(|| text(fields.get("title")))?;
    Some((id, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_own_title_and_publisher_describe_its_catalogue() {
        let text = r#"{"title": "Datos", "publisher": {"name": "Ministerio"}, "homepage": "http://datos.example/",
            "catalog": [{"title": "within", "dataset": []}], "dataset": []}"#;
        let envelope = read_records(text.as_bytes(), LAYOUT, &mut |_, _| Appetite::More).expect("JSON");
        let url = Url::parse("https://datos.example/data.json").unwrap();
        let told = description(&envelope, &url).unwrap();
        let lines: Vec<String> = told.triples.iter().map(|lifted| lifted.triple.to_string()).collect();
        let title = r#"<https://datos.example/data.json> <http://purl.org/dc/terms/title> "Datos""#;
        assert!(lines.contains(&title.to_owned()) && lines.len() == 6, "{lines:#?}");
        assert!(description(&Envelope::new(), &url).is_none());
    }
}
