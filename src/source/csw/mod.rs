//! The source kind `csw`: catalogue services for the web (OGC 07-006r1 and 12-176r7), and the ISO records of files,
//! folders and listings of files.

mod capabilities;
mod contents;
mod document;
mod files;
mod known;
mod request;
mod walk;

use super::crawl::{Crawl, CrawlOutcome, SourceError, Target, page_name};
use super::json::interface_error;
use super::records::PortionSink;
use crate::fetch::{Answer, Request, Wanted};
use capabilities::{Capabilities, description};
pub(super) use contents::begins_as_catalogue;
use contents::{Contents, first_element};
use document::Reading;
pub(super) use files::{holds_records, is_archive, is_listing};
use std::sync::Arc;
use url::Url;

/// What is asked of a catalogue service beside its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueSettings {
    /// The form of records: one of [`OUTPUT_SCHEMAS`], or the address of another. Default: the best that the
    /// service offers.
    pub output_schema: Option<String>,
    /// The kinds of resources to take, as codes of `MD_ScopeCode`; `*` for all. Default: datasets, series, services.
    pub record_types: Vec<String>,
    /// The version of the service, `2.0.2` or `3.0.0`. Default: the first of these that it offers.
    pub version: Option<String>,
    /// What comes before an identifier in the address of the catalogue's own page of a record.
    pub remote_url_prefix: Option<String>,
}

/// Output schemas by the names that settings have for them, the best one first.
pub const OUTPUT_SCHEMAS: [(&str, &str); 6] = [
    ("iso-19139", "http://www.isotc211.org/2005/gmd"),
    ("iso-19115-3", "http://standards.iso.org/iso/19115/-3/mdb/2.0"),
    ("geodcat-ap", "http://data.europa.eu/930/"),
    ("dcat-ap", "http://data.europa.eu/r5r/"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dublin-core", "http://www.opengis.net/cat/csw/2.0.2"),
];

/// The kinds of resources that are taken by default.
const RECORD_TYPES: [&str; 4] = ["dataset", "nonGeographicDataset", "series", "service"];

impl CatalogueSettings {
    /// Whether a kind of resource is wanted.
    fn wants(&self, kind: &str) -> bool {
        let is = |wanted: &str| wanted == "*" || wanted.eq_ignore_ascii_case(kind);
        if self.record_types.is_empty() {
            RECORD_TYPES.iter().any(|wanted| is(wanted))
        } else {
            self.record_types.iter().any(|wanted| is(wanted))
        }
    }
}

impl Crawl<'_> {
    /// Reads a catalogue service, or records in files.
    ///
    /// # Errors
    /// When the address leads to neither, when the service refuses, or when a file cannot be read.
    pub fn csw(mut self, target: &Target, sink: &mut PortionSink<'_>) -> Result<CrawlOutcome, SourceError> {
        match target {
            Target::File(path) => self.local(path, sink)?,
            Target::Web(url) if is_of_a_document(url) => {
                let (url, content) = self.xml(url, None)?;
                self.document(&url, &content, sink)?;
            }
            Target::Web(url) => self.service(url, sink)?,
        }
        Ok(self.outcome)
    }

    /// Asks a service what it can do, and walks its records. What answers otherwise is read as what it is.
    fn service(&mut self, url: &Url, sink: &mut PortionSink<'_>) -> Result<(), SourceError> {
        let endpoint = request::endpoint(url);
        let asked = request::get_capabilities(&endpoint, self.selection.catalogue.version.as_deref());
        let (url_of_answer, content) = match self.xml(&asked, None) {
            Ok(answer) => answer,
            // A listing on a server that takes no query.
            Err(SourceError::Fetch(crate::fetch::FetchError::Status { .. })) => self.xml(url, None)?,
            Err(error) => return Err(error),
        };
        let page = page_name(&asked);
        match first_element(&content) {
            Contents::Capabilities(element) => {
                let capabilities = Capabilities::of(&element, &endpoint);
                self.outcome.catalogue =
                    description(&element, &endpoint).map(|told| (page.clone(), Arc::new(told)));
                let asking = request::Asking::of(&capabilities, &endpoint, &self.selection)
                    .map_err(|message| interface_error(&page, &message))?;
                self.records(&asking, &endpoint, sink)
            }
            Contents::Exception(message) => Err(interface_error(&page, &message)),
            Contents::Page => self.listing(url, &content, sink),
            Contents::Records => self.document(&url_of_answer, &content, sink),
            Contents::Other(found) => Err(interface_error(
                &page,
                &format!(
                    "this is neither a catalogue service nor a record: {found}; give the service's address, which often ends in /csw"
                ),
            )),
        }
    }

    /// A document with records in it.
    fn document(&mut self, url: &Url, content: &str, sink: &mut PortionSink<'_>) -> Result<(), SourceError> {
        let mut reading = Reading::of_files(url);
        let read = self.read_page(url, content, &mut reading, sink);
        self.outcome.pages += 1;
        if read.given == 0 && read.broken == 0 {
            let message = match first_element(content) {
                Contents::Exception(message) => message,
                _ => "no record was found: ISO 19139, ISO 19115-3, DCAT and Dublin Core records are looked for"
                    .to_owned(),
            };
            return Err(interface_error(&page_name(url), &message));
        }
        Ok(())
    }

    /// The text of an XML answer or of a web page, and the address after redirects.
    fn xml(&self, url: &Url, post: Option<&str>) -> Result<(Url, String), SourceError> {
        let request = Request { xml: post, ..Request::new(url, Wanted::Xml) };
        match self.get(&request)? {
            Answer::Content { url, content_type, body, .. } => {
                Ok((url.clone(), document::text_of(&url, content_type.as_deref(), &body)?))
            }
            Answer::NotModified => {
                Err(interface_error(&page_name(url), "an answer without content, which was not asked for"))
            }
        }
    }
}

/// Whether an address is that of one document, and not of a service.
fn is_of_a_document(url: &Url) -> bool {
    let query = url.query().unwrap_or_default().to_lowercase();
    url.path().to_lowercase().ends_with(".xml")
        || ["request=getrecords", "request=getrecordbyid", "verb=listrecords"]
            .iter()
            .any(|part| query.contains(part))
}
