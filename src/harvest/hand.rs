//! What people do to records by hand: archive, restore, undo, detach; confirm or refuse a removal.
//!
//! Each is published before it is noted, as a job is.

use super::ending::archive;
use super::graphs::finding_graph;
use super::outcome::HarvestError;
use super::quality::KnownLinks;
use super::workplace::{Opened, Workplace};
use super::writing::former_state;
use crate::catalog::{DatasetKey, Severity, SourceId};
use crate::derive::Assessment;
use crate::operations::Operations;
use crate::store::{CatalogueRecord, GraphNames, StoreError, Writer};
use jiff::Timestamp;
use oxrdf::Quad;
use oxrdfio::{RdfFormat, RdfParser};
use std::sync::Arc;
use tokio::runtime::Handle;

/// A hand on the records of a store.
pub struct Hand<'h> {
    /// The store and the operations database.
    pub workplace: &'h Workplace,
    /// The runtime for the operations database.
    pub runtime: Handle,
    /// The names of graphs.
    pub names: GraphNames,
    /// The time at which it is done.
    pub now: Timestamp,
    /// From which severity on findings are in the store.
    pub findings_in_store: Severity,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// No record has the key.
    #[error("no record has the key {0}")]
    Unknown(DatasetKey),
    /// It is archived already, or not archived.
    #[error("{0}")]
    State(String),
    /// The store or the operations database failed.
    #[error(transparent)]
    Harvest(#[from] HarvestError),
}

impl From<crate::operations::OperationsError> for HandError {
    fn from(error: crate::operations::OperationsError) -> Self {
        Self::Harvest(error.into())
    }
}

impl From<StoreError> for HandError {
    fn from(error: StoreError) -> Self {
        Self::Harvest(error.into())
    }
}

