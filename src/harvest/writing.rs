//! From processed records to the store, and to the operations database once the store has them.

use super::job::{HarvestError, Job};
use super::renames;
use super::report::FindingCounts;
use super::window::Processed;
use crate::catalog::DatasetKey;
use crate::derive::Described;
use crate::operations::{DerivedRow, FormerState, Operations, OperationsError, RecordRow};
use crate::store::{Batch, CatalogueRecord, Change, GraphNames, StoreError, Writer};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, Quad};
use std::thread::JoinHandle;
use std::time::Instant;

/// Why a stored record is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    /// Its statements changed.
    Statements,
    /// Mapping or rules changed.
    Rules,
}

impl Job<'_> {
    /// Writes what changed; rows for the operations database wait until the store has it.
    pub(super) fn write(&mut self, processed: Vec<Processed>) -> Result<(), HarvestError> {
        let (mut added, mut replaced) = (Vec::new(), Vec::new());
        for record in processed {
            self.state.finding_counts.add(FindingCounts::of(&record.findings));
            if self.desk.operations.is_none() {
                self.state.findings.extend(record.findings.iter().cloned());
            }
            let key = record.draft.key;
            match self.desk.known.hashes.get(&key) {
                None => added.push(self.added(record)),
                Some(hash) if *hash == record.draft.hash => {
                    // The same statements under new rules, or findings lost by a crash.
                    self.state.counts.unchanged += 1;
                    replaced.push((record, Replaced::Rules));
                }
                Some(_) => {
                    self.state.counts.changed += 1;
                    replaced.push((record, Replaced::Statements));
                }
            }
        }
        self.add(added)?;
        self.replace(replaced)
    }

    fn added(&mut self, record: Processed) -> (RecordRow, Change) {
        let was_archived =
            self.desk.known.findings.get(&record.draft.key).is_some_and(|stored| stored.archived_at.is_some());
        if was_archived {
            self.state.counts.restored += 1;
        } else {
            self.state.counts.added += 1;
            // Only where something was known before can something have been renamed.
            if !self.desk.known.hashes.is_empty() {
                let addresses = renames::addresses(record.draft.triples.iter());
                self.state.added.push((record.draft.key, addresses));
                self.state.remote_ids.insert(record.draft.key, record.draft.remote_id.value.clone());
            }
        }
        self.change(record, None)
    }

    fn add(&mut self, added: Vec<(RecordRow, Change)>) -> Result<(), HarvestError> {
        let derived = self.derive(added.iter().map(|(_, change)| change))?;
        self.pending.derived.extend(derived);
        for (row, change) in added {
            self.pending.rows.push(row);
            let Some(writer) = &mut self.writer else { continue };
            self.state.wrote = true;
            if let Some(batch) = writer.add(change) {
                self.load(batch)?;
            }
        }
        Ok(())
    }

    /// Derives the records of changes, to be kept once the store has them.
    fn derive<'c>(&mut self, changes: impl Iterator<Item = &'c Change>) -> Result<Vec<DerivedRow>, HarvestError> {
        if self.writer.is_none() {
            return Ok(Vec::new());
        }
        let start = Instant::now();
        let described: Vec<Described<'_>> = changes
            .map(|change| Described {
                about: &change.record,
                stated: &change.stated,
                normalised: &change.normalised,
            })
            .collect();
        let derived = self.deriver.derive_described(self.names, &self.source, &described)?;
        self.clock.add("derive", start.elapsed());
        Ok(derived)
    }

    /// Replaces what the store has of records, at once: each is as it was or as it became.
    fn replace(&mut self, records: Vec<(Processed, Replaced)>) -> Result<(), HarvestError> {
        if records.is_empty() {
            return Ok(());
        }
        self.wait_for_load()?;
        let Some(store) = &self.desk.store else { return Ok(()) };
        let (mut states, mut rows, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (record, replaced) in records {
            let key = record.draft.key;
            let before = CatalogueRecord::read(store, self.names, key);
            if let (Replaced::Statements, Some(before)) = (replaced, &before) {
                states.push(former_state(store, self.names, key, before.hash.to_string())?);
            }
            let (row, change) = self.change(record, before.map(|before| (before, replaced)).as_ref());
            rows.push(row);
            changes.push(change);
        }
        let derived = self.derive(changes.iter())?;
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(operations.keep_history(&states, &self.id, &self.now))?;
        }
        if let Some(writer) = &mut self.writer {
            writer.replace(changes)?;
            self.state.wrote = true;
        }
        // The store has them: their rows need not wait for the end.
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(note(operations, &rows, &derived))?;
        }
        Ok(())
    }

    fn change(&self, record: Processed, before: Option<&(CatalogueRecord, Replaced)>) -> (RecordRow, Change) {
        let Processed { draft, conversion, findings, .. } = record;
        let counts = FindingCounts::of(&findings);
        let first_seen = before.map_or(&self.now, |(before, _)| &before.first_seen).clone();
        let modified = match before {
            Some((before, Replaced::Rules)) => before.modified.clone(),
            Some((_, Replaced::Statements)) | None => self.now.clone(),
        };
        let catalogue_record = CatalogueRecord {
            key: draft.key,
            node: draft.node,
            kind: draft.kind,
            source: self.desk.row.slug.clone(),
            remote_id: draft.remote_id.value.clone(),
            hash: draft.hash,
            mapping: self.mapping.clone(),
            first_seen,
            modified,
            missing_since: None,
        };
        let row = RecordRow {
            key: draft.key.to_string(),
            source: self.desk.row.slug.to_string(),
            remote_id: draft.remote_id.value,
            hash: draft.hash.to_string(),
            violation: counts.violation,
            warning: counts.warning,
            info: counts.info,
            findings,
        };
        let change = Change {
            key: draft.key,
            stated: draft.triples,
            normalised: conversion.added,
            record: catalogue_record,
        };
        (row, change)
    }

    /// Loads a batch while the crawl goes on; one batch at a time, so that memory stays bounded. Its rows
    /// are noted once the store has it.
    fn load(&mut self, batch: Batch) -> Result<(), HarvestError> {
        self.wait_for_load()?;
        let (rows, derived) = self.pending.take();
        let (operations, runtime) = (self.desk.operations.clone(), self.runtime.clone());
        self.pending.load = Some(std::thread::spawn(move || {
            batch.load()?;
            if let Some(operations) = operations {
                runtime.block_on(note(&operations, &rows, &derived))?;
            }
            Ok(())
        }));
        Ok(())
    }

    fn wait_for_load(&mut self) -> Result<(), HarvestError> {
        match self.pending.load.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), HarvestError> {
        let start = Instant::now();
        if let Some(batch) = self.writer.as_mut().and_then(Writer::rest) {
            self.load(batch)?;
        }
        self.wait_for_load()?;
        self.note_pending()?;
        self.clock.add("store", start.elapsed());
        Ok(())
    }

    /// Notes findings of records that are in the store now.
    fn note_pending(&mut self) -> Result<(), HarvestError> {
        let (rows, derived) = self.pending.take();
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(note(operations, &rows, &derived))?;
        }
        Ok(())
    }
}

async fn note(operations: &Operations, rows: &[RecordRow], derived: &[DerivedRow]) -> Result<(), OperationsError> {
    operations.write_records(rows).await?;
    operations.keep_derived(derived).await
}

/// A record's stored statements, as canonical N-Quads.
pub(super) fn former_state(
    store: &Store,
    names: &GraphNames,
    key: DatasetKey,
    hash: String,
) -> Result<FormerState, StoreError> {
    let mut lines = Vec::new();
    for graph in [names.record(key), names.normalised(key), names.catalogue_record(key)] {
        for quad in store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))) {
            let quad: Quad = quad?;
            lines.push(format!("{quad} .\n"));
        }
    }
    lines.sort();
    Ok(FormerState { key, hash, quads: lines.concat() })
}
