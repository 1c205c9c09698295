//! `/dataset/{key}`: a record in the form that the client likes best.

use super::negotiated::{best_of, media_type_of};
use super::problem::Problem;
use super::server::{Opened, Shared, State};
use super::{api, pages};
use crate::catalog::DatasetKey;
use crate::derive::WebDescription;
use crate::store::{CatalogueRecord, Snapshot, graph_quads};
use crate::triples::RdfWriter;
use crate::vocab::dct;
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use oxrdf::{GraphName, NamedNode, NamedNodeRef, Quad, Term, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use std::sync::Arc;

const OFFERS: [&str; 6] = [
    "text/html",
    "text/turtle",
    "application/rdf+xml",
    "application/ld+json",
    "application/json",
    "application/n-triples",
];

pub(super) async fn dataset(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (key, suffix) = name.split_once('.').map_or((name.as_str(), None), |(key, suffix)| (key, Some(suffix)));
    let key =
        DatasetKey::parse(key).ok_or_else(|| Problem::not_found(format!("{name:?} is not a record's key")))?;
    let media_type = match suffix {
        Some(suffix) => {
            media_type_of(suffix).ok_or_else(|| Problem::not_found(format!("no form is called .{suffix}")))?
        }
        None => best_of(&headers, &OFFERS)?,
    };
    let opened = shared.snapshot()?;
    let (inner, state) = (Arc::clone(&shared), Arc::clone(&opened));
    let is_there =
        shared.reading(move || CatalogueRecord::read(&state.snapshot.store, &inner.names, key).is_some());
    if !is_there.await? {
        return gone(&shared, key, media_type).await;
    }
    let vary = [(header::VARY, "Accept")];
    if media_type == "text/html" {
        let page = pages::dataset(&shared, &opened, key).await?;
        return Ok((vary, [(header::LINK, page.links)], Html(page.html)).into_response());
    }
    if media_type == "application/json" {
        let record = api::derive(&shared, &opened, vec![key]).await?.pop();
        return Ok((vary, axum::Json(record)).into_response());
    }
    let inner = Arc::clone(&shared);
    let body = shared.reading(move || describe(&inner, &opened.snapshot, key, media_type)).await??;
    let page = format!("<{}/dataset/{key}>; rel=\"describes\"; type=\"text/html\"", shared.settings.public_base);
    let headers = [(header::CONTENT_TYPE, media_type), (header::LINK, page.as_str())];
    Ok((vary, headers, body).into_response())
}

/// A record as search engines read it.
pub(super) async fn schema_org(
    axum::extract::State(shared): State,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let told = for_the_web(&shared, &key).await?;
    Ok(([(header::CONTENT_TYPE, "application/ld+json")], told.schema_org.to_string()).into_response())
}

/// A record as machine learning reads it.
pub(super) async fn croissant(
    axum::extract::State(shared): State,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let told = for_the_web(&shared, &key).await?.croissant;
    let told = told.ok_or_else(|| Problem::not_found("no file of this record has an address and a known type"))?;
    let media_type = "application/ld+json; profile=\"http://mlcommons.org/croissant/1.0\"";
    Ok(([(header::CONTENT_TYPE, media_type)], told.to_string()).into_response())
}

async fn for_the_web(shared: &Arc<Shared>, key: &str) -> Result<WebDescription, Problem> {
    let key =
        DatasetKey::parse(key).ok_or_else(|| Problem::not_found(format!("{key:?} is not a record's key")))?;
    match web_description(shared, &shared.snapshot()?, key).await? {
        Some(told) => Ok(told),
        None => Err(api::absent(shared, key).await?),
    }
}

/// What is written of a record for the web.
pub(super) async fn web_description(
    shared: &Arc<Shared>,
    opened: &Arc<Opened>,
    key: DatasetKey,
) -> Result<Option<WebDescription>, Problem> {
    let (inner, opened) = (Arc::clone(shared), Arc::clone(opened));
    let described = shared
        .reading(move || inner.web.describe(&opened.snapshot, &inner.names, key, &inner.settings.public_base));
    Ok(described.await??)
}

#[derive(Template)]
#[template(path = "gone.html")]
struct GonePage {
    title: String,
    why: String,
    page: String,
    descriptions: Vec<String>,
}

/// The answer for a key that has no record: of an archived one, its last description.
async fn gone(shared: &Shared, key: DatasetKey, media_type: &'static str) -> Result<Response, Problem> {
    let problem = api::absent(shared, key).await?;
    if problem.status() != StatusCode::GONE || media_type == "application/json" {
        return Err(problem);
    }
    let Some(quads) = shared.operations.last_state(key).await? else { return Err(problem) };
    let about_us = GraphName::from(shared.names.catalogue_record(key));
    let parser = RdfParser::from_format(RdfFormat::NQuads).lenient().for_slice(&quads);
    let quads: Vec<Quad> = parser.collect::<Result<_, _>>()?;
    let triples: Vec<Triple> =
        quads.into_iter().filter(|quad| quad.graph_name != about_us).map(Triple::from).collect();
    let vary = [(header::VARY, "Accept")];
    if media_type == "text/html" {
        let texts = |predicate: NamedNodeRef<'_>| -> Vec<String> {
            let of = triples.iter().filter(|triple| triple.predicate.as_ref() == predicate);
            of.filter_map(|triple| match &triple.object {
                Term::Literal(text) => Some(text.value().to_owned()),
                Term::NamedNode(_) | Term::BlankNode(_) => None,
            })
            .collect()
        };
        let page = GonePage {
            title: texts(dct::TITLE).into_iter().next().unwrap_or_else(|| key.to_string()),
            why: problem.detail().to_owned(),
            page: format!("/dataset/{key}"),
            descriptions: texts(dct::DESCRIPTION),
        };
        return Ok((StatusCode::GONE, vary, Html(page.render()?)).into_response());
    }
    let body = write(&triples, media_type)?;
    Ok((StatusCode::GONE, vary, [(header::CONTENT_TYPE, media_type)], body).into_response())
}

