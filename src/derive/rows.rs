//! Running the record queries over the graphs of many records at once.

use super::assemble::assemble;
use super::record::Record;
use crate::catalog::DatasetKey;
use crate::convert::{QueryError, evaluator, parse_query};
use crate::store::{CatalogueRecord, GraphNames, Snapshot, StoreError};
use crate::triples::{Graph, GraphBuilder, GraphView};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, NamedNode, Term, Triple};
use rayon::prelude::*;
use spareval::{QueryResults, QuerySolution};
use spargebra::Query;
use std::collections::{BTreeMap, HashMap};

const QUERIES: &[(&str, &str)] = &[
    ("fields", include_str!("../../queries/record/fields.rq")),
    ("resources", include_str!("../../queries/record/resources.rq")),
    ("parts", include_str!("../../queries/record/parts.rq")),
    ("contacts", include_str!("../../queries/record/contacts.rq")),
    ("coverage", include_str!("../../queries/record/coverage.rq")),
];

/// Records derived together: planning a query costs as much as answering it for several.
const BATCH: usize = 100;

/// When the records of a source were last seen, by the source's name.
pub type Seen = HashMap<String, String>;

/// The parsed record queries.
#[derive(Debug)]
pub struct Deriver {
    queries: Vec<(&'static str, Query)>,
}

/// One value of one field, of a record or of a node of its.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) rank: i64,
    pub(super) text: String,
}

/// A record's rows: by query, then by node (empty for the record itself) and role, then by field.
pub(super) type Fields = BTreeMap<String, Vec<Value>>;
pub(super) type Nodes = BTreeMap<(String, String), Fields>;
pub(super) type Rows = BTreeMap<&'static str, Nodes>;

impl Deriver {
    /// Parses the queries.
    pub fn new() -> Result<Self, QueryError> {
        let queries = QUERIES
            .iter()
            .map(|(name, text)| Ok((*name, parse_query(name, text)?)))
            .collect::<Result<_, QueryError>>()?;
        Ok(Self { queries })
    }

    /// Derives records from a snapshot, in the order of the keys; a key without a record is left out.
    pub fn derive(
        &self,
        snapshot: &Snapshot,
        names: &GraphNames,
        keys: &[DatasetKey],
        seen: &Seen,
    ) -> Result<Vec<Record>, DeriveError> {
        let derived: Vec<Vec<Record>> = keys
            .par_chunks(BATCH)
            .map(|keys| self.derive_batch(&snapshot.store, names, keys, seen))
            .collect::<Result<_, _>>()?;
        Ok(derived.into_iter().flatten().collect())
    }

    fn derive_batch(
        &self,
        store: &Store,
        names: &GraphNames,
        keys: &[DatasetKey],
        seen: &Seen,
    ) -> Result<Vec<Record>, DeriveError> {
        // Records of two sources may describe one node, and must not be mixed.
        let mut by_source: BTreeMap<String, Vec<CatalogueRecord>> = BTreeMap::new();
        for record in keys.iter().filter_map(|key| CatalogueRecord::read(store, names, *key)) {
            by_source.entry(record.source.to_string()).or_default().push(record);
        }
        let mut derived: HashMap<DatasetKey, Record> = HashMap::new();
        for (source, records) in by_source {
            let graph = read_graphs(store, names, &records)?;
            let mut rows = self.rows(&graph)?;
            for record in records {
                let own = rows.remove(record.node.as_str()).unwrap_or_default();
                derived.insert(record.key, assemble(&record, &own, names, seen.get(&source)));
            }
        }
        Ok(keys.iter().filter_map(|key| derived.remove(key)).collect())
    }

    /// All rows of a graph, by the record's node.
    fn rows(&self, graph: &Graph) -> Result<HashMap<String, Rows>, QueryError> {
        let evaluator = evaluator();
        let mut found: HashMap<String, Rows> = HashMap::new();
        for (name, query) in &self.queries {
            let failed = |source| QueryError::Evaluation { name: (*name).to_owned(), source };
            let results = evaluator.prepare(query).execute(GraphView::of(graph)).map_err(failed)?;
            let QueryResults::Solutions(solutions) = results else { continue };
            for solution in solutions {
                let solution = solution.map_err(failed)?;
                let Some((record, node, role, field, value)) = row(&solution) else { continue };
                let nodes = found.entry(record).or_default().entry(*name).or_default();
                nodes.entry((node, role)).or_default().entry(field).or_default().push(value);
            }
        }
        Ok(found)
    }
}

/// Why records could not be derived.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn row(solution: &QuerySolution) -> Option<(String, String, String, String, Value)> {
    let text = |name: &str| solution.get(name).map(plain);
    let value = Value { rank: text("rank").and_then(|rank| rank.parse().ok()).unwrap_or(0), text: text("value")? };
    Some((
        text("record")?,
        text("node").unwrap_or_default(),
        text("role").unwrap_or_default(),
        text("field")?,
        value,
    ))
}

fn plain(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(node) => node.to_string(),
        Term::Literal(literal) => literal.value().to_owned(),
    }
}

/// The graphs of records of one source, as one graph.
fn read_graphs(store: &Store, names: &GraphNames, records: &[CatalogueRecord]) -> Result<Graph, StoreError> {
    let mut builder = GraphBuilder::new();
    let mut add = |graph: &NamedNode| -> Result<(), StoreError> {
        for quad in store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))) {
            let triple: Triple = quad?.into();
            builder.insert(&triple);
        }
        Ok(())
    };
    if let Some(first) = records.first() {
        add(&names.source(&first.source))?;
    }
    for record in records {
        add(&names.record(record.key))?;
        add(&names.normalised(record.key))?;
        add(&names.catalogue_record(record.key))?;
    }
    Ok(builder.build())
}
