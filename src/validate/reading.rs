//! Reading values, lists and numbers out of a shapes graph.

use crate::triples::Graph;
use crate::vocab::{rdf, xsd};
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term, TermRef};
use rustc_hash::FxHashSet;

/// All objects of a node and predicate.
pub(super) fn objects(graph: &Graph, node: TermRef<'_>, predicate: NamedNodeRef<'_>) -> Vec<Term> {
    graph.objects_of(node, predicate).cloned().collect()
}

/// All objects that are IRIs.
pub(super) fn iris(graph: &Graph, node: TermRef<'_>, predicate: NamedNodeRef<'_>) -> Vec<NamedNode> {
    graph
        .objects_of(node, predicate)
        .filter_map(|term| match term {
            Term::NamedNode(iri) => Some(iri.clone()),
            _ => None,
        })
        .collect()
}

/// All objects that are literals.
pub(super) fn literals(graph: &Graph, node: TermRef<'_>, predicate: NamedNodeRef<'_>) -> Vec<Literal> {
    graph
        .objects_of(node, predicate)
        .filter_map(|term| match term {
            Term::Literal(literal) => Some(literal.clone()),
            _ => None,
        })
        .collect()
}

/// The members of a list; `None` when it loops, branches or is not closed by `rdf:nil`.
pub(super) fn list(graph: &Graph, head: &Term) -> Option<Vec<Term>> {
    let mut members = Vec::new();
    let mut seen = FxHashSet::default();
    let mut node = head.clone();
    loop {
        if node == Term::from(rdf::NIL.into_owned()) {
            return Some(members);
        }
        if !seen.insert(node.clone()) {
            return None;
        }
        let mut first = objects(graph, node.as_ref(), rdf::FIRST);
        let mut rest = objects(graph, node.as_ref(), rdf::REST);
        if first.len() != 1 || rest.len() != 1 {
            return None;
        }
        members.extend(first.pop());
        node = rest.pop()?;
    }
}

/// Whether a term is the boolean `true` in one of its two lexical forms.
pub(super) fn is_true(term: &Term) -> Option<bool> {
    match term {
        Term::Literal(literal) if literal.datatype() == xsd::BOOLEAN => match literal.value() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A non-negative `xsd:integer`, as counts and lengths are.
pub(super) fn count(term: &Term) -> Option<usize> {
    match term {
        Term::Literal(literal) if literal.datatype() == xsd::INTEGER => {
            literal.value().trim_start_matches('+').parse().ok()
        }
        _ => None,
    }
}
