//! Records of a platform, as it gives them, and where in it each piece of one stands.

use super::crawl::{Appetite, PageNotes};
use super::window::Window;
use crate::lift::{Element, lift_json, lift_xml};
use oxrdf::{NamedNode, Triple};
use serde_json::{Map, Value};
use std::collections::HashMap;
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
    Json(Map<String, Value>),
    /// An element.
    Xml(XmlRecord),
}

/// A record that is an element of XML.
#[derive(Debug, Clone)]
pub struct XmlRecord {
    /// The element.
    pub element: Arc<Element>,
    /// The lines of the page before the text that people see: its own page begins with the record.
    pub lines_before: u32,
}

impl Record {
    /// Lifts the record: gives its triples and returns its node.
    pub fn lift(&self, take: &mut dyn FnMut(Triple)) -> NamedNode {
        match &self.content {
            Content::Json(fields) => lift_json(&self.id, fields, take),
            Content::Xml(xml) => lift_xml(&self.id, &xml.element, take),
        }
    }

    /// The text of a field, where the record has fields.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match &self.content {
            Content::Json(fields) => fields.get(field).and_then(Value::as_str),
            Content::Xml(_) => None,
        }
    }
}

/// Where the nodes and values that came of a record stand in its XML.
#[derive(Debug)]
pub struct Lineage {
    /// The record.
    pub record: XmlRecord,
    /// The numbers of the elements that became nodes with a name of their own.
    pub named: HashMap<String, usize>,
}

impl Lineage {
    /// The line and the `XPath` of a value; else those of an element, by its number.
    #[must_use]
    pub fn place(&self, element: usize, value: Option<&str>) -> (Option<u32>, Option<String>) {
        let root = &self.record.element;
        let number = value.and_then(|value| root.number_of_text(value)).unwrap_or(element);
        let line = root.numbered(number).map(|element| element.line.saturating_sub(self.record.lines_before));
        (line, root.path_to(number))
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
