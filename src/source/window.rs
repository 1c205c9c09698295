//! Windows: stretches of a page that hold whole records.

use super::block::Block;
use super::census::{Census, node_of};
use super::lineage::Lineage;
use crate::catalog::RecordKind;
use crate::lift::LiftedTriple;
use crate::triples::{Graph, GraphBuilder, TermId};
use crate::vocab::{dct, foaf, rdf};
use oxrdf::Triple;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A description larger than this is not one: it drags half the catalogue along.
const MAX_DESCRIPTION: usize = 100_000;

/// Triples that hold some whole records.
#[derive(Debug)]
pub struct Window {
    /// The triples, with more than the records' own.
    pub graph: Graph,
    /// The records that are whole.
    pub roots: Vec<Root>,
    /// The line at which each node was first described.
    pub lines: FxHashMap<TermId, u32>,
    /// The nodes whose description the next window has too.
    pub lasting: FxHashSet<TermId>,
}

/// A record in a window: its node and all triples of its description.
#[derive(Debug)]
pub struct Root {
    /// The record's node.
    pub node: TermId,
    /// What it is.
    pub kind: RecordKind,
    /// Its description, each triple once.
    pub rows: Vec<[TermId; 3]>,
    /// The platform's record that it came of, where it was mapped.
    pub origin: Option<Origin>,
}

/// The platform's record that a root came of.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Where the publisher can look at it alone.
    pub page: String,
    /// What the catalogue calls it, where that is another identifier than the one that the record states.
    pub id: Option<String>,
    /// Where in it each piece stands, where that is known.
    pub lineage: Option<Arc<Lineage>>,
}

/// The window of triples that are whole.
#[must_use]
pub fn window_of(triples: &[Triple]) -> Window {
    let mut census = Census::of_roles();
    let mut windower = Windower::default();
    for triple in triples {
        census.observe(triple);
        windower.add_kept(triple, 0);
    }
    windower.close(&census, u32::MAX)
}

/// Collects triples and gives windows.
#[derive(Debug, Default)]
pub(super) struct Windower {
    builder: GraphBuilder,
    lines: FxHashMap<TermId, u32>,
}

impl Windower {
    pub(super) fn add(&mut self, lifted: &LiftedTriple) {
        self.add_kept(&lifted.triple, lifted.line);
    }

    fn add_kept(&mut self, triple: &Triple, line: u32) {
        let [subject, ..] = self.builder.insert_numbered(triple);
        self.lines.entry(subject).or_insert(line);
    }

    /// Adds a block of the page.
    pub(super) fn add_block(&mut self, block: &Block) {
        let ids: Vec<TermId> = block.terms.iter().map(|term| self.builder.intern(term)).collect();
        for row in &block.rows {
            self.builder.insert_row(row.map(|id| ids[id as usize]));
        }
        for (subject, line) in &block.lines {
            self.lines.entry(ids[*subject as usize]).or_insert(*line);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.builder.len()
    }

    /// Closes the window at the end of a block of the page, and starts the next with what is unfinished.
    pub(super) fn close(&mut self, census: &Census, block: u32) -> Window {
        let builder = std::mem::take(&mut self.builder);
        let lines = std::mem::take(&mut self.lines);
        let graph = builder.build();
        let nodes = Nodes { graph: &graph, census };
        let (whole, unfinished) = nodes.records(block);
        let kept = nodes.unfinished_rows(&whole, &unfinished, block);
        let lasting = kept.iter().map(|row| row[0]).collect();
        for row in kept {
            let triple = triple_of(&graph, row);
            let line = lines.get(&row[0]).copied().unwrap_or(0);
            self.add_kept(&triple, line);
        }
        Window { roots: whole, graph, lines, lasting }
    }
}

fn triple_of(graph: &Graph, [s, p, o]: [TermId; 3]) -> Triple {
    Triple::from_terms(graph.term(s).clone(), graph.term(p).clone(), graph.term(o).clone())
        .expect("the row was made of a triple")
}

struct Nodes<'w> {
    graph: &'w Graph,
    census: &'w Census,
}

