//! Validation reports (SHACL 3.6): typed results, and their RDF form.

use super::reading::list;
use crate::triples::Graph;
use crate::vocab::{rdf, sh, xsd};
use oxrdf::{BlankNode, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use spareval::QueryEvaluationError;
use std::time::Duration;

/// A validation result (SHACL 3.6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValidationResult {
    /// `sh:focusNode`
    pub focus_node: Term,
    /// `sh:resultPath`, as its node in the shapes graph.
    pub path: Option<Term>,
    /// `sh:value`
    pub value: Option<Term>,
    /// `sh:sourceShape`
    pub source_shape: Term,
    /// `sh:sourceConstraintComponent`
    pub component: NamedNode,
    /// `sh:sourceConstraint`, for SPARQL constraints.
    pub source_constraint: Option<Term>,
    /// `sh:resultSeverity`
    pub severity: NamedNode,
    /// `sh:resultMessage`, one a language.
    pub messages: Vec<Literal>,
    /// `sh:detail`: the results that explain this one.
    pub details: Vec<ValidationResult>,
}

/// A constraint that could not be evaluated (SHACL 3.4.1): neither conformance nor a result is known.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The shape whose constraint failed.
    pub shape: Term,
    /// The focus node at which it failed.
    pub focus_node: Term,
    /// Why.
    pub reason: FailureReason,
}

/// Why a constraint could not be evaluated.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FailureReason {
    /// Its query cannot be run.
    #[error("its query failed")]
    Query(#[source] std::sync::Arc<QueryEvaluationError>),
    /// Its query took too long for one focus node.
    #[error("its query took more than {limit:?}")]
    Late {
        /// The limit.
        limit: Duration,
    },
    /// Its query has taken too long in all, and is given up.
    #[error("its query took more than {limit:?} in all, and is not tried again")]
    GivenUp {
        /// The limit.
        limit: Duration,
    },
    /// Its query has too many solutions for one focus node.
    #[error("its query has more than {limit} solutions")]
    Solutions {
        /// The limit.
        limit: usize,
    },
    /// The query itself says so, by `?failure` (SHACL 5.3.1).
    #[error("its query says that it failed")]
    Stated,
    /// Shapes that multiply the work at each level.
    #[error("more than {limit} shapes would be applied for this node")]
    Endless {
        /// The limit.
        limit: u64,
    },
}

/// A validation report (SHACL 3.6.1).
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The results, in the order of the shapes and of the data.
    pub results: Vec<ValidationResult>,
    /// What could not be evaluated.
    pub failures: Vec<Failure>,
}

impl Report {
    /// `sh:conforms`: no result at all, of any severity, and nothing that could not be evaluated.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.results.is_empty() && self.failures.is_empty()
    }

    /// The report as RDF. Paths are copied from the shapes graph, which may use blank nodes.
    #[must_use]
    pub fn to_triples(&self, shapes_graph: &Graph) -> Vec<Triple> {
        let mut writer = ReportWriter::new(shapes_graph);
        let mut triples = writer.start();
        for result in &self.results {
            triples.extend(writer.add_result(result));
        }
        triples.extend(writer.end(self.conforms()));
        triples
    }
}

/// Writes a report result by result, for reports that are longer than memory.
#[derive(Debug)]
pub struct ReportWriter<'g> {
    report: BlankNode,
    triples: Vec<Triple>,
    shapes_graph: &'g Graph,
}

impl<'g> ReportWriter<'g> {
    /// A report about the shapes of a graph.
    #[must_use]
    pub fn new(shapes_graph: &'g Graph) -> Self {
        Self { report: BlankNode::default(), triples: Vec::new(), shapes_graph }
    }

    /// The triples that open the report.
    pub fn start(&mut self) -> Vec<Triple> {
        self.add(self.report.clone(), rdf::TYPE, sh::VALIDATION_REPORT.into_owned());
        std::mem::take(&mut self.triples)
    }

    /// The triples of one result.
    pub fn add_result(&mut self, result: &ValidationResult) -> Vec<Triple> {
        let node = self.result(result);
        self.add(self.report.clone(), sh::RESULT, node);
        std::mem::take(&mut self.triples)
    }

