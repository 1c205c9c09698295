//! From a source to a finished job: crawl, identify, compare, convert, validate, store, publish.
//!
//! Invariants: what did not change is not written; a former state is in the history before the store
//! changes; only a complete crawl makes records missing; an unusual loss is held for a person.

mod asked;
mod authority;
mod catalogue;
mod crawling;
mod desk;
mod differences;
mod ending;
mod explain;
mod findings;
mod floor;
mod following;
mod graphs;
mod hand;
mod job;
mod known;
mod loading;
mod options;
mod ours;
mod outcome;
mod profiles;
mod quality;
mod removal;
mod renames;
mod report;
mod spool;
mod state;
mod states;
mod terms;
mod turn;
mod window;
mod workplace;
mod writing;

pub use authority::{Linked, linked};
pub use differences::Difference;
pub use explain::Explained;
pub use following::Following;
pub use graphs::{finding_graph, fingerprint, quality_graph, report_triples, result_triples};
pub use hand::{Hand, HandError};
pub use job::Harvest;
pub use options::{Options, Writing};
pub use outcome::{FailedJob, HarvestError, Harvested, Progress};
pub use profiles::{
    Profile, ProfileError, Profiles, Speaks, Subject, built_in_profiles, fetch_document, is_address, rule_name,
};
pub use quality::{Assessed, KnownLinks, noted_quality, source_quality};
pub use removal::RemovalRules;
pub use report::{Examples, FindingCounts, JobReport, RecordCounts, Status};
pub use states::{Compared, compare_states};
pub use turn::Turn;
pub use workplace::{Opened, Pace, Workplace};
