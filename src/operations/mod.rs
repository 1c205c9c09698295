//! Operations data in SQLite, beside the triples: sources, jobs, items, findings, history, tokens, messages.
//!
//! The triples are the truth about records; what stands here can be behind or ahead of them after a crash,
//! and the next harvest sets it right. A former state is written here before the store changes. No secret
//! stands here but as a hash.

mod changes;
mod database;
mod derived;
mod finding_rows;
mod findings;
mod held;
mod history;
mod items;
mod jobs;
mod outbox;
mod quality;
mod records;
mod sources;
mod tokens;
mod twins;

pub use changes::{CHANGES_OF_PAGE, Change, ChangeKind, ChangePage, Difference, GoneRecord};
pub use database::{Operations, OperationsError};
pub use derived::DerivedRow;
pub use finding_rows::RecordFindings;
pub use findings::{FindingChanges, FindingFilter, FindingGroup, NumberedFinding, RuleCount};
pub use history::{FormerState, Rename, Version};
pub use items::{Item, ItemMessage, ItemOutcome};
pub use jobs::{Cause, JobRow, JobState};
pub use outbox::OutboxRow;
pub use quality::{LinkRow, QualityRow};
pub use records::{KnownRecord, RecordRow, StoredFindings};
pub use sources::{SourceRow, Validation, ValidationState};
pub use tokens::{Role, TokenRow};
pub use twins::Twin;
