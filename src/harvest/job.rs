//! One job: the pipeline over the windows of a crawl.

use super::known::Known;
use super::profiles::{ProfileError, Profiles};
use super::removal::{Removal, RemovalRules};
use super::renames;
use super::report::{FindingCounts, JobReport, RecordCounts, Status};
use crate::catalog::{DatasetKey, Finding, ItemError, RecordKind, SourceId};
use crate::convert::{Conversion, Converter, Draft, Identifier, NodeClaim, QueryError};
use crate::fetch::{Client, Validators};
use crate::operations::{FormerState, Operations, OperationsError, RecordRow, Rename, SourceRow};
use crate::source::{Appetite, Crawl, CrawlLimits, CrawlOutcome, PageNotes, SourceError, Target, Window};
use crate::store::{Batch, CatalogueRecord, Change, Folder, GraphNames, SourceGraph, StoreError, Writer};
use crate::triples::TermId;
use jiff::Timestamp;
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, NamedOrBlankNode, Quad, Term, Triple};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Records converted together: enough that planning a query costs little for each.
const BATCH: usize = 100;

/// What a job is asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// A name for the source; else one is made of its address.
    pub source: Option<SourceId>,
    /// The most records to take.
    pub max_records: Option<u64>,
    /// Whether to write anything.
    pub writing: Writing,
    /// The base of the platform's own IRIs.
    pub base: String,
    /// The bounds of the crawl.
    pub limits: CrawlLimits,
    /// The rules of removal.
    pub removal: RemovalRules,
    /// The time of the job.
    pub now: Timestamp,
}

/// Whether a job writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It stores what it harvests.
    Stored,
    /// It only reports what it would do.
    DryRun,
}

/// Why a job could not run.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// The source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operations database failed.
    #[error(transparent)]
    Operations(#[from] OperationsError),
    /// A conversion query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// What a running job tells.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Records so far.
    pub records: u64,
    /// Pages so far, the present one included.
    pub pages: u64,
}

/// Runs jobs on one store.
pub struct Harvest<'h> {
    /// The store's folder.
    pub folder: &'h Folder,
    /// The HTTP client.
    pub client: &'h Client,
    /// The runtime for requests and the operations database.
    pub runtime: Handle,
    /// The profiles.
    pub profiles: &'h Profiles,
}

impl Harvest<'_> {
    /// Harvests a source. Runs on a thread that may block.
    ///
    /// # Errors
    /// When the source cannot be read at all or the store fails; everything less is in the report.
    pub fn run(
        &self,
        target: &Target,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(JobReport, Vec<Finding>), HarvestError> {
        let started = Instant::now();
        let converter = Converter::dcat()?;
        let names = GraphNames::new(&options.base);
        let desk = Desk::open(self, target, options, &names)?;
        let mut job = Job {
            id: uuid::Uuid::now_v7().to_string(),
            now: options.now.to_string(),
            names: &names,
            identifier: Identifier { source: desk.row.slug.clone(), base: names.base().to_owned() },
            converter: &converter,
            profiles: self.profiles,
            options,
            state: State::default(),
            error: None,
            pending: Pending::default(),
            writer: desk.store.as_ref().map(|store| Writer::new(store, &names)),
            desk: &desk,
            runtime: &self.runtime,
            clock: Clock::default(),
        };
        job.begin()?;
        let crawled = job.crawl(self.client, target, progress);
        let outcome = match crawled {
            Ok(outcome) => outcome,
            Err(error) => {
                job.finish_failed(&error, started)?;
                return Err(error);
            }
        };
        let report = job.finish(outcome, started, self.folder)?;
        Ok((report, std::mem::take(&mut job.state.findings)))
    }
}

/// The places that a job writes to; without a store in a dry run.
struct Desk {
    store: Option<Store>,
    operations: Option<Operations>,
    row: SourceRow,
    known: Known,
}

