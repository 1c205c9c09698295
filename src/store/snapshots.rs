//! The published states of a store: which are kept, who reads them, and which one was current at a time.
//!
//! Beside each snapshot's folder stand `N.json`, which says when and by which job it was published, and
//! `N.held`, a file that readers lock together and whoever removes old snapshots must lock alone. A reader that
//! is killed so holds nothing any more.

use super::error::StoreError;
use super::folder::Folder;
use super::undo::is_table_file;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use oxigraph::store::Store;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// Which snapshots stay when a newer one is published, beside those that somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// How many behind the newest.
    pub behind: usize,
    /// The last one of each day, for so many days.
    pub days: i64,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { behind: 2, days: 0 }
    }
}

/// What is noted of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The snapshot's number.
    pub number: u64,
    /// When it was published.
    pub at: Timestamp,
    /// The job whose end it was, or what a person did.
    pub job: String,
    /// Jobs that ended just before, and were published with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
}

/// The lock of a reader: while it lives, the snapshot stays.
pub type Held = Arc<fs::File>;

/// An immutable state of the store.
#[derive(Clone)]
pub struct Snapshot {
    /// Its number, which grows.
    pub number: u64,
    /// When it was published, where that was noted.
    pub at: Option<Timestamp>,
    /// The triples, read-only.
    pub store: Store,
    _held: Held,
}

