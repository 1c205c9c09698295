//! Lets a search lead a query: what it finds is joined first, instead of asking it of every node.
//!
//! `FILTER(moisson:search(?dataset, "words"))` over a pattern that always binds `?dataset` has the same solutions as
//! that pattern joined with the table of what the search finds.

use super::functions::Searches;
use crate::vocab::moisson;
use oxrdf::{NamedNode, Variable};
use spargebra::Query;
use spargebra::algebra::{Expression, Function, GraphPattern};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern};
use std::collections::HashSet;

/// Joins the searches of a query with the patterns that they filter.
pub(super) fn narrow(query: &mut Query, searches: &Searches) {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    narrow_pattern(pattern, searches);
}

fn narrow_pattern(pattern: &mut GraphPattern, searches: &Searches) {
    match pattern {
        GraphPattern::Bgp { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Service { .. } => {}
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Minus { left, right }
        | GraphPattern::LeftJoin { left, right, .. } => {
            narrow_pattern(left, searches);
            narrow_pattern(right, searches);
        }
        GraphPattern::Filter { expr, inner } => {
            narrow_pattern(inner, searches);
            let mut bound = HashSet::new();
            always_bound(inner, &mut bound);
            for (variable, words) in searched(expr) {
                if bound.contains(&variable)
                    && let Some(hits) = searches.hits(&words)
                {
                    let rows =
                        hits.keys().map(|iri| vec![Some(GroundTerm::NamedNode(NamedNode::new_unchecked(iri)))]);
                    let table = GraphPattern::Values { variables: vec![variable], bindings: rows.collect() };
                    let filtered = std::mem::take(&mut **inner);
                    **inner = GraphPattern::Join { left: Box::new(table), right: Box::new(filtered) };
                }
            }
        }
        GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Group { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => narrow_pattern(inner, searches),
    }
}

/// The searches that must all be true for an expression to be.
fn searched(expression: &Expression) -> Vec<(Variable, String)> {
    match expression {
        Expression::And(left, right) => [searched(left), searched(right)].concat(),
        Expression::FunctionCall(Function::Custom(name), arguments) if name.as_ref() == moisson::SEARCH => {
            match arguments.as_slice() {
                [Expression::Variable(variable), Expression::Literal(words)] => {
                    vec![(variable.clone(), words.value().to_owned())]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// Variables that each solution of a pattern binds, as far as its form shows.
fn always_bound(pattern: &GraphPattern, bound: &mut HashSet<Variable>) {
    let variable = |term: &TermPattern| match term {
        TermPattern::Variable(variable) => Some(variable.clone()),
        _ => None,
    };
    match pattern {
        GraphPattern::Bgp { patterns } => {
            for triple in patterns {
                bound.extend(variable(&triple.subject));
                bound.extend(variable(&triple.object));
                if let NamedNodePattern::Variable(variable) = &triple.predicate {
                    bound.insert(variable.clone());
                }
            }
        }
        GraphPattern::Path { subject, object, .. } => {
            bound.extend(variable(subject));
            bound.extend(variable(object));
        }
        GraphPattern::Join { left, right } => {
            always_bound(left, bound);
            always_bound(right, bound);
        }
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::Graph { inner, .. } => always_bound(inner, bound),
        _ => {}
    }
}
