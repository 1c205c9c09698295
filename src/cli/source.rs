//! `moisson source`

use super::Outcome;
use super::api::{Api, ApiArguments, part};
use super::said::Said;
use crate::config::Config;
use anyhow::bail;
use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Register a source; it waits to be accepted
    Add(AddArguments),
    /// List the sources
    List {
        #[command(flatten)]
        api: ApiArguments,
    },
    /// Show a source, with its settings and its last jobs
    Show(NameArguments),
    /// Change what is said of a source
    Edit(EditArguments),
    /// Accept a source: it is followed from now on
    Accept(DecisionArguments),
    /// Refuse a source, for a reason
    Refuse(DecisionArguments),
    /// Remove a source: its records are archived, or with --purge forgotten
    Remove(RemoveArguments),
    /// Show what a harvest would bring; nothing is written
    Preview(NameArguments),
    /// Harvest a source now
    Run(NameArguments),
    /// Show which addresses of a source's records do not answer; with --check, ask them
    Links(LinksArguments),
    /// Show, confirm or refuse a removal that waits for a person
    Removal(RemovalArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// The catalogue's address
    url: String,
    /// Its name in addresses [default: made of its title or its address]
    #[arg(long, value_name = "SLUG")]
    name: Option<String>,
    /// Accept it at once
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct NameArguments {
    /// The source's name
    name: String,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct EditArguments {
    /// The source's name
    name: String,
    /// Another address
    #[arg(long)]
    url: Option<String>,
    /// Another name in addresses; the former one goes on leading to it
    #[arg(long, value_name = "SLUG")]
    rename: Option<String>,
    /// Follow it no longer, for now
    #[arg(long, conflicts_with = "resume")]
    pause: bool,
    /// Follow it again
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DecisionArguments {
    /// The source's name
    name: String,
    /// The reason, which its publisher is told
    #[arg(long)]
    comment: Option<String>,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArguments {
    /// The source's name
    name: String,
    /// Forget its records with their history, instead of archiving them
    #[arg(long)]
    purge: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LinksArguments {
    /// The source's name
    name: String,
    /// Ask the addresses that were not asked today, and wait
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RemovalArguments {
    /// The source's name
    name: String,
    /// Archive the records
    #[arg(long, conflicts_with = "refuse")]
    confirm: bool,
    /// Keep them
    #[arg(long)]
    refuse: bool,
    #[command(flatten)]
    api: ApiArguments,
}

pub(crate) fn run(action: &Action, config: &Config) -> anyhow::Result<Outcome> {
    match action {
        Action::Add(arguments) => add(arguments, config),
        Action::List { api } => list(api, config),
        Action::Show(arguments) => show(arguments, config),
        Action::Edit(arguments) => edit(arguments, config),
        Action::Accept(arguments) => decide(arguments, "accepted", config),
        Action::Refuse(arguments) => decide(arguments, "refused", config),
        Action::Remove(arguments) => remove(arguments, config),
        Action::Preview(arguments) => preview(arguments, config),
        Action::Run(arguments) => harvest(arguments, config),
        Action::Removal(arguments) => removal(arguments, config),
        Action::Links(arguments) => links(arguments, config),
    }
}

fn source_path(name: &str, rest: &str) -> String {
    format!("/api/1/harvest/source/{}/{rest}", part(name))
}

fn add(arguments: &AddArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let mut written = arguments.said.written()?;
    let address = crate::source::Target::parse(&arguments.url)?.url();
    written.insert("url".to_owned(), json!(address));
    // The API asks for a title; here the address may do.
    let title = arguments
        .name
        .clone()
        .unwrap_or_else(|| crate::catalog::SourceId::of_address(address.as_str()).to_string());
    written.entry("name").or_insert_with(|| json!(title));
    if let Some(name) = &arguments.name {
        written.insert("slug".to_owned(), json!(name));
    }
    let mut source = api.post("/api/1/harvest/sources/", &Value::Object(written))?;
    if arguments.accept {
        let name = source["slug"].as_str().unwrap_or_default().to_owned();
        source = api.post(&source_path(&name, "validate/"), &json!({"state": "accepted"}))?;
    }
    print(&arguments.api, &source, &line(&source))?;
    Ok(Outcome::Done)
}

fn list(arguments: &ApiArguments, config: &Config) -> anyhow::Result<Outcome> {
    let sources = arguments.open(config)?.all("/api/1/harvest/sources/")?;
    let lines: Vec<String> = sources.iter().map(line).collect();
    print(arguments, &Value::Array(sources), &lines.join("\n"))?;
    Ok(Outcome::Done)
}

fn show(arguments: &NameArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let source = api.get(&source_path(&arguments.name, ""))?;
    let jobs = api.get(&source_path(&arguments.name, "jobs/?page_size=10"))?;
    let mut text = format!("{}\n{}", line(&source), pretty(&source["config"]));
    for job in jobs["data"].as_array().into_iter().flatten() {
        text.push('\n');
        text.push_str(&super::job::line(job));
    }
    print(&arguments.api, &json!({"source": source, "jobs": jobs["data"]}), &text)?;
    Ok(Outcome::Done)
}

fn edit(arguments: &EditArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let mut written = arguments.said.written()?;
    if let Some(url) = &arguments.url {
        written.insert("url".to_owned(), json!(crate::source::Target::parse(url)?.url()));
    }
    if let Some(name) = &arguments.rename {
        written.insert("slug".to_owned(), json!(name));
    }
    if arguments.pause || arguments.resume {
        written.insert("active".to_owned(), json!(arguments.resume));
    }
    let source = api.ask(&Method::PUT, &source_path(&arguments.name, ""), Some(&Value::Object(written)))?;
    print(&arguments.api, &source, &line(&source))?;
    Ok(Outcome::Done)
}

fn decide(arguments: &DecisionArguments, state: &str, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let verdict = json!({"state": state, "comment": arguments.comment});
    let source = api.post(&source_path(&arguments.name, "validate/"), &verdict)?;
    print(&arguments.api, &source, &line(&source))?;
    Ok(Outcome::Done)
}

fn remove(arguments: &RemoveArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let source = api.get(&source_path(&arguments.name, ""))?;
    let records = &source["records"];
    let what = if arguments.purge {
        format!(
            "{}: {} records, {} archived ones, their history, and all jobs will be forgotten. This cannot be undone.",
            arguments.name, records["live"], records["archived"]
        )
    } else {
        format!("{}: {} records will be archived; they can be restored.", arguments.name, records["live"])
    };
    if !arguments.yes && !is_meant(&what)? {
        bail!("nothing was removed");
    }
    let path = source_path(&arguments.name, if arguments.purge { "?purge=true" } else { "" });
    api.ask(&Method::DELETE, &path, None)?;
    eprintln!("moisson: {} was removed", arguments.name);
    Ok(Outcome::Done)
}

/// Asks on a terminal; elsewhere nobody can answer, and nothing is done.
fn is_meant(what: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{what} Add --yes to do it.");
    }
    eprint!("{what} Go on? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "yes" | "o" | "oui"))
}

fn preview(arguments: &NameArguments, config: &Config) -> anyhow::Result<Outcome> {
    let preview = arguments.api.open(config)?.get(&source_path(&arguments.name, "preview/"))?;
    print(&arguments.api, &preview, &preview_text(&preview))?;
    let failed = preview["status"] == "failed";
    Ok(if failed { Outcome::WithErrors } else { Outcome::Done })
}

fn preview_text(preview: &Value) -> String {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines: Vec<String> =
        rows(&preview["errors"]).iter().map(|error| format!("error: {}", text(&error["message"]))).collect();
    if preview["status"] == "failed" {
        return lines.join("\n");
    }
    let announced = preview["announced"].as_u64().map_or(String::new(), |number| format!(" of {number}"));
    let items = rows(&preview["items"]);
    lines.push(format!("{}{announced} records", items.len()));
    for item in &items {
        let title = item["dataset"]["title"].as_str().unwrap_or("(without a title)");
        lines.push(format!("  {}  {title}", text(&item["remote_id"])));
    }
    let report = &preview["report"];
    let records = &report["records"];
    let counts = ["added", "changed", "unchanged", "archived", "skipped", "failed"];
    let counts: Vec<String> = counts.iter().map(|name| format!("{} {name}", records[name])).collect();
    lines.push(counts.join(", "));
    let findings = &report["findings"];
    lines.push(format!(
        "findings: {} violations, {} warnings, {} for information",
        findings["violation"], findings["warning"], findings["info"]
    ));
    for finding in rows(&preview["findings"]).iter().take(20) {
        let place = &finding["place"];
        let at = place["line"].as_u64().map_or(String::new(), |line| format!(", line {line}"));
        let (record, message) = (text(&finding["record"]), text(&finding["message"]["en"]));
        lines.push(format!("  {} {record}: {message} ({}{at})", text(&finding["severity"]), text(&place["page"])));
    }
    for field in rows(&report["unmapped"]) {
        lines.push(format!("  unmapped: {} ({} records)", text(&field["field"]), field["records"]));
    }
    lines.join("\n")
}

fn harvest(arguments: &NameArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let source = api.post(&source_path(&arguments.name, "run/"), &json!({}))?;
    let job = source["last_job"]["id"].as_str().unwrap_or_default().to_owned();
    api.work_off()?;
    let job = wait_for(&api, &job)?;
    print(&arguments.api, &job, &super::job::line(&job))?;
    Ok(if job["state"] == "done" { Outcome::Done } else { Outcome::WithErrors })
}

/// Waits until nothing more happens to a job.
fn wait_for(api: &Api, id: &str) -> anyhow::Result<Value> {
    loop {
        let job = api.get(&format!("/api/1/harvest/job/{}/", part(id)))?;
        if !matches!(job["state"].as_str(), Some("queued" | "running" | "interrupted")) {
            return Ok(job);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn removal(arguments: &RemovalArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let path = source_path(&arguments.name, "removal/");
    if arguments.confirm || arguments.refuse {
        let decision = if arguments.confirm { "confirm" } else { "refuse" };
        let done = api.post(&path, &json!({"decision": decision}))?;
        print(&arguments.api, &done, &format!("{} archived, {} kept", done["archived"], done["kept"]))?;
        return Ok(Outcome::Done);
    }
    let held = api.get(&path)?;
    let mut lines = vec![format!("{} records wait to be removed", held["total"])];
    for record in held["records"].as_array().into_iter().flatten() {
        let text = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        lines.push(format!("  {}  {}  {}", text("id"), text("remote_id"), text("title")));
    }
    print(&arguments.api, &held, &lines.join("\n"))?;
    Ok(Outcome::Done)
}

fn links(arguments: &LinksArguments, config: &Config) -> anyhow::Result<Outcome> {
    let api = arguments.api.open(config)?;
    let path = source_path(&arguments.name, "links/");
    let mut state = if arguments.check { api.post(&path, &json!({}))? } else { api.get(&path)? };
    while arguments.check && state["running"] == true {
        std::thread::sleep(Duration::from_millis(300));
        state = api.get(&path)?;
    }
    let number = |name: &str| state[name].as_u64().unwrap_or(0);
    let (total, checked, answering) = (number("total"), number("checked"), number("answering"));
    let mut lines = vec![format!("{total} addresses, {checked} asked, {answering} answer")];
    for link in state["broken"].as_array().into_iter().flatten() {
        let why = link["status"]
            .as_u64()
            .map_or_else(|| link["error"].as_str().unwrap_or("-").to_owned(), |status| status.to_string());
        lines.push(format!("  {}  {why}", link["url"].as_str().unwrap_or("-")));
    }
    print(&arguments.api, &state, &lines.join("\n"))?;
    Ok(if checked == answering { Outcome::Done } else { Outcome::WithErrors })
}

/// A source in one line.
fn line(source: &Value) -> String {
    let text = |name: &str| source[name].as_str().unwrap_or("-").to_owned();
    let last = &source["last_job"];
    let last = last["state"].as_str().map_or_else(
        || "never harvested".to_owned(),
        |state| format!("{state} {}", last["ended"].as_str().or(last["created"].as_str()).unwrap_or_default()),
    );
    let validation = &source["validation"];
    let state = match (source["deleted"].as_str(), validation["state"].as_str().unwrap_or("-")) {
        (Some(_), _) => "removed".to_owned(),
        (None, "refused") => format!("refused ({})", validation["comment"].as_str().unwrap_or("no reason")),
        (None, state) => state.to_owned(),
    };
    let paused = if source["active"] == false { ", paused" } else { "" };
    let held = source["records"]["held"].as_u64().filter(|held| *held > 0);
    let held = held.map_or(String::new(), |held| format!("  {held} records wait to be removed"));
    format!("{}  {state}{paused}  {}  {}  {last}{held}", text("slug"), text("backend"), text("url"))
}

/// Prints an answer as people or programs read it.
pub(super) fn print(arguments: &ApiArguments, value: &Value, text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if arguments.answer.is_json() { writeln!(out, "{}", pretty(value)) } else { writeln!(out, "{text}") }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON is plain values")
}