impl Desk {
    fn open(
        harvest: &Harvest<'_>,
        target: &Target,
        options: &Options,
        names: &GraphNames,
    ) -> Result<Self, HarvestError> {
        let url = target.url().to_string();
        let name = options.source.clone().unwrap_or_else(|| SourceId::of_address(&url));
        if options.writing == Writing::DryRun {
            return Ok(Self::dry(harvest.folder, url, name, names));
        }
        let store = harvest.folder.open()?;
        let operations = harvest.runtime.block_on(Operations::open(&harvest.folder.operations()))?;
        let now = options.now.to_string();
        let row = harvest.runtime.block_on(operations.source(&url, "dcat", &name, &now))?;
        let fingerprint = harvest.profiles.fingerprint();
        let known = Known {
            hashes: Known::hashes(&store, names, &row.slug),
            findings: harvest.runtime.block_on(operations.stored_findings(&row.slug))?,
            renamed: harvest.runtime.block_on(operations.renamed(&row.slug))?,
            rules_changed: row.fingerprint.as_deref().is_some_and(|stored| stored != fingerprint),
        };
        Ok(Self { store: Some(store), operations: Some(operations), row, known })
    }

    /// A dry run compares with the newest snapshot, if there is one.
    fn dry(folder: &Folder, url: String, name: SourceId, names: &GraphNames) -> Self {
        let hashes = folder.snapshot().map(|snapshot| Known::hashes(&snapshot.store, names, &name));
        let row = SourceRow {
            slug: name,
            url,
            kind: "dcat".to_owned(),
            last_complete_at: None,
            validators: Validators::default(),
            fingerprint: None,
        };
        let known = Known { hashes: hashes.unwrap_or_default(), ..Known::default() };
        Self { store: None, operations: None, row, known }
    }
}

/// What a job has learned so far.
#[derive(Default)]
struct State {
    counts: RecordCounts,
    services: u64,
    finding_counts: FindingCounts,
    findings: Vec<Finding>,
    errors: Vec<ItemError>,
    /// First places of keys, for the second record that claims one.
    seen: HashMap<DatasetKey, String>,
    /// Nodes by the key that has them.
    nodes: HashMap<u64, DatasetKey>,
    present_again: Vec<DatasetKey>,
    added: Vec<(DatasetKey, renames::Addresses)>,
    remote_ids: HashMap<DatasetKey, String>,
    wrote: bool,
}

/// What waits for the store before it is noted in the operations database.
#[derive(Default)]
struct Pending {
    rows: Vec<RecordRow>,
    load: Option<JoinHandle<Result<(), HarvestError>>>,
}

/// Where the time goes.
#[derive(Default)]
struct Clock {
    phases: Vec<(&'static str, Duration)>,
}

impl Clock {
    fn measure<R>(&mut self, phase: &'static str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let outcome = work();
        self.add(phase, start.elapsed());
        outcome
    }

    fn add(&mut self, phase: &'static str, time: Duration) {
        match self.phases.iter_mut().find(|(name, _)| *name == phase) {
            Some((_, total)) => *total += time,
            None => self.phases.push((phase, time)),
        }
    }
}

struct Job<'j> {
    id: String,
    now: String,
    names: &'j GraphNames,
    identifier: Identifier,
    converter: &'j Converter,
    profiles: &'j Profiles,
    options: &'j Options,
    desk: &'j Desk,
    runtime: &'j Handle,
    writer: Option<Writer<'j>>,
    state: State,
    pending: Pending,
    error: Option<HarvestError>,
    clock: Clock,
}

/// A record that goes through conversion, with what comes of it.
struct Processed {
    draft: Draft,
    conversion: Conversion,
    findings: Vec<Finding>,
    validated_in: Duration,
}

