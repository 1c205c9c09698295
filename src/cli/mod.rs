//! The command line: one file a command, exit codes here.

mod api;
mod backup;
mod check;
mod compare;
mod configuration;
mod export;
mod harvest;
mod health;
mod job;
mod manual;
mod map;
mod query;
mod query_worker;
mod record;
mod records;
mod rules;
mod said;
mod serve;
mod settings;
mod shacl;
mod shacl_report;
mod source;
mod token;

use crate::config::{Config, Snapshots};
use crate::fetch::{Client, Limits, Reach};
use crate::harvest::HarvestError;
use crate::store::{Folder, Keeping, StoreError};
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How a command ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0
    Done,
    /// 1: with errors, or with findings that `--fail-on` names.
    WithErrors,
}

/// What `--version` says: the version and commit of the program, and the versions of what stores its data.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("MOISSON_COMMIT"),
    ")\nOxigraph ",
    env!("MOISSON_OXIGRAPH"),
    "\nRocksDB ",
    env!("MOISSON_ROCKSDB")
);

const USAGE: u8 = 2;
const SOURCE_FAILED: u8 = 3;
const STORE_FAILED: u8 = 4;

#[derive(Debug, Parser)]
#[command(
    name = "moisson",
    version,
    long_version = VERSION,
    about = "Harvests open-data catalogues into DCAT-AP, validates and serves them"
)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, and it is parsed once")]
enum Action {
    /// Harvest a catalogue into the store
    Harvest(harvest::Arguments),
    /// Print the dataset records
    Records(records::Arguments),
    /// Run a SPARQL query
    Query(query::Arguments),
    /// Evaluate queries for a server
    #[command(hide = true)]
    QueryWorker(query_worker::Arguments),
    /// Write the catalogue as RDF
    Export(export::Arguments),
    /// Validate a catalogue without storing it
    Check(check::Arguments),
    /// List the rules of profiles
    Rules(rules::Arguments),
    /// Show what another profile would find in the stored catalogue
    Compare(compare::Arguments),
    /// Show how one record is mapped to DCAT-AP
    Map(map::Arguments),
    /// Validate any data with any shapes
    Shacl(shacl::Arguments),
    /// Serve SPARQL, records, feeds and pages, and harvest the sources that are due
    Serve(serve::Arguments),
    /// Ask whether a server answers
    Health(health::Arguments),
    /// Register, decide of, preview, run and remove sources
    #[command(subcommand)]
    Source(source::Action),
    /// List, show and end jobs
    #[command(subcommand)]
    Job(job::Action),
    /// Run a job again over the pages that were kept, and show what would be different
    Replay(job::ReplayArguments),
    /// Show a record's history; archive, restore, undo, detach it
    #[command(subcommand)]
    Record(record::Action),
    /// Make, list and revoke tokens of the API
    #[command(subcommand)]
    Token(token::Action),
    /// Copy store and operations, while they are in use
    Backup(backup::BackupArguments),
    /// Make a store of a copy
    Restore(backup::RestoreArguments),
    /// Check the configuration
    #[command(subcommand)]
    Config(configuration::Action),
    /// Print the completions of a shell
    Completions(manual::CompletionsArguments),
    /// Write the man pages
    #[command(hide = true)]
    Manual(manual::ManualArguments),
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum AnswerFormat {
    Text,
    Json,
}

/// The options that say how an answer is printed.
#[derive(Debug, Args)]
pub(crate) struct AnswerArguments {
    /// How the answer is printed
    #[arg(long, value_enum, default_value = "text")]
    format: AnswerFormat,
    /// The same as --format json
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
}

impl AnswerArguments {
    fn is_json(&self) -> bool {
        self.json || self.format == AnswerFormat::Json
    }
}

/// The options that say which store.
#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    /// The store's folder [default: moisson-data]
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

/// The options that bound requests.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// Allow loopback addresses, for local use and tests
    #[arg(long)]
    allow_loopback: bool,
    /// The most bytes of one page, after decompression
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// The most seconds without a byte
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<u64>,
}

impl StoreArguments {
    fn folder(&self, config: &Config) -> Folder {
        let Snapshots { behind, days, .. } = config.service.snapshots;
        let folder = Folder::new(self.store.clone().unwrap_or_else(|| config.store.clone()));
        folder.keeping_of(Keeping { behind, days })
    }

    /// The folder of a store that is read under the configured base.
    fn readable_folder(&self, config: &Config) -> Result<Folder, StoreError> {
        let folder = self.folder(config);
        folder.check_base(&config.base)?;
        Ok(folder)
    }
}

impl FetchArguments {
    fn is_open(&self) -> bool {
        self.allow_loopback
    }

