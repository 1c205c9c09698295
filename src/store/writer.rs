//! Writing: new graphs by the bulk loader, changed ones by their difference in a transaction.

use super::error::StoreError;
use super::graphs::{CatalogueRecord, GraphNames};
use super::loader::{Batch, LOAD_AT_MOST, LOAD_FIRST, LOAD_FROM, TOGETHER};
use crate::catalog::{DatasetKey, GraphHash};
use crate::convert::canonical_hash;
use crate::vocab::{dct, moisson, xsd};
use oxigraph::store::{StorageError, Store, Transaction};
use oxrdf::{GraphName, GraphNameRef, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashSet;

/// A record's new state.
#[derive(Debug)]
pub struct Change {
    /// The key.
    pub key: DatasetKey,
    /// The source's statements.
    pub stated: Vec<Triple>,
    /// What conversion read into them.
    pub normalised: Vec<Triple>,
    /// The catalogue record.
    pub record: CatalogueRecord,
    /// What we say of it: its findings, its quality.
    pub ours: Vec<Quad>,
}

/// Writes the changes of one job.
pub struct Writer<'s> {
    store: &'s Store,
    names: &'s GraphNames,
    waiting: Vec<Quad>,
    /// Batches that it gave.
    given: usize,
}

impl<'s> Writer<'s> {
    /// Writes to a store.
    #[must_use]
    pub fn new(store: &'s Store, names: &'s GraphNames) -> Self {
        Self { store, names, waiting: Vec::new(), given: 0 }
    }

