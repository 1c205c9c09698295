//! The folder of a store: `triples/` that harvests write, `snapshots/N/` that readers open, and
//! `CURRENT`, which names the newest. `BASE` keeps the base of the graphs' names; `LOCK` is held by the
//! process that writes; `UNPUBLISHED` names the jobs that are ahead of the newest snapshot. Whoever opens
//! the triples after a crash goes back to the newest snapshot, so that no half of a job is ever published.

use super::error::StoreError;
use super::snapshots::{Keeping, Snapshot};
use super::undo;
use crate::triples::{Graph, GraphBuilder};
use oxigraph::store::{StorageError, Store};
use oxrdf::{GraphNameRef, NamedNode, Quad, Triple};
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file that names the job whose changes are not published.
const UNPUBLISHED: &str = "UNPUBLISHED";

/// What tells a store's folder.
const OWN_FILES: [&str; 7] = ["triples", "snapshots", "CURRENT", "BASE", "LOCK", UNPUBLISHED, "operations.sqlite"];

/// The triples, open for writing by this process alone.
pub struct Writable {
    /// The triples.
    pub store: Store,
    /// The jobs whose changes were undone when the store was opened.
    pub undone: Vec<String>,
    _lock: fs::File,
}

/// Stays the same as long as the newest snapshot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestMark {
    file: u64,
    at: SystemTime,
}

/// A store on disk.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    keeping: Keeping,
}

