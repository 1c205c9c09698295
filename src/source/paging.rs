//! Where a page leads: Hydra's next page, other catalogues, how many records were announced.

use crate::vocab::{dcat, dct, hydra, rdf};
use oxrdf::{NamedOrBlankNode, Term, Triple};
use std::collections::BTreeSet;
use url::Url;

/// The links of one page, gathered triple by triple.
#[derive(Debug, Default)]
pub(super) struct Links {
    next: Vec<(NamedOrBlankNode, Term)>,
    total_items: Vec<u64>,
    /// Objects of `dcat:catalog`.
    catalogues: BTreeSet<String>,
    /// Objects of `dct:hasPart`, with the subject: those of a catalogue may be catalogues.
    parts: Vec<(NamedOrBlankNode, String)>,
    /// Catalogues whose datasets this page lists.
    described: BTreeSet<String>,
    /// The first statements of languages; which of them are the catalogue's shows when its type is known.
    languages: Vec<(NamedOrBlankNode, Term)>,
    catalogue_nodes: BTreeSet<String>,
}

/// More statements of languages, and of parts, are not kept: they are the datasets'.
const MAX_KEPT: usize = 1_000;

impl Links {
    pub(super) fn observe(&mut self, triple: &Triple) {
        match triple.predicate.as_ref() {
            hydra::NEXT | hydra::NEXT_PAGE => self.next.push((triple.subject.clone(), triple.object.clone())),
            hydra::TOTAL_ITEMS => {
                if let Term::Literal(number) = &triple.object {
                    self.total_items.extend(number.value().parse::<u64>());
                }
            }
            dcat::HAS_CATALOG => {
                if let Term::NamedNode(catalogue) = &triple.object {
                    self.catalogues.insert(catalogue.as_str().to_owned());
                }
            }
            dct::HAS_PART => {
                if let Term::NamedNode(part) = &triple.object
                    && self.parts.len() < MAX_KEPT
                {
                    self.parts.push((triple.subject.clone(), part.as_str().to_owned()));
                }
            }
            dcat::HAS_DATASET => {
                if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
                    self.described.insert(node.as_str().to_owned());
                }
            }
            dct::LANGUAGE => {
                let subject = triple.subject.to_string();
                if self.languages.len() < MAX_KEPT || self.catalogue_nodes.contains(&subject) {
                    self.languages.push((triple.subject.clone(), triple.object.clone()));
                }
            }
            rdf::TYPE if triple.object == Term::from(dcat::CATALOG.into_owned()) => {
                self.catalogue_nodes.insert(triple.subject.to_string());
            }
            _ => {}
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

    /// `hydra:totalItems`: the greatest, since parts of a collection may have totals of their own.
    pub(super) fn total_items(&self) -> Option<u64> {
        self.total_items.iter().max().copied()
    }

    /// Catalogues that this page names without listing their datasets, on the same host: objects of
    /// `dcat:catalog`, and parts of a catalogue that are catalogues.
    pub(super) fn other_catalogues(&self, page: &Url) -> Vec<Url> {
        let is_catalogue = |node: &String| self.catalogue_nodes.contains(&format!("<{node}>"));
        let parts = self
            .parts
            .iter()
            .filter(|(whole, part)| self.catalogue_nodes.contains(&whole.to_string()) && is_catalogue(part));
        let mut found: Vec<Url> = self
            .catalogues
            .iter()
            .chain(parts.map(|(_, part)| part))
            .filter(|catalogue| !self.described.contains(*catalogue))
            .filter_map(|catalogue| Url::parse(catalogue).ok())
            .filter(|catalogue| catalogue.host_str().is_some() && catalogue.host_str() == page.host_str())
            .map(without_fragment)
            .filter(|catalogue| *catalogue != without_fragment(page.clone()))
            .collect();
        found.sort();
        found.dedup();
        found
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
}

/// An address as it is fetched: `…/catalogue#it` is read from `…/catalogue`.
pub(super) fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}
