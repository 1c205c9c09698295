//! The crawl of a job: what a source gives goes into the job, page by page.

use super::catalogue::OwnCatalogue;
use super::job::Job;
use super::options::Writing;
use super::outcome::{HarvestError, Progress};
use super::profiles::Speaks;
use crate::catalog::SourceKind;
use crate::fetch::{Client, Validators};
use crate::source::{Appetite, Crawl, CrawlOutcome, Portion, PortionSink, Selection, SourceError, Target};
use std::time::{Duration, Instant};

/// Items that are written together while a job goes on.
const ITEMS: usize = 2_000;

/// What is told of a crawl while it goes on.
struct Meter<'p> {
    page: String,
    pages: u64,
    /// Time spent with what was read, and not with reading.
    inside: Duration,
    progress: &'p mut dyn FnMut(Progress),
}

/// Crawls a source of any kind. Only a DCAT catalogue is asked whether it changed.
pub(super) fn crawl_source(
    kind: SourceKind,
    crawl: Crawl<'_>,
    target: &Target,
    known: &Validators,
    sink: &mut PortionSink<'_>,
) -> Result<CrawlOutcome, SourceError> {
    let mut records = |records| sink(Portion::Records(records));
    match kind {
        SourceKind::Ckan => crawl.ckan(target, &mut records),
        SourceKind::Opendatasoft => crawl.opendatasoft(target, &mut records),
        SourceKind::DcatUs => crawl.dcat_us(target, &mut records),
        SourceKind::Csw => crawl.csw(target, sink),
        SourceKind::Dcat => {
            crawl.dcat(target, known, &mut |window, notes| sink(Portion::Dcat(Box::new(window), notes)))
        }
    }
}

impl Job<'_> {
    /// Crawls the source, record by record into the job; the store has them all when it ends.
    pub(super) fn crawl(
        &mut self,
        client: &Client,
        target: &Target,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<CrawlOutcome, HarvestError> {
        self.state.changed_since = self.options.changed_since.or_else(|| self.changed_since());
        let selection = Selection {
            filters: self.options.filters.clone(),
            changed_since: self.state.changed_since,
            token: self.options.token.clone(),
            catalogue: self.options.catalogue.clone(),
        };
        let crawl = Crawl::new(client, self.runtime.clone(), self.options.limits).selecting(target, selection);
        let known = self.usable_validators();
        let start = Instant::now();
        let mut meter = Meter { page: String::new(), pages: 0, inside: Duration::ZERO, progress };
        let kind = self.kind;
        let outcome = crawl_source(kind, crawl, target, &known, &mut |portion| match portion {
            Portion::Dcat(window, notes) => {
                self.take(&notes.page, &mut meter, |job| job.take_window(&window, &notes, Speaks::Dcat))
            }
            Portion::Records(records) => {
                let page = records.page.clone();
                self.take(&page, &mut meter, |job| job.take_records(records))
            }
        });
        self.clock.add("fetch and lift", start.elapsed().saturating_sub(meter.inside));
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.heed()?;
        let outcome = outcome?;
        if self.state.catalogue.is_none() {
            let told = outcome.catalogue.clone();
            self.state.catalogue = told.map(|(page, description)| OwnCatalogue::of_platform(page, description));
        }
        if self.state.counts.seen == 0
            && self.state.counts.failed == 0
            && !outcome.not_modified
            && outcome.skipped == 0
            && outcome.unread == 0
            && self.state.counts.filtered == 0
            && self.options.filters.is_empty()
            && outcome.changed_since.is_none()
            && outcome.complete
        {
            return Err(SourceError::NoRecord {
                page: target.to_string(),
                triples: outcome.triples,
                hint: "; is this the address of the catalogue itself?",
            }
            .into());
        }
        Ok(outcome)
    }

    /// Takes what a page gave. An error ends the crawl, and is given back when it has ended.
    fn take(
        &mut self,
        page: &str,
        meter: &mut Meter<'_>,
        take: impl FnOnce(&mut Self) -> Result<Appetite, HarvestError>,
    ) -> Appetite {
        let entered = Instant::now();
        if meter.page != page {
            page.clone_into(&mut meter.page);
            meter.pages += 1;
        }
        let taken = self.heed().and_then(|()| take(self)).and_then(|appetite| {
            if self.state.items.len() >= ITEMS {
                self.note_items()?;
            }
            Ok(appetite)
        });
        let appetite = taken.unwrap_or_else(|error| {
            self.error = Some(error);
            Appetite::Enough
        });
        (meter.progress)(Progress::Reading { records: self.state.counts.seen, pages: meter.pages });
        meter.inside += entered.elapsed();
        appetite
    }

    /// Validators are of use only while the rules are the same and the records are stored.
    fn usable_validators(&self) -> Validators {
        let known = &self.desk.known;
        let is_usable = !known.rules_changed
            && !known.hashes.is_empty()
            && self.desk.row.filters == self.options.filters.fingerprint()
            && self.options.writing == Writing::Stored;
        if is_usable { self.desk.row.validators.clone() } else { Validators::default() }
    }
}
