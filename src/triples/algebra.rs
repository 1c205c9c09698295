//! Walking the algebra of SPARQL queries.

use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// The direct parts of an expression; none of an EXISTS, whose part is a pattern.
#[must_use]
pub fn parts(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::NamedNode(_)
        | Expression::Literal(_)
        | Expression::Variable(_)
        | Expression::Bound(_)
        | Expression::Exists(_) => Vec::new(),
        Expression::Or(a, b)
        | Expression::And(a, b)
        | Expression::Equal(a, b)
        | Expression::SameTerm(a, b)
        | Expression::Greater(a, b)
        | Expression::GreaterOrEqual(a, b)
        | Expression::Less(a, b)
        | Expression::LessOrEqual(a, b)
        | Expression::Add(a, b)
        | Expression::Subtract(a, b)
        | Expression::Multiply(a, b)
        | Expression::Divide(a, b) => vec![a, b],
        Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => vec![a],
        Expression::If(a, b, c) => vec![a, b, c],
        Expression::In(a, list) => std::iter::once(a.as_ref()).chain(list).collect(),
        Expression::Coalesce(list) | Expression::FunctionCall(_, list) => list.iter().collect(),
    }
}

/// Whether a query calls another service, wherever it does.
#[must_use]
pub fn calls_out(query: &Query) -> bool {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    goes_out(pattern)
}

fn goes_out(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Service { .. } => true,
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => false,
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Minus { left, right } => goes_out(left) || goes_out(right),
        GraphPattern::LeftJoin { left, right, expression } => {
            goes_out(left) || goes_out(right) || expression.as_ref().is_some_and(asks_outside)
        }
        GraphPattern::Filter { expr, inner } => asks_outside(expr) || goes_out(inner),
        GraphPattern::Extend { inner, expression, .. } => asks_outside(expression) || goes_out(inner),
        GraphPattern::OrderBy { inner, expression } => {
            let asks = |order: &OrderExpression| match order {
                OrderExpression::Asc(expression) | OrderExpression::Desc(expression) => asks_outside(expression),
            };
            expression.iter().any(asks) || goes_out(inner)
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            let asks = |aggregate: &AggregateExpression| match aggregate {
                AggregateExpression::FunctionCall { expr, .. } => asks_outside(expr),
                AggregateExpression::CountSolutions { .. } => false,
            };
            aggregates.iter().any(|(_, aggregate)| asks(aggregate)) || goes_out(inner)
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => goes_out(inner),
    }
}

/// Whether an expression holds an EXISTS that calls out.
fn asks_outside(expression: &Expression) -> bool {
    match expression {
        Expression::Exists(pattern) => goes_out(pattern),
        other => parts(other).into_iter().any(asks_outside),
    }
}
