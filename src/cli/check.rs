//! `moisson check`: the linter that publishers put into their own continuous integration.

use super::harvest::{Bar, options};
use super::rules::rules_of;
use super::settings::SettingsArguments;
use super::{FetchArguments, Outcome, runtime};
use crate::catalog::{Finding, Severity};
use crate::config::Config;
use crate::harvest::{
    FindingCounts, Harvest, HarvestError, Harvested, JobReport, Pace, Profiles, Progress, Workplace, Writing,
    fetch_document,
};
use crate::report::{
    Baseline, Colours, Format as ReportFormat, Head, ReportedRun, Rule, Rules, Threshold, groups_of, write,
    write_text,
};
use crate::source::Target;
use crate::store::Folder;
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
    Turtle,
    Jsonld,
    Sarif,
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Violation,
    Warning,
    Info,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The catalogue's address, or a file
    #[arg(value_name = "URL|PATH", required_unless_present = "explain")]
    address: Option<String>,
    /// A profile, or a file of shapes [default: dcat-ap-3 and moisson]
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    /// A vocabulary that rules may look into, such as a code list
    #[arg(long = "vocabulary", value_name = "FILE")]
    vocabularies: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value = "violation")]
    fail_on: FailOn,
    /// A former report in JSON: what it has is known, and only new findings are shown and fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// A rule by its name: findings of others are left out
    #[arg(long, value_name = "RULE")]
    only: Vec<String>,
    /// Say what a rule asks, and why, and nothing else
    #[arg(long, value_name = "RULE", conflicts_with_all = ["address", "baseline", "only"])]
    explain: Option<String>,
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    if let Some(name) = &arguments.explain {
        return explain(name, arguments);
    }
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let (client, tokio) = (arguments.fetch.client(config), runtime()?);
    let fetch = |url: &Url| fetch_document(&client, tokio.handle(), url);
    let profiles = Profiles::compile_fetching(&arguments.profiles, &arguments.vocabularies, Some(&fetch));
    let profiles = profiles.map_err(HarvestError::from)?;
    let rules = Rules::of(&profiles);
    let only: Vec<&str> = arguments
        .only
        .iter()
        .map(|name| Ok(rule_called(&rules, name)?.name.as_str()))
        .collect::<anyhow::Result<_>>()?;
    let harvested = checked(arguments, config, &profiles)?;
    let (mut job, mut findings) = (harvested.report, harvested.findings);
    if !arguments.only.is_empty() {
        findings.retain(|finding| only.contains(&finding.rule.as_str()));
    }
    if let Some(baseline) = &baseline {
        mark_known(&mut findings, baseline);
        job.errors.retain(|error| !baseline.has_error(error));
    }
    // What closes alerts by their absence is told of all; the others, of what is new.
    if arguments.format() != Format::Sarif {
        findings.retain(|finding| finding.since.is_none());
    }
    print(arguments, &job, &findings, &rules)?;
    findings.retain(|finding| finding.since.is_none());
    let threshold = arguments.fail_on.threshold();
    let fails = threshold != Threshold::Never
        && (!job.errors.is_empty() || findings.iter().any(|finding| threshold.is_met_by(finding.severity)));
    Ok(if fails { Outcome::WithErrors } else { Outcome::Done })
}

impl Arguments {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// The rule that a person means.
fn rule_called<'r>(rules: &'r Rules, name: &str) -> anyhow::Result<&'r Rule> {
    rules.find(name).map_err(|near| {
        let hint = if near.is_empty() {
            "; `moisson rules` lists them".to_owned()
        } else {
            format!("; there is {}", near.join(", "))
        };
        anyhow::anyhow!("no rule of these profiles is called {name:?}{hint}")
    })
}

/// Notes of findings that a former report has them.
fn mark_known(findings: &mut [Finding], baseline: &Baseline) {
    let known = baseline.knows(findings);
    for (finding, is_known) in findings.iter_mut().zip(known) {
        finding.since = is_known.then(|| "baseline".to_owned());
    }
}