impl Hand<'_> {
    /// Archives a record: it stays so, whatever its source says, until it is restored.
    ///
    /// # Errors
    /// When there is no such record, when it is archived already, or when the store fails.
    pub fn archive(&self, key: DatasetKey) -> Result<(), HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let known = self.known(opened.operations(), key)?;
        if known.archived_at.is_some() {
            return Err(HandError::State(format!("{key} is archived already")));
        }
        self.archive_all(&opened, &source_of(&known)?, &[key])?;
        self.runtime.block_on(opened.operations().withdraw(key, Some(&self.now.to_string())))?;
        Ok(())
    }

    /// Brings an archived record back, as it was last. Its source goes on with it from there.
    ///
    /// # Errors
    /// When there is no such record, when it is not archived, or when the store fails.
    pub fn restore(&self, key: DatasetKey) -> Result<(), HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let operations = opened.operations();
        let known = self.known(operations, key)?;
        if known.archived_at.is_none() {
            return Err(HandError::State(format!("{key} is not archived")));
        }
        let state = self.runtime.block_on(operations.last_state(key))?;
        let state = state.ok_or_else(|| HandError::State(format!("no state of {key} was kept")))?;
        self.put_back(&opened, &source_of(&known)?, key, &state)?;
        self.runtime.block_on(operations.note_undone(key, &known.hash, None))?;
        self.say_ours(&opened, key)
    }

    /// Gives a record the state back that it had before the present one, or one with a given hash. The present
    /// one does not come back, until the source says something else.
    ///
    /// # Errors
    /// When there is no such record or no such state, or when the store fails.
    pub fn undo(&self, key: DatasetKey, to: Option<&str>) -> Result<String, HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let operations = opened.operations();
        let known = self.known(operations, key)?;
        let present =
            CatalogueRecord::read(opened.store(), &self.names, key).map(|record| record.hash.to_string());
        let versions = self.runtime.block_on(operations.versions(key))?;
        let wanted = versions.iter().map(|version| &version.hash).find(|hash| match to {
            Some(prefix) => hash.starts_with(prefix),
            None => Some(*hash) != present.as_ref(),
        });
        let wanted = wanted.ok_or_else(|| HandError::State(format!("{key} has no such former state")))?.clone();
        let state = self.runtime.block_on(operations.state_of(key, &wanted))?.unwrap_or_default();
        if let Some(present) = &present {
            let state = former_state(opened.store(), &self.names, key, present.clone())?;
            let by = by();
            self.runtime.block_on(operations.keep_history(&[state], &by, &self.now.to_string()))?;
        }
        self.put_back(&opened, &source_of(&known)?, key, &state)?;
        let undone = present.filter(|present| *present != wanted).unwrap_or(known.hash);
        self.runtime.block_on(operations.note_undone(key, &wanted, Some(&undone)))?;
        self.say_ours(&opened, key)?;
        Ok(wanted)
    }

    /// Detaches a record from its source: it stays as it is, and its absence there says nothing.
    ///
    /// # Errors
    /// When there is no such record, or the operations database fails.
    pub fn detach(&self, key: DatasetKey) -> Result<(), HandError> {
        let operations = self.workplace.operations(&self.runtime)?;
        self.known(&operations, key)?;
        self.runtime.block_on(operations.detach(key, true))?;
        Ok(())
    }

    /// Attaches a record to its source again: the next job makes of it what the source says then.
    ///
    /// # Errors
    /// When there is no such record, or the operations database fails.
    pub fn attach(&self, key: DatasetKey) -> Result<(), HandError> {
        let operations = self.workplace.operations(&self.runtime)?;
        self.known(&operations, key)?;
        self.runtime.block_on(operations.detach(key, false))?;
        Ok(())
    }

    /// Archives the records of a source whose removal waited for a person. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn confirm_removal(&self, source: &SourceId) -> Result<usize, HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let operations = opened.operations();
        let held = self.still_missing(operations, source)?;
        self.archive_all(&opened, source, &held)?;
        let now = self.now.to_string();
        self.runtime.block_on(operations.hold_removal(source, &[], "", &now))?;
        Ok(held.len())
    }

    /// Keeps the records of a source whose removal waited for a person: they count as present, until a complete
    /// crawl misses them again. Returns how many.
    ///
    /// # Errors
    /// When the operations database fails.
    pub fn refuse_removal(&self, source: &SourceId) -> Result<usize, HandError> {
        let operations = self.workplace.operations(&self.runtime)?;
        let held = self.still_missing(&operations, source)?;
        let now = self.now.to_string();
        self.runtime.block_on(async {
            operations.mark(&held, None, None).await?;
            operations.hold_removal(source, &[], "", &now).await
        })?;
        Ok(held.len())
    }

    /// Archives all records of a source, those that were detached excepted. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn archive_source(&self, source: &SourceId) -> Result<usize, HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let stored = self.runtime.block_on(opened.operations().stored_findings(source))?;
        let mut keys = CatalogueRecord::keys(opened.store(), &self.names, Some(source));
        keys.retain(|key| stored.get(key).is_none_or(|stored| !stored.detached));
        self.archive_all(&opened, source, &keys)?;
        Ok(keys.len())
    }

    /// Takes all that the store has of a source out of it; nothing of it is kept. Returns how many records.
    ///
    /// # Errors
    /// When the store fails.
    pub fn purge_source(&self, source: &SourceId) -> Result<usize, HandError> {
        let opened = self.workplace.open(&self.runtime)?;
        let keys = CatalogueRecord::keys(opened.store(), &self.names, Some(source));
        let turn = opened.take_turn(self.workplace.folder(), &by())?;
        let mut writer = Writer::new(opened.store(), &self.names);
        for portion in keys.chunks(500) {
            writer.remove(portion)?;
        }
        writer.replace_graph(&self.names.source(source), &[])?;
        writer.replace_graph(&self.names.catalogue(source), &[])?;
        writer.replace_graph(&self.names.source_quality(source), &[])?;
        turn.publish_of(source, &self.names, &self.runtime)?;
        self.runtime.block_on(opened.operations().purge_source(source))?;
        Ok(keys.len())
    }

    /// The records whose removal was held, without those that came back since, or that a person detached.
    fn still_missing(&self, operations: &Operations, source: &SourceId) -> Result<Vec<DatasetKey>, HandError> {
        let held = self.runtime.block_on(operations.held_removal(source))?;
        let stored = self.runtime.block_on(operations.stored_findings(source))?;
        let is_missing = |key: &DatasetKey| {
            let known = stored.get(key);
            known.is_some_and(|one| one.missing_since.is_some() && !one.detached && one.archived_at.is_none())
        };
        Ok(held.into_iter().filter(is_missing).collect())
    }

    fn archive_all(&self, opened: &Arc<Opened>, source: &SourceId, keys: &[DatasetKey]) -> Result<(), HandError> {
        if keys.is_empty() {
            return Ok(());
        }
        let by = by();
        let turn = opened.take_turn(self.workplace.folder(), &by)?;
        archive(opened, &self.names, &self.runtime, keys, &by, &self.now.to_string())?;
        turn.publish_of(source, &self.names, &self.runtime)?;
        Ok(())
    }

    fn put_back(
        &self,
        opened: &Arc<Opened>,
        source: &SourceId,
        key: DatasetKey,
        state: &str,
    ) -> Result<(), HandError> {
        let quads: Vec<Quad> = RdfParser::from_format(RdfFormat::NQuads)
            .lenient()
            .for_slice(state)
            .collect::<Result<_, _>>()
            .map_err(|error| HandError::State(format!("the kept state of {key} cannot be read: {error}")))?;
        let turn = opened.take_turn(self.workplace.folder(), &by())?;
        Writer::new(opened.store(), &self.names).put_back(key, &quads)?;
        turn.publish_of(source, &self.names, &self.runtime)?;
        Ok(())
    }

    /// Says of a record that came back what is known of it: the history has its source's statements alone.
    fn say_ours(&self, opened: &Arc<Opened>, key: DatasetKey) -> Result<(), HandError> {
        let operations = opened.operations();
        let findings = self.runtime.block_on(operations.findings(key))?;
        let quality = self.runtime.block_on(operations.quality(key))?;
        let assessment: Option<Assessment> = quality.and_then(|text| serde_json::from_str(&text).ok());
        let links = self.runtime.block_on(KnownLinks::of(operations, &assessment))?;
        let Some(record) = CatalogueRecord::read(opened.store(), &self.names, key) else { return Ok(()) };
        let about = self.names.catalogue_record(key);
        let graph = self.names.findings(key);
        let turn = opened.take_turn(self.workplace.folder(), &by())?;
        let mut writer = Writer::new(opened.store(), &self.names);
        writer.replace_graph(&graph, &finding_graph(&graph, &about, &findings, self.findings_in_store))?;
        if let Some(assessment) = assessment {
            let graph = self.names.quality(key);
            writer.replace_graph(&graph, &links.quality(&graph, &record.node, &assessment))?;
        }
        turn.publish(&self.names, &self.runtime)?;
        Ok(())
    }

    fn known(
        &self,
        operations: &Operations,
        key: DatasetKey,
    ) -> Result<crate::operations::KnownRecord, HandError> {
        self.runtime.block_on(operations.known_record(key))?.ok_or(HandError::Unknown(key))
    }
}

fn source_of(known: &crate::operations::KnownRecord) -> Result<SourceId, HandError> {
    SourceId::parse(&known.source).map_err(|error| HandError::State(error.to_string()))
}

/// What the history calls a change by hand: each has a name of its own, so that one that was not published can be
/// told from others.
fn by() -> String {
    format!("hand-{}", uuid::Uuid::now_v7())
}