/// A catalogue record is told with what it is about.
pub(super) async fn of_record(Path(key): Path<String>) -> Result<Redirect, Problem> {
    to_dataset(&key)
}

/// A node that had no IRI is told with the record that it belongs to.
pub(super) async fn of_node(Path((key, _)): Path<(String, String)>) -> Result<Redirect, Problem> {
    to_dataset(&key)
}

fn to_dataset(key: &str) -> Result<Redirect, Problem> {
    let key =
        DatasetKey::parse(key).ok_or_else(|| Problem::not_found(format!("{key:?} is not a record's key")))?;
    Ok(Redirect::to(&format!("/dataset/{key}")))
}

/// A record's statements in an RDF syntax.
fn describe(shared: &Shared, snapshot: &Snapshot, key: DatasetKey, media_type: &str) -> Result<Vec<u8>, Problem> {
    let triples = statements(shared, snapshot, key)?;
    write(&triples, media_type)
}

/// The source's statements about a record, and what was read into them.
pub(super) fn statements(shared: &Shared, snapshot: &Snapshot, key: DatasetKey) -> Result<Vec<Triple>, Problem> {
    let mut triples = Vec::new();
    for graph in [shared.names.record(key), shared.names.normalised(key)] {
        triples.extend(graph_triples(snapshot, &graph)?);
    }
    Ok(triples)
}

pub(super) fn graph_triples(snapshot: &Snapshot, graph: &NamedNode) -> Result<Vec<Triple>, Problem> {
    Ok(graph_quads(&snapshot.store, graph)?.into_iter().map(Triple::from).collect())
}

/// Triples in an RDF syntax, with the usual prefixes.
pub(super) fn write(triples: &[Triple], media_type: &str) -> Result<Vec<u8>, Problem> {
    let format = RdfFormat::from_media_type(media_type).unwrap_or(RdfFormat::Turtle);
    let mut writer = RdfWriter::new(format, Vec::new());
    for triple in triples {
        writer.write_triple(triple)?;
    }
    let (bytes, left_out) = writer.finish()?;
    if left_out > 0 {
        tracing::info!(left_out, "RDF/XML cannot name some properties");
    }
    Ok(bytes)
}
