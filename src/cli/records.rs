//! `moisson records`

use super::{Outcome, StoreArguments, runtime};
use crate::catalog::SourceId;
use crate::config::Config;
use crate::derive::{Deriver, Record, Seen};
use crate::operations::{Operations, OperationsError};
use crate::store::{CatalogueRecord, GraphNames};
use anyhow::bail;
use clap::{Args, ValueEnum};
use std::io::{self, BufWriter, Write};

/// Records derived and printed before the next ones are derived.
const PAGE: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Only the records of this source
    #[arg(long, value_name = "SLUG")]
    source: Option<String>,
    /// How records are printed
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
}

/// A source without records may be new; one that nobody registered is a slip of the pen.
async fn check_name(operations: &Operations, source: &SourceId) -> anyhow::Result<()> {
    if operations.source_named(source.as_str()).await?.is_some() {
        return Ok(());
    }
    let names: Vec<String> = operations.sources().await?.into_iter().map(|row| row.name).collect();
    bail!("no source is called {:?}; the sources are: {}", source.as_str(), names.join(", "))
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let folder = arguments.store.readable_folder(config)?;
    let snapshot = folder.snapshot()?;
    let source = arguments.source.as_deref().map(SourceId::parse).transpose()?;
    let names = GraphNames::new(&config.base);
    let keys = CatalogueRecord::keys(&snapshot.store, &names, source.as_ref());
    let runtime = runtime()?;
    let operations = runtime.block_on(Operations::open(&folder.operations()))?;
    if let Some(source) = source.as_ref().filter(|_| keys.is_empty()) {
        runtime.block_on(check_name(&operations, source))?;
    }
    let seen = runtime.block_on(last_seen(&operations))?;
    let deriver = Deriver::new(&config.languages)?;
    let mut printer = Printer::new(arguments.format);
    printer.start()?;
    for page in keys.chunks(PAGE) {
        let kept = runtime.block_on(operations.derived(page))?;
        for record in deriver.derive(&snapshot, &names, page, &seen, &kept)? {
            printer.print(&record)?;
        }
    }
    printer.finish()?;
    Ok(Outcome::Done)
}

/// When each source was last read whole.
async fn last_seen(operations: &Operations) -> Result<Seen, OperationsError> {
    let sources = operations.sources().await?;
    let seen = sources.into_iter().filter_map(|source| Some((source.slug.to_string(), source.last_complete_at?)));
    Ok(seen.collect())
}

struct Printer {
    out: BufWriter<io::StdoutLock<'static>>,
    format: Format,
    is_first: bool,
}

impl Printer {
    fn new(format: Format) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), format, is_first: true }
    }

    fn start(&mut self) -> io::Result<()> {
        match self.format {
            Format::Jsonl => Ok(()),
            Format::Json => self.out.write_all(b"["),
            Format::Csv => writeln!(
                self.out,
                "id,type,title,remote_id,remote_url,license,frequency,tags,resources,created_at,modified_at,source"
            ),
        }
    }

    fn print(&mut self, record: &Record) -> anyhow::Result<()> {
        match self.format {
            Format::Jsonl => writeln!(self.out, "{}", serde_json::to_string(record)?)?,
            Format::Json => {
                let separator = if self.is_first { "\n" } else { ",\n" };
                write!(self.out, "{separator}{}", serde_json::to_string(record)?)?;
            }
            Format::Csv => writeln!(self.out, "{}", csv_line(record))?,
        }
        self.is_first = false;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        if self.format == Format::Json {
            self.out.write_all(b"\n]\n")?;
        }
        self.out.flush()
    }
}

/// RFC 4180, with the formulas of spreadsheets made harmless.
fn csv_line(record: &Record) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells = [
        record.id.clone(),
        record.r#type.clone(),
        text(&record.title),
        record.remote_id.clone(),
        text(&record.remote_url),
        text(&record.license),
        text(&record.frequency),
        record.tags.join(","),
        record.resources.len().to_string(),
        text(&record.created_at),
        text(&record.modified_at),
        record.harvest.source.clone(),
    ];
    let quote = |cell: &String| {
        let harmless = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.clone() };
        if harmless.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", harmless.replace('"', "\"\""))
        } else {
            harmless
        }
    };
    cells.iter().map(quote).collect::<Vec<_>>().join(",")
}
