//! What a snapshot has, in the terms of `VoID`.

use crate::store::{Snapshot, StoreError};
use crate::vocab::rdf;
use oxrdf::{NamedNode, Term};
use rustc_hash::FxHashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Classes and properties that are told: a source may make up any number of them.
const MOST: usize = 1_000;

/// Numbers of a snapshot, all graphs together: a statement of two graphs is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Different statements.
    pub triples: usize,
    /// Different subjects.
    pub subjects: usize,
    /// Different objects.
    pub objects: usize,
    /// Different classes.
    pub class_count: usize,
    /// Different properties.
    pub property_count: usize,
    /// Classes with the number of their nodes, the largest first.
    pub classes: Vec<(String, usize)>,
    /// Properties with the number of their statements, the most used first.
    pub properties: Vec<(String, usize)>,
}

impl Statistics {
    /// Counts a snapshot, which goes through all of it. A statement is known by hashes of its terms, so that it costs
    /// 24 bytes, whatever it says.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(snapshot: &Snapshot) -> Result<Self, StoreError> {
        let mut names = Names::default();
        let mut triples: Vec<[u64; 3]> = Vec::new();
        for quad in &snapshot.store {
            let quad = quad?;
            if quad.predicate.as_ref() == rdf::TYPE
                && let Term::NamedNode(class) = &quad.object
            {
                names.note(class);
            }
            names.note(&quad.predicate);
            triples.push([hash(&quad.subject), hash(&Term::from(quad.predicate)), hash(&quad.object)]);
        }
        triples.sort_unstable();
        triples.dedup();
        let distinct = |part: usize| {
            let mut all: Vec<u64> = triples.iter().map(|triple| triple[part]).collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        };
        let kind = hash(&Term::from(rdf::TYPE.into_owned()));
        let typed = triples.iter().filter(|triple| triple[1] == kind).map(|triple| triple[2]);
        let (mut classes, mut properties) =
            (names.counted(typed), names.counted(triples.iter().map(|triple| triple[1])));
        let (class_count, property_count) = (classes.len(), properties.len());
        classes.truncate(MOST);
        properties.truncate(MOST);
        Ok(Self {
            triples: triples.len(),
            subjects: distinct(0),
            objects: distinct(2),
            class_count,
            property_count,
            classes,
            properties,
        })
    }
}

/// The names of classes and properties, by their hashes.
#[derive(Default)]
struct Names(FxHashMap<u64, NamedNode>);

impl Names {
    fn note(&mut self, name: &NamedNode) {
        self.0.entry(hash(&Term::from(name.clone()))).or_insert_with(|| name.clone());
    }

    fn counted(&self, hashes: impl Iterator<Item = u64>) -> Vec<(String, usize)> {
        let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
        hashes.for_each(|hash| *counts.entry(hash).or_default() += 1);
        let named =
            counts.into_iter().filter_map(|(hash, count)| Some((self.0.get(&hash)?.as_str().to_owned(), count)));
        let mut counted: Vec<(String, usize)> = named.collect();
        counted.sort_by(|(name, count), (other, others)| others.cmp(count).then_with(|| name.cmp(other)));
        counted
    }
}

fn hash(term: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    term.hash(&mut hasher);
    hasher.finish()
}