impl FailOn {
    fn threshold(self) -> Threshold {
        match self {
            Self::Violation => Threshold::From(Severity::Violation),
            Self::Warning => Threshold::From(Severity::Warning),
            Self::Info => Threshold::From(Severity::Info),
            Self::Never => Threshold::Never,
        }
    }
}

/// Reads the catalogue and validates it, writing nothing.
fn checked(arguments: &Arguments, config: &Config, profiles: &Profiles) -> anyhow::Result<Harvested> {
    let address = arguments.address.as_deref().unwrap_or_default();
    let target = Target::parse(address).map_err(HarvestError::from)?;
    // A check knows of no store: an empty folder's name is enough for a dry run.
    let nowhere = tempfile::tempdir()?;
    let folder = Folder::new(nowhere.path());
    let runtime = runtime()?;
    let client = arguments.fetch.client(config);
    let workplace = Workplace::new(folder, Pace::AsItGoes);
    let harvest = Harvest { workplace: &workplace, client: &client, runtime: runtime.handle().clone(), profiles };
    let mut options = options(config, None, None, Writing::DryRun)?;
    arguments.settings.apply(&mut options, config, &target)?;
    arguments.fetch.check_size(&target)?;
    let bar = Bar::start(&target);
    // Nothing is stored, so the phases behind reading say nothing.
    let harvested = harvest.run(&target, &options, &mut |progress| {
        if matches!(progress, Progress::Reading { .. }) {
            bar.show(progress);
        }
    });
    bar.clear();
    Ok(harvested.map_err(|failed| failed.error)?)
}

fn read_baseline(file: &Path) -> anyhow::Result<Baseline> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{}: the baseline cannot be read", file.display()))?;
    Baseline::read(&text)
        .with_context(|| format!("{}: a baseline is what `moisson check --format json` prints", file.display()))
}

fn print(arguments: &Arguments, job: &JobReport, findings: &[Finding], rules: &Rules) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let groups = groups_of(findings, |_| false);
    let counts = FindingCounts::of(findings);
    let format = match arguments.format() {
        Format::Text => {
            let job = JobReport { findings: counts, ..job.clone() };
            let run = ReportedRun::Check(arguments.address.as_deref().unwrap_or_default());
            write!(out, "{}", write_text(&job, run, &groups, Colours::of_output()))?;
            return Ok(out.flush()?);
        }
        Format::Json => ReportFormat::Json,
        Format::Csv => ReportFormat::Csv,
        Format::Turtle => ReportFormat::Turtle,
        Format::Jsonld => ReportFormat::JsonLd,
        Format::Sarif => ReportFormat::Sarif,
        Format::Junit => ReportFormat::Junit,
    };
    let head = Head {
        source: job.source.clone(),
        title: job.source.clone(),
        report: serde_json::to_value(job)?,
        counts,
        rules: String::new(),
        written_as: arguments.address.as_deref().and_then(written_as),
    };
    let mut all = findings.iter().cloned().map(Ok);
    write(format, &head, &groups, rules, arguments.fail_on.threshold(), &mut all, &mut out)?;
    Ok(out.flush()?)
}

/// A file's name as places have it, and its path as it was given: what reads reports finds the file by that.
fn written_as(address: &str) -> Option<(String, String)> {
    let path = Path::new(address);
    let name = path.file_name()?.to_str()?.to_owned();
    // Code hosts look for a path below the folder in which the check runs.
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()));
    let below = below.unwrap_or_else(|| path.strip_prefix(".").unwrap_or(path).to_owned());
    path.exists().then(|| (name, below.to_string_lossy().into_owned()))
}

fn explain(name: &str, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let rules = rules_of(&arguments.profiles, &arguments.vocabularies)?;
    let rule = rule_called(&rules, name)?;
    print!("{}", rule.to_text());
    Ok(Outcome::Done)
}
