//! What a parser says of a page, before anything is made of it.

use super::LiftError;
use super::contexts::Contexts;
use super::lines::{LineReader, Position};
use super::open::{Input, MAX_PROLOGUE, blank_empty_base, ends_with_its_root};
use oxrdf::Quad;
use oxrdfio::{LoadedDocument, RdfFormat, RdfParseError, RdfParser, RdfSyntaxError};
use std::io::Read;
use std::sync::{Arc, Mutex};

/// A parser that reports this many faults is given up: the file is not what it says it is.
const MAX_FAULTS: usize = 200;

/// What a parser says, in the order of the text.
pub(super) enum Parsed {
    /// A statement as it stands, and the line at which it ended.
    Quad(Quad, u32),
    /// Text that RDF/XML has where there is none, and its line.
    StrayText(String, u32),
    /// A broken place, and the line behind which it cuts what was said.
    Problem { line: u32, message: String, cuts_behind: u32, recovered: bool },
}

/// Parses a page and gives what the parser says.
///
/// # Errors
/// [`LiftError::MissingContext`] when JSON-LD needs a context that `contexts` lacks.
pub(super) fn parse(input: &Input, contexts: &Contexts, give: &mut dyn FnMut(Parsed)) -> Result<(), LiftError> {
    if input.scripts.is_empty() {
        let io = |source| LiftError::Io { page: input.page.to_string(), source };
        let mut source = input.body.open().map_err(io)?;
        if input.format == RdfFormat::RdfXml {
            let mut start = Vec::new();
            source.by_ref().take(MAX_PROLOGUE).read_to_end(&mut start).map_err(io)?;
            blank_empty_base(&mut start);
            return parse_document(input, 1, std::io::Cursor::new(start).chain(source), contexts, give);
        }
        return parse_document(input, 1, source, contexts, give);
    }
    // A script that is broken, or whose context cannot be had, costs itself.
    for script in &input.scripts {
        match &script.content {
            Ok(content) => {
                let text = format!("{}{content}", "\n".repeat(script.line.saturating_sub(1) as usize));
                parse_document(input, script.line, text.as_bytes(), contexts, give)?;
            }
            Err(fault) => give(Parsed::Problem {
                line: script.line,
                message: format!("this script of JSON-LD is not valid JSON: {fault}"),
                cuts_behind: u32::MAX,
                recovered: true,
            }),
        }
    }
    Ok(())
}

/// Parses one document of a page, whose text begins at a line.
fn parse_document(
    input: &Input,
    first_line: u32,
    source: impl Read,
    contexts: &Contexts,
    give: &mut dyn FnMut(Parsed),
) -> Result<(), LiftError> {
    let page = || input.page.to_string();
    let (reader, position) = LineReader::new(source);
    let missing = Arc::new(Mutex::new(None));
    let parser = RdfParser::from_format(input.format)
        .with_base_iri(input.page.as_str())
        .map_err(|_| LiftError::Base { page: page() })?
        .lenient()
        .for_reader(reader)
        .with_document_loader(loader(contexts.clone(), Arc::clone(&missing)));
    let mut faults = 0;
    for quad in parser {
        match quad {
            Ok(quad) => give(Parsed::Quad(quad, position.line())),
            Err(RdfParseError::Io(source)) => return Err(LiftError::Io { page: page(), source }),
            Err(RdfParseError::Syntax(error)) => {
                if let Some(text) = stray_text(&error) {
                    give(Parsed::StrayText(text, position.line()));
                    continue;
                }
                give(problem(&error, input.format, &position, first_line));
                faults += 1;
                if faults >= MAX_FAULTS || !goes_on(input.format) {
                    break;
                }
            }
        }
    }
    let is_cut = input.format == RdfFormat::RdfXml
        && faults == 0
        && !ends_with_its_root(input).map_err(|source| LiftError::Io { page: page(), source })?;
    if is_cut {
        give(Parsed::Problem {
            line: position.line(),
            message: "the document ends before its first element is closed".to_owned(),
            cuts_behind: 0,
            recovered: false,
        });
    }
    let missing = missing.lock().ok().and_then(|mut missing| missing.take());
    match missing {
        Some(url) => Err(LiftError::MissingContext { page: page(), url }),
        None => Ok(()),
    }
}

fn problem(error: &RdfSyntaxError, format: RdfFormat, position: &Position, first_line: u32) -> Parsed {
    let place = error.location().map(|range| u32::try_from(range.start.line + 1).unwrap_or(u32::MAX));
    let line = place.unwrap_or(position.line());
    let recovered = goes_on(format);
    let cuts_behind = if recovered { position.stop_before(line) } else { first_line - 1 };
    Parsed::Problem { line, message: error.to_string(), cuts_behind, recovered }
}

/// Whether a syntax is read on behind a broken place.
fn goes_on(format: RdfFormat) -> bool {
    matches!(format, RdfFormat::Turtle | RdfFormat::TriG | RdfFormat::N3 | RdfFormat::NTriples | RdfFormat::NQuads)
}

/// RDF/XML has no text beside an `rdf:resource`, and GeoNetwork writes it. Nothing else is lost by it.
fn stray_text(error: &RdfSyntaxError) -> Option<String> {
    let text = error.to_string();
    text.strip_prefix("Unexpected text event").map(|rest| rest.strip_prefix(": ").unwrap_or(rest).to_owned())
}

type LoadError = Box<dyn std::error::Error + Send + Sync>;

/// Gives known contexts and notes the first that is not. The mutex is written by the parser and read
/// after it is done.
fn loader(
    contexts: Contexts,
    missing: Arc<Mutex<Option<String>>>,
) -> impl Fn(&str) -> Result<LoadedDocument, LoadError> + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe
{
    move |url| {
        if let Some(content) = contexts.get(url) {
            Ok(LoadedDocument {
                url: url.to_owned(),
                content,
                format: RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
            })
        } else if let Some(why) = contexts.given_up(url) {
            Err(format!("the context {url} could not be had: {why}").into())
        } else {
            if let Ok(mut missing) = missing.lock() {
                missing.get_or_insert_with(|| url.to_owned());
            }
            Err(format!("the context {url} is not at hand").into())
        }
    }
}