impl Folder {
    /// Opens the newest snapshot for reading.
    ///
    /// # Errors
    /// When nothing was published yet, or its files cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        loop {
            let number = self.current()?.ok_or_else(|| StoreError::Empty { path: self.root().to_owned() })?;
            match self.snapshot_numbered(number) {
                // A newer one was published meanwhile, and this one removed.
                Err(StoreError::NoSnapshot { .. }) if self.current()? != Some(number) => {}
                other => return other,
            }
        }
    }

    /// Opens a snapshot that is kept.
    ///
    /// # Errors
    /// When it is not kept, or its files cannot be read.
    pub fn snapshot_numbered(&self, number: u64) -> Result<Snapshot, StoreError> {
        let held = self.hold(number)?;
        let store = Store::open_read_only(self.of_snapshot(number))?;
        let noted = fs::read_to_string(self.beside(number, "json")).ok();
        let noted: Option<Published> = noted.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Snapshot { number, at: noted.map(|noted| noted.at), store, _held: held })
    }

    /// Keeps a snapshot from being removed.
    ///
    /// # Errors
    /// When it is not kept any more.
    pub fn hold(&self, number: u64) -> Result<Held, StoreError> {
        let gone = || StoreError::NoSnapshot { path: self.root().to_owned(), number };
        // What was not switched to is nobody's to read.
        if !self.of_snapshot(number).exists() || self.current()?.is_none_or(|current| number > current) {
            return Err(gone());
        }
        let path = self.beside(number, "held");
        let file = |source| StoreError::File { path: path.clone(), source };
        let lock = match fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
            Ok(lock) => lock,
            // A store that may only be read: nobody removes anything there.
            Err(_) => fs::File::open(self.of_snapshot(number)).map_err(file)?,
        };
        lock.lock_shared().map_err(file)?;
        // Whoever removed it had the lock before.
        if self.of_snapshot(number).exists() { Ok(Arc::new(lock)) } else { Err(gone()) }
    }

    /// What is noted of the snapshots that are kept, the oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        let current = self.current().ok().flatten().unwrap_or(0);
        let mut all: Vec<Published> = self
            .numbers()
            .into_iter()
            .filter(|number| *number <= current)
            .filter_map(|number| {
                let text = fs::read_to_string(self.beside(number, "json")).ok()?;
                serde_json::from_str(&text).ok()
            })
            .collect();
        all.sort_by_key(|published| published.number);
        all
    }

    /// How many table files the newest snapshot has.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn table_files(&self) -> Result<usize, StoreError> {
        let Some(number) = self.current()? else { return Ok(0) };
        let path = self.of_snapshot(number);
        let entries = fs::read_dir(&path).map_err(|source| StoreError::File { path, source })?;
        Ok(entries.flatten().filter(|entry| is_table_file(&entry.path())).count())
    }

    /// The kept snapshot that was current at a time.
    #[must_use]
    pub fn as_of(&self, time: Timestamp) -> Option<Published> {
        self.published().into_iter().rfind(|published| published.at <= time)
    }

    /// The kept snapshot that a job published.
    #[must_use]
    pub fn of_job(&self, job: &str) -> Option<Published> {
        self.published()
            .into_iter()
            .rfind(|published| published.job == job || published.with.iter().any(|other| other == job))
    }

    /// Notes what a snapshot is, before it becomes the newest.
    pub(super) fn note_published<'j>(
        &self,
        number: u64,
        jobs: impl Iterator<Item = &'j str>,
    ) -> Result<(), StoreError> {
        let mut with: Vec<String> = jobs.map(ToOwned::to_owned).collect();
        let job = with.pop().unwrap_or_default();
        let published = Published { number, at: Timestamp::now(), job, with };
        let text = serde_json::to_string(&published).expect("a plain value");
        self.write_file(&format!("snapshots/{number}.json"), &text)
    }

    /// Removes checkpoints that a crash left before they became the newest.
    pub(super) fn remove_unpublished(&self, current: u64) {
        for number in self.numbers().into_iter().filter(|number| *number > current) {
            if let Err(error) = self.remove_unread(number) {
                tracing::warn!(number, %error, "what a crash left stays");
            }
        }
    }

    /// Removes old snapshots; one that is read, or cannot be removed now, goes another time.
    pub(super) fn remove_old(&self, newest: u64) {
        let kept = self.kept(newest);
        for number in self.numbers() {
            if number < newest
                && !kept.contains(&number)
                && let Err(error) = self.remove_unread(number)
            {
                tracing::warn!(number, %error, "an old snapshot stays");
            }
        }
    }

    /// The snapshots that the policy keeps.
    fn kept(&self, newest: u64) -> HashSet<u64> {
        let mut numbers = self.numbers();
        numbers.retain(|number| *number <= newest);
        numbers.sort_unstable();
        let mut kept: HashSet<u64> = numbers.iter().rev().take(self.keeping().behind + 1).copied().collect();
        let first_day = Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_sub(self.keeping().days.days());
        let mut last_of_day: BTreeMap<Date, u64> = BTreeMap::new();
        for published in self.published() {
            let day = published.at.to_zoned(TimeZone::UTC).date();
            if day > first_day {
                last_of_day.insert(day, published.number);
            }
        }
        kept.extend(last_of_day.into_values());
        kept
    }

    fn remove_unread(&self, number: u64) -> std::io::Result<()> {
        let path = self.beside(number, "held");
        let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(()),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // In one step, so that a crash leaves no half of it under its name.
        let going = self.beside(number, "going");
        let _ = fs::remove_dir_all(&going);
        let _ = fs::remove_file(self.beside(number, "json"));
        fs::rename(self.of_snapshot(number), &going)?;
        fs::remove_dir_all(going)?;
        fs::remove_file(path)
    }

    fn numbers(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(self.root().join("snapshots")) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    fn beside(&self, number: u64, ending: &str) -> PathBuf {
        self.root().join("snapshots").join(format!("{number}.{ending}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(folder: &Folder, times: usize) {
        let writable = folder.open().unwrap();
        for time in 0..times {
            folder.mark_unpublished(&format!("job-{time}/2024-01-01T00:00:00Z")).unwrap();
            folder.publish(&writable.store).unwrap();
        }
    }

    fn numbers(folder: &Folder) -> Vec<u64> {
        folder.published().into_iter().map(|published| published.number).collect()
    }

    #[test]
    fn old_snapshots_go_unless_somebody_reads_them() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        publish(&folder, 1);
        let first = folder.snapshot().unwrap();
        publish(&folder, 5);
        assert_eq!(numbers(&folder), [1, 4, 5, 6]);
        assert_eq!(first.store.len().unwrap(), 0);
        drop(first);
        publish(&folder, 1);
        assert_eq!(numbers(&folder), [5, 6, 7]);
        assert!(matches!(folder.hold(1), Err(StoreError::NoSnapshot { number: 1, .. })));
    }

    #[test]
    fn what_a_crash_left_before_the_switch_is_nobodys_to_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        publish(&folder, 2);
        // As if it had crashed between the checkpoint and the switch.
        folder.write_file("CURRENT", "1").unwrap();
        assert!(matches!(folder.hold(2), Err(StoreError::NoSnapshot { number: 2, .. })));
        assert_eq!((numbers(&folder), folder.of_job("job-1")), (vec![1], None));
        publish(&folder, 1);
        assert_eq!(folder.of_job("job-0").unwrap().number, 2);
        assert_eq!(folder.of_job("job-1"), None);
    }

    #[test]
    fn a_snapshot_is_found_by_its_time_and_by_its_job() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path()).keeping_of(Keeping { behind: 5, days: 0 });
        publish(&folder, 3);
        assert_eq!(folder.of_job("job-1").unwrap().number, 2);
        assert_eq!(folder.of_job("job-9"), None);
        assert_eq!(folder.as_of(Timestamp::now()).unwrap().number, 3);
        assert_eq!(folder.as_of(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn jobs_that_are_published_together_are_one_state() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let writable = folder.open().unwrap();
        folder.mark_unpublished("first/2024-01-01T00:00:00Z").unwrap();
        folder.mark_unpublished("second/2024-01-01T00:00:01Z").unwrap();
        assert_eq!(folder.publish(&writable.store).unwrap(), 1);
        folder.mark_unpublished("third").unwrap();
        assert_eq!(folder.publish(&writable.store).unwrap(), 2);
        let state_of = |job| folder.of_job(job).map(|published| published.number);
        assert_eq!([state_of("first"), state_of("second"), state_of("third")], [Some(1), Some(1), Some(2)]);
    }

    #[test]
    fn the_last_of_each_day_stays() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path()).keeping_of(Keeping { behind: 0, days: 3 });
        publish(&folder, 1);
        // As if the first had been published two days ago.
        let mut first = folder.published().remove(0);
        first.at -= 48.hours();
        fs::write(folder.beside(1, "json"), serde_json::to_string(&first).unwrap()).unwrap();
        publish(&folder, 3);
        assert_eq!(numbers(&folder), [1, 4]);
    }
}
