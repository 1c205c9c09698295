//! `moisson check`

use super::harvest::options;
use super::report;
use super::settings::SettingsArguments;
use super::{FetchArguments, Outcome, runtime};
use crate::catalog::{Finding, Severity};
use crate::config::Config;
use crate::harvest::{Harvest, HarvestError, JobReport, Pace, Profiles, Workplace, Writing};
use crate::source::Target;
use crate::store::Folder;
use clap::{Args, ValueEnum};
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Turtle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Violation,
    Warning,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The catalogue's address, or a file
    #[arg(value_name = "URL|PATH")]
    address: String,
    /// A profile, or a file of shapes [default: dcat-ap-3 and moisson]
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    /// A vocabulary that rules may look into, such as a code list
    #[arg(long = "vocabulary", value_name = "FILE")]
    vocabularies: Vec<std::path::PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value = "violation")]
    fail_on: FailOn,
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let profiles = Profiles::compile(&arguments.profiles, &arguments.vocabularies).map_err(HarvestError::from)?;
    let target = Target::parse(&arguments.address).map_err(HarvestError::from)?;
    // A check knows of no store: an empty folder's name is enough for a dry run.
    let nowhere = tempfile::tempdir()?;
    let folder = Folder::new(nowhere.path());
    let runtime = runtime()?;
    let client = arguments.fetch.client(config);
    let workplace = Workplace::new(folder, Pace::AsItGoes);
    let harvest =
        Harvest { workplace: &workplace, client: &client, runtime: runtime.handle().clone(), profiles: &profiles };
    let mut options = options(config, None, None, Writing::DryRun)?;
    arguments.settings.apply(&mut options, config, &target)?;
    let harvested = harvest.run(&target, &options, &mut |_| ()).map_err(|failed| failed.error)?;
    let (job, findings) = (harvested.report, harvested.findings);
    match arguments.format {
        Format::Text => print!("{}", report::text(&job, &findings)),
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&json!({"report": job, "findings": findings}))?);
        }
        Format::Turtle => print!("{}", report::turtle(&findings)),
    }
    Ok(outcome(arguments.fail_on, &job, &findings))
}

fn outcome(fail_on: FailOn, job: &JobReport, findings: &[Finding]) -> Outcome {
    let least = match fail_on {
        FailOn::Never => return Outcome::Done,
        FailOn::Violation => Severity::Violation,
        FailOn::Warning => Severity::Warning,
    };
    let fails = !job.errors.is_empty() || findings.iter().any(|finding| finding.severity >= least);
    if fails { Outcome::WithErrors } else { Outcome::Done }
}
