//! SHACL-SPARQL: constraints (chapter 5) and constraint components (chapter 6), through spareval.

mod budget;
mod component;
mod constraint;
mod deadline;
mod ordering;
mod prebinding;
mod query;

pub use budget::Budget;
pub(super) use budget::QueryId;
pub(super) use component::{CustomComponent, CustomConstraint};
pub(super) use constraint::SparqlConstraint;
