//! What a job has learned so far, and where its time goes.

use super::catalogue::OwnCatalogue;
use super::differences::Difference;
use super::loading::Loading;
use super::renames;
use super::report::{Examples, FindingCounts, RecordCounts};
use super::terms::UnreadTerms;
use crate::catalog::{DatasetKey, Finding, GraphHash, ItemError, Syntax};
use crate::convert::Draft;
use crate::lift::Prefixes;
use crate::operations::{DerivedRow, Item, RecordRow};
use crate::vocab::{dcat, dct, rdf};
use oxrdf::{NamedNodeRef, NamedOrBlankNode, Term, Triple};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// What a job has learned so far.
#[derive(Default)]
pub(super) struct State {
    pub(super) counts: RecordCounts,
    pub(super) services: u64,
    pub(super) finding_counts: FindingCounts,
    pub(super) findings: Vec<Finding>,
    pub(super) errors: Vec<ItemError>,
    /// What was first seen under each key, for the second record that claims it.
    pub(super) seen: HashMap<DatasetKey, FirstSeen>,
    /// What was found of a record after it was dealt with.
    pub(super) late_findings: Vec<(DatasetKey, Finding)>,
    /// What was found in what is stored as no record: in records that are held back, and in the catalogue itself.
    pub(super) unstored_findings: Vec<(DatasetKey, Vec<Finding>)>,
    /// Nodes by the key that has them.
    pub(super) nodes: HashMap<u64, DatasetKey>,
    pub(super) present_again: Vec<DatasetKey>,
    /// What this job wrote: the hashes of records, and none where it took one out. Where it alone writes, this tells what
    /// readers see.
    pub(super) written: HashMap<DatasetKey, Option<GraphHash>>,
    /// Records that a source which did not change still has.
    pub(super) still_there: Vec<DatasetKey>,
    pub(super) added: Vec<(DatasetKey, renames::Addresses)>,
    pub(super) remote_ids: HashMap<DatasetKey, String>,
    /// Since when changes are asked for, where not all is.
    pub(super) changed_since: Option<jiff::civil::DateTime>,
    /// Of a dry run, where they were asked for: records as they would be, and what would be different.
    pub(super) records: Vec<DerivedRow>,
    pub(super) differences: Vec<Difference>,
    pub(super) different: u64,
    /// Records that other sources have too.
    pub(super) shared: u64,
    /// What became of records, until it is written.
    pub(super) items: Vec<Item>,
    /// Records that are not published, by name.
    pub(super) held_back: Vec<ItemError>,
    /// The syntax of the first page.
    pub(super) syntax: Option<Syntax>,
    /// What the source says of its catalogue.
    pub(super) catalogue: Option<OwnCatalogue>,
    /// The prefixes that all pages declare alike, where they declare some.
    pub(super) prefixes: Option<Prefixes>,
    /// The value that all records have of each property that a source shares.
    pub(super) examples: Examples,
    /// Classes and properties of which records have different values.
    pub(super) differing: HashSet<(String, String)>,
    /// Fields of a platform's records that no query reads.
    pub(super) unmapped: crate::convert::Unmapped,
    /// Terms of an RDF source that no query reads.
    pub(super) unread_terms: UnreadTerms,
}

/// The properties of which a source's records may all have one value, which a record that lacks it can have, too.
const SHARED: [NamedNodeRef<'_>; 5] =
    [dct::PUBLISHER, dct::LICENSE, dct::LANGUAGE, dct::SPATIAL, dcat::CONTACT_POINT];
/// Classes of which examples are kept, and how long a value may be.
const CLASSES: usize = 200;
const LONGEST_EXAMPLE: usize = 200;

impl State {
    /// Keeps the prefixes that every page declares for the same namespace.
    pub(super) fn note_prefixes(&mut self, declared: Option<&Prefixes>) {
        let Some(declared) = declared else { return };
        match &mut self.prefixes {
            Some(known) => known.retain(|prefix, namespace| declared.get(prefix) == Some(namespace)),
            None => self.prefixes = Some(declared.clone()),
        }
    }

    /// Keeps the value of each property that the source shares, by the class of what has it. A value that another record
    /// contradicts is no example: the title or the address of one dataset is wrong in another.
    pub(super) fn note_examples(&mut self, draft: &Draft) {
        let mut classes: HashMap<&NamedOrBlankNode, &str> = HashMap::new();
        for triple in draft.triples.iter().filter(|triple| triple.predicate == rdf::TYPE) {
            if let Term::NamedNode(class) = &triple.object {
                let name = class.as_str().rsplit(['#', '/']).next().unwrap_or_default();
                classes.entry(&triple.subject).or_insert(name);
            }
        }
        for triple in draft.triples.iter().filter(|triple| SHARED.contains(&triple.predicate.as_ref())) {
            if let Some(class) = classes.get(&triple.subject) {
                self.note_example(class, triple);
            }
        }
    }

    fn note_example(&mut self, class: &str, triple: &Triple) {
        let property = triple.predicate.as_str();
        let value = triple.object.to_string();
        match self.examples.get(class).and_then(|known| known.get(property)) {
            Some(known) if *known == value => {}
            Some(_) => {
                self.examples.get_mut(class).and_then(|known| known.remove(property));
                self.differing.insert((class.to_owned(), property.to_owned()));
            }
            None if self.examples.len() >= CLASSES || value.len() > LONGEST_EXAMPLE => {}
            None if value.contains("/.well-known/genid/") => {}
            None if self.differing.contains(&(class.to_owned(), property.to_owned())) => {}
            None => {
                self.examples.entry(class.to_owned()).or_default().insert(property.to_owned(), value);
            }
        }
    }

    /// A value that is found fault with is no example.
    pub(super) fn drop_examples(&mut self, findings: &[Finding]) {
        for finding in findings {
            let (Some(property), Some(value)) = (&finding.property, &finding.value) else { continue };
            for of_class in self.examples.values_mut() {
                if of_class.get(property) == Some(value) {
                    of_class.remove(property);
                }
            }
        }
    }
}

/// The first record of a key in a run.
#[derive(Debug)]
pub(super) struct FirstSeen {
    pub(super) place: String,
    pub(super) node: u64,
    pub(super) hash: GraphHash,
}

/// What waits for the store before it is noted in the operations database.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) rows: Vec<RecordRow>,
    pub(super) derived: Vec<DerivedRow>,
    pub(super) loading: Option<Loading>,
}

impl Pending {
    pub(super) fn take(&mut self) -> (Vec<RecordRow>, Vec<DerivedRow>) {
        (std::mem::take(&mut self.rows), std::mem::take(&mut self.derived))
    }
}

/// Where the time goes.
#[derive(Default)]
pub(super) struct Clock {
    pub(super) phases: Vec<(&'static str, Duration)>,
}

impl Clock {
    pub(super) fn measure<R>(&mut self, phase: &'static str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let outcome = work();
        self.add(phase, start.elapsed());
        outcome
    }

    /// The time of a phase so far.
    pub(super) fn of(&self, phase: &str) -> Duration {
        self.phases.iter().find(|(name, _)| *name == phase).map_or(Duration::ZERO, |(_, time)| *time)
    }

    pub(super) fn add(&mut self, phase: &'static str, time: Duration) {
        match self.phases.iter_mut().find(|(name, _)| *name == phase) {
            Some((_, total)) => *total += time,
            None => self.phases.push((phase, time)),
        }
    }
}
