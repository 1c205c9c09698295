//! A worker: a process that evaluates queries, one after the other, until its input ends.

use super::evaluate::{Means, evaluate};
use super::federation::Federation;
use super::functions::{Searches, searches};
use super::question::{Question, Refusal, Reply};
use super::reading::read;
use super::wire::{packed, receive};
use crate::derive::{SearchError, SearchIndex};
use crate::fetch::Client;
use crate::store::{Folder, Snapshot, StoreError};
use rustix::process::{Resource, Rlimit, getppid, getrlimit, setrlimit};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Stack of the thread that evaluates: chains of operators are as deep as the query is long. It is taken
/// from the system only as far as it is used.
const STACK: usize = 512 << 20;
/// Address space beside what a query takes: the stack, the program, the reserves of the allocator.
const BESIDE: u64 = 4 << 30;
/// Snapshots that a worker keeps open.
const OPEN: usize = 2;

/// What a worker is told when it starts.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The store.
    pub folder: Folder,
    /// The memory that a query may take, in bytes.
    pub memory: u64,
    /// The services that queries may call, by their addresses.
    pub services: Vec<String>,
    /// What asks them.
    pub client: Client,
    /// Where it asks.
    pub runtime: Handle,
}

/// Answers questions from the standard input until it ends.
///
/// # Errors
/// When the pipes break.
pub fn work(settings: WorkerSettings) -> io::Result<()> {
    bound_memory(settings.memory);
    end_with_parent();
    let worker = Worker { settings, snapshots: Vec::new(), index: None };
    let thread = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK);
    thread.spawn(move || worker.answer_all())?.join().map_err(|_| io::Error::other("the worker panicked"))?
}

/// The server watches a worker's memory; this ends one that grows faster than it looks.
fn bound_memory(memory: u64) {
    let most = Some(memory.saturating_add(BESIDE));
    let limit = Rlimit { current: most, maximum: getrlimit(Resource::As).maximum };
    if let Err(error) = setrlimit(Resource::As, limit) {
        tracing::warn!(%error, "the memory of queries is not bounded by the system");
    }
}

/// A worker in the middle of a query does not see that its input ended.
fn end_with_parent() {
    let parent = getppid();
    std::thread::spawn(move || {
        while getppid() == parent {
            std::thread::sleep(Duration::from_secs(1));
        }
        std::process::exit(0);
    });
}

/// What strangers are told of faults of our own: the causes name folders.
fn unreadable(error: &dyn std::error::Error) -> String {
    tracing::error!(causes = crate::catalog::with_causes(error), "a query could not be answered");
    "the catalogue cannot be read just now; it was logged".to_owned()
}

struct Worker {
    settings: WorkerSettings,
    /// The snapshots that are open, the last used at the end.
    snapshots: Vec<Snapshot>,
    /// The search index that was used last.
    index: Option<Arc<SearchIndex>>,
}

impl Worker {
    fn answer_all(mut self) -> io::Result<()> {
        // The first question, which waits for it else, is most likely one of the newest snapshot.
        if let Ok(Some(newest)) = self.settings.folder.current() {
            let _ = self.snapshot(newest);
        }
        let mut input = BufReader::new(io::stdin().lock());
        // Standard output as Rust has it writes line by line.
        let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        while let Some(question) = receive::<Question>(&mut input)? {
            let (reply, bytes) = self.answer(&question);
            let mut message = packed(&reply);
            message.extend_from_slice(&bytes);
            out.write_all(&message)?;
        }
        Ok(())
    }

    fn answer(&mut self, question: &Question) -> (Reply, Vec<u8>) {
        let readable = match read(question, &self.settings.services) {
            Ok(readable) => readable,
            Err(reply) => return (reply, Vec::new()),
        };
        let searches = match searches(&readable.query).then(|| self.searches_of(question.snapshot)).transpose() {
            Ok(searches) => searches,
            Err(reply) => return (reply, Vec::new()),
        };
        let federation = (!self.settings.services.is_empty())
            .then(|| Federation { client: self.settings.client.clone(), runtime: self.settings.runtime.clone() });
        match self.snapshot(question.snapshot) {
            Ok(snapshot) => evaluate(question, readable, Means { store: &snapshot.store, searches, federation }),
            Err(StoreError::NoSnapshot { number, .. }) => {
                let detail = format!("state {number} of the catalogue is not kept any more");
                (Reply::refused(Refusal::Snapshot, detail), Vec::new())
            }
            Err(error) => (Reply::refused(Refusal::Evaluation, unreadable(&error)), Vec::new()),
        }
    }

    /// The search index, where it speaks of the snapshot that is asked.
    fn searches_of(&mut self, snapshot: u64) -> Result<Searches, Reply> {
        if let Some(index) = self.index.as_ref().filter(|index| index.snapshot() == snapshot) {
            return Ok(Searches::new(Arc::clone(index)));
        }
        match SearchIndex::open(&self.settings.folder) {
            Ok(index) if index.snapshot() == snapshot => {
                let index = self.index.insert(Arc::new(index));
                Ok(Searches::new(Arc::clone(index)))
            }
            Ok(index) => Err(Reply::Elsewhere { snapshot: index.snapshot() }),
            Err(SearchError::Missing) => {
                let detail = "the search index is being made: ask again in a moment";
                Err(Reply::refused(Refusal::NoIndex, detail))
            }
            Err(error) => Err(Reply::refused(Refusal::Evaluation, unreadable(&error))),
        }
    }

    fn snapshot(&mut self, number: u64) -> Result<&Snapshot, StoreError> {
        let snapshot = if let Some(at) = self.snapshots.iter().position(|open| open.number == number) {
            self.snapshots.remove(at)
        } else {
            if self.snapshots.len() >= OPEN {
                self.snapshots.remove(0);
            }
            self.settings.folder.snapshot_numbered(number)?
        };
        self.snapshots.push(snapshot);
        Ok(self.snapshots.last().expect("one was just put there"))
    }
}
