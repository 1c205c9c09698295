//! `moisson rules`: what is asked of a catalogue.

use super::{AnswerArguments, Outcome};
use crate::harvest::{HarvestError, Profiles};
use crate::report::{Rule, Rules};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A part of the names of the rules to list [default: all]
    #[arg(value_name = "PART")]
    part: Option<String>,
    /// A profile, or a file of shapes [default: all that the program brings]
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    /// A vocabulary that rules may look into, such as a code list
    #[arg(long = "vocabulary", value_name = "FILE")]
    vocabularies: Vec<PathBuf>,
    #[command(flatten)]
    answer: AnswerArguments,
}

/// The rules of profiles; of all that the program brings, where none is named.
pub(super) fn rules_of(profiles: &[String], vocabularies: &[PathBuf]) -> Result<Rules, HarvestError> {
    if profiles.is_empty() {
        return Ok(Rules::of_program()?);
    }
    Ok(Rules::of(&Profiles::compile(profiles, vocabularies)?))
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let rules = rules_of(&arguments.profiles, &arguments.vocabularies)?;
    let part = arguments.part.as_deref().unwrap_or_default().to_lowercase();
    let listed: Vec<&Rule> = rules.all().iter().filter(|rule| rule.name.to_lowercase().contains(&part)).collect();
    anyhow::ensure!(!listed.is_empty(), "no rule has {part:?} in its name; without it, all are listed");
    let mut out = std::io::stdout().lock();
    if arguments.answer.is_json() {
        writeln!(out, "{}", serde_json::to_string_pretty(&listed)?)?;
        return Ok(Outcome::Done);
    }
    for rule in listed {
        writeln!(out, "{:9} {}\n          {}", rule.severity.as_str(), rule.name, rule.message.en)?;
    }
    Ok(Outcome::Done)
}
