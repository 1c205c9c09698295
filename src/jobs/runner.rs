//! From a registered source to a finished job.

use super::settings::{SettingsError, apply, default_options};
use crate::config::Config;
use crate::fetch::Client;
use crate::harvest::{
    FailedJob, Harvest, HarvestError, Harvested, Options, ProfileError, Profiles, Progress, Workplace, Writing,
    fetch_document, is_address,
};
use crate::operations::SourceRow;
use crate::source::{SourceError, Target};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use url::Url;

/// Why a source cannot be harvested.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its profiles cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Its address cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The job failed.
    #[error(transparent)]
    Job(#[from] HarvestError),
}

/// Runs the jobs of registered sources.
pub struct Runner {
    /// The program's configuration.
    pub config: Config,
    /// The store and the operations database.
    pub workplace: Workplace,
    /// The HTTP client that all sources share.
    pub client: Client,
    /// The runtime for requests and the operations database.
    pub runtime: Handle,
    /// Profiles by their names, compiled once.
    profiles: Mutex<HashMap<Vec<String>, Arc<Profiles>>>,
}

impl Runner {
    /// A runner of the jobs of a place.
    #[must_use]
    pub fn new(config: Config, workplace: Workplace, client: Client, runtime: Handle) -> Self {
        Self { config, workplace, client, runtime, profiles: Mutex::default() }
    }

    /// The options of a job of a source.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn options(&self, row: &SourceRow, writing: Writing) -> Result<Options, SettingsError> {
        let mut options = default_options(&self.config, writing);
        let kind = (!row.kind.is_empty()).then(|| row.kind.clone());
        let settings = crate::config::SourceConfig { kind, ..row.settings.clone() };
        apply(&settings, &mut options)?;
        options.source = Some(row.slug.clone());
        Ok(options)
    }

    /// Profiles by name or file, compiled once.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn profiles(&self, names: &[String]) -> Result<Arc<Profiles>, ProfileError> {
        let known = || self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(profiles) = known().get(names) {
            return Ok(Arc::clone(profiles));
        }
        let fetch = |url: &Url| fetch_document(&self.client, &self.runtime, url);
        let profiles = Arc::new(Profiles::compile_fetching(names, &[], Some(&fetch))?);
        // What is at an address may be another tomorrow.
        if !names.iter().any(|name| is_address(name)) {
            known().insert(names.to_vec(), Arc::clone(&profiles));
        }
        Ok(profiles)
    }

    /// Runs a job. Blocks its thread.
    ///
    /// # Errors
    /// When the job cannot begin, or fails; a job that began has a report.
    pub fn run(
        &self,
        row: &SourceRow,
        options: &Options,
        profiles: &Profiles,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Harvested, Box<FailedJob>> {
        let target = Target::parse(&row.url).map_err(|error| FailedJob::before(row, error.into()))?;
        let harvest =
            Harvest { workplace: &self.workplace, client: &self.client, runtime: self.runtime.clone(), profiles };
        harvest.run(&target, options, progress)
    }
}
