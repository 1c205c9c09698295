//! Terms as they must be written: what people write is repaired, and each repair is noted.

use super::LiftedTriple;
use super::repair;
use crate::triples::{as_xml_text, ends_in_a_name, is_xml_text};
use oxrdf::{BlankNode, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// What was wrong with a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An IRI with characters that IRIs have not.
    Iri,
    /// A language tag that is none.
    Language,
    /// Text where RDF/XML has none.
    StrayText,
    /// A character that XML has not: other syntaxes have it, RDF/XML shows another in its place.
    Character,
    /// A property that RDF/XML cannot name.
    Property,
}

/// A term that was not valid RDF, or that not every syntax can say, and what it was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was wrong.
    pub fault: Fault,
    /// The triple's subject after repair.
    pub subject: NamedOrBlankNode,
    /// The triple's predicate.
    pub predicate: NamedNode,
    /// What the publisher wrote.
    pub written: String,
    /// What it was read as; `None` when it was kept as text.
    pub read_as: Option<String>,
    /// The line, from 1; 0 where there are no lines.
    pub line: u32,
}

/// Repairs the terms of triples that are made of what people wrote: names their blank nodes, encodes what IRIs
/// may not have.
#[must_use]
pub fn mend(triples: Vec<Triple>) -> (Vec<Triple>, Vec<Repair>) {
    let mut mender = Mender::default();
    let mut repairs = Vec::new();
    let mended = triples
        .into_iter()
        .map(|triple| mender.mend(triple.in_graph(oxrdf::GraphName::DefaultGraph), 0, &mut repairs).triple)
        .collect();
    (mended, repairs)
}

/// Names blank nodes, the same at each reading, and repairs IRIs.
#[derive(Default)]
pub(super) struct Mender {
    /// The numbers of nodes without a label, by what the parser calls them, which is another each time.
    unlabelled: FxHashMap<[u8; 16], u32>,
    /// The numbers of labels that RDF does not allow.
    strange: FxHashMap<String, u32>,
}

impl Mender {
    pub(super) fn mend(&mut self, quad: Quad, line: u32, repairs: &mut Vec<Repair>) -> LiftedTriple {
        let mut written = Vec::new();
        let subject: NamedOrBlankNode = match quad.subject {
            NamedOrBlankNode::NamedNode(node) => match mend_iri(node, &mut written) {
                Ok(node) => node.into(),
                // A subject without a usable IRI still groups its statements.
                Err(text) => BlankNode::new_unchecked(format!("x{}", crate::catalog::hex(text.as_bytes()))).into(),
            },
            NamedOrBlankNode::BlankNode(node) => self.name(&node).into(),
        };
        let predicate = mend_iri(quad.predicate, &mut written).unwrap_or_else(|text| {
            let stand_in = stand_in_predicate(&text);
            written.last_mut().expect("`mend_iri` notes what it cannot mend").2 =
                Some(stand_in.as_str().to_owned());
            stand_in
        });
        let object: Term = match quad.object {
            Term::NamedNode(node) => match mend_iri(node, &mut written) {
                Ok(node) => node.into(),
                Err(text) => oxrdf::Literal::new_simple_literal(text).into(),
            },
            Term::BlankNode(node) => self.name(&node).into(),
            Term::Literal(literal) => mend_literal(literal, &mut written).into(),
        };
        if !ends_in_a_name(predicate.as_str()) {
            written.push((Fault::Property, predicate.as_str().to_owned(), None));
        }
        for (fault, written, read_as) in written {
            let (subject, predicate) = (subject.clone(), predicate.clone());
            repairs.push(Repair { fault, subject, predicate, written, read_as, line });
        }
        LiftedTriple { triple: Triple { subject, predicate, object }, line }
    }

    pub(super) fn named(&mut self, quad: Quad) -> Triple {
        let subject = match quad.subject {
            NamedOrBlankNode::NamedNode(node) => node.into(),
            NamedOrBlankNode::BlankNode(node) => self.name(&node).into(),
        };
        let object = match quad.object {
            Term::BlankNode(node) => self.name(&node).into(),
            other => other,
        };
        Triple { subject, predicate: quad.predicate, object }
    }

    fn name(&mut self, node: &BlankNode) -> BlankNode {
        let next = u32::try_from(self.unlabelled.len() + self.strange.len()).unwrap_or(u32::MAX);
        let number = match node.as_ref().unique_id() {
            Some(id) if id > MAX_LABEL => *self.unlabelled.entry(id.to_ne_bytes()).or_insert(next),
            None if !is_plain(node.as_str()) => *self.strange.entry(node.as_str().to_owned()).or_insert(next),
            // A label of the page's own stands for itself: pages with millions need no memory for them.
            Some(_) | None => return BlankNode::new_unchecked(format!("l{}", node.as_str())),
        };
        BlankNode::new_unchecked(format!("b{number}"))
    }
}

/// Parsers draw 128 random bits for a node without a label; a label that reads as a smaller number is the page's.
const MAX_LABEL: u128 = u64::MAX as u128;

fn is_plain(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A property without a usable IRI keeps its statement, under a name of ours that holds what was written.
fn stand_in_predicate(text: &str) -> NamedNode {
    let name: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    NamedNode::new_unchecked(format!("{}/invalid/{name}", crate::vocab::moisson::NAMESPACE.trim_end_matches('#')))
}

type Written = Vec<(Fault, String, Option<String>)>;

fn mend_iri(node: NamedNode, written: &mut Written) -> Result<NamedNode, String> {
    let repaired = match repair::iri(node.as_str()) {
        Some(std::borrow::Cow::Borrowed(_)) => return Ok(node),
        Some(std::borrow::Cow::Owned(repaired)) => Some(repaired),
        None => None,
    };
    let text = node.into_string();
    written.push((Fault::Iri, text.clone(), repaired.clone()));
    repaired.map(NamedNode::new_unchecked).ok_or(text)
}

/// A language tag that is not one would make the exported file unreadable: the text is kept without.
fn mend_literal(literal: oxrdf::Literal, written: &mut Written) -> oxrdf::Literal {
    if !is_xml_text(literal.value()) {
        written.push((Fault::Character, literal.value().to_owned(), Some(as_xml_text(literal.value()))));
    }
    let Some(tag) = literal.language() else { return mend_datatype(literal, written) };
    if oxilangtag::LanguageTag::parse(tag).is_ok() {
        return literal;
    }
    let underscored = tag.replace('_', "-");
    if oxilangtag::LanguageTag::parse(underscored.as_str()).is_ok() {
        written.push((Fault::Language, format!("@{tag}"), Some(format!("@{underscored}"))));
        return oxrdf::Literal::new_language_tagged_literal_unchecked(
            literal.value(),
            underscored.to_ascii_lowercase(),
        );
    }
    written.push((Fault::Language, format!("@{tag}"), None));
    oxrdf::Literal::new_simple_literal(literal.value())
}

fn mend_datatype(literal: oxrdf::Literal, written: &mut Written) -> oxrdf::Literal {
    let datatype = literal.datatype().as_str();
    match repair::iri(datatype) {
        Some(std::borrow::Cow::Borrowed(_)) => literal,
        repaired => {
            let repaired = repaired.map(std::borrow::Cow::into_owned);
            written.push((Fault::Iri, datatype.to_owned(), repaired.clone()));
            match repaired {
                Some(datatype) => {
                    oxrdf::Literal::new_typed_literal(literal.value(), NamedNode::new_unchecked(datatype))
                }
                None => oxrdf::Literal::new_simple_literal(literal.value()),
            }
        }
    }
}
