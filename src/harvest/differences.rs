//! What a record would be, beside what is published of it.

use super::desk::Desk;
use super::outcome::HarvestError;
use crate::store::{Change, GraphNames, StoreError};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, NamedNode, Triple};
use serde::Serialize;
use std::collections::BTreeSet;

/// A record that would be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The record's key.
    pub key: String,
    /// What the platform calls it.
    pub remote_id: String,
    /// Statements that would go, as N-Triples.
    pub removed: Vec<String>,
    /// Statements that would come, as N-Triples.
    pub added: Vec<String>,
}

impl Desk {
    /// What a change would make different, if anything.
    pub(super) fn difference(
        &self,
        names: &GraphNames,
        change: &Change,
    ) -> Result<Option<Difference>, HarvestError> {
        let mut before = BTreeSet::new();
        if let Some(snapshot) = &self.published {
            for graph in [names.record(change.key), names.normalised(change.key)] {
                before.extend(lines(&snapshot.store, &graph)?);
            }
        }
        let after: BTreeSet<String> =
            change.stated.iter().chain(&change.normalised).map(|triple| format!("{triple} .")).collect();
        let only =
            |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
        let (removed, added) = (only(&before, &after), only(&after, &before));
        Ok((!removed.is_empty() || !added.is_empty()).then(|| Difference {
            key: change.key.to_string(),
            remote_id: change.record.remote_id.clone(),
            removed,
            added,
        }))
    }
}

/// The statements of a graph, as N-Triples.
fn lines(store: &Store, graph: &NamedNode) -> Result<Vec<String>, StoreError> {
    let quads = store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref())));
    quads.map(|quad| Ok(format!("{} .", Triple::from(quad?)))).collect()
}
