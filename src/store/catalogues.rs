//! The catalogues: one of the platform, and one of each source within it (DCAT 3, 6.3).
//!
//! Which records a catalogue has is said in the graph of each record, so that it comes and goes with it.

use super::graphs::GraphNames;
use crate::catalog::SourceId;
use crate::vocab::{dcat, dct, rdf};
use oxrdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};
use oxrdfio::{RdfFormat, RdfParser};

/// What is said of the platform's catalogue.
#[must_use]
pub fn platform(names: &GraphNames) -> Vec<Triple> {
    described(include_str!("../../data/platform-catalogue.ttl"), names, &names.platform())
}

/// What is said of the catalogue of an organization, which has this node.
#[must_use]
pub fn organization(names: &GraphNames, node: &NamedNode) -> Vec<Triple> {
    described(include_str!("../../data/organization-catalogue.ttl"), names, node)
}

/// The statements of a file of the program's, which calls the catalogue `<catalog>`.
fn described(turtle: &str, names: &GraphNames, node: &NamedNode) -> Vec<Triple> {
    let base = format!("{}/", names.base());
    let parser =
        RdfParser::from_format(RdfFormat::Turtle).with_base_iri(base).expect("the base of a store is an IRI");
    let written = names.platform();
    let is_catalogue =
        |subject: &NamedOrBlankNode| matches!(subject, NamedOrBlankNode::NamedNode(found) if *found == written);
    parser
        .for_slice(turtle.as_bytes())
        .map(|quad| {
            let said = Triple::from(quad.expect("a file of the program is valid Turtle"));
            let subject = if is_catalogue(&said.subject) { node.clone().into() } else { said.subject };
            Triple { subject, ..said }
        })
        .collect()
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