    /// The triples that close the report.
    pub fn end(&mut self, conforms: bool) -> Vec<Triple> {
        let conforms = if conforms { "true" } else { "false" };
        self.add(self.report.clone(), sh::CONFORMS, Literal::new_typed_literal(conforms, xsd::BOOLEAN));
        std::mem::take(&mut self.triples)
    }
}

impl ReportWriter<'_> {
    fn add(
        &mut self,
        subject: impl Into<NamedOrBlankNode> + Clone,
        predicate: NamedNodeRef<'_>,
        object: impl Into<Term>,
    ) {
        self.triples.push(Triple::new(subject, predicate, object));
    }

    fn result(&mut self, result: &ValidationResult) -> BlankNode {
        let node = BlankNode::default();
        self.add(node.clone(), rdf::TYPE, sh::VALIDATION_RESULT.into_owned());
        self.add(node.clone(), sh::FOCUS_NODE, result.focus_node.clone());
        self.add(node.clone(), sh::RESULT_SEVERITY, result.severity.clone());
        self.add(node.clone(), sh::SOURCE_SHAPE, result.source_shape.clone());
        self.add(node.clone(), sh::SOURCE_CONSTRAINT_COMPONENT, result.component.clone());
        if let Some(path) = &result.path {
            let path = self.copy_path(path);
            self.add(node.clone(), sh::RESULT_PATH, path);
        }
        if let Some(value) = &result.value {
            self.add(node.clone(), sh::VALUE, value.clone());
        }
        if let Some(constraint) = &result.source_constraint {
            self.add(node.clone(), sh::SOURCE_CONSTRAINT, constraint.clone());
        }
        for message in &result.messages {
            self.add(node.clone(), sh::RESULT_MESSAGE, message.clone());
        }
        for detail in &result.details {
            let detail = self.result(detail);
            self.add(node.clone(), sh::DETAIL, detail);
        }
        node
    }

    /// Copies a path's description under new blank nodes, so that each result stands on its own
    /// (SHACL 3.6.2.2).
    fn copy_path(&mut self, path: &Term) -> Term {
        if !path.is_blank_node() {
            return path.clone();
        }
        let copy = BlankNode::default();
        let predicates = [
            rdf::FIRST,
            rdf::REST,
            sh::INVERSE_PATH,
            sh::ALTERNATIVE_PATH,
            sh::ZERO_OR_MORE_PATH,
            sh::ONE_OR_MORE_PATH,
            sh::ZERO_OR_ONE_PATH,
        ];
        let graph = self.shapes_graph;
        // A node that is a list is the list, whatever else it says: that is how it was read.
        let is_list = graph.object_of(path.as_ref(), rdf::FIRST).is_some();
        let meant = if is_list { &predicates[..2] } else { &predicates[2..] };
        for predicate in meant.iter().copied() {
            for value in graph.objects_of(path.as_ref(), predicate) {
                let value = self.copy_path(value);
                self.add(copy.clone(), predicate, value);
            }
        }
        copy.into()
    }
}

/// Writes a path's node as a short text, for people: `dct:title` stays an IRI, lists become sequences.
#[must_use]
pub fn path_text(shapes_graph: &Graph, path: &Term) -> String {
    if let Some(members) = list(shapes_graph, path).filter(|members| !members.is_empty()) {
        let parts: Vec<String> = members.iter().map(|member| path_text(shapes_graph, member)).collect();
        return parts.join("/");
    }
    let wrapped = [
        (sh::INVERSE_PATH, "^", ""),
        (sh::ZERO_OR_MORE_PATH, "", "*"),
        (sh::ONE_OR_MORE_PATH, "", "+"),
        (sh::ZERO_OR_ONE_PATH, "", "?"),
    ];
    for (predicate, before, after) in wrapped {
        if let Some(inner) = shapes_graph.object_of(path.as_ref(), predicate) {
            return format!("{before}{}{after}", path_text(shapes_graph, inner));
        }
    }
    if let Some(head) = shapes_graph.object_of(path.as_ref(), sh::ALTERNATIVE_PATH) {
        let members = list(shapes_graph, head).unwrap_or_default();
        let parts: Vec<String> = members.iter().map(|member| path_text(shapes_graph, member)).collect();
        return format!("({})", parts.join("|"));
    }
    match path {
        Term::NamedNode(iri) => iri.as_str().to_owned(),
        Term::BlankNode(_) | Term::Literal(_) => path.to_string(),
    }
}
