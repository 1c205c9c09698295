//! 4.7 Shape-based: `sh:node`, `sh:property`, `sh:qualifiedValueShape`.

use super::needs_path;
use crate::triples::Graph;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::{Compiler, ShapeId};
use crate::validate::reading::{count, objects};
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};
use rustc_hash::FxHashSet;

/// A constraint that value nodes conform to another shape.
#[derive(Debug)]
pub enum ShapeBased {
    /// 4.7.1
    Node(ShapeId),
    /// 4.7.2
    Property(ShapeId),
    /// 4.7.3
    Qualified(Qualified),
}

/// A bound on the number of values that conform to a shape and to none of its siblings.
#[derive(Debug)]
pub struct Qualified {
    shape: ShapeId,
    siblings: Vec<ShapeId>,
    bound: Bound,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    Min(usize),
    Max(usize),
}

impl ShapeBased {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::Node(_) => sh::NODE_CONSTRAINT_COMPONENT,
            Self::Property(_) => sh::PROPERTY_CONSTRAINT_COMPONENT,
            Self::Qualified(Qualified { bound: Bound::Min(_), .. }) => {
                sh::QUALIFIED_MIN_COUNT_CONSTRAINT_COMPONENT
            }
            Self::Qualified(Qualified { bound: Bound::Max(_), .. }) => {
                sh::QUALIFIED_MAX_COUNT_CONSTRAINT_COMPONENT
            }
        }
    }

    pub(super) fn shapes(&self) -> Vec<ShapeId> {
        match self {
            Self::Node(shape) | Self::Property(shape) => vec![*shape],
            Self::Qualified(qualified) => {
                std::iter::once(qualified.shape).chain(qualified.siblings.iter().copied()).collect()
            }
        }
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        match self {
            Self::Node(shape) => {
                for value in focus.values {
                    focus.add_unless_conforms(*shape, *value, self.component(), results);
                }
            }
            Self::Property(shape) => {
                for value in focus.values {
                    focus.validate(*shape, *value, results);
                }
            }
            Self::Qualified(qualified) => qualified.check(focus, results, self.component()),
        }
    }
}

impl Qualified {
    fn check(&self, focus: &Focus<'_>, results: &mut Results, component: NamedNodeRef<'static>) {
        let counts = |value| {
            focus.conforms(self.shape, value)
                && !self.siblings.iter().any(|sibling| focus.conforms(*sibling, value))
        };
        let number = focus.values.iter().filter(|value| counts(**value)).count();
        match self.bound {
            Bound::Min(least) if number < least => results.add(focus, component, None, || {
                format!("Less than {least} values conform to the shape: {number}")
            }),
            Bound::Max(most) if number > most => results
                .add(focus, component, None, || format!("More than {most} values conform to the shape: {number}")),
            Bound::Min(_) | Bound::Max(_) => {}
        }
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<ShapeBased>, ShapesError> {
    let mut found = Vec::new();
    for node in objects(compiler.graph, shape.as_ref(), sh::NODE) {
        if compiler.graph.object_of(node.as_ref(), sh::PATH).is_some() {
            return Err(compiler.wrong(shape, sh::NODE, &node, "a node shape, without sh:path"));
        }
        found.push(ShapeBased::Node(compiler.shape(&node)?));
    }
    for property in objects(compiler.graph, shape.as_ref(), sh::PROPERTY) {
        if compiler.graph.object_of(property.as_ref(), sh::PATH).is_none() {
            compiler.warn(shape, &property, "sh:path");
            continue;
        }
        found.push(ShapeBased::Property(compiler.shape(&property)?));
    }
    if let Some(qualified) = compiler.at_most_one(shape, sh::QUALIFIED_VALUE_SHAPE)? {
        needs_path(compiler, shape, sh::QUALIFIED_VALUE_SHAPE)?;
        read_qualified(compiler, shape, &qualified, &mut found)?;
    }
    Ok(found)
}

fn read_qualified(
    compiler: &mut Compiler<'_>,
    shape: &Term,
    qualified: &Term,
    found: &mut Vec<ShapeBased>,
) -> Result<(), ShapesError> {
    let bounds: [(NamedNodeRef<'_>, fn(usize) -> Bound); 2] =
        [(sh::QUALIFIED_MIN_COUNT, Bound::Min), (sh::QUALIFIED_MAX_COUNT, Bound::Max)];
    for (parameter, bound) in bounds {
        let Some(value) = compiler.at_most_one(shape, parameter)? else { continue };
        let number =
            count(&value).ok_or_else(|| compiler.wrong(shape, parameter, &value, "a non-negative integer"))?;
        let siblings = if compiler.boolean(shape, sh::QUALIFIED_VALUE_SHAPES_DISJOINT)? == Some(true) {
            sibling_shapes(compiler.graph, shape, qualified)
        } else {
            Vec::new()
        };
        found.push(ShapeBased::Qualified(Qualified {
            shape: compiler.shape(qualified)?,
            siblings: siblings.iter().map(|sibling| compiler.shape(sibling)).collect::<Result<_, _>>()?,
            bound: bound(number),
        }));
    }
    Ok(())
}

/// The sibling shapes of 4.7.3: the qualified value shapes of the parents' properties, but for this one.
fn sibling_shapes(graph: &Graph, shape: &Term, qualified: &Term) -> Vec<Term> {
    let mut siblings = FxHashSet::default();
    let parents = graph.id(sh::PROPERTY).zip(graph.id(shape));
    for parent in parents.into_iter().flat_map(|(p, s)| graph.subjects(p, s)) {
        for property in objects(graph, graph.term(parent).as_ref(), sh::PROPERTY) {
            siblings.extend(objects(graph, property.as_ref(), sh::QUALIFIED_VALUE_SHAPE));
        }
    }
    siblings.remove(qualified);
    siblings.into_iter().collect()
}
