//! The records of one document: an answer of a service, or a file.

use super::contents::is_web_page;
use super::known::{identifier, identifier_in, is_metadata, is_rdf, is_record, resource_type, title};
use super::request::Asking;
use crate::catalog::{ItemError, Place};
use crate::fetch::Body;
use crate::lift::{self, Broken, Element, Input, LiftError, LiftedTriple, XmlPart, read_xml, xml_text};
use crate::source::census::Census;
use crate::source::crawl::{Appetite, Crawl, PageNotes, page_name};
use crate::source::records::{Content, Portion, PortionSink, Record, Records, XmlRecord};
use crate::source::window::Windower;
use oxrdf::{BlankNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfFormat;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use url::Url;

/// Records that are mapped together.
const PORTION: usize = 100;
/// Bytes of a record that failed, as they are kept for its publisher.
const MOST_KEPT: usize = 256 << 10;

/// The text of an answer: XML without a document type, or a web page, which may have one.
pub(super) fn text_of(url: &Url, content_type: Option<&str>, body: &Body) -> Result<String, LiftError> {
    match xml_text(url, content_type, body) {
        Err(refused @ LiftError::DocumentType { .. }) => {
            let bytes = body.read().map_err(|source| LiftError::Io { page: url.to_string(), source })?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if is_web_page(&text) { Ok(text) } else { Err(refused) }
        }
        read => read,
    }
}

/// What is known while the documents of a source are read.
pub(super) struct Reading<'a> {
    /// The service that the documents are answers of.
    asking: Option<&'a Asking>,
    site: String,
    /// The records met, with a hash of what they say and where.
    seen: HashMap<String, (u64, String)>,
    /// Records that came again as they were.
    pub(super) repeated: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn of_service(asking: &'a Asking) -> Self {
        Self { asking: Some(asking), site: asking.site(), seen: HashMap::new(), repeated: 0 }
    }

    pub(super) fn of_files(url: &Url) -> Self {
        let site = if url.scheme() == "file" { format!("urn:file:{}", page_name(url)) } else { url.to_string() };
        Self { asking: None, site, seen: HashMap::new(), repeated: 0 }
    }

    pub(super) fn known(&self) -> usize {
        self.seen.len()
    }

    /// Whether a record is met for the first time; else what is wrong with it, if anything is.
    fn meet(&mut self, id: &str, record: &Element, place: &Place) -> Result<bool, String> {
        let hash = hash_of(&record.to_string());
        match self.seen.get(id) {
            Some((known, _)) if *known == hash => {
                self.repeated += 1;
                Ok(false)
            }
            Some((_, first)) => Err(format!(
                "the identifier {id:?} was met before, at {first}; the first record stays. Give each record an identifier of its own."
            )),
            None => {
                self.seen.insert(id.to_owned(), (hash, place.to_string()));
                Ok(true)
            }
        }
    }
}

fn hash_of(text: &str) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault};
    BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(text)
}

/// A record as it was found.
struct Found {
    element: Element,
    /// The `XPath` to it.
    path: String,
    /// The namespaces that are declared around it.
    scope: Vec<(String, String)>,
}

/// What was in a document.
#[derive(Debug, Default)]
pub(super) struct PageRead {
    /// Records, whatever became of them.
    pub(super) given: u64,
    /// Pieces that are not well formed.
    pub(super) broken: u64,
    /// The attributes of the list of results, where there is one.
    pub(super) results: Option<Element>,
    pub(super) appetite_lost: bool,
}

/// The pieces of a document.
#[derive(Default)]
struct Pieces {
    records: Vec<Record>,
    rdf: Vec<String>,
    read: PageRead,
}