    /// Adds a record that the store does not have; it waits for others, and is in the store once the
    /// batch that holds it is loaded. Returns a batch when there is enough for one.
    pub fn add(&mut self, change: Change) -> Option<Batch> {
        if self.waiting.capacity() == 0 {
            // Growing step by step would copy it again and again.
            self.waiting.reserve(LOAD_AT_MOST);
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        self.add_quads(change, &mut waiting);
        self.waiting = waiting;
        let enough = if self.given == 0 { LOAD_FIRST } else { LOAD_FROM };
        if self.waiting.len() < enough { None } else { self.batch() }
    }

    /// The last batch, of what still waits: in two parts, since nothing else is done any more, as long as the store has
    /// room for another file.
    pub fn rest(&mut self) -> Vec<Batch> {
        let has_room = self.given < TOGETHER;
        match self.batch() {
            Some(batch) if has_room => batch.parted(),
            batch => batch.into_iter().collect(),
        }
    }

    fn batch(&mut self) -> Option<Batch> {
        let quads = std::mem::take(&mut self.waiting);
        self.given += 1;
        (!quads.is_empty()).then_some(Batch { quads })
    }

    /// Replaces records, each by its difference, in one transaction.
    pub fn replace(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut transaction = self.store.start_transaction()?;
        for change in changes {
            let key = change.key;
            let after = self.quads(change).into_iter().collect();
            write_difference(&mut transaction, &self.stored(key)?, &after);
        }
        transaction.commit()?;
        Ok(())
    }

    /// Gives a record a former state back, or the state that it had when it was archived.
    pub fn put_back(&mut self, key: DatasetKey, state: &[Quad]) -> Result<(), StoreError> {
        let mut transaction = self.store.start_transaction()?;
        write_difference(&mut transaction, &self.stored(key)?, &state.iter().cloned().collect());
        transaction.commit()?;
        Ok(())
    }

    /// Removes a record's graphs: it is archived, and its last state is in the history.
    pub fn remove(&mut self, keys: &[DatasetKey]) -> Result<(), StoreError> {
        let mut transaction = self.store.start_transaction()?;
        for key in keys {
            for quad in self.stored(*key)? {
                transaction.remove(&quad);
            }
            for graph in self.graphs(*key) {
                transaction.remove_named_graph(&graph)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Moves records that were added under a new key to the key they had before, first and new key in
    /// each pair; what stood under the first is replaced. Returns the hashes under the former keys.
    pub fn rename(&mut self, pairs: &[(DatasetKey, DatasetKey)]) -> Result<Vec<GraphHash>, StoreError> {
        let mut transaction = self.store.start_transaction()?;
        let mut hashes = Vec::new();
        for (former, new) in pairs {
            let before = CatalogueRecord::read(self.store, self.names, *former);
            for quad in self.stored(*former)? {
                transaction.remove(&quad);
            }
            let mut moved = Vec::new();
            for quad in self.stored(*new)? {
                transaction.remove(&quad);
                moved.push(rekey(&quad, *new, *former));
            }
            for graph in self.graphs(*new) {
                transaction.remove_named_graph(&graph)?;
            }
            let hash = self.stated_hash(&moved, *former);
            let record = self.names.catalogue_record(*former);
            for quad in moved {
                let is_ours = quad.graph_name == record.clone().into();
                let object = match (quad.predicate.as_ref(), &before) {
                    (moisson::HASH, _) if is_ours => Literal::new_simple_literal(hash.to_string()).into(),
                    (dct::ISSUED, Some(before)) if is_ours => {
                        Literal::new_typed_literal(before.first_seen.as_str(), xsd::DATE_TIME).into()
                    }
                    _ => quad.object.clone(),
                };
                transaction.insert(&Quad { object, ..quad });
            }
            hashes.push(hash);
        }
        transaction.commit()?;
        Ok(hashes)
    }

    fn stated_hash(&self, quads: &[Quad], key: DatasetKey) -> GraphHash {
        let graph = GraphName::from(self.names.record(key));
        let stated = quads.iter().filter(|quad| quad.graph_name == graph).cloned().map(Triple::from);
        canonical_hash(stated.collect())
    }

    /// Replaces one graph that Moisson itself writes.
    pub fn replace_graph(&mut self, graph: &NamedNode, quads: &[Quad]) -> Result<(), StoreError> {
        let mut transaction = self.store.start_transaction()?;
        let before = graph_quads(self.store, graph)?.into_iter().collect();
        write_difference(&mut transaction, &before, &quads.iter().cloned().collect());
        transaction.commit()?;
        Ok(())
    }

    fn quads(&self, change: Change) -> Vec<Quad> {
        let mut quads = Vec::new();
        self.add_quads(change, &mut quads);
        quads
    }

    fn add_quads(&self, change: Change, quads: &mut Vec<Quad>) {
        let stated = self.names.record(change.key);
        let normalised = self.names.normalised(change.key);
        quads.extend(change.record.to_quads(self.names));
        quads.extend(change.ours);
        quads.extend(change.stated.into_iter().map(|triple| triple.in_graph(stated.clone())));
        quads.extend(change.normalised.into_iter().map(|triple| triple.in_graph(normalised.clone())));
    }

    fn graphs(&self, key: DatasetKey) -> [NamedNode; 5] {
        let names = self.names;
        [
            names.record(key),
            names.normalised(key),
            names.catalogue_record(key),
            names.findings(key),
            names.quality(key),
        ]
    }

    fn stored(&self, key: DatasetKey) -> Result<FxHashSet<Quad>, StorageError> {
        let mut quads = FxHashSet::default();
        for graph in self.graphs(key) {
            quads.extend(graph_quads(self.store, &graph)?);
        }
        Ok(quads)
    }
}

/// Writes what differs between two states, and nothing else.
fn write_difference(transaction: &mut Transaction<'_>, before: &FxHashSet<Quad>, after: &FxHashSet<Quad>) {
    for quad in before.difference(after) {
        transaction.remove(quad);
    }
    for quad in after.difference(before) {
        transaction.insert(quad);
    }
}

/// A quad with a key replaced in the IRIs that hold it.
fn rekey(quad: &Quad, from: DatasetKey, to: DatasetKey) -> Quad {
    let (from, to) = (from.to_string(), to.to_string());
    let iri = |node: &NamedNode| NamedNode::new_unchecked(node.as_str().replace(&from, &to));
    let mut quad = quad.clone();
    if let NamedOrBlankNode::NamedNode(node) = &quad.subject {
        quad.subject = iri(node).into();
    }
    if let GraphName::NamedNode(node) = &quad.graph_name {
        quad.graph_name = iri(node).into();
    }
    quad.object = match &quad.object {
        Term::NamedNode(node) => iri(node).into(),
        Term::Literal(literal) if literal.value() == from => Literal::new_simple_literal(to).into(),
        other => other.clone(),
    };
    quad
}

/// The quads of a graph.
///
/// # Errors
/// When the store fails.
pub fn graph_quads(store: &Store, graph: &NamedNode) -> Result<Vec<Quad>, StorageError> {
    store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))).collect()
}
