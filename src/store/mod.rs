//! The triple store: named graphs in Oxigraph, and the snapshots that readers see.
//!
//! The only module that writes triples. Harvests write to one store; after a job a checkpoint of it is
//! published, and readers open only checkpoints, so that none sees half a harvest. A record's graph,
//! what was read into it, and its catalogue record change in one transaction.

mod catalogues;
mod error;
mod folder;
mod graphs;
mod loader;
mod merge;
mod records;
mod refuse;
mod snapshots;
mod undo;
mod writer;

pub use catalogues::{catalogue_quads, organization, platform};
pub use error::StoreError;
pub use folder::{Folder, NewestMark, Writable};
pub use graphs::{CatalogueRecord, GraphNames, SourceGraph};
pub use loader::{Batch, Loader};
pub use merge::evaluate_on_merge;
pub use refuse::{RefusedQuery, refuse_outside};
pub use snapshots::{Held, Keeping, Published, Snapshot};
pub use undo::RESTORED;
pub use writer::{Change, Writer, graph_quads};
