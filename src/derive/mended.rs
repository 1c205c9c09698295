//! A record's statements as a feed gives them: what the source says, with mends in the place of what they mend.
//!
//! The store has both, so that nobody's statements change; a reader of a feed would find two values where DCAT-AP
//! allows one. Feeds and exports say the same.

use crate::vocab::{dct, rdf, sh};
use oxrdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};
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

/// The classes of values by the property that has them.
static CLASSES: LazyLock<HashMap<&str, NamedNode>> = LazyLock::new(|| {
    let rows = include_str!("../../data/value-classes.csv").lines().filter(|row| row.starts_with("http"));
    rows.filter_map(|row| {
        let (property, class) = row.split_once(',')?;
        Some((property, NamedNode::new_unchecked(class)))
    })
    .collect()
});

/// A record as it is published: its statements with mends in the place of what they mend; with the identifier by which
/// it is known, where it has none; with the classes of what conversion read.
#[must_use]
pub fn published(node: &NamedNode, remote_id: &str, stated: Vec<Triple>, normalised: &[Triple]) -> Vec<Triple> {
    let mut told = mended(stated, normalised);
    let is_own =
        |triple: &&Triple| matches!(&triple.subject, NamedOrBlankNode::NamedNode(subject) if subject == node);
    if !told.iter().filter(is_own).any(|triple| triple.predicate == dct::IDENTIFIER) {
        let identifier = Literal::new_simple_literal(remote_id);
        told.push(Triple::new(node.clone(), dct::IDENTIFIER, identifier));
    }
    let read: HashSet<&Triple> = normalised.iter().collect();
    let known: HashSet<&Triple> = told.iter().filter(|triple| triple.predicate == rdf::TYPE).collect();
    let of_value = |triple: &Triple| match &triple.object {
        Term::NamedNode(value) => {
            Some(Triple::new(value.clone(), rdf::TYPE, CLASSES.get(triple.predicate.as_str())?.clone()))
        }
        Term::BlankNode(_) | Term::Literal(_) => None,
    };
    let mut classes: Vec<Triple> =
        told.iter().filter(|triple| read.contains(triple)).filter_map(of_value).collect();
    classes.retain(|class| !known.contains(class));
    classes.sort_by_key(ToString::to_string);
    classes.dedup();
    told.extend(classes);
    told
}

/// Puts what was read into a record in the place of what it was read of: another value of a property that has one,
/// a text where an IRI should be.
fn mended(stated: Vec<Triple>, normalised: &[Triple]) -> Vec<Triple> {
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
    use crate::vocab::dcat;

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

    #[test]
    fn what_is_published_has_an_identifier_and_the_classes_of_what_was_read() {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e.example/{name}"));
        let iana = NamedNode::new_unchecked("http://www.iana.org/assignments/media-types/text/csv");
        let stated = vec![Triple::new(node("f"), dcat::MEDIA_TYPE, Literal::new_simple_literal("CSV"))];
        let read = vec![Triple::new(node("f"), dcat::MEDIA_TYPE, iana.clone())];
        let told = published(&node("d"), "d-1", stated, &read);
        assert!(told.contains(&Triple::new(node("d"), dct::IDENTIFIER, Literal::new_simple_literal("d-1"))));
        let class = NamedNode::new_unchecked("http://purl.org/dc/terms/MediaType");
        assert!(told.contains(&Triple::new(iana, rdf::TYPE, class)));
        let own = vec![Triple::new(node("d"), dct::IDENTIFIER, Literal::new_simple_literal("own"))];
        assert_eq!(published(&node("d"), "d-1", own.clone(), &[]), own);
    }
}
