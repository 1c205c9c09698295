//! `moisson record`

use super::Outcome;
use super::api::{ApiArguments, part};
use super::source::print;
use crate::config::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show a record
    Show(KeyArguments),
    /// List the states that a record had
    History(KeyArguments),
    /// Show the statements by which two states differ
    Diff(DiffArguments),
    /// Give a record a former state back; the present one does not come back until its source says something else
    Undo(UndoArguments),
    /// Archive a record; it stays so, whatever its source says
    Archive(KeyArguments),
    /// Bring an archived record back
    Restore(KeyArguments),
    /// Detach a record from its source; it stays as it is
    Detach(KeyArguments),
    /// Attach a record to its source again
    Attach(KeyArguments),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    /// The record's key
    key: String,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The record's key
    key: String,
    /// The start of the hash of a state [default: the one before the present one]
    #[arg(long, value_name = "HASH")]
    from: Option<String>,
    /// The start of the hash of another state [default: the present one]
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    #[command(flatten)]
    api: ApiArguments,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// The record's key
    key: String,
    /// The start of the hash of the state to go back to [default: the one before the present one]
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    #[command(flatten)]
    api: ApiArguments,
}

pub(crate) fn run(action: &Action, config: &Config) -> anyhow::Result<Outcome> {
    match action {
        Action::Show(arguments) => {
            let api = arguments.api.open(config)?;
            let mut record = api.get(&path(&arguments.key, ""))?;
            record["linked"] = api.get(&path(&arguments.key, "linked/"))?["records"].clone();
            print(&arguments.api, &record, &serde_json::to_string_pretty(&record)?)?;
        }
        Action::History(arguments) => {
            let history = arguments.api.open(config)?.get(&path(&arguments.key, "history/"))?;
            print(&arguments.api, &history, &history_text(&history))?;
        }
        Action::Diff(arguments) => diff(arguments, config)?,
        Action::Undo(arguments) => {
            let body = json!({"to": arguments.to});
            let record = arguments.api.open(config)?.post(&path(&arguments.key, "undo/"), &body)?;
            print(&arguments.api, &record, &state_line(&record))?;
        }
        Action::Archive(arguments) => change(arguments, "archive/", config)?,
        Action::Restore(arguments) => change(arguments, "restore/", config)?,
        Action::Detach(arguments) => change(arguments, "detach/", config)?,
        Action::Attach(arguments) => change(arguments, "attach/", config)?,
    }
    Ok(Outcome::Done)
}

fn path(key: &str, rest: &str) -> String {
    format!("/api/1/datasets/{}/{rest}", part(key))
}

fn change(arguments: &KeyArguments, how: &str, config: &Config) -> anyhow::Result<()> {
    let record = arguments.api.open(config)?.post(&path(&arguments.key, how), &json!({}))?;
    print(&arguments.api, &record, &state_line(&record))?;
    Ok(())
}

fn diff(arguments: &DiffArguments, config: &Config) -> anyhow::Result<()> {
    let mut query = Vec::new();
    for (name, hash) in [("from", &arguments.from), ("to", &arguments.to)] {
        query.extend(hash.as_ref().map(|hash| format!("{name}={}", part(hash))));
    }
    let compared =
        arguments.api.open(config)?.get(&path(&arguments.key, &format!("diff/?{}", query.join("&"))))?;
    let lines = |name: &str, sign: char| {
        let list = compared[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        list.map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    let mut all = lines("removed", '-');
    all.extend(lines("added", '+'));
    print(&arguments.api, &compared, &all.join("\n"))?;
    Ok(())
}

fn history_text(history: &Value) -> String {
    let mut lines = vec![state_line(&history["record"])];
    for version in history["versions"].as_array().into_iter().flatten() {
        let text = |name: &str| version[name].as_str().unwrap_or("-");
        lines.push(format!(
            "  {}  until {}  {}",
            text("hash").get(..12).unwrap_or("-"),
            text("replaced_at"),
            text("job")
        ));
    }
    lines.join("\n")
}

/// Where a record stands, in one line.
fn state_line(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or("-");
    let state = if record["detached"] == true {
        "detached".to_owned()
    } else if let Some(at) = record["archived_at"].as_str() {
        format!("archived {at}{}", if record["withdrawn"] == true { " by hand" } else { "" })
    } else if let Some(since) = record["missing_since"].as_str() {
        format!("missing since {since}")
    } else {
        "live".to_owned()
    };
    format!(
        "{}  {}  {}  {state}  {}",
        text("key"),
        text("source"),
        text("remote_id"),
        text("hash").get(..12).unwrap_or("-")
    )
}
