//! Identity: a record's remote identifier, key, node and canonical hash.

use super::canonical::in_canonical_order;
use super::skolem::Skolem;
use super::whereabouts::Whereabouts;
use crate::catalog::{
    DatasetKey, Finding, GraphHash, IdentifierOrigin, Message, Place, RecordKind, RemoteId, Severity, SourceId,
};
use crate::lift::{Fault, Repair};
use crate::source::{PageNotes, Root, Window};
use crate::triples::{Graph, TermId};
use crate::vocab::{dcat, dct};
use oxrdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use rustc_hash::FxHashMap;
use std::collections::{HashMap, HashSet};

/// A record with its identity, before it is converted.
#[derive(Debug)]
pub struct Draft {
    /// The key.
    pub key: DatasetKey,
    /// What the platform calls it.
    pub remote_id: RemoteId,
    /// What it describes.
    pub kind: RecordKind,
    /// Its node in the store.
    pub node: NamedNode,
    /// The publisher's node, as the source wrote it.
    pub source_node: Term,
    /// Its title, in any language.
    pub title: Option<String>,
    /// Its statements, without blank nodes, in canonical order.
    pub triples: Vec<Triple>,
    /// The hash of these statements.
    pub hash: GraphHash,
    /// The lines at which its nodes are described, and the elements that they came of.
    whereabouts: Whereabouts,
    /// Where it stands.
    pub place: Place,
    /// What identification and lifting found.
    pub findings: Vec<Finding>,
    /// The syntax error that cut its description, if one did.
    pub cut: Option<String>,
}

/// Gives identities to the records of a source.
#[derive(Debug, Clone)]
pub struct Identifier {
    /// The source.
    pub source: SourceId,
    /// The base of the platform's own IRIs, without a slash at its end.
    pub base: String,
}

impl Identifier {
    /// Identifies a record. A node that another record of the run has becomes one of ours; an
    /// identifier that replaced another keeps the key of the record it was known by.
    #[must_use]
    pub fn identify(
        &self,
        window: &Window,
        root: &Root,
        notes: &PageNotes,
        claim: NodeClaim,
        renames: &Renames,
    ) -> Draft {
        let description = Description { graph: &window.graph, root };
        let own = root.origin.as_ref().and_then(|origin| origin.id.clone());
        let remote_id = own.map_or_else(|| description.remote_id(), RemoteId::stated);
        let key = renames.key(&self.source, &remote_id.value);
        let namer = Namer { base: &self.base, key, root: root.node, claim };
        let (triples, names) = namer.rename(&window.graph, root);
        let (triples, hash) = in_canonical_order(triples);
        let node = names[&root.node].clone();
        let whereabouts = Whereabouts::of(window, root, notes, &names);
        let place = whereabouts.place(node.as_str(), None, None, &[]).unwrap_or_default();
        let page = root.origin.as_ref().map_or(&notes.page, |origin| &origin.page).clone();
        let place = Place { page, ..place };
        let mut draft = Draft {
            key,
            kind: root.kind,
            source_node: window.graph.term(root.node).clone(),
            title: description.any(dct::TITLE),
            hash,
            triples,
            node,
            whereabouts,
            place,
            findings: Vec::new(),
            cut: cut(window, root, notes),
            remote_id,
        };
        draft.note_identity();
        draft.note_repairs(window, root, notes, &names);
        draft
    }
}

/// Identifiers that records were known by, and are no longer.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    by_id: HashMap<String, DatasetKey>,
    taken: HashSet<DatasetKey>,
}

impl Renames {
    /// The keys of records by their new identifiers.
    #[must_use]
    pub fn new(by_id: HashMap<String, DatasetKey>) -> Self {
        let taken = by_id.values().copied().collect();
        Self { by_id, taken }
    }

    /// The key of an identifier. One that another record left behind, and that comes again for a new
    /// record, does not lead to the record that left it.
    #[must_use]
    pub fn key(&self, source: &SourceId, remote_id: &str) -> DatasetKey {
        if let Some(key) = self.by_id.get(remote_id) {
            return *key;
        }
        let key = DatasetKey::of(source, remote_id);
        if self.taken.contains(&key) { DatasetKey::of(source, &format!("{remote_id}\u{0}again")) } else { key }
    }

    /// The keys that records would have by their new identifiers, had they not been renamed.
    pub fn would_be<'r>(&'r self, source: &'r SourceId) -> impl Iterator<Item = DatasetKey> + 'r {
        self.by_id.keys().map(|id| DatasetKey::of(source, id)).filter(|key| !self.taken.contains(key))
    }
}

