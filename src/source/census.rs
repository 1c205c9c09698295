//! What a page says of its nodes, gathered triple by triple: who is a record, and until where each
//! node is spoken of.

use super::lives::{Life, Lives, Mention};
use crate::vocab::{dcat, dct, foaf, rdf};
use oxrdf::{NamedNodeRef, NamedOrBlankNodeRef, Term, TermRef, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{BuildHasher, Hash};
use std::io;

/// A node by its hash: a page may have millions.
pub(super) type NodeHash = u64;

/// How records refer to others.
const MENTIONING: [NamedNodeRef<'static>; 5] =
    [dcat::SERVES_DATASET, dcat::IN_SERIES, dct::HAS_PART, dct::IS_PART_OF, dct::RELATION];

/// The roles and lives of a page's nodes.
#[derive(Debug, Default)]
pub struct Census {
    hasher: std::hash::RandomState,
    datasets: FxHashSet<NodeHash>,
    series: FxHashSet<NodeHash>,
    services: FxHashSet<NodeHash>,
    catalogues: FxHashSet<NodeHash>,
    access_services: FxHashSet<NodeHash>,
    listed_services: FxHashSet<NodeHash>,
    listed: FxHashSet<NodeHash>,
    titled: FxHashSet<NodeHash>,
    mentioned: FxHashSet<NodeHash>,
    reading: Reading,
}

/// How a page is read.
#[derive(Debug, Default)]
enum Reading {
    /// At once: nothing comes later.
    #[default]
    Whole,
    /// In blocks, which are put aside.
    Blocks(Box<Lives>),
    /// Block by block out of what was put aside, all lives being known.
    Windows(FxHashMap<NodeHash, Life>),
}

impl Census {
    /// A census for a page that is read whole.
    #[must_use]
    pub fn of_roles() -> Self {
        Self::default()
    }

    /// A census for a page whose windows are made later, each of whole blocks.
    #[must_use]
    pub fn of_roles_and_lives() -> Self {
        Self { reading: Reading::Blocks(Box::default()), ..Self::default() }
    }

    /// Takes one triple into account.
    pub fn observe(&mut self, triple: &Triple) {
        let subject = self.hash(triple.subject.as_ref());
        let predicate = triple.predicate.as_ref();
        let object = node_of(&triple.object).map(|object| self.hash(object));
        self.observe_role(subject, predicate, &triple.object, object);
        let Reading::Blocks(lives) = &mut self.reading else { return };
        lives.describe(subject, self.hasher.hash_one((&triple.predicate, &triple.object)));
        // The catalogue's list of its datasets says nothing about them, and often stands last.
        if let Some(object) = object.filter(|_| predicate != dcat::HAS_DATASET && predicate != rdf::TYPE) {
            lives.mention(object, if predicate == foaf::PRIMARY_TOPIC { Mention::Topic } else { Mention::Object });
        }
    }

    /// Ends a block of the page; the last one ends with it.
    pub fn end_block(&mut self) {
        if let Reading::Blocks(lives) = &mut self.reading {
            lives.end_block();
        }
    }

    fn observe_role(
        &mut self,
        subject: NodeHash,
        predicate: NamedNodeRef<'_>,
        object: &Term,
        object_hash: Option<NodeHash>,
    ) {
        if predicate == rdf::TYPE {
            let Term::NamedNode(class) = object else { return };
            let set = match class.as_ref() {
                dcat::DATASET => &mut self.datasets,
                dcat::DATASET_SERIES => &mut self.series,
                dcat::DATA_SERVICE => &mut self.services,
                dcat::CATALOG => &mut self.catalogues,
                _ => return,
            };
            set.insert(subject);
        } else if predicate == dct::TITLE {
            self.titled.insert(subject);
        } else if let Some(object) = object_hash {
            if predicate == dcat::ACCESS_SERVICE {
                self.access_services.insert(object);
            } else if predicate == dcat::SERVICE {
                self.listed_services.insert(object);
            } else if MENTIONING.contains(&predicate) {
                self.mentioned.insert(object);
            } else if predicate == dcat::HAS_DATASET {
                self.listed.insert(object);
            }
        }
    }

    /// Ends the page.
    ///
    /// # Errors
    /// When what was put aside in a temporary file cannot be written or read.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Reading::Blocks(lives) = std::mem::take(&mut self.reading) {
            self.reading = Reading::Windows(lives.finish()?);
        }
        Ok(())
    }

    /// The hash of a node in this census.
    pub fn hash<'t>(&self, node: impl Into<NodeRef<'t>>) -> NodeHash {
        self.hasher.hash_one(node.into())
    }

    /// Whether a node is a catalogue: it ends a record's description, and is none itself.
    #[must_use]
    pub fn is_catalogue(&self, node: NodeHash) -> bool {
        self.catalogues.contains(&node)
    }

    /// Whether a triple is one of a catalogue's list of datasets, which no record's description holds.
    pub(super) fn is_in_a_list(&self, triple: &Triple) -> bool {
        triple.predicate == dcat::HAS_DATASET && self.is_catalogue(self.hash(triple.subject.as_ref()))
    }

    /// What kind of record a node is, if any.
    ///
    /// A node typed twice is one record; a service that distributions are accessed by and that no catalogue
    /// lists is none; a node that a catalogue lists is a dataset also where its type is missing.
    #[must_use]
    pub fn kind(&self, node: NodeHash) -> Option<crate::catalog::RecordKind> {
        use crate::catalog::RecordKind;
        if self.is_catalogue(node) {
            None
        } else if self.series.contains(&node) {
            Some(RecordKind::Series)
        } else if self.datasets.contains(&node) || (self.listed.contains(&node) && self.titled.contains(&node)) {
            Some(RecordKind::Dataset)
        } else if self.services.contains(&node)
            && (self.listed_services.contains(&node) || !self.access_services.contains(&node))
        {
            Some(RecordKind::Service)
        } else {
            None
        }
    }

    /// Whether a catalogue lists a node among its datasets.
    #[must_use]
    pub fn is_listed(&self, node: NodeHash) -> bool {
        self.listed.contains(&node)
    }

    /// Whether another record refers to a node.
    #[must_use]
    pub fn is_mentioned(&self, node: NodeHash) -> bool {
        self.mentioned.contains(&node)
    }

    /// Whether the page is read in windows.
    pub(super) fn has_lives(&self) -> bool {
        matches!(self.reading, Reading::Windows(_))
    }

    /// Whether nothing about a node comes after the end of a block; always, for a page read whole.
    pub(super) fn is_described_by(&self, node: NodeHash, block: u32) -> bool {
        self.life(node).is_none_or(|life| life.described <= block && life.topic <= block)
    }

    /// Whether a node is neither described nor referred to after the end of a block.
    pub(super) fn is_over_by(&self, node: NodeHash, block: u32) -> bool {
        self.life(node).is_none_or(|life| life.described <= block && life.mentioned <= block)
    }

    fn life(&self, node: NodeHash) -> Option<&Life> {
        match &self.reading {
            Reading::Windows(lives) => lives.get(&node),
            Reading::Whole | Reading::Blocks(_) => None,
        }
    }
}

/// A node as it is hashed: the same for a subject and for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeRef<'t> {
    /// An IRI.
    Iri(&'t str),
    /// A blank node's label.
    Blank(&'t str),
}

impl<'t> From<NamedOrBlankNodeRef<'t>> for NodeRef<'t> {
    fn from(node: NamedOrBlankNodeRef<'t>) -> Self {
        match node {
            NamedOrBlankNodeRef::NamedNode(node) => Self::Iri(node.as_str()),
            NamedOrBlankNodeRef::BlankNode(node) => Self::Blank(node.as_str()),
        }
    }
}

/// The node that a term is, unless it is a literal.
pub(super) fn node_of(term: &Term) -> Option<NodeRef<'_>> {
    match term.as_ref() {
        TermRef::NamedNode(node) => Some(NodeRef::Iri(node.as_str())),
        TermRef::BlankNode(node) => Some(NodeRef::Blank(node.as_str())),
        TermRef::Literal(_) => None,
    }
}
