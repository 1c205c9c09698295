//! The places that a job reads and writes.

use super::job::Harvest;
use super::known::Known;
use super::options::{Options, Writing};
use super::outcome::HarvestError;
use super::workplace::Opened;
use crate::catalog::{DatasetKey, SourceId, SourceKind, public_address};
use crate::convert::Renames;
use crate::fetch::Validators;
use crate::operations::{JobRow, Operations, RecordRow, SourceRow};
use crate::source::Target;
use crate::store::{CatalogueRecord, GraphNames, Snapshot, Writer};
use jiff::{Timestamp, ToSpan};
use oxigraph::store::Store;
use std::sync::Arc;

/// The places that a job writes to; without a store in a dry run.
pub(super) struct Desk {
    pub(super) opened: Option<Arc<Opened>>,
    /// What is published, for a dry run to be compared with.
    pub(super) published: Option<Snapshot>,
    pub(super) row: SourceRow,
    pub(super) known: Known,
    /// The job's identifier.
    pub(super) job: String,
    /// The job as its process left it, when it is run once more.
    former: Option<JobRow>,
    /// What to tell of the source beforehand.
    pub(super) note: Option<String>,
}

impl Desk {
    pub(super) fn open(
        harvest: &Harvest<'_>,
        target: &Target,
        kind: SourceKind,
        options: &Options,
        names: &GraphNames,
        rules: &str,
    ) -> Result<Self, HarvestError> {
        let url = target.url().to_string();
        if options.writing == Writing::DryRun {
            return Self::dry(harvest, url, kind, options, names);
        }
        let runtime = &harvest.runtime;
        let opened = harvest.workplace.open(runtime)?;
        harvest.workplace.folder().keep_base(names.base())?;
        let operations = opened.operations();
        let (row, note) = runtime.block_on(register(operations, &url, kind, options))?;
        let former = match &options.job {
            Some(job) => runtime.block_on(operations.job(job))?,
            None => runtime.block_on(operations.interrupted_job(&row.slug))?,
        };
        let job = former.as_ref().map_or_else(|| uuid::Uuid::now_v7().to_string(), |job| job.id.clone());
        let mut known = Known {
            hashes: CatalogueRecord::hashes(opened.store(), names, &row.slug),
            findings: runtime.block_on(operations.stored_findings(&row.slug))?,
            renames: Renames::new(runtime.block_on(operations.renamed(&row.slug))?),
            rules_changed: row.fingerprint.as_deref().is_some_and(|stored| stored != rules),
        };
        let reconciliation = Reconciliation { store: opened.store(), names, operations, row: &row };
        runtime.block_on(reconciliation.run(&mut known, &options.now.to_string()))?;
        Ok(Self { opened: Some(opened), published: None, row, known, job, former, note })
    }

    /// Whether the pages that an earlier run of the same job had are young enough to go on from.
    pub(super) fn goes_on(&self, options: &Options) -> bool {
        let Some(former) = &self.former else { return false };
        let queued = former.queued_at.parse::<Timestamp>().ok();
        let oldest = options.now.checked_sub(options.resume_hours.hours()).ok();
        former.started_at.is_some() && queued.zip(oldest).is_some_and(|(queued, oldest)| queued > oldest)
    }

    /// Puts something before what is told of the source.
    pub(super) fn tell_first(&mut self, first: Option<String>) {
        let told: Vec<String> = first.into_iter().chain(self.note.take()).collect();
        self.note = (!told.is_empty()).then(|| told.join("; "));
    }

    /// A dry run compares with the newest snapshot, if there is one.
    fn dry(
        harvest: &Harvest<'_>,
        url: String,
        kind: SourceKind,
        options: &Options,
        names: &GraphNames,
    ) -> Result<Self, HarvestError> {
        let name = match &options.source {
            Some(name) => name.clone(),
            None => known_source(harvest, &url, None)?.map_or_else(|| SourceId::of_address(&url), |row| row.slug),
        };
        let folder = harvest.workplace.folder();
        let snapshot = match folder.current()? {
            None => None,
            Some(_) => Some(folder.snapshot()?),
        };
        let hashes = snapshot.as_ref().map(|snapshot| CatalogueRecord::hashes(&snapshot.store, names, &name));
        let row = SourceRow::unregistered(name, url, kind.as_str().to_owned(), &options.now.to_string());
        let known = Known { hashes: hashes.unwrap_or_default(), ..Known::default() };
        let job = uuid::Uuid::now_v7().to_string();
        Ok(Self { opened: None, published: snapshot, row, known, job, former: None, note: None })
    }
}

