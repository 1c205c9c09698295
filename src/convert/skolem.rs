//! IRIs for blank nodes, the same in every run (RDF 1.1, 3.5).
//!
//! A node's name is a hash of what it says: of its whole content, or for a distribution of where it leads
//! and as what, so that an edited description does not make another distribution of it. Two nodes with the same content
//! say nothing twice and become one.
//!
//! The order of the statements decides nothing, also where nodes lead to one another in a circle: these are hashed
//! together, each by what it says of the others, until that tells no more of them apart.

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

/// Hashes that the nodes of a circle may take: one of ten thousand nodes must not take a day.
const MOST_HASHES: usize = 200_000;

/// The names of the blank nodes of one description.
pub(super) struct Skolem<'g> {
    graph: &'g Graph,
    /// The node that is described. It is told by its key, so what leads back to it closes no circle.
    root: TermId,
    hashes: FxHashMap<TermId, String>,
    /// What names distributions, where it names one alone.
    distributions: FxHashMap<TermId, String>,
}

impl<'g> Skolem<'g> {
    /// For the statements of one record, rows of the graph.
    pub(super) fn new(graph: &'g Graph, root: TermId, rows: &[[TermId; 3]]) -> Self {
        let mut skolem = Self { graph, root, hashes: FxHashMap::default(), distributions: FxHashMap::default() };
        skolem.name_distributions(rows);
        skolem
    }

    /// The last part of the node's IRI: 24 hexadecimal digits.
    pub(super) fn name(&mut self, node: TermId) -> String {
        match self.distributions.get(&node) {
            Some(naming) => digest(naming),
            None => digest(&self.content(node)),
        }
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
                Term::BlankNode(_) if value != self.root => self.content(value),
                Term::BlankNode(_) => RECORD.to_owned(),
                term => term.to_string(),
            });
        }
        found.sort();
        found.join("\n")
    }

    /// A hash of all that a node says, and of what the blank nodes below it say. Nodes are hashed from below, those of a
    /// circle together (Tarjan, 1972). Lists may be ten thousand blank nodes deep, so the way down is kept here and not
    /// on the thread's stack.
    fn content(&mut self, node: TermId) -> String {
        if let Some(known) = self.hashes.get(&node) {
            return known.clone();
        }
        // Most nodes have nothing below that is not hashed.
        if !self.graph.rows_of_subject(node).iter().any(|row| self.is_awaited(row[2])) {
            self.hash_together(&[node]);
            return self.hashes[&node].clone();
        }
        let mut search = Search::default();
        search.meet(node);
        while let Some((node, next)) = search.way.last_mut() {
            let node = *node;
            let row = self.graph.rows_of_subject(node).get(*next);
            *next += 1;
            match row {
                Some([_, _, object]) if self.is_awaited(*object) => search.follow(node, *object),
                Some(_) => {}
                None => {
                    if let Some(together) = search.leave(node) {
                        self.hash_together(&together);
                    }
                }
            }
        }
        self.hashes[&node].clone()
    }

    /// Whether an object is a node that must be hashed before those above it.
    fn is_awaited(&self, object: TermId) -> bool {
        object != self.root && self.graph.term(object).is_blank_node() && !self.hashes.contains_key(&object)
    }

    /// Hashes one node, or those that lead to one another.
    fn hash_together(&mut self, nodes: &[TermId]) {
        let leads_to_itself = |node| self.graph.rows_of_subject(node).iter().any(|row| row[2] == node);
        if let [node] = nodes
            && !leads_to_itself(*node)
        {
            let hash = self.hash_of(*node, &FxHashMap::default());
            self.hashes.insert(*node, hash);
        } else {
            let hashes = self.hashes_of_circle(nodes);
            self.hashes.extend(nodes.iter().copied().zip(hashes));
        }
    }

    /// The hashes of nodes that lead to one another: each round a node tells what its neighbours told in the one before,
    /// until that tells no more nodes apart.
    fn hashes_of_circle(&self, nodes: &[TermId]) -> Vec<String> {
        let told_apart = |hashes: &[String]| hashes.iter().collect::<FxHashSet<_>>().len();
        let round = |known: &[String]| -> Vec<String> {
            let known = nodes.iter().copied().zip(known.iter().map(String::as_str)).collect();
            nodes.iter().map(|node| self.hash_of(*node, &known)).collect()
        };
        let mut hashes = round(&[]);
        let mut is_finished = false;
        for _ in 0..MOST_HASHES / nodes.len() {
            // One round more than tells apart, so that each hash tells where its node leads.
            let next = round(&hashes);
            is_finished = told_apart(&next) == told_apart(&hashes);
            hashes = next;
            if is_finished {
                break;
            }
        }
        let mut all: Vec<&str> = hashes.iter().map(String::as_str).collect();
        all.sort_unstable();
        let circle = all.join("\n");
        let name = |(position, hash): (usize, &String)| {
            // Better named by the order of statements than taken for another node.
            let position = if is_finished { 0 } else { position };
            digest(&format!("{hash}\n{position}\n{circle}"))
        };
        hashes.iter().enumerate().map(name).collect()
    }

    /// The hash of a node; what nodes of its circle say is what is known of them so far.
    fn hash_of(&self, node: TermId, circle: &FxHashMap<TermId, &str>) -> String {
        let mut lines: Vec<String> = self
            .graph
            .rows_of_subject(node)
            .iter()
            .map(|[_, predicate, object]| {
                let mut line = self.graph.term(*predicate).to_string();
                // Writing to a String cannot fail.
                let _ = match self.graph.term(*object) {
                    Term::BlankNode(_) if *object == self.root => write!(line, " {RECORD}"),
                    Term::BlankNode(_) => {
                        let content = self.hashes.get(object).map(String::as_str);
                        write!(line, " [{}]", content.or_else(|| circle.get(object).copied()).unwrap_or("circle"))
                    }
                    term => write!(line, " {term}"),
                };
                line
            })
            .collect();
        lines.sort();
        digest(&lines.join("\n"))
    }
}

