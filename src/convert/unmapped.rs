//! What a platform says that no mapping query reads.

use crate::lift::Element;
use crate::vocab::{JSON_FIELD, LIFTED};
use oxrdf::{NamedOrBlankNode, Term, Triple};
use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// Characters of an example.
const LENGTH: usize = 80;

/// A field that no query reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmappedField {
    /// Its name; a dot leads into an object or into the members of a list.
    pub field: String,
    /// How many records have it.
    pub records: u64,
    /// One of its values.
    pub example: String,
    /// What is wrong with its name, where its vocabulary has no such term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misnamed: Option<MisnamedTerm>,
}

/// A term that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MisnamedTerm {
    /// The term that was meant, where one is written almost alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likely: Option<String>,
}

impl fmt::Display for MisnamedTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such term")?;
        self.likely.iter().try_for_each(|likely| write!(f, "; {likely} is the likeliest"))
    }
}

/// The fields of records that no query reads, gathered record by record.
#[derive(Debug, Clone, Default)]
pub struct Unmapped {
    fields: BTreeMap<String, FieldCount>,
}

/// A field in how many records, with one of its values, and what is wrong with its name.
#[derive(Debug, Clone, Default)]
struct FieldCount {
    records: u64,
    example: String,
    misnamed: Option<MisnamedTerm>,
}

impl Unmapped {
    /// Notes what one record's lifted triples say beside the fields that are read. Below a field that is not
    /// read, nothing is told apart; keys that are languages are values.
    pub(super) fn note(&mut self, record: &[Triple], read: &HashSet<String>) {
        let mut found: FxHashMap<String, &Term> = FxHashMap::default();
        for triple in record {
            let Some(name) = triple.predicate.as_str().strip_prefix(JSON_FIELD) else { continue };
            let way: Vec<&str> = way(&triple.subject).chain([name]).collect();
            let Some(end) = way.iter().position(|name| !read.contains(*name)) else { continue };
            if end > 0 && is_language(way[end]) {
                continue;
            }
            found.entry(way[..=end].join(".")).or_insert(&triple.object);
        }
        for (field, value) in found {
            self.count(field, || example(value));
        }
    }

    /// Notes the elements of one record that are not read: properties by their names, without the classes between.
    pub(super) fn note_elements(&mut self, record: &Element, read: &HashSet<String>) {
        let mut found = BTreeMap::new();
        gather_unread(record, "", read, &mut found);
        for (field, text) in found {
            self.count(field, || text.map_or_else(|| "<…>".to_owned(), shortened));
        }
    }

    /// Notes a term of a record's statements, with one of its values and what is wrong with its name.
    pub fn note_term(&mut self, name: &str, misnamed: Option<MisnamedTerm>, value: &Term) {
        let example = match value {
            Term::NamedNode(node) => shortened(node.as_str()),
            Term::Literal(_) | Term::BlankNode(_) => example(value),
        };
        self.count(name.to_owned(), || example);
        if let Some(found) = self.fields.get_mut(name) {
            found.misnamed = misnamed;
        }
    }

    fn count(&mut self, field: String, example: impl FnOnce() -> String) {
        let found = self.fields.entry(field).or_default();
        found.records += 1;
        if found.example.is_empty() {
            found.example = example();
        }
    }

    /// Adds what was gathered elsewhere.
    pub fn add(&mut self, other: Self) {
        for (field, more) in other.fields {
            let found = self.fields.entry(field).or_default();
            found.records += more.records;
            if found.example.is_empty() {
                found.example = more.example;
            }
            found.misnamed = found.misnamed.take().or(more.misnamed);
        }
    }

