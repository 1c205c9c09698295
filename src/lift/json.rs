//! JSON as triples that mirror it: an object is a node, a key a predicate, text and numbers literals.
//!
//! A node's IRI is made of its record's identifier and of the JSON pointer (RFC 6901) that leads to it from
//! the record, so that two readings of the same record agree; there are no blank nodes. What JSON nests for want of a better way is
//! unfolded: a list of `{"key": …, "value": …}` pairs gives fields of the object that holds it, and text
//! that is itself a JSON object or list is read as one. A geometry stays whole, as an `rdf:JSON` literal.

use crate::vocab::{JSON_FIELD, LIFTED, moisson, rdf, xsd};
use oxrdf::{Literal, NamedNode, Triple};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// Lifts a record: gives its triples and returns its node. The identifier is what the platform calls it.
pub fn lift_json(id: &str, record: &Map<String, Value>, take: &mut dyn FnMut(Triple)) -> NamedNode {
    let node = NamedNode::new_unchecked(format!("{LIFTED}{}", encode(id)));
    let mut lifting = Lifting { root: node.as_str().to_owned(), take };
    lifting.object(&node, "", record);
    node
}

/// The record that a lifted triple belongs to, by its node: what the others' IRIs begin with.
#[must_use]
pub fn lifted_base(triple: &Triple) -> Option<&str> {
    let oxrdf::NamedOrBlankNode::NamedNode(node) = &triple.subject else { return None };
    let name = node.as_str();
    name.starts_with(LIFTED).then(|| name.split_once('#').map_or(name, |(record, _)| record))
}

struct Lifting<'t> {
    root: String,
    take: &'t mut dyn FnMut(Triple),
}

impl Lifting<'_> {
    fn object(&mut self, node: &NamedNode, pointer: &str, fields: &Map<String, Value>) {
        for (key, value) in fields {
            let pointer = format!("{pointer}/{}", escape(key));
            self.value(node, &predicate(key), &pointer, value);
        }
    }

    fn value(&mut self, node: &NamedNode, predicate: &str, pointer: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(is_true) => self.add(node, predicate, Literal::from(*is_true)),
            Value::Number(number) => self.add(node, predicate, number_literal(number)),
            Value::String(text) => match nested(text) {
                Some(inner) => self.value(node, predicate, pointer, &inner),
                None if text.trim().is_empty() => {}
                None => self.add(node, predicate, Literal::new_simple_literal(text)),
            },
            Value::Object(fields) if is_geometry(fields) => self.add(node, predicate, json_literal(value)),
            Value::Object(fields) if fields.is_empty() => {}
            Value::Object(fields) => {
                let child = self.link(node, predicate, pointer);
                self.object(&child, pointer, fields);
            }
            Value::Array(members) => self.array(node, predicate, pointer, members),
        }
    }

    fn array(&mut self, node: &NamedNode, predicate: &str, pointer: &str, members: &[Value]) {
        if !members.is_empty() && members.iter().all(|member| pair(member).is_some()) {
            // A pair goes by its key, as the field that it is.
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            for (key, value) in members.iter().filter_map(pair) {
                self.value(node, &self::predicate(key), &format!("{parent}/{}", escape(key)), value);
            }
            return;
        }
        for (position, member) in members.iter().enumerate() {
            let pointer = format!("{pointer}/{position}");
            match member {
                Value::Array(_) => self.add(node, predicate, json_literal(member)),
                Value::Object(fields) if !fields.is_empty() && !is_geometry(fields) => {
                    let child = self.link(node, predicate, &pointer);
                    let place = Literal::new_typed_literal(position.to_string(), xsd::INTEGER);
                    (self.take)(Triple::new(child.clone(), moisson::POSITION, place));
                    self.object(&child, &pointer, fields);
                }
                _ => self.value(node, predicate, &pointer, member),
            }
        }
    }

    /// Links a node to the one of the object at a pointer, and returns that one.
    fn link(&mut self, node: &NamedNode, predicate: &str, pointer: &str) -> NamedNode {
        let child = NamedNode::new_unchecked(format!("{}#{}", self.root, encode_pointer(pointer)));
        (self.take)(Triple::new(node.clone(), NamedNode::new_unchecked(predicate), child.clone()));
        child
    }

    fn add(&mut self, node: &NamedNode, predicate: &str, literal: Literal) {
        (self.take)(Triple::new(node.clone(), NamedNode::new_unchecked(predicate), literal));
    }
}

fn predicate(key: &str) -> String {
    format!("{JSON_FIELD}{}", encode(key))
}

fn number_literal(number: &serde_json::Number) -> Literal {
    let datatype = if number.is_f64() { xsd::DOUBLE } else { xsd::INTEGER };
    Literal::new_typed_literal(number.to_string(), datatype)
}

