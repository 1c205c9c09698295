//! A record's statements as a feed gives them: what the source says, with mends in the place of what they mend.
//!
//! The store has both, so that nobody's statements change; a reader of a feed would find two values where DCAT-AP
//! allows one.

use crate::vocab::sh;
use oxrdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The properties that have one value, as the shapes of the profile `dcat-ap-3` say.
static SINGLE: LazyLock<HashSet<NamedNode>> = LazyLock::new(|| {
    let shapes = include_str!("../../shapes/dcat-ap-3.ttl");
    let parser = RdfParser::from_format(RdfFormat::Turtle).for_slice(shapes);
    let mut paths: HashMap<NamedOrBlankNode, NamedNode> = HashMap::new();
    let mut single: HashSet<NamedOrBlankNode> = HashSet::new();
    for quad in parser.filter_map(Result::ok) {
        match quad.object {
            Term::NamedNode(path) if quad.predicate.as_ref() == sh::PATH => drop(paths.insert(quad.subject, path)),
            Term::Literal(most) if quad.predicate.as_ref() == sh::MAX_COUNT && most.value() == "1" => {
                single.insert(quad.subject);
            }
            _ => {}
        }
    }
    single.into_iter().filter_map(|shape| paths.remove(&shape)).collect()
});

/// Puts what was read into a record in the place of what it was read of: another value of a property that has one,
/// a text where an IRI should be.
#[must_use]
pub fn mended(stated: Vec<Triple>, normalised: &[Triple]) -> Vec<Triple> {
    let mut read: HashMap<(&NamedOrBlankNode, &NamedNode), Vec<&Term>> = HashMap::new();
    for triple in normalised {
        read.entry((&triple.subject, &triple.predicate)).or_default().push(&triple.object);
    }
    let stays = |triple: &Triple| {
        let Some(terms) = read.get(&(&triple.subject, &triple.predicate)) else { return true };
        let is_mended_text = triple.object.is_literal() && terms.iter().any(|term| term.is_named_node());
        terms.contains(&&triple.object) || !(is_mended_text || SINGLE.contains(&triple.predicate))
    };
    let mut kept: Vec<Triple> = stated.into_iter().filter(stays).collect();
    // Of several readings of what may be one, the first by the alphabet, so that it is always the same.
    let is_first = |triple: &&Triple| {
        let terms = read.get(&(&triple.subject, &triple.predicate)).map_or(&[][..], Vec::as_slice);
        let first = terms.iter().min_by_key(ToString::to_string);
        !SINGLE.contains(&triple.predicate) || first.is_none_or(|first| **first == triple.object)
    };
    kept.extend(normalised.iter().filter(is_first).cloned());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::dct;
    use oxrdf::Literal;

    #[test]
    fn a_mend_stands_alone_and_other_values_stay() {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e.example/{name}"));
        let text = |text: &str| Literal::new_simple_literal(text);
        let stated = vec![
            Triple::new(node("d"), dct::ACCRUAL_PERIODICITY, text("every year")),
            Triple::new(node("d"), dct::LANGUAGE, text("fr")),
            Triple::new(node("d"), dct::LANGUAGE, node("english")),
            Triple::new(node("d"), dct::TITLE, text("D")),
        ];
        let read = vec![
            Triple::new(node("d"), dct::ACCRUAL_PERIODICITY, node("biennial")),
            Triple::new(node("d"), dct::ACCRUAL_PERIODICITY, node("annual")),
            Triple::new(node("d"), dct::LANGUAGE, node("french")),
        ];
        let told: HashSet<String> = mended(stated, &read).iter().map(|triple| triple.object.to_string()).collect();
        let expected = ["annual", "french", "english"].map(|name| node(name).to_string());
        assert_eq!(told, expected.into_iter().chain(["\"D\"".to_owned()]).collect());
    }
}
