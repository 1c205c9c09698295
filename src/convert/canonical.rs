//! The canonical form of statements without blank nodes (RDFC-1.0 needs no more than an order for them).

use crate::catalog::GraphHash;
use oxrdf::Triple;

/// The canonical hash of triples without blank nodes.
#[must_use]
pub fn canonical_hash(triples: Vec<Triple>) -> GraphHash {
    in_canonical_order(triples).1
}

/// Triples without blank nodes in the order of their canonical N-Triples, each once, and the hash of these.
pub(super) fn in_canonical_order(triples: Vec<Triple>) -> (Vec<Triple>, GraphHash) {
    let mut lines: Vec<(String, Triple)> =
        triples.into_iter().map(|triple| (format!("{triple} .\n"), triple)).collect();
    lines.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    lines.dedup_by(|one, other| one.0 == other.0);
    let text: String = lines.iter().map(|(line, _)| line.as_str()).collect();
    (lines.into_iter().map(|(_, triple)| triple).collect(), GraphHash::of(&text))
}