fn json_literal(value: &Value) -> Literal {
    Literal::new_typed_literal(value.to_string(), rdf::JSON)
}

/// A member of a list of pairs, as CKAN writes its extras.
fn pair(member: &Value) -> Option<(&str, &Value)> {
    let fields = member.as_object()?;
    Some((fields.get("key")?.as_str()?, fields.get("value")?))
}

/// GeoJSON (RFC 7946, 3): nothing in it is of use but the whole.
fn is_geometry(fields: &Map<String, Value>) -> bool {
    let has = |name| fields.get(name).is_some_and(Value::is_array);
    fields.get("type").is_some_and(Value::is_string)
        && (has("coordinates") || has("geometries") || has("features") || fields.contains_key("geometry"))
}

/// JSON written as text, which platforms do with what their forms cannot hold: an object, or a list of
/// texts or objects. `[2019]` in a title is neither.
fn nested(text: &str) -> Option<Value> {
    let bare = text.trim();
    let is_candidate =
        (bare.starts_with('{') && bare.ends_with('}')) || (bare.starts_with('[') && bare.ends_with(']'));
    if !is_candidate {
        return None;
    }
    let value: Value = serde_json::from_str(bare).ok()?;
    let is_structure = match &value {
        Value::Object(_) => true,
        Value::Array(members) => members.iter().all(|member| member.is_string() || member.is_object()),
        _ => false,
    };
    is_structure.then_some(value)
}

/// A key as a part of a JSON pointer (RFC 6901, 3).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What a name keeps as it is in an IRI (RFC 3986, 2.3).
const NAME: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a JSON pointer keeps as it is in a fragment (RFC 6901, 6).
const POINTER: AsciiSet = NAME.remove(b'/').remove(b'$').remove(b'&').remove(b'+').remove(b',').remove(b'=');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, &NAME).to_string()
}

fn encode_pointer(pointer: &str) -> String {
    utf8_percent_encode(pointer, &POINTER).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(text: &str) -> Vec<String> {
        let value: Map<String, Value> = serde_json::from_str(text).unwrap();
        let mut lines = Vec::new();
        lift_json("a/1", &value, &mut |triple| {
            let line = triple.to_string();
            let line =
                line.replace("https://moisson.dev/json#", "j:").replace("https://moisson.dev/lifted/", "l:");
            lines.push(line);
        });
        lines
    }

    #[test]
    fn an_object_is_a_node_and_a_key_a_predicate() {
        let text =
            r#"{"title": "T", "n": 3, "x": 1.5, "open": true, "none": null, "blank": " ", "org": {"a b": "c"}}"#;
        assert_eq!(
            lifted(text),
            [
                "<l:a%2F1> <j:title> \"T\"",
                "<l:a%2F1> <j:n> \"3\"^^<http://www.w3.org/2001/XMLSchema#integer>",
                "<l:a%2F1> <j:x> \"1.5\"^^<http://www.w3.org/2001/XMLSchema#double>",
                "<l:a%2F1> <j:open> \"true\"^^<http://www.w3.org/2001/XMLSchema#boolean>",
                "<l:a%2F1> <j:org> <l:a%2F1#/org>",
                "<l:a%2F1#/org> <j:a%20b> \"c\"",
            ]
        );
    }

    #[test]
    fn members_keep_their_place_and_pairs_become_fields() {
        let text = r#"{"resources": [{"id": "r"}], "tags": ["x", "y"], "extras": [{"key": "theme", "value": "[\"p\", \"q\"]"}]}"#;
        assert_eq!(
            lifted(text),
            [
                "<l:a%2F1> <j:resources> <l:a%2F1#/resources/0>",
                "<l:a%2F1#/resources/0> <https://moisson.dev/ns#position> \"0\"^^<http://www.w3.org/2001/XMLSchema#integer>",
                "<l:a%2F1#/resources/0> <j:id> \"r\"",
                "<l:a%2F1> <j:tags> \"x\"",
                "<l:a%2F1> <j:tags> \"y\"",
                "<l:a%2F1> <j:theme> \"p\"",
                "<l:a%2F1> <j:theme> \"q\"",
            ]
        );
    }

    #[test]
    fn a_geometry_stays_whole_and_a_title_stays_text() {
        let text = r#"{"spatial": "{\"type\": \"Point\", \"coordinates\": [1, 2]}", "title": "[2019]", "grid": [[1, 2]]}"#;
        assert_eq!(
            lifted(text),
            [
                "<l:a%2F1> <j:spatial> \"{\\\"type\\\":\\\"Point\\\",\\\"coordinates\\\":[1,2]}\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>",
                "<l:a%2F1> <j:title> \"[2019]\"",
                "<l:a%2F1> <j:grid> \"[1,2]\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>",
            ]
        );
    }
}
