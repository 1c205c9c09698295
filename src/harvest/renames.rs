//! Renames: a record gone and a new one in the same run that describe the same distributions.

use crate::catalog::DatasetKey;
use crate::store::GraphNames;
use crate::vocab::dcat;
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, Triple};
use std::collections::{BTreeSet, HashMap};

/// The addresses that a record's distributions lead to.
pub(super) type Addresses = BTreeSet<String>;

/// The addresses in a record's statements.
pub(super) fn addresses<'t>(triples: impl Iterator<Item = &'t Triple>) -> Addresses {
    triples
        .filter(|triple| {
            let predicate = triple.predicate.as_ref();
            predicate == dcat::DOWNLOAD_URL || predicate == dcat::ACCESS_URL
        })
        .map(|triple| triple.object.to_string())
        .collect()
}

/// The addresses of a stored record.
pub(super) fn stored_addresses(store: &Store, names: &GraphNames, key: DatasetKey) -> Addresses {
    let graph = names.record(key);
    let triples: Vec<Triple> = store
        .quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref())))
        .filter_map(Result::ok)
        .map(Triple::from)
        .collect();
    addresses(triples.iter())
}

/// Pairs gone records with new ones, where exactly one of each has the same addresses.
pub(super) fn pair(
    gone: &[(DatasetKey, Addresses)],
    new: &[(DatasetKey, Addresses)],
) -> Vec<(DatasetKey, DatasetKey)> {
    let by_addresses = |records: &[(DatasetKey, Addresses)]| {
        let mut found: HashMap<Addresses, Vec<DatasetKey>> = HashMap::new();
        for (key, addresses) in records.iter().filter(|(_, addresses)| !addresses.is_empty()) {
            found.entry(addresses.clone()).or_default().push(*key);
        }
        found
    };
    let new = by_addresses(new);
    let mut pairs: Vec<(DatasetKey, DatasetKey)> = by_addresses(gone)
        .into_iter()
        .filter_map(|(addresses, gone)| match (gone.as_slice(), new.get(&addresses)?.as_slice()) {
            ([gone], [new]) => Some((*gone, *new)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable();
    pairs
}
