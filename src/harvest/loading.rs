//! The thread that brings new records into the store while the crawl goes on.

use super::outcome::HarvestError;
use crate::operations::{DerivedRow, Operations, OperationsError, RecordRow};
use crate::store::{Batch, Loader};
use oxigraph::store::Store;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::runtime::Handle;

/// New records, with what is noted of them.
pub(super) struct Load {
    pub(super) batch: Batch,
    pub(super) rows: Vec<RecordRow>,
    pub(super) derived: Vec<DerivedRow>,
}

enum Task {
    Load(Load),
    /// All came: what was loaded is let in.
    End,
}

/// A thread that loads. What it was not told to let in is dropped with it.
pub(super) struct Loading {
    tasks: Option<SyncSender<Task>>,
    thread: Option<JoinHandle<Result<(), HarvestError>>>,
}

/// Where what is loaded is noted, by which job's time.
pub(super) struct Notes {
    pub(super) operations: Operations,
    pub(super) runtime: Handle,
    pub(super) now: String,
}

impl Loading {
    pub(super) fn start(store: Store, notes: Notes) -> Self {
        // One batch is loaded while the next one is gathered: memory stays bounded.
        let (tasks, waiting) = sync_channel(0);
        let thread = std::thread::spawn(move || load_all(&store, &notes, &waiting));
        Self { tasks: Some(tasks), thread: Some(thread) }
    }

    /// Hands a batch over, when the one before is dealt with.
    ///
    /// # Errors
    /// When the thread failed.
    pub(super) fn load(&mut self, load: Load) -> Result<(), HarvestError> {
        self.tell(Task::Load(load))
    }

    /// Waits until all of it is in the store.
    ///
    /// # Errors
    /// When the thread failed.
    pub(super) fn end(mut self) -> Result<(), HarvestError> {
        self.tell(Task::End)?;
        self.join()
    }

    fn tell(&mut self, task: Task) -> Result<(), HarvestError> {
        match self.tasks.as_ref().map(|tasks| tasks.send(task)) {
            Some(Ok(())) => Ok(()),
            // It listens no more: it says why.
            _ => self.join(),
        }
    }

    fn join(&mut self) -> Result<(), HarvestError> {
        self.tasks = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Loading {
    /// The store must not be open any more when the job has failed.
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            tracing::warn!(causes = crate::catalog::with_causes(&error), "new records were not loaded");
        }
    }
}

fn load_all(store: &Store, notes: &Notes, waiting: &Receiver<Task>) -> Result<(), HarvestError> {
    let mut loader = Loader::new(store);
    while let Ok(task) = waiting.recv() {
        match task {
            Task::Load(Load { batch, rows, derived }) => {
                loader.load(batch)?;
                notes.runtime.block_on(note(&notes.operations, &rows, &derived, &notes.now))?;
            }
            Task::End => return Ok(loader.let_in()?),
        }
    }
    Ok(())
}

/// Notes records in the operations database. Where this job comes to no end, what it noted is forgotten with what it
/// wrote.
pub(super) async fn note(
    operations: &Operations,
    rows: &[RecordRow],
    derived: &[DerivedRow],
    now: &str,
) -> Result<(), OperationsError> {
    operations.write_records(rows, now).await?;
    operations.keep_derived(derived).await
}
