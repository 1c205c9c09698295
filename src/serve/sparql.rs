//! `/sparql`: the query operation of the SPARQL 1.1 Protocol, 2.1, and what tells of it.

use super::answer::{Conditional, respond};
use super::body::bytes;
use super::client::ClientAddress;
use super::describing;
use super::moment::Moment;
use super::negotiated::{accept, best_of, media_type_of};
use super::problem::Problem;
use super::server::{Shared, State};
use crate::sparql::{LONGEST_QUERY, Question};
use axum::extract::{RawQuery, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// What a request asks.
#[derive(Debug, Default)]
struct Asked {
    query: Vec<String>,
    default_graphs: Vec<String>,
    named_graphs: Vec<String>,
    as_of: Option<String>,
    format: Option<String>,
    has_update: bool,
}

impl Asked {
    fn add(&mut self, encoded: &str) {
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            match &*name {
                // Forms send fields that were left empty.
                "default-graph-uri" | "named-graph-uri" if value.trim().is_empty() => {}
                "query" => self.query.push(value.into_owned()),
                "default-graph-uri" => self.default_graphs.push(value.into_owned()),
                "named-graph-uri" => self.named_graphs.push(value.into_owned()),
                "format" => self.format = Some(value.into_owned()),
                "as-of" => self.as_of = Some(value.into_owned()),
                "update" => self.has_update = true,
                _ => {}
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.query.is_empty() && !self.has_update
    }
}

pub(super) async fn get(
    axum::extract::State(shared): State,
    ClientAddress(client): ClientAddress,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut asked = Asked::default();
    asked.add(parameters.as_deref().unwrap_or_default());
    if asked.is_empty() {
        return without_query(&shared, &headers);
    }
    answer(shared, client, asked, &headers, Conditional::of(&headers)).await
}

/// People see the page, programs the service description (SPARQL 1.1 Service Description, 2).
fn without_query(shared: &Arc<Shared>, headers: &HeaderMap) -> Result<Response, Problem> {
    let offers = [&describing::OFFERS[..], &["text/html"]].concat();
    match best_of(headers, &offers)? {
        "text/html" => Ok(Redirect::to("/query").into_response()),
        media_type => describing::service(shared, media_type),
    }
}

pub(super) async fn post(
    axum::extract::State(shared): State,
    ClientAddress(client): ClientAddress,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let body = bytes(request).await?;
    let mut asked = Asked::default();
    asked.add(parameters.as_deref().unwrap_or_default());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = std::str::from_utf8(&body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => asked.add(text),
        "application/sparql-query" => asked.query.push(text.to_owned()),
        "application/sparql-update" => asked.has_update = true,
        other => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                format!("{other:?}: send application/sparql-query or application/x-www-form-urlencoded"),
            ));
        }
    }
    drop(body);
    // What is sent is not what was got: only a GET is answered by what the client has (RFC 9110, 13.1.2).
    answer(shared, client, asked, &headers, Conditional::default()).await
}

async fn answer(
    shared: Arc<Shared>,
    client: IpAddr,
    asked: Asked,
    headers: &HeaderMap,
    conditional: Conditional,
) -> Result<Response, Problem> {
    if asked.has_update {
        let why = "updates are not allowed here: the catalogue changes by harvests only";
        return Err(Problem::new(StatusCode::FORBIDDEN, "Update refused", why));
    }
    let [query] = <[String; 1]>::try_from(asked.query).map_err(|queries| {
        Problem::bad_request(format!("a request has one query, this one has {}", queries.len()))
    })?;
    // Those that wait would take memory: what is too long for a worker is refused before.
    let others = asked.default_graphs.iter().chain(&asked.named_graphs).chain(&asked.as_of);
    if query.len() > LONGEST_QUERY || others.map(String::len).sum::<usize>() > LONGEST_QUERY {
        let why = format!("the query is longer than {LONGEST_QUERY} bytes: ask in several");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Query too long", why));
    }
    let moment = Moment::asked(&shared, asked.as_of.as_deref())?;
    let accept = accept(headers).map(ToOwned::to_owned);
    let accept = asked.format.as_deref().and_then(preferring).or(accept);
    let question = Question {
        query,
        default_graphs: asked.default_graphs,
        named_graphs: asked.named_graphs,
        accept,
        base: format!("{}/sparql", shared.settings.public_base),
        snapshot: moment.number(),
        ..shared.bounds()
    };
    respond(&shared, client, question, &moment, &conditional).await
}

/// What a form without script asks by a short name: it is preferred, where the query has it.
fn preferring(format: &str) -> Option<String> {
    let media_type = match format {
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "json" => "application/sparql-results+json",
        "xml" => "application/sparql-results+xml",
        other => media_type_of(other)?,
    };
    Some(format!("{media_type}, */*;q=0.1"))
}
