//! What the store holds of a source before a job.

use crate::catalog::{DatasetKey, GraphHash, SourceId};
use crate::operations::StoredFindings;
use crate::store::{CatalogueRecord, GraphNames};
use crate::vocab::moisson;
use oxigraph::store::Store;
use oxrdf::{NamedOrBlankNode, Term};
use std::collections::{HashMap, HashSet};

/// The records known of a source, by key.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The hashes in the store, which is the truth.
    pub(super) hashes: HashMap<DatasetKey, GraphHash>,
    /// What the operations database says, which can be behind.
    pub(super) findings: HashMap<DatasetKey, StoredFindings>,
    /// Keys by identifiers that were changed.
    pub(super) renamed: HashMap<String, DatasetKey>,
    /// Whether mapping or rules changed since, so that unchanged records are gone through again.
    pub(super) rules_changed: bool,
}

impl Known {
    /// Reads the hashes of a source's records.
    pub(super) fn hashes(store: &Store, names: &GraphNames, source: &SourceId) -> HashMap<DatasetKey, GraphHash> {
        let keys: HashSet<DatasetKey> = CatalogueRecord::keys(store, names, Some(source)).into_iter().collect();
        if keys.is_empty() {
            return HashMap::new();
        }
        store
            .quads_for_pattern(None, Some(moisson::HASH), None, None)
            .filter_map(Result::ok)
            .filter_map(|quad| {
                let NamedOrBlankNode::NamedNode(node) = &quad.subject else { return None };
                let Term::Literal(hash) = &quad.object else { return None };
                let key = names.key(node.as_str()).filter(|key| keys.contains(key))?;
                Some((key, GraphHash::parse(hash.value())?))
            })
            .collect()
    }

    /// Whether a record is as it was, and what was found in it is known.
    pub(super) fn is_unchanged(&self, key: DatasetKey, hash: GraphHash) -> bool {
        let stored = self.findings.get(&key);
        !self.rules_changed
            && self.hashes.get(&key) == Some(&hash)
            && stored.is_some_and(|stored| stored.hash == hash.to_string() && stored.archived_at.is_none())
    }
}
