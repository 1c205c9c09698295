//! `/sparql`: the query operation of the SPARQL 1.1 Protocol, 2.1.

use super::negotiation::best_match;
use super::problem::Problem;
use super::server::{Shared, State};
use crate::store::{Snapshot, refuse_outside};
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oxigraph::sparql::{CancellationToken, SparqlEvaluator};
use oxrdf::{GraphName, NamedNode, NamedOrBlankNode};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer};
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::QueryResults;
use spargebra::{Query, SparqlParser};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// How long a query may run.
const TIME: Duration = Duration::from_secs(30);
/// How large a result may be, in bytes.
const SIZE: usize = 64 << 20;

const TABLES: [&str; 4] =
    ["application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"];
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
    body: Bytes,
) -> Result<Response, Problem> {
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
    let query = SparqlParser::new()
        .parse_query(&text)
        .map_err(|error| Problem::bad_request(format!("the query does not parse: {error}")))?;
    refuse_outside(&query)
        .map_err(|refused| Problem::new(StatusCode::FORBIDDEN, "SERVICE refused", refused.to_string()))?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let offers: &[&str] = match query {
        Query::Select { .. } | Query::Ask { .. } => &TABLES,
        Query::Construct { .. } | Query::Describe { .. } => &GRAPHS,
    };
    let media_type = best_match(accept, offers).ok_or_else(|| Problem::not_acceptable(offers))?;
    let dataset = dataset(&asked.default_graphs, &asked.named_graphs)?;
    let snapshot = shared.snapshot()?;
    let body = run_limited(snapshot, query, dataset, media_type).await?;
    let headers = [(header::CONTENT_TYPE, media_type), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    Ok((headers, body).into_response())
}

/// The dataset that the protocol names (2.1.4); it wins over that of the query.
#[derive(Debug, Default)]
struct NamedDataset {
    default: Vec<GraphName>,
    named: Vec<NamedOrBlankNode>,
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

/// Runs a query on a thread of its own, and ends it when its time is over.
async fn run_limited(
    snapshot: Snapshot,
    query: Query,
    dataset: NamedDataset,
    media_type: &'static str,
) -> Result<Vec<u8>, Problem> {
    let token = CancellationToken::new();
    let inner = token.clone();
    let task = tokio::task::spawn_blocking(move || run(&snapshot, query, dataset, media_type, inner));
    let late = || {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Query too long",
            format!("the query ran for more than {} s: make it more specific, or ask with LIMIT", TIME.as_secs()),
        )
    };
    match tokio::time::timeout(TIME, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Problem::internal(&error)),
        Err(_) => {
            token.cancel();
            Err(late())
        }
    }
}

fn run(
    snapshot: &Snapshot,
    query: Query,
    dataset: NamedDataset,
    media_type: &str,
    token: CancellationToken,
) -> Result<Vec<u8>, Problem> {
    let mut prepared = SparqlEvaluator::new().with_cancellation_token(token).for_query(query);
    let is_named = !(dataset.default.is_empty() && dataset.named.is_empty());
    if is_named {
        prepared.dataset_mut().set_default_graph(dataset.default);
        prepared.dataset_mut().set_available_named_graphs(dataset.named);
    } else if prepared.dataset().is_default_dataset() {
        prepared.dataset_mut().set_default_graph_as_union();
    }
    let failed = |error: &dyn std::error::Error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Query failed", error.to_string())
    };
    let results = prepared.on_store(&snapshot.store).execute().map_err(|error| failed(&error))?;
    let mut out = Capped { bytes: Vec::new() };
    write(results, media_type, &mut out).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Result too large",
            "the result is longer than 64 MB: ask with LIMIT",
        ),
        _ => failed(&error),
    })?;
    Ok(out.bytes)
}

fn write(results: QueryResults<'_>, media_type: &str, out: &mut Capped) -> io::Result<()> {
    match results {
        QueryResults::Graph(triples) => {
            let format = RdfFormat::from_media_type(media_type)
                .unwrap_or(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() });
            let mut writer = RdfSerializer::from_format(format).for_writer(out);
            for triple in triples {
                writer.serialize_triple(&triple.map_err(io::Error::other)?)?;
            }
            writer.finish()?;
        }
        QueryResults::Solutions(solutions) => {
            let mut writer = QueryResultsSerializer::from_format(table(media_type))
                .serialize_solutions_to_writer(out, solutions.variables().to_vec())?;
            for solution in solutions {
                writer.serialize(&solution.map_err(io::Error::other)?)?;
            }
            writer.finish()?;
        }
        QueryResults::Boolean(answer) => {
            QueryResultsSerializer::from_format(table(media_type)).serialize_boolean_to_writer(out, answer)?;
        }
    }
    Ok(())
}

fn table(media_type: &str) -> QueryResultsFormat {
    QueryResultsFormat::from_media_type(media_type).unwrap_or(QueryResultsFormat::Json)
}

/// Memory that ends at a size.
struct Capped {
    bytes: Vec<u8>,
}

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > SIZE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
