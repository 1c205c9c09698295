//! Queries that cannot take long, whatever the store has: they are answered where they arrive, without a worker.
//!
//! A light query asks one or two patterns of known nodes or of a known graph, and nothing else: no filter that could
//! pass over everything, nothing that is sorted or grouped. Its work is that of its rows, and these are bounded.

use super::evaluate::{Means, evaluate};
use super::question::{Question, Refusal, Reply};
use super::reading::read;
use oxigraph::store::Store;
use spargebra::Query;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern};

/// A longer query is read by a worker, whose stack bears any.
const LONGEST: usize = 1_024;
/// An answer with more rows is a worker's.
const ROWS: u64 = 2_000;
/// An answer with more bytes is a worker's.
const BYTES: u64 = 200 << 10;

/// Whether a question may be light, as far as its length says.
#[must_use]
pub fn may_be_light(question: &Question) -> bool {
    question.query.len() <= LONGEST && question.default_graphs.is_empty() && question.named_graphs.is_empty()
}

/// Answers a light question; nothing where it is none, is wrong, or has a long answer: a worker tells.
#[must_use]
pub fn answer_light(question: &Question, store: &Store) -> Option<(Reply, Vec<u8>)> {
    let readable = read(question, &[]).ok()?;
    if !is_light(&readable.query) {
        return None;
    }
    let bounded = Question { rows: ROWS.min(question.rows), bytes: BYTES.min(question.bytes), ..question.clone() };
    let (reply, bytes) = evaluate(&bounded, readable, Means { store, searches: None, federation: None });
    let is_told = matches!(reply, Reply::Answer { .. } | Reply::Refused { why: Refusal::NotAcceptable, .. });
    is_told.then_some((reply, bytes))
}

fn is_light(query: &Query) -> bool {
    match query {
        Query::Select { dataset: None, pattern, .. }
        | Query::Ask { dataset: None, pattern, .. }
        | Query::Construct { dataset: None, pattern, .. } => is_light_pattern(pattern, false),
        _ => false,
    }
}

fn is_light_pattern(pattern: &GraphPattern, in_graph: bool) -> bool {
    match pattern {
        GraphPattern::Project { inner, .. }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => is_light_pattern(inner, in_graph),
        GraphPattern::Graph { name: NamedNodePattern::NamedNode(_), inner } => is_light_pattern(inner, true),
        GraphPattern::Bgp { patterns } => {
            let is_known = |term: &TermPattern| matches!(term, TermPattern::NamedNode(_));
            let all_known = patterns.iter().all(|triple| is_known(&triple.subject));
            !patterns.is_empty() && patterns.len() <= 2 && (in_graph || all_known)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::SparqlParser;

    #[test]
    fn only_what_asks_little_of_what_is_known_is_light() {
        let is_light = |text: &str| is_light(&SparqlParser::new().parse_query(text).unwrap());
        for text in [
            "SELECT ?t { <http://e.example/d> <http://e.example/title> ?t } LIMIT 1",
            "CONSTRUCT { ?s ?p ?o } { GRAPH <http://e.example/g> { ?s ?p ?o } }",
            "ASK { <http://e.example/d> ?p ?o . <http://e.example/e> ?q ?r }",
        ] {
            assert!(is_light(text), "{text}");
        }
        for text in [
            "SELECT * { ?s ?p ?o } LIMIT 1",
            "SELECT * { <http://e.example/d> ?p ?o . ?o ?q ?r }",
            "SELECT * { <http://e.example/d> (<http://e.example/p>|!<http://e.example/p>)* ?o }",
            "SELECT * { GRAPH ?g { <http://e.example/d> ?p ?o } }",
            "SELECT * { <http://e.example/d> ?p ?o FILTER(REGEX(?o, \"a\")) }",
            "SELECT (COUNT(*) AS ?n) { <http://e.example/d> ?p ?o }",
            "SELECT * { <http://e.example/d> ?a ?b . <http://e.example/d> ?c ?d . <http://e.example/d> ?e ?f }",
            "SELECT DISTINCT ?o { <http://e.example/d> ?p ?o }",
            "DESCRIBE <http://e.example/d>",
            "SELECT * FROM <http://e.example/g> { <http://e.example/d> ?p ?o }",
        ] {
            assert!(!is_light(text), "{text}");
        }
    }
}
