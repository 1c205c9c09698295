//! Refusing queries that would leave the store: SERVICE, before anything is evaluated.

use crate::triples::parts;
use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// Why a query is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SERVICE is not allowed here: this endpoint queries its own catalogue only; query the other endpoint directly and join the results"
)]
pub struct RefusedQuery;

/// Refuses a query that calls another service, wherever it does.
pub fn refuse_outside(query: &Query) -> Result<(), RefusedQuery> {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    if calls_out(pattern) { Err(RefusedQuery) } else { Ok(()) }
}

fn calls_out(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Service { .. } => true,
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => false,
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Minus { left, right } => calls_out(left) || calls_out(right),
        GraphPattern::LeftJoin { left, right, expression } => {
            calls_out(left) || calls_out(right) || expression.as_ref().is_some_and(asks_outside)
        }
        GraphPattern::Filter { expr, inner } => asks_outside(expr) || calls_out(inner),
        GraphPattern::Extend { inner, expression, .. } => asks_outside(expression) || calls_out(inner),
        GraphPattern::OrderBy { inner, expression } => {
            let asks = |order: &OrderExpression| match order {
                OrderExpression::Asc(expression) | OrderExpression::Desc(expression) => asks_outside(expression),
            };
            expression.iter().any(asks) || calls_out(inner)
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            let asks = |aggregate: &AggregateExpression| match aggregate {
                AggregateExpression::FunctionCall { expr, .. } => asks_outside(expr),
                AggregateExpression::CountSolutions { .. } => false,
            };
            aggregates.iter().any(|(_, aggregate)| asks(aggregate)) || calls_out(inner)
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => calls_out(inner),
    }
}

/// Whether an expression holds an EXISTS that calls out.
fn asks_outside(expression: &Expression) -> bool {
    match expression {
        Expression::Exists(pattern) => calls_out(pattern),
        other => parts(other).into_iter().any(asks_outside),
    }
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
