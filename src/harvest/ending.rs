//! The end of a job: what is missing, what was renamed, what is published.

use super::job::{HarvestError, Job, Progress};
use super::removal::Removal;
use super::renames;
use super::report::{FindingCounts, JobReport, Status};
use super::state::State;
use super::writing::former_state;
use crate::catalog::{DatasetKey, ItemError};
use crate::fetch::Validators;
use crate::operations::Rename;
use crate::source::CrawlOutcome;
use crate::store::{CatalogueRecord, Folder};
use std::collections::HashSet;
use std::time::Instant;

impl Job<'_> {
    pub(super) fn finish(
        &mut self,
        mut outcome: CrawlOutcome,
        started: Instant,
        folder: &Folder,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<JobReport, HarvestError> {
        let mut errors = std::mem::take(&mut outcome.errors);
        errors.append(&mut self.state.errors);
        let complete = outcome.complete && !announces_more(&outcome, &self.state, &mut errors);
        if outcome.not_modified {
            self.count_not_modified();
        }
        self.note_late_findings()?;
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
        self.note_source(&outcome, complete)?;
        self.publish(folder, progress)?;
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

    /// Publishes what this job wrote, or what a job wrote that was killed before it could publish.
    fn publish(&mut self, folder: &Folder, progress: &mut dyn FnMut(Progress)) -> Result<(), HarvestError> {
        let Some(store) = &self.desk.store else { return Ok(()) };
        if self.state.wrote || self.desk.was_unpublished {
            progress(Progress::Phase("publishing"));
            self.clock.measure("publish", || folder.publish(store))?;
        } else {
            folder.unmark_unpublished()?;
        }
        Ok(())
    }

    /// What was found of a record after it was dealt with, once for each rule.
    fn note_late_findings(&mut self) -> Result<(), HarvestError> {
        for (key, finding) in std::mem::take(&mut self.state.late_findings) {
            let is_new = match &self.desk.operations {
                Some(operations) => self.runtime.block_on(operations.add_finding(key, &finding))?,
                None => true,
            };
            if is_new {
                self.state.finding_counts.add(FindingCounts::of(std::slice::from_ref(&finding)));
            }
            if self.desk.operations.is_none() {
                self.state.findings.push(finding);
            }
        }
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
        let (Some(store), Some(operations)) = (&self.desk.store, &self.desk.operations) else {
            // What a dry run foresees.
            self.state.counts.archived = if removal.held { 0 } else { removal.archive.len() as u64 };
            return Ok(removal.held);
        };
        let mark = |keys: &[DatasetKey], since: Option<&str>, archived: Option<&str>| {
            self.runtime.block_on(operations.mark(keys, since, archived))
        };
        self.state.counts.restored += self.state.present_again.len() as u64;
        mark(&self.state.present_again, None, None)?;
        mark(&removal.newly_missing, Some(&self.now), None)?;
        if removal.held {
            // They are missing all the same: an answer that did not change does not bring them back.
            let is_unmarked = |key: &&DatasetKey| {
                self.desk.known.findings.get(key).is_none_or(|stored| stored.missing_since.is_none())
            };
            let unmarked: Vec<DatasetKey> = removal.archive.iter().filter(is_unmarked).copied().collect();
            mark(&unmarked, Some(&self.now), None)?;
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
            if outcome.changed_since.is_some() {
                self.runtime.block_on(operations.note_followed(&row.slug, &self.now))?;
            } else {
                let filters = self.options.filters.fingerprint();
                let noted = operations.note_complete(&row.slug, &self.now, &validators, &self.rules, &filters);
                self.runtime.block_on(noted)?;
            }
        }
        if self.state.wrote
            && let Some(writer) = &mut self.writer
        {
            writer.replace_graph(&self.names.source(&row.slug), &self.source.to_quads(self.names))?;
        }
        Ok(())
    }
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
