//! Validation reports: findings by what it costs to leave them, in the formats that people and their tools read.
//!
//! A report is a head, groups (one a rule) and a stream of findings; writers hold one finding at a time, so that a
//! report of fifty thousand takes no more memory than one of ten. The rules' own pages are drawn from their shapes.

mod baseline;
mod breaking;
mod csv;
mod document;
mod example;
mod fields;
mod format;
mod json;
mod junit;
mod patch;
mod rdf;
mod rules;
mod sarif;
mod text;

pub use baseline::Baseline;
pub use breaking::{Breaking, Compared};
pub use document::{Group, Head, Part, groups_of, ordered};
pub use example::{Example, example_of};
pub use fields::{normal_absence, spoiled_field};
pub use format::{Findings, Format, Threshold, write};
pub use patch::{Patch, Statement, mend, patch, short};
pub use rules::{Rule, Rules};
pub use text::{Colours, ReportedRun, counted, write_text};
