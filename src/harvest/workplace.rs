//! What the jobs of a process share: the store, into which one of them brings its changes at a time, and the
//! operations database.

use super::outcome::HarvestError;
use crate::catalog::SourceId;
use crate::operations::{Operations, OperationsError};
use crate::store::{CatalogueRecord, Folder, GraphNames, StoreError, Writable};
use jiff::Timestamp;
use oxigraph::store::Store;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use tokio::runtime::Handle;

/// When the changes of a job go into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// While it reads: fast, for a process that runs one job.
    AsItGoes,
    /// When it has read all: several jobs can run, and what is published never holds the half of one.
    AtTheEnd,
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
    turn: Mutex<()>,
    /// Whether a job left the store ahead of what is published: it is opened anew before anything is published.
    is_spoiled: AtomicBool,
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
            return if opened.is_spoiled.load(Ordering::SeqCst) { Err(HarvestError::Spoiled) } else { Ok(opened) };
        }
        let writable = self.folder.open()?;
        if let Some(job) = &writable.undone {
            runtime.block_on(operations.forget_undone(job))?;
        }
        runtime.block_on(operations.interrupt_running())?;
        let opened =
            Arc::new(Opened { writable, operations, turn: Mutex::default(), is_spoiled: AtomicBool::new(false) });
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

    /// Waits until nobody else writes. What is written from now on is undone by whoever opens the store next,
    /// unless it is published before the turn ends.
    ///
    /// # Errors
    /// When a job before left the store half written, or the mark cannot be set.
    pub fn take_turn<'o>(&'o self, folder: &'o Folder, job: &str) -> Result<Turn<'o>, HarvestError> {
        self.take_turn_if(folder, job, || Ok(()))
    }

    /// Takes a turn if there is still a reason to, when it comes.
    pub(super) fn take_turn_if<'o>(
        &'o self,
        folder: &'o Folder,
        job: &str,
        still: impl FnOnce() -> Result<(), HarvestError>,
    ) -> Result<Turn<'o>, HarvestError> {
        let guard = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        still()?;
        if self.is_spoiled.load(Ordering::SeqCst) {
            return Err(HarvestError::Spoiled);
        }
        folder.mark_unpublished(job)?;
        Ok(Turn { opened: self, folder, is_published: false, _guard: guard })
    }
}

impl Opened {
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
        let published = CatalogueRecord::hashes(self.store(), names, source);
        let mut changes = runtime.block_on(self.operations.unnoted_changes(source, &published))?;
        for change in &mut changes {
            if let Some(record) = CatalogueRecord::read(self.store(), names, change.key) {
                change.node = record.node.into_string();
            }
        }
        runtime.block_on(self.operations.note_changes(source, &changes, Timestamp::now()))
    }
}

/// Leave to write.
pub struct Turn<'o> {
    opened: &'o Opened,
    folder: &'o Folder,
    is_published: bool,
    _guard: MutexGuard<'o, ()>,
}

impl Turn<'_> {
    /// Publishes what was written, which ends the turn.
    ///
    /// # Errors
    /// When the snapshot cannot be made; what was written is then undone.
    pub fn publish(mut self) -> Result<u64, HarvestError> {
        let number = self.folder.publish(self.opened.store())?;
        self.is_published = true;
        Ok(number)
    }
}

impl Turn<'_> {
    /// Publishes what was written of a source, and notes, while nobody else writes, what readers see otherwise now.
    ///
    /// # Errors
    /// When the snapshot cannot be made; what was written is then undone. What cannot be noted is noted with the next
    /// change.
    pub fn publish_of(
        mut self,
        source: &SourceId,
        names: &GraphNames,
        runtime: &Handle,
    ) -> Result<u64, HarvestError> {
        let number = self.folder.publish(self.opened.store())?;
        self.is_published = true;
        if let Err(error) = self.opened.note_changes(runtime, names, source) {
            tracing::warn!(%source, causes = crate::catalog::with_causes(&error), "a change was not noted");
        }
        Ok(number)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_published {
            self.opened.is_spoiled.store(true, Ordering::SeqCst);
        }
    }
}
