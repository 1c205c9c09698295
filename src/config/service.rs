//! How the service runs: its jobs, how it treats hosts, whom it tells.

use super::queries::{Queries, Snapshots};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How jobs are run: `[service]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Sources harvested at once. Default 4.
    pub workers: usize,
    /// The longest that a job may take, in hours. Default 24.
    pub job_hours: u64,
    /// The longest that one page may take, in seconds. Default 1800.
    pub page_seconds: u64,
    /// How old the pages of an interrupted job may be, in hours, for another run to go on from them. Default 6.
    pub resume_hours: i64,
    /// Jobs of a source whose pages are kept. Default 3.
    pub keep_pages: usize,
    /// Days that a job and its report are kept. Default 365.
    pub keep_jobs_days: i64,
    /// The schedule of a source that is accepted without one. Default `@daily`.
    pub schedule: String,
    /// Requests of one address a minute that the API takes; 0 takes all. Default 600.
    pub requests_a_minute: u32,
    /// From which severity on findings can be queried by SPARQL: `violation`, `warning` or `info`. Reports have all.
    /// Each finding takes about eight statements. Default `violation`.
    pub findings_in_store: LeastSeverity,
    /// Days after which the addresses of records are asked again whether they answer; 0 asks on request alone.
    /// Default 0.
    pub check_links_days: i64,
    /// Table files of the store above which they are merged when nothing runs; 0 never merges them. Merged files are read
    /// several times faster, and cost their size once more while older states are kept. Default 40.
    pub compact_above: usize,
    /// Whether a proxy stands before the server: clients are then those that it names last in `X-Forwarded-For`.
    /// Default no.
    pub behind_proxy: bool,
    /// The bounds of public queries.
    pub queries: Queries,
    /// The states of the catalogue that stay.
    pub snapshots: Snapshots,
}

/// From which severity on something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeastSeverity {
    /// For violations alone.
    #[default]
    Violation,
    /// For warnings, too.
    Warning,
    /// For all.
    Info,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            workers: 4,
            job_hours: 24,
            page_seconds: 1_800,
            resume_hours: 6,
            keep_pages: 3,
            keep_jobs_days: 365,
            schedule: "@daily".to_owned(),
            requests_a_minute: 600,
            findings_in_store: LeastSeverity::default(),
            check_links_days: 0,
            compact_above: 40,
            behind_proxy: false,
            queries: Queries::default(),
            snapshots: Snapshots::default(),
        }
    }
}

/// A setting, its value, and what it should be.
pub(super) type Fault = (&'static str, String, &'static str);

impl Service {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if !(1..=64).contains(&self.workers) {
            return Err(("service.workers", self.workers.to_string(), "a number between 1 and 64"));
        }
        if !(1..=240).contains(&self.job_hours) {
            return Err(("service.job_hours", self.job_hours.to_string(), "a number between 1 and 240"));
        }
        if !(1..=86_400).contains(&self.page_seconds) {
            return Err(("service.page_seconds", self.page_seconds.to_string(), "a number between 1 and 86400"));
        }
        self.queries.check()?;
        self.snapshots.check()
    }
}

/// How a host is spared, by all sources together: `[manners]`, and `[manners.hosts.NAME]` for one of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manners {
    /// Requests to one host at once. Default 2.
    pub concurrency: usize,
    /// Milliseconds between the starts of two requests to one host. Default 0.
    pub delay_ms: u64,
    /// Whether the crawl delay of a host's `robots.txt` is kept. Default yes.
    pub robots: bool,
    /// Hours of the day in which a host is left alone, in UTC, such as `08:00-18:00`.
    pub quiet_hours: Option<String>,
    /// What is otherwise for one host.
    pub hosts: BTreeMap<String, HostManners>,
}

/// What is otherwise for one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostManners {
    /// Requests at once.
    pub concurrency: Option<usize>,
    /// Milliseconds between the starts of two requests.
    pub delay_ms: Option<u64>,
    /// Hours of the day in which it is left alone, in UTC.
    pub quiet_hours: Option<String>,
}

impl Default for Manners {
    fn default() -> Self {
        Self { concurrency: 2, delay_ms: 0, robots: true, quiet_hours: None, hosts: BTreeMap::new() }
    }
}

impl Manners {
    /// The minutes of the day between which a host is left alone.
    #[must_use]
    pub fn quiet_minutes(text: &str) -> Option<(u32, u32)> {
        let minute = |time: &str| {
            let (hours, minutes) = time.trim().split_once(':')?;
            let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        let (from, to) = text.split_once('-')?;
        Some((minute(from)?, minute(to)?))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.concurrency == 0 || self.hosts.values().any(|host| host.concurrency == Some(0)) {
            return Err(("manners.concurrency", "0".to_owned(), "at least 1"));
        }
        let hours =
            self.quiet_hours.iter().chain(self.hosts.values().filter_map(|host| host.quiet_hours.as_ref()));
        for text in hours {
            if Self::quiet_minutes(text).is_none() {
                return Err(("manners.quiet_hours", text.clone(), "two times of day such as 08:00-18:00"));
            }
        }
        Ok(())
    }
}

/// Who hears of what happens to sources: `[notify]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// Addresses that are told by HTTP.
    pub webhooks: Vec<Webhook>,
    /// People who are told by e-mail.
    pub mail: Option<Mail>,
}

/// An address that is told by HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address.
    pub url: url::Url,
    /// The environment variable that holds the secret with which messages are signed.
    pub secret_env: Option<String>,
}

/// A mail server, and who is written to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server: `smtps://user@host:465`, `smtp://host:587` (with STARTTLS), or `smtp://127.0.0.1:25` for a
    /// server on the same machine, which is spoken to without encryption.
    pub server: url::Url,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// The file that holds it.
    pub password_file: Option<PathBuf>,
    /// The sender.
    pub from: String,
    /// The administrators who are written to.
    pub to: Vec<String>,
}
