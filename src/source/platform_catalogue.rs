//! What a platform's interface says of its catalogue, as DCAT.

use super::catalogue::CatalogueDescription;
use crate::lift::LiftedTriple;
use crate::vocab::{dcat, dct, foaf, rdf};
use oxrdf::{BlankNode, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode, TermRef, Triple};
use url::Url;

/// The words in which a platform describes its catalogue; without a title it describes none.
#[derive(Debug, Clone, Default)]
pub(super) struct PlatformCatalogue<'t> {
    pub(super) title: Option<&'t str>,
    pub(super) description: Option<&'t str>,
    pub(super) keywords: Vec<&'t str>,
    pub(super) homepage: Option<&'t str>,
    /// Who publishes it: a name, and a page.
    pub(super) publisher: Option<&'t str>,
    pub(super) publisher_page: Option<&'t str>,
}

impl PlatformCatalogue<'_> {
    /// The description of the catalogue that has this address.
    pub(super) fn to_description(&self, address: &Url) -> Option<CatalogueDescription> {
        let catalogue = NamedNode::new(address.as_str()).ok()?;
        let title = said(self.title)?;
        let mut triples = Triples::default();
        triples.add(&catalogue, rdf::TYPE, dcat::CATALOG);
        triples.add(&catalogue, dct::TITLE, LiteralRef::new_simple_literal(title));
        if let Some(text) = said(self.description) {
            triples.add(&catalogue, dct::DESCRIPTION, LiteralRef::new_simple_literal(text));
        }
        for keyword in self.keywords.iter().filter_map(|keyword| said(Some(keyword))) {
            triples.add(&catalogue, dcat::KEYWORD, LiteralRef::new_simple_literal(keyword));
        }
        triples.add_page(&catalogue, self.homepage);
        if let Some(name) = said(self.publisher) {
            let publisher = BlankNode::new_unchecked("publisher");
            triples.add(&catalogue, dct::PUBLISHER, publisher.as_ref());
            triples.add(&publisher, rdf::TYPE, foaf::AGENT);
            triples.add(&publisher, foaf::NAME, LiteralRef::new_simple_literal(name));
            triples.add_page(&publisher, self.publisher_page);
        }
        Some(CatalogueDescription { node: catalogue.into(), triples: triples.0 })
    }
}

/// A text that says something.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Statements without lines: interfaces are not read by lines.
#[derive(Default)]
struct Triples(Vec<LiftedTriple>);

impl Triples {
    fn add<'n>(
        &mut self,
        subject: &(impl Into<NamedOrBlankNode> + Clone),
        property: NamedNodeRef<'n>,
        value: impl Into<TermRef<'n>>,
    ) {
        let triple = Triple::new(subject.clone(), property, value.into());
        self.0.push(LiftedTriple { triple, line: 0 });
    }

    fn add_page(&mut self, subject: &(impl Into<NamedOrBlankNode> + Clone), page: Option<&str>) {
        let page = page.map(str::trim).filter(|page| page.starts_with("http"));
        if let Some(page) = page.and_then(|page| NamedNode::new(page).ok()) {
            self.add(subject, foaf::HOMEPAGE, page.as_ref());
        }
    }
}
