//! The order in which a query's triple patterns are looked up.
//!
//! Queries with pre-bound variables run without the optimiser, which would take `$this` for a variable
//! that nothing binds. Left as they are, their joins would go through all pairs of matches; so patterns
//! are chained, each looked up with what the ones before it found, beginning with those that a bound
//! variable narrows. A chain of basic patterns gives what their join gives.

use oxrdf::Variable;
use rustc_hash::FxHashSet;
use spargebra::algebra::{Expression, GraphPattern, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

type Bound = FxHashSet<Variable>;

/// Chains the patterns of a query whose bound variables are known.
pub(super) fn chained(pattern: GraphPattern, bound: &[Variable]) -> GraphPattern {
    order(pattern, &mut bound.iter().cloned().collect())
}

fn order(pattern: GraphPattern, bound: &mut Bound) -> GraphPattern {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Join { .. } => {
            let mut simple = Vec::new();
            let mut others = Vec::new();
            flatten(pattern, &mut simple, &mut others);
            join(simple, others, bound)
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            let left = Box::new(order(*left, bound));
            // What the left side binds is not bound in the right one before both are joined.
            let right = Box::new(order(*right, &mut bound.clone()));
            let expression = expression.map(|expression| in_expression(expression, bound));
            GraphPattern::LeftJoin { left, right, expression }
        }
        GraphPattern::Filter { expr, inner } => {
            let inner = Box::new(order(*inner, bound));
            GraphPattern::Filter { expr: in_expression(expr, bound), inner }
        }
        GraphPattern::Union { left, right } => GraphPattern::Union {
            left: Box::new(order(*left, &mut bound.clone())),
            right: Box::new(order(*right, &mut bound.clone())),
        },
        GraphPattern::Graph { name, inner } => GraphPattern::Graph { name, inner: Box::new(order(*inner, bound)) },
        GraphPattern::Extend { inner, variable, expression } => {
            let inner = Box::new(order(*inner, bound));
            let expression = in_expression(expression, bound);
            GraphPattern::Extend { inner, variable, expression }
        }
        GraphPattern::OrderBy { inner, expression } => {
            GraphPattern::OrderBy { inner: Box::new(order(*inner, bound)), expression }
        }
        GraphPattern::Project { inner, variables } => {
            GraphPattern::Project { inner: Box::new(order(*inner, bound)), variables }
        }
        GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: Box::new(order(*inner, bound)) },
        GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: Box::new(order(*inner, bound)) },
        GraphPattern::Slice { inner, start, length } => {
            GraphPattern::Slice { inner: Box::new(order(*inner, bound)), start, length }
        }
        GraphPattern::Group { inner, variables, aggregates } => {
            GraphPattern::Group { inner: Box::new(order(*inner, bound)), variables, aggregates }
        }
        // Pre-binding forbids these; they are left as they are.
        GraphPattern::Minus { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Service { .. }
        | GraphPattern::Lateral { .. } => pattern,
    }
}

/// Takes joins apart into triple patterns and paths, and whatever else is joined with them.
fn flatten(pattern: GraphPattern, simple: &mut Vec<GraphPattern>, others: &mut Vec<GraphPattern>) {
    match pattern {
        GraphPattern::Bgp { patterns } => {
            simple.extend(patterns.into_iter().map(|pattern| GraphPattern::Bgp { patterns: vec![pattern] }));
        }
        GraphPattern::Path { .. } => simple.push(pattern),
        GraphPattern::Join { left, right } => {
            flatten(*left, simple, others);
            flatten(*right, simple, others);
        }
        other => others.push(other),
    }
}

