//! Running the record queries over the graphs of many records at once.

use super::assemble::assemble;
use super::quality::{Assessment, Fulfilled};
use super::record::Record;
use crate::catalog::{DatasetKey, GraphHash};
use crate::convert::{QueryError, parse_query, plain, record_evaluator};
use crate::operations::DerivedRow;
use crate::store::{CatalogueRecord, GraphNames, Snapshot, SourceGraph, StoreError};
use crate::triples::{Graph, GraphBuilder, GraphView, independent_batches};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, Triple};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use spareval::{QueryResults, QuerySolution};
use spargebra::Query;
use std::collections::{BTreeMap, HashMap};
use zstd::bulk::Compressor;

const QUERIES: &[(&str, &str)] = &[
    ("fields", include_str!("../../queries/record/fields.rq")),
    ("resources", include_str!("../../queries/record/resources.rq")),
    ("parts", include_str!("../../queries/record/parts.rq")),
    ("contacts", include_str!("../../queries/record/contacts.rq")),
    ("coverage", include_str!("../../queries/record/coverage.rq")),
];

/// The texts of the queries that make records.
pub fn queries_of_records() -> impl Iterator<Item = &'static str> {
    QUERIES.iter().map(|(_, text)| *text)
}

/// Records derived together: planning a query costs as much as answering it for several.
const BATCH: usize = 250;

/// When the records of a source were last seen, by the source's name.
pub type Seen = HashMap<String, String>;

/// Records that were derived before.
pub type Kept = HashMap<DatasetKey, DerivedRow>;

/// The parsed record queries.
#[derive(Debug)]
pub struct Deriver {
    queries: Vec<(&'static str, Query)>,
    quality: Query,
    languages: Vec<String>,
    fingerprint: String,
}

/// A record's graphs, as a harvest has them before they are stored.
#[derive(Debug, Clone, Copy)]
pub struct Described<'d> {
    /// Its catalogue record.
    pub about: &'d CatalogueRecord,
    /// The source's statements.
    pub stated: &'d [Triple],
    /// What conversion read into them.
    pub normalised: &'d [Triple],
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
    /// Parses the queries. Texts are shown in the first of these languages that there is.
    pub fn new(languages: &[String]) -> Result<Self, QueryError> {
        let queries = QUERIES
            .iter()
            .map(|(name, text)| Ok((*name, parse_query(name, text)?)))
            .collect::<Result<_, QueryError>>()?;
        let texts: Vec<&str> = QUERIES.iter().map(|(_, text)| *text).collect();
        let rules = format!("{}\n{}\n{}", env!("CARGO_PKG_VERSION"), languages.join(" "), texts.concat());
        let quality = parse_query("mqa", include_str!("../../queries/quality/mqa.rq"))?;
        Ok(Self {
            queries,
            quality,
            languages: languages.to_vec(),
            fingerprint: GraphHash::of(&rules).to_string(),
        })
    }

    /// Derives records from a snapshot, in the order of the keys; a key without a record is left out.
    /// A kept record is given as it is when what it was derived from is the same.
    pub fn derive(
        &self,
        snapshot: &Snapshot,
        names: &GraphNames,
        keys: &[DatasetKey],
        seen: &Seen,
        kept: &Kept,
    ) -> Result<Vec<Record>, DeriveError> {
        let derived: Vec<Vec<Record>> = keys
            .par_chunks(BATCH)
            .map(|keys| self.derive_batch(&snapshot.store, names, keys, seen, kept))
            .collect::<Result<_, _>>()?;
        Ok(derived.into_iter().flatten().collect())
    }

