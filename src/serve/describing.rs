//! What the endpoint says of itself: the SPARQL 1.1 Service Description and `VoID`.

use super::answer::{Conditional, not_modified, tag};
use super::dataset::write;
use super::negotiated::best_of;
use super::problem::Problem;
use super::server::{Shared, State};
use crate::derive::Statistics;
use crate::store::Published;
use crate::vocab::{PREFIXES, moisson};
use askama::Template;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use oxrdf::{NamedNode, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use std::sync::Arc;

/// The syntaxes of descriptions.
pub(super) const OFFERS: [&str; 4] =
    ["text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples"];

#[derive(Template)]
#[template(path = "service.ttl", escape = "none")]
struct ServiceDescription<'s> {
    base: &'s str,
    federates: bool,
    functions: Vec<&'s str>,
    states: Vec<Published>,
}

#[derive(Template)]
#[template(path = "void.ttl", escape = "none")]
struct VoidDescription<'s> {
    base: &'s str,
    snapshot: u64,
    at: Option<String>,
    vocabularies: Vec<&'s str>,
    statistics: &'s Statistics,
    classes: Vec<(&'s str, usize)>,
    properties: Vec<(&'s str, usize)>,
}

/// The service description.
pub(super) fn service(shared: &Arc<Shared>, media_type: &str) -> Result<Response, Problem> {
    let spatial = spargeo::GEOSPARQL_EXTENSION_FUNCTIONS.iter().map(|(name, _)| name.as_str());
    let mut states = shared.settings.folder.published();
    // A name in an address, and not of it: those of jobs and hands are plain.
    states.retain(|state| {
        !state.job.is_empty() && state.job.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let description = ServiceDescription {
        base: &shared.settings.public_base,
        federates: !shared.settings.config.service.queries.services.is_empty(),
        functions: [moisson::SEARCH.as_str(), moisson::SCORE.as_str()].into_iter().chain(spatial).collect(),
        states,
    };
    written(&description.render()?, media_type)
}

/// `/void`: what the newest snapshot has.
pub(super) async fn void(axum::extract::State(shared): State, headers: HeaderMap) -> Result<Response, Problem> {
    let media_type = best_of(&headers, &OFFERS)?;
    let opened = shared.snapshot()?;
    let tag = tag(opened.snapshot.number, &["void", media_type]);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let number = opened.snapshot.number;
    let statistics = shared.statistics(&opened).await?;
    // What a publisher made up may be no IRI, and would break the document.
    let (classes, properties) = (plain(&statistics.classes), plain(&statistics.properties));
    let used = |namespace: &&str| {
        statistics.properties.iter().any(|(property, _)| property.starts_with(namespace))
            || statistics.classes.iter().any(|(class, _)| class.starts_with(namespace))
    };
    let description = VoidDescription {
        base: &shared.settings.public_base,
        snapshot: number,
        at: opened.snapshot.at.map(|at| at.to_string()),
        vocabularies: PREFIXES.iter().map(|(_, namespace)| *namespace).filter(used).collect(),
        statistics: &statistics,
        classes,
        properties,
    };
    let mut response = written(&description.render()?, media_type)?;
    if let Ok(tag) = tag.parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn plain(terms: &[(String, usize)]) -> Vec<(&str, usize)> {
    let terms = terms.iter().filter(|(iri, _)| NamedNode::new(iri).is_ok());
    terms.map(|(iri, number)| (iri.as_str(), *number)).collect()
}

/// A description in the syntax that the client likes.
fn written(turtle: &str, media_type: &str) -> Result<Response, Problem> {
    let parser = RdfParser::from_format(RdfFormat::Turtle).lenient().for_slice(turtle);
    let triples: Vec<Triple> = parser.map(|quad| quad.map(Triple::from)).collect::<Result<_, _>>()?;
    let body = write(&triples, media_type)?;
    Ok(([(header::CONTENT_TYPE, media_type), (header::VARY, "Accept")], body).into_response())
}
