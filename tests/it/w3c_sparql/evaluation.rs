//! Tests that ask a query of a dataset, and tests of syntax.

use super::Failure;
use super::answer::{Answer, Format};
use super::compare::{Order, difference};
use super::document::Document;
use super::endpoint::{Endpoint, Question, Request, Way};
use oxrdf::NamedNode;
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use sparesults::QueryResultsFormat;
use spargebra::algebra::GraphPattern;
use spargebra::{Query, SparqlParser};

/// The formats of a table, each asked for in a way that clients send queries; the first two can tell
/// true from false too.
static TABLES: [(Format, Way); 4] = [
    (Format::Results(QueryResultsFormat::Xml), Way::Get),
    (Format::Results(QueryResultsFormat::Json), Way::Form),
    (Format::Results(QueryResultsFormat::Csv), Way::Direct),
    (Format::Results(QueryResultsFormat::Tsv), Way::Direct),
];
static GRAPHS: [(Format, Way); 4] = [
    (Format::Rdf(RdfFormat::Turtle), Way::Direct),
    (Format::Rdf(RdfFormat::NTriples), Way::Get),
    (Format::Rdf(RdfFormat::RdfXml), Way::Form),
    (Format::Rdf(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() }), Way::Direct),
];

/// A graph that does not exist. Without a default graph the store would be asked as a whole.
const NOTHING: &str = "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/nothing";

/// A query, what it is asked of, and what it gives.
pub(super) struct Evaluation {
    pub(super) query: Document,
    pub(super) default: Vec<NamedNode>,
    pub(super) named: Vec<NamedNode>,
    pub(super) expected: Document,
}

/// What a test of syntax says of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Right,
    Wrong,
}

/// Asks the query in every format that its kind of answer has.
pub(super) fn evaluate(endpoint: &Endpoint, evaluation: &Evaluation) -> Result<(), Failure> {
    let text = evaluation.query.text_with_base();
    let query = SparqlParser::new().parse_query(&text).map_err(|error| Failure::Differs(error.to_string()))?;
    let expected = Answer::expected(&evaluation.expected);
    let formats = match &expected {
        Answer::Boolean(_) => &TABLES[..2],
        Answer::Solutions(_) => &TABLES[..],
        Answer::Graph(_) => &GRAPHS[..],
    };
    let question = Question { text: &text, dataset: dataset(evaluation, &query) };
    for (format, way) in formats {
        let media_type = format.media_type();
        let reply = endpoint.send(&Request::ask(&question, *way, media_type));
        if reply.status != 200 {
            return Err(Failure::status(&reply));
        }
        let found = Answer::read(&reply, *format)?;
        if let Some(how) = difference(&expected, &found, order(&query)) {
            return Err(Failure::Differs(format!("as {media_type}: {how}")));
        }
    }
    Ok(())
}

/// The parameters that name the test's dataset. They would win over a query's own FROM, which stays alone.
fn dataset<'a>(evaluation: &'a Evaluation, query: &Query) -> Vec<(&'static str, &'a str)> {
    if query.dataset().is_some() {
        return Vec::new();
    }
    let nothing = evaluation.default.is_empty().then_some(NOTHING);
    let default = evaluation.default.iter().map(NamedNode::as_str).chain(nothing);
    let named = evaluation.named.iter().map(NamedNode::as_str);
    default.map(|name| ("default-graph-uri", name)).chain(named.map(|name| ("named-graph-uri", name))).collect()
}

fn order(query: &Query) -> Order {
    match query {
        Query::Select { pattern, .. } if is_ordered(pattern) => Order::Kept,
        _ => Order::Any,
    }
}

fn is_ordered(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::OrderBy { .. } => true,
        GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => is_ordered(inner),
        _ => false,
    }
}

/// Sends a text whose syntax is right or wrong. Right ones may be refused for what they would do.
pub(super) fn check_syntax(endpoint: &Endpoint, document: &Document, expected: Syntax) -> Result<(), Failure> {
    let text = document.text_with_base();
    let request = if document.ending() == "ru" {
        Request::update(&text)
    } else {
        Request::ask(&Question { text: &text, dataset: Vec::new() }, Way::Direct, "*/*")
    };
    let reply = endpoint.send(&request);
    let is_as_expected = match expected {
        Syntax::Right => matches!(reply.status, 200 | 403),
        Syntax::Wrong => reply.status == 400,
    };
    if is_as_expected { Ok(()) } else { Err(Failure::status(&reply)) }
}