impl Crawl<'_> {
    /// Reads the records of a document and hands them over.
    pub(super) fn read_page(
        &mut self,
        url: &Url,
        text: &str,
        reading: &mut Reading<'_>,
        sink: &mut PortionSink<'_>,
    ) -> PageRead {
        let mut pieces = Pieces::default();
        let in_results = Cell::new(false);
        let is_record = |element: &Element| in_results.get() || is_record(element);
        let _ = read_xml(text, &is_record, &mut |part| {
            match part {
                XmlPart::Around(element) if element.local() == "SearchResults" => {
                    in_results.set(true);
                    pieces.read.results = Some(element);
                }
                XmlPart::Around(_) => {}
                XmlPart::Broken(broken) => {
                    pieces.read.broken += 1;
                    self.note_broken(url, &broken);
                }
                XmlPart::Record { element, path, scope, undeclared } => {
                    pieces.read.given += 1;
                    if !undeclared.is_empty() {
                        let prefixes: Vec<&str> = undeclared.iter().map(String::as_str).collect();
                        let message = format!(
                            "the prefix {} is not declared: the record was read all the same; declare it",
                            prefixes.join(", ")
                        );
                        let place = Place::of_line(page_name(url), Some(element.line));
                        self.outcome.errors.push(ItemError::new(
                            identifier(&element).map(ToOwned::to_owned),
                            place,
                            message,
                        ));
                    }
                    self.sort(url, text, Found { element, path, scope }, reading, &mut pieces);
                }
            }
            ControlFlow::Continue(())
        });
        let Pieces { records, rdf, mut read } = pieces;
        read.appetite_lost = self.hand_over(url, records, rdf, reading, sink) == Appetite::Enough;
        read
    }

    fn note_broken(&mut self, url: &Url, broken: &Broken) {
        let place = Place::of_line(page_name(url), Some(broken.line));
        let message = format!("the XML is not well formed: {}; the records around it were read", broken.message);
        self.outcome.unread += 1;
        self.outcome.complete = false;
        let record = identifier_in(&broken.text).map(ToOwned::to_owned);
        self.outcome.errors.push(ItemError { record, place, message, raw: Some(kept(&broken.text)) });
    }

    /// Takes a record for what it is: metadata to be mapped, RDF, or nothing that is known.
    fn sort(&mut self, url: &Url, text: &str, found: Found, reading: &mut Reading<'_>, pieces: &mut Pieces) {
        let page = page_name(url);
        let Found { element, path, scope } = found;
        let place = Place::of_line(&page, Some(element.line));
        if is_rdf(&element) {
            let raw = &text[element.span.clone()];
            let key = format!("\0{}", hash_of(raw));
            if reading.meet(&key, &element, &place) == Ok(true) {
                pieces.rdf.push(rdf_document(&element, raw, &scope));
            }
            return;
        }
        let refused = if is_metadata(&element) {
            self.metadata((element, path), &page, reading, pieces)
        } else {
            Err((None, format!("{} is no record that is read here", element.name), element))
        };
        if let Err((record, message, element)) = refused {
            self.outcome.unread += 1;
            let raw = Some(kept(&text[element.span.clone()]));
            self.outcome.errors.push(ItemError { record, place, message, raw });
        }
    }

    fn metadata(
        &mut self,
        (element, path): (Element, String),
        page: &str,
        reading: &mut Reading<'_>,
        pieces: &mut Pieces,
    ) -> Result<(), (Option<String>, String, Element)> {
        let Some(id) = identifier(&element).map(ToOwned::to_owned) else {
            // It may be a record that is known: its absence says nothing.
            self.outcome.complete = false;
            let title = title(&element).map_or(String::new(), |title| format!(" (titled {title:?})"));
            let message =
                format!("this record{title} has no identifier: it was left out; fill in its fileIdentifier");
            return Err((None, message, element));
        };
        if !self.selection.catalogue.wants(resource_type(&element)) {
            self.outcome.skipped += 1;
            reading.seen.entry(id).or_default();
            return Ok(());
        }
        let place = Place::of_line(page, Some(element.line));
        match reading.meet(&id, &element, &place) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(message) => return Err((Some(id), message, element)),
        }
        let (page, path) = match reading.asking {
            Some(asking) => (asking.record(&id), asking.path_in_its_page(&path, &element.name)),
            None => (page.to_owned(), path),
        };
        let has_lines = reading.asking.is_none();
        let content = Content::Xml(XmlRecord { element: Arc::new(element), path, has_lines });
        pieces.records.push(Record { id, page, content });
        Ok(())
    }

    fn hand_over(
        &mut self,
        url: &Url,
        mut records: Vec<Record>,
        rdf: Vec<String>,
        reading: &Reading<'_>,
        sink: &mut PortionSink<'_>,
    ) -> Appetite {
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(PORTION));
            let portion = Records {
                site: reading.site.clone(),
                page: page_name(url),
                page_prefix: self.selection.catalogue.remote_url_prefix.clone(),
                records,
            };
            if sink(Portion::Records(portion)) == Appetite::Enough {
                return Appetite::Enough;
            }
            records = rest;
        }
        if rdf.is_empty() { Appetite::More } else { self.hand_over_rdf(url, rdf, sink) }
    }

    /// Lifts documents of RDF/XML, each with blank nodes of its own, and hands them over as one window.
    fn hand_over_rdf(&mut self, url: &Url, documents: Vec<String>, sink: &mut PortionSink<'_>) -> Appetite {
        let mut census = Census::of_roles();
        let mut windower = Windower::default();
        let mut notes = PageNotes { page: page_name(url), ..PageNotes::default() };
        for (number, document) in documents.into_iter().enumerate() {
            let body = Body::Memory(document.into_bytes().into());
            let input = Input::document(url.clone(), RdfFormat::RdfXml, body);
            let mut triples = Vec::new();
            match lift::read(&input, &self.contexts, |lifted| triples.push(lifted)) {
                Ok(reading) => {
                    for problem in reading.problems {
                        self.fail(url, Some(problem.line), format!("syntax error: {}", problem.message));
                        let cut =
                            problem.tail.into_iter().map(|node| (own_node(node, number), problem.message.clone()));
                        notes.cut.extend(cut);
                    }
                    for repair in reading.repairs {
                        notes.repairs.entry(own_node(repair.subject.clone(), number)).or_default().push(repair);
                    }
                }
                Err(error) => self.fail(url, None, error.to_string()),
            }
            self.outcome.triples += triples.len() as u64;
            for lifted in triples {
                let lifted = LiftedTriple { triple: own_triple(lifted.triple, number), line: lifted.line };
                census.observe(&lifted.triple);
                windower.add(&lifted);
            }
        }
        sink(Portion::Dcat(Box::new(windower.close(&census, u32::MAX)), notes))
    }
}

