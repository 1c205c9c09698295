//! Where in a platform's record its nodes and values stand.
//!
//! A value is looked for as it is, then as mapping changes it: an address that was mended, a text that holds it, a code
//! that became an IRI. Of several such places, one in the node's own piece is its place before one elsewhere, and one
//! in a field that the property is made of before one in another.

use super::records::{JsonRecord, XmlRecord};
use crate::lift::{Element, repaired_iri};
use serde_json::{Map, Value};
use std::collections::HashMap;

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
    /// The piece that is the record.
    #[must_use]
    pub fn whole(&self) -> Piece {
        match self {
            Self::Xml { .. } => Piece::Element(0),
            Self::Json { .. } => Piece::Object(String::new()),
        }
    }

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

    /// The line and the way to a value of a property; else those of a piece; else those of the record.
    #[must_use]
    pub fn place(
        &self,
        piece: Option<&Piece>,
        property: Option<&str>,
        value: Option<&str>,
    ) -> (Option<u32>, Option<String>) {
        let sought = value.map(|value| Sought { value: value.trim(), fields: fields_of(property) });
        match self {
            Self::Xml { record, .. } => {
                let element = if let Some(Piece::Element(number)) = piece { *number } else { 0 };
                let root = &record.element;
                let found = sought.and_then(|sought| element_of(root, element, &sought));
                let number = found.unwrap_or(element);
                let line = root.numbered(number).map(|element| element.line).filter(|_| record.has_lines);
                (line, root.path_to(number, &record.path))
            }
            Self::Json { record, .. } => {
                let below = if let Some(Piece::Object(pointer)) = piece { pointer.as_str() } else { "" };
                let found = sought.and_then(|sought| pointer_of(&record.fields, below, &sought));
                let pointer = found.unwrap_or_else(|| standing(&record.fields, below));
                (None, Some(format!("{}{pointer}", record.pointer)).filter(|pointer| !pointer.is_empty()))
            }
        }
    }
}

/// A value that is looked for.
struct Sought<'s> {
    value: &'s str,
    /// The fields or elements that its property is made of, the best one first.
    fields: Vec<String>,
}

/// How a text is like a value, the best likeness first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Same,
    /// It is an address, and the value this address as it must be written.
    Mended,
    Holds,
    /// It is the code that the value ends in.
    Code,
}

/// How good a place is: by likeness, by piece, by field.
type Rank = (Likeness, bool, usize);

impl Sought<'_> {
    fn likeness(&self, text: &str) -> Option<Likeness> {
        let (text, value) = (text.trim(), self.value);
        if text.is_empty() || value.is_empty() {
            return None;
        }
        let code = value.rsplit(['#', '/']).next().filter(|code| code.len() > 2 && value.contains("://"));
        match text {
            _ if text == value => Some(Likeness::Same),
            _ if is_mended(text, value) => Some(Likeness::Mended),
            _ if value.len() > 2 && text.contains(value) => Some(Likeness::Holds),
            _ => (code == Some(text)).then_some(Likeness::Code),
        }
    }

    /// The rank of the best field among the names that stand around a text; the last rank where none does.
    fn rank_of<'n>(&self, names: impl Iterator<Item = &'n str>) -> usize {
        let names: Vec<String> = names.map(folded).collect();
        self.fields.iter().position(|field| names.contains(field)).unwrap_or(self.fields.len())
    }
}

/// Whether a value is a text with the scheme that mapping puts before it, or as it was repaired.
fn is_mended(text: &str, value: &str) -> bool {
    let bare = value.strip_prefix("mailto:");
    // A repair encodes something.
    let is_repaired =
        |text: &str| value.contains('%') && repaired_iri(text).is_some_and(|repaired| repaired == value);
    bare == Some(text) || is_repaired(text) || (bare.is_some() && is_repaired(&format!("mailto:{text}")))
}

