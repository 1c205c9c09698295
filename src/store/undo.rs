//! Going back to the newest snapshot: what jobs wrote that was not published is as if it had never been.

use super::error::StoreError;
use super::folder::Folder;
use std::fs;
use std::io;
use std::path::Path;

/// What stands in the place of a job where a copy became a store: its triples are made of its snapshot.
pub const RESTORED: &str = "restore";

/// Puts the triples back to the newest snapshot when the changes of jobs were not published. Returns those jobs.
///
/// The caller holds the lock of the folder. A crash in the middle leaves the mark, and the next caller goes
/// through it again.
pub(super) fn to_newest_snapshot(folder: &Folder) -> Result<Vec<String>, StoreError> {
    let newest = folder.current()?;
    let Some((mut jobs, before)) = folder.unpublished()? else {
        if newest.is_some() && !folder.root().join("triples").exists() {
            // A copy whose triples were not made yet.
            put_back(folder, newest)?;
        }
        return Ok(Vec::new());
    };
    if newest.is_some_and(|newest| newest > before) {
        // It was published, and killed before it could say so.
        folder.unmark_unpublished()?;
        return Ok(Vec::new());
    }
    put_back(folder, newest)?;
    folder.unmark_unpublished()?;
    jobs.retain(|job| job != RESTORED);
    if !jobs.is_empty() {
        tracing::warn!(?jobs, "what these jobs had written was undone: it was not published");
    }
    Ok(jobs)
}

fn put_back(folder: &Folder, newest: Option<u64>) -> Result<(), StoreError> {
    let triples = folder.root().join("triples");
    let next = folder.root().join("triples.next");
    let file = |path: &Path, source| StoreError::File { path: path.to_owned(), source };
    remove(&next).map_err(|error| file(&next, error))?;
    if let Some(number) = newest {
        let snapshot = folder.of_snapshot(number);
        link(&snapshot, &next).map_err(|error| file(&snapshot, error))?;
    }
    remove(&triples).map_err(|error| file(&triples, error))?;
    if next.exists() {
        fs::rename(&next, &triples).map_err(|error| file(&triples, error))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies a checkpoint. Table files never change once written, so that a second name for them is enough;
/// everything else a writer goes on with.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "LOCK" {
            continue;
        }
        let target = to.join(&name);
        if !(is_table_file(&entry.path()) && fs::hard_link(entry.path(), &target).is_ok()) {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Whether a file is one of those in which the store keeps its statements, sorted and never changed.
pub(super) fn is_table_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "sst")
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::{GraphName, NamedNode, Quad};

    fn quad(name: &str) -> Quad {
        let node = NamedNode::new_unchecked(format!("https://data.example/{name}"));
        Quad::new(node.clone(), node.clone(), node, GraphName::DefaultGraph)
    }

    #[test]
    fn what_was_not_published_is_gone_when_the_store_is_opened_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let writable = folder.open().unwrap();
        folder.mark_unpublished("first").unwrap();
        writable.store.insert(&quad("published")).unwrap();
        folder.publish(&writable.store).unwrap();
        folder.mark_unpublished("second").unwrap();
        writable.store.insert(&quad("half")).unwrap();
        folder.mark_unpublished("third").unwrap();
        writable.store.remove(&quad("published")).unwrap();
        drop(writable);
        let again = folder.open().unwrap();
        assert_eq!(again.undone, ["second", "third"]);
        let left: Vec<Quad> = again.store.iter().map(Result::unwrap).collect();
        assert_eq!(left, [quad("published")]);
        // The snapshot that it was made of is untouched by what is written now.
        again.store.insert(&quad("later")).unwrap();
        assert_eq!(folder.snapshot().unwrap().store.len().unwrap(), 1);
        drop(again);
        assert!(folder.open().unwrap().undone.is_empty());
    }

    #[test]
    fn a_first_job_that_ends_early_leaves_an_empty_store() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let writable = folder.open().unwrap();
        folder.mark_unpublished("first").unwrap();
        writable.store.insert(&quad("half")).unwrap();
        drop(writable);
        assert!(folder.open().unwrap().store.is_empty().unwrap());
    }

    #[test]
    fn a_second_writer_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let held = folder.open().unwrap();
        assert!(matches!(folder.open(), Err(StoreError::Locked { .. })));
        drop(held);
        assert!(folder.open().is_ok());
    }
}
