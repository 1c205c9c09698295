//! Queries that cannot take long, whatever the store has: they are answered where they arrive, without a worker.
//!
//! A light query asks one or two patterns of known nodes or of a known graph, and nothing else: no filter that could
//! pass over everything, nothing that is sorted or grouped, no offset. Its work is that of its rows, and these are
//! bounded.

use super::evaluate::{Means, evaluate};
use super::question::{Question, Refusal, Reply};
use super::reading::{Readable, read};
use oxigraph::store::Store;
use spargebra::Query;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern};

/// A longer query is read by a worker, whose stack bears any.
const LONGEST: usize = 1_024;
/// So are those with brackets, or with more groups: where they nest, reading may take longer than answering.
const GROUPS: usize = 4;
/// An answer with more rows is a worker's.
const ROWS: u64 = 2_000;
/// A look-up with more rows is not answered at once.
const FEW_ROWS: u64 = 500;
/// An answer with more bytes is a worker's.
const BYTES: u64 = 200 << 10;

/// A query that is light.
#[derive(Debug)]
pub struct Light {
    question: Question,
    readable: Readable,
    patterns: usize,
}

impl Light {
    /// Reads a question; nothing where it is none that is light, or is wrong: a worker tells.
    #[must_use]
    pub fn read(question: &Question) -> Option<Self> {
        if !is_plain(&question.query) || !question.default_graphs.is_empty() || !question.named_graphs.is_empty() {
            return None;
        }
        let readable = read(question, &[]).ok()?;
        let patterns = patterns_of(&readable.query)?;
        let (rows, bytes) = (ROWS.min(question.rows), BYTES.min(question.bytes));
        Some(Self { question: Question { rows, bytes, ..question.clone() }, readable, patterns })
    }

    /// Answers a single look-up from few rows: each statement that is read gives one, so that the thread that serves
    /// others may do it itself.
    ///
    /// # Errors
    /// Any other, which takes more patience.
    pub fn answer_at_once(self, store: &Store) -> Result<(Reply, Vec<u8>), Box<Self>> {
        if self.patterns > 1 {
            return Err(Box::new(self));
        }
        let few = Question { rows: FEW_ROWS.min(self.question.rows), ..self.question.clone() };
        told(evaluate(&few, self.readable.clone(), Means::of(store))).ok_or_else(|| Box::new(self))
    }

    /// Answers it; nothing where its answer is long: a worker tells.
    #[must_use]
    pub fn answer(self, store: &Store) -> Option<(Reply, Vec<u8>)> {
        told(evaluate(&self.question, self.readable, Means::of(store)))
    }
}

fn told(answered: (Reply, Vec<u8>)) -> Option<(Reply, Vec<u8>)> {
    let is_told = matches!(answered.0, Reply::Answer { .. } | Reply::Refused { why: Refusal::NotAcceptable, .. });
    is_told.then_some(answered)
}

fn is_plain(query: &str) -> bool {
    let groups = query.bytes().filter(|byte| *byte == b'{').count();
    query.len() <= LONGEST && groups <= GROUPS && !query.contains(['(', '['])
}

/// How many patterns a light query has; nothing of one that is not light.
fn patterns_of(query: &Query) -> Option<usize> {
    match query {
        Query::Select { dataset: None, pattern, .. }
        | Query::Ask { dataset: None, pattern, .. }
        | Query::Construct { dataset: None, pattern, .. } => patterns_within(pattern, false),
        _ => None,
    }
}

fn patterns_within(pattern: &GraphPattern, in_graph: bool) -> Option<usize> {
    match pattern {
        // What an offset passes over is work without rows.
        GraphPattern::Project { inner, .. }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, start: 0, .. } => patterns_within(inner, in_graph),
        GraphPattern::Graph { name: NamedNodePattern::NamedNode(_), inner } => patterns_within(inner, true),
        GraphPattern::Bgp { patterns } => {
            let is_known = |term: &TermPattern| matches!(term, TermPattern::NamedNode(_));
            let all_known = patterns.iter().all(|triple| is_known(&triple.subject));
            (!patterns.is_empty() && patterns.len() <= 2 && (in_graph || all_known)).then_some(patterns.len())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::SparqlParser;

    #[test]
    fn only_what_asks_little_of_what_is_known_is_light() {
        let is_light = |text: &str| patterns_of(&SparqlParser::new().parse_query(text).unwrap()).is_some();
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
            "SELECT * { <http://e.example/d> ?p ?o . <http://e.example/e> ?q ?r } OFFSET 1000000000",
            "SELECT * FROM <http://e.example/g> { <http://e.example/d> ?p ?o }",
        ] {
            assert!(!is_light(text), "{text}");
        }
    }
}