    /// The fields, those of most records first.
    #[must_use]
    pub fn fields(&self) -> Vec<UnmappedField> {
        let mut fields: Vec<UnmappedField> = self
            .fields
            .iter()
            .map(|(field, found)| UnmappedField {
                field: percent_decode_str(field).decode_utf8_lossy().into_owned(),
                records: found.records,
                example: found.example.clone(),
                misnamed: found.misnamed.clone(),
            })
            .collect();
        fields.sort_by(|one, other| other.records.cmp(&one.records).then_with(|| one.field.cmp(&other.field)));
        fields
    }
}

fn gather_unread<'e>(
    element: &'e Element,
    way: &str,
    read: &HashSet<String>,
    found: &mut BTreeMap<String, Option<&'e str>>,
) {
    for child in &element.children {
        let name = child.local();
        let is_class = name.starts_with(|c: char| c.is_ascii_uppercase());
        let way = match (is_class, way) {
            (true, way) => way.to_owned(),
            (false, "") => name.to_owned(),
            (false, way) => format!("{way}.{name}"),
        };
        if is_class || read.contains(name) {
            gather_unread(child, &way, read, found);
        } else if matches!(name, "textGroup" | "URLGroup") {
            // The languages of a text that is read.
        } else if child.any_text().is_some() || !child.children.is_empty() {
            found.entry(way).or_insert_with(|| child.any_text());
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LENGTH).collect()
}

/// The fields that queries name, by the prefix `j:` or `x:` that they declare; comments name those to pass over.
pub(super) fn fields_read<'q>(queries: impl Iterator<Item = &'q str>) -> HashSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '%');
    let mut read = HashSet::new();
    for query in queries {
        for (at, _) in query.match_indices("j:").chain(query.match_indices("x:")) {
            let is_prefix = !query[..at].ends_with(is_part);
            let name: String = query[at + 2..].chars().take_while(|c| is_part(*c)).collect();
            if is_prefix && !name.is_empty() {
                read.insert(name);
            }
        }
    }
    read
}

/// The names that lead to a lifted object, without the positions in lists.
fn way(node: &NamedOrBlankNode) -> impl Iterator<Item = &str> {
    let pointer = match node {
        NamedOrBlankNode::NamedNode(node) => node
            .as_str()
            .strip_prefix(LIFTED)
            .and_then(|rest| rest.split_once('#'))
            .map_or("", |(_, pointer)| pointer),
        NamedOrBlankNode::BlankNode(_) => "",
    };
    pointer.split('/').filter(|part| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A language of two letters, with or without a region.
fn is_language(key: &str) -> bool {
    let (language, region) = key.split_once(['-', '_']).unwrap_or((key, "EU"));
    [language, region].iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

fn example(value: &Term) -> String {
    match value {
        Term::Literal(literal) => shortened(literal.value()),
        Term::NamedNode(_) | Term::BlankNode(_) => "{…}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_no_query_names_is_told_with_an_example() {
        let read = fields_read(
            ["?d j:title ?t ; j:resources ?r . ?r j:size ?s . OPTIONAL { ?d j:%40id ?i }"].into_iter(),
        );
        assert!(read.contains("title") && read.contains("%40id") && read.len() == 4, "{read:?}");
        let text = r#"{"title": {"fr": "T"}, "cost": "12 €", "stats": {"views": 1}, "resources": [{"size": 1, "hits": 3}, {"hits": 4}]}"#;
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
        let mut unmapped = Unmapped::default();
        for id in ["a", "b"] {
            let mut triples = Vec::new();
            crate::lift::lift_json(id, &fields, &mut |triple| triples.push(triple));
            let mut one = Unmapped::default();
            one.note(&triples, &read);
            unmapped.add(one);
        }
        let told: Vec<(String, u64, String)> =
            unmapped.fields().into_iter().map(|field| (field.field, field.records, field.example)).collect();
        let expected = [("cost", 2, "12 €"), ("resources.hits", 2, "3"), ("stats", 2, "{…}")];
        assert_eq!(
            told,
            expected.map(|(field, records, example)| (field.to_owned(), records, example.to_owned()))
        );
    }
}
