//! The places that a job reads and writes.

use super::job::{Harvest, HarvestError, Options, Writing};
use super::known::Known;
use crate::catalog::SourceId;
use crate::fetch::Validators;
use crate::operations::{Operations, SourceRow};
use crate::source::Target;
use crate::store::{Folder, GraphNames};
use oxigraph::store::Store;

/// The places that a job writes to; without a store in a dry run.
pub(super) struct Desk {
    pub(super) store: Option<Store>,
    pub(super) operations: Option<Operations>,
    pub(super) row: SourceRow,
    pub(super) known: Known,
}

impl Desk {
    pub(super) fn open(
        harvest: &Harvest<'_>,
        target: &Target,
        options: &Options,
        names: &GraphNames,
        rules: &str,
    ) -> Result<Self, HarvestError> {
        let url = target.url().to_string();
        let name = options.source.clone().unwrap_or_else(|| SourceId::of_address(&url));
        if options.writing == Writing::DryRun {
            return Ok(Self::dry(harvest.folder, url, name, names));
        }
        let store = harvest.folder.open()?;
        let operations = harvest.runtime.block_on(Operations::open(&harvest.folder.operations()))?;
        let now = options.now.to_string();
        let row = harvest.runtime.block_on(operations.source(&url, "dcat", &name, &now))?;
        let known = Known {
            hashes: Known::hashes(&store, names, &row.slug),
            findings: harvest.runtime.block_on(operations.stored_findings(&row.slug))?,
            renamed: harvest.runtime.block_on(operations.renamed(&row.slug))?,
            rules_changed: row.fingerprint.as_deref().is_some_and(|stored| stored != rules),
        };
        Ok(Self { store: Some(store), operations: Some(operations), row, known })
    }

    /// A dry run compares with the newest snapshot, if there is one.
    fn dry(folder: &Folder, url: String, name: SourceId, names: &GraphNames) -> Self {
        let hashes = folder.snapshot().map(|snapshot| Known::hashes(&snapshot.store, names, &name));
        let row = SourceRow {
            slug: name,
            url,
            kind: "dcat".to_owned(),
            last_complete_at: None,
            validators: Validators::default(),
            fingerprint: None,
        };
        let known = Known { hashes: hashes.unwrap_or_default(), ..Known::default() };
        Self { store: None, operations: None, row, known }
    }
}