/// What a property is made of where the field is not called as it is.
const FIELDS: &[(&str, &[&str])] = &[
    ("accessurl", &["url", "linkage"]),
    ("accrualperiodicity", &["frequency", "updatefrequency", "resourcemaintenance"]),
    ("bytesize", &["size", "transfersize"]),
    ("created", &["creation"]),
    ("description", &["notes", "abstract", "statement"]),
    ("downloadurl", &["url", "linkage"]),
    ("enddate", &["temporalcoverageend", "temporalenddate", "endposition", "end"]),
    ("endpointurl", &["url", "linkage"]),
    ("format", &["distributionformat", "mimetype"]),
    ("hadrole", &["role"]),
    ("hasemail", &["contactemail", "electronicmailaddress", "email"]),
    ("issued", &["publication", "metadatacreated"]),
    ("landingpage", &["linkage", "url"]),
    ("license", &["licenseurl", "licenseid", "otherconstraints", "uselimitation"]),
    ("mbox", &["electronicmailaddress", "email"]),
    ("modified", &["revision", "metadatamodified", "lastmodified", "datestamp"]),
    ("page", &["references", "linkage", "filename", "url"]),
    ("startdate", &["temporalcoveragestart", "temporalstartdate", "beginposition", "begin"]),
    ("theme", &["keyword", "topiccategory", "groups"]),
    ("title", &["name"]),
];

fn fields_of(property: Option<&str>) -> Vec<String> {
    let Some(name) = property.and_then(|property| property.rsplit(['#', '/']).next()) else { return Vec::new() };
    let name = folded(name);
    let others = FIELDS.iter().find(|(property, _)| *property == name).map_or(&[][..], |(_, fields)| fields);
    std::iter::once(name).chain(others.iter().map(|field| (*field).to_owned())).collect()
}

/// A name without what tells `accessRights` from `access_rights`.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The pointer to the text or number of an object that is a value.
fn pointer_of(fields: &Map<String, Value>, below: &str, sought: &Sought<'_>) -> Option<String> {
    let mut leaves = Vec::new();
    collect_fields("", fields, &mut leaves);
    let rank = |leaf: &Leaf| -> Option<Rank> {
        let likeness = sought.likeness(&leaf.text)?;
        let rest = leaf.pointer.strip_prefix(below);
        let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let names = leaf.pointer.split('/').chain(leaf.key.as_deref());
        Some((likeness, !is_below, sought.rank_of(names)))
    };
    let ranked = leaves.iter().filter_map(|leaf| Some((rank(leaf)?, leaf)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, leaf)| leaf.pointer.clone())
}

/// A pointer as far as it leads: lifting unfolds pairs and texts that are JSON themselves, and goes on in these.
fn standing(fields: &Map<String, Value>, pointer: &str) -> String {
    let leads = |pointer: &str| {
        let (key, rest) =
            pointer[1..].split_once('/').map_or((&pointer[1..], None), |(key, rest)| (key, Some(rest)));
        let value = fields.get(&key.replace("~1", "/").replace("~0", "~"));
        value.is_some_and(|value| rest.is_none_or(|rest| value.pointer(&format!("/{rest}")).is_some()))
    };
    let mut at = pointer;
    while !at.is_empty() && !leads(at) {
        at = at.rsplit_once('/').map_or("", |(around, _)| around);
    }
    if at.is_empty() && !pointer.is_empty() {
        let mut leaves = Vec::new();
        collect_fields("", fields, &mut leaves);
        let key = pointer[1..].split('/').next();
        let pair = leaves.into_iter().find(|leaf| leaf.key.as_deref().map(escaped).as_deref() == key);
        return pair.map_or_else(String::new, |pair| pair.pointer);
    }
    at.to_owned()
}

/// A text, number or truth value of a record.
struct Leaf {
    pointer: String,
    /// The key that it goes by, where it is the value of a pair.
    key: Option<String>,
    text: String,
}