/// Whether a record keeps the node that its publisher gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeClaim {
    /// No other record of the run has it.
    Free,
    /// Another record of the run has it.
    Taken,
}

impl Draft {
    /// Where the publisher finds what is said of a node: its value, where the source tells so much, else the node.
    #[must_use]
    pub fn place_of(&self, node: &str, property: Option<&str>, value: Option<&str>) -> Place {
        let place = self.whereabouts.place(node, property, value, &self.triples);
        place.map_or_else(|| self.place.clone(), |place| Place { page: self.place.page.clone(), ..place })
    }

    fn note_identity(&mut self) {
        let rule = match self.remote_id.origin {
            IdentifierOrigin::Stated => return,
            IdentifierOrigin::Node => "identity/no-identifier",
            IdentifierOrigin::Derived => "identity/unstable-identifier",
        };
        let (severity, message) = match self.remote_id.origin {
            IdentifierOrigin::Derived => (
                Severity::Warning,
                Message::new(
                    "This record has neither an identifier nor an IRI: it is known by its page or title, and becomes another record when they change. Add dct:identifier.",
                    "Cette fiche n’a ni identifiant ni IRI : elle est reconnue à sa page ou à son titre, et deviendra une autre fiche s’ils changent. Ajoutez dct:identifier.",
                ),
            ),
            _ => (
                Severity::Info,
                Message::new(
                    "This record has no dct:identifier: its IRI is used instead.",
                    "Cette fiche n’a pas de dct:identifier : son IRI en tient lieu.",
                ),
            ),
        };
        self.findings.push(Finding {
            record: self.remote_id.value.clone(),
            focus_node: self.node.as_str().to_owned(),
            property: Some(dct::IDENTIFIER.as_str().to_owned()),
            value: None,
            rule: rule.to_owned(),
            severity,
            message,
            place: self.place.clone(),
            ..Finding::default()
        });
    }

    fn note_repairs(
        &mut self,
        window: &Window,
        root: &Root,
        notes: &PageNotes,
        names: &FxHashMap<TermId, NamedNode>,
    ) {
        if notes.repairs.is_empty() {
            return;
        }
        let mut last = None;
        let mut rows = root.rows.clone();
        rows.sort_unstable();
        for [subject, _, _] in rows {
            if last.replace(subject) == Some(subject) {
                continue;
            }
            let Some(node) = subject_of(window.graph.term(subject)) else { continue };
            for repair in notes.repairs.get(&node).into_iter().flatten() {
                let focus = names.get(&subject).map_or_else(String::new, |name| name.as_str().to_owned());
                let mut finding = repair_finding(repair, &self.remote_id.value, focus, &self.place.page);
                if let Some((line, column)) =
                    notes.text.as_ref().and_then(|text| text.find_before(repair.line, &repair.written))
                {
                    finding.place = Place { line: Some(line), column: Some(column), ..finding.place };
                } else if repair.line == 0 {
                    // What came of a platform's record has no lines, but a way to it.
                    finding.place =
                        self.place_of(&finding.focus_node, finding.property.as_deref(), Some(&repair.written));
                }
                self.findings.push(finding);
            }
        }
    }
}

fn repair_finding(repair: &Repair, record: &str, focus_node: String, page: &str) -> Finding {
    let (rule, en, fr) = match repair.fault {
        Fault::Language => {
            ("lift/invalid-language", "The language tag is not one.", "L’étiquette de langue n’en est pas une.")
        }
        Fault::StrayText => (
            "lift/stray-text",
            "Text stands beside an rdf:resource, where RDF/XML allows none: it was passed over.",
            "Un texte accompagne un rdf:resource, ce que RDF/XML n’admet pas : il a été ignoré.",
        ),
        Fault::Iri => (
            "lift/invalid-iri",
            "The address holds characters that an IRI may not have: write them percent-encoded.",
            "L’adresse contient des caractères interdits dans un IRI : écrivez-les encodés (%20 pour une espace).",
        ),
        Fault::Character => (
            "lift/invalid-character",
            "The text holds characters that XML has not: readers of RDF/XML see � in their place.",
            "Le texte contient des caractères que XML n’admet pas : les lecteurs de RDF/XML voient � à leur place.",
        ),
        Fault::Property => (
            "lift/unnamed-property",
            "The property does not end in a name: RDF/XML cannot say it, and its readers do not see the statement.",
            "La propriété ne se termine pas par un nom : RDF/XML ne peut pas la dire, et ses lecteurs n’en voient rien.",
        ),
    };
    let message = Message::new(en, fr);
    Finding {
        record: record.to_owned(),
        focus_node,
        property: Some(repair.predicate.as_str().to_owned()),
        value: Some(repair.written.clone()),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        message,
        place: Place::of_line(page, (repair.line > 0).then_some(repair.line)),
        suggestion: repair.read_as.clone(),
        ..Finding::default()
    }
}

