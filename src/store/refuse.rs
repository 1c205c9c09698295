//! Refusing queries that would leave the store: SERVICE, before anything is evaluated.

use crate::triples::services;
use spargebra::Query;

/// Why a query is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SERVICE is not allowed here: this endpoint queries its own catalogue only; query the other endpoint directly and join the results"
)]
pub struct RefusedQuery;

/// Refuses a query that calls another service than the allowed ones, wherever it does. A service that is named by
/// a variable is never allowed.
pub fn refuse_outside(query: &Query, allowed: &[String]) -> Result<(), RefusedQuery> {
    let is_allowed = |service: &Option<String>| service.as_ref().is_some_and(|iri| allowed.contains(iri));
    if services(query).iter().all(is_allowed) { Ok(()) } else { Err(RefusedQuery) }
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
        let parse = |query: &str| SparqlParser::new().parse_query(query).unwrap();
        for query in refused {
            assert_eq!(refuse_outside(&parse(query), &[]), Err(RefusedQuery), "{query}");
        }
        let allowed = "SELECT * { ?service ?p \"EXISTS { SERVICE\" FILTER(?p != \"EXISTS SERVICE\") }";
        assert_eq!(refuse_outside(&parse(allowed), &[]), Ok(()));
    }

    #[test]
    fn only_named_services_are_allowed() {
        let parse = |query: &str| SparqlParser::new().parse_query(query).unwrap();
        let allowed = ["http://a/".to_owned()];
        assert_eq!(refuse_outside(&parse("SELECT * { SERVICE <http://a/> { ?s ?p ?o } }"), &allowed), Ok(()));
        for query in [
            "SELECT * { SERVICE <http://a/> { SERVICE <http://b/> { ?s ?p ?o } } }",
            "SELECT * { BIND(<http://a/> AS ?x) SERVICE ?x { ?s ?p ?o } }",
        ] {
            assert_eq!(refuse_outside(&parse(query), &allowed), Err(RefusedQuery), "{query}");
        }
    }
}
