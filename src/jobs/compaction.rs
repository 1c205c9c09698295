//! Compaction: what many harvests wrote lies in many files, and is read several times faster once they are merged.

use super::service::Service;
use crate::harvest::HarvestError;
use crate::store::{GraphNames, StoreError};

/// The fact that says how many files there were after the last compaction.
const FILES: &str = "files after compaction";

impl Service {
    /// Merges the store's files when nothing runs and they became twice as many since the last time. Writers wait
    /// meanwhile, readers do not; the merged files are published as a state like others.
    ///
    /// # Errors
    /// When the store cannot be written; what was begun is then undone.
    pub(super) fn compact_if_due(&self) -> Result<(), HarvestError> {
        let (runner, runtime) = (&self.runner, &self.runner.runtime);
        let folder = runner.workplace.folder();
        let files = folder.table_files()?;
        let few = runner.config.service.compact_above;
        if few == 0 || files <= few || !self.is_idle() {
            return Ok(());
        }
        let last = runtime.block_on(self.operations.fact(FILES))?.and_then(|text| text.parse().ok()).unwrap_or(0);
        if files < 2 * last {
            return Ok(());
        }
        let opened = runner.workplace.open(runtime)?;
        let turn = opened.take_turn(folder, &format!("compaction-{}", uuid::Uuid::now_v7()))?;
        opened.store().optimize().map_err(StoreError::from)?;
        turn.publish(&GraphNames::new(&runner.config.base), runtime)?;
        let left = folder.table_files()?;
        tracing::info!(files, left, "the store was compacted");
        Ok(runtime.block_on(self.operations.note_fact(FILES, &left.to_string()))?)
    }
}
