//! `/sparql`: the query operation of the SPARQL 1.1 Protocol, 2.1.

use super::evaluation::{Evaluation, NamedDataset, on_deep_stack};
use super::negotiation::best_match;
use super::problem::Problem;
use super::server::{Shared, State};
use crate::store::refuse_outside;
use crate::triples::is_too_deep;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oxrdf::{GraphName, NamedNode, NamedOrBlankNode};
use spargebra::{Query, SparqlParser};
use std::sync::Arc;

/// How long a query may be, in bytes.
const LONGEST: usize = 256 << 10;

/// The four formats; the general names of JSON and XML at last, for clients that know no better.
const TABLES: [&str; 7] = [
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
    "application/json",
    "application/xml",
    "text/xml",
];
const GRAPHS: [&str; 4] = ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"];

/// What a request asks.
#[derive(Debug, Default)]
struct Asked {
    query: Option<String>,
    default_graphs: Vec<String>,
    named_graphs: Vec<String>,
    has_update: bool,
}

impl Asked {
    fn add(&mut self, encoded: &str) {
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            match &*name {
                "query" => self.query = Some(value.into_owned()),
                "default-graph-uri" => self.default_graphs.push(value.into_owned()),
                "named-graph-uri" => self.named_graphs.push(value.into_owned()),
                "update" => self.has_update = true,
                _ => {}
            }
        }
    }
}

pub(super) async fn get(
    axum::extract::State(shared): State,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut asked = Asked::default();
    asked.add(parameters.as_deref().unwrap_or_default());
    answer(shared, asked, &headers).await
}

pub(super) async fn post(
    axum::extract::State(shared): State,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), "Unreadable body", error.body_text()))?;
    let mut asked = Asked::default();
    asked.add(parameters.as_deref().unwrap_or_default());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = std::str::from_utf8(&body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => asked.add(text),
        "application/sparql-query" => asked.query = Some(text.to_owned()),
        "application/sparql-update" => asked.has_update = true,
        other => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                format!("{other:?}: send application/sparql-query or application/x-www-form-urlencoded"),
            ));
        }
    }
    answer(shared, asked, &headers).await
}

async fn answer(shared: Arc<Shared>, asked: Asked, headers: &HeaderMap) -> Result<Response, Problem> {
    if asked.has_update {
        let why = "updates are not allowed here: the catalogue changes by harvests only";
        return Err(Problem::new(StatusCode::FORBIDDEN, "Update refused", why));
    }
    let Some(text) = asked.query else {
        return Err(Problem::bad_request("the parameter query is missing"));
    };
    let query = on_deep_stack(move || parse(&text)).await??;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let offers: &[&str] = match query {
        Query::Select { .. } | Query::Ask { .. } => &TABLES,
        Query::Construct { .. } | Query::Describe { .. } => &GRAPHS,
    };
    let media_type = best_match(accept, offers).ok_or_else(|| Problem::not_acceptable(offers))?;
    let dataset = dataset(&asked.default_graphs, &asked.named_graphs)?;
    let evaluation = Evaluation { opened: shared.snapshot()?, query, dataset, media_type };
    let body = evaluation.run(&shared).await?;
    let headers = [(header::CONTENT_TYPE, media_type), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    Ok((headers, body).into_response())
}

/// Parses a query, and refuses one that the public may not run.
fn parse(text: &str) -> Result<Query, Problem> {
    if text.len() > LONGEST {
        let why = format!("the query is longer than {LONGEST} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Query too long", why));
    }
    if is_too_deep(text) {
        return Err(Problem::bad_request("the query nests too deep: brackets within brackets, 64 times over"));
    }
    let query = SparqlParser::new()
        .parse_query(text)
        .map_err(|error| Problem::bad_request(format!("the query does not parse: {error}")))?;
    refuse_outside(&query)
        .map_err(|refused| Problem::new(StatusCode::FORBIDDEN, "SERVICE refused", refused.to_string()))?;
    Ok(query)
}

fn dataset(default: &[String], named: &[String]) -> Result<NamedDataset, Problem> {
    let iri = |text: &String| {
        NamedNode::new(text).map_err(|error| Problem::bad_request(format!("{text:?} is not an IRI: {error}")))
    };
    Ok(NamedDataset {
        default: default.iter().map(|text| iri(text).map(GraphName::from)).collect::<Result<_, _>>()?,
        named: named.iter().map(|text| iri(text).map(NamedOrBlankNode::from)).collect::<Result<_, _>>()?,
    })
}