    fn derive_batch(
        &self,
        store: &Store,
        names: &GraphNames,
        keys: &[DatasetKey],
        seen: &Seen,
        kept: &Kept,
    ) -> Result<Vec<Record>, DeriveError> {
        // Records of two sources may describe one node, and must not be mixed.
        let mut by_source: BTreeMap<String, Vec<CatalogueRecord>> = BTreeMap::new();
        for record in keys.iter().filter_map(|key| CatalogueRecord::read(store, names, *key)) {
            by_source.entry(record.source.to_string()).or_default().push(record);
        }
        let mut derived: HashMap<DatasetKey, Record> = HashMap::new();
        for (slug, records) in by_source {
            let source = records.first().and_then(|record| SourceGraph::read(store, names, &record.source));
            let known = |about: &CatalogueRecord| {
                let row = kept.get(&about.key)?;
                (row.state == self.state(names, about, source.as_ref()?)).then(|| unpack(&row.record))?
            };
            let (known, fresh): (Vec<_>, Vec<_>) =
                records.into_iter().map(|about| (known(&about), about)).partition(|(known, _)| known.is_some());
            let mut found: Vec<(CatalogueRecord, Record)> =
                known.into_iter().filter_map(|(record, about)| Some((about, record?))).collect();
            let fresh: Vec<CatalogueRecord> = fresh.into_iter().map(|(_, about)| about).collect();
            let languages = source.as_ref().map_or(&[][..], |source| &source.languages);
            for batch in read_batches(store, names, fresh)? {
                let mut builder = GraphBuilder::new();
                source
                    .iter()
                    .flat_map(|source| source.to_quads(names))
                    .for_each(|quad| builder.insert(&Triple::from(quad)));
                batch.iter().flat_map(|(_, triples)| triples).for_each(|triple| builder.insert(triple));
                let abouts = batch.iter().map(|(about, _)| about.clone()).collect();
                found.extend(self.records(names, abouts, &builder.build(), languages)?);
            }
            for (about, mut record) in found {
                record.harvest.last_seen = last_seen(&about, seen.get(&slug));
                derived.insert(about.key, record);
            }
        }
        Ok(keys.iter().filter_map(|key| derived.remove(key)).collect())
    }

