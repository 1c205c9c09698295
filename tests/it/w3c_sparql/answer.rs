//! Answers as values: those that tests expect, from files, and those that the program gives.

use super::Failure;
use super::csv;
use super::document::Document;
use super::endpoint::Reply;
use super::node::{Node, RS};
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNode, Term, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

/// What a query gives.
#[derive(Debug)]
pub(super) enum Answer {
    Boolean(bool),
    Solutions(Solutions),
    Graph(Vec<Triple>),
}

/// A term a variable, or nothing where it is unbound.
pub(super) type Row = Vec<Option<Term>>;

/// A table, its columns by the names of the variables.
#[derive(Debug)]
pub(super) struct Solutions {
    pub(super) variables: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) cells: Cells,
}

/// What the cells of a table hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    Terms,
    /// What CSV leaves of terms: IRIs and literals are texts, and what is unbound is the empty one.
    Texts,
}

/// A format of answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Results(QueryResultsFormat),
    Rdf(RdfFormat),
}

impl Format {
    /// The media type without parameters.
    pub(super) fn media_type(self) -> &'static str {
        let full = match self {
            Self::Results(format) => format.media_type(),
            Self::Rdf(format) => format.media_type(),
        };
        full.split(';').next().unwrap_or(full)
    }
}

impl Answer {
    /// Reads what a test expects.
    pub(super) fn expected(document: &Document) -> Self {
        let ending = document.ending();
        let Some(format) = QueryResultsFormat::from_extension(ending) else {
            let triples = document.triples();
            return of_result_set(&triples.iter().cloned().collect())
                .map_or(Self::Graph(triples), Self::Solutions);
        };
        Self::of_results(&document.bytes(), format).unwrap_or_else(|error| panic!("{}: {error}", document.iri))
    }

    /// Reads an answer of the program, which must have the format that was asked for.
    pub(super) fn read(reply: &Reply, format: Format) -> Result<Self, Failure> {
        let content_type = reply.content_type.split(';').next().unwrap_or_default().trim();
        if content_type != format.media_type() {
            return Err(Failure::Differs(format!("{} comes as {content_type}", format.media_type())));
        }
        let read = match format {
            Format::Results(format) => Self::of_results(&reply.body, format),
            Format::Rdf(format) => Self::of_graph(&reply.body, format),
        };
        read.map_err(|error| {
            let body = String::from_utf8_lossy(&reply.body);
            Failure::Differs(format!("{} does not parse: {error}: {body}", format.media_type()))
        })
    }

    pub(super) fn of_results(bytes: &[u8], format: QueryResultsFormat) -> Result<Self, String> {
        if format == QueryResultsFormat::Csv {
            return csv::solutions(bytes).map(Self::Solutions);
        }
        let parser = QueryResultsParser::from_format(format);
        match parser.for_slice(bytes).map_err(|error| error.to_string())? {
            SliceQueryResultsParserOutput::Boolean(value) => Ok(Self::Boolean(value)),
            SliceQueryResultsParserOutput::Solutions(solutions) => {
                let variables: Vec<String> =
                    solutions.variables().iter().map(|name| name.as_str().to_owned()).collect();
                let rows: Result<Vec<Row>, _> =
                    solutions.map(|solution| solution.map(|solution| solution.values().to_vec())).collect();
                let rows = rows.map_err(|error| error.to_string())?;
                Ok(Self::Solutions(Solutions::new(&variables, &rows, Cells::Terms)))
            }
        }
    }

    pub(super) fn of_graph(bytes: &[u8], format: RdfFormat) -> Result<Self, String> {
        let triples: Result<Vec<Triple>, _> =
            RdfParser::from_format(format).for_slice(bytes).map(|quad| quad.map(Triple::from)).collect();
        triples.map(Self::Graph).map_err(|error| error.to_string())
    }
}

impl Solutions {
    /// Sorts the columns: formats and queries with `*` give them in orders of their own.
    pub(super) fn new(variables: &[String], rows: &[Row], cells: Cells) -> Self {
        let mut columns: Vec<usize> = (0..variables.len()).collect();
        columns.sort_by_key(|column| &variables[*column]);
        let rows = rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect();
        Self { variables: columns.iter().map(|column| variables[*column].clone()).collect(), rows, cells }
    }
}

/// Reads a table that is written as triples, as some tests have it.
fn of_result_set(graph: &Graph) -> Option<Solutions> {
    let class = NamedNode::new_unchecked(format!("{RS}ResultSet"));
    let set = Node::new(graph, graph.subject_for_predicate_object(rdf::TYPE, &class)?);
    let variables: Vec<String> =
        set.all(RS, "resultVariable").into_iter().map(|name| name.text().to_owned()).collect();
    let row = |solution: Node<'_>| -> Row {
        let bindings = solution.all(RS, "binding");
        let value = |name: &String| {
            let binding = bindings.iter().find(|binding| binding.one(RS, "variable").text() == name)?;
            Some(binding.one(RS, "value").term.into_owned())
        };
        variables.iter().map(value).collect()
    };
    let rows: Vec<Row> = set.all(RS, "solution").into_iter().map(row).collect();
    Some(Solutions::new(&variables, &rows, Cells::Terms))
}
