//! Where the nodes of a record stand in what its publisher serves.

use crate::catalog::{Place, unhex};
use crate::lift::PageText;
use crate::source::{Lineage, PageNotes, Piece, Root, Window};
use crate::triples::TermId;
use crate::vocab::{LIFTED, dct};
use oxrdf::{NamedNode, Term};
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

    /// The place of a value of a node, or of the node, without its page.
    pub(super) fn place(&self, node: &str, property: Option<&str>, value: Option<&str>) -> Option<Place> {
        let Some(lineage) = &self.lineage else {
            let line = *self.lines.get(node)?;
            let found = self.text.as_ref().zip(value).and_then(|(text, value)| text.find(line, property, value));
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
    lines
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