impl Folder {
    /// Names a store's folder; nothing is created.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), keeping: Keeping::default() }
    }

    /// The same folder, with another policy for old snapshots.
    #[must_use]
    pub fn keeping_of(self, keeping: Keeping) -> Self {
        Self { keeping, ..self }
    }

    /// Which snapshots stay when a newer one is published.
    #[must_use]
    pub fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The operations database beside the triples.
    #[must_use]
    pub fn operations(&self) -> PathBuf {
        self.root.join("operations.sqlite")
    }

    /// Opens the triples for writing, creating them when they are missing. What a job left that did not
    /// come to its end is undone first.
    ///
    /// # Errors
    /// When another process holds the store, or a file cannot be used.
    pub fn open(&self) -> Result<Writable, StoreError> {
        let path = self.root.join("triples");
        self.refuse_foreign()?;
        fs::create_dir_all(&self.root).map_err(|source| StoreError::File { path: self.root.clone(), source })?;
        let lock = self.lock()?;
        let undone = undo::to_newest_snapshot(self)?;
        fs::create_dir_all(&path).map_err(|source| StoreError::File { path: path.clone(), source })?;
        let store = Store::open(&path).map_err(|error| {
            // RocksDB names its lock file in the error; a "block checksum mismatch" is another matter.
            if error.to_string().contains("/LOCK") || error.to_string().contains("lock hold by") {
                StoreError::Locked { path: self.root.clone() }
            } else {
                error.into()
            }
        })?;
        Ok(Writable { store, undone, _lock: lock })
    }

    /// Refuses a folder that holds other things and was never a store: what a slip of the keyboard named.
    ///
    /// # Errors
    /// When it is one.
    pub fn refuse_foreign(&self) -> Result<(), StoreError> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Ok(()) };
        let names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        if names.iter().any(|name| OWN_FILES.contains(&name.as_str())) {
            return Ok(());
        }
        // What a volume has when it is new.
        let foreign = names.into_iter().find(|name| !name.starts_with('.') && name != "lost+found");
        foreign.map_or(Ok(()), |found| Err(StoreError::Foreign { path: self.root.clone(), found }))
    }

    fn lock(&self) -> Result<fs::File, StoreError> {
        let path = self.root.join("LOCK");
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| StoreError::File { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: self.root.clone() }),
            Err(fs::TryLockError::Error(source)) => Err(StoreError::File { path, source }),
        }
    }

    /// Keeps the base by which the store's graphs are named, or checks it against the one that is kept.
    pub fn keep_base(&self, base: &str) -> Result<(), StoreError> {
        if self.check_base(base)? { Ok(()) } else { self.write_file("BASE", base) }
    }

    /// Checks a base against the one that the store keeps; false when it keeps none.
    pub fn check_base(&self, base: &str) -> Result<bool, StoreError> {
        let path = self.root.join("BASE");
        match fs::read_to_string(&path) {
            Ok(kept) if kept.trim() == base => Ok(true),
            Ok(kept) => Err(StoreError::Base {
                path: self.root.clone(),
                kept: kept.trim().to_owned(),
                given: base.to_owned(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(StoreError::File { path, source }),
        }
    }

    /// Notes that a job's changes go into the triples from now on: until they are published, they are undone
    /// by whoever opens the store, and so are those of the jobs before it that are not published either.
    pub fn mark_unpublished(&self, job: &str) -> Result<(), StoreError> {
        let current = self.current()?.unwrap_or(0);
        let mut jobs =
            self.unpublished()?.filter(|(_, before)| *before == current).map_or(vec![], |(jobs, _)| jobs);
        jobs.push(job.to_owned());
        self.write_file(UNPUBLISHED, &format!("{} {current}", jobs.join(" ")))
    }

    /// The jobs whose changes were not known to be published, and the newest snapshot when the first of them began
    /// to write.
    pub(super) fn unpublished(&self) -> Result<Option<(Vec<String>, u64)>, StoreError> {
        let path = self.root.join(UNPUBLISHED);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let (jobs, before) = text.trim().rsplit_once(' ').unwrap_or((text.trim(), ""));
                let jobs = jobs.split(' ').map(ToOwned::to_owned).collect();
                Ok(Some((jobs, before.parse().unwrap_or(u64::MAX))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::File { path, source }),
        }
    }

    /// Notes that the triples are as the newest snapshot has them.
    pub(super) fn unmark_unpublished(&self) -> Result<(), StoreError> {
        let path = self.root.join(UNPUBLISHED);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::File { path, source: error })
            }
            _ => Ok(()),
        }
    }

    /// Writes a small file, whole or not at all.
    pub(super) fn write_file(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.root.join(name);
        let file = |source| StoreError::File { path: path.clone(), source };
        fs::create_dir_all(&self.root).map_err(file)?;
        let mut next = tempfile::NamedTempFile::new_in(&self.root).map_err(file)?;
        next.write_all(text.as_bytes()).map_err(file)?;
        next.as_file().sync_all().map_err(file)?;
        next.persist(&path).map_err(|error| file(error.error))?;
        // The name must be there after a power cut too.
        fs::File::open(&self.root).and_then(|folder| folder.sync_all()).map_err(file)
    }

    /// Publishes the present state of the triples as the newest snapshot.
    ///
    /// The name is switched last and in one step, so that a crash leaves the former snapshot current.
    pub fn publish(&self, store: &Store) -> Result<u64, StoreError> {
        let current = self.current()?.unwrap_or(0);
        // Left by a crash between the checkpoint and the switch: nobody was let near them.
        self.remove_unpublished(current);
        let number = current + 1;
        let snapshots = self.root.join("snapshots");
        let target = self.of_snapshot(number);
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::File { path, source }
        };
        fs::create_dir_all(&snapshots).map_err(file(&snapshots))?;
        store.backup(&target)?;
        let runs = self.unpublished()?.map(|(runs, _)| runs).unwrap_or_default();
        self.note_published(number, runs.iter().filter_map(|run| run.split('/').next()))?;
        self.write_file("CURRENT", &number.to_string())?;
        self.unmark_unpublished()?;
        self.remove_old(number);
        Ok(number)
    }

    /// The number of the newest snapshot.
    pub fn current(&self) -> Result<Option<u64>, StoreError> {
        let path = self.root.join("CURRENT");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::File { path, source }),
        }
    }

    /// What tells without reading whether another snapshot has become the newest: each publication makes its file anew.
    #[must_use]
    pub fn newest_mark(&self) -> Option<NewestMark> {
        let known = fs::metadata(self.root.join("CURRENT")).ok()?;
        Some(NewestMark { file: known.ino(), at: known.modified().ok()? })
    }

    /// The folder of a snapshot.
    pub(super) fn of_snapshot(&self, number: u64) -> PathBuf {
        self.root.join("snapshots").join(number.to_string())
    }

    /// Copies a snapshot into another folder, as its only one.
    pub fn copy_snapshot(&self, number: u64, target: &Path) -> Result<(), StoreError> {
        let _held = self.hold(number)?;
        let other = Self::new(target);
        let to = other.of_snapshot(number);
        let copied = (|| {
            fs::create_dir_all(&to)?;
            for entry in fs::read_dir(self.of_snapshot(number))? {
                let entry = entry?;
                fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
            Ok(())
        })();
        copied.map_err(|source| StoreError::File { path: to, source })?;
        if let Ok(base) = fs::read_to_string(self.root.join("BASE")) {
            other.write_file("BASE", base.trim())?;
        }
        other.write_file("CURRENT", &number.to_string())
    }
}

impl Snapshot {
    /// Named graphs together, or all of the store, as one graph in memory.
    pub fn graph(&self, names: &[NamedNode]) -> Result<Graph, StoreError> {
        let mut builder = GraphBuilder::new();
        let mut insert = |quad: Result<Quad, StorageError>| quad.map(|quad| builder.insert(&Triple::from(quad)));
        if names.is_empty() {
            self.store.iter().try_for_each(&mut insert)?;
        }
        for name in names {
            let graph = GraphNameRef::from(name.as_ref());
            self.store.quads_for_pattern(None, None, None, Some(graph)).try_for_each(&mut insert)?;
        }
        Ok(builder.build())
    }
}
