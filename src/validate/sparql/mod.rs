//! SHACL-SPARQL: constraints (chapter 5) and constraint components (chapter 6), through spareval.

mod component;
mod constraint;
mod deadline;
mod query;

pub(super) use component::{CustomComponent, CustomConstraint};
pub(super) use constraint::SparqlConstraint;