fn join(mut simple: Vec<GraphPattern>, others: Vec<GraphPattern>, bound: &mut Bound) -> GraphPattern {
    let before = bound.clone();
    let mut whole: Option<GraphPattern> = None;
    while !simple.is_empty() {
        let best = (0..simple.len()).min_by_key(|at| cost(&simple[*at], bound)).unwrap_or(0);
        let next = simple.remove(best);
        note_variables(&next, bound);
        whole = Some(match whole {
            None => next,
            Some(left) => GraphPattern::Lateral { left: Box::new(left), right: Box::new(next) },
        });
    }
    for other in others {
        let other = order(other, &mut before.clone());
        whole = Some(match whole {
            None => other,
            Some(left) => GraphPattern::Join { left: Box::new(left), right: Box::new(other) },
        });
    }
    whole.unwrap_or_else(|| GraphPattern::Bgp { patterns: Vec::new() })
}

/// The lower the fewer matches are to be expected: an open subject costs most, then an open object.
fn cost(pattern: &GraphPattern, bound: &Bound) -> u32 {
    let is_open = |term: &TermPattern| match term {
        TermPattern::Variable(variable) => !bound.contains(variable),
        TermPattern::BlankNode(_) => true,
        TermPattern::NamedNode(_) | TermPattern::Literal(_) => false,
    };
    let weigh = |subject: &TermPattern, object: &TermPattern, own: u32| {
        own + match (is_open(subject), is_open(object)) {
            (false, false) => 0,
            (false, true) => 2,
            (true, false) => 4,
            (true, true) => 16,
        }
    };
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().map(|triple| weigh_triple(triple, bound, &weigh)).sum(),
        GraphPattern::Path { subject, path, object } => weigh(subject, object, weight_of_path(path)),
        _ => u32::MAX,
    }
}

fn weigh_triple(
    triple: &TriplePattern,
    bound: &Bound,
    weigh: &impl Fn(&TermPattern, &TermPattern, u32) -> u32,
) -> u32 {
    let is_open = matches!(&triple.predicate, NamedNodePattern::Variable(variable) if !bound.contains(variable));
    // A class has many instances: a type narrows less than another value.
    let is_type = matches!(&triple.predicate, NamedNodePattern::NamedNode(p) if *p == crate::vocab::rdf::TYPE);
    weigh(&triple.subject, &triple.object, u32::from(is_open) * 8 + u32::from(is_type))
}

fn weight_of_path(path: &PropertyPathExpression) -> u32 {
    match path {
        PropertyPathExpression::ZeroOrMore(_) | PropertyPathExpression::OneOrMore(_) => 3,
        _ => 1,
    }
}

fn note_variables(pattern: &GraphPattern, bound: &mut Bound) {
    let mut note = |term: &TermPattern| {
        if let TermPattern::Variable(variable) = term {
            bound.insert(variable.clone());
        }
    };
    match pattern {
        GraphPattern::Bgp { patterns } => {
            for triple in patterns {
                note(&triple.subject);
                note(&triple.object);
            }
            for triple in patterns {
                if let NamedNodePattern::Variable(variable) = &triple.predicate {
                    bound.insert(variable.clone());
                }
            }
        }
        GraphPattern::Path { subject, object, .. } => {
            note(subject);
            note(object);
        }
        _ => {}
    }
}

/// Chains the patterns of EXISTS, which are looked up for each solution.
fn in_expression(expression: Expression, bound: &Bound) -> Expression {
    let again = |part: Box<Expression>| Box::new(in_expression(*part, bound));
    let all = |parts: Vec<Expression>| parts.into_iter().map(|part| in_expression(part, bound)).collect();
    match expression {
        Expression::Exists(pattern) => Expression::Exists(Box::new(order(*pattern, &mut bound.clone()))),
        Expression::Or(a, b) => Expression::Or(again(a), again(b)),
        Expression::And(a, b) => Expression::And(again(a), again(b)),
        Expression::Not(a) => Expression::Not(again(a)),
        Expression::Equal(a, b) => Expression::Equal(again(a), again(b)),
        Expression::If(a, b, c) => Expression::If(again(a), again(b), again(c)),
        Expression::In(a, list) => Expression::In(again(a), all(list)),
        Expression::Coalesce(list) => Expression::Coalesce(all(list)),
        Expression::FunctionCall(function, list) => Expression::FunctionCall(function, all(list)),
        other => other,
    }
}
