//! The SHACL engine: a shapes graph compiled once to a [`Plan`], evaluated over any graph.
//!
//! Follows the W3C Recommendation of 2017-07-20, whose chapters are its modules: shapes and targets
//! (2), validation and reports (3), core constraint components (4), SPARQL-based constraints (5) and
//! components (6). It knows nothing of harvests, and of catalogues only that they come in windows.
//!
//! Invariant: a [`Plan`] is immutable and shared between threads; all that an evaluation learns is in
//! its own session.

mod by_dataset;
mod components;
mod documents;
mod error;
mod evaluation;
mod explain;
mod literal;
mod message;
mod path;
mod plan;
mod reading;
mod report;
mod session;
mod sparql;
mod targets;

pub use by_dataset::ByDataset;
pub use components::Constraint;
pub use documents::{DocumentError, Documents, FetchImport, Fetched, Role};
pub use error::ShapesError;
pub use evaluation::Details;
pub use explain::Tally;
pub use literal::{compare, is_well_formed};
pub use path::Path;
pub use plan::{ConstantId, Constants, Plan, Shape, ShapeId, ShapesWarning};
pub use report::{Failure, FailureReason, Report, ReportWriter, ValidationResult, path_text};
pub use session::Data;
pub use sparql::Budget;
pub use targets::Target;
