//! Where the nodes of a record stand in what its publisher serves.

use super::queries::plain;
use crate::catalog::{Place, unhex};
use crate::lift::PageText;
use crate::source::{Lineage, PageNotes, Piece, Root, Window};
use crate::triples::TermId;
use crate::vocab::{LIFTED, dct, rdf};
use oxrdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::Arc;

/// Where the nodes of a record stand.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    /// Lines by node.
    lines: HashMap<String, u32>,
    /// The text that has the lines.
    text: Option<Arc<PageText>>,
    /// Pieces of a platform's record by node.
    pieces: HashMap<String, Piece>,
    lineage: Option<Arc<Lineage>>,
}

impl Whereabouts {
    /// The whereabouts of a record's nodes, by the names that they have in the store.
    pub(super) fn of(
        window: &Window,
        root: &Root,
        notes: &PageNotes,
        names: &FxHashMap<TermId, NamedNode>,
    ) -> Self {
        let lineage = root.origin.as_ref().and_then(|origin| origin.lineage.clone());
        let Some(lineage) = lineage else {
            return Self { lines: lines(window, root, notes, names), text: notes.text.clone(), ..Self::default() };
        };
        let piece = |id: &TermId| piece_of(&lineage, window.graph.term(*id));
        let mut pieces: HashMap<String, Piece> =
            names.iter().filter_map(|(id, name)| Some((name.as_str().to_owned(), piece(id)?))).collect();
        if let Some(name) = names.get(&root.node) {
            pieces.insert(name.as_str().to_owned(), lineage.whole());
        }
        Self { pieces, lineage: Some(lineage), ..Self::default() }
    }

    /// The place of a value of a node, or of the node, without its page. Of the same value in a node that stands within
    /// this one, the place is that node's.
    pub(super) fn place(
        &self,
        node: &str,
        property: Option<&str>,
        value: Option<&str>,
        record: &[Triple],
    ) -> Option<Place> {
        let Some(lineage) = &self.lineage else {
            let line = *self.lines.get(node)?;
            let found = self.text.as_ref().zip(value).and_then(|(text, value)| {
                let of_others = self.places_of_others(line, property?, value, record, text);
                text.find_besides(line, property, value, &of_others)
            });
            let found = found.or_else(|| self.text.as_ref()?.find(line, property, value?));
            let place = Place { line: Some(line), ..Place::default() };
            return Some(found.map_or(place, |(line, column)| Place {
                line: Some(line),
                column: Some(column),
                ..Place::default()
            }));
        };
        let piece = self.pieces.get(node);
        // A node that came of no piece stands where the record names it.
        let value = value.or_else(|| piece.is_none().then_some(node));
        let (line, path) = lineage.place(piece, property, value);
        Some(Place { line, path, ..Place::default() })
    }

    /// Where nodes that begin behind a line have the same value of the same property.
    fn places_of_others(
        &self,
        line: u32,
        property: &str,
        value: &str,
        record: &[Triple],
        text: &PageText,
    ) -> Vec<(u32, u32)> {
        let same = record.iter().filter(|triple| triple.predicate == *property && plain(&triple.object) == value);
        let lines = same.filter_map(|triple| match &triple.subject {
            NamedOrBlankNode::NamedNode(node) => self.lines.get(node.as_str()).copied(),
            NamedOrBlankNode::BlankNode(_) => None,
        });
        let behind = lines.filter(|other| *other > line);
        behind.filter_map(|other| text.find(other, Some(property), value)).collect()
    }
}

/// The piece that a node came of: one that has no name in the source tells it, or the name that the mapping gave it, by
/// its label.
fn piece_of(lineage: &Lineage, node: &Term) -> Option<Piece> {
    match node {
        Term::NamedNode(node) => lineage.named(node.as_str()),
        Term::BlankNode(label) => {
            // Mending puts a letter before the label, which the mapping made of the element's name.
            let lifted = String::from_utf8(unhex(label.as_str().strip_prefix("ln")?)?).ok()?;
            match lifted.split_once('#') {
                Some((_, name)) => lineage.lifted(name),
                None => lineage.named(&format!("{LIFTED}{lifted}")),
            }
        }
        Term::Literal(_) => None,
    }
}

fn lines(
    window: &Window,
    root: &Root,
    notes: &PageNotes,
    names: &FxHashMap<TermId, NamedNode>,
) -> HashMap<String, u32> {
    let mut lines = HashMap::new();
    for [subject, _, _] in &root.rows {
        let Some(name) = names.get(subject) else { continue };
        if lines.contains_key(name.as_str()) {
            continue;
        }
        let line = if notes.json_lines.is_empty() {
            window.lines.get(subject).copied().filter(|line| *line > 0)
        } else {
            json_line(window, *subject, notes)
        };
        if let Some(line) = line {
            lines.insert(name.as_str().to_owned(), line);
        }
    }
    if let Some(text) = notes.text.as_ref().filter(|_| !notes.json_lines.is_empty()) {
        let nested = NestedNodes { window, root, names, text };
        while nested.find(&mut lines) {}
    }
    lines
}

/// The nodes of JSON-LD that have no name in the text: they stand within the one that links to them.
struct NestedNodes<'n> {
    window: &'n Window,
    root: &'n Root,
    names: &'n FxHashMap<TermId, NamedNode>,
    text: &'n PageText,
}

impl NestedNodes<'_> {
    /// Adds the lines of nodes that one with a line links to. Returns whether there were any.
    fn find(&self, lines: &mut HashMap<String, u32>) -> bool {
        let mut found = Vec::new();
        for [subject, _, object] in &self.root.rows {
            let (Some(outer), Some(inner)) = (self.names.get(subject), self.names.get(object)) else { continue };
            if let Some(line) = lines.get(outer.as_str())
                && !lines.contains_key(inner.as_str())
            {
                found.push((inner.as_str().to_owned(), self.line_within(*line, *object)));
            }
        }
        let is_any = !found.is_empty();
        lines.extend(found);
        is_any
    }

    /// The line of a node within the one that begins at a line: where the longest of its own values stands, which others
    /// are least likely to have.
    fn line_within(&self, line: u32, node: TermId) -> u32 {
        let graph = &self.window.graph;
        let mut values: Vec<(&str, &str)> = graph
            .rows_of_subject(node)
            .iter()
            .filter(|[_, property, _]| *graph.term(*property) != Term::from(rdf::TYPE))
            .filter_map(|[_, property, value]| match (graph.term(*property), graph.term(*value)) {
                (Term::NamedNode(property), Term::Literal(text)) => Some((property.as_str(), text.value())),
                (Term::NamedNode(property), Term::NamedNode(node)) => Some((property.as_str(), node.as_str())),
                _ => None,
            })
            .collect();
        values.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        let mut found = values.iter().filter_map(|(property, text)| self.text.find(line, Some(property), text));
        found.next().map_or(line, |(line, _)| line)
    }
}

fn json_line(window: &Window, subject: TermId, notes: &PageNotes) -> Option<u32> {
    if let Term::NamedNode(node) = window.graph.term(subject)
        && let Some(line) = notes.json_lines.get(node.as_str())
    {
        return Some(*line);
    }
    let identifier = window.graph.id(dct::IDENTIFIER)?;
    window.graph.objects(subject, identifier).find_map(|value| match window.graph.term(value) {
        Term::Literal(text) => notes.json_lines.get(text.value()).copied(),
        Term::NamedNode(node) => notes.json_lines.get(node.as_str()).copied(),
        Term::BlankNode(_) => None,
    })
}
