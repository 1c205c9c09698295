//! Records of a platform, as it gives them.

use super::crawl::{Appetite, PageNotes};
use super::window::Window;
use crate::lift::{Element, lift_json, lift_xml};
use oxrdf::{NamedNode, Triple};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Records of one page.
#[derive(Debug)]
pub struct Records {
    /// The platform's address, without a slash at its end: its IRIs begin with it.
    pub site: String,
    /// The page, as places name it.
    pub page: String,
    /// What an identifier stands behind in the address of the catalogue's own page of a record, where it has such
    /// pages.
    pub page_prefix: Option<String>,
    /// The records, each with an identifier of its own.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Debug)]
pub struct Record {
    /// What the platform calls it.
    pub id: String,
    /// Where the publisher can look at it alone.
    pub page: String,
    /// What it says.
    pub content: Content,
}

/// What a record says.
#[derive(Debug)]
pub enum Content {
    /// The fields of an object.
    Json(JsonRecord),
    /// An element.
    Xml(XmlRecord),
}

/// A record that is an object of JSON.
#[derive(Debug, Clone)]
pub struct JsonRecord {
    /// Its fields.
    pub fields: Arc<Map<String, Value>>,
    /// The pointer (RFC 6901) to it in its page.
    pub pointer: String,
}

impl JsonRecord {
    /// A record with its fields, in a page whose address may end in the pointer to it.
    #[must_use]
    pub fn new(fields: Map<String, Value>, page: &str, pointer: &str) -> Self {
        let own = page.split_once("#/").map(|(_, pointer)| format!("/{pointer}"));
        Self { fields: Arc::new(fields), pointer: own.unwrap_or_else(|| pointer.to_owned()) }
    }
}

/// A record that is an element of XML.
#[derive(Debug, Clone)]
pub struct XmlRecord {
    /// The element.
    pub element: Arc<Element>,
    /// The `XPath` to it in its page.
    pub path: String,
    /// Whether its page is the document that it was read in: only then are the lines known.
    pub has_lines: bool,
}

impl Record {
    /// Lifts the record: gives its triples and returns its node.
    pub fn lift(&self, take: &mut dyn FnMut(Triple)) -> NamedNode {
        match &self.content {
            Content::Json(json) => lift_json(&self.id, &json.fields, take),
            Content::Xml(xml) => lift_xml(&self.id, &xml.element, take),
        }
    }

    /// The text of a field, where the record has fields.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match &self.content {
            Content::Json(json) => json.fields.get(field).and_then(Value::as_str),
            Content::Xml(_) => None,
        }
    }
}

/// What a crawl of a platform gives: records to be mapped, or DCAT that it writes itself.
#[derive(Debug)]
pub enum Portion {
    /// Records in the platform's own form.
    Records(Records),
    /// DCAT.
    Dcat(Box<Window>, PageNotes),
}

/// What takes the records of a crawl, page by page.
pub type RecordSink<'s> = dyn FnMut(Records) -> Appetite + 's;

/// What takes records in either form.
pub type PortionSink<'s> = dyn FnMut(Portion) -> Appetite + 's;
