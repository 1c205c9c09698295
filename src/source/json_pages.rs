//! Walking the pages of a JSON interface, whatever the platform.

use super::crawl::{Appetite, Crawl, SourceError, page_name};
use super::json::{answer_of, interface_error, without_mark};
use super::json_stream::{Layout, read_records};
use super::records::{Content, JsonRecord, Record, RecordSink, Records};
use crate::catalog::with_causes;
use crate::catalog::{ItemError, Place};
use crate::fetch::{Answer, FetchError, Request, Wanted};
use crate::lift::LiftError;
use serde_json::{Map, Value};
use std::collections::HashSet;
use url::Url;

/// Records handed over together.
const PORTION: usize = 500;
/// Pages in a row that may fail before the crawl is given up.
const FAILURES: u32 = 3;

/// What the walk must know of a platform's interface.
pub(super) trait Interface {
    /// The platform's name, for people.
    fn platform(&self) -> &'static str;
    /// The portal's address, without a slash at its end.
    fn site(&self) -> &str;
    /// Records to ask for at a time, and fewer, where the portal cannot give so many.
    fn sizes(&self) -> &'static [u64];
    /// The address of a page.
    fn page(&self, start: u64, size: u64) -> Url;
    /// What a page holds.
    fn found(&self, page: &str, answer: Value) -> Result<Found, SourceError>;
    /// The pointer to a record in the page where the publisher can look at it alone.
    fn pointer(&self) -> &'static str;
    /// What a record is; its page is where the publisher can look at it alone.
    fn record(&self, record: Value) -> Taken;
}

/// A page of results.
pub(super) struct Found {
    /// Records that the portal says it has.
    pub(super) count: Option<u64>,
    pub(super) records: Vec<Value>,
}

/// What a record of a page is.
pub(super) enum Taken {
    /// A public dataset.
    Record { id: String, page: String, fields: Map<String, Value> },
    /// It is not for the public, or describes no dataset; with its identifier.
    Hidden(String),
    /// Nothing tells it from others.
    Unidentified,
}

/// What a walk knows of the pages before.
#[derive(Debug, Default)]
pub(super) struct Walk {
    seen: HashSet<String>,
    start: u64,
    count: Option<u64>,
    /// Records that are no public dataset.
    left_out: u64,
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    GoOn,
    End,
}

