//! The service: sources with their workflow, a queue, a schedule, workers, and what people are told.
//!
//! Invariants: one job a source at a time; a job's state is in the database, and none that says "running"
//! outlives its process; what people are told waits in the outbox until it is sent.

mod backup;
mod clock;
mod compaction;
mod ends;
mod links;
mod metrics;
mod notices;
mod outbox;
mod preview;
mod replay;
mod runner;
mod schedule;
mod service;
mod settings;
mod sources;
mod tokens;

pub use backup::{BackupError, backup, restore};
pub use links::LinkState;
pub use metrics::Metrics;
pub use notices::{Event, Notice, Notices};
pub use preview::{Preview, preview};
pub use replay::{Replayed, RuleDifference, replay};
pub use runner::{RunError, Runner};
pub use schedule::{ScheduleError, next_time};
pub use service::Service;
pub use settings::{SettingsError, apply, default_options, filters, least_severity, profiles_at_hand};
pub use sources::{Actor, Sources, WorkflowError};
pub use tokens::{TokenError, Tokens};
