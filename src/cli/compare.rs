//! `moisson compare`

use super::{AnswerArguments, FetchArguments, Outcome, StoreArguments, runtime};
use crate::catalog::SourceId;
use crate::config::Config;
use crate::harvest::{HarvestError, Profiles, fetch_document};
use crate::report::{Breaking, Group};
use crate::store::GraphNames;
use clap::Args;
use std::io::Write;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The profile that would hold: a name, a file of shapes or an address
    #[arg(long = "with", value_name = "P", required = true)]
    other: Vec<String>,
    /// The profile that holds now [default: dcat-ap-3 and moisson]
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    /// Only the records of this source
    #[arg(long, value_name = "SLUG")]
    source: Option<String>,
    #[command(flatten)]
    answer: AnswerArguments,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let (client, runtime) = (arguments.fetch.client(config), runtime()?);
    let fetch = |url: &Url| fetch_document(&client, runtime.handle(), url);
    let compile =
        |names: &[String]| Profiles::compile_fetching(names, &[], Some(&fetch)).map_err(HarvestError::from);
    let (present, other) = (compile(&arguments.profiles)?, compile(&arguments.other)?);
    let snapshot = arguments.store.readable_folder(config)?.snapshot()?;
    let names = GraphNames::new(&config.base);
    let source = arguments.source.as_deref().map(SourceId::parse).transpose()?;
    let breaking = Breaking { snapshot: &snapshot, names: &names, present: &present, other: &other };
    let compared = breaking.compare(source.as_ref())?;
    let mut out = std::io::stdout().lock();
    if arguments.answer.is_json() {
        writeln!(out, "{}", serde_json::to_string_pretty(&compared)?)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "{} of {} records would break a rule that they keep now", compared.broken, compared.records)?;
    for (sign, groups) in [('+', &compared.new), ('-', &compared.gone)] {
        for Group { rule, count, records, example, .. } in groups {
            writeln!(out, "{sign} {rule}: {count} in {records} records, e.g. {}", example.record)?;
            writeln!(out, "    {}", example.message.en)?;
        }
    }
    Ok(Outcome::Done)
}
