//! IRIs for blank nodes, the same in every run (RDF 1.1, 3.5).
//!
//! A node's name is a hash of what it says: of its whole content, or for a distribution of where it leads
//! and as what, so that an edited description does not make another distribution of it. Two nodes with the same content
//! say nothing twice and become one.

use crate::triples::{Graph, TermId};
use crate::vocab::{dcat, dct};
use oxrdf::{NamedNodeRef, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What names a distribution, before its content does: where it leads, and as what.
const NAMING: [NamedNodeRef<'static>; 8] = [
    dcat::DOWNLOAD_URL,
    dcat::ACCESS_URL,
    dct::IDENTIFIER,
    dct::TITLE,
    dct::FORMAT,
    dcat::MEDIA_TYPE,
    dct::CONFORMS_TO,
    dcat::ACCESS_SERVICE,
];
/// One of these at least must be there.
const LEADING: [NamedNodeRef<'static>; 3] = [dcat::DOWNLOAD_URL, dcat::ACCESS_URL, dct::IDENTIFIER];

/// The names of the blank nodes of one description.
pub(super) struct Skolem<'g> {
    graph: &'g Graph,
    /// `None` while a node is being hashed: meeting it again is a circle.
    hashes: FxHashMap<TermId, Option<String>>,
    /// What names distributions, where it names one alone.
    distributions: FxHashMap<TermId, String>,
}

impl<'g> Skolem<'g> {
    /// For the statements of one record, rows of the graph.
    pub(super) fn new(graph: &'g Graph, rows: &[[TermId; 3]]) -> Self {
        let mut skolem = Self { graph, hashes: FxHashMap::default(), distributions: FxHashMap::default() };
        skolem.name_distributions(rows);
        skolem
    }

    /// The last part of the node's IRI: 24 hexadecimal digits.
    pub(super) fn name(&mut self, node: TermId) -> String {
        let text = match self.distributions.get(&node) {
            Some(naming) => naming.clone(),
            None => self.content(node),
        };
        crate::catalog::hex(&Sha256::digest(text.as_bytes())[..12])
    }

    /// Two distributions that say the same of where they lead are told apart by all that they say.
    fn name_distributions(&mut self, rows: &[[TermId; 3]]) {
        let graph = self.graph;
        let Some(predicate) = graph.id(dcat::HAS_DISTRIBUTION) else { return };
        let objects = rows.iter().filter(|row| row[1] == predicate).map(|row| row[2]);
        let nodes: FxHashSet<TermId> = objects.filter(|node| graph.term(*node).is_blank_node()).collect();
        let mut by_naming: FxHashMap<String, Vec<TermId>> = FxHashMap::default();
        for node in nodes {
            let naming = self.naming(node);
            if !naming.is_empty() {
                by_naming.entry(naming).or_default().push(node);
            }
        }
        for (naming, nodes) in by_naming {
            if let [node] = nodes.as_slice() {
                self.distributions.insert(*node, naming);
            }
        }
    }

    /// Where a distribution leads and as what; empty when it leads nowhere.
    fn naming(&mut self, node: TermId) -> String {
        let graph = self.graph;
        let values = |predicate| graph.id(predicate).into_iter().flat_map(move |p| graph.objects(node, p));
        if LEADING.iter().all(|predicate| values(*predicate).next().is_none()) {
            return String::new();
        }
        let mut found: Vec<String> = Vec::new();
        for value in NAMING.iter().flat_map(|predicate| values(*predicate)) {
            found.push(match graph.term(value) {
                Term::BlankNode(_) => self.content(value),
                term => term.to_string(),
            });
        }
        found.sort();
        found.join("\n")
    }

    /// A hash of all that a node says, and of what the blank nodes below it say. Lists may be ten thousand
    /// blank nodes deep, so the way down is kept here and not on the thread's stack.
    fn content(&mut self, node: TermId) -> String {
        if let Some(known) = self.hashes.get(&node) {
            return known.clone().unwrap_or_else(circle);
        }
        self.hashes.insert(node, None);
        let mut way = vec![(node, 0)];
        while let Some((node, next)) = way.last_mut() {
            let rows = self.graph.rows_of_subject(*node);
            let below = rows[*next..].iter().position(|[_, _, object]| {
                self.graph.term(*object).is_blank_node() && !self.hashes.contains_key(object)
            });
            if let Some(offset) = below {
                let object = rows[*next + offset][2];
                *next += offset + 1;
                self.hashes.insert(object, None);
                way.push((object, 0));
            } else {
                let hash = self.hash_of(*node);
                self.hashes.insert(*node, Some(hash));
                way.pop();
            }
        }
        self.hashes[&node].clone().unwrap_or_else(circle)
    }

    /// The hash of a node whose blank nodes are hashed, but for those that lead back to it.
    fn hash_of(&self, node: TermId) -> String {
        let mut lines: Vec<String> = self
            .graph
            .rows_of_subject(node)
            .iter()
            .map(|[_, predicate, object]| {
                let mut line = self.graph.term(*predicate).to_string();
                // Writing to a String cannot fail.
                let _ = match self.graph.term(*object) {
                    Term::BlankNode(_) => {
                        let content = self.hashes.get(object).cloned().flatten().unwrap_or_else(circle);
                        write!(line, " [{content}]")
                    }
                    term => write!(line, " {term}"),
                };
                line
            })
            .collect();
        lines.sort();
        crate::catalog::hex(&Sha256::digest(lines.join("\n").as_bytes())[..12])
    }
}

fn circle() -> String {
    "circle".to_owned()
}