    /// Derives records of one source that are about to be stored, to be kept, and assesses their quality.
    pub fn derive_described(
        &self,
        names: &GraphNames,
        source: &SourceGraph,
        described: &[Described<'_>],
    ) -> Result<Vec<(DerivedRow, Assessment)>, QueryError> {
        let batches = independent_batches(described.to_vec(), BATCH, |record, note| {
            record.stated.iter().chain(record.normalised).for_each(note);
        });
        let derived: Vec<Vec<(DerivedRow, Assessment)>> = batches
            .into_par_iter()
            .map(|batch| {
                let mut builder = GraphBuilder::new();
                source.to_quads(names).into_iter().for_each(|quad| builder.insert(&Triple::from(quad)));
                for record in &batch {
                    record.about.to_quads(names).into_iter().for_each(|quad| builder.insert(&Triple::from(quad)));
                    record.stated.iter().chain(record.normalised).for_each(|triple| builder.insert(triple));
                }
                let abouts = batch.iter().map(|record| record.about.clone()).collect();
                let graph = builder.build();
                let records = self.records(names, abouts, &graph, &source.languages)?;
                let mut fulfilled = self.fulfilled(&graph)?;
                let mut compressor = Compressor::new(1).expect("a level that zstd has");
                let rows = records.into_iter().map(|(about, record)| {
                    let fulfilled = fulfilled.remove(about.node.as_str()).unwrap_or_default();
                    let state = self.state(names, &about, source);
                    let row = DerivedRow { key: about.key, state, record: pack(&mut compressor, &record) };
                    (row, fulfilled.assess())
                });
                Ok(rows.collect())
            })
            .collect::<Result<_, QueryError>>()?;
        Ok(derived.into_iter().flatten().collect())
    }

    /// What records fulfil, by their nodes.
    fn fulfilled(&self, graph: &Graph) -> Result<FxHashMap<String, Fulfilled>, QueryError> {
        let evaluator = record_evaluator(self.languages.clone());
        let failed = |source| QueryError::Evaluation { name: "mqa".to_owned(), source };
        let results = evaluator.prepare(&self.quality).execute(GraphView::of(graph)).map_err(failed)?;
        let mut found: FxHashMap<String, Fulfilled> = FxHashMap::default();
        let QueryResults::Solutions(solutions) = results else { return Ok(found) };
        for solution in solutions {
            let solution = solution.map_err(failed)?;
            let text = |name: &str| solution.get(name).map(plain);
            if let (Some(record), Some(indicator)) = (text("record"), text("indicator")) {
                found.entry(record).or_default().add(&indicator, text("part"), text("value"));
            }
        }
        Ok(found)
    }

    /// What a record is derived from: its graphs by their hash and mapping, its source, the queries.
    fn state(&self, names: &GraphNames, about: &CatalogueRecord, source: &SourceGraph) -> String {
        let mut lines: Vec<String> =
            about.to_quads(names).iter().chain(&source.to_quads(names)).map(ToString::to_string).collect();
        lines.sort();
        GraphHash::of(&format!("{}\n{}", self.fingerprint, lines.concat())).to_string()
    }

    fn records(
        &self,
        names: &GraphNames,
        abouts: Vec<CatalogueRecord>,
        graph: &Graph,
        languages: &[String],
    ) -> Result<Vec<(CatalogueRecord, Record)>, QueryError> {
        let mut rows = self.rows(graph, languages)?;
        let with_rows = abouts.into_iter().map(|about| {
            let own = rows.remove(about.node.as_str()).unwrap_or_default();
            let record = assemble(&about, &own, names);
            (about, record)
        });
        Ok(with_rows.collect())
    }

    /// All rows of a graph, by the record's node.
    fn rows(&self, graph: &Graph, languages: &[String]) -> Result<FxHashMap<String, Rows>, QueryError> {
        let evaluator = record_evaluator(self.languages.iter().chain(languages).cloned().collect());
        let mut found: FxHashMap<String, Rows> = FxHashMap::default();
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

/// When a record was last at its source.
fn last_seen(about: &CatalogueRecord, seen: Option<&String>) -> Option<String> {
    about.missing_since.clone().or_else(|| seen.cloned()).or_else(|| Some(about.modified.clone()))
}

fn pack(compressor: &mut Compressor<'_>, record: &Record) -> Vec<u8> {
    let json = serde_json::to_vec(record).expect("a record is plain values");
    compressor.compress(&json).expect("writing to memory")
}

/// A kept record; one that cannot be read is derived again.
fn unpack(bytes: &[u8]) -> Option<Record> {
    serde_json::from_slice(&zstd::decode_all(bytes).ok()?).ok()
}

/// The title of a kept record, without the rest of it.
#[must_use]
pub fn kept_title(row: &DerivedRow) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Titled {
        title: Option<String>,
    }
    let titled: Titled = serde_json::from_slice(&zstd::decode_all(&row.record[..]).ok()?).ok()?;
    titled.title
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

/// Records of one source with their graphs, in batches that do not mix.
fn read_batches(
    store: &Store,
    names: &GraphNames,
    records: Vec<CatalogueRecord>,
) -> Result<Vec<Vec<(CatalogueRecord, Vec<Triple>)>>, StoreError> {
    let with_graphs = records.into_iter().map(|record| {
        let graphs = [names.record(record.key), names.normalised(record.key), names.catalogue_record(record.key)];
        let quads = graphs
            .iter()
            .flat_map(|graph| store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))));
        let triples: Vec<Triple> = quads.map(|quad| quad.map(Triple::from)).collect::<Result<_, _>>()?;
        Ok((record, triples))
    });
    let with_graphs: Vec<(CatalogueRecord, Vec<Triple>)> = with_graphs.collect::<Result<_, StoreError>>()?;
    Ok(independent_batches(with_graphs, BATCH, |(_, triples), note| triples.iter().for_each(note)))
}
