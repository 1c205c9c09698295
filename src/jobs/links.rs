//! Whether the addresses of a source's records answer: asked politely, kept, and counted in its quality.

use super::service::Service;
use crate::catalog::{DatasetKey, SourceId, with_causes};
use crate::derive::Assessment;
use crate::fetch::{Client, FetchError};
use crate::harvest::{HarvestError, KnownLinks, source_quality};
use crate::operations::{LinkRow, QualityRow};
use crate::store::{CatalogueRecord, GraphNames, Writer};
use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use oxigraph::store::Store;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use url::Url;

/// Addresses asked at once; how many of one host is the host's budget.
const AT_ONCE: usize = 16;
/// Answers that are noted together.
const PORTION: usize = 100;
/// A host that asks for patience says nothing of the address.
const TOO_MANY: u16 = 429;

/// What is known of the addresses of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkState {
    /// How many there are.
    pub total: usize,
    /// How many were asked.
    pub checked: usize,
    /// How many of these answered.
    pub answering: usize,
    /// Whether they are being asked now.
    pub running: bool,
    /// Those that did not answer, the first thousand.
    pub broken: Vec<LinkRow>,
}

impl Service {
    /// Asks the addresses of a source that were not asked for some days, on a thread of its own; nothing is done
    /// where that is under way.
    pub fn start_link_check(self: &Arc<Self>, source: &SourceId, days: i64) {
        self.start_link_checks(vec![source.clone()], days);
    }

    /// The same for several sources, one after the other.
    pub(super) fn start_link_checks(self: &Arc<Self>, sources: Vec<SourceId>, days: i64) {
        let mut checking = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        let due: Vec<SourceId> = sources.into_iter().filter(|source| checking.insert(source.clone())).collect();
        drop(checking);
        let service = Arc::clone(self);
        std::thread::spawn(move || {
            for source in due {
                let _checking = Checking { service: &service, source: &source };
                if service.is_stopping() {
                    continue;
                }
                if let Err(error) = service.check_links(&source, days) {
                    tracing::warn!(%source, error = with_causes(&error), "the addresses could not be checked");
                }
            }
        });
    }

    /// What is known of the addresses of a source.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn link_state(&self, source: &SourceId) -> Result<LinkState, HarvestError> {
        let urls = self.addresses(source).await?;
        let known = self.operations.links(&urls.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let mut broken: Vec<LinkRow> = known.values().filter(|link| !link.answers).cloned().collect();
        broken.sort_by(|one, other| one.url.cmp(&other.url));
        let answering = known.len() - broken.len();
        broken.truncate(1_000);
        let running = self.checking.lock().unwrap_or_else(PoisonError::into_inner).contains(source);
        Ok(LinkState { total: urls.len(), checked: known.len(), answering, running, broken })
    }

    async fn assessments(&self, source: &SourceId) -> Result<BTreeMap<DatasetKey, Assessment>, HarvestError> {
        let rows = self.operations.quality_of_source(source).await?;
        let read =
            |row: &QualityRow| Some((DatasetKey::parse(&row.key)?, serde_json::from_str(&row.assessment).ok()?));
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn addresses(&self, source: &SourceId) -> Result<BTreeSet<String>, HarvestError> {
        let assessments = self.assessments(source).await?;
        Ok(assessments.values().flat_map(Assessment::addresses).map(ToOwned::to_owned).collect())
    }

    fn check_links(&self, source: &SourceId, days: i64) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let urls = runtime.block_on(self.addresses(source))?;
        let known =
            runtime.block_on(self.operations.links(&urls.iter().map(String::as_str).collect::<Vec<_>>()))?;
        let now = Timestamp::now();
        let stale = now.checked_sub((days * 24).hours()).unwrap_or(now).to_string();
        let due = urls.iter().filter(|url| known.get(*url).is_none_or(|link| link.checked_at < stale));
        // The address as the record writes it is what its answer is kept under.
        let due: Vec<(String, Url)> = due.filter_map(|url| Some((url.clone(), Url::parse(url).ok()?))).collect();
        if due.is_empty() {
            return Ok(());
        }
        tracing::info!(%source, addresses = due.len(), "asking whether addresses answer");
        let client = self.runner.client.clone();
        runtime.block_on(async {
            let asked = futures_util::stream::iter(due)
                .map(|(written, url)| ask(&client, written, url))
                .buffer_unordered(AT_ONCE);
            let mut portions = asked.chunks(PORTION);
            while let Some(portion) = portions.next().await {
                let links: Vec<LinkRow> = portion.into_iter().flatten().collect();
                self.operations.note_links(&links).await?;
                if self.is_stopping() {
                    break;
                }
            }
            Ok::<_, HarvestError>(())
        })?;
        self.reassess(source)
    }

    /// Writes the quality of a source's records anew, as far as it changed, and publishes it.
    fn reassess(&self, source: &SourceId) -> Result<(), HarvestError> {
        let opened = self.runner.workplace.open(&self.runner.runtime)?;
        // What is read before the turn may be older than what a job writes meanwhile.
        let name = format!("links-{}", uuid::Uuid::now_v7());
        let turn = opened.take_turn(self.runner.workplace.folder(), &name)?;
        let written = self.write_scores(opened.store(), source);
        // Scores that are half written are published like others: the next check writes the rest.
        turn.publish(&GraphNames::new(&self.runner.config.base), &self.runner.runtime)?;
        written
    }

    fn write_scores(&self, store: &Store, source: &SourceId) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let names = GraphNames::new(&self.runner.config.base);
        let assessments = runtime.block_on(self.assessments(source))?;
        let links = runtime.block_on(KnownLinks::of(&self.operations, assessments.values()))?;
        let mut writer = Writer::new(store, &names);
        for (key, assessment) in &assessments {
            let Some(record) = CatalogueRecord::read(store, &names, *key) else { continue };
            let graph = names.quality(*key);
            writer.replace_graph(&graph, &links.quality(&graph, &record.node, assessment))?;
        }
        let quality = source_quality(runtime, &self.operations, &names, source)?;
        writer.replace_graph(&names.source_quality(source), &quality)?;
        Ok(())
    }
}

/// A source whose addresses are being asked; it is over with the value, whatever happens.
struct Checking<'c> {
    service: &'c Service,
    source: &'c SourceId,
}

impl Drop for Checking<'_> {
    fn drop(&mut self) {
        self.service.checking.lock().unwrap_or_else(PoisonError::into_inner).remove(self.source);
    }
}

/// Asks one address, as it is written and as it is asked; nothing is known of one whose host has too much to do.
async fn ask(client: &Client, url: String, address: Url) -> Option<LinkRow> {
    let asked = client.probe(&address).await;
    let checked_at = Timestamp::now().to_string();
    match asked {
        Ok(TOO_MANY) | Err(FetchError::Cancelled { .. }) => None,
        // 416: the file is empty, and there.
        Ok(status) => {
            let answers = status < 400 || status == 416;
            Some(LinkRow { url, status: Some(status), error: None, answers, checked_at })
        }
        Err(error) => {
            // What a name stands for on our own network is nobody's business.
            let why = match error {
                FetchError::Private { .. } => "the address is not a public one".to_owned(),
                other => with_causes(&other),
            };
            Some(LinkRow { url, status: None, error: Some(why), answers: false, checked_at })
        }
    }
}
