//! `moisson job` and `moisson replay`

use super::api::{ApiArguments, part};
use super::source::print;
use super::{AnswerArguments, FetchArguments, Outcome, StoreArguments, runtime, serve};
use crate::config::Config;
use crate::jobs::replay as run_again;
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the jobs of a source, the newest first
    List {
        /// The source's name
        source: String,
        #[command(flatten)]
        api: ApiArguments,
    },
    /// Show a job, with its report
    Show {
        /// The job
        job: String,
        #[command(flatten)]
        api: ApiArguments,
    },
    /// List what became of each record in a job
    Items {
        /// The job
        job: String,
        /// Only those that were added, changed, unchanged, renamed, missing, archived, restored, skipped or failed
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        api: ApiArguments,
    },
    /// End a job; nothing of it is stored
    Cancel {
        /// The job
        job: String,
        #[command(flatten)]
        api: ApiArguments,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The job
    job: String,
    /// A mapping file that adds to those of the source
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// A profile in place of the source's own, or a file of shapes
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    #[command(flatten)]
    answer: AnswerArguments,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(action: &Action, config: &Config) -> anyhow::Result<Outcome> {
    match action {
        Action::List { source, api } => {
            let jobs = api.open(config)?.all(&format!("/api/1/harvest/source/{}/jobs/", part(source)))?;
            let lines: Vec<String> = jobs.iter().map(line).collect();
            print(api, &Value::Array(jobs), &lines.join("\n"))?;
        }
        Action::Show { job, api } => {
            let job = api.open(config)?.get(&format!("/api/1/harvest/job/{}/", part(job)))?;
            print(api, &job, &format!("{}\n{}", line(&job), serde_json::to_string_pretty(&job["report"])?))?;
        }
        Action::Items { job, status, api } => {
            let status = status.as_ref().map_or(String::new(), |status| format!("?status={}", part(status)));
            let items = api.open(config)?.all(&format!("/api/1/harvest/job/{}/items/{status}", part(job)))?;
            let lines: Vec<String> = items.iter().map(item_line).collect();
            print(api, &Value::Array(items), &lines.join("\n"))?;
        }
        Action::Cancel { job, api } => {
            let job = api.open(config)?.post(&format!("/api/1/harvest/job/{}/cancel/", part(job)), &json!({}))?;
            print(api, &job, &line(&job))?;
        }
    }
    Ok(Outcome::Done)
}

pub(crate) fn replay(arguments: &ReplayArguments, config: &Config) -> anyhow::Result<Outcome> {
    let folder = arguments.store.readable_folder(config)?;
    let runtime = runtime()?;
    let service = serve::service(&arguments.fetch, config, &folder, runtime.handle())?;
    let runner = service.runner();
    let operations = runner.workplace.operations(runtime.handle())?;
    let job = runtime.block_on(operations.job(&arguments.job))?;
    let job = job.with_context(|| format!("no job is called {:?}", arguments.job))?;
    let source =
        runtime.block_on(operations.source_named(&job.source))?.context("the source of this job was purged")?;
    if !runner.workplace.tape(&job.id).exists() {
        anyhow::bail!(
            "the pages of this job are not kept: those of the last {} jobs of a source are, and none of files",
            config.service.keep_pages
        );
    }
    let replayed = run_again(runner, &source, &job, &arguments.mapping, &arguments.profiles)?;
    let mut out = std::io::stdout().lock();
    if arguments.answer.is_json() {
        writeln!(out, "{}", serde_json::to_string_pretty(&replayed)?)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "{} of {} records would be different", replayed.different, replayed.report.records.seen)?;
    for difference in &replayed.differences {
        writeln!(out, "{} ({})", difference.remote_id, difference.key)?;
        difference.removed.iter().try_for_each(|line| writeln!(out, "- {line}"))?;
        difference.added.iter().try_for_each(|line| writeln!(out, "+ {line}"))?;
    }
    for rule in &replayed.findings {
        writeln!(out, "{}: {} findings, before {}", rule.rule, rule.after, rule.before)?;
    }
    Ok(Outcome::Done)
}

/// A job in one line.
pub(super) fn line(job: &Value) -> String {
    let text = |name: &str| job[name].as_str().unwrap_or("-");
    let records = &job["report"]["records"];
    let changes: Vec<String> = records
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, number)| number.as_u64().is_some_and(|number| number > 0))
        .map(|(name, number)| format!("{number} {name}"))
        .collect();
    let note = job["report"]["note"].as_str().map_or(String::new(), |note| format!("  {note}"));
    format!("{}  {}  {}  {}{note}", text("id"), text("state"), text("created"), changes.join(", "))
}

fn item_line(item: &Value) -> String {
    let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
    let title = item["dataset"]["title"].as_str().filter(|title| Some(*title) != item["remote_id"].as_str());
    let title = title.map_or(String::new(), |title| format!("  {title}"));
    let mut lines = vec![format!("{}  {}{title}", text("outcome"), text("remote_id"))];
    for list in ["errors", "logs"] {
        for message in item[list].as_array().into_iter().flatten() {
            lines.push(format!("  {}", message["message"].as_str().unwrap_or_default()));
        }
    }
    lines.join("\n")
}