/// Stands for the node that is described.
const RECORD: &str = "[record]";

fn digest(text: &str) -> String {
    crate::catalog::hex(&Sha256::digest(text.as_bytes())[..12])
}

/// A search for nodes that lead to one another.
#[derive(Default)]
struct Search {
    /// The nodes from the first to the present one, each with its next statement.
    way: Vec<(TermId, usize)>,
    /// Nodes that were met and are in no finished circle.
    open: Vec<TermId>,
    /// When each node was met, and the first open node that is known to be reached from it.
    met: FxHashMap<TermId, (usize, usize)>,
}

impl Search {
    fn meet(&mut self, node: TermId) {
        let number = self.met.len();
        self.met.insert(node, (number, number));
        self.open.push(node);
        self.way.push((node, 0));
    }

    /// Goes on to a node that is not finished.
    fn follow(&mut self, from: TermId, to: TermId) {
        match self.met.get(&to) {
            Some((number, _)) => self.reaches(from, *number),
            None => self.meet(to),
        }
    }

    fn reaches(&mut self, node: TermId, number: usize) {
        if let Some((_, first)) = self.met.get_mut(&node) {
            *first = number.min(*first);
        }
    }

    /// Goes back from the last node. Returns the nodes that are finished with it: itself and those of its circle.
    fn leave(&mut self, node: TermId) -> Option<Vec<TermId>> {
        self.way.pop();
        let (number, first) = self.met[&node];
        if let Some((above, _)) = self.way.last() {
            self.reaches(*above, first);
        }
        let at = self.open.iter().rposition(|open| *open == node).filter(|_| number == first)?;
        Some(self.open.split_off(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::{BlankNode, NamedNode, NamedOrBlankNode, Triple};

    /// The names of blank nodes by their labels; the record is `d`.
    fn names(statements: &[&str]) -> Vec<(String, String)> {
        let node = |text: &str| -> NamedOrBlankNode {
            match text.strip_prefix("_:") {
                Some(label) => BlankNode::new_unchecked(label).into(),
                None => NamedNode::new_unchecked(format!("http://e/{text}")).into(),
            }
        };
        let triple = |line: &&str| {
            let parts: Vec<&str> = line.split(' ').collect();
            let predicate = NamedNode::new_unchecked(format!("http://e/{}", parts[1]));
            Triple::new(node(parts[0]), predicate, node(parts[2]))
        };
        // Terms are numbered in the order of the lines.
        let triples: Vec<Triple> = statements.iter().map(triple).collect();
        let graph = Graph::of(&triples);
        let root = graph.id(node("_:d").as_ref()).expect("the record is described");
        let mut skolem = Skolem::new(&graph, root, graph.rows());
        let mut names: Vec<(String, String)> = triples
            .iter()
            .filter_map(|triple| match &triple.subject {
                NamedOrBlankNode::BlankNode(blank) => {
                    let id = graph.id(blank.as_ref()).expect("a term of the graph");
                    Some((blank.as_str().to_owned(), skolem.name(id)))
                }
                NamedOrBlankNode::NamedNode(_) => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn assert_same_in_any_order(statements: &[&str]) {
        let expected = names(statements);
        for turn in 0..statements.len() {
            let mut turned = statements.to_vec();
            turned.rotate_left(turn);
            assert_eq!(names(&turned), expected);
            turned.reverse();
            assert_eq!(names(&turned), expected);
        }
    }

    fn distinct(names: &[(String, String)]) -> usize {
        names.iter().map(|(_, name)| name).collect::<FxHashSet<_>>().len()
    }

    #[test]
    fn the_order_of_statements_names_nothing_in_a_circle() {
        assert_same_in_any_order(&[
            "_:d about _:r",
            "_:r topic _:d",
            "_:r source _:o",
            "_:o topic _:d",
            "_:o is a",
        ]);
        assert_same_in_any_order(&["_:d has _:p", "_:p is p", "_:p part _:q", "_:q is q", "_:q whole _:p"]);
        let deep = ["_:d has _:p", "_:p next _:q", "_:q next _:r", "_:r next _:p", "_:r end _:s", "_:s is s"];
        assert_same_in_any_order(&deep);
    }

    #[test]
    fn an_edit_of_the_record_renames_nothing_that_leads_back_to_it() {
        let record = |names: Vec<(String, String)>| names.into_iter().find(|(label, _)| label == "r");
        let before = record(names(&["_:d about _:r", "_:r topic _:d", "_:d is a"]));
        let after = record(names(&["_:d about _:r", "_:r topic _:d", "_:d is b"]));
        assert!(before.is_some());
        assert_eq!(before, after);
    }

    #[test]
    fn circles_that_say_other_things_are_told_apart() {
        // The same three nodes, one way round and the other.
        let both = [
            "_:a is a",
            "_:b is b",
            "_:c is c",
            "_:a next _:b",
            "_:b next _:c",
            "_:c next _:a",
            "_:x is a",
            "_:y is b",
            "_:z is c",
            "_:x next _:z",
            "_:z next _:y",
            "_:y next _:x",
            "_:d has _:a",
        ];
        assert_eq!(distinct(&names(&both)), 7);
        let twins = ["_:d has _:a", "_:d has _:x", "_:a next _:b", "_:b next _:a", "_:x next _:y", "_:y next _:x"];
        assert_eq!(distinct(&names(&twins)), 2);
        let one_differs = [&twins[..], &["_:y is y"]].concat();
        assert_eq!(distinct(&names(&one_differs)), 4);
    }

    #[test]
    fn the_nodes_of_a_long_circle_stay_apart() {
        let lines: Vec<String> = (0..2_000).map(|n| format!("_:n{n} next _:n{}", (n + 1) % 2_000)).collect();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.extend(["_:d has _:n0", "_:n0 is first"]);
        assert_eq!(distinct(&names(&lines)), 2_001);
    }

    #[test]
    fn a_long_list_does_not_end_the_stack() {
        let lines: Vec<String> = (0..20_000).map(|n| format!("_:n{n} next _:n{}", n + 1)).collect();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.push("_:d has _:n0");
        assert_eq!(distinct(&names(&lines)), 20_001);
    }
}
