//! `/dataset/{key}`: a record in the form that the client likes best.

use super::negotiation::best_match;
use super::problem::Problem;
use super::server::{Shared, State};
use super::{api, pages};
use crate::catalog::DatasetKey;
use crate::store::{CatalogueRecord, Snapshot};
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use oxrdf::{GraphNameRef, NamedNode, Triple};
use oxrdfio::{RdfFormat, RdfSerializer};

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
    let snapshot = shared.snapshot()?;
    if CatalogueRecord::read(&snapshot.store, &shared.names, key).is_none() {
        return Err(api::absent(&shared, key).await?);
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let media_type = match suffix {
        Some(suffix) => {
            by_suffix(suffix).ok_or_else(|| Problem::not_found(format!("no form is called .{suffix}")))?
        }
        None => best_match(accept, &OFFERS).ok_or_else(|| Problem::not_acceptable(&OFFERS))?,
    };
    let vary = [(header::VARY, "Accept")];
    if media_type == "text/html" {
        return Ok((vary, Html(pages::dataset(&shared, key).await?)).into_response());
    }
    if media_type == "application/json" {
        let record = api::derive(&shared, vec![key]).await?.pop();
        return Ok((vary, axum::Json(record)).into_response());
    }
    let body = describe(&shared, &snapshot, key, media_type)?;
    Ok((vary, [(header::CONTENT_TYPE, media_type)], body).into_response())
}

fn by_suffix(suffix: &str) -> Option<&'static str> {
    Some(match suffix {
        "html" => "text/html",
        "ttl" => "text/turtle",
        "rdf" | "xml" => "application/rdf+xml",
        "jsonld" => "application/ld+json",
        "json" => "application/json",
        "nt" => "application/n-triples",
        _ => return None,
    })
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
    let quads = snapshot.store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref())));
    Ok(quads.map(|quad| quad.map(Triple::from)).collect::<Result<_, _>>()?)
}

/// Triples in an RDF syntax, with the usual prefixes.
pub(super) fn write(triples: &[Triple], media_type: &str) -> Result<Vec<u8>, Problem> {
    let format = RdfFormat::from_media_type(media_type).unwrap_or(RdfFormat::Turtle);
    let mut serializer = RdfSerializer::from_format(format);
    for (prefix, iri) in crate::vocab::PREFIXES {
        serializer = serializer.with_prefix(*prefix, *iri)?;
    }
    let mut writer = serializer.for_writer(Vec::new());
    for triple in triples {
        writer.serialize_triple(triple)?;
    }
    Ok(writer.finish()?)
}
