//! What the store holds of a source before a job.

use crate::catalog::{DatasetKey, GraphHash};
use crate::convert::Renames;
use crate::operations::StoredFindings;
use std::collections::HashMap;

/// The records known of a source, by key.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The hashes in the store, which is the truth.
    pub(super) hashes: HashMap<DatasetKey, GraphHash>,
    /// What the operations database says, which can be behind.
    pub(super) findings: HashMap<DatasetKey, StoredFindings>,
    /// Identifiers that were changed.
    pub(super) renames: Renames,
    /// Whether mapping or rules changed since, so that unchanged records are gone through again.
    pub(super) rules_changed: bool,
}

impl Known {
    /// Whether a record is as it was, and what was found in it is known.
    pub(super) fn is_unchanged(&self, key: DatasetKey, hash: GraphHash) -> bool {
        let stored = self.findings.get(&key);
        !self.rules_changed
            && self.hashes.get(&key) == Some(&hash)
            && stored.is_some_and(|stored| stored.hash == hash.to_string() && stored.archived_at.is_none())
    }
}
