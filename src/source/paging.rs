//! Where a page leads: Hydra's next page, other catalogues, how many records were announced.

use crate::vocab::{dcat, dct, hydra, rdf};
use oxrdf::{NamedOrBlankNode, Term, Triple};
use std::collections::BTreeSet;
use url::Url;

/// The links of one page, gathered triple by triple.
#[derive(Debug, Default)]
pub(super) struct Links {
    next: Vec<(NamedOrBlankNode, Term)>,
    total_items: Option<u64>,
    catalogues: BTreeSet<String>,
    described: BTreeSet<String>,
    listed: Vec<Term>,
    /// The first statements of languages; which of them are the catalogue's shows when its type is known.
    languages: Vec<(NamedOrBlankNode, Term)>,
    catalogue_nodes: BTreeSet<String>,
}

/// More statements of languages are not kept: they are the datasets'.
const MAX_LANGUAGES: usize = 1_000;

impl Links {
    pub(super) fn observe(&mut self, triple: &Triple) {
        let predicate = triple.predicate.as_ref();
        if predicate.as_str().starts_with(hydra::NAMESPACE) {
            if predicate == hydra::NEXT || predicate == hydra::NEXT_PAGE {
                self.next.push((triple.subject.clone(), triple.object.clone()));
            } else if predicate == hydra::TOTAL_ITEMS
                && let Term::Literal(number) = &triple.object
            {
                self.total_items = number.value().parse().ok();
            }
        } else if predicate == dcat::HAS_CATALOG {
            if let Term::NamedNode(catalogue) = &triple.object {
                self.catalogues.insert(catalogue.as_str().to_owned());
            }
        } else if predicate == dcat::HAS_DATASET {
            self.listed.push(triple.object.clone());
            self.note_described(triple);
        } else if predicate == dct::LANGUAGE {
            let subject = triple.subject.to_string();
            if self.languages.len() < MAX_LANGUAGES || self.catalogue_nodes.contains(&subject) {
                self.languages.push((triple.subject.clone(), triple.object.clone()));
            }
        } else if predicate == rdf::TYPE && triple.object == Term::from(dcat::CATALOG.into_owned()) {
            self.catalogue_nodes.insert(triple.subject.to_string());
            if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
                self.catalogues.insert(node.as_str().to_owned());
            }
        } else if predicate == dct::TITLE {
            self.note_described(triple);
        }
    }

    /// A catalogue with a list of its own needs no fetching.
    fn note_described(&mut self, triple: &Triple) {
        if triple.predicate.as_ref() == dcat::HAS_DATASET
            && let NamedOrBlankNode::NamedNode(node) = &triple.subject
        {
            self.described.insert(node.as_str().to_owned());
        }
    }

    /// The next page, relative to this one: `hydra:next`, or the older `hydra:nextPage`, as an IRI or
    /// as text.
    pub(super) fn next_page(&self, page: &Url) -> Option<Url> {
        self.next.iter().find_map(|(_, target)| match target {
            Term::NamedNode(iri) => page.join(iri.as_str()).ok(),
            Term::Literal(text) => page.join(text.value().trim()).ok(),
            Term::BlankNode(_) => None,
        })
    }

    /// `hydra:totalItems`
    pub(super) fn total_items(&self) -> Option<u64> {
        self.total_items
    }

    /// Catalogues that this page names without listing their datasets, on the same host.
    pub(super) fn other_catalogues(&self, page: &Url) -> Vec<Url> {
        self.catalogues
            .iter()
            .filter(|catalogue| !self.described.contains(*catalogue))
            .filter_map(|catalogue| Url::parse(catalogue).ok())
            .filter(|catalogue| catalogue.host_str().is_some() && catalogue.host_str() == page.host_str())
            .filter(|catalogue| catalogue.as_str() != page.as_str())
            .collect()
    }

    /// What the catalogues of this page name as their languages: codes or IRIs.
    pub(super) fn catalogue_languages(&self) -> Vec<String> {
        let of_catalogue = |subject: &NamedOrBlankNode| self.catalogue_nodes.contains(&subject.to_string());
        self.languages
            .iter()
            .filter(|(subject, _)| of_catalogue(subject))
            .filter_map(|(_, language)| match language {
                Term::NamedNode(node) => Some(node.as_str().to_owned()),
                Term::Literal(literal) => Some(literal.value().to_owned()),
                Term::BlankNode(_) => None,
            })
            .collect()
    }

    /// The nodes that catalogues of this page list as datasets.
    pub(super) fn listed(&self) -> &[Term] {
        &self.listed
    }
}
