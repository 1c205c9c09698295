//! From a source to a finished job: crawl, identify, compare, convert, validate, store, publish.
//!
//! Invariants: what did not change is not written; a former state is in the history before the store
//! changes; only a complete crawl makes records missing; an unusual loss is held for a person.

mod crawling;
mod desk;
mod ending;
mod explain;
mod floor;
mod following;
mod job;
mod known;
mod profiles;
mod removal;
mod renames;
mod report;
mod spool;
mod state;
mod window;
mod workplace;
mod writing;

pub use explain::Explained;
pub use following::Following;
pub use job::{FailedJob, Harvest, HarvestError, Options, Progress, Writing};
pub use profiles::{Profile, ProfileError, Profiles};
pub use removal::RemovalRules;
pub use report::{FindingCounts, JobReport, RecordCounts, Status};
pub use workplace::{Opened, Pace, Turn, Workplace};
