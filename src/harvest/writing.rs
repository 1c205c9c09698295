//! From processed records to the store, and to the operations database once the store has them.

use super::job::Job;
use super::loading::{Load, Loading, Notes, note};
use super::ours::Ours;
use super::outcome::HarvestError;
use super::renames;
use super::report::FindingCounts;
use super::window::{Processed, left_alone};
use super::workplace::Pace;
use crate::catalog::DatasetKey;
use crate::derive::Described;
use crate::operations::{DerivedRow, FormerState, Item, ItemOutcome, RecordRow};
use crate::store::{Batch, CatalogueRecord, Change, GraphNames, StoreError, Writer};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, Quad};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// Records that would be different and are shown.
const SHOWN: usize = 1_000;

/// What the store has of a record that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Was {
    /// Nothing.
    New,
    /// Other statements.
    Statements,
    /// The same statements, gone through other rules.
    Rules,
}

/// A record as it goes into the store, with what is noted of it once it is there.
pub(super) struct Written {
    pub(super) row: RecordRow,
    pub(super) derived: Option<DerivedRow>,
    pub(super) change: Change,
    pub(super) was: Was,
}

impl Job<'_> {
    /// Deals with what changed: it goes into the store now, or when all was read.
    pub(super) fn write(&mut self, processed: Vec<Processed>) -> Result<(), HarvestError> {
        let mut written = Vec::with_capacity(processed.len());
        for record in processed {
            self.state.finding_counts.add(FindingCounts::of(&record.findings));
            self.state.drop_examples(&record.findings);
            let why = self.held_back(&record);
            // What is compared with what is stored leaves out what would not be.
            if self.desk.opened.is_none() && (why.is_none() || !self.options.keep_differences) {
                self.state.findings.extend(record.findings.iter().cloned());
            }
            if let Some(why) = why {
                self.hold_back(&record, why);
                continue;
            }
            written.push(self.written(record));
        }
        if self.desk.opened.is_none() {
            return self.show(written);
        }
        self.derive(&mut written)?;
        match self.workplace.pace() {
            Pace::AsItGoes => self.apply(written),
            Pace::AtTheEnd { .. } => {
                let folder = self.workplace.folder().root();
                self.spool.push(written, folder).map_err(|source| spool_error(folder, source))
            }
        }
    }

    /// What a dry run gives of records, where it is asked for.
    fn show(&mut self, mut written: Vec<Written>) -> Result<(), HarvestError> {
        if self.options.keep_records {
            self.derive(&mut written)?;
        }
        for one in written {
            if self.options.keep_differences
                && let Some(difference) = self.desk.difference(self.names, &one.change)?
            {
                self.state.different += 1;
                if self.state.differences.len() < SHOWN {
                    self.state.differences.push(difference);
                }
            }
            self.state.records.extend(one.derived);
        }
        Ok(())
    }

    fn written(&mut self, record: Processed) -> Written {
        let (key, hash) = (record.draft.key, record.draft.hash);
        let was = match self.desk.known.hashes.get(&key) {
            None => Was::New,
            // The same statements under new rules, or findings lost by a crash.
            Some(known) if *known == hash => Was::Rules,
            Some(_) => Was::Statements,
        };
        let remote_id = &record.draft.remote_id.value;
        let outcome = match was {
            Was::New => self.note_new(&record),
            Was::Rules => ItemOutcome::Unchanged,
            Was::Statements => ItemOutcome::Changed,
        };
        self.state.counts.count(outcome);
        self.state.items.push(Item::of(key, remote_id, outcome));
        let before = match (&self.desk.opened, was) {
            (Some(opened), Was::Rules | Was::Statements) => CatalogueRecord::read(opened.store(), self.names, key),
            _ => None,
        };
        let (row, change) = self.change(record, before.map(|before| (before, was)).as_ref());
        Written { row, derived: None, change, was }
    }

    /// Whether a record that the store lacks was there before; else it may be one that was renamed.
    fn note_new(&mut self, record: &Processed) -> ItemOutcome {
        let key = record.draft.key;
        let was_archived = self.desk.known.findings.get(&key).is_some_and(|stored| stored.archived_at.is_some());
        if was_archived {
            return ItemOutcome::Restored;
        }
        // Only where something was known before can something have been renamed.
        if !self.desk.known.hashes.is_empty() {
            let addresses = renames::addresses(record.draft.triples.iter());
            self.state.added.push((key, addresses));
            self.state.remote_ids.insert(key, record.draft.remote_id.value.clone());
        }
        ItemOutcome::Added
    }

    /// Derives the records of changes, to be kept once the store has them.
    fn derive(&mut self, written: &mut [Written]) -> Result<(), HarvestError> {
        let start = Instant::now();
        let described: Vec<Described<'_>> = written
            .iter()
            .map(|written| Described {
                about: &written.change.record,
                stated: &written.change.stated,
                normalised: &written.change.normalised,
            })
            .collect();
        let derived = self.deriver.derive_described(self.names, &self.source, &described)?;
        let mut by_key: HashMap<_, _> = derived.into_iter().map(|found| (found.0.key, found)).collect();
        for one in written {
            let Some((derived, assessment)) = by_key.remove(&one.change.key) else { continue };
            let is_judged = self.profiles.has_dcat_ap();
            let assessment = if is_judged { assessment.with_conformance(&one.row.findings) } else { assessment };
            one.row.quality = Some(serde_json::to_string(&assessment).expect("an assessment is plain values"));
            one.derived = Some(derived);
        }
        self.clock.add("derive", start.elapsed());
        Ok(())
    }

    /// Brings what waited into the store.
    pub(super) fn bring_in(&mut self) -> Result<(), HarvestError> {
        let folder = self.workplace.folder().root();
        let spool = std::mem::take(&mut self.spool);
        let mut portions = spool.into_portions().map_err(|source| spool_error(folder, source))?;
        while let Some(portion) = portions.next().map_err(|source| spool_error(folder, source))? {
            self.apply(portion)?;
        }
        self.flush()
    }

    fn apply(&mut self, written: Vec<Written>) -> Result<(), HarvestError> {
        if written.is_empty() {
            return Ok(());
        }
        self.begin_writing()?;
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        // What a person did while the job was reading stays done.
        let is_left_alone = |one: &Written| {
            let stored = self.meanwhile.get(&one.change.key);
            stored.is_some_and(|stored| left_alone(stored, one.change.record.hash).is_some())
        };
        let (names, store) = (self.names, opened.store());
        let ours = Ours::of(self.runtime, opened, names, self.options.findings_in_store);
        let written = ours.add_to(written)?;
        let is_new =
            |one: &Written| one.was == Was::New && CatalogueRecord::read(store, names, one.change.key).is_none();
        let kept: Vec<Written> = written.into_iter().filter(|one| !is_left_alone(one)).collect();
        self.state.written.extend(kept.iter().map(|one| (one.change.key, Some(one.change.record.hash))));
        let (new, replaced): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_new);
        for one in new {
            self.pending.rows.push(one.row);
            self.pending.derived.extend(one.derived);
            let Some(writer) = &mut self.writer else { continue };
            if let Some(batch) = writer.add(one.change) {
                self.load(batch)?;
            }
        }
        self.replace(replaced)
    }

    /// From here on this job alone writes, until it publishes.
    pub(super) fn begin_writing(&mut self) -> Result<(), HarvestError> {
        if self.turn.is_none()
            && let Some(opened) = &self.desk.opened
        {
            let run = format!("{}/{}", self.id, self.now);
            self.turn = Some(opened.take_turn_if(self.workplace.folder(), &run, || self.heed())?);
            if self.workplace.pace() != Pace::AsItGoes {
                let stored = opened.operations().stored_findings(&self.desk.row.slug);
                self.meanwhile = self.runtime.block_on(stored)?;
            }
        }
        Ok(())
    }

    /// Replaces what the store has of records, at once: each is as it was or as it became.
    fn replace(&mut self, written: Vec<Written>) -> Result<(), HarvestError> {
        let Some(opened) = self.desk.opened.as_ref().filter(|_| !written.is_empty()) else { return Ok(()) };
        let (mut states, mut rows, mut derived, mut changes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for one in written {
            let key = one.change.key;
            let before = CatalogueRecord::read(opened.store(), self.names, key);
            if let (Was::Statements, Some(before)) = (one.was, &before) {
                states.push(former_state(opened.store(), self.names, key, before.hash.to_string())?);
            }
            rows.push(one.row);
            derived.extend(one.derived);
            changes.push(one.change);
        }
        let operations = opened.operations();
        self.runtime.block_on(operations.keep_history(&states, &self.id, &self.now))?;
        if let Some(writer) = &mut self.writer {
            writer.replace(changes)?;
        }
        // The store has them: their rows need not wait for the end.
        self.runtime.block_on(note(operations, &rows, &derived, &self.now))?;
        Ok(())
    }

    fn change(&self, record: Processed, before: Option<&(CatalogueRecord, Was)>) -> (RecordRow, Change) {
        let Processed { draft, conversion, findings, .. } = record;
        let counts = FindingCounts::of(&findings);
        let first_seen = before.map_or(&self.now, |(before, _)| &before.first_seen).clone();
        let modified = match before {
            Some((before, Was::Rules)) => before.modified.clone(),
            Some((_, Was::Statements | Was::New)) | None => self.now.clone(),
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
            node: self.names.published(&catalogue_record.node).to_owned(),
            remote_id: draft.remote_id.value,
            hash: draft.hash.to_string(),
            violation: counts.violation,
            warning: counts.warning,
            info: counts.info,
            findings,
            quality: None,
        };
        let change = Change {
            key: draft.key,
            stated: draft.triples,
            normalised: conversion.added,
            record: catalogue_record,
            ours: Vec::new(),
        };
        (row, change)
    }

    /// Loads a batch while the crawl goes on.
    fn load(&mut self, batch: Batch) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let (rows, derived) = self.pending.take();
        let loading = self.pending.loading.get_or_insert_with(|| {
            let (operations, runtime) = (opened.operations().clone(), self.runtime.clone());
            Loading::start(opened.store().clone(), Notes { operations, runtime, now: self.now.clone() })
        });
        loading.load(Load { batch, rows, derived })
    }

    fn flush(&mut self) -> Result<(), HarvestError> {
        let start = Instant::now();
        for batch in self.writer.as_mut().map(Writer::rest).unwrap_or_default() {
            self.load(batch)?;
        }
        if let Some(loading) = self.pending.loading.take() {
            loading.end()?;
        }
        self.clock.add("store", start.elapsed());
        Ok(())
    }
}

fn spool_error(folder: &Path, source: std::io::Error) -> HarvestError {
    StoreError::File { path: folder.to_owned(), source }.into()
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
