//! How the SPARQL endpoint is bounded, and which old states of the catalogue it knows.

use super::service::Fault;
use serde::Deserialize;
use url::Url;

/// The bounds of public queries: `[service.queries]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queries {
    /// From its arrival to its answer, a query may take so many seconds. Default 30.
    pub seconds: u64,
    /// The memory of a worker process, in megabytes. Default 512.
    pub memory_mb: u64,
    /// Rows, or statements, of an answer. Default 1000000.
    pub rows: u64,
    /// The length of an answer, in megabytes. Default 64.
    pub bytes_mb: u64,
    /// Worker processes, and so queries at once; one client has half of them at most. Default: two for each processor,
    /// four at least.
    pub workers: usize,
    /// Queries that may wait for a worker; those of one client may be a quarter of them. Default 256.
    pub waiting: usize,
    /// SPARQL services that queries may call by SERVICE. Default none.
    pub services: Vec<Url>,
}

impl Default for Queries {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            seconds: 30,
            memory_mb: 512,
            rows: 1_000_000,
            bytes_mb: 64,
            workers: (2 * processors).max(4),
            waiting: 256,
            services: Vec::new(),
        }
    }
}

/// The states of the catalogue that stay: `[service.snapshots]`. Each costs what changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Snapshots {
    /// How many behind the newest. Default 2.
    pub behind: usize,
    /// The last one of each day, for so many days. Default 7.
    pub days: i64,
    /// Minutes for which a state stays that somebody pages through. Default 30.
    pub paging_minutes: u64,
    /// While several jobs run, seconds from one new state to the next, in which what ends is published together;
    /// 0 publishes each job at once. Default 2.
    pub together_seconds: u64,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { behind: 2, days: 7, paging_minutes: 30, together_seconds: 2 }
    }
}

impl Queries {
    pub(super) fn check(&self) -> Result<(), Fault> {
        let bounds: [(&'static str, u64, std::ops::RangeInclusive<u64>, &'static str); 6] = [
            ("service.queries.seconds", self.seconds, 1..=3_600, "a number between 1 and 3600"),
            ("service.queries.memory_mb", self.memory_mb, 64..=1 << 20, "at least 64"),
            ("service.queries.rows", self.rows, 1..=u64::MAX, "at least 1"),
            ("service.queries.bytes_mb", self.bytes_mb, 1..=1 << 20, "at least 1"),
            ("service.queries.workers", self.workers as u64, 2..=256, "a number between 2 and 256"),
            ("service.queries.waiting", self.waiting as u64, 1..=100_000, "a number between 1 and 100000"),
        ];
        for (setting, value, range, expected) in bounds {
            if !range.contains(&value) {
                return Err((setting, value.to_string(), expected));
            }
        }
        match self.services.iter().find(|service| !matches!(service.scheme(), "http" | "https")) {
            Some(service) => Err(("service.queries.services", service.to_string(), "an http or https address")),
            None => Ok(()),
        }
    }
}

impl Snapshots {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if !(0..=3_660).contains(&self.days) {
            return Err(("service.snapshots.days", self.days.to_string(), "a number between 0 and 3660"));
        }
        if self.together_seconds > 600 {
            let value = self.together_seconds.to_string();
            return Err(("service.snapshots.together_seconds", value, "a number between 0 and 600"));
        }
        Ok(())
    }
}
