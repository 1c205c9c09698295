//! Findings that are known: a former report, against which only new ones count.

use crate::catalog::{Finding, ItemError};
use crate::harvest::fingerprint;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// The findings of a former report.
#[derive(Debug, Default)]
pub struct Baseline {
    known: HashMap<String, usize>,
    errors: HashSet<Option<String>>,
}

#[derive(Deserialize)]
struct FormerReport {
    report: FormerJob,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct FormerJob {
    errors: Vec<ItemError>,
}

impl Baseline {
    /// Reads a report in JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let report: FormerReport = serde_json::from_str(text)?;
        let errors = report.report.errors.into_iter().map(|error| error.record).collect();
        let mut known: HashMap<String, usize> = HashMap::new();
        for finding in &report.findings {
            *known.entry(fingerprint(finding)).or_default() += 1;
        }
        Ok(Self { known, errors })
    }

    /// Whether a record is known not to go in.
    #[must_use]
    pub fn has_error(&self, error: &ItemError) -> bool {
        self.errors.contains(&error.record)
    }

    /// Which of some findings are known, whatever lines they stand on now; of two that say the same both must be.
    #[must_use]
    pub fn knows(&self, findings: &[Finding]) -> Vec<bool> {
        let mut left = self.known.clone();
        let is_known = |finding: &Finding| match left.get_mut(&fingerprint(finding)) {
            Some(count @ 1..) => {
                *count -= 1;
                true
            }
            Some(0) | None => false,
        };
        findings.iter().map(is_known).collect()
    }
}
