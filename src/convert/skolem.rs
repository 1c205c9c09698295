//! IRIs for blank nodes, the same in every run (RDF 1.1, 3.5).
//!
//! A node's name is a hash of what it says: of its whole content, or for a distribution of its address,
//! so that an edited title does not make another distribution of it. Two nodes with the same content
//! say nothing twice and become one.

use crate::triples::{Graph, TermId};
use crate::vocab::{dcat, dct};
use oxrdf::{NamedNodeRef, Term};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What names a node when it has it, before its content does.
const NAMING: [NamedNodeRef<'static>; 3] = [dcat::DOWNLOAD_URL, dcat::ACCESS_URL, dct::IDENTIFIER];

/// The names of the blank nodes of one description.
pub(super) struct Skolem<'g> {
    graph: &'g Graph,
    /// `None` while a node is being hashed: meeting it again is a circle.
    hashes: FxHashMap<TermId, Option<String>>,
}

impl<'g> Skolem<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, hashes: FxHashMap::default() }
    }

    /// The last part of the node's IRI: 24 hexadecimal digits.
    pub(super) fn name(&mut self, node: TermId) -> String {
        let naming = self.naming(node);
        let text = if naming.is_empty() { self.content(node) } else { naming };
        crate::catalog::hex(&Sha256::digest(text.as_bytes())[..12])
    }

    /// Address and title of a distribution; empty when the node has no address.
    fn naming(&self, node: TermId) -> String {
        let mut found: Vec<String> = Vec::new();
        for predicate in NAMING {
            let values = self.graph.id(predicate).into_iter().flat_map(|p| self.graph.objects(node, p));
            found.extend(values.map(|value| self.graph.term(value).to_string()));
        }
        if found.is_empty() {
            return String::new();
        }
        // Layers of one service share their address, and differ in title.
        let titles = self.graph.id(dct::TITLE).into_iter().flat_map(|p| self.graph.objects(node, p));
        found.extend(titles.map(|title| self.graph.term(title).to_string()));
        found.sort();
        found.join("\n")
    }

    fn content(&mut self, node: TermId) -> String {
        match self.hashes.get(&node) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return "circle".to_owned(),
            None => {}
        }
        self.hashes.insert(node, None);
        let graph = self.graph;
        let mut lines: Vec<String> = graph
            .rows_of_subject(node)
            .iter()
            .map(|[_, predicate, object]| {
                let mut line = graph.term(*predicate).to_string();
                let _ = match graph.term(*object) {
                    Term::BlankNode(_) => write!(line, " [{}]", self.content(*object)),
                    term => write!(line, " {term}"),
                };
                line
            })
            .collect();
        lines.sort();
        let content = crate::catalog::hex(&Sha256::digest(lines.join("\n").as_bytes())[..12]);
        self.hashes.insert(node, Some(content.clone()));
        content
    }
}
