//! Walking the algebra of SPARQL queries.

use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, Function, GraphPattern, OrderExpression};
use spargebra::term::NamedNodePattern;

/// A part of a query.
#[derive(Debug, Clone, Copy)]
pub enum Part<'q> {
    /// A pattern.
    Pattern(&'q GraphPattern),
    /// An expression.
    Expression(&'q Expression),
}

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

/// Calls something for each part of a query, the outer ones first.
pub fn walk<'q>(query: &'q Query, see: &mut impl FnMut(Part<'q>)) {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    walk_pattern(pattern, see);
}

fn walk_pattern<'q>(pattern: &'q GraphPattern, see: &mut impl FnMut(Part<'q>)) {
    see(Part::Pattern(pattern));
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => {}
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Minus { left, right } => {
            walk_pattern(left, see);
            walk_pattern(right, see);
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            walk_pattern(left, see);
            walk_pattern(right, see);
            if let Some(expression) = expression {
                walk_expression(expression, see);
            }
        }
        GraphPattern::Filter { expr: expression, inner } | GraphPattern::Extend { inner, expression, .. } => {
            walk_expression(expression, see);
            walk_pattern(inner, see);
        }
        GraphPattern::OrderBy { inner, expression } => {
            for order in expression {
                let (OrderExpression::Asc(expression) | OrderExpression::Desc(expression)) = order;
                walk_expression(expression, see);
            }
            walk_pattern(inner, see);
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            for (_, aggregate) in aggregates {
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    walk_expression(expr, see);
                }
            }
            walk_pattern(inner, see);
        }
        GraphPattern::Service { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => walk_pattern(inner, see),
    }
}

fn walk_expression<'q>(expression: &'q Expression, see: &mut impl FnMut(Part<'q>)) {
    see(Part::Expression(expression));
    if let Expression::Exists(pattern) = expression {
        walk_pattern(pattern, see);
    }
    for part in parts(expression) {
        walk_expression(part, see);
    }
}

/// The services that a query calls, wherever it does; nothing for one that a variable names.
#[must_use]
pub fn services(query: &Query) -> Vec<Option<String>> {
    let mut services = Vec::new();
    walk(query, &mut |part| {
        if let Part::Pattern(GraphPattern::Service { name, .. }) = part {
            services.push(match name {
                NamedNodePattern::NamedNode(iri) => Some(iri.as_str().to_owned()),
                NamedNodePattern::Variable(_) => None,
            });
        }
    });
    services
}

/// Whether a query calls another service, wherever it does.
#[must_use]
pub fn calls_out(query: &Query) -> bool {
    !services(query).is_empty()
}

/// Whether a query gives another answer each time, though the store is the same: it asks for the time, for chance,
/// for new names, or another service.
#[must_use]
pub fn is_volatile(query: &Query) -> bool {
    let mut found = calls_out(query);
    walk(query, &mut |part| {
        if let Part::Expression(Expression::FunctionCall(function, _)) = part {
            found |= matches!(
                function,
                Function::Now | Function::Rand | Function::Uuid | Function::StrUuid | Function::BNode
            );
        }
    });
    found
}

/// Whether a query calls a function, wherever it does.
#[must_use]
pub fn calls(query: &Query, is_wanted: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    walk(query, &mut |part| {
        if let Part::Expression(Expression::FunctionCall(Function::Custom(name), _)) = part {
            found |= is_wanted(name.as_str());
        }
    });
    found
}
