//! `moisson shacl`

use super::{FetchArguments, Outcome, runtime};
use crate::config::Config;
use crate::fetch::{Answer, Client, Validators};
use crate::source::{Appetite, Crawl, CrawlLimits, Target};
use crate::triples::Graph;
use crate::validate::{ByDataset, Data, Details, Documents, Fetched, Plan, Report, path_text};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfSerializer};
use serde_json::json;
use std::path::PathBuf;
use tokio::runtime::Runtime;
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Turtle,
    Json,
    Text,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files of shapes
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    shapes: Vec<PathBuf>,
    /// Files of data
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Files of vocabularies: read with the data, never validated themselves
    #[arg(long, num_args = 1.., value_name = "FILE")]
    vocabulary: Vec<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value = "turtle")]
    format: Format,
    /// Print the plan, with how often each constraint was checked and for how long
    #[arg(long)]
    explain: bool,
    /// Validate each dataset of the data alone, as a harvest does, in the memory of a few
    #[arg(long, conflicts_with = "explain")]
    by_dataset: bool,
    /// Fetch the documents that the shapes import and that are not given
    #[arg(long)]
    fetch_imports: bool,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let plan = Plan::compile(shapes(arguments, config)?)?;
    let vocabulary = Documents::read(&arguments.vocabulary)?;
    let vocabulary = (!vocabulary.is_empty()).then_some(&vocabulary);
    let report = if arguments.by_dataset {
        by_dataset(&plan, vocabulary, arguments, config)?
    } else {
        let graph = Documents::read(&arguments.data)?;
        let data = Data { graph: &graph, vocabulary };
        if arguments.explain {
            let (report, tally) = plan.explain(data);
            print!("{}", plan.describe(&tally));
            report
        } else {
            plan.validate(data, Details::Kept)
        }
    };
    if !arguments.explain {
        print_report(&report, &plan, arguments.format)?;
    }
    for warning in plan.warnings() {
        eprintln!(
            "moisson: shape {}: {} has no {}, and is left out",
            warning.shape, warning.refers_to, warning.missing
        );
    }
    for failure in &report.failures {
        eprintln!("moisson: shape {} at {}: {}", failure.shape, failure.focus_node, failure.reason);
    }
    if !report.failures.is_empty() {
        bail!("{} constraints could not be evaluated", report.failures.len());
    }
    Ok(if report.conforms() { Outcome::Done } else { Outcome::WithErrors })
}

fn by_dataset(
    plan: &Plan,
    vocabulary: Option<&Graph>,
    arguments: &Arguments,
    config: &Config,
) -> anyhow::Result<Report> {
    let (client, runtime) = (arguments.fetch.client(config), runtime()?);
    let mut validation = ByDataset::new(plan, vocabulary);
    for path in &arguments.data {
        let target = Target::File(std::fs::canonicalize(path).with_context(|| path.display().to_string())?);
        let crawl = Crawl::new(&client, runtime.handle().clone(), CrawlLimits::default());
        let outcome = crawl.dcat(&target, &Validators::default(), &mut |window, _| {
            validation.take(&window);
            Appetite::More
        })?;
        if let Some(error) = outcome.errors.first() {
            bail!("{}: {}", error.place, error.message);
        }
    }
    let (records, seconds) = (validation.records(), validation.time().as_secs_f64());
    eprintln!("moisson: {records} records validated, {:.0} a second", records as f64 / seconds);
    Ok(validation.into_report())
}

/// Reads shapes with what they import, and says which imports are missing.
fn shapes(arguments: &Arguments, config: &Config) -> anyhow::Result<Graph> {
    let documents = if arguments.fetch_imports {
        let (client, runtime) = (arguments.fetch.client(config), runtime()?);
        Documents::with_imports(&arguments.shapes, Some(&|url| fetch(&client, &runtime, url)))?
    } else {
        Documents::with_imports(&arguments.shapes, None)?
    };
    for import in &documents.missing_imports {
        eprintln!(
            "moisson: the shapes import {import}, which is left out; give it with --shapes, or fetch it with --fetch-imports"
        );
    }
    Ok(documents.graph)
}

fn fetch(client: &Client, runtime: &Runtime, url: &Url) -> Result<Fetched, String> {
    match runtime.block_on(client.get(url, &Validators::default())) {
        Ok(Answer::Content { url, content_type, body, .. }) => Ok(Fetched { url, content_type, body }),
        Ok(Answer::NotModified) => Err("the server says that it is not modified".to_owned()),
        Err(error) => Err(super::sentence(&error.into())),
    }
}

fn print_report(report: &Report, plan: &Plan, format: Format) -> anyhow::Result<()> {
    let graph = plan.shapes_graph();
    match format {
        Format::Turtle => print!("{}", to_turtle(&report.to_triples(graph))),
        Format::Json => {
            let results: Vec<_> = report
                .results
                .iter()
                .map(|result| {
                    json!({
                        "focus_node": result.focus_node.to_string(),
                        "path": result.path.as_ref().map(|path| path_text(graph, path)),
                        "value": result.value.as_ref().map(ToString::to_string),
                        "source_shape": result.source_shape.to_string(),
                        "component": result.component.as_str(),
                        "severity": result.severity.as_str(),
                        "messages": result.messages.iter().map(|m| json!({"text": m.value(), "language": m.language()})).collect::<Vec<_>>(),
                    })
                })
                .collect();
            println!(
                "{}",
                serde_json::to_string_pretty(&json!({"conforms": report.conforms(), "results": results}))?
            );
        }
        Format::Text => {
            for result in &report.results {
                let path =
                    result.path.as_ref().map_or(String::new(), |path| format!(" {}", path_text(graph, path)));
                let value = result.value.as_ref().map_or(String::new(), |value| format!(" {value}"));
                let message = result.messages.first().map_or("", |message| message.value());
                let severity = result.severity.as_str().rsplit('#').next().unwrap_or_default();
                println!("{severity}: {}{path}{value}: {message}", result.focus_node);
            }
            println!("{} results", report.results.len());
        }
    }
    Ok(())
}

/// Triples as Turtle, with the prefixes of reports.
pub(super) fn to_turtle(triples: &[Triple]) -> String {
    let serializer = [("sh", crate::vocab::sh::NAMESPACE), ("xsd", crate::vocab::xsd::NAMESPACE)]
        .into_iter()
        .fold(RdfSerializer::from_format(RdfFormat::Turtle), |serializer, (prefix, iri)| {
            serializer.with_prefix(prefix, iri).expect("a namespace of ours is an IRI")
        });
    let mut writer = serializer.for_writer(Vec::new());
    for triple in triples {
        writer.serialize_triple(triple).expect("writing to memory");
    }
    String::from_utf8(writer.finish().expect("writing to memory")).expect("Turtle is UTF-8")
}
