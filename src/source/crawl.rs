//! Walking the pages of a source.

use super::window::Window;
use crate::catalog::{ItemError, Place};
use crate::fetch::{Client, FetchError, Validators};
use crate::lift::{Contexts, LiftError, Repair};
use oxrdf::NamedOrBlankNode;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Handle;
use url::Url;

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// On the web.
    Web(Url),
    /// A local file, which only the command line may name.
    File(PathBuf),
}

impl Target {
    /// Reads what a person gave: an address, or the path of an existing file.
    ///
    /// # Errors
    /// When it is neither; the message says what was looked for.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Url::parse(text).map(Self::Web).map_err(|_| SourceError::Address { text: text.to_owned() });
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        match std::fs::canonicalize(path) {
            Ok(path) => Ok(Self::File(path)),
            Err(_) => Err(SourceError::Address { text: text.to_owned() }),
        }
    }

    /// The address, as an IRI.
    #[must_use]
    pub fn url(&self) -> Url {
        match self {
            Self::Web(url) => url.clone(),
            Self::File(path) => Url::from_file_path(path).expect("`parse` made the path absolute"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(url) => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why a source could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither an address nor a file.
    #[error("{text:?} is neither an http or https address nor an existing file")]
    Address {
        /// What was given.
        text: String,
    },
    /// The first page could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The first page could not be lifted.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// Readable, but without any record.
    #[error(
        "{page}: {triples} statements were read, and none describes a dataset, a series or a data service{hint}"
    )]
    NoRecord {
        /// The page.
        page: String,
        /// How many triples it holds.
        triples: u64,
        /// What may be wrong.
        hint: &'static str,
    },
}

/// The bounds of a crawl.
#[derive(Debug, Clone, Copy)]
pub struct CrawlLimits {
    /// Pages.
    pub pages: u64,
    /// Time for the whole crawl.
    pub time: Duration,
    /// Triples of a window.
    pub window: usize,
    /// Bytes from which a page is read twice, in windows, instead of once, whole.
    pub windowed_from: u64,
}

impl Default for CrawlLimits {
    fn default() -> Self {
        Self { pages: 100_000, time: Duration::from_secs(24 * 3600), window: 200_000, windowed_from: 24 << 20 }
    }
}

/// What a page says beside its records.
#[derive(Debug, Default)]
pub struct PageNotes {
    /// The page, as places name it.
    pub page: String,
    /// Terms repaired, by subject.
    pub repairs: HashMap<NamedOrBlankNode, Vec<Repair>>,
    /// For JSON-LD: the lines of nodes by `@id`, better than those of triples.
    pub json_lines: HashMap<String, u32>,
    /// What the page's catalogue names as its languages: codes or IRIs.
    pub languages: Vec<String>,
    /// Subjects whose description a syntax error cut.
    pub cut: HashMap<NamedOrBlankNode, String>,
}

/// How a crawl ended.
#[derive(Debug, Default)]
pub struct CrawlOutcome {
    /// Pages read.
    pub pages: u64,
    /// Triples read.
    pub triples: u64,
    /// Whether everything that the source has was read: only then is an absence an absence.
    pub complete: bool,
    /// Records that the source announced.
    pub announced: Option<u64>,
    /// Whether the source said that nothing changed.
    pub not_modified: bool,
    /// Pages and records that could not be read.
    pub errors: Vec<ItemError>,
    /// What to ask the first page with next time.
    pub validators: Validators,
}

/// Whether to go on after a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appetite {
    /// More.
    More,
    /// Enough: the crawl stops, incomplete.
    Enough,
}

/// What takes the windows of a crawl.
pub type Sink<'s> = dyn FnMut(Window, &PageNotes) -> Appetite + 's;

/// One walk over a source.
pub struct Crawl<'c> {
    pub(super) client: &'c Client,
    pub(super) runtime: Handle,
    pub(super) limits: CrawlLimits,
    pub(super) contexts: Contexts,
    pub(super) outcome: CrawlOutcome,
}

impl<'c> Crawl<'c> {
    /// Prepares a crawl; it runs on a thread of its own and uses the runtime for requests.
    #[must_use]
    pub fn new(client: &'c Client, runtime: Handle, limits: CrawlLimits) -> Self {
        let outcome = CrawlOutcome { complete: true, ..CrawlOutcome::default() };
        Self { client, runtime, limits, contexts: Contexts::default(), outcome }
    }

    /// Notes an error that leaves the crawl incomplete.
    pub(super) fn fail(&mut self, page: &Url, line: Option<u32>, message: String) {
        self.outcome.complete = false;
        let place = Place { page: page.to_string(), line };
        self.outcome.errors.push(ItemError { record: None, place, message });
    }
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
