//! What a page says of its nodes, gathered triple by triple: who is a record, and until where each
//! node is spoken of.

use crate::vocab::{dcat, dct, foaf, rdf};
use oxrdf::{NamedNodeRef, NamedOrBlankNodeRef, Term, TermRef, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{BuildHasher, Hash};

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
    lives: Option<FxHashMap<NodeHash, Life>>,
    run: Run,
    position: u32,
}

/// Triples in a row about one subject. Portals repeat the description of a publisher beside each of its
/// datasets: a repeated run says nothing new, and must not keep every dataset waiting for the last.
#[derive(Debug, Default)]
struct Run {
    subject: NodeHash,
    /// The sum of the triples' hashes: the same for the same triples in any order.
    content: u32,
    /// The subject's last position before the run.
    before: u32,
}

/// The positions of the last triples about a node.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    subject: u32,
    object: u32,
    topic: u32,
    /// What its first run said.
    content: u32,
}

impl Census {
    /// A census for a page that is read whole.
    #[must_use]
    pub fn of_roles() -> Self {
        Self::default()
    }

    /// A census for a page that will be read a second time, in windows.
    #[must_use]
    pub fn of_roles_and_lives() -> Self {
        Self { lives: Some(FxHashMap::default()), ..Self::default() }
    }

    /// Takes one triple into account.
    pub fn observe(&mut self, triple: &Triple) {
        self.position += 1;
        let subject = self.hash(triple.subject.as_ref());
        let predicate = triple.predicate.as_ref();
        let object = node_of(&triple.object).map(|object| self.hash(object));
        self.observe_role(subject, predicate, &triple.object, object);
        if self.lives.is_none() {
            return;
        }
        self.observe_run(subject, triple);
        let position = self.position;
        let Some(lives) = &mut self.lives else { return };
        lives.entry(subject).or_default().subject = position;
        // The catalogue's list of its datasets says nothing about them, and often stands last.
        if let Some(object) = object.filter(|_| predicate != dcat::HAS_DATASET && predicate != rdf::TYPE) {
            let life = lives.entry(object).or_default();
            life.object = position;
            if predicate == foaf::PRIMARY_TOPIC {
                life.topic = position;
            }
        }
    }

    fn observe_run(&mut self, subject: NodeHash, triple: &Triple) {
        if self.run.subject != subject {
            self.end_run();
            let before = self.lives.as_ref().and_then(|lives| lives.get(&subject)).map_or(0, |life| life.subject);
            self.run = Run { subject, content: 0, before };
        }
        // Half a hash is enough: it is compared with the other runs of one subject alone.
        let content = (self.hasher.hash_one((&triple.predicate, &triple.object)) >> 32) as u32;
        self.run.content = self.run.content.wrapping_add(content);
    }

    /// Takes back what a repeated run did to its subject's life.
    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let Some(life) = self.lives.as_mut().and_then(|lives| lives.get_mut(&run.subject)) else { return };
        if run.before == 0 {
            life.content = run.content;
        } else if life.content == run.content {
            life.subject = run.before;
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

    /// Forgets the lives of nodes that the page does not describe.
    pub fn finish(&mut self) {
        self.end_run();
        if let Some(lives) = &mut self.lives {
            lives.retain(|_, life| life.subject > 0);
            lives.shrink_to_fit();
        }
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

    /// Whether the page will be read a second time, in windows.
    #[must_use]
    pub fn has_lives(&self) -> bool {
        self.lives.is_some()
    }

    /// Whether a page with lives says something about a node.
    #[must_use]
    pub fn is_described(&self, node: NodeHash) -> bool {
        self.life(node).is_some()
    }

    /// Whether nothing about a node comes after a position; always, for a page read whole.
    #[must_use]
    pub fn is_described_by(&self, node: NodeHash, position: u32) -> bool {
        self.life(node).is_none_or(|life| life.subject <= position && life.topic <= position)
    }

    /// Whether a node is neither described nor referred to after a position.
    #[must_use]
    pub fn is_over_by(&self, node: NodeHash, position: u32) -> bool {
        self.life(node).is_none_or(|life| life.subject <= position && life.object <= position)
    }

    fn life(&self, node: NodeHash) -> Option<&Life> {
        self.lives.as_ref().and_then(|lives| lives.get(&node))
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
