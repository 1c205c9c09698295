//! Evaluating one question on a snapshot, and writing its answer within bounds.

use super::csv;
use super::federation::Federation;
use super::functions::{Searches, with_searches};
use super::narrow::narrow;
use super::negotiation::best_match;
use super::question::{Question, Refusal, Reply};
use super::reading::Readable;
use crate::store::evaluate_on_merge;
use crate::triples::{RdfWriter, calls, is_volatile};
use oxigraph::sparql::SparqlEvaluator;
use oxigraph::store::Store;
use oxrdfio::RdfFormat;
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::{QueryEvaluationError, QueryResults};
use spargebra::Query;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Answers up to this length go through the pipe.
const INLINE: usize = 256 << 10;

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
/// The syntaxes of graphs; N-Quads and TriG, and the names that older clients use, for those that ask for nothing else.
const GRAPHS: [&str; 9] = [
    "text/turtle",
    "application/n-triples",
    "application/rdf+xml",
    "application/ld+json",
    "application/trig",
    "application/n-quads",
    "application/x-turtle",
    "text/n3",
    "application/json",
];

/// What the evaluation of a question may use.
pub(super) struct Means<'m> {
    pub(super) store: &'m Store,
    pub(super) searches: Option<Searches>,
    pub(super) federation: Option<Federation>,
}

impl<'m> Means<'m> {
    /// A store alone.
    pub(super) fn of(store: &'m Store) -> Self {
        Self { store, searches: None, federation: None }
    }
}

/// Evaluates a question. The answer itself is returned beside what is said of it, unless it was spooled.
pub(super) fn evaluate(question: &Question, mut readable: Readable, means: Means<'_>) -> (Reply, Vec<u8>) {
    let offers: &[&str] = match readable.query {
        Query::Select { .. } | Query::Ask { .. } => &TABLES,
        Query::Construct { .. } | Query::Describe { .. } => &GRAPHS,
    };
    let Some(media_type) = best_match(question.accept.as_deref(), offers) else {
        let detail = format!("this address has: {}", offers.join(", "));
        return (Reply::refused(Refusal::NotAcceptable, detail), Vec::new());
    };
    let is_volatile = is_volatile(&readable.query);
    if let Some(searches) = &means.searches {
        narrow(&mut readable.query, searches);
    }
    let mut out = Bounded::new(question);
    match run(readable, means, media_type, question.rows, &mut out) {
        Ok(()) => {
            let (bytes, is_spooled) = (out.length, out.spool.is_some());
            let media_type = media_type.to_owned();
            (Reply::Answer { media_type, is_volatile, bytes, is_spooled }, out.memory)
        }
        Err(stopped) => (stopped.reply(question), Vec::new()),
    }
}

/// Why an evaluation did not come to its end.
enum Stopped {
    Rows,
    Bytes,
    Failed(String),
}

impl Stopped {
    fn reply(self, question: &Question) -> Reply {
        let bytes = question.bytes >> 20;
        match self {
            Self::Rows => Reply::refused(
                Refusal::Rows,
                format!("the answer has more than {} rows: ask with LIMIT, or take the dump", question.rows),
            ),
            Self::Bytes => Reply::refused(
                Refusal::Bytes,
                format!("the answer is longer than {bytes} MB: ask with LIMIT, or take the dump"),
            ),
            Self::Failed(detail) => Reply::refused(Refusal::Evaluation, detail),
        }
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::Bytes,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<QueryEvaluationError> for Stopped {
    fn from(error: QueryEvaluationError) -> Self {
        Self::Failed(error.to_string())
    }
}

fn run(
    readable: Readable,
    means: Means<'_>,
    media_type: &str,
    most: u64,
    out: &mut Bounded,
) -> Result<(), Stopped> {
    let mut evaluator = SparqlEvaluator::new();
    // There are many, and few queries call any.
    if calls(&readable.query, |_| true) {
        evaluator = with_searches(evaluator, means.searches);
    }
    if let Some(federation) = means.federation {
        evaluator = evaluator.with_default_service_handler(federation);
    }
    let mut prepared = evaluator.for_query(readable.query);
    if !(readable.default_graphs.is_empty() && readable.named_graphs.is_empty()) {
        prepared.dataset_mut().set_default_graph(readable.default_graphs);
        prepared.dataset_mut().set_available_named_graphs(readable.named_graphs);
    }
    match evaluate_on_merge(prepared, means.store)? {
        QueryResults::Graph(triples) => {
            let format = RdfFormat::from_media_type(media_type).unwrap_or(RdfFormat::Turtle);
            let mut writer = RdfWriter::new(format, &mut *out);
            for (number, triple) in (1_u64..).zip(triples) {
                is_within(number, most)?;
                writer.write_triple(&triple?)?;
            }
            writer.finish()?;
        }
        QueryResults::Solutions(solutions) if table(media_type) == QueryResultsFormat::Csv => {
            let variables = solutions.variables().to_vec();
            csv::head(out, &variables)?;
            for (number, solution) in (1_u64..).zip(solutions) {
                is_within(number, most)?;
                csv::row(out, &variables, &solution?)?;
            }
        }
        QueryResults::Solutions(solutions) => {
            let mut writer = QueryResultsSerializer::from_format(table(media_type))
                .serialize_solutions_to_writer(&mut *out, solutions.variables().to_vec())?;
            for (number, solution) in (1_u64..).zip(solutions) {
                is_within(number, most)?;
                writer.serialize(&solution?)?;
            }
            writer.finish()?;
        }
        QueryResults::Boolean(answer) => {
            QueryResultsSerializer::from_format(table(media_type))
                .serialize_boolean_to_writer(&mut *out, answer)?;
        }
    }
    Ok(out.flush()?)
}

fn is_within(number: u64, most: u64) -> Result<(), Stopped> {
    if number > most { Err(Stopped::Rows) } else { Ok(()) }
}

fn table(media_type: &str) -> QueryResultsFormat {
    QueryResultsFormat::from_media_type(media_type).unwrap_or(QueryResultsFormat::Json)
}

/// What is written: memory first, then a file, up to a bound.
struct Bounded {
    memory: Vec<u8>,
    spool: Option<BufWriter<File>>,
    path: PathBuf,
    length: u64,
    most: u64,
}

impl Bounded {
    fn new(question: &Question) -> Self {
        let (path, most) = (question.spool.clone(), question.bytes);
        Self { memory: Vec::new(), spool: None, path, length: 0, most }
    }
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.length += part.len() as u64;
        if self.length > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.spool.is_none() && self.memory.len() + part.len() > INLINE {
            let mut spool = BufWriter::new(File::create(&self.path)?);
            spool.write_all(&std::mem::take(&mut self.memory))?;
            self.spool = Some(spool);
        }
        match &mut self.spool {
            Some(spool) => spool.write_all(part)?,
            None => self.memory.extend_from_slice(part),
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.as_mut().map_or(Ok(()), Write::flush)
    }
}
