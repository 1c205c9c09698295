//! What the service counts, in the text format of Prometheus.

use crate::harvest::JobReport;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Sums since the start of the process.
#[derive(Debug, Default)]
pub struct Metrics {
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    /// Jobs that ended, by their state.
    jobs: BTreeMap<&'static str, u64>,
    /// Records by outcome.
    records: BTreeMap<&'static str, u64>,
    /// Seconds by phase.
    phases: BTreeMap<&'static str, f64>,
    /// Seconds of jobs, and how many.
    seconds: f64,
    ended: u64,
}

/// A value that is measured when it is asked for.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// Its name, without the program's.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// A label and its value, where there are several.
    pub label: Option<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

impl Metrics {
    /// Counts a job that ended.
    pub fn count(&self, report: &JobReport) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        *sums.jobs.entry(report.status.as_str()).or_default() += 1;
        for (outcome, number) in report.records.by_name() {
            *sums.records.entry(outcome).or_default() += number;
        }
        for (phase, seconds) in &report.phases {
            *sums.phases.entry(phase).or_default() += seconds;
        }
        sums.seconds += report.seconds;
        sums.ended += 1;
    }

    /// The sums, and what was measured now.
    #[must_use]
    pub fn text(&self, gauges: &[Gauge]) -> String {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = Page::default();
        page.family("jobs_total", "counter", "Jobs that ended since the start.");
        for (state, number) in &sums.jobs {
            page.line("jobs_total", Some(("state", state)), *number as f64);
        }
        page.family("records_total", "counter", "Records of jobs that ended, by what became of them.");
        for (outcome, number) in &sums.records {
            page.line("records_total", Some(("outcome", outcome)), *number as f64);
        }
        page.family("phase_seconds_total", "counter", "Time of jobs by phase.");
        for (phase, seconds) in &sums.phases {
            page.line("phase_seconds_total", Some(("phase", phase)), *seconds);
        }
        page.family("job_seconds", "summary", "Time of whole jobs.");
        page.line("job_seconds_sum", None, sums.seconds);
        page.line("job_seconds_count", None, sums.ended as f64);
        let mut last = "";
        for gauge in gauges {
            if gauge.name != last {
                page.family(gauge.name, "gauge", gauge.help);
                last = gauge.name;
            }
            page.line(gauge.name, gauge.label.as_ref().map(|(name, value)| (*name, value.as_str())), gauge.value);
        }
        page.text
    }
}

/// A page of metrics.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP moisson_{name} {help}\n# TYPE moisson_{name} {kind}");
    }

    fn line(&mut self, name: &str, label: Option<(&str, &str)>, value: f64) {
        let label = label.map_or(String::new(), |(name, value)| {
            format!("{{{name}=\"{}\"}}", value.replace(['"', '\\', '\n'], "_"))
        });
        let _ = writeln!(self.text, "moisson_{name}{label} {value}");
    }
}