impl Job<'_> {
    fn begin(&self) -> Result<(), HarvestError> {
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(operations.start_job(&self.id, &self.desk.row.slug, &self.now))?;
        }
        Ok(())
    }

    fn crawl(
        &mut self,
        client: &Client,
        target: &Target,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<CrawlOutcome, HarvestError> {
        let crawl = Crawl::new(client, self.runtime.clone(), self.options.limits);
        let known = self.usable_validators();
        let mut last_page = String::new();
        let mut pages = 0;
        let start = Instant::now();
        let mut inside = Duration::ZERO;
        let outcome = crawl.dcat(target, &known, &mut |window, notes| {
            let entered = Instant::now();
            if notes.page != last_page {
                last_page.clone_from(&notes.page);
                pages += 1;
            }
            let appetite = self.take_window(&window, notes).unwrap_or_else(|error| {
                self.error = Some(error);
                Appetite::Enough
            });
            progress(Progress { records: self.state.counts.seen, pages });
            inside += entered.elapsed();
            appetite
        });
        self.clock.add("fetch and lift", start.elapsed().saturating_sub(inside));
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let outcome = outcome?;
        self.flush()?;
        if self.state.counts.seen == 0
            && self.state.counts.failed == 0
            && !outcome.not_modified
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

    /// Validators are of use only while the rules are the same and the last crawl was whole.
    fn usable_validators(&self) -> Validators {
        let is_usable = !self.desk.known.rules_changed && self.options.writing == Writing::Stored;
        if is_usable { self.desk.row.validators.clone() } else { Validators::default() }
    }

    fn take_window(&mut self, window: &Window, notes: &PageNotes) -> Result<Appetite, HarvestError> {
        let (drafts, appetite) = self.identify(window, notes);
        let start = Instant::now();
        let fresh: Vec<Draft> = drafts.into_iter().filter_map(|draft| self.keep_unless_unchanged(draft)).collect();
        self.clock.add("compare", start.elapsed());
        let converter = self.converter;
        let profiles = self.profiles;
        let start = Instant::now();
        let batches: Vec<Vec<Draft>> = into_batches(fresh);
        let processed: Vec<Vec<Processed>> = batches
            .into_par_iter()
            .map(|batch| process(converter, profiles, batch))
            .collect::<Result<_, QueryError>>()?;
        let elapsed = start.elapsed();
        let processed: Vec<Processed> = processed.into_iter().flatten().collect();
        self.share_time(elapsed, &processed);
        let start = Instant::now();
        self.write(processed)?;
        self.clock.add("store", start.elapsed());
        Ok(appetite)
    }

    /// Splits the wall time of a parallel phase by what was measured within.
    fn share_time(&mut self, elapsed: Duration, processed: &[Processed]) {
        let validated: Duration = processed.iter().map(|record| record.validated_in).sum();
        let validate = validated.mul_f64(1.0 / rayon::current_num_threads() as f64).min(elapsed);
        self.clock.add("validate", validate);
        self.clock.add("convert", elapsed.saturating_sub(validate));
    }

    /// Gives the records of a window their identities, and sorts out those that cannot have one.
    fn identify(&mut self, window: &Window, notes: &PageNotes) -> (Vec<Draft>, Appetite) {
        let start = Instant::now();
        let identifier = &self.identifier;
        let renamed = &self.desk.known.renamed;
        let drafts: Vec<(TermId, Draft)> = window
            .roots
            .par_iter()
            .map(|root| (root.node, identifier.identify(window, root, notes, NodeClaim::Free, renamed)))
            .collect();
        self.clock.add("identify and hash", start.elapsed());
        let mut kept = Vec::new();
        for (node, draft) in drafts {
            if self.options.max_records.is_some_and(|most| self.state.counts.seen >= most) {
                return (kept, Appetite::Enough);
            }
            self.state.counts.seen += 1;
            if draft.kind == RecordKind::Service {
                self.state.services += 1;
            }
            let Some(draft) = self.admit(draft) else { continue };
            let claim = self.claim(&draft);
            let draft = match (claim, window.roots.iter().find(|root| root.node == node)) {
                (NodeClaim::Taken, Some(root)) => {
                    self.identifier.identify(window, root, notes, NodeClaim::Taken, &self.desk.known.renamed)
                }
                _ => draft,
            };
            kept.push(draft);
        }
        (kept, Appetite::More)
    }

    /// Refuses a second record with the same identifier, and one whose description is cut.
    fn admit(&mut self, draft: Draft) -> Option<Draft> {
        let refused = if let Some(first) = self.state.seen.get(&draft.key) {
            Some(format!(
                "the identifier {:?} was met before, at {first}; the first record stays. Give each dataset an identifier of its own.",
                draft.remote_id.value
            ))
        } else {
            draft.cut.as_ref().map(|error| {
                format!("the description is cut by a syntax error ({error}); the record stays as it was")
            })
        };
        if let Some(message) = refused {
            self.state.counts.failed += 1;
            let record = Some(draft.remote_id.value.clone());
            self.state.errors.push(ItemError { record, place: draft.place.clone(), message });
            self.state.seen.entry(draft.key).or_insert_with(|| draft.place.to_string());
            return None;
        }
        self.state.seen.insert(draft.key, draft.place.to_string());
        Some(draft)
    }

    fn claim(&mut self, draft: &Draft) -> NodeClaim {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let node = BuildHasherDefault::<DefaultHasher>::default().hash_one(draft.node.as_str());
        match self.state.nodes.insert(node, draft.key) {
            Some(other) if other != draft.key => {
                self.state.nodes.insert(node, other);
                NodeClaim::Taken
            }
            _ => NodeClaim::Free,
        }
    }

    fn keep_unless_unchanged(&mut self, draft: Draft) -> Option<Draft> {
        let known = &self.desk.known;
        if known.is_unchanged(draft.key, draft.hash) {
            self.state.counts.unchanged += 1;
            let stored = &known.findings[&draft.key];
            let [violation, warning, info] = stored.counts;
            self.state.finding_counts.add(FindingCounts { violation, warning, info });
            if stored.missing_since.is_some() {
                self.state.present_again.push(draft.key);
            }
            return None;
        }
        Some(draft)
    }

    /// Writes what changed; rows for the operations database wait until the store has it.
    fn write(&mut self, processed: Vec<Processed>) -> Result<(), HarvestError> {
        let mut replaced = Vec::new();
        for record in processed {
            self.state.finding_counts.add(FindingCounts::of(&record.findings));
            if self.desk.operations.is_none() {
                self.state.findings.extend(record.findings.iter().cloned());
            }
            let key = record.draft.key;
            match self.desk.known.hashes.get(&key) {
                None => self.add(record)?,
                Some(hash) if *hash == record.draft.hash => {
                    // The same statements under new rules, or findings lost by a crash.
                    self.state.counts.unchanged += 1;
                    replaced.push((record, Replaced::Rules));
                }
                Some(_) => {
                    self.state.counts.changed += 1;
                    replaced.push((record, Replaced::Statements));
                }
            }
        }
        self.replace(replaced)
    }

    fn add(&mut self, record: Processed) -> Result<(), HarvestError> {
        let was_archived =
            self.desk.known.findings.get(&record.draft.key).is_some_and(|stored| stored.archived_at.is_some());
        if was_archived {
            self.state.counts.restored += 1;
        } else {
            self.state.counts.added += 1;
            let addresses = renames::addresses(record.draft.triples.iter());
            self.state.added.push((record.draft.key, addresses));
            self.state.remote_ids.insert(record.draft.key, record.draft.remote_id.value.clone());
        }
        let (row, change) = self.change(record, None);
        self.pending.rows.push(row);
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.state.wrote = true;
        match writer.add(change) {
            Some(batch) => self.load(batch),
            None => Ok(()),
        }
    }

    fn replace(&mut self, records: Vec<(Processed, Replaced)>) -> Result<(), HarvestError> {
        if records.is_empty() {
            return Ok(());
        }
        self.wait_for_load()?;
        let Some(store) = &self.desk.store else { return Ok(()) };
        let mut states = Vec::new();
        let mut changes = Vec::new();
        for (record, replaced) in records {
            let key = record.draft.key;
            let before = CatalogueRecord::read(store, self.names, key);
            if let (Replaced::Statements, Some(before)) = (replaced, &before) {
                states.push(former_state(store, self.names, key, before.hash.to_string())?);
            }
            let (row, change) = self.change(record, before.map(|before| (before, replaced)).as_ref());
            self.pending.rows.push(row);
            changes.push(change);
        }
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(operations.keep_history(&states, &self.id, &self.now))?;
        }
        if let Some(writer) = &mut self.writer {
            writer.replace(changes)?;
            self.state.wrote = true;
        }
        Ok(())
    }

    fn change(&self, record: Processed, before: Option<&(CatalogueRecord, Replaced)>) -> (RecordRow, Change) {
        let Processed { draft, conversion, findings, .. } = record;
        let counts = FindingCounts::of(&findings);
        let first_seen = before.map_or(&self.now, |(before, _)| &before.first_seen).clone();
        let modified = match before {
            Some((before, Replaced::Rules)) => before.modified.clone(),
            Some((_, Replaced::Statements)) | None => self.now.clone(),
        };
        let catalogue_record = CatalogueRecord {
            key: draft.key,
            node: draft.node,
            kind: draft.kind,
            source: self.desk.row.slug.clone(),
            remote_id: draft.remote_id.value.clone(),
            hash: draft.hash,
            first_seen,
            modified,
            missing_since: None,
        };
        let row = RecordRow {
            key: draft.key.to_string(),
            source: self.desk.row.slug.to_string(),
            remote_id: draft.remote_id.value,
            hash: draft.hash.to_string(),
            violation: counts.violation,
            warning: counts.warning,
            info: counts.info,
            findings,
        };
        let change = Change {
            key: draft.key,
            stated: draft.triples,
            normalised: conversion.added,
            record: catalogue_record.to_quads(self.names),
        };
        (row, change)
    }

    /// Loads a batch while the crawl goes on; one batch at a time, so that memory stays bounded. Its rows
    /// are noted once the store has it.
    fn load(&mut self, batch: Batch) -> Result<(), HarvestError> {
        self.wait_for_load()?;
        let rows = std::mem::take(&mut self.pending.rows);
        let (operations, runtime) = (self.desk.operations.clone(), self.runtime.clone());
        self.pending.load = Some(std::thread::spawn(move || {
            batch.load()?;
            if let Some(operations) = operations {
                runtime.block_on(operations.write_records(&rows))?;
            }
            Ok(())
        }));
        Ok(())
    }

    fn wait_for_load(&mut self) -> Result<(), HarvestError> {
        match self.pending.load.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    fn flush(&mut self) -> Result<(), HarvestError> {
        let start = Instant::now();
        if let Some(batch) = self.writer.as_mut().and_then(Writer::rest) {
            self.load(batch)?;
        }
        self.wait_for_load()?;
        self.note_pending()?;
        self.clock.add("store", start.elapsed());
        Ok(())
    }

    /// Notes findings of records that are in the store now.
    fn note_pending(&mut self) -> Result<(), HarvestError> {
        let rows = std::mem::take(&mut self.pending.rows);
        if let Some(operations) = &self.desk.operations {
            self.runtime.block_on(operations.write_records(&rows))?;
        }
        Ok(())
    }

    fn finish(
        &mut self,
        mut outcome: CrawlOutcome,
        started: Instant,
        folder: &Folder,
    ) -> Result<JobReport, HarvestError> {
        let mut errors = std::mem::take(&mut outcome.errors);
        errors.append(&mut self.state.errors);
        let complete = outcome.complete && !announces_more(&outcome, &self.state, &mut errors);
        if outcome.not_modified {
            self.count_not_modified();
        }
        let mut note = None;
        let mut held = false;
        if complete && !outcome.not_modified {
            held = self.remove_missing()?;
            if held {
                note = Some("so many records are missing that their removal waits for a person".to_owned());
            }
        }
        self.note_source(&outcome, complete)?;
        if self.state.wrote
            && let Some(store) = &self.desk.store
        {
            let clock = &mut self.clock;
            clock.measure("publish", || folder.publish(store))?;
        }
        // Records listed but unread are failures of their own.
        self.state.counts.failed +=
            errors.iter().filter(|error| error.message.starts_with("the catalogue lists")).count() as u64;
        let status = match (held, errors.is_empty()) {
            (true, _) => Status::Held,
            (false, true) => Status::Done,
            (false, false) => Status::DoneWithErrors,
        };
        let report = self.report(status, complete, outcome.pages, errors, started, note);
        self.end(&report)?;
        Ok(report)
    }

    fn count_not_modified(&mut self) {
        for stored in self.desk.known.findings.values().filter(|stored| stored.archived_at.is_none()) {
            let [violation, warning, info] = stored.counts;
            self.state.finding_counts.add(FindingCounts { violation, warning, info });
        }
        let known = self.desk.known.hashes.len() as u64;
        self.state.counts.seen = known;
        self.state.counts.unchanged = known;
    }

    /// Deals with the records that a complete crawl did not bring. Returns whether removal is held.
    fn remove_missing(&mut self) -> Result<bool, HarvestError> {
        let renamed = self.follow_renames()?;
        let mut seen: HashSet<DatasetKey> = self.state.seen.keys().copied().collect();
        seen.extend(renamed);
        let removal = Removal::decide(&self.desk.known, &seen, self.options.now, self.options.removal);
        self.state.counts.missing = (removal.newly_missing.len() + removal.still_missing) as u64;
        let (Some(store), Some(operations)) = (&self.desk.store, &self.desk.operations) else {
            return Ok(removal.held);
        };
        let mark = |keys: &[DatasetKey], since: Option<&str>, archived: Option<&str>| {
            self.runtime.block_on(operations.mark(keys, since, archived))
        };
        self.state.counts.restored += self.state.present_again.len() as u64;
        mark(&self.state.present_again, None, None)?;
        mark(&removal.newly_missing, Some(&self.now), None)?;
        if removal.held {
            self.state.counts.missing += removal.archive.len() as u64;
            return Ok(true);
        }
        let states = removal
            .archive
            .iter()
            .map(|key| former_state(store, self.names, *key, self.desk.known.hashes[key].to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        self.runtime.block_on(operations.keep_history(&states, &self.id, &self.now))?;
        if let Some(writer) = self.writer.as_mut().filter(|_| !removal.archive.is_empty()) {
            writer.remove(&removal.archive)?;
            self.state.wrote = true;
        }
        mark(&removal.archive, None, Some(&self.now))?;
        self.state.counts.archived = removal.archive.len() as u64;
        Ok(false)
    }

    /// Gives renamed records their former key back. Returns the former keys.
    fn follow_renames(&mut self) -> Result<Vec<DatasetKey>, HarvestError> {
        let (Some(store), Some(operations)) = (&self.desk.store, &self.desk.operations) else {
            return Ok(Vec::new());
        };
        if self.state.added.is_empty() {
            return Ok(Vec::new());
        }
        let gone: Vec<_> = self
            .desk
            .known
            .hashes
            .keys()
            .filter(|key| !self.state.seen.contains_key(key))
            .map(|key| (*key, renames::stored_addresses(store, self.names, *key)))
            .collect();
        let pairs = renames::pair(&gone, &self.state.added);
        let mut renames = Vec::new();
        for (former, new) in &pairs {
            let Some(before) = CatalogueRecord::read(store, self.names, *former) else { continue };
            let state = former_state(store, self.names, *former, before.hash.to_string())?;
            self.runtime.block_on(operations.keep_history(&[state], &self.id, &self.now))?;
            let remote_id = self.state.remote_ids.get(new).cloned().unwrap_or_default();
            renames.push(Rename { remote_id, key: *former, former_id: before.remote_id.clone() });
        }
        if renames.is_empty() {
            return Ok(Vec::new());
        }
        self.runtime.block_on(operations.note_renames(&self.desk.row.slug, &renames, &self.now))?;
        if let Some(writer) = &mut self.writer {
            let hashes = writer.rename(&pairs)?;
            self.runtime.block_on(operations.move_records(&pairs, &hashes))?;
        }
        let renamed = pairs.len() as u64;
        self.state.counts.renamed = renamed;
        self.state.counts.added -= renamed;
        Ok(pairs.into_iter().map(|(former, _)| former).collect())
    }

    fn note_source(&mut self, outcome: &CrawlOutcome, complete: bool) -> Result<(), HarvestError> {
        let Some(operations) = &self.desk.operations else { return Ok(()) };
        let row = &self.desk.row;
        if complete {
            // A first page that is the same says nothing of the others.
            let validators = match (outcome.not_modified, outcome.pages) {
                (true, _) => row.validators.clone(),
                (false, 1) if self.state.counts.failed == 0 => outcome.validators.clone(),
                (false, _) => Validators::default(),
            };
            let fingerprint = self.profiles.fingerprint();
            self.runtime.block_on(operations.note_complete(&row.slug, &self.now, &validators, fingerprint))?;
        }
        if self.state.wrote
            && let Some(writer) = &mut self.writer
        {
            let graph = SourceGraph { source: row.slug.clone(), url: row.url.clone(), backend: "dcat" };
            writer.replace_graph(&self.names.source(&row.slug), &graph.to_quads(self.names))?;
        }
        Ok(())
    }

    fn finish_failed(&mut self, error: &HarvestError, started: Instant) -> Result<(), HarvestError> {
        let note = Some(error.to_string());
        let report = self.report(Status::Failed, false, 0, Vec::new(), started, note);
        self.end(&report)
    }

    fn end(&self, report: &JobReport) -> Result<(), HarvestError> {
        if let Some(operations) = &self.desk.operations {
            let text = serde_json::to_string(report).expect("a report is plain values");
            let status = report.status.as_str();
            self.runtime.block_on(operations.end_job(&self.id, status, &text, &self.now))?;
        }
        Ok(())
    }

    fn report(
        &self,
        status: Status,
        complete: bool,
        pages: u64,
        errors: Vec<ItemError>,
        started: Instant,
        note: Option<String>,
    ) -> JobReport {
        JobReport {
            job: self.id.clone(),
            source: self.desk.row.slug.to_string(),
            status,
            complete,
            pages,
            records: self.state.counts,
            services: self.state.services,
            findings: self.state.finding_counts,
            errors,
            seconds: started.elapsed().as_secs_f64(),
            note,
            phases: self.clock.phases.iter().map(|(name, time)| (*name, time.as_secs_f64())).collect(),
        }
    }
}

/// Why a stored record is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replaced {
    /// Its statements changed.
    Statements,
    /// Mapping or rules changed.
    Rules,
}

/// Whether the source announced more records than came, which leaves the crawl incomplete.
fn announces_more(outcome: &CrawlOutcome, state: &State, errors: &mut Vec<ItemError>) -> bool {
    let seen = state.counts.seen;
    match outcome.announced {
        Some(announced) if announced > seen && !outcome.not_modified => {
            errors.push(ItemError {
                record: None,
                place: crate::catalog::Place::default(),
                message: format!("the source announces {announced} items and gave {seen} records"),
            });
            true
        }
        _ => false,
    }
}

fn process(converter: &Converter, profiles: &Profiles, batch: Vec<Draft>) -> Result<Vec<Processed>, QueryError> {
    let conversions = converter.convert(&batch.iter().collect::<Vec<_>>())?;
    let processed = batch.into_iter().zip(conversions).map(|(mut draft, mut conversion)| {
        let start = Instant::now();
        let mut findings = std::mem::take(&mut draft.findings);
        findings.append(&mut conversion.findings);
        findings.extend(profiles.validate(&draft, &conversion.added));
        suggest(&mut findings, &conversion.added);
        Processed { draft, conversion, findings, validated_in: start.elapsed() }
    });
    Ok(processed.collect())
}

/// What conversion read a value as is what the publisher may write in its place.
fn suggest(findings: &mut [Finding], added: &[Triple]) {
    for finding in findings.iter_mut().filter(|finding| finding.value.is_some() && finding.suggestion.is_none()) {
        let read_as = added.iter().find(|triple| {
            finding.property.as_deref() == Some(triple.predicate.as_str())
                && matches!(&triple.subject, NamedOrBlankNode::NamedNode(node) if *node.as_str() == *finding.focus_node)
        });
        finding.suggestion = match read_as.map(|triple| &triple.object) {
            Some(Term::NamedNode(node)) if !node.as_str().contains('#') => Some(node.as_str().to_owned()),
            Some(Term::Literal(literal)) => Some(literal.to_string()),
            _ => None,
        };
    }
}

fn into_batches(mut drafts: Vec<Draft>) -> Vec<Vec<Draft>> {
    let mut batches = Vec::new();
    while drafts.len() > BATCH {
        let rest = drafts.split_off(BATCH);
        batches.push(std::mem::replace(&mut drafts, rest));
    }
    batches.push(drafts);
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// A record's stored statements, as canonical N-Quads.
fn former_state(
    store: &Store,
    names: &GraphNames,
    key: DatasetKey,
    hash: String,
) -> Result<FormerState, StoreError> {
    let mut lines = Vec::new();
    for graph in [names.record(key), names.normalised(key), names.catalogue_record(key)] {
        for quad in store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))) {
            let quad: Quad = quad?;
            lines.push(format!("{quad} .\n"));
        }
    }
    lines.sort();
    Ok(FormerState { key, hash, quads: lines.concat() })
}
