//! From triples to nested JSON-LD: one object with everything inside, as search engines read it.

use crate::vocab::{LIFTED, rdf, xsd};
use oxrdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Keys that come first.
const FIRST: [&str; 6] = ["name", "alternateName", "description", "url", "sameAs", "identifier"];
/// Keys with one value.
const SINGLE: [&str; 14] = [
    "name",
    "description",
    "url",
    "version",
    "datePublished",
    "dateCreated",
    "contentUrl",
    "contentSize",
    "encodingFormat",
    "email",
    "latitude",
    "longitude",
    "box",
    "geo",
];
/// Nodes within nodes: a record, a file, a field, its source, what is extracted from that.
const DEEPEST: usize = 6;

/// Nodes that are told: where many lead to one another, each would be told on every way to it.
const MOST_NODES: usize = 5_000;

/// Triples, by what they say of whom.
pub(super) struct Nested<'n> {
    of: BTreeMap<NamedNode, BTreeMap<String, Vec<Term>>>,
    /// What identifiers are written without.
    base: &'n str,
    /// How types are named.
    type_name: fn(&str) -> String,
    /// How many more nodes are told with what is said of them.
    left: Cell<usize>,
}

impl<'n> Nested<'n> {
    pub(super) fn new(triples: &[Triple], base: &'n str, type_name: fn(&str) -> String) -> Self {
        let mut of: BTreeMap<NamedNode, BTreeMap<String, Vec<Term>>> = BTreeMap::new();
        for triple in triples {
            if let NamedOrBlankNode::NamedNode(subject) = &triple.subject {
                let predicates = of.entry(subject.clone()).or_default();
                let objects = predicates.entry(triple.predicate.as_str().to_owned()).or_default();
                if !objects.contains(&triple.object) {
                    objects.push(triple.object.clone());
                }
            }
        }
        Self { of, base, type_name, left: Cell::new(MOST_NODES) }
    }

    /// What is said of a node.
    pub(super) fn object(&self, node: &NamedNode) -> Map<String, Value> {
        self.object_on(node, &[node])
    }

    fn object_on(&self, node: &NamedNode, path: &[&NamedNode]) -> Map<String, Value> {
        let mut object = Map::new();
        let Some(said) = self.of.get(node) else { return object };
        if let Some(types) = said.get(rdf::TYPE.as_str()) {
            let names: BTreeSet<String> = types.iter().map(|kind| (self.type_name)(text(kind))).collect();
            object.insert("@type".to_owned(), one_or_all(names.into_iter().map(Value::from).collect()));
        }
        if !is_ours(node.as_str()) {
            object.insert("@id".to_owned(), json!(self.name(node.as_str())));
        }
        let mut keyed: Vec<(&str, &Vec<Term>)> = said
            .iter()
            .filter(|(predicate, _)| *predicate != rdf::TYPE.as_str())
            .map(|(predicate, terms)| (local(predicate), terms))
            .filter(|(key, _)| *key != "position")
            .collect();
        keyed.sort_by_key(|(key, _)| (FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()), *key));
        for (key, terms) in keyed {
            let values = self.values(key, terms, path);
            object.insert(key.to_owned(), one_or_all(values));
        }
        object
    }

    fn values(&self, key: &str, terms: &[Term], path: &[&NamedNode]) -> Vec<Value> {
        let mut terms: Vec<&Term> = terms.iter().collect();
        terms.sort_by_cached_key(|term| (self.position(term), text(term).to_owned()));
        if key == "dateModified" {
            terms.drain(..terms.len() - 1);
        } else if SINGLE.contains(&key) {
            terms.truncate(1);
        }
        let mut values: Vec<Value> = Vec::new();
        for term in terms {
            let value = self.value(key, term, path);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    fn value(&self, key: &str, term: &Term, path: &[&NamedNode]) -> Value {
        match term {
            Term::Literal(literal) => scalar(literal),
            Term::BlankNode(_) => Value::Null,
            Term::NamedNode(node) => match key {
                "fileObject" => json!({"@id": self.name(node.as_str())}),
                "dataType" => json!(format!("sc:{}", local(node.as_str()))),
                // A circle ends where it closes.
                _ if path.contains(&node) || path.len() >= DEEPEST || !self.of.contains_key(node) => {
                    json!(self.name(node.as_str()))
                }
                _ if self.left.get() == 0 => json!(self.name(node.as_str())),
                _ => {
                    self.left.set(self.left.get() - 1);
                    Value::Object(self.object_on(node, &[path, &[node]].concat()))
                }
            },
        }
    }

    /// The place among its like, where one is told.
    fn position(&self, term: &Term) -> i64 {
        let Term::NamedNode(node) = term else { return 0 };
        let said = self.of.get(node).into_iter().flatten();
        let mut positions =
            said.filter(|(predicate, _)| local(predicate) == "position").flat_map(|(_, terms)| terms);
        positions.next().and_then(|term| text(term).parse().ok()).unwrap_or(0)
    }

    fn name<'t>(&self, iri: &'t str) -> &'t str {
        iri.strip_prefix(self.base).filter(|rest| !self.base.is_empty() && !rest.is_empty()).unwrap_or(iri)
    }
}

/// The last part of an IRI.
pub(super) fn local(iri: &str) -> &str {
    iri.rsplit(['/', '#']).next().unwrap_or(iri)
}

fn text(term: &Term) -> &str {
    match term {
        Term::NamedNode(node) => node.as_str(),
        Term::BlankNode(node) => node.as_str(),
        Term::Literal(literal) => literal.value(),
    }
}

/// Nodes that had no name at their source.
fn is_ours(iri: &str) -> bool {
    iri.starts_with(LIFTED) || iri.contains("/.well-known/genid/")
}

fn scalar(literal: &Literal) -> Value {
    let datatype = literal.datatype();
    let is_number = [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE].contains(&datatype);
    match literal.value() {
        value if datatype == xsd::BOOLEAN => json!(matches!(value, "true" | "1")),
        value if is_number => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        value => json!(value),
    }
}

fn one_or_all(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}
