//! A copy of store and operations that can be started from, made while both are in use.

use crate::operations::{Operations, OperationsError};
use crate::store::{Folder, RESTORED, StoreError};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// Why a copy could not be made, or started from.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operations database cannot be read.
    #[error(transparent)]
    Operations(#[from] OperationsError),
    /// There is something already where the copy should be.
    #[error("{}: there is something already; name a folder that does not exist yet", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
}

/// Copies a store's newest snapshot and its operations database into a new folder. Returns the snapshot's number.
///
/// The operations come first: those of a copy may be behind its triples, as after a crash, and never ahead.
///
/// # Errors
/// When the folder exists, or a file cannot be read or written; what was copied is then removed.
pub fn backup(folder: &Folder, target: &Path, runtime: &Handle) -> Result<u64, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    let number = folder.current()?.ok_or_else(|| StoreError::Empty { path: folder.root().to_owned() })?;
    let file = |source| StoreError::File { path: target.to_owned(), source };
    std::fs::create_dir_all(target).map_err(file)?;
    let copied = (|| -> Result<u64, BackupError> {
        let operations = runtime.block_on(Operations::open(&folder.operations()))?;
        runtime.block_on(operations.copy_to(&target.join("operations.sqlite")))?;
        // A harvest may have published one more meanwhile.
        let number = folder.current()?.unwrap_or(number);
        folder.copy_snapshot(number, target)?;
        Ok(number)
    })();
    if copied.is_err() {
        let _ = std::fs::remove_dir_all(target);
    }
    copied
}

/// Makes a store of a copy, in a folder that does not exist yet.
///
/// # Errors
/// When the folder exists, the copy is none, or a file cannot be read or written.
pub fn restore(copy: &Path, folder: &Folder) -> Result<u64, BackupError> {
    if folder.root().exists() && std::fs::read_dir(folder.root()).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(BackupError::Exists { path: folder.root().to_owned() });
    }
    let from = Folder::new(copy);
    let number = from.current()?.ok_or_else(|| StoreError::Empty { path: copy.to_owned() })?;
    from.copy_snapshot(number, folder.root())?;
    let target = folder.operations();
    std::fs::copy(from.operations(), &target).map_err(|source| StoreError::File { path: target, source })?;
    // The triples are made of the snapshot when the store is first opened.
    folder.mark_unpublished(RESTORED)?;
    Ok(number)
}