fn subject_of(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) => None,
    }
}

struct Description<'w> {
    graph: &'w Graph,
    root: &'w Root,
}

impl Description<'_> {
    /// The identifier: stated, else the node, else what changes least.
    fn remote_id(&self) -> RemoteId {
        let stated = self.any(dct::IDENTIFIER).filter(|value| !value.trim().is_empty());
        if let Some(value) = stated {
            return RemoteId { value: value.trim().to_owned(), origin: IdentifierOrigin::Stated };
        }
        if let Term::NamedNode(node) = self.graph.term(self.root.node) {
            return RemoteId { value: node.as_str().to_owned(), origin: IdentifierOrigin::Node };
        }
        let value = self
            .any(dcat::LANDING_PAGE)
            .or_else(|| self.any(dct::TITLE))
            .unwrap_or_else(|| Skolem::new(self.graph, self.root.node, &self.root.rows).name(self.root.node));
        RemoteId { value, origin: IdentifierOrigin::Derived }
    }

    /// The smallest value of a property, so that the order of the file decides nothing.
    fn any(&self, predicate: NamedNodeRef<'_>) -> Option<String> {
        let values = self.graph.id(predicate).into_iter().flat_map(|p| self.graph.objects(self.root.node, p));
        values
            .filter_map(|value| match self.graph.term(value) {
                Term::Literal(literal) => Some((0, literal.value().to_owned())),
                Term::NamedNode(node) => Some((1, node.as_str().to_owned())),
                Term::BlankNode(_) => None,
            })
            .min()
            .map(|(_, value)| value)
    }
}

/// Replaces blank nodes, and a node that is taken, by IRIs under the record's key.
struct Namer<'b> {
    base: &'b str,
    key: DatasetKey,
    root: TermId,
    claim: NodeClaim,
}

impl Namer<'_> {
    fn rename(&self, graph: &Graph, root: &Root) -> (Vec<Triple>, FxHashMap<TermId, NamedNode>) {
        let mut names = FxHashMap::default();
        let mut skolem = Skolem::new(graph, self.root, &root.rows);
        let triples: Vec<Triple> = root
            .rows
            .iter()
            .map(|[s, p, o]| {
                let subject = self.name(graph, *s, &mut names, &mut skolem).expect("subjects are nodes");
                let object = match self.name(graph, *o, &mut names, &mut skolem) {
                    Some(node) => node.into(),
                    None => graph.term(*o).clone(),
                };
                let Term::NamedNode(predicate) = graph.term(*p) else {
                    unreachable!("a graph's predicates are IRIs")
                };
                Triple::new(subject, predicate.clone(), object)
            })
            .collect();
        self.name(graph, self.root, &mut names, &mut skolem);
        (triples, names)
    }

    fn name(
        &self,
        graph: &Graph,
        node: TermId,
        names: &mut FxHashMap<TermId, NamedNode>,
        skolem: &mut Skolem<'_>,
    ) -> Option<NamedNode> {
        if let Some(name) = names.get(&node) {
            return Some(name.clone());
        }
        let is_root = node == self.root;
        let name = match graph.term(node) {
            Term::Literal(_) => return None,
            Term::NamedNode(iri) if !(is_root && self.claim == NodeClaim::Taken) => iri.clone(),
            Term::NamedNode(_) | Term::BlankNode(_) if is_root => {
                NamedNode::new_unchecked(format!("{}/dataset/{}#it", self.base, self.key))
            }
            Term::NamedNode(iri) => iri.clone(),
            Term::BlankNode(_) => NamedNode::new_unchecked(format!(
                "{}/.well-known/genid/{}/{}",
                self.base,
                self.key,
                skolem.name(node)
            )),
        };
        names.insert(node, name.clone());
        Some(name)
    }
}

fn cut(window: &Window, root: &Root, notes: &PageNotes) -> Option<String> {
    if notes.cut.is_empty() {
        return None;
    }
    root.rows.iter().find_map(|row| {
        let subject = subject_of(window.graph.term(row[0]))?;
        notes.cut.get(&subject).cloned()
    })
}
