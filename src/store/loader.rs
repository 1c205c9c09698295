//! Loading many new graphs: they are written to table files as they come, and let into the store several at a time,
//! so that the store sorts and merges them seldom.

use super::error::StoreError;
use oxigraph::store::{BulkLoader, Store};
use oxrdf::Quad;

/// Quads that the bulk loader counts a megabyte for.
const QUADS_A_MEGABYTE: usize = 1_000;
/// New graphs are loaded together from this many quads on.
pub(super) const LOAD_FROM: usize = 185_000;
/// The first time from fewer on: as long as nothing is loaded, nothing goes on beside the crawl.
pub(super) const LOAD_FIRST: usize = 40_000;
/// A record more, which fills a batch, may take it so far.
pub(super) const LOAD_AT_MOST: usize = LOAD_FROM + LOAD_FROM / 8;
/// Fewer than this are not worth the bulk loader's files.
const LOAD_AT_LEAST: usize = 5_000;
/// Batches that are let in together. Each is one more file for every look-up until the store has merged them, and from
/// twenty on the store lets its writers wait for that: so there is room for one that comes after, and for what is
/// written otherwise.
pub(super) const TOGETHER: usize = 17;

/// Batches that are sorted and written at once.
const THREADS: usize = 2;

/// New records that are loaded together.
pub struct Batch {
    pub(super) quads: Vec<Quad>,
}

impl Batch {
    /// The batch in two parts, which are loaded at once; or whole, where the parts are not worth files.
    pub(super) fn parted(mut self) -> Vec<Self> {
        if self.quads.len() < THREADS * LOAD_AT_LEAST {
            return vec![self];
        }
        let quads = self.quads.split_off(self.quads.len() / 2);
        vec![self, Self { quads }]
    }
}

/// Loads batches.
pub struct Loader<'s> {
    store: &'s Store,
    bulk: Option<BulkLoader<'s>>,
    batches: usize,
}

impl<'s> Loader<'s> {
    /// Loads into a store.
    #[must_use]
    pub fn new(store: &'s Store) -> Self {
        Self { store, bulk: None, batches: 0 }
    }

    /// Takes a batch, which is in the store after the next [`Loader::let_in`] at the latest.
    ///
    /// # Errors
    /// When a file cannot be written, or the store fails.
    pub fn load(&mut self, batch: Batch) -> Result<(), StoreError> {
        if self.bulk.is_none() && batch.quads.len() < LOAD_AT_LEAST {
            let mut transaction = self.store.start_transaction()?;
            transaction.extend(batch.quads.iter().map(Quad::as_ref));
            return Ok(transaction.commit()?);
        }
        // The loader cuts its input by the memory that each of its threads may take: a batch is one file of each order.
        let megabytes = THREADS * LOAD_AT_MOST / QUADS_A_MEGABYTE;
        let bulk = self.bulk.get_or_insert_with(|| {
            self.store.bulk_loader().with_num_threads(THREADS).with_max_memory_size_in_megabytes(megabytes)
        });
        bulk.load_quads(batch.quads)?;
        self.batches += 1;
        if self.batches < TOGETHER { Ok(()) } else { self.let_in() }
    }

    /// Lets into the store what was loaded: all of it or nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn let_in(&mut self) -> Result<(), StoreError> {
        self.batches = 0;
        match self.bulk.take() {
            Some(bulk) => Ok(bulk.commit()?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::NamedNode;

    fn batch(name: &str, quads: usize) -> Batch {
        let node = |name: &str| NamedNode::new_unchecked(format!("https://data.example/{name}"));
        let quad = |number| {
            let subject = node(&format!("{name}-{number}"));
            Quad::new(subject.clone(), node("is"), subject, node(name))
        };
        Batch { quads: (0..quads).map(quad).collect() }
    }

    #[test]
    fn what_was_loaded_is_let_in_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut loader = Loader::new(&store);
        let parts = batch("first", 2 * LOAD_AT_LEAST).parted();
        assert_eq!(parts.len(), 2);
        for part in parts {
            loader.load(part).unwrap();
        }
        // A small one does not overtake those before it.
        loader.load(batch("third", 10)).unwrap();
        assert_eq!(store.len().unwrap(), 0);
        loader.let_in().unwrap();
        assert_eq!(store.len().unwrap(), 2 * LOAD_AT_LEAST + 10);
        loader.load(batch("fourth", LOAD_AT_LEAST)).unwrap();
        drop(loader);
        assert_eq!(store.len().unwrap(), 2 * LOAD_AT_LEAST + 10);
        let left = std::fs::read_dir(folder.path()).unwrap().flatten();
        let stray = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("bulk-")).count();
        assert_eq!(stray, 0);
    }

    #[test]
    fn few_statements_go_in_at_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut few = batch("few", 10).parted();
        assert_eq!(few.len(), 1);
        Loader::new(&store).load(few.remove(0)).unwrap();
        assert_eq!(store.len().unwrap(), 10);
    }
}