impl Nodes<'_> {
    /// The records of the window, whole ones first, then those that go on behind it.
    fn records(&self, block: u32) -> (Vec<Root>, Vec<Root>) {
        let mut whole = Vec::new();
        let mut unfinished = Vec::new();
        let mut last = None;
        for [subject, _, _] in self.graph.rows() {
            if last.replace(*subject) == Some(*subject) {
                continue;
            }
            let Some(kind) = self.hash(*subject).and_then(|hash| self.census.kind(hash)) else { continue };
            if self.is_stub(*subject) {
                continue;
            }
            let root = Root { node: *subject, kind, rows: self.description(*subject), origin: None };
            if self.is_whole(&root, block) { whole.push(root) } else { unfinished.push(root) }
        }
        (whole, unfinished)
    }

    fn hash(&self, node: TermId) -> Option<u64> {
        node_of(self.graph.term(node)).map(|node| self.census.hash(node))
    }

    /// Whether nothing that the description holds or leads to is described behind the block.
    fn is_whole(&self, root: &Root, block: u32) -> bool {
        if !self.census.has_lives() {
            return true;
        }
        let mut nodes: Vec<TermId> = root.rows.iter().flat_map(|row| [row[0], row[2]]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
            .into_iter()
            .filter(|node| *node == root.node || !self.is_boundary(*node))
            .filter_map(|node| self.hash(node))
            .all(|node| self.census.is_described_by(node, block))
    }

    /// A record that others only mention: unlisted, and with nothing but its type and identifier. One that
    /// nobody mentions is a record, if a poor one.
    fn is_stub(&self, node: TermId) -> bool {
        let says_nothing = self.graph.rows_of_subject(node).iter().all(|row| {
            let predicate = self.graph.term(row[1]).as_ref();
            predicate == rdf::TYPE.into() || predicate == dct::IDENTIFIER.into()
        });
        let hash = self.hash(node);
        says_nothing && hash.is_some_and(|hash| self.census.is_mentioned(hash) && !self.census.is_listed(hash))
    }

    /// All that the page says of a record: what its node leads to, up to other records and catalogues,
    /// and the catalogue records whose topic it is.
    fn description(&self, root: TermId) -> Vec<[TermId; 3]> {
        let mut seen = FxHashSet::default();
        let mut frontier = vec![root];
        seen.insert(root);
        if let Some(topic) = self.graph.id(foaf::PRIMARY_TOPIC) {
            for record in self.graph.subjects(topic, root) {
                if seen.insert(record) {
                    frontier.push(record);
                }
            }
        }
        let mut rows = Vec::new();
        while let Some(node) = frontier.pop() {
            for row in self.graph.rows_of_subject(node) {
                rows.push(*row);
                let object = row[2];
                let leads_on = !self.graph.rows_of_subject(object).is_empty() && !self.is_boundary(object);
                if leads_on && rows.len() < MAX_DESCRIPTION && seen.insert(object) {
                    frontier.push(object);
                }
            }
        }
        rows
    }

    fn is_boundary(&self, node: TermId) -> bool {
        self.hash(node).is_some_and(|hash| self.census.kind(hash).is_some() || self.census.is_catalogue(hash))
    }

    /// The triples that the next window needs: those of unfinished records, and of nodes that are
    /// spoken of again.
    fn unfinished_rows(&self, whole: &[Root], unfinished: &[Root], block: u32) -> Vec<[TermId; 3]> {
        let given: FxHashSet<TermId> = whole.iter().map(|root| root.node).collect();
        let needed: FxHashSet<TermId> =
            unfinished.iter().flat_map(|root| root.rows.iter().map(|row| row[0])).collect();
        let mut kept = Vec::new();
        let mut current: Option<(TermId, bool)> = None;
        for row in self.graph.rows() {
            let keep = match current {
                Some((subject, keep)) if subject == row[0] => keep,
                _ => {
                    let is_over = self.hash(row[0]).is_none_or(|hash| self.census.is_over_by(hash, block));
                    !given.contains(&row[0]) && (needed.contains(&row[0]) || !is_over)
                }
            };
            current = Some((row[0], keep));
            if keep {
                kept.push(*row);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Body;
    use crate::lift::{Contexts, Input, read};
    use crate::source::block::{Aside, BlockBuilder, Cutter};
    use oxrdfio::RdfFormat;
    use std::collections::BTreeMap;

    const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
        @prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix e: <http://e/> .\n";

    /// The records of a text, read in windows of blocks of some triples, as their numbers of triples.
    fn records(text: &str, block: usize) -> BTreeMap<String, usize> {
        let page = url::Url::parse("http://e/catalogue").unwrap();
        let body = Body::Memory(format!("{PREFIXES}{text}").into_bytes().into());
        let input = Input::document(page, RdfFormat::Turtle, body);
        let mut census = Census::of_roles_and_lives();
        let mut aside = Aside::new().unwrap();
        let mut present = BlockBuilder::default();
        let mut cutter = Cutter::of(block);
        read(&input, &Contexts::default(), |lifted| {
            if cutter.cuts_before(&lifted.triple.subject) {
                aside.put(std::mem::take(&mut present)).unwrap();
                census.end_block();
            }
            census.observe(&lifted.triple);
            present.add(&lifted);
        })
        .unwrap();
        aside.put(present).unwrap();
        census.finish().unwrap();
        let mut windower = Windower::default();
        let mut found = BTreeMap::new();
        for (number, block) in (0..).zip(aside.blocks().unwrap()) {
            windower.add_block(&block.unwrap());
            let window = windower.close(&census, number);
            for root in window.roots {
                let name = window.graph.term(root.node).to_string();
                assert!(found.insert(name, root.rows.len()).is_none(), "a record came twice");
            }
        }
        found
    }

    #[test]
    fn windows_of_any_size_give_the_same_records() {
        let text = "e:d1 a dcat:Dataset ; dct:title '1' ; dct:publisher e:p ; dcat:distribution e:x1, [ dct:title 'y' ] .\n\
            e:d2 a dcat:Dataset ; dct:title '2' ; dct:publisher e:p .\n\
            e:p a foaf:Agent ; foaf:name 'P' .\n\
            e:x1 a dcat:Distribution ; dct:title 'X' .\n\
            e:r foaf:primaryTopic e:d1 .\n\
            e:p a foaf:Agent ; foaf:name 'P' .\n\
            e:d3 a dcat:Dataset ; dct:title '3' ; dct:relation e:d1 ; dct:publisher e:p .\n\
            e:s a dcat:DataService ; dct:title 'S' ; dcat:servesDataset e:d1, e:stub .\n\
            e:stub a dcat:Dataset .\n\
            e:c a dcat:Catalog ; dcat:dataset e:d1, e:d2, e:d3 .\n";
        let whole = records(text, usize::MAX);
        assert_eq!(
            whole.iter().map(|(name, rows)| (name.as_str(), *rows)).collect::<Vec<_>>(),
            [("<http://e/d1>", 11), ("<http://e/d2>", 5), ("<http://e/d3>", 6), ("<http://e/s>", 4)]
        );
        for block in 1..30 {
            assert_eq!(records(text, block), whole, "windows of {block} triples");
        }
    }
}
