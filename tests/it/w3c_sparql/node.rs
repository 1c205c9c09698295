//! Walking the graph of a manifest.

use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNode, NamedOrBlankNodeRef, TermRef};

pub(super) const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
pub(super) const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
pub(super) const UT: &str = "http://www.w3.org/2009/sparql/tests/test-update#";
pub(super) const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";
pub(super) const HT: &str = "http://www.w3.org/2011/http#";
pub(super) const CNT: &str = "http://www.w3.org/2011/content#";
pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
pub(super) const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";

/// A node of a graph.
#[derive(Clone, Copy)]
pub(super) struct Node<'g> {
    graph: &'g Graph,
    pub(super) term: TermRef<'g>,
}

impl<'g> Node<'g> {
    pub(super) fn new(graph: &'g Graph, term: impl Into<TermRef<'g>>) -> Self {
        Self { graph, term: term.into() }
    }

    /// The values of a property.
    pub(super) fn all(self, namespace: &str, name: &str) -> Vec<Self> {
        let subject = match self.term {
            TermRef::NamedNode(node) => NamedOrBlankNodeRef::from(node),
            TermRef::BlankNode(node) => NamedOrBlankNodeRef::from(node),
            TermRef::Literal(_) => return Vec::new(),
        };
        let property = NamedNode::new_unchecked(format!("{namespace}{name}"));
        let values = self.graph.objects_for_subject_predicate(subject, &property);
        values.map(|term| Self { graph: self.graph, term }).collect()
    }

    /// The value of a property, if there is one.
    pub(super) fn any(self, namespace: &str, name: &str) -> Option<Self> {
        self.all(namespace, name).into_iter().next()
    }

    /// The value of a property that the manifests always give.
    pub(super) fn one(self, namespace: &str, name: &str) -> Self {
        self.any(namespace, name).unwrap_or_else(|| panic!("{} has no {name}", self.term))
    }

    /// The members of a list.
    pub(super) fn list(self) -> Vec<Self> {
        let mut members = Vec::new();
        let mut rest = self;
        while rest.term != TermRef::from(rdf::NIL) {
            members.push(rest.one(RDF, "first"));
            rest = rest.one(RDF, "rest");
        }
        members
    }

    /// The IRI, or the text of a literal.
    pub(super) fn text(self) -> &'g str {
        match self.term {
            TermRef::NamedNode(node) => node.as_str(),
            TermRef::Literal(literal) => literal.value(),
            TermRef::BlankNode(node) => panic!("{node} has no text"),
        }
    }

    /// What follows the namespace in an IRI.
    pub(super) fn name_in(self, namespace: &str) -> &'g str {
        self.text().strip_prefix(namespace).unwrap_or_else(|| panic!("{} is not in {namespace}", self.term))
    }
}
