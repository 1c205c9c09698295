//! Operations data in SQLite, beside the triples: sources, jobs, records' findings, history.
//!
//! The triples are the truth about records; what stands here can be behind them after a crash, and the
//! next harvest sets it right. A former state is written here before the store changes.

mod database;
mod derived;
mod sources;

pub use derived::DerivedRow;
pub use sources::{JobRow, SourceRow};

pub use database::{FormerState, Operations, OperationsError, RecordRow, Rename, StoredFindings};
