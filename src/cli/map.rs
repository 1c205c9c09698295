//! `moisson map`

use super::harvest::options;
use super::settings::SettingsArguments;
use super::{FetchArguments, Outcome, runtime};
use crate::config::Config;
use crate::harvest::{Explained, Harvest, HarvestError, Pace, Profiles, Workplace, Writing};
use crate::lift::lifted_base;
use crate::source::Target;
use crate::store::Folder;
use crate::vocab::{LIFTED_PREFIXES, PREFIXES};
use clap::{Args, ValueEnum};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfSerializer};
use serde_json::json;
use std::fmt::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The source's address, or a file
    #[arg(value_name = "URL|PATH")]
    address: String,
    /// The record, by its identifier, name or node [default: the first]
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// The name of the source, whose settings are taken
    #[arg(long, value_name = "SLUG")]
    source: Option<String>,
    #[command(flatten)]
    settings: SettingsArguments,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let target = Target::parse(&arguments.address).map_err(HarvestError::from)?;
    let mut options = options(config, arguments.source.as_deref(), None, Writing::DryRun)?;
    arguments.settings.apply(&mut options, config, &target)?;
    let nowhere = tempfile::tempdir()?;
    let folder = Folder::new(nowhere.path());
    let profiles = Profiles::default();
    let runtime = runtime()?;
    let client = arguments.fetch.client(config);
    let workplace = Workplace::new(folder, Pace::AsItGoes);
    let harvest =
        Harvest { workplace: &workplace, client: &client, runtime: runtime.handle().clone(), profiles: &profiles };
    let explained = harvest.explain(&target, &options, arguments.record.as_deref())?;
    match arguments.format {
        Format::Text => print!("{}", text(&explained)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&as_json(&explained))?),
    }
    Ok(Outcome::Done)
}

fn as_json(explained: &Explained) -> serde_json::Value {
    json!({
        "record": explained.record,
        "page": explained.page,
        "kind": explained.kind.as_str(),
        "lifted": turtle(&explained.lifted),
        "mapped": turtle(&explained.stated),
        "read_into": turtle(&explained.added),
        "unused": explained.unused,
        "refused": explained.refused,
        "findings": explained.findings,
    })
}

fn text(explained: &Explained) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut out, explained);
    out
}

fn write_text(out: &mut String, explained: &Explained) -> std::fmt::Result {
    let what = if explained.lifted.is_empty() { "What the source states" } else { "What the mapping made of it" };
    writeln!(out, "{}, {}\n{}", explained.record, explained.kind.as_str(), explained.page)?;
    let parts = [
        ("What the platform says, lifted", &explained.lifted),
        (what, &explained.stated),
        ("What conversion read into that", &explained.added),
    ];
    for (heading, triples) in parts.into_iter().filter(|(_, triples)| !triples.is_empty()) {
        writeln!(out, "\n## {heading}\n\n{}", turtle(triples).trim_end())?;
    }
    if !explained.lifted.is_empty() {
        writeln!(out, "\n## Fields that no query reads\n")?;
        explained.unused.iter().try_for_each(|field| writeln!(out, "  {}: {}", field.field, field.example))?;
        write_nothing(out, explained.unused.is_empty())?;
    }
    writeln!(out, "\n## Values that a function made nothing of\n")?;
    let refused = explained.refused.iter();
    refused
        .map(|refusal| (&refusal.value, refusal.functions.join(", ")))
        .try_for_each(|(value, functions)| writeln!(out, "  {value}: {functions}"))?;
    write_nothing(out, explained.refused.is_empty())
}

fn write_nothing(out: &mut String, is_empty: bool) -> std::fmt::Result {
    if is_empty { writeln!(out, "  none") } else { Ok(()) }
}

/// Turtle with the usual prefixes, without those that nothing uses.
fn turtle(triples: &[Triple]) -> String {
    if triples.is_empty() {
        return String::new();
    }
    let prefixes = PREFIXES.iter().copied().chain(LIFTED_PREFIXES);
    let used = prefixes.filter(|(_, iri)| {
        triples.iter().any(|triple| {
            triple.predicate.as_str().starts_with(iri) || triple.object.to_string().contains(&format!("<{iri}"))
        })
    });
    let serializer = RdfSerializer::from_format(RdfFormat::Turtle);
    let mut serializer = used.fold(serializer, |serializer, (prefix, iri)| {
        serializer.with_prefix(prefix, iri).expect("a namespace of ours is an IRI")
    });
    if let Some(base) = lifted_base(&triples[0]) {
        serializer = serializer.with_base_iri(base).expect("a lifted node is an IRI");
    }
    let mut writer = serializer.for_writer(Vec::new());
    for triple in triples {
        writer.serialize_triple(triple).expect("writing to memory");
    }
    let text = String::from_utf8(writer.finish().expect("writing to memory")).expect("Turtle is UTF-8");
    // The writer makes also the namespaces relative to the base, which nobody would recognise.
    let whole = LIFTED_PREFIXES.iter().fold(text, |text, (prefix, iri)| {
        let relative = iri.trim_start_matches("https://moisson.dev");
        text.replacen(&format!("{prefix}: <{relative}>"), &format!("{prefix}: <{iri}>"), 1)
    });
    whole.replace('\t', "  ")
}