fn collect_fields(pointer: &str, fields: &Map<String, Value>, leaves: &mut Vec<Leaf>) {
    let key = fields.get("key").and_then(Value::as_str).filter(|_| fields.contains_key("value"));
    for (name, value) in fields {
        let key = key.filter(|_| name == "value");
        collect_leaves(&format!("{pointer}/{}", escaped(name)), key, value, leaves);
    }
}

fn collect_leaves(pointer: &str, key: Option<&str>, value: &Value, leaves: &mut Vec<Leaf>) {
    let mut leaf =
        |text: String| leaves.push(Leaf { pointer: pointer.to_owned(), key: key.map(ToOwned::to_owned), text });
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaf(value.to_string()),
        Value::String(text) => leaf(text.clone()),
        Value::Array(members) => {
            for (number, member) in members.iter().enumerate() {
                collect_leaves(&format!("{pointer}/{number}"), key, member, leaves);
            }
        }
        Value::Object(fields) => collect_fields(pointer, fields, leaves),
    }
}

/// A key in a pointer (RFC 6901, 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The number of the element that holds a value; of a box that is written by its sides, the smallest that has them all.
fn element_of(root: &Element, piece: usize, sought: &Sought<'_>) -> Option<usize> {
    let mut search = Search { sought, piece, number: 0, names: Vec::new(), best: None };
    search.look(root, false);
    search.best.map(|(_, number)| number).or_else(|| {
        let sides: Vec<&str> = sought.value.split(',').map(str::trim).collect();
        (sides.len() == 4).then(|| smallest_with(root, &sides, &mut 0)).flatten()
    })
}

struct Search<'s, 'e> {
    sought: &'s Sought<'s>,
    piece: usize,
    /// The number of the element that is looked at.
    number: usize,
    /// The names of the elements around it, and the codes that tell dates apart.
    names: Vec<&'e str>,
    best: Option<(Rank, usize)>,
}

impl<'e> Search<'_, 'e> {
    fn look(&mut self, element: &'e Element, is_in_piece: bool) {
        let is_in_piece = is_in_piece || self.number == self.piece;
        let depth = self.names.len();
        self.names.push(element.local());
        self.names.extend(element.at(&["dateType", "*"]).filter_map(code));
        let texts = std::iter::once(element.text.as_str())
            .chain(element.attributes.iter().map(|attribute| attribute.value.as_str()));
        if let Some(likeness) = texts.filter_map(|text| self.sought.likeness(text)).min() {
            let rank = (likeness, !is_in_piece, self.sought.rank_of(self.names.iter().copied()));
            if self.best.is_none_or(|(best, _)| rank < best) {
                self.best = Some((rank, self.number));
            }
        }
        for child in &element.children {
            self.number += 1;
            self.look(child, is_in_piece);
        }
        self.names.truncate(depth);
    }
}

fn code(element: &Element) -> Option<&str> {
    element.attribute("codeListValue").or_else(|| element.any_text())
}

/// The number of the smallest element in which all of some texts stand.
fn smallest_with(element: &Element, parts: &[&str], number: &mut usize) -> Option<usize> {
    let own = *number;
    for child in &element.children {
        *number += 1;
        if let Some(found) = smallest_with(child, parts, number) {
            return Some(found);
        }
    }
    parts.iter().all(|part| has_text(element, part)).then_some(own)
}

