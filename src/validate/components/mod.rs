//! The constraint components of SHACL Core (chapter 4), one file a section, and the SPARQL ones.

mod cardinality;
mod logical;
mod other;
mod property_pair;
mod shape_based;
mod string;
mod value_range;
mod value_type;

use super::error::ShapesError;
use super::evaluation::{Focus, Results};
use super::plan::{Compiler, ShapeForm, ShapeId};
use super::sparql::{CustomConstraint, SparqlConstraint};
use oxrdf::{NamedNodeRef, Term};

/// One constraint of a shape.
#[derive(Debug)]
pub enum Constraint {
    /// 4.1 Value type
    ValueType(value_type::ValueType),
    /// 4.2 Cardinality
    Cardinality(cardinality::Cardinality),
    /// 4.3 Value range
    ValueRange(value_range::ValueRange),
    /// 4.4 String-based
    String(string::StringBased),
    /// 4.5 Property pair
    PropertyPair(property_pair::PropertyPair),
    /// 4.6 Logical
    Logical(logical::Logical),
    /// 4.7 Shape-based
    ShapeBased(shape_based::ShapeBased),
    /// 4.8 Other
    Other(other::Other),
    /// 5 SPARQL-based constraints
    Sparql(SparqlConstraint),
    /// 6 SPARQL-based constraint components
    Custom(CustomConstraint),
}

impl Constraint {
    /// Checks one focus node and its value nodes.
    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        match self {
            Self::ValueType(constraint) => constraint.check(focus, results),
            Self::Cardinality(constraint) => constraint.check(focus, results),
            Self::ValueRange(constraint) => constraint.check(focus, results),
            Self::String(constraint) => constraint.check(focus, results),
            Self::PropertyPair(constraint) => constraint.check(focus, results),
            Self::Logical(constraint) => constraint.check(focus, results),
            Self::ShapeBased(constraint) => constraint.check(focus, results),
            Self::Other(constraint) => constraint.check(focus, results),
            Self::Sparql(constraint) => constraint.check(focus, results),
            Self::Custom(constraint) => constraint.check(focus, results),
        }
    }

    /// The component's IRI.
    #[must_use]
    pub fn component(&self) -> NamedNodeRef<'_> {
        match self {
            Self::ValueType(constraint) => constraint.component(),
            Self::Cardinality(constraint) => constraint.component(),
            Self::ValueRange(constraint) => constraint.component(),
            Self::String(constraint) => constraint.component(),
            Self::PropertyPair(constraint) => constraint.component(),
            Self::Logical(constraint) => constraint.component(),
            Self::ShapeBased(constraint) => constraint.component(),
            Self::Other(constraint) => constraint.component(),
            Self::Sparql(constraint) => constraint.component(),
            Self::Custom(constraint) => constraint.component(),
        }
    }

    /// The shapes that the constraint refers to.
    pub(super) fn shapes(&self) -> Vec<ShapeId> {
        match self {
            Self::Logical(constraint) => constraint.shapes(),
            Self::ShapeBased(constraint) => constraint.shapes(),
            Self::ValueType(_)
            | Self::Cardinality(_)
            | Self::ValueRange(_)
            | Self::String(_)
            | Self::PropertyPair(_)
            | Self::Other(_)
            | Self::Sparql(_)
            | Self::Custom(_) => Vec::new(),
        }
    }
}

/// Reads all constraints of a shape, in the order of the specification.
pub(super) fn read(
    compiler: &mut Compiler<'_>,
    shape: &Term,
    form: ShapeForm,
) -> Result<Vec<Constraint>, ShapesError> {
    let mut constraints = Vec::new();
    constraints.extend(value_type::read(compiler, shape)?.into_iter().map(Constraint::ValueType));
    constraints.extend(cardinality::read(compiler, shape)?.into_iter().map(Constraint::Cardinality));
    constraints.extend(value_range::read(compiler, shape)?.into_iter().map(Constraint::ValueRange));
    constraints.extend(string::read(compiler, shape)?.into_iter().map(Constraint::String));
    constraints.extend(property_pair::read(compiler, shape)?.into_iter().map(Constraint::PropertyPair));
    constraints.extend(logical::read(compiler, shape)?.into_iter().map(Constraint::Logical));
    constraints.extend(shape_based::read(compiler, shape)?.into_iter().map(Constraint::ShapeBased));
    constraints.extend(other::read(compiler, shape)?.into_iter().map(Constraint::Other));
    constraints.extend(SparqlConstraint::read(compiler, shape)?.into_iter().map(Constraint::Sparql));
    let custom = CustomConstraint::read(compiler, shape, form)?;
    constraints.extend(custom.into_iter().map(Constraint::Custom));
    Ok(constraints)
}

/// Fails when a parameter of property shapes stands on a node shape.
fn needs_path(compiler: &Compiler<'_>, shape: &Term, parameter: NamedNodeRef<'_>) -> Result<(), ShapesError> {
    if compiler.graph.object_of(shape.as_ref(), crate::vocab::sh::PATH).is_some() {
        return Ok(());
    }
    Err(ShapesError::NeedsPath { shape: shape.clone(), parameter: parameter.to_string() })
}
