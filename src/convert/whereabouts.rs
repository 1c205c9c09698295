//! Where the nodes of a record stand in what its publisher serves.

use crate::catalog::{Place, unhex};
use crate::source::{Lineage, PageNotes, Root, Window};
use crate::triples::TermId;
use crate::vocab::dct;
use oxrdf::{NamedNode, Term};
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::Arc;

/// Where the nodes of a record stand.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    /// Lines by node.
    lines: HashMap<String, u32>,
    /// Numbers of elements by node, with the record that they are counted in.
    elements: HashMap<String, usize>,
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
            return Self { lines: lines(window, root, notes, names), ..Self::default() };
        };
        let number = |id: &TermId| element_of(&lineage, window.graph.term(*id));
        let elements =
            names.iter().filter_map(|(id, name)| Some((name.as_str().to_owned(), number(id)?))).collect();
        Self { elements, lineage: Some(lineage), ..Self::default() }
    }

    /// The place of a value of a node, or of the node, without its page.
    pub(super) fn place(&self, node: &str, value: Option<&str>) -> Option<Place> {
        let Some(lineage) = &self.lineage else {
            return self.lines.get(node).map(|line| Place::of_line("", Some(*line)));
        };
        let element = self.elements.get(node).copied();
        if element.is_none() && value.is_none() {
            return None;
        }
        let (line, path) = lineage.place(element.unwrap_or(0), value);
        Some(Place { page: String::new(), line, path })
    }
}

/// The number of the element that a node came of: one that has no name in the source tells it by its label.
fn element_of(lineage: &Lineage, node: &Term) -> Option<usize> {
    match node {
        Term::NamedNode(node) => lineage.named.get(node.as_str()).copied(),
        Term::BlankNode(label) => {
            // Mending puts a letter before the label, which the mapping made of the element's name.
            let lifted = String::from_utf8(unhex(label.as_str().strip_prefix("ln")?)?).ok()?;
            let (_, element) = lifted.split_once('#')?;
            element.split('-').next()?.parse().ok()
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
