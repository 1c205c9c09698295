//! The manifests: which tests there are, and what each asks of an endpoint.

use super::Failure;
use super::description::{Aspect, describe};
use super::document::{Document, SUITES};
use super::endpoint::{Endpoint, Request};
use super::evaluation::{Evaluation, Syntax, check_syntax, evaluate};
use super::node::{MF, Node, QT, RDF, RDFS, UT};
use super::protocol::{Exchange, converse};
use crate::shared;
use oxrdf::{Graph, NamedNode};
use std::collections::BTreeMap;
use std::path::Path;

/// The tests of the suites and the graphs that they ask.
#[derive(Default)]
pub(super) struct Suite {
    pub(super) cases: Vec<Case>,
    pub(super) graphs: BTreeMap<NamedNode, Document>,
}

/// One test.
pub(super) struct Case {
    /// The end of its IRI: `bind/manifest#bind01`.
    pub(super) name: String,
    asks: Asks,
}

enum Asks {
    Evaluation(Evaluation),
    Syntax(Document, Syntax),
    Update(Document),
    Protocol(Vec<Exchange>),
    Description(Aspect),
}

impl Case {
    pub(super) fn run(&self, endpoint: &Endpoint) -> Result<(), Failure> {
        match &self.asks {
            Asks::Evaluation(evaluation) => evaluate(endpoint, evaluation),
            Asks::Syntax(document, expected) => check_syntax(endpoint, document, *expected),
            Asks::Update(document) => update(endpoint, document),
            Asks::Protocol(exchanges) => converse(endpoint, exchanges),
            Asks::Description(aspect) => describe(endpoint, *aspect),
        }
    }
}

/// Harvests alone change a store, so that every update is refused, and what it would do is not compared.
fn update(endpoint: &Endpoint, document: &Document) -> Result<(), Failure> {
    Err(Failure::status(&endpoint.send(&Request::update(&document.text_with_base()))))
}

impl Suite {
    /// Reads the manifests below a copy of the suites, one a folder.
    pub(super) fn read(&mut self, root: &Path) {
        for file in shared::files(root, &["/manifest.ttl"]) {
            let relative = file.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            let document = Document::new(root, &format!("{SUITES}{relative}"));
            let graph: Graph = document.triples().into_iter().collect();
            for test in Node::new(&graph, &document.iri).one(MF, "entries").list() {
                let asks = self.asks(root, test);
                self.cases.push(Case { name: test.name_in(SUITES).to_owned(), asks });
            }
        }
    }

    fn asks(&mut self, root: &Path, test: Node<'_>) -> Asks {
        let action = test.any(MF, "action");
        let document = |node: Option<Node<'_>>| {
            let node = node.unwrap_or_else(|| panic!("{} lacks a document", test.term));
            Document::new(root, node.text())
        };
        match test.one(RDF, "type").name_in(MF) {
            "QueryEvaluationTest" | "CSVResultFormatTest" => Asks::Evaluation(self.evaluation(root, test)),
            "PositiveSyntaxTest" | "PositiveSyntaxTest11" | "PositiveUpdateSyntaxTest11" => {
                Asks::Syntax(document(action), Syntax::Right)
            }
            "NegativeSyntaxTest" | "NegativeSyntaxTest11" | "NegativeUpdateSyntaxTest11" => {
                Asks::Syntax(document(action), Syntax::Wrong)
            }
            "UpdateEvaluationTest" => Asks::Update(document(action.and_then(|action| action.any(UT, "request")))),
            "ProtocolTest" => {
                for graph in test.all(UT, "graphData") {
                    let name = NamedNode::new_unchecked(graph.one(RDFS, "label").text());
                    self.graphs.insert(name, document(graph.any(UT, "graph")));
                }
                Asks::Protocol(Exchange::of_action(test.one(MF, "action")))
            }
            "ServiceDescriptionTest" => Asks::Description(Aspect::of_test(test)),
            other => panic!("{} is an unknown kind of test: {other}", test.term),
        }
    }

    fn evaluation(&mut self, root: &Path, test: Node<'_>) -> Evaluation {
        let action = test.one(MF, "action");
        let mut graphs = |property: &str| -> Vec<NamedNode> {
            let nodes = action.all(QT, property).into_iter();
            let documents = nodes.map(|node| Document::new(root, node.text()));
            documents
                .map(|document| {
                    self.graphs.insert(document.iri.clone(), document.clone());
                    document.iri
                })
                .collect()
        };
        Evaluation {
            default: graphs("data"),
            named: graphs("graphData"),
            query: Document::new(root, action.one(QT, "query").text()),
            expected: Document::new(root, test.one(MF, "result").text()),
        }
    }
}
