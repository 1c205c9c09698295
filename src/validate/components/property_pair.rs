//! 4.5 Property pair: `sh:equals`, `sh:disjoint`, `sh:lessThan`, `sh:lessThanOrEquals`.

use super::needs_path;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::literal::compare;
use crate::validate::plan::{Compiler, ConstantId};
use crate::validate::reading::objects;
use crate::validate::session::NodeId;
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};
use std::cmp::Ordering;

/// A comparison of the value nodes with those of another property.
#[derive(Debug, Clone, Copy)]
pub struct PropertyPair {
    kind: Kind,
    property: ConstantId,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Equals,
    Disjoint,
    LessThan,
    LessThanOrEquals,
}

impl PropertyPair {
    pub(super) fn component(self) -> NamedNodeRef<'static> {
        match self.kind {
            Kind::Equals => sh::EQUALS_CONSTRAINT_COMPONENT,
            Kind::Disjoint => sh::DISJOINT_CONSTRAINT_COMPONENT,
            Kind::LessThan => sh::LESS_THAN_CONSTRAINT_COMPONENT,
            Kind::LessThanOrEquals => sh::LESS_THAN_OR_EQUALS_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(self, focus: &Focus<'_>, results: &mut Results) {
        let mut others = Vec::new();
        focus.session.for_objects(focus.node, focus.session.bound(self.property), |node| others.push(node));
        match self.kind {
            Kind::Equals => {
                let missing = |from: &[NodeId], to: &[NodeId]| -> Vec<NodeId> {
                    from.iter().copied().filter(|node| !to.contains(node)).collect()
                };
                for value in missing(focus.values, &others).into_iter().chain(missing(&others, focus.values)) {
                    self.add(focus, results, value, "has not the same values as");
                }
            }
            Kind::Disjoint => {
                for value in focus.values.iter().filter(|value| others.contains(value)) {
                    self.add(focus, results, *value, "shares a value with");
                }
            }
            Kind::LessThan => {
                self.check_order(focus, results, &others, Ordering::is_lt, "is not less than");
            }
            Kind::LessThanOrEquals => {
                self.check_order(focus, results, &others, Ordering::is_le, "is not less than or equal to");
            }
        }
    }

    /// One result for each pair that is not in order or cannot be compared (4.5.3, 4.5.4).
    fn check_order(
        self,
        focus: &Focus<'_>,
        results: &mut Results,
        others: &[NodeId],
        allows: fn(Ordering) -> bool,
        relation: &str,
    ) {
        for value in focus.values {
            for other in others {
                let order = focus.session.with_term(*value, |value| {
                    focus.session.with_term(*other, |other| match (value, other) {
                        (Term::Literal(value), Term::Literal(other)) => compare(value, other),
                        _ => None,
                    })
                });
                if !order.is_some_and(allows) {
                    self.add(focus, results, *value, relation);
                }
            }
        }
    }

    fn add(self, focus: &Focus<'_>, results: &mut Results, value: NodeId, relation: &str) {
        results.add(focus, self.component(), Some(value), || {
            format!("Value {relation} {}", focus.constant(self.property))
        });
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<PropertyPair>, ShapesError> {
    let kinds = [
        (sh::EQUALS, Kind::Equals, false),
        (sh::DISJOINT, Kind::Disjoint, false),
        (sh::LESS_THAN, Kind::LessThan, true),
        (sh::LESS_THAN_OR_EQUALS, Kind::LessThanOrEquals, true),
    ];
    let mut found = Vec::new();
    for (parameter, kind, of_property_shapes_only) in kinds {
        for value in objects(compiler.graph, shape.as_ref(), parameter) {
            if of_property_shapes_only {
                needs_path(compiler, shape, parameter)?;
            }
            if !value.is_named_node() {
                return Err(compiler.wrong(shape, parameter, &value, "an IRI"));
            }
            found.push(PropertyPair { kind, property: compiler.constants.add(&value) });
        }
    }
    Ok(found)
}
