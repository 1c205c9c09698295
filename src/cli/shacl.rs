//! `moisson shacl`

use super::shacl_report::ReportPrinter;
use super::{FetchArguments, Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::fetch::Validators;
use crate::harvest::fetch_document;
use crate::source::{Appetite, Crawl, CrawlLimits, Target};
use crate::triples::Graph;
use crate::validate::{ByDataset, Data, Details, Documents, Failure, Plan, Role};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use oxrdf::NamedNode;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Turtle,
    Json,
    Text,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files of shapes
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    shapes: Vec<PathBuf>,
    /// Files of data [default: the store]
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    store: StoreArguments,
    /// A graph of the store, by its name [default: all of them together]
    #[arg(long, value_name = "IRI", conflicts_with = "data")]
    graph: Vec<String>,
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
    #[arg(long, conflicts_with = "explain", requires = "data")]
    by_dataset: bool,
    /// Fetch the documents that the shapes import and that are not given
    #[arg(long)]
    fetch_imports: bool,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let plan = Plan::compile(shapes(arguments, config)?)?;
    let vocabulary = Documents::read(&arguments.vocabulary, Role::Vocabulary)?;
    let vocabulary = (!vocabulary.is_empty()).then_some(&vocabulary);
    for warning in plan.warnings() {
        eprintln!(
            "moisson: shape {}: {} has no {}, and is left out",
            warning.shape, warning.refers_to, warning.missing
        );
    }
    if arguments.by_dataset {
        return by_dataset(&plan, vocabulary, arguments, config);
    }
    let graph = data(arguments, config)?;
    let data = Data { graph: &graph, vocabulary };
    let report = if arguments.explain {
        let (report, tally) = plan.explain(data);
        print!("{}", plan.describe(&tally));
        report
    } else {
        plan.validate(data, Details::Kept)
    };
    refuse_failures(&report.failures)?;
    if !arguments.explain {
        let mut printer = ReportPrinter::start(&plan, arguments.format)?;
        report.results.iter().try_for_each(|result| printer.add(result))?;
        printer.finish(true)?;
    }
    Ok(if report.conforms() { Outcome::Done } else { Outcome::WithErrors })
}

/// The graph to validate: files, or graphs of a store.
fn data(arguments: &Arguments, config: &Config) -> anyhow::Result<Graph> {
    if !arguments.data.is_empty() {
        return Ok(Documents::read(&arguments.data, Role::Data)?);
    }
    let folder = arguments.store.folder(config);
    let graphs =
        arguments.graph.iter().map(|iri| NamedNode::new(iri).with_context(|| format!("{iri:?} is not an IRI")));
    Ok(folder.snapshot()?.graph(&graphs.collect::<anyhow::Result<Vec<_>>>()?)?)
}

/// A report that lacks what could not be evaluated is none (SHACL 3.4.1).
fn refuse_failures(failures: &[Failure]) -> anyhow::Result<()> {
    for failure in failures {
        let reason = super::sentence(&anyhow::Error::new(failure.reason.clone()));
        eprintln!("moisson: shape {} at {}: {reason}", failure.shape, failure.focus_node);
    }
    if !failures.is_empty() {
        bail!("{} constraints could not be evaluated: nothing is known of conformance", failures.len());
    }
    Ok(())
}

fn by_dataset(
    plan: &Plan,
    vocabulary: Option<&Graph>,
    arguments: &Arguments,
    config: &Config,
) -> anyhow::Result<Outcome> {
    let (client, runtime) = (arguments.fetch.client(config), runtime()?);
    let mut validation = ByDataset::new(plan, vocabulary);
    let mut printer = ReportPrinter::start(plan, arguments.format)?;
    let (mut failures, mut conforms, mut printed) = (Vec::new(), true, Ok(()));
    for path in &arguments.data {
        let target = Target::File(std::fs::canonicalize(path).with_context(|| path.display().to_string())?);
        let crawl = Crawl::new(&client, runtime.handle().clone(), CrawlLimits::default());
        let outcome = crawl.dcat(&target, &Validators::default(), &mut |window, _| {
            let report = validation.take(&window);
            failures.extend(report.failures);
            conforms &= report.results.is_empty();
            printed = report.results.iter().try_for_each(|result| printer.add(result));
            if printed.is_ok() { Appetite::More } else { Appetite::Enough }
        })?;
        std::mem::replace(&mut printed, Ok(()))?;
        if let Some(error) = outcome.errors.first() {
            bail!("{}: {}", error.place, error.message);
        }
    }
    printer.finish(failures.is_empty())?;
    let (records, seconds) = (validation.records(), validation.time().as_secs_f64());
    eprintln!("moisson: {records} records validated, {:.0} a second", records as f64 / seconds);
    refuse_failures(&failures)?;
    Ok(if conforms { Outcome::Done } else { Outcome::WithErrors })
}

/// Reads shapes with what they import, and says which imports are missing.
fn shapes(arguments: &Arguments, config: &Config) -> anyhow::Result<Graph> {
    let documents = if arguments.fetch_imports {
        let (client, runtime) = (arguments.fetch.client(config), runtime()?);
        Documents::with_imports(&arguments.shapes, Some(&|url| fetch_document(&client, runtime.handle(), url)))?
    } else {
        Documents::with_imports(&arguments.shapes, None)?
    };
    for (import, file) in &documents.taken_by_name {
        eprintln!("moisson: {} is taken for the import {import}, by its name", file.display());
    }
    for import in &documents.missing_imports {
        eprintln!(
            "moisson: the shapes import {import}, which is left out; give it with --shapes, or fetch it with --fetch-imports"
        );
    }
    Ok(documents.graph)
}
