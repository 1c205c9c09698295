//! The catalogues: one of the platform, and one of each source within it (DCAT 3, 6.3).
//!
//! Which records a catalogue has is said in the graph of each record, so that it comes and goes with it.

use super::graphs::GraphNames;
use crate::catalog::SourceId;
use crate::vocab::{dcat, dct, foaf, rdf};
use oxrdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};

/// The platform's catalogue, as the quads of its graph.
#[must_use]
pub fn platform_quads(names: &GraphNames) -> Vec<Quad> {
    let graph = names.platform();
    platform(names).into_iter().map(|triple| triple.in_graph(graph.clone())).collect()
}

/// What is said of the platform's catalogue: what DCAT-AP asks of one.
#[must_use]
pub fn platform(names: &GraphNames) -> Vec<Triple> {
    let node = names.platform();
    let publisher = NamedNode::new_unchecked(format!("{}/#platform", names.base()));
    let mut triples = vec![Triple::new(node.clone(), rdf::TYPE, dcat::CATALOG)];
    for (property, text, language) in [
        (dct::TITLE, "Harvested catalogue", "en"),
        (dct::TITLE, "Catalogue moissonné", "fr"),
        (dct::DESCRIPTION, "Datasets harvested from their publishers' own catalogues.", "en"),
        (dct::DESCRIPTION, "Jeux de données moissonnés dans les catalogues de leurs éditeurs.", "fr"),
    ] {
        triples.push(Triple::new(node.clone(), property, tagged(text, language)));
    }
    triples.extend([
        Triple::new(node, dct::PUBLISHER, publisher.clone()),
        Triple::new(publisher.clone(), rdf::TYPE, foaf::AGENT),
        Triple::new(publisher, foaf::NAME, Literal::new_simple_literal("Moisson")),
    ]);
    triples
}

/// The catalogue of a source, as the quads of its graph: what the source says of it, and what DCAT-AP asks for and the
/// source does not say.
#[must_use]
pub fn catalogue_quads(names: &GraphNames, source: &SourceId, title: &str, stated: Vec<Triple>) -> Vec<Quad> {
    let node = names.catalogue(source);
    let mut triples = stated;
    let says = |triples: &[Triple], property: NamedNodeRef<'_>| {
        let is_node =
            |triple: &Triple| matches!(&triple.subject, NamedOrBlankNode::NamedNode(subject) if *subject == node);
        triples.iter().any(|triple| triple.predicate == property && is_node(triple))
    };
    if !says(&triples, dct::TITLE) {
        triples.push(Triple::new(node.clone(), dct::TITLE, Literal::new_simple_literal(title)));
    }
    if !says(&triples, dct::DESCRIPTION) {
        let text = [
            (format!("The datasets of the source {title}."), "en"),
            (format!("Les jeux de données de la source {title}."), "fr"),
        ];
        triples.extend(
            text.map(|(text, language)| Triple::new(node.clone(), dct::DESCRIPTION, tagged(&text, language))),
        );
    }
    let is_type = Triple::new(node.clone(), rdf::TYPE, dcat::CATALOG);
    if !triples.contains(&is_type) {
        triples.push(is_type);
    }
    triples.push(Triple::new(names.platform(), dcat::HAS_CATALOG, node.clone()));
    triples.push(Triple::new(node.clone(), dct::IS_PART_OF, names.platform()));
    triples.into_iter().map(|triple| triple.in_graph(node.clone())).collect()
}

fn tagged(text: &str, language: &str) -> Term {
    Literal::new_language_tagged_literal_unchecked(text, language).into()
}
