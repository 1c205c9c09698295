//! What the jobs of a process share: the store, into which one of them brings its changes at a time, and the
//! operations database.

use super::outcome::HarvestError;
use super::turn::Turns;
use crate::catalog::{DatasetKey, GraphHash, SourceId};
use crate::operations::{Operations, OperationsError};
use crate::store::{CatalogueRecord, Folder, GraphNames, StoreError, Writable};
use jiff::Timestamp;
use oxigraph::store::Store;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;

/// When the changes of a job go into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// While it reads: fast, for a process that runs one job.
    AsItGoes,
    /// When it has read all: several jobs can run, and what is published never holds the half of one. Those that end
    /// within this time while others run are published together.
    AtTheEnd {
        /// How long after one publication the next one comes, while several jobs run.
        together: Duration,
    },
}

/// The place where jobs are done.
pub struct Workplace {
    folder: Folder,
    pace: Pace,
    operations: OnceLock<Operations>,
    /// The store, while a job needs it.
    opened: Mutex<Weak<Opened>>,
}

/// The store and the operations database, open.
pub struct Opened {
    writable: Writable,
    operations: Operations,
    pub(super) turns: Turns,
}

/// What readers see of a source.
pub(super) struct Visible {
    /// The hashes of its records.
    pub(super) hashes: HashMap<DatasetKey, GraphHash>,
    /// What records describe, as far as it is known; the rest is read out of the store.
    pub(super) nodes: HashMap<DatasetKey, String>,
}

impl Workplace {
    /// Names a place; nothing is opened or created.
    #[must_use]
    pub fn new(folder: Folder, pace: Pace) -> Self {
        Self { folder, pace, operations: OnceLock::new(), opened: Mutex::default() }
    }

    /// The store's folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// Where the pages of jobs are kept.
    #[must_use]
    pub fn tape(&self, job: &str) -> PathBuf {
        self.folder.root().join("pages").join(format!("{job}.tape"))
    }

    /// The operations database, opened once.
    ///
    /// # Errors
    /// When it cannot be opened or brought to this version.
    pub fn operations(&self, runtime: &Handle) -> Result<Operations, HarvestError> {
        if let Some(operations) = self.operations.get() {
            return Ok(operations.clone());
        }
        self.folder.refuse_foreign()?;
        let root = self.folder.root();
        std::fs::create_dir_all(root).map_err(|source| StoreError::File { path: root.to_owned(), source })?;
        let operations = runtime.block_on(Operations::open(&self.folder.operations()))?;
        Ok(self.operations.get_or_init(|| operations).clone())
    }

    /// The operations database, for reading alone: nothing is written beside it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn operations_read_only(&self) -> Result<Operations, crate::operations::OperationsError> {
        match self.operations.get() {
            Some(operations) => Ok(operations.clone()),
            None => Operations::open_read_only(&self.folder.operations()).await,
        }
    }

    /// Opens the store for a job, or gives the one that other jobs have open. It is closed with the last of
    /// them, so that other processes can write in between. What a crash left is undone first, and jobs of
    /// processes that are gone run no longer.
    ///
    /// # Errors
    /// When another process has it, or it cannot be opened.
    pub fn open(&self, runtime: &Handle) -> Result<Arc<Opened>, HarvestError> {
        let operations = self.operations(runtime)?;
        let mut last = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = last.upgrade() {
            return if opened.turns.are_spoiled() { Err(HarvestError::Spoiled) } else { Ok(opened) };
        }
        let writable = self.folder.open()?;
        for job in &writable.undone {
            runtime.block_on(operations.forget_undone(job))?;
        }
        runtime.block_on(operations.interrupt_running())?;
        let opened = Arc::new(Opened { writable, operations, turns: Turns::default() });
        *last = Arc::downgrade(&opened);
        Ok(opened)
    }
}

impl Opened {
    /// The triples.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.writable.store
    }

    /// The operations database.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Notes what readers now see of a source otherwise than before, for the feeds of changes. Nobody may write
    /// meanwhile.
    ///
    /// # Errors
    /// When the operations database fails.
    pub fn note_changes(
        &self,
        runtime: &Handle,
        names: &GraphNames,
        source: &SourceId,
    ) -> Result<(), OperationsError> {
        let hashes = CatalogueRecord::hashes(self.store(), names, source);
        self.note_changes_to(runtime, names, source, Visible { hashes, nodes: HashMap::new() })
    }

    /// The same where it is known what readers now see.
    pub(super) fn note_changes_to(
        &self,
        runtime: &Handle,
        names: &GraphNames,
        source: &SourceId,
        visible: Visible,
    ) -> Result<(), OperationsError> {
        let Visible { hashes, mut nodes } = visible;
        let mut changes = runtime.block_on(self.operations.unnoted_changes(source, &hashes))?;
        let keys = changes.iter().map(|change| change.key).filter(|key| !nodes.contains_key(key)).collect();
        let read = CatalogueRecord::nodes(self.store(), names, &keys);
        nodes.extend(read.into_iter().map(|(key, node)| (key, node.into_string())));
        for change in &mut changes {
            if let Some(node) = nodes.remove(&change.key) {
                change.node = node;
            }
        }
        runtime.block_on(self.operations.note_changes(source, &changes, Timestamp::now()))
    }
}