fn own_node(node: NamedOrBlankNode, number: usize) -> NamedOrBlankNode {
    match node {
        NamedOrBlankNode::BlankNode(label) => own_label(&label, number).into(),
        named @ NamedOrBlankNode::NamedNode(_) => named,
    }
}

/// Labels mean something within their document only.
fn own_label(label: &BlankNode, number: usize) -> BlankNode {
    BlankNode::new_unchecked(format!("{}_{number}", label.as_str()))
}

fn own_triple(triple: Triple, number: usize) -> Triple {
    let object = match triple.object {
        Term::BlankNode(label) => own_label(&label, number).into(),
        other => other,
    };
    Triple { subject: own_node(triple.subject, number), predicate: triple.predicate, object }
}

/// A record as a document of RDF/XML, its lines those of the page.
fn rdf_document(element: &Element, raw: &str, scope: &[(String, String)]) -> String {
    let mut declarations = String::new();
    let start_tag = raw.split('>').next().unwrap_or(raw);
    let mut declared: Vec<&str> = Vec::new();
    for (prefix, namespace) in scope.iter().rev() {
        let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        let is_own = element.local() == "RDF" && start_tag.contains(&format!("{name}="));
        if !is_own && !declared.contains(&prefix.as_str()) {
            declared.push(prefix);
            // Writing to a String cannot fail.
            let _ = write!(declarations, " {name}=\"{}\"", quick_xml::escape::escape(namespace));
        }
    }
    let lines = "\n".repeat(element.line.saturating_sub(1) as usize);
    if element.local() == "RDF" {
        let (name, rest) = raw.split_at(1 + element.name.len());
        return format!("{lines}{name}{declarations}{rest}");
    }
    let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    format!("{lines}<moisson-rdf:RDF xmlns:moisson-rdf=\"{rdf}\"{declarations}>{raw}</moisson-rdf:RDF>")
}

/// What a page's text keeps of a record that failed.
fn kept(raw: &str) -> String {
    let end = (0..=raw.len().min(MOST_KEPT)).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
    raw[..end].to_owned()
}
