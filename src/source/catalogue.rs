//! What a source says of its own catalogue: its title, its publisher, its homepage, its themes.

use crate::lift::LiftedTriple;
use crate::vocab::{dcat, dct, hydra, rdf};
use oxrdf::{NamedNodeRef, NamedOrBlankNode, Term};
use rustc_hash::FxHashSet;

/// Statements that are kept of a catalogue: more are no description.
const MOST: usize = 2_000;

/// The properties that lead from a catalogue to what is in it, which is not said of the catalogue.
const LEADS: [NamedNodeRef<'_>; 6] =
    [dcat::HAS_DATASET, dcat::SERVICE, dcat::RECORD, dcat::HAS_CATALOG, dct::HAS_PART, dct::IS_PART_OF];

/// The classes of what is in a catalogue, however the catalogue leads to it.
const CONTENTS: [NamedNodeRef<'_>; 5] =
    [dcat::DATASET, dcat::DATASET_SERIES, dcat::DATA_SERVICE, dcat::DISTRIBUTION, dcat::CATALOG_RECORD];

/// The description of a catalogue, with what it names: the catalogue's own node first.
#[derive(Debug, Clone)]
pub struct CatalogueDescription {
    /// The catalogue's node.
    pub node: NamedOrBlankNode,
    /// Its statements and those of its agents, each with its line.
    pub triples: Vec<LiftedTriple>,
}

/// Gathers the description of a page's catalogue from its triples, in order.
///
/// Of several catalogues the one counts that lists something, and of those the first. A page that is read in windows goes
/// by once: what is said of an agent before the catalogue names it is missed there.
#[derive(Debug, Default)]
pub(super) struct CatalogueReader {
    catalogues: Vec<NamedOrBlankNode>,
    listing: FxHashSet<NamedOrBlankNode>,
    wanted: FxHashSet<NamedOrBlankNode>,
    contents: FxHashSet<NamedOrBlankNode>,
    triples: Vec<LiftedTriple>,
}

impl CatalogueReader {
    /// The description in the triples of a page that is read as a whole.
    pub(super) fn of_page(triples: &[LiftedTriple]) -> Option<CatalogueDescription> {
        let mut reader = Self::default();
        for lifted in triples.iter().filter(|lifted| is_catalogue(lifted)) {
            reader.note_catalogue(&lifted.triple.subject);
        }
        if reader.catalogues.is_empty() {
            return None;
        }
        // What a catalogue names, and what that names: an agent, its address.
        for _ in 0..3 {
            reader.triples.clear();
            for lifted in triples {
                reader.observe(lifted);
            }
        }
        reader.finish()
    }

    pub(super) fn observe(&mut self, lifted: &LiftedTriple) {
        let triple = &lifted.triple;
        if is_catalogue(lifted) {
            self.note_catalogue(&triple.subject);
        }
        if triple.predicate == rdf::TYPE
            && let Term::NamedNode(class) = &triple.object
            && CONTENTS.contains(&class.as_ref())
            && self.wanted.contains(&triple.subject)
        {
            self.contents.insert(triple.subject.clone());
        }
        if [dcat::HAS_DATASET, dcat::SERVICE, dcat::RECORD].contains(&triple.predicate.as_ref()) {
            self.listing.insert(triple.subject.clone());
        }
        let is_wanted = self.wanted.contains(&triple.subject)
            && !LEADS.contains(&triple.predicate.as_ref())
            && !triple.predicate.as_str().starts_with(hydra::NAMESPACE);
        if !is_wanted || self.triples.len() >= MOST {
            return;
        }
        match &triple.object {
            _ if triple.predicate == rdf::TYPE => {}
            Term::NamedNode(node) => drop(self.wanted.insert(node.clone().into())),
            Term::BlankNode(node) => drop(self.wanted.insert(node.clone().into())),
            Term::Literal(_) => {}
        }
        self.triples.push(lifted.clone());
    }

    fn note_catalogue(&mut self, node: &NamedOrBlankNode) {
        if !self.catalogues.contains(node) && self.catalogues.len() < 100 {
            self.catalogues.push(node.clone());
        }
        self.wanted.insert(node.clone());
    }

    pub(super) fn finish(self) -> Option<CatalogueDescription> {
        let lists = |node: &&NamedOrBlankNode| self.listing.contains(*node);
        let node = self.catalogues.iter().find(lists).or_else(|| self.catalogues.first())?.clone();
        // What the other catalogues say is theirs; what they name may be ours, too.
        let of_others = |lifted: &LiftedTriple| {
            let subject = &lifted.triple.subject;
            *subject != node && (self.catalogues.contains(subject) || self.contents.contains(subject))
        };
        let triples: Vec<LiftedTriple> =
            self.triples.iter().filter(|lifted| !of_others(lifted)).cloned().collect();
        let says_something =
            triples.iter().any(|lifted| lifted.triple.subject == node && lifted.triple.predicate != rdf::TYPE);
        says_something.then_some(CatalogueDescription { node, triples })
    }
}

fn is_catalogue(lifted: &LiftedTriple) -> bool {
    lifted.triple.predicate == rdf::TYPE && lifted.triple.object == Term::from(dcat::CATALOG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Body;
    use crate::lift::{Contexts, Input, read};
    use oxrdfio::RdfFormat;
    use url::Url;

    #[test]
    fn a_catalogue_is_described_with_its_agents_and_without_its_datasets() {
        let text = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
            @prefix foaf: <http://xmlns.com/foaf/0.1/> .\n\
            <p> a foaf:Agent ; foaf:name \"City\" ; foaf:account [ foaf:name \"x\" ] .\n\
            <c> a dcat:Catalog ; dct:title \"C\" ; dct:publisher <p> ; dcat:dataset <d> .\n\
            <d> a dcat:Dataset ; dct:title \"D\" ; dct:publisher <q> . <q> foaf:name \"Q\" .\n\
            <other> a dcat:Catalog ; dct:title \"Other\" .";
        let page = Url::parse("http://e.example/").unwrap();
        let input = Input::document(page, RdfFormat::Turtle, Body::Memory(text.as_bytes().into()));
        let mut triples = Vec::new();
        read(&input, &Contexts::default(), |lifted| triples.push(lifted)).unwrap();
        let found = CatalogueReader::of_page(&triples).unwrap();
        assert_eq!(found.node.to_string(), "<http://e.example/c>");
        let said: String = found.triples.iter().map(|lifted| lifted.triple.to_string() + "\n").collect();
        assert!(said.contains("\"City\"") && said.contains("\"x\"") && said.contains("\"C\""), "{said}");
        assert!(!said.contains("\"D\"") && !said.contains("\"Q\"") && !said.contains("\"Other\""), "{said}");
        // A page that goes by once has what comes behind the catalogue.
        let mut reader = CatalogueReader::default();
        for lifted in &triples {
            reader.observe(lifted);
        }
        let found = reader.finish().unwrap();
        assert_eq!(found.node.to_string(), "<http://e.example/c>");
        let titles = found.triples.iter().filter(|lifted| lifted.triple.predicate == dct::TITLE).count();
        assert_eq!(titles, 1, "its own alone");
    }
}
