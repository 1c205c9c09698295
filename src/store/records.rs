//! What catalogue records say, of many at once: a query of `queries/store/` goes through an index, and only what it
//! names is looked up in the store's texts.

use super::graphs::{CatalogueRecord, GraphNames};
use crate::catalog::{DatasetKey, GraphHash, SourceId};
use crate::vocab::{foaf, moisson};
use oxigraph::sparql::{PreparedSparqlQuery, QueryResults, SparqlEvaluator};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, NamedNode, NamedNodeRef, Term, Variable};
use spareval::QuerySolution;
use std::collections::{HashMap, HashSet};

/// Fewer records than this are looked up one after the other, instead of going through those of all sources.
const LOOKED_UP: usize = 5_000;

/// A property of catalogue records, and the query for what all of them say by it.
struct Property {
    name: NamedNodeRef<'static>,
    query: &'static str,
}

const HASH: Property = Property { name: moisson::HASH, query: include_str!("../../queries/store/hashes.rq") };
const NODE: Property = Property { name: foaf::PRIMARY_TOPIC, query: include_str!("../../queries/store/nodes.rq") };

impl CatalogueRecord {
    /// The keys of a source's records, or of all records, in the order of their identifiers.
    #[must_use]
    pub fn keys(store: &Store, names: &GraphNames, source: Option<&SourceId>) -> Vec<DatasetKey> {
        let query = match source {
            Some(source) => prepare(include_str!("../../queries/store/keys.rq"))
                .substitute_variable(Variable::new_unchecked("source"), names.source(source)),
            None => prepare(include_str!("../../queries/store/all-keys.rq")),
        };
        let mut keys = Vec::new();
        each_row(query, store, |row| keys.extend(key_of(names, row)));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The hashes of a source's records, by key.
    #[must_use]
    pub fn hashes(store: &Store, names: &GraphNames, source: &SourceId) -> HashMap<DatasetKey, GraphHash> {
        let keys = Self::keys(store, names, Some(source)).into_iter().collect();
        values(store, names, &keys, &HASH, |value| match value {
            Term::Literal(hash) => GraphHash::parse(hash.value()),
            Term::NamedNode(_) | Term::BlankNode(_) => None,
        })
    }

    /// The nodes that records describe, by key.
    #[must_use]
    pub fn nodes(store: &Store, names: &GraphNames, keys: &HashSet<DatasetKey>) -> HashMap<DatasetKey, NamedNode> {
        values(store, names, keys, &NODE, |value| match value {
            Term::NamedNode(node) => Some(node.clone()),
            Term::BlankNode(_) | Term::Literal(_) => None,
        })
    }
}

/// What catalogue records say by a property, as far as it can be read.
fn values<V>(
    store: &Store,
    names: &GraphNames,
    keys: &HashSet<DatasetKey>,
    property: &Property,
    read: impl Fn(&Term) -> Option<V>,
) -> HashMap<DatasetKey, V> {
    if keys.len() < LOOKED_UP {
        // One after the other: a store of many sources is not gone through for one of them.
        let value = |key: &DatasetKey| {
            let about = names.catalogue_record(*key);
            let (subject, graph) = (about.as_ref().into(), GraphNameRef::from(about.as_ref()));
            let found = store.quads_for_pattern(Some(subject), Some(property.name), None, Some(graph)).next()?;
            Some((*key, read(&found.ok()?.object)?))
        };
        return keys.iter().filter_map(value).collect();
    }
    let mut values = HashMap::with_capacity(keys.len());
    each_row(prepare(property.query), store, |row| {
        let key = key_of(names, row).filter(|key| keys.contains(key));
        values.extend(key.zip(row.get("value").and_then(&read)));
    });
    values
}

fn prepare(query: &str) -> PreparedSparqlQuery {
    SparqlEvaluator::new().parse_query(query).expect("a query of the program parses")
}

/// Gives the solutions of a query as long as the store can read them.
fn each_row(query: PreparedSparqlQuery, store: &Store, mut give: impl FnMut(&QuerySolution)) {
    if let Ok(QueryResults::Solutions(rows)) = query.on_store(store).execute() {
        rows.filter_map(Result::ok).for_each(|row| give(&row));
    }
}

fn key_of(names: &GraphNames, row: &QuerySolution) -> Option<DatasetKey> {
    match row.get("record")? {
        Term::NamedNode(record) => names.key(record.as_str()),
        Term::BlankNode(_) | Term::Literal(_) => None,
    }
}