fn has_text(element: &Element, text: &str) -> bool {
    element.text == text || element.children.iter().any(|child| has_text(child, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lift::{XmlPart, read_xml};
    use std::ops::ControlFlow;
    use std::sync::Arc;

    fn in_json(text: &str, below: &str, property: &str, value: &str) -> String {
        let fields: Map<String, Value> = serde_json::from_str(text).unwrap();
        let record = JsonRecord { fields: Arc::new(fields), pointer: String::new() };
        let lineage = Lineage::Json { record, named: HashMap::new() };
        lineage.place(Some(&Piece::Object(below.to_owned())), Some(property), Some(value)).1.unwrap_or_default()
    }

    #[test]
    fn a_value_stands_in_its_piece_and_in_the_field_of_its_property() {
        let text = r#"{"title": "weekly", "update_frequency": "weekly", "resources": [{"title": "x y", "format": "x y"}],
            "issued": "n.d.", "extras": [{"key": "a", "value": "n.d."}, {"key": "modified", "value": "n.d."}]}"#;
        let place = |below: &str, property: &str, value: &str| in_json(text, below, property, value);
        assert_eq!(place("", "http://purl.org/dc/terms/accrualPeriodicity", "weekly"), "/update_frequency");
        assert_eq!(place("", "http://purl.org/dc/terms/modified", "n.d."), "/extras/1/value");
        assert_eq!(place("/resources/0", "http://purl.org/dc/terms/format", "x y"), "/resources/0/format");
        assert_eq!(place("/resources/0", "http://purl.org/dc/terms/issued", "n.d."), "/issued");
        assert_eq!(place("/resources/0", "http://purl.org/dc/terms/issued", "elsewhere"), "/resources/0");
    }

    #[test]
    fn a_place_leads_as_far_as_what_is_written() {
        let text = r#"{"org": {"a/b": "1"}, "spatial": "{\"a\": {\"b\": 1}}", "extras": [{"key": "who", "value": "[{}]"}]}"#;
        for (piece, place) in
            [("/org", "/org"), ("/spatial/a", "/spatial"), ("/who/0", "/extras/0/value"), ("/none/x", "")]
        {
            assert_eq!(in_json(text, piece, "x", "elsewhere"), place, "{piece}");
        }
        assert_eq!(in_json(text, "/org", "x", "1"), "/org/a~1b");
    }

    #[test]
    fn what_mapping_changed_is_found_as_it_was_written() {
        let text = r#"{"email": "a|b@c.org", "url": "http://c.org/a b", "role": "painter", "other": "x a y"}"#;
        let place = |value: &str| in_json(text, "", "x", value);
        assert_eq!(place("mailto:a|b@c.org"), "/email");
        assert_eq!(place("mailto:a%7Cb@c.org"), "/email");
        assert_eq!(place("http://c.org/a%20b"), "/url");
        assert_eq!(place("http://codes.org/roles#painter"), "/role");
    }

    fn in_xml(text: &str, piece: usize, property: &str, value: &str) -> String {
        let mut found = String::new();
        let _ = read_xml(text, &|element| element.local() == "R", &mut |part| {
            if let XmlPart::Record { element, path, .. } = part {
                let record = XmlRecord { element: Arc::new(element), path, has_lines: true };
                let lineage = Lineage::Xml { record, named: HashMap::new() };
                found =
                    lineage.place(Some(&Piece::Element(piece)), Some(property), Some(value)).1.unwrap_or_default();
            }
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn dates_are_told_apart_by_their_kind_and_a_box_is_found_by_its_sides() {
        let date =
            |kind: &str| format!("<D><date>n.d.</date><dateType><C codeListValue='{kind}'/></dateType></D>");
        let text = format!(
            "<R><dateStamp>n.d.</dateStamp>{}{}<e><g><w>4</w><s>5</s></g><g><w>4</w><e>5</e><s>6</s><n>95</n></g></e></R>",
            date("creation"),
            date("publication")
        );
        assert_eq!(in_xml(&text, 0, "http://purl.org/dc/terms/issued", "n.d."), "/R/D[2]/date");
        assert_eq!(in_xml(&text, 0, "http://purl.org/dc/terms/created", "n.d."), "/R/D[1]/date");
        assert_eq!(in_xml(&text, 0, "http://purl.org/dc/terms/modified", "n.d."), "/R/dateStamp");
        assert_eq!(in_xml(&text, 6, "http://purl.org/dc/terms/other", "n.d."), "/R/D[2]/date");
        assert_eq!(in_xml(&text, 0, "http://purl.org/dc/terms/spatial", "4,6,5,95"), "/R/e/g[2]");
    }
}
