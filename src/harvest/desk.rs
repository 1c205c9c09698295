//! The places that a job reads and writes.

use super::job::{Harvest, HarvestError, Options, Writing};
use super::known::Known;
use crate::catalog::{DatasetKey, SourceId, SourceKind};
use crate::convert::Renames;
use crate::fetch::Validators;
use crate::operations::{Operations, RecordRow, SourceRow};
use crate::source::Target;
use crate::store::{CatalogueRecord, GraphNames, Writer};
use oxigraph::store::Store;

/// The places that a job writes to; without a store in a dry run.
pub(super) struct Desk {
    pub(super) store: Option<Store>,
    pub(super) operations: Option<Operations>,
    pub(super) row: SourceRow,
    pub(super) known: Known,
    /// Whether a harvest before this one wrote what it did not publish.
    pub(super) was_unpublished: bool,
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
            return Self::dry(harvest, url, kind, options.source.clone(), names);
        }
        let store = harvest.folder.open()?;
        harvest.folder.keep_base(names.base())?;
        let operations = harvest.runtime.block_on(Operations::open(&harvest.folder.operations()))?;
        let (row, note) = harvest.runtime.block_on(register(&operations, &url, kind, options))?;
        let mut known = Known {
            hashes: CatalogueRecord::hashes(&store, names, &row.slug),
            findings: harvest.runtime.block_on(operations.stored_findings(&row.slug))?,
            renames: Renames::new(harvest.runtime.block_on(operations.renamed(&row.slug))?),
            rules_changed: row.fingerprint.as_deref().is_some_and(|stored| stored != rules),
        };
        let reconciliation = Reconciliation { store: &store, names, operations: &operations, row: &row };
        harvest.runtime.block_on(reconciliation.run(&mut known, &options.now.to_string()))?;
        let was_unpublished = harvest.folder.mark_unpublished()?;
        Ok(Self { store: Some(store), operations: Some(operations), row, known, was_unpublished, note })
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
        name: Option<SourceId>,
        names: &GraphNames,
    ) -> Result<Self, HarvestError> {
        let name = match name {
            Some(name) => name,
            None => known_source(harvest, &url)?.map_or_else(|| SourceId::of_address(&url), |row| row.slug),
        };
        let snapshot = match harvest.folder.current()? {
            None => None,
            Some(_) => Some(harvest.folder.snapshot()?),
        };
        let hashes = snapshot.map(|snapshot| CatalogueRecord::hashes(&snapshot.store, names, &name));
        let row = SourceRow {
            slug: name,
            url,
            kind: kind.as_str().to_owned(),
            last_complete_at: None,
            validators: Validators::default(),
            fingerprint: None,
            followed_at: None,
            filters: String::new(),
        };
        let known = Known { hashes: hashes.unwrap_or_default(), ..Known::default() };
        Ok(Self { store: None, operations: None, row, known, was_unpublished: false, note: None })
    }
}

/// The source that is registered with an address, where there is a database to ask.
pub(super) fn known_source(harvest: &Harvest<'_>, url: &str) -> Result<Option<SourceRow>, HarvestError> {
    let path = harvest.folder.operations();
    if !path.exists() {
        return Ok(None);
    }
    Ok(harvest.runtime.block_on(async { Operations::open(&path).await?.find_source(url).await })?)
}

/// Finds or registers the source of an address; a source that moved is said.
async fn register(
    operations: &Operations,
    url: &str,
    kind: SourceKind,
    options: &Options,
) -> Result<(SourceRow, Option<String>), HarvestError> {
    let known = operations.find_source(url).await?;
    if let (Some(known), Some(asked)) = (&known, &options.source)
        && known.slug != *asked
    {
        return Err(HarvestError::Name { url: url.to_owned(), known: known.slug.clone(), asked: asked.clone() });
    }
    let name = options.source.clone().unwrap_or_else(|| SourceId::of_address(url));
    let before = operations.sources().await?.into_iter().find(|source| source.slug == name);
    let row = operations.source(url, kind.as_str(), &name, &options.now.to_string()).await?;
    let note = before
        .filter(|before| before.url != url)
        .map(|before| format!("the source {name} moved here from {}; its records stay its own", before.url));
    Ok((row, note))
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
        self.note_lost_rows(known).await
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

    /// Records that left the store, and whose archiving was not noted.
    async fn note_archived(&self, known: &mut Known, now: &str) -> Result<(), HarvestError> {
        let is_gone = |(key, stored): &(&DatasetKey, &crate::operations::StoredFindings)| {
            stored.archived_at.is_none() && !known.hashes.contains_key(key)
        };
        let gone: Vec<DatasetKey> = known.findings.iter().filter(is_gone).map(|(key, _)| *key).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.operations.mark(&gone, None, Some(now)).await?;
        known.findings = self.operations.stored_findings(&self.row.slug).await?;
        Ok(())
    }

    /// Records whose row was lost: with an empty hash, so that they are gone through again.
    async fn note_lost_rows(&self, known: &mut Known) -> Result<(), HarvestError> {
        let lost = known.hashes.keys().filter(|key| !known.findings.contains_key(key));
        let rows: Vec<RecordRow> = lost
            .filter_map(|key| CatalogueRecord::read(self.store, self.names, *key))
            .map(|record| RecordRow {
                key: record.key.to_string(),
                source: record.source.to_string(),
                remote_id: record.remote_id,
                hash: String::new(),
                violation: 0,
                warning: 0,
                info: 0,
                findings: Vec::new(),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.operations.write_records(&rows).await?;
        known.findings = self.operations.stored_findings(&self.row.slug).await?;
        Ok(())
    }
}
