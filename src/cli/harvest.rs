//! `moisson harvest`

use super::settings::SettingsArguments;
use super::{AnswerArguments, FetchArguments, Outcome, StoreArguments, runtime};
use crate::catalog::SourceId;
use crate::config::Config;
use crate::harvest::{Harvest, JobReport, Options, Pace, Profiles, Progress, Status, Workplace, Writing};
use crate::jobs::default_options;
use crate::report::{Colours, ReportedRun, counted, groups_of, write_text};
use crate::source::Target;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The catalogue's address, or a file
    #[arg(value_name = "URL|PATH")]
    address: String,
    /// A name for the source [default: made of its address]
    #[arg(long, value_name = "SLUG")]
    source: Option<String>,
    #[command(flatten)]
    store: StoreArguments,
    /// A profile to validate with, or a file of shapes [default: dcat-ap-3 and moisson]
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    /// A vocabulary that rules may look into, such as a code list
    #[arg(long = "vocabulary", value_name = "FILE")]
    vocabularies: Vec<std::path::PathBuf>,
    /// Take so many records and no more
    #[arg(long, value_name = "N")]
    max_records: Option<u64>,
    /// Read the source whole, also where only what changed could be asked for
    #[arg(long)]
    full: bool,
    /// Report what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    answer: AnswerArguments,
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let writing = if arguments.dry_run { Writing::DryRun } else { Writing::Stored };
    let mut options = options(config, arguments.source.as_deref(), arguments.max_records, writing)?;
    let folder = arguments.store.folder(config);
    let runtime = runtime()?;
    let client = arguments.fetch.client(config);
    let fetch = |url: &url::Url| crate::harvest::fetch_document(&client, runtime.handle(), url);
    let profiles = Profiles::compile_fetching(&arguments.profiles, &arguments.vocabularies, Some(&fetch))
        .map_err(crate::harvest::HarvestError::from)?;
    let target = Target::parse(&arguments.address).map_err(crate::harvest::HarvestError::from)?;
    arguments.settings.apply(&mut options, config, &target)?;
    arguments.fetch.check_size(&target)?;
    options.following.whole_now = arguments.full;
    let workplace = Workplace::new(folder.clone(), Pace::AsItGoes);
    let harvest =
        Harvest { workplace: &workplace, client: &client, runtime: runtime.handle().clone(), profiles: &profiles };
    let bar = Bar::start(&target);
    let ended = harvest.run(&target, &options, &mut |progress| bar.show(progress));
    bar.clear();
    let harvested = ended.map_err(|failed| {
        if arguments.answer.is_json() {
            println!("{}", serde_json::to_string_pretty(&failed.report).expect("a report is plain values"));
        }
        failed.error
    })?;
    let (job, findings) = (harvested.report, harvested.findings);
    if arguments.answer.is_json() {
        println!("{}", serde_json::to_string_pretty(&job)?);
    } else {
        let findings = if arguments.dry_run { findings } else { stored(&folder, &job, &runtime)? };
        let groups = groups_of(&findings, |finding| finding.since.as_ref() == Some(&job.at));
        let run = if arguments.dry_run { ReportedRun::DryRun } else { ReportedRun::Harvest };
        print!("{}", write_text(&job, run, &groups, Colours::of_output()));
    }
    Ok(outcome(&job))
}

pub(super) fn options(
    config: &Config,
    source: Option<&str>,
    max_records: Option<u64>,
    writing: Writing,
) -> anyhow::Result<Options> {
    Ok(Options {
        source: source.map(SourceId::parse).transpose()?,
        max_records,
        ..default_options(config, writing)
    })
}

fn outcome(job: &JobReport) -> Outcome {
    match job.status {
        Status::Done => Outcome::Done,
        Status::DoneWithErrors | Status::Failed | Status::Held | Status::Cancelled | Status::Interrupted => {
            Outcome::WithErrors
        }
    }
}

/// The findings of all records of the source, those that did not change included.
fn stored(
    folder: &crate::store::Folder,
    job: &JobReport,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<Vec<crate::catalog::Finding>> {
    let source = SourceId::parse(&job.source)?;
    Ok(runtime.block_on(async {
        let operations = crate::operations::Operations::open(&folder.operations()).await?;
        operations.findings_of_source(&source).await
    })?)
}

/// A bar on a terminal; elsewhere one line a phase.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    read: Cell<(u64, u64)>,
}

impl Bar {
    pub(super) fn start(target: &Target) -> Self {
        let read = Cell::new((0, 0));
        if !std::io::stderr().is_terminal() {
            eprintln!("moisson: reading {target}");
            return Self { bar: None, read };
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {pos} records, {per_sec}, {msg}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar: Some(bar), read }
    }

    pub(super) fn show(&self, progress: Progress) {
        match (progress, &self.bar) {
            (Progress::Reading { records, pages }, Some(bar)) => {
                bar.set_position(records);
                bar.set_message(format!("page {pages}"));
            }
            (Progress::Reading { records, pages }, None) => self.read.set((records, pages)),
            (Progress::Phase(phase), Some(bar)) => bar.set_message(phase),
            (Progress::Phase(phase), None) => {
                if let (records @ 1.., pages) = self.read.take() {
                    eprintln!("moisson: {} read in {}", counted(records, "record"), counted(pages, "page"));
                }
                eprintln!("moisson: {phase}");
            }
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
