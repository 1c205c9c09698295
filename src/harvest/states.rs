//! Two states of a record, beside one another.

use super::outcome::HarvestError;
use crate::catalog::DatasetKey;
use crate::operations::Operations;
use crate::store::{CatalogueRecord, GraphNames, StoreError};
use oxigraph::store::Store;
use oxrdf::GraphNameRef;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The statements by which two states differ; the graph of each is named, as N-Quads do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The hash of the first state.
    pub from: String,
    /// The hash of the second state.
    pub to: String,
    /// What the second lacks.
    pub removed: Vec<String>,
    /// What the first lacks.
    pub added: Vec<String>,
}

/// Compares two states of a record, each named by the start of its hash: by default the one before the present
/// one with the present one. `None` where there are no such states.
///
/// # Errors
/// When the store or the operations database fails.
pub async fn compare_states(
    operations: &Operations,
    store: &Store,
    names: &GraphNames,
    key: DatasetKey,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Compared>, HarvestError> {
    let present = CatalogueRecord::read(store, names, key).map(|record| record.hash.to_string());
    let versions = operations.versions(key).await?;
    let named = |prefix: &str| {
        present
            .iter()
            .chain(versions.iter().map(|version| &version.hash))
            .find(|hash| hash.starts_with(prefix))
            .cloned()
    };
    let former =
        versions.iter().map(|version| &version.hash).find(|hash| Some(*hash) != present.as_ref()).cloned();
    let from = from.map_or(former, named);
    let to = match to {
        Some(prefix) => named(prefix),
        // What was archived is compared as it was last.
        None => present.clone().or_else(|| versions.first().map(|version| version.hash.clone())),
    };
    let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
    let state = async |hash: &str| -> Result<BTreeSet<String>, HarvestError> {
        let text = if present.as_deref() == Some(hash) {
            stored(store, names, key)?
        } else {
            operations.state_of(key, hash).await?.unwrap_or_default()
        };
        Ok(text.lines().map(ToOwned::to_owned).collect())
    };
    let (before, after) = (state(&from).await?, state(&to).await?);
    Ok(Some(Compared {
        removed: before.difference(&after).cloned().collect(),
        added: after.difference(&before).cloned().collect(),
        from,
        to,
    }))
}

/// What the store has of a record, as N-Quads.
fn stored(store: &Store, names: &GraphNames, key: DatasetKey) -> Result<String, StoreError> {
    let mut lines = String::new();
    for graph in [names.record(key), names.normalised(key), names.catalogue_record(key)] {
        for quad in store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))) {
            let quad = quad?;
            let _ = writeln!(lines, "{quad} .");
        }
    }
    Ok(lines)
}
