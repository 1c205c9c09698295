//! The end of a job: what is missing, what was renamed, what is published.

use super::job::Job;
use super::outcome::{HarvestError, Progress};
use super::quality::source_quality;
use super::removal::Removal;
use super::renames;
use super::report::{FindingCounts, JobReport, Status};
use super::state::State;
use super::workplace::{Opened, Pace, Visible};
use super::writing::former_state;
use crate::catalog::{DatasetKey, ItemError};
use crate::fetch::Validators;
use crate::operations::{Item, ItemMessage, ItemOutcome, RecordFindings, Rename};
use crate::source::CrawlOutcome;
use crate::store::{CatalogueRecord, GraphNames, Writer, platform};
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use tokio::runtime::Handle;

/// Records that leave the store in one transaction.
const PORTION: usize = 500;

impl Job<'_> {
    /// Ends a job whose changes are in the store: what is missing, what was renamed; publishes; and notes last how
    /// far the source was read, since what is noted must be published.
    pub(super) fn finish(
        &mut self,
        mut outcome: CrawlOutcome,
        started: Instant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<JobReport, HarvestError> {
        let mut errors = std::mem::take(&mut outcome.errors);
        errors.append(&mut self.state.errors);
        let complete = outcome.complete && !announces_more(&outcome, &self.state, &mut errors);
        if outcome.not_modified {
            self.count_not_modified();
        }
        self.note_late_findings()?;
        self.check_catalogue();
        self.note_unstored_findings()?;
        let mut note = self.desk.note.clone();
        let mut held = false;
        // Where only changes came, an absence says nothing.
        if complete && outcome.changed_since.is_none() {
            progress(Progress::Phase("looking for records that are gone"));
            held = self.remove_missing()?;
            if held {
                note = Some("so many records are missing that their removal waits for a person".to_owned());
            }
        }
        let selected = if held { None } else { self.note_selection(outcome.changed_since) };
        for more in outcome.notes.iter().cloned().chain(selected) {
            note = Some(note.map_or(more.clone(), |note| format!("{note}; {more}")));
        }
        self.renew_catalogue()?;
        self.publish(progress)?;
        self.count_findings()?;
        self.note_source(&outcome, complete)?;
        if let Some(opened) = &self.desk.opened {
            self.state.shared = self.runtime.block_on(opened.operations().shared_records(&self.desk.row.slug))?;
        }
        // Records listed but unread are failures of their own.
        self.state.counts.failed += outcome.unread;
        self.state.counts.skipped += outcome.skipped;
        let status = match (held, errors.is_empty()) {
            (true, _) => Status::Held,
            (false, true) => Status::Done,
            (false, false) => Status::DoneWithErrors,
        };
        let report = self.report(status, complete, outcome.pages, errors, started, note);
        self.end(&report)?;
        Ok(report)
    }

    /// Publishes what this job wrote.
    fn publish(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), HarvestError> {
        let Some(turn) = self.turn.take() else { return Ok(()) };
        progress(Progress::Phase("publishing"));
        if let Some(writer) = &mut self.writer {
            let slug = &self.desk.row.slug;
            writer.replace_graph(&self.names.source(slug), &self.source.to_quads(self.names))?;
            let graph = self.names.platform();
            let quads: Vec<_> =
                platform(self.names).into_iter().map(|triple| triple.in_graph(graph.clone())).collect();
            writer.replace_graph(&graph, &quads)?;
            if let Some(quads) = self.catalogue.take() {
                writer.replace_graph(&self.names.catalogue(slug), &quads)?;
            }
            if let Some(opened) = &self.desk.opened {
                let quality = source_quality(self.runtime, opened.operations(), self.names, slug)?;
                writer.replace_graph(&self.names.source_quality(slug), &quality)?;
            }
        }
        let (slug, names, runtime) = (&self.desk.row.slug, self.names, self.runtime);
        match self.workplace.pace() {
            Pace::AsItGoes => {
                let visible = self.visible()?;
                self.clock.measure("publish", || turn.publish_known(slug, visible, names, runtime))
            }
            Pace::AtTheEnd { together } => {
                self.clock.measure("publish", || turn.publish_in_time(together, slug, names, runtime))
            }
        }?;
        Ok(())
    }

    /// What readers will see of the source where this job alone writes to the store: what was there at its beginning,
    /// with what it wrote.
    fn visible(&self) -> Result<Visible, HarvestError> {
        let mut hashes = self.desk.known.hashes.clone();
        for (key, hash) in &self.state.written {
            match hash {
                Some(hash) => hashes.insert(*key, *hash),
                None => hashes.remove(key),
            };
        }
        let written: Vec<DatasetKey> = self.state.written.keys().copied().collect();
        let nodes = match &self.desk.opened {
            Some(opened) => self.runtime.block_on(opened.operations().nodes(&written))?,
            None => HashMap::new(),
        };
        Ok(Visible { hashes, nodes })
    }

    /// Records that could not be taken in, as items.
    pub(super) fn note_failed_items(&mut self, errors: &[ItemError]) {
        for error in errors.iter().filter(|error| error.record.is_some()) {
            self.state.items.push(Item {
                key: None,
                remote_id: error.record.clone(),
                outcome: ItemOutcome::Failed,
                messages: vec![ItemMessage {
                    level: "error".to_owned(),
                    place: error.place.clone(),
                    message: error.message.clone(),
                }],
            });
        }
    }

    /// Writes what became of records so far.
    pub(super) fn note_items(&mut self) -> Result<(), HarvestError> {
        let items = std::mem::take(&mut self.state.items);
        if let Some(opened) = &self.desk.opened {
            self.runtime.block_on(opened.operations().add_items(&self.id, &items))?;
        }
        Ok(())
    }

    fn note_outcome(&mut self, keys: &[DatasetKey], outcome: ItemOutcome) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let names = self.runtime.block_on(opened.operations().remote_ids(keys))?;
        let name = |key: &DatasetKey| names.get(key).map_or("", String::as_str);
        self.state.items.extend(keys.iter().map(|key| Item::of(*key, name(key), outcome)));
        Ok(())
    }

    /// What was found of a record after it was dealt with, once for each rule.
    fn note_late_findings(&mut self) -> Result<(), HarvestError> {
        for (key, finding) in std::mem::take(&mut self.state.late_findings) {
            let is_new = match &self.desk.opened {
                Some(opened) => {
                    self.runtime.block_on(opened.operations().add_finding(key, &finding, &self.now))?
                }
                None => true,
            };
            if is_new {
                self.state.finding_counts.add(FindingCounts::of(std::slice::from_ref(&finding)));
            }
            if self.desk.opened.is_none() {
                self.state.findings.push(finding);
            }
        }
        Ok(())
    }

    /// Notes what was found in records that are held back, and in the catalogue itself.
    fn note_unstored_findings(&mut self) -> Result<(), HarvestError> {
        let found = std::mem::take(&mut self.state.unstored_findings);
        let Some(opened) = self.desk.opened.as_ref().filter(|_| !found.is_empty()) else { return Ok(()) };
        let source = self.desk.row.slug.to_string();
        let keys: Vec<String> = found.iter().map(|(key, _)| key.to_string()).collect();
        let rows: Vec<RecordFindings<'_>> = keys
            .iter()
            .zip(&found)
            .map(|(key, (_, findings))| RecordFindings { source: &source, key, findings })
            .collect();
        Ok(self.runtime.block_on(opened.operations().note_findings(&rows, &self.now))?)
    }

    /// Counts the findings of the source as its report lists them.
    fn count_findings(&mut self) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let [info, warning, violation] =
            self.runtime.block_on(opened.operations().finding_counts(&self.desk.row.slug))?;
        self.state.finding_counts = FindingCounts { violation, warning, info };
        Ok(())
    }

    /// An unchanged source has the records that it had when it was last read: those not missing then.
    fn count_not_modified(&mut self) {
        let known = &self.desk.known;
        let is_present =
            |key: &DatasetKey| known.findings.get(key).is_none_or(|stored| stored.missing_since.is_none());
        for key in known.hashes.keys().filter(|key| is_present(key)) {
            if let Some(stored) = known.findings.get(key) {
                let [violation, warning, info] = stored.counts;
                self.state.finding_counts.add(FindingCounts { violation, warning, info });
            }
            self.state.still_there.push(*key);
        }
        let present = self.state.still_there.len() as u64;
        self.state.counts.seen = present;
        self.state.counts.unchanged = present;
    }

    /// Deals with the records that a complete crawl did not bring. Returns whether removal is held.
    fn remove_missing(&mut self) -> Result<bool, HarvestError> {
        let renamed = self.follow_renames()?;
        let mut seen: HashSet<DatasetKey> = self.state.seen.keys().copied().collect();
        seen.extend(renamed);
        seen.extend(&self.state.still_there);
        let removal = Removal::decide(&self.desk.known, &seen, self.options.now, self.options.removal);
        self.state.counts.missing = (removal.newly_missing.len() + removal.still_missing) as u64;
        let Some(opened) = &self.desk.opened else {
            // What a dry run foresees.
            self.state.counts.archived = if removal.held { 0 } else { removal.archive.len() as u64 };
            return Ok(removal.held);
        };
        let (operations, slug) = (opened.operations(), &self.desk.row.slug);
        let mark =
            |keys: &[DatasetKey], since: Option<&str>| self.runtime.block_on(operations.mark(keys, since, None));
        self.state.counts.restored += self.state.present_again.len() as u64;
        let catalogue = self.state.catalogue.as_ref().map(|_| self.catalogue_key());
        let present: Vec<DatasetKey> = seen.iter().copied().chain(catalogue).collect();
        self.runtime.block_on(operations.end_findings_of_absent(slug, &present, &self.now))?;
        mark(&self.state.present_again, None)?;
        mark(&removal.newly_missing, Some(&self.now))?;
        let held: &[DatasetKey] = if removal.held { &removal.archive } else { &[] };
        self.runtime.block_on(operations.hold_removal(slug, held, &self.id, &self.now))?;
        if removal.held {
            // They are missing all the same: an answer that did not change does not bring them back.
            let is_unmarked = |key: &&DatasetKey| {
                self.desk.known.findings.get(key).is_none_or(|stored| stored.missing_since.is_none())
            };
            let unmarked: Vec<DatasetKey> = removal.archive.iter().filter(is_unmarked).copied().collect();
            mark(&unmarked, Some(&self.now))?;
            self.state.counts.missing += removal.archive.len() as u64;
        }
        self.note_outcome(&removal.newly_missing, ItemOutcome::Missing)?;
        if removal.held {
            self.note_outcome(&removal.archive, ItemOutcome::Missing)?;
            return Ok(true);
        }
        self.archive(&removal.archive)?;
        Ok(false)
    }

    fn archive(&mut self, keys: &[DatasetKey]) -> Result<(), HarvestError> {
        let Some(opened) = self.desk.opened.as_ref().filter(|_| !keys.is_empty()) else { return Ok(()) };
        self.begin_writing()?;
        archive(opened, self.names, self.runtime, keys, &self.id, &self.now)?;
        self.state.written.extend(keys.iter().map(|key| (*key, None)));
        self.state.counts.archived = keys.len() as u64;
        self.note_outcome(keys, ItemOutcome::Archived)
    }

    /// Gives renamed records their former key back. Returns the former keys.
    fn follow_renames(&mut self) -> Result<Vec<DatasetKey>, HarvestError> {
        let Some(opened) = self.desk.opened.as_ref().filter(|_| !self.state.added.is_empty()) else {
            return Ok(Vec::new());
        };
        let (store, operations) = (opened.store(), opened.operations());
        let gone: Vec<_> = self
            .desk
            .known
            .hashes
            .keys()
            .filter(|key| !self.state.seen.contains_key(key))
            .filter(|key| self.desk.known.findings.get(key).is_none_or(|stored| !stored.detached))
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
        self.runtime.block_on(operations.note_renames(&self.desk.row.slug, &renames, &self.id, &self.now))?;
        self.note_items()?;
        self.runtime.block_on(operations.note_renamed_items(&self.id, &pairs))?;
        if let Some(writer) = &mut self.writer {
            let hashes = writer.rename(&pairs)?;
            self.runtime.block_on(operations.move_records(&pairs, &hashes, &self.now))?;
            for ((former, new), hash) in pairs.iter().zip(hashes) {
                self.state.written.extend([(*new, None), (*former, Some(hash))]);
            }
        }
        let renamed = pairs.len() as u64;
        self.state.counts.renamed = renamed;
        self.state.counts.added -= renamed;
        Ok(pairs.into_iter().map(|(former, _)| former).collect())
    }

    fn note_source(&mut self, outcome: &CrawlOutcome, complete: bool) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let (operations, row) = (opened.operations(), &self.desk.row);
        if complete {
            // A first page that is the same says nothing of the others.
            let validators = match (outcome.not_modified, outcome.pages) {
                (true, _) => row.validators.clone(),
                (false, 1) if self.state.counts.failed == 0 => outcome.validators.clone(),
                (false, _) => Validators::default(),
            };
            if outcome.changed_since.is_some() {
                self.runtime.block_on(operations.note_followed(&row.slug, &self.now))?;
            } else {
                let filters = self.options.filters.fingerprint();
                let noted = operations.note_complete(&row.slug, &self.now, &validators, &self.rules, &filters);
                self.runtime.block_on(noted)?;
            }
        }
        Ok(())
    }
}