impl Crawl<'_> {
    /// Walks the pages of an interface to the end. Fails only when its first page does.
    pub(super) fn walk(
        &mut self,
        interface: &dyn Interface,
        sink: &mut RecordSink<'_>,
    ) -> Result<(), SourceError> {
        let mut walk = Walk::default();
        let mut sizes = interface.sizes().iter().copied().peekable();
        let mut size = sizes.next().unwrap_or(1);
        loop {
            let url = interface.page(walk.start, size);
            if self.is_at_its_limit(&url) {
                return Ok(());
            }
            let page = page_name(&url);
            let found = self.ask(interface.platform(), &url).and_then(|answer| interface.found(&page, answer));
            let step = match found {
                Ok(found) => self.take(interface, &url, size, found, &mut walk, sink),
                Err(error) if is_too_much(&error) && sizes.peek().is_some() => {
                    size = sizes.next().unwrap_or(size);
                    Step::GoOn
                }
                Err(error) if walk.start == 0 => return Err(error),
                Err(error) => self.pass_over(&url, size, &error, &mut walk),
            };
            if step == Step::End {
                return Ok(());
            }
        }
    }

    /// Asks an interface, in words that its answer's errors are in.
    pub(super) fn ask(&mut self, platform: &str, url: &Url) -> Result<Value, SourceError> {
        match self.get(&Request::new(url, Wanted::Json))? {
            Answer::Content { body, .. } => answer_of(platform, &page_name(url), &body),
            Answer::NotModified => {
                Err(interface_error(&page_name(url), "an answer without content, which was not asked for"))
            }
        }
    }

    /// Takes a page, and tells whether there is another.
    fn take(
        &mut self,
        interface: &dyn Interface,
        url: &Url,
        size: u64,
        found: Found,
        walk: &mut Walk,
        sink: &mut RecordSink<'_>,
    ) -> Step {
        walk.failures = 0;
        walk.count = found.count.max(walk.count);
        let given = found.records.len() as u64;
        let known = walk.seen.len();
        let records = found.records.into_iter().map(|record| (record, None)).collect();
        let appetite = self.give(interface, page_name(url), records, walk, sink);
        self.outcome.pages += 1;
        walk.start += given;
        self.outcome.announced = walk.count.map(|count| count.saturating_sub(walk.left_out));
        if appetite == Appetite::Enough {
            self.outcome.complete = false;
            return Step::End;
        }
        if given > 0 && walk.seen.len() == known {
            self.fail(url, None, "this page holds the records of those before it".to_owned());
            return Step::End;
        }
        // Portals give fewer than they are asked for: only their count, or an empty page, is the end.
        let is_last = given < size && walk.count.is_some_and(|count| walk.start >= count);
        if given == 0 || is_last { Step::End } else { Step::GoOn }
    }

    /// Goes on behind a page that failed, unless the portal is down.
    fn pass_over(&mut self, url: &Url, size: u64, error: &SourceError, walk: &mut Walk) -> Step {
        self.fail(url, None, with_causes(error));
        walk.failures += 1;
        walk.start += size;
        let is_over = walk.count.is_none_or(|count| walk.start >= count);
        if walk.failures == FAILURES || is_over { Step::End } else { Step::GoOn }
    }

    /// Hands over the records of a document that is one long list, as a stream: only a portion is in memory.
    pub(super) fn give_streamed(
        &mut self,
        interface: &dyn Interface,
        url: &Url,
        sink: &mut RecordSink<'_>,
    ) -> Result<(), SourceError> {
        let page = page_name(url);
        let Answer::Content { body, .. } = self.get(&Request::new(url, Wanted::Json))? else {
            return Err(interface_error(&page, "an answer without content, which was not asked for"));
        };
        let reader = body.open().map_err(|source| LiftError::Io { page: page.clone(), source })?;
        let (mut walk, mut portion, mut met, mut appetite) = (Walk::default(), Vec::new(), 0, Appetite::More);
        let read = read_records(without_mark(reader), Layout::default(), &mut |record, _| {
            met += 1;
            portion.push((record, None));
            if portion.len() == PORTION {
                appetite = self.give(interface, page.clone(), std::mem::take(&mut portion), &mut walk, sink);
            }
            appetite
        });
        if appetite == Appetite::More {
            appetite = self.give(interface, page.clone(), portion, &mut walk, sink);
        }
        self.outcome.pages = 1;
        self.outcome.complete &= appetite == Appetite::More;
        match read {
            Ok(_) => Ok(()),
            Err(broken) if met == 0 => Err(interface_error(
                &page,
                &format!("the list is none: {} (line {})", broken.message, broken.line),
            )),
            Err(broken) => {
                let message = format!("the JSON is broken: {}; the records before it were read", broken.message);
                self.fail(url, Some(broken.line), message);
                Ok(())
            }
        }
    }

    /// Hands over records that are there all at once, in portions that are mapped together.
    pub(super) fn give_in_portions(
        &mut self,
        interface: &dyn Interface,
        page: &str,
        records: impl Iterator<Item = (Value, Option<String>)>,
        sink: &mut RecordSink<'_>,
    ) {
        let mut walk = Walk::default();
        let mut records = records.peekable();
        while records.peek().is_some() {
            let portion = records.by_ref().take(PORTION).collect();
            if self.give(interface, page.to_owned(), portion, &mut walk, sink) == Appetite::Enough {
                self.outcome.complete = false;
                return;
            }
        }
    }

    /// Hands over the records that are public datasets and were not met before; each may have a place of its own.
    pub(super) fn give(
        &mut self,
        interface: &dyn Interface,
        page: String,
        records: Vec<(Value, Option<String>)>,
        walk: &mut Walk,
        sink: &mut RecordSink<'_>,
    ) -> Appetite {
        let mut taken = Vec::new();
        for (record, place) in records {
            match interface.record(record) {
                Taken::Record { id, page, fields } => {
                    if walk.seen.insert(id.clone()) {
                        let page = place.unwrap_or(page);
                        let content = Content::Json(JsonRecord::new(fields, &page, interface.pointer()));
                        taken.push(Record { id, page, content });
                    }
                }
                Taken::Hidden(id) => {
                    if walk.seen.insert(id) {
                        self.outcome.skipped += 1;
                        walk.left_out += 1;
                    }
                }
                Taken::Unidentified => {
                    let place = Place::of_page(place.unwrap_or_else(|| page.clone()));
                    let message = "nothing tells this record from others: it was left out; give it an identifier";
                    self.outcome.errors.push(ItemError::new(None, place, message));
                    self.outcome.unread += 1;
                    // It may be a record that is known: its absence says nothing.
                    self.outcome.complete = false;
                    walk.seen.insert(format!("\0{}", self.outcome.unread));
                }
            }
        }
        sink(Records { site: interface.site().to_owned(), page, page_prefix: None, records: taken })
    }
}

/// An address below a portal's own, with parameters.
pub(super) fn address(site: &str, path: &str, parameters: &[(&str, &str)]) -> Url {
    let mut url = Url::parse(&format!("{site}{path}")).expect("a path after an address is one");
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url
}

/// Whether the portal answered at all: only then is another question worth its while.
pub(super) fn is_an_answer(error: &SourceError) -> bool {
    matches!(error, SourceError::Interface { .. } | SourceError::Fetch(FetchError::Status { .. }))
}

/// Whether fewer records at a time may help.
fn is_too_much(error: &SourceError) -> bool {
    match error {
        SourceError::Fetch(FetchError::Status { status, .. }) => *status >= 500 || *status == 413,
        SourceError::Fetch(FetchError::Timeout { .. } | FetchError::TooLong { .. }) => true,
        _ => false,
    }
}