    /// Refuses a local file that is longer than a page may be, where that was said.
    fn check_size(&self, target: &crate::source::Target) -> anyhow::Result<()> {
        let (Some(most), crate::source::Target::File(path)) = (self.max_bytes, target) else { return Ok(()) };
        let length = std::fs::metadata(path).map_or(0, |file| if file.is_file() { file.len() } else { 0 });
        anyhow::ensure!(
            length <= most,
            "{}: the file has {length} bytes, and --max-bytes is {most}",
            path.display()
        );
        Ok(())
    }

    fn client(&self, config: &Config) -> Client {
        let mut limits =
            Limits { whole: std::time::Duration::from_secs(config.service.page_seconds), ..Limits::default() };
        if let Some(bytes) = self.max_bytes {
            limits.body = bytes;
        }
        if let Some(seconds) = self.idle_timeout {
            limits.idle = std::time::Duration::from_secs(seconds);
        }
        let is_open = self.allow_loopback || config.allow_loopback;
        Client::new(limits, if is_open { Reach::PublicAndLoopback } else { Reach::Public }, &config.contact)
    }
}

/// Runs the program; errors go to standard error, one sentence each.
#[must_use]
pub fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    start_logging();
    match run(command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::WithErrors) => ExitCode::from(1),
        Err(error) => {
            if is_closed_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            eprintln!("moisson: {}", sentence(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(command: Command) -> anyhow::Result<Outcome> {
    let config = Config::load(Path::new("."), |name| std::env::var(name).ok())?;
    match command.action {
        Action::Harvest(arguments) => harvest::run(&arguments, &config),
        Action::Records(arguments) => records::run(&arguments, &config),
        Action::Query(arguments) => query::run(&arguments, &config),
        Action::QueryWorker(arguments) => query_worker::run(&arguments, &config),
        Action::Export(arguments) => export::run(&arguments, &config),
        Action::Check(arguments) => check::run(&arguments, &config),
        Action::Rules(arguments) => rules::run(&arguments),
        Action::Compare(arguments) => compare::run(&arguments, &config),
        Action::Map(arguments) => map::run(&arguments, &config),
        Action::Shacl(arguments) => shacl::run(&arguments, &config),
        Action::Health(arguments) => health::run(&arguments, &config),
        Action::Serve(arguments) => serve::run(&arguments, &config),
        Action::Source(action) => source::run(&action, &config),
        Action::Job(action) => job::run(&action, &config),
        Action::Replay(arguments) => job::replay(&arguments, &config),
        Action::Record(action) => record::run(&action, &config),
        Action::Token(action) => token::run(&action, &config),
        Action::Backup(arguments) => backup::backup(&arguments, &config),
        Action::Restore(arguments) => backup::restore(&arguments, &config),
        Action::Config(action) => configuration::run(&action, &config),
        Action::Completions(arguments) => Ok(manual::completions(&arguments)),
        Action::Manual(arguments) => manual::manual(&arguments),
    }
}

fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MOISSON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second installation fails and changes nothing.
    let _ = if std::env::var("MOISSON_LOG_FORMAT").is_ok_and(|format| format == "json") {
        subscriber.json().flatten_event(true).try_init()
    } else {
        subscriber.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}

/// The error and its causes, each once.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = in_words(cause);
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
    }
    text
}

/// What an error says, without the system's number for it.
fn in_words(cause: &(dyn std::error::Error + 'static)) -> String {
    let words = cause.to_string();
    match words.split_once(" (os error ") {
        Some((said, behind)) => format!("{said}{}", behind.split_once(')').map_or("", |(_, rest)| rest)),
        None => words,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_pipe))
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<HarvestError>() {
        return match error {
            HarvestError::Source(
                crate::source::SourceError::Address { .. } | crate::source::SourceError::Credentials { .. },
            )
            | HarvestError::Name { .. }
            | HarvestError::Profile(_)
            | HarvestError::Mapping(_)
            | HarvestError::Filter(_)
            | HarvestError::NoSuchRecord { .. } => USAGE,
            HarvestError::Source(_) | HarvestError::Cancelled | HarvestError::Interrupted => SOURCE_FAILED,
            HarvestError::Store(_)
            | HarvestError::Operations(_)
            | HarvestError::Query(_)
            | HarvestError::Spoiled
            | HarvestError::Tape { .. } => STORE_FAILED,
        };
    }
    let is_store = error.chain().any(|cause| {
        cause.is::<StoreError>()
            || cause.is::<crate::operations::OperationsError>()
            || cause.is::<crate::derive::DeriveError>()
    });
    if is_store { STORE_FAILED } else { USAGE }
}

/// What harvests and what listens to workers; connections have threads of their own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}
