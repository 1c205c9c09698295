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
        // As the store would have it, which writes numbers in one way.
        let stored = Store::new().map_err(StoreError::from)?;
        let graph = names.record(change.key);
        for triple in change.stated.iter().chain(&change.normalised) {
            stored.insert(&triple.clone().in_graph(graph.clone())).map_err(StoreError::from)?;
        }
        let after: BTreeSet<String> = lines(&stored, &graph)?.into_iter().collect();
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
