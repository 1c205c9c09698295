//! Walking the pages of a source.

use super::catalogue::CatalogueDescription;
use super::csw::CatalogueSettings;
use super::selection::Filters;
use super::window::Window;
use crate::catalog::{ItemError, Place, Syntax};
use crate::fetch::{Answer, Client, FetchError, Request, Secret, Validators};
use crate::lift::{Contexts, LiftError, PageText, Prefixes, Repair};
use jiff::civil::DateTime;
use oxrdf::NamedOrBlankNode;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
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
            let url = Url::parse(text).map_err(|_| SourceError::Address { text: text.to_owned() })?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(SourceError::Credentials { host: url.host_str().unwrap_or_default().to_owned() });
            }
            return Ok(Self::Web(url));
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        match std::fs::canonicalize(path) {
            Ok(path) => Ok(Self::File(path)),
            Err(_) => Err(SourceError::Address { text: text.to_owned() }),
        }
    }

    /// The address as everybody may see it: of a local file, its name alone.
    #[must_use]
    pub fn public_url(&self) -> String {
        match self {
            Self::Web(url) => url.to_string(),
            Self::File(_) => format!("file:{}", page_name(&self.url())),
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
    /// An address with a password, which would be shown wherever the address is.
    #[error("the address on {host} holds a name or a password: leave them out of it")]
    Credentials {
        /// Its host.
        host: String,
    },
    /// The first page could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The first page could not be lifted.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// A platform's interface that refuses, or answers in another way than it should.
    #[error("{page}: {message}")]
    Interface {
        /// The request.
        page: String,
        /// What came.
        message: String,
    },
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
    /// Triples of a window, more or less.
    pub window: usize,
    /// Bytes from which a page is read in windows instead of whole.
    pub windowed_from: u64,
}

impl Default for CrawlLimits {
    fn default() -> Self {
        Self { pages: 100_000, time: Duration::from_secs(24 * 3600), window: 200_000, windowed_from: 24 << 20 }
    }
}

/// What a page says beside its records.
#[derive(Debug, Clone, Default)]
pub struct PageNotes {
    /// The page, as places name it.
    pub page: String,
    /// Its syntax.
    pub syntax: Option<Syntax>,
    /// Its text, for places.
    pub text: Option<Arc<PageText>>,
    /// Terms repaired, by subject.
    pub repairs: HashMap<NamedOrBlankNode, Vec<Repair>>,
    /// For JSON-LD: the lines of nodes by `@id`, better than those of triples.
    pub json_lines: HashMap<String, u32>,
    /// What the page's catalogue names as its languages: codes or IRIs.
    pub languages: Vec<String>,
    /// The prefixes that the page declares, where its syntax has some.
    pub prefixes: Option<Prefixes>,
    /// What the page says of its catalogue itself.
    pub catalogue: Option<Arc<CatalogueDescription>>,
    /// Subjects whose description a syntax error cut.
    pub cut: HashMap<NamedOrBlankNode, String>,
}

/// What a source is asked for beside its address.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Which records are wanted: pushed to the platform where it can filter, and to be applied all the same.
    pub filters: Filters,
    /// Only what changed since then is wanted, where the platform can tell.
    pub changed_since: Option<DateTime>,
    /// What is asked of a catalogue service.
    pub catalogue: CatalogueSettings,
    /// A key to the source's interface; it goes to the source's own host alone.
    pub token: Option<Secret>,
}

