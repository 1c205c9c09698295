//! What a job is asked to do.

use super::following::Following;
use super::removal::RemovalRules;
use crate::catalog::{Severity, SourceId, SourceKind};
use crate::config::Policy;
use crate::convert::CustomMapping;
use crate::fetch::{Secret, Stop, Tape};
use crate::source::{CatalogueSettings, CrawlLimits, Filters};
use jiff::Timestamp;

/// What a job is asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// A name for the source; else one is made of its address.
    pub source: Option<SourceId>,
    /// The address that the source had when the job was taken: where a person changed it since, the job ends.
    pub registered_url: Option<String>,
    /// Its kind; else the one it is known by, else what its address tells.
    pub kind: Option<SourceKind>,
    /// What it adds to the mapping of its kind.
    pub mapping: CustomMapping,
    /// Which of its records are wanted.
    pub filters: Filters,
    /// How it is followed.
    pub following: Following,
    /// A key to its interface.
    pub token: Option<Secret>,
    /// What is asked of a catalogue service.
    pub catalogue: CatalogueSettings,
    /// The most records to take.
    pub max_records: Option<u64>,
    /// Whether to write anything.
    pub writing: Writing,
    /// The base of the platform's own IRIs.
    pub base: String,
    /// The languages in which records are shown, the best one first.
    pub languages: Vec<String>,
    /// The bounds of the crawl.
    pub limits: CrawlLimits,
    /// The rules of removal.
    pub removal: RemovalRules,
    /// From which severity on findings are in the store, beside the operations database that has all.
    pub findings_in_store: Severity,
    /// Which records are published.
    pub policy: Policy,
    /// The time of the job.
    pub now: Timestamp,
    /// The job, where it was queued; else it is a new one, or the one of the source that was interrupted.
    pub job: Option<String>,
    /// How old the pages of an interrupted job may be, in hours, to go on from them.
    pub resume_hours: i64,
    /// The pages of a job that is run again, instead of asking the source.
    pub replay: Option<Tape>,
    /// What that job asked for: only what changed since then.
    pub changed_since: Option<jiff::civil::DateTime>,
    /// Whether a dry run gives the records as they would be.
    pub keep_records: bool,
    /// Whether a dry run gives what would be different from what is published.
    pub keep_differences: bool,
    /// A word that ends the job.
    pub stop: Stop,
}

/// Whether a job writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It stores what it harvests.
    Stored,
    /// It only reports what it would do.
    DryRun,
}
