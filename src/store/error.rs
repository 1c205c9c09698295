//! What can go wrong with the store.

use oxigraph::store::StorageError;
use std::path::PathBuf;

/// A failure of the store: nothing of the transaction was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to it.
    #[error("{}: the store is in use by another process; wait for its end, or ask the server that has it (`moisson source run NAME --server URL`)", path.display())]
    Locked {
        /// The store's folder.
        path: PathBuf,
    },
    /// Nothing was harvested into it yet.
    #[error("{}: there is no harvest here yet; run `moisson harvest` with this --store first", path.display())]
    Empty {
        /// The store's folder.
        path: PathBuf,
    },
    /// An old state that is not kept any more.
    #[error("{}: snapshot {number} is not kept any more", path.display())]
    NoSnapshot {
        /// The store's folder.
        path: PathBuf,
        /// The snapshot's number.
        number: u64,
    },
    /// The store's graphs have other names.
    #[error(
        "{}: the graphs of this store are named under {kept}, and the base is {given}; set `base` (or MOISSON_BASE) to {kept}, or use another --store", path.display()
    )]
    Base {
        /// The store's folder.
        path: PathBuf,
        /// The base that the store began with.
        kept: String,
        /// The base that was given.
        given: String,
    },
    /// A folder with other things in it.
    #[error("{}: this folder holds other files (such as {found:?}), and no store: name an empty folder, or one that is not there yet", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of its files.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{}: the file or folder cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Oxigraph failed.
    #[error("the triple store failed")]
    Storage(#[from] StorageError),
}
