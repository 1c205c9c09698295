//! What pre-binding forbids (SHACL, appendix A), and the projection that keeps bound variables.

use crate::triples::parts;
use oxrdf::Variable;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// The variables that are bound before a query runs.
pub(super) struct Prebinding<'v> {
    /// All of them.
    pub(super) variables: &'v [Variable],
    /// Those that a nested SELECT must return: all but `$shapesGraph` and `$currentShape`.
    pub(super) returned: &'v [Variable],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Nested,
}

impl Prebinding<'_> {
    /// Finds a construct that may not be used, in patterns and in the patterns of expressions.
    pub(super) fn refuse_forbidden(&self, pattern: &GraphPattern) -> Result<(), &'static str> {
        self.pattern(pattern, Level::Top)
    }

    fn pattern(&self, pattern: &GraphPattern, level: Level) -> Result<(), &'static str> {
        match pattern {
            GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => Ok(()),
            GraphPattern::Minus { .. } => Err("MINUS"),
            GraphPattern::Service { .. } => Err("SERVICE"),
            GraphPattern::Values { .. } => Err("VALUES"),
            GraphPattern::Lateral { .. } => Err("LATERAL"),
            GraphPattern::Extend { inner, variable, expression } => {
                if self.variables.contains(variable) {
                    return Err("AS with a pre-bound variable");
                }
                self.expression(expression)?;
                self.pattern(inner, level)
            }
            GraphPattern::Project { inner, variables } => {
                if level == Level::Nested && !self.returned.iter().all(|wanted| variables.contains(wanted)) {
                    return Err("a nested SELECT that does not return all pre-bound variables");
                }
                self.pattern(inner, Level::Nested)
            }
            GraphPattern::OrderBy { inner, expression } => {
                for order in expression {
                    let (OrderExpression::Asc(expression) | OrderExpression::Desc(expression)) = order;
                    self.expression(expression)?;
                }
                self.pattern(inner, level)
            }
            GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(inner, level),
            GraphPattern::Graph { inner, .. } => self.pattern(inner, Level::Nested),
            GraphPattern::Filter { inner, expr } => {
                self.expression(expr)?;
                self.pattern(inner, Level::Nested)
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr)?;
                    }
                }
                self.pattern(inner, Level::Nested)
            }
            GraphPattern::Join { left, right } | GraphPattern::Union { left, right } => {
                self.pattern(left, Level::Nested)?;
                self.pattern(right, Level::Nested)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                expression.iter().try_for_each(|expression| self.expression(expression))?;
                self.pattern(left, Level::Nested)?;
                self.pattern(right, Level::Nested)
            }
        }
    }

    fn expression(&self, expression: &Expression) -> Result<(), &'static str> {
        match expression {
            Expression::Exists(pattern) => self.pattern(pattern, Level::Nested),
            other => parts(other).into_iter().try_for_each(|part| self.expression(part)),
        }
    }
}

/// Keeps pre-bound variables through the outermost projection, without which they are not bound inside.
pub(super) fn project(pattern: &mut GraphPattern, bound: &[Variable]) {
    if let Some(variables) = projection(pattern) {
        for variable in bound {
            if !variables.contains(variable) {
                variables.push(variable.clone());
            }
        }
    }
}

/// The variables of the outermost projection.
pub(super) fn projection(pattern: &mut GraphPattern) -> Option<&mut Vec<Variable>> {
    match pattern {
        GraphPattern::Project { variables, .. } => Some(variables),
        GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::OrderBy { inner, .. } => projection(inner),
        GraphPattern::Bgp { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Join { .. }
        | GraphPattern::LeftJoin { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Filter { .. }
        | GraphPattern::Union { .. }
        | GraphPattern::Graph { .. }
        | GraphPattern::Extend { .. }
        | GraphPattern::Minus { .. }
        | GraphPattern::Values { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => None,
    }
}
