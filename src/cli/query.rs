//! `moisson query`

use super::{Outcome, StoreArguments};
use crate::config::Config;
use crate::derive::{SearchIndex, bring_index_to};
use crate::sparql::{searches, with_public_functions};
use crate::store::{Folder, GraphNames, Snapshot, evaluate_on_merge, refuse_outside};
use crate::triples::RdfWriter;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use oxigraph::sparql::SparqlEvaluator;
use oxrdfio::RdfFormat;
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::QueryResults;
use std::io::{BufWriter, Read, Write};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Xml,
    Csv,
    Tsv,
    Turtle,
    Ntriples,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The query's file; - reads standard input
    #[arg(value_name = "FILE|-")]
    file: String,
    /// How results are printed [default: json, or turtle for a graph]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let text = read(&arguments.file)?;
    let query = crate::convert::parse_query(&arguments.file, &text)?;
    refuse_outside(&query, &[])?;
    let folder = arguments.store.folder(config);
    let snapshot = folder.snapshot()?;
    let index = searches(&query).then(|| index(&folder, &snapshot, config)).transpose()?;
    let prepared = with_public_functions(SparqlEvaluator::new(), index).for_query(query);
    let results = evaluate_on_merge(prepared, &snapshot.store)?;
    print(results, arguments.format)?;
    Ok(Outcome::Done)
}

/// The search index, brought to the snapshot that is asked.
fn index(folder: &Folder, snapshot: &Snapshot, config: &Config) -> anyhow::Result<Arc<SearchIndex>> {
    if SearchIndex::current(folder) != Some(snapshot.number) {
        // A server that has it open is about to do the same.
        bring_index_to(folder, snapshot, &GraphNames::new(&config.base)).context("the search index")?;
    }
    Ok(Arc::new(SearchIndex::open(folder)?))
}

fn read(file: &str) -> anyhow::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file).with_context(|| format!("{file}: the query cannot be read"));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn print(results: QueryResults<'_>, format: Option<Format>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match results {
        QueryResults::Graph(triples) => {
            let mut writer = RdfWriter::new(graph_format(format)?, &mut out);
            for triple in triples {
                writer.write_triple(&triple?)?;
            }
            writer.finish()?;
        }
        QueryResults::Solutions(solutions) => {
            let mut writer = QueryResultsSerializer::from_format(table_format(format)?)
                .serialize_solutions_to_writer(&mut out, solutions.variables().to_vec())?;
            for solution in solutions {
                writer.serialize(&solution?)?;
            }
            writer.finish()?;
        }
        QueryResults::Boolean(answer) => {
            QueryResultsSerializer::from_format(table_format(format)?)
                .serialize_boolean_to_writer(&mut out, answer)?;
        }
    }
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

fn table_format(format: Option<Format>) -> anyhow::Result<QueryResultsFormat> {
    Ok(match format {
        None | Some(Format::Json) => QueryResultsFormat::Json,
        Some(Format::Xml) => QueryResultsFormat::Xml,
        Some(Format::Csv) => QueryResultsFormat::Csv,
        Some(Format::Tsv) => QueryResultsFormat::Tsv,
        Some(Format::Turtle | Format::Ntriples) => bail!("this query gives a table: use json, xml, csv or tsv"),
    })
}

fn graph_format(format: Option<Format>) -> anyhow::Result<RdfFormat> {
    Ok(match format {
        None | Some(Format::Turtle) => RdfFormat::Turtle,
        Some(Format::Ntriples) => RdfFormat::NTriples,
        Some(Format::Json | Format::Xml | Format::Csv | Format::Tsv) => {
            bail!("this query gives a graph: use turtle or ntriples")
        }
    })
}