/// Takes records out of the store, after their last state is in the history. The caller has the turn.
pub(super) fn archive(
    opened: &Opened,
    names: &GraphNames,
    runtime: &Handle,
    keys: &[DatasetKey],
    by: &str,
    now: &str,
) -> Result<(), HarvestError> {
    let (store, operations) = (opened.store(), opened.operations());
    for portion in keys.chunks(PORTION) {
        let mut states = Vec::new();
        for key in portion {
            let Some(record) = CatalogueRecord::read(store, names, *key) else { continue };
            states.push(former_state(store, names, *key, record.hash.to_string())?);
        }
        runtime.block_on(operations.keep_history(&states, by, now))?;
        Writer::new(store, names).remove(portion)?;
        runtime.block_on(operations.mark(portion, None, Some(now)))?;
    }
    Ok(())
}

/// Whether the source announced more records than came, which leaves the crawl incomplete.
fn announces_more(outcome: &CrawlOutcome, state: &State, errors: &mut Vec<ItemError>) -> bool {
    let seen = state.counts.seen + state.counts.filtered;
    match outcome.announced {
        Some(announced) if announced > seen && !outcome.not_modified => {
            errors.push(ItemError::new(
                None,
                crate::catalog::Place::default(),
                format!("the source announces {announced} items and gave {seen} records"),
            ));
            true
        }
        _ => false,
    }
}
