//! Refusing queries that would leave the store: SERVICE, before anything is evaluated.

use crate::triples::calls_out;
use spargebra::Query;

/// Why a query is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SERVICE is not allowed here: this endpoint queries its own catalogue only; query the other endpoint directly and join the results"
)]
pub struct RefusedQuery;

/// Refuses a query that calls another service, wherever it does.
pub fn refuse_outside(query: &Query) -> Result<(), RefusedQuery> {
    if calls_out(query) { Err(RefusedQuery) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spargebra::SparqlParser;

    #[test]
    fn finds_service_wherever_it_hides() {
        let refused = [
            "SELECT * { SERVICE <http://a/> { ?s ?p ?o } }",
            "SELECT * { ?s ?p ?o . OPTIONAL { SERVICE SILENT <http://a/> { ?s ?p ?o } } }",
            "ASK { FILTER NOT EXISTS { SERVICE <http://a/> { ?s ?p ?o } } }",
            "SELECT (EXISTS { SERVICE <http://a/> { ?s ?p ?o } } AS ?x) {}",
            "CONSTRUCT { ?s ?p ?o } { { SELECT * { SERVICE ?x { ?s ?p ?o } } } }",
            "SELECT (SUM(IF(EXISTS { SERVICE <http://a/> { ?s ?p ?o } }, 1, 0)) AS ?n) { ?s ?p ?o }",
            "SELECT * { ?s ?p ?o } ORDER BY IF(!EXISTS { SERVICE <http://a/> { ?s ?p ?o } }, 1, 0)",
            "SELECT * { ?s ?p ?o MINUS { SERVICE <http://a/> { ?s ?p ?o } } }",
        ];
        for query in refused {
            let parsed = SparqlParser::new().parse_query(query).unwrap();
            assert_eq!(refuse_outside(&parsed), Err(RefusedQuery), "{query}");
        }
        let allowed = SparqlParser::new()
            .parse_query("SELECT * { ?service ?p \"EXISTS { SERVICE\" FILTER(?p != \"EXISTS SERVICE\") }")
            .unwrap();
        assert_eq!(refuse_outside(&allowed), Ok(()));
    }
}
