//! `moisson shacl`

use super::Outcome;
use crate::fetch::Body;
use crate::lift::{Contexts, Format as LiftFormat, Input, detect, read};
use crate::triples::{Graph, GraphBuilder};
use crate::validate::{Details, Plan, Report, path_text};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfSerializer};
use serde_json::json;
use std::path::{Path, PathBuf};
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
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let plan = Plan::compile(graph(&arguments.shapes)?)?;
    let data = graph(&arguments.data)?;
    let vocabulary = graph(&arguments.vocabulary)?;
    let data = crate::validate::Data { graph: &data, vocabulary: (!vocabulary.is_empty()).then_some(&vocabulary) };
    let report = if arguments.explain {
        let (report, tally) = plan.explain(data);
        print!("{}", plan.describe(&tally));
        report
    } else {
        let report = plan.validate(data, Details::Kept);
        print_report(&report, &plan, arguments.format)?;
        report
    };
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

/// Reads files into one graph; here a syntax error is an error, since half the shapes are none.
fn graph(paths: &[PathBuf]) -> anyhow::Result<Graph> {
    let mut builder = GraphBuilder::new();
    for (number, path) in paths.iter().enumerate() {
        read_into(&mut builder, path, number).with_context(|| format!("{}", path.display()))?;
    }
    Ok(builder.build())
}

fn read_into(builder: &mut GraphBuilder, path: &Path, number: usize) -> anyhow::Result<()> {
    let absolute = std::path::absolute(path)?;
    let page = Url::from_file_path(&absolute).map_err(|()| anyhow::anyhow!("not a file's path"))?;
    let mut start = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(std::fs::File::open(path)?, 4096), &mut start)?;
    let LiftFormat::Rdf(format) = detect(&page, None, &start)? else { bail!("this is a web page, not RDF") };
    let input = Input { page, format, body: Body::File(absolute) };
    let reading = read(&input, &Contexts::default(), |lifted| builder.insert(&distinct(lifted.triple, number)))?;
    if let Some(problem) = reading.problems.first() {
        bail!("line {}: {}", problem.line, problem.message);
    }
    Ok(())
}

/// Keeps the blank nodes of several files apart.
fn distinct(mut triple: Triple, number: usize) -> Triple {
    use oxrdf::{BlankNode, NamedOrBlankNode, Term};
    let rename = |node: &BlankNode| BlankNode::new_unchecked(format!("f{number}{}", node.as_str()));
    if let NamedOrBlankNode::BlankNode(node) = &triple.subject {
        triple.subject = rename(node).into();
    }
    if let Term::BlankNode(node) = &triple.object {
        triple.object = rename(node).into();
    }
    triple
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
