//! Running one query of the public within limits.

use super::problem::Problem;
use super::server::{Opened, Shared};
use crate::triples::RdfWriter;
use axum::http::StatusCode;
use oxigraph::sparql::{CancellationToken, SparqlEvaluator};
use oxrdf::{GraphName, NamedOrBlankNode};
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::QueryResults;
use spargebra::Query;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// How long a query may run.
const TIME: Duration = Duration::from_secs(30);
/// How large a result may be, in bytes.
const SIZE: usize = 64 << 20;
/// Stack of a thread that evaluates: chains of operators are as deep as the query is long. It is taken
/// from the system only as far as it is used.
const STACK: usize = 512 << 20;

/// The dataset that the protocol names (SPARQL 1.1 Protocol, 2.1.4); it wins over that of the query.
#[derive(Debug, Default)]
pub(super) struct NamedDataset {
    pub(super) default: Vec<GraphName>,
    pub(super) named: Vec<NamedOrBlankNode>,
}

/// A query that may be run, and how its answer is written.
pub(super) struct Evaluation {
    pub(super) opened: Arc<Opened>,
    pub(super) query: Query,
    pub(super) dataset: NamedDataset,
    pub(super) media_type: &'static str,
}

/// Does work on a query on a thread whose stack bears it.
pub(super) async fn on_deep_stack<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Problem> {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("query".to_owned()).stack_size(STACK).spawn(move || {
        // A client that went away needs no answer.
        let _ = send.send(work());
    })?;
    Ok(receive.await?)
}

impl Evaluation {
    /// Runs the query, and ends it when its time is over.
    ///
    /// A query that does not heed the end keeps its place among those that may run at once, so that such
    /// queries fill the endpoint and not the machine.
    pub(super) async fn run(self, shared: &Shared) -> Result<Vec<u8>, Problem> {
        let place = shared.place()?;
        let token = CancellationToken::new();
        let inner = token.clone();
        let running = on_deep_stack(move || {
            let outcome = self.evaluate(inner);
            drop(place);
            outcome
        });
        if let Ok(outcome) = tokio::time::timeout(TIME, running).await {
            return outcome?;
        }
        token.cancel();
        Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Query too long",
            format!("the query ran for more than {} s: make it more specific, or ask with LIMIT", TIME.as_secs()),
        ))
    }

    fn evaluate(self, token: CancellationToken) -> Result<Vec<u8>, Problem> {
        let mut prepared = SparqlEvaluator::new().with_cancellation_token(token).for_query(self.query);
        let is_named = !(self.dataset.default.is_empty() && self.dataset.named.is_empty());
        if is_named {
            prepared.dataset_mut().set_default_graph(self.dataset.default);
            prepared.dataset_mut().set_available_named_graphs(self.dataset.named);
        } else if prepared.dataset().is_default_dataset() {
            prepared.dataset_mut().set_default_graph_as_union();
        }
        let failed = |error: &dyn std::error::Error| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Query failed", error.to_string())
        };
        let results = prepared.on_store(&self.opened.snapshot.store).execute().map_err(|error| failed(&error))?;
        let mut out = Capped { bytes: Vec::new() };
        write(results, self.media_type, &mut out).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Result too large",
                "the result is longer than 64 MB: ask with LIMIT",
            ),
            _ => failed(&error),
        })?;
        Ok(out.bytes)
    }
}

fn write(results: QueryResults<'_>, media_type: &str, out: &mut Capped) -> io::Result<()> {
    match results {
        QueryResults::Graph(triples) => {
            let format = RdfFormat::from_media_type(media_type)
                .unwrap_or(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() });
            let mut writer = RdfWriter::new(format, out);
            for triple in triples {
                writer.write_triple(&triple.map_err(io::Error::other)?)?;
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
