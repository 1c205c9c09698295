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
    /// The lines of the page before the text that people see: its own page begins with the record.
    pub lines_before: u32,
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

/// Where the nodes and values that came of a record stand in it.
#[derive(Debug)]
pub enum Lineage {
    /// In XML.
    Xml {
        /// The record.
        record: XmlRecord,
        /// The numbers of the elements that became nodes with a name of their own.
        named: HashMap<String, usize>,
    },
    /// In JSON.
    Json {
        /// The record.
        record: JsonRecord,
        /// The pointers to the objects that became nodes with a name of their own.
        named: HashMap<String, String>,
    },
}

/// A piece of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// An element, by its number.
    Element(usize),
    /// An object, by the pointer to it from the record.
    Object(String),
}

impl Lineage {
    /// The piece that a node with a name of its own came of.
    #[must_use]
    pub fn named(&self, node: &str) -> Option<Piece> {
        match self {
            Self::Xml { named, .. } => named.get(node).copied().map(Piece::Element),
            Self::Json { named, .. } => named.get(node).cloned().map(Piece::Object),
        }
    }

    /// The piece by the name that lifting gave it.
    #[must_use]
    pub fn lifted(&self, name: &str) -> Option<Piece> {
        match self {
            Self::Xml { .. } => name.split('-').next()?.parse().ok().map(Piece::Element),
            Self::Json { .. } => {
                let pointer = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
                Some(Piece::Object(pointer.into_owned()))
            }
        }
    }

    /// The line and the way to a value; else those of a piece; else those of the record.
    #[must_use]
    pub fn place(&self, piece: Option<&Piece>, value: Option<&str>) -> (Option<u32>, Option<String>) {
        match self {
            Self::Xml { record, .. } => {
                let element = if let Some(Piece::Element(number)) = piece { *number } else { 0 };
                let root = &record.element;
                let number = value.and_then(|value| root.number_of_text(value)).unwrap_or(element);
                let line = root.numbered(number).map(|element| element.line.saturating_sub(record.lines_before));
                (line, root.path_to(number))
            }
            Self::Json { record, .. } => {
                let below = if let Some(Piece::Object(pointer)) = piece { pointer.as_str() } else { "" };
                let found = value.and_then(|value| json_pointer_of(&record.fields, below, value));
                let pointer = found.unwrap_or_else(|| below.to_owned());
                (None, Some(format!("{}{pointer}", record.pointer)).filter(|pointer| !pointer.is_empty()))
            }
        }
    }
}

/// The pointer to the text or number of an object that is a value: below a pointer if there is one, else anywhere;
/// one that is the value before one that holds it.
fn json_pointer_of(fields: &Map<String, Value>, below: &str, value: &str) -> Option<String> {
    let mut leaves = Vec::new();
    for (key, value) in fields {
        collect_leaves(&format!("/{}", escaped(key)), value, &mut leaves);
    }
    let is_below =
        |pointer: &str| pointer.strip_prefix(below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let rank = |(pointer, text): &(String, String)| {
        let is_value = text.trim() == value.trim();
        let holds = !is_value && value.len() > 2 && text.contains(value);
        (is_value || holds).then_some((!is_value, !is_below(pointer)))
    };
    leaves
        .iter()
        .filter_map(|leaf| Some((rank(leaf)?, leaf)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, leaf)| leaf.0.clone())
}

fn collect_leaves(pointer: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaves.push((pointer.to_owned(), value.to_string())),
        Value::String(text) => leaves.push((pointer.to_owned(), text.clone())),
        Value::Array(members) => {
            for (number, member) in members.iter().enumerate() {
                collect_leaves(&format!("{pointer}/{number}"), member, leaves);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                collect_leaves(&format!("{pointer}/{}", escaped(key)), value, leaves);
            }
        }
    }
}

/// A key in a pointer (RFC 6901, 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
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