/// The source that is registered with a name or an address, where there is a database to ask.
pub(super) fn known_source(
    harvest: &Harvest<'_>,
    url: &str,
    name: Option<&SourceId>,
) -> Result<Option<SourceRow>, HarvestError> {
    let path = harvest.workplace.folder().operations();
    if !path.exists() {
        return Ok(None);
    }
    Ok(harvest.runtime.block_on(async {
        let operations = Operations::open_read_only(&path).await?;
        if let Some(name) = name
            && let Some(row) = operations.source_named(name.as_str()).await?
        {
            return Ok(Some(row));
        }
        operations.find_source(url).await
    })?)
}

/// Finds or registers the source of an address; a source that moved is said.
async fn register(
    operations: &Operations,
    url: &str,
    kind: SourceKind,
    options: &Options,
) -> Result<(SourceRow, Option<String>), HarvestError> {
    let named = match &options.source {
        Some(name) => operations.source_named(name.as_str()).await?,
        None => None,
    };
    let known = match named {
        Some(row) => Some(row),
        None => operations.find_source(url).await?,
    };
    let Some(known) = known else {
        let slug = options.source.clone().unwrap_or_else(|| SourceId::of_address(url));
        let kind = kind.as_str().to_owned();
        let row = SourceRow::unregistered(slug, url.to_owned(), kind, &options.now.to_string());
        operations.register(&row).await?;
        return Ok((row, None));
    };
    if let Some(asked) = &options.source
        && known.slug != *asked
        && known.name != asked.as_str()
        && known.url == url
    {
        return Err(HarvestError::Name { url: url.to_owned(), known: known.slug, asked: asked.clone() });
    }
    if options.registered_url.as_ref().is_some_and(|taken| *taken != known.url) {
        return Err(HarvestError::Cancelled);
    }
    let moved = (known.url != url && !known.kind.is_empty()).then(|| {
        format!(
            "the source {} moved here from {}; its records stay its own",
            known.name,
            public_address(&known.url)
        )
    });
    if known.url == url && known.kind == kind.as_str() {
        return Ok((known, moved));
    }
    let row = SourceRow {
        url: url.to_owned(),
        kind: kind.as_str().to_owned(),
        validators: Validators::default(),
        ..known
    };
    operations.edit_source(&row).await?;
    Ok((row, moved))
}

/// Brings the operations data in line with the store, which is the truth: a crash can leave them behind.
struct Reconciliation<'r> {
    store: &'r Store,
    names: &'r GraphNames,
    operations: &'r Operations,
    row: &'r SourceRow,
}

impl Reconciliation<'_> {
    async fn run(&self, known: &mut Known, now: &str) -> Result<(), HarvestError> {
        self.end_renames(known).await?;
        self.note_archived(known, now).await?;
        self.note_lost_rows(known, now).await
    }

    /// A record that was to move to its former key, and whose new key is still there.
    async fn end_renames(&self, known: &mut Known) -> Result<(), HarvestError> {
        let left: Vec<DatasetKey> =
            known.renames.would_be(&self.row.slug).filter(|key| known.hashes.contains_key(key)).collect();
        if left.is_empty() {
            return Ok(());
        }
        Writer::new(self.store, self.names).remove(&left)?;
        self.operations.forget_records(&left).await?;
        for key in &left {
            known.hashes.remove(key);
            known.findings.remove(key);
        }
        Ok(())
    }

    /// Records that have a row and are not in the store: their archiving was not noted, or they came with a job
    /// whose changes were undone, and never were.
    async fn note_archived(&self, known: &mut Known, now: &str) -> Result<(), HarvestError> {
        let is_gone = |(key, stored): &(&DatasetKey, &crate::operations::StoredFindings)| {
            stored.archived_at.is_none() && !known.hashes.contains_key(key)
        };
        let gone: Vec<DatasetKey> = known.findings.iter().filter(is_gone).map(|(key, _)| *key).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let archived = self.operations.with_last_state_kept(&gone).await?;
        let never_were: Vec<DatasetKey> = gone.into_iter().filter(|key| !archived.contains(key)).collect();
        self.operations.mark(&archived.into_iter().collect::<Vec<_>>(), None, Some(now)).await?;
        self.operations.forget_records(&never_were).await?;
        known.findings = self.operations.stored_findings(&self.row.slug).await?;
        Ok(())
    }

    /// Records whose row was lost: with an empty hash, so that they are gone through again.
    async fn note_lost_rows(&self, known: &mut Known, now: &str) -> Result<(), HarvestError> {
        let lost = known.hashes.keys().filter(|key| !known.findings.contains_key(key));
        let rows: Vec<RecordRow> = lost
            .filter_map(|key| CatalogueRecord::read(self.store, self.names, *key))
            .map(|record| RecordRow {
                key: record.key.to_string(),
                source: record.source.to_string(),
                node: self.names.published(&record.node).to_owned(),
                remote_id: record.remote_id,
                hash: String::new(),
                violation: 0,
                warning: 0,
                info: 0,
                findings: Vec::new(),
                quality: None,
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.operations.write_records(&rows, now).await?;
        known.findings = self.operations.stored_findings(&self.row.slug).await?;
        Ok(())
    }
}