impl PageNotes {
    /// Notes of a page that had to be repaired.
    #[must_use]
    pub fn of_repairs(page: String, repairs: Vec<Repair>) -> Self {
        let mut notes = Self { page, ..Self::default() };
        for repair in repairs {
            notes.repairs.entry(repair.subject.clone()).or_default().push(repair);
        }
        notes
    }
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
    /// Records that a catalogue lists and that a syntax error kept from being read.
    pub unread: u64,
    /// Records that are not for the public, and were left out.
    pub skipped: u64,
    /// Since when the records that came have changed, when only those came: an absence says nothing then.
    pub changed_since: Option<DateTime>,
    /// Whether the source said that nothing changed.
    pub not_modified: bool,
    /// Pages and records that could not be read.
    pub errors: Vec<ItemError>,
    /// What to ask the first page with next time.
    pub validators: Validators,
    /// What else is to be known of how it was read.
    pub notes: Vec<String>,
    /// What a platform's interface says of its catalogue, with the page that says so.
    pub catalogue: Option<(String, Arc<CatalogueDescription>)>,
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
pub type Sink<'s> = dyn FnMut(Window, PageNotes) -> Appetite + 's;

/// One walk over a source.
pub struct Crawl<'c> {
    pub(super) client: &'c Client,
    pub(super) runtime: Handle,
    pub(super) limits: CrawlLimits,
    pub(super) contexts: Contexts,
    pub(super) outcome: CrawlOutcome,
    pub(super) selection: Selection,
    /// Whether a page described the catalogue itself.
    pub(super) has_catalogue: bool,
    /// The origin that the token is for.
    origin: Option<url::Origin>,
    deadline: Instant,
}

impl<'c> Crawl<'c> {
    /// Prepares a crawl; it runs on a thread of its own and uses the runtime for requests.
    #[must_use]
    pub fn new(client: &'c Client, runtime: Handle, limits: CrawlLimits) -> Self {
        let outcome = CrawlOutcome { complete: true, ..CrawlOutcome::default() };
        let deadline = Instant::now() + limits.time;
        let selection = Selection::default();
        Self {
            client,
            runtime,
            limits,
            contexts: Contexts::default(),
            outcome,
            selection,
            has_catalogue: false,
            origin: None,
            deadline,
        }
    }

    /// The same crawl of a target, of what is selected.
    #[must_use]
    pub fn selecting(self, target: &Target, selection: Selection) -> Self {
        Self { selection, origin: Some(target.url().origin()), ..self }
    }

    /// Sends a request, for as long as the crawl may still take.
    pub(super) fn get(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let late = || FetchError::Timeout { url: request.url.to_string(), limit: self.limits.time };
        let is_own = self.origin.as_ref() == Some(&request.url.origin());
        let token = self.selection.token.as_ref().filter(|_| is_own);
        let request = Request { authorization: request.authorization.or(token), ..*request };
        self.runtime.block_on(async {
            tokio::time::timeout(left, self.client.get(&request)).await.unwrap_or_else(|_| Err(late()))
        })
    }

    /// Whether the crawl may still take time.
    pub(super) fn has_time(&self) -> bool {
        Instant::now() <= self.deadline
    }

    /// Whether the crawl has to end before a page, which is then said.
    pub(super) fn is_at_its_limit(&mut self, page: &Url) -> bool {
        let limits = self.limits;
        let is_over = self.outcome.pages >= limits.pages || Instant::now() > self.deadline;
        if is_over {
            let (pages, seconds) = (limits.pages, limits.time.as_secs());
            self.fail(
                page,
                None,
                format!("the harvest stops here: its limit of {pages} pages or {seconds} s is reached"),
            );
        }
        is_over
    }

    /// Notes an error that leaves the crawl incomplete.
    pub(super) fn fail(&mut self, page: &Url, line: Option<u32>, message: String) {
        self.outcome.complete = false;
        let place = Place::of_line(page_name(page), line);
        self.outcome.errors.push(ItemError::new(None, place, message));
    }
}

/// A page as places name it: its address, or the name of a local file, whose folder is nobody's business.
pub(super) fn page_name(page: &Url) -> String {
    if page.scheme() != "file" {
        return page.to_string();
    }
    let path = page.to_file_path().ok();
    let name = path.as_deref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
    name.map_or_else(|| page.to_string(), ToOwned::to_owned)
}
