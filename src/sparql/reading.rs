//! From a query's text to its algebra, or to the reason why it is not run.

use super::question::{Question, Refusal, Reply};
use crate::store::refuse_outside;
use crate::triples::is_too_deep;
use oxrdf::{GraphName, NamedNode, NamedOrBlankNode};
use spargebra::{Query, SparqlParser};

/// How long a query may be, in bytes.
pub const LONGEST_QUERY: usize = 256 << 10;

/// A query that may be run.
#[derive(Debug, Clone)]
pub struct Readable {
    /// Its algebra.
    pub query: Query,
    /// The default graph that the protocol names; it wins over that of the query.
    pub default_graphs: Vec<GraphName>,
    /// The named graphs that the protocol names.
    pub named_graphs: Vec<NamedOrBlankNode>,
}

/// Reads a question. `services` are those that the operator lets queries call.
///
/// # Errors
/// When the query may not be run, or names graphs by what is no IRI.
pub fn read(question: &Question, services: &[String]) -> Result<Readable, Reply> {
    if question.query.len() > LONGEST_QUERY {
        let why = format!(
            "the query is longer than {LONGEST_QUERY} bytes: ask in several queries, or put data elsewhere"
        );
        return Err(Reply::refused(Refusal::Length, why));
    }
    if is_too_deep(&question.query) {
        let why = "the query nests too deep: brackets within brackets, 64 times over";
        return Err(Reply::refused(Refusal::Malformed, why));
    }
    let malformed = |detail: String| Reply::refused(Refusal::Malformed, detail);
    let query = SparqlParser::new()
        .with_base_iri(&question.base)
        .map_err(|error| malformed(error.to_string()))?
        .parse_query(&question.query)
        .map_err(|error| malformed(format!("the query does not parse: {}", with_place(&error.to_string()))))?;
    refuse_outside(&query, services).map_err(|refused| Reply::refused(Refusal::Service, refused.to_string()))?;
    let iri = |text: &String| {
        NamedNode::new(text).map_err(|error| malformed(format!("{text:?} is not an IRI: {error}")))
    };
    Ok(Readable {
        query,
        default_graphs: question
            .default_graphs
            .iter()
            .map(|text| iri(text).map(Into::into))
            .collect::<Result<_, _>>()?,
        named_graphs: question
            .named_graphs
            .iter()
            .map(|text| iri(text).map(Into::into))
            .collect::<Result<_, _>>()?,
    })
}

/// The parser's message with its place in words: it writes `error at 70:23: expected …`.
fn with_place(message: &str) -> String {
    let told = message.strip_prefix("error at ").and_then(|rest| {
        let (place, what) = rest.split_once(": ")?;
        let (line, column) = place.split_once(':')?;
        Some(format!("line {line}, column {column}: {what}"))
    });
    told.unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_syntax_error_is_in_words() {
        let error = SparqlParser::new().parse_query("SELECT *\nWHERE { ?s }").unwrap_err().to_string();
        let told = with_place(&error);
        assert!(told.starts_with("line 2, column ") && told.contains("expected"), "{error} became {told}");
        assert_eq!(with_place("something else"), "something else");
    }
}
