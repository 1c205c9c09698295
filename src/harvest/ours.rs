//! What we say of records that are about to be stored, added to their changes.

use super::graphs::finding_graph;
use super::outcome::HarvestError;
use super::quality::KnownLinks;
use super::workplace::Opened;
use super::writing::Written;
use crate::catalog::Severity;
use crate::derive::Assessment;
use crate::store::GraphNames;
use tokio::runtime::Handle;

/// What it takes to say something of records.
pub(super) struct Ours<'o> {
    runtime: &'o Handle,
    opened: &'o Opened,
    names: &'o GraphNames,
    /// The least severity that the store has.
    least: Severity,
}

impl<'o> Ours<'o> {
    pub(super) fn of(runtime: &'o Handle, opened: &'o Opened, names: &'o GraphNames, least: Severity) -> Self {
        Self { runtime, opened, names, least }
    }

    /// Adds findings and quality to changes, with what is known of their addresses.
    pub(super) fn add_to(&self, mut written: Vec<Written>) -> Result<Vec<Written>, HarvestError> {
        let assessments: Vec<Option<Assessment>> = written
            .iter()
            .map(|one| one.row.quality.as_deref().and_then(|text| serde_json::from_str(text).ok()))
            .collect();
        let known = KnownLinks::of(self.opened.operations(), assessments.iter().flatten());
        let links = self.runtime.block_on(known)?;
        for (one, assessment) in written.iter_mut().zip(assessments) {
            let (key, record) = (one.change.key, self.names.catalogue_record(one.change.key));
            one.change.ours = finding_graph(&self.names.findings(key), &record, &one.row.findings, self.least);
            if let Some(assessment) = assessment {
                let graph = self.names.quality(key);
                one.change.ours.extend(links.quality(&graph, &one.change.record.node, &assessment));
            }
        }
        Ok(written)
    }
}
