//! The workflow of sources: registered, accepted or refused, edited, removed.

use super::schedule::{ScheduleError, next_time};
use super::settings::filters;
use super::settings::profiles_at_hand;
use crate::catalog::{SourceId, SourceKind, with_causes};
use crate::config::{Config, SourceConfig};
use crate::convert::CustomMapping;
use crate::fetch::Reach;
use crate::harvest::Profiles;
use crate::operations::{Cause, Operations, OperationsError, SourceRow, Validation, ValidationState};
use jiff::Timestamp;
use url::{Host, Url};

/// Why the workflow does not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// No source has the name.
    #[error("no source is called {0:?}")]
    Unknown(String),
    /// Another source has or had the name.
    #[error("the name {0:?} leads to another source")]
    Taken(String),
    /// A setting that cannot be.
    #[error("{field}: {fault}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// It cannot be done now.
    #[error("{0}")]
    State(String),
    /// The operations database failed.
    #[error(transparent)]
    Operations(#[from] OperationsError),
}

/// Who does something to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A name, as it is noted.
    pub name: String,
    /// Whether it may name files and secrets, and decides itself what is accepted.
    pub is_administrator: bool,
}

/// The sources of a store.
pub struct Sources<'s> {
    /// The operations database.
    pub operations: &'s Operations,
    /// The program's configuration.
    pub config: &'s Config,
    /// The time at which it is done.
    pub now: Timestamp,
}

impl Sources<'_> {
    /// A source by any name that it has or had.
    ///
    /// # Errors
    /// When there is none, or it was removed.
    pub async fn find(&self, name: &str) -> Result<SourceRow, WorkflowError> {
        let found = self.operations.source_named(name).await?;
        found.filter(|row| row.removed_at.is_none()).ok_or_else(|| WorkflowError::Unknown(name.to_owned()))
    }

    /// Registers a source: pending, or accepted where an administrator does it.
    ///
    /// # Errors
    /// When its name is taken, or a setting cannot be.
    pub async fn add(
        &self,
        name: Option<&str>,
        settings: SourceConfig,
        actor: &Actor,
    ) -> Result<SourceRow, WorkflowError> {
        let row = self.unsaved(name, settings, actor).await?;
        // A portal may be several sources, each with filters of its own; a file is one.
        if row.url.starts_with("file:")
            && let Some(known) = self.operations.find_source(&row.url).await?
        {
            let fault =
                format!("the source {} has this file already: change that one, or remove it first", known.name);
            return Err(WorkflowError::Setting { field: "url", fault });
        }
        if !self.operations.register(&row).await? {
            return Err(WorkflowError::Taken(row.name));
        }
        Ok(row)
    }

    /// A source as it would be registered.
    ///
    /// # Errors
    /// When a setting cannot be.
    pub async fn unsaved(
        &self,
        name: Option<&str>,
        settings: SourceConfig,
        actor: &Actor,
    ) -> Result<SourceRow, WorkflowError> {
        let url = self.check(&settings, actor)?;
        let slug = match name {
            Some(name) => source_id(name)?,
            None => self.free_name(settings.title.as_deref(), &url).await?,
        };
        let now = self.now.to_string();
        let kind = settings.kind.clone().unwrap_or_default();
        let mut row = SourceRow::unregistered(slug, url.to_string(), kind, &now);
        row.settings = SourceConfig { url: None, kind: None, ..settings };
        row.validation.state = ValidationState::Pending;
        Ok(row)
    }

    /// Changes what is said of a source. Another host or kind makes it wait for acceptance again.
    ///
    /// # Errors
    /// When there is no such source, or a setting cannot be.
    pub async fn edit(
        &self,
        name: &str,
        new_name: Option<&str>,
        settings: SourceConfig,
        actor: &Actor,
    ) -> Result<SourceRow, WorkflowError> {
        let before = self.find(name).await?;
        let kept = SourceConfig { url: Url::parse(&before.url).ok(), ..before.settings.clone() };
        // Who may not name files and secrets may leave those that an administrator named as they are.
        let secrets = |settings: &SourceConfig| {
            (settings.mapping.clone(), settings.token_env.clone(), settings.token_file.clone())
        };
        let checked = if secrets(&kept) == secrets(&settings) {
            SourceConfig { mapping: Vec::new(), token_env: None, token_file: None, ..settings.clone() }
        } else {
            settings.clone()
        };
        let url = if settings.url == kept.url { url_of(&before.url)? } else { self.check(&checked, actor)? };
        self.check_settings(&checked, actor)?;
        let settings = if url.origin() == url_of(&before.url)?.origin() || actor.is_administrator {
            settings
        } else {
            // A key is for the host that an administrator named it for.
            SourceConfig { mapping: Vec::new(), token_env: None, token_file: None, ..settings }
        };
        let kind = settings.kind.clone().unwrap_or_else(|| before.kind.clone());
        let asks_again =
            url_of(&before.url)?.origin() != url.origin() || (!before.kind.is_empty() && kind != before.kind);
        let mut row = SourceRow {
            url: url.to_string(),
            kind,
            settings: SourceConfig { url: None, kind: None, ..settings },
            ..before.clone()
        };
        row.due_at = self.due(&row)?;
        if let Some(new_name) = new_name.filter(|new_name| *new_name != before.name) {
            let new_name = source_id(new_name)?;
            if !self.operations.rename_source(&row.slug, new_name.as_str(), &self.now.to_string()).await? {
                return Err(WorkflowError::Taken(new_name.to_string()));
            }
            row.name = new_name.to_string();
        }
        self.operations.edit_source(&row).await?;
        if asks_again && before.validation.state == ValidationState::Accepted {
            let comment = Some("its host or its kind changed: it waits for acceptance again".to_owned());
            row.validation = self.validation(ValidationState::Pending, comment, &actor.name);
            row.due_at = None;
            self.operations.validate_source(&row.slug, &row.validation, None).await?;
            self.operations.cancel_jobs_of(&row.slug, &self.now.to_string()).await?;
        }
        Ok(row)
    }

    /// Accepts a source: it is followed from now on, and its first job is queued.
    ///
    /// # Errors
    /// When there is no such source.
    pub async fn accept(&self, name: &str, comment: Option<String>, by: &str) -> Result<SourceRow, WorkflowError> {
        let mut row = self.find(name).await?;
        row.validation = self.validation(ValidationState::Accepted, comment, by);
        if row.settings.schedule.is_none() {
            row.settings.schedule = Some(self.config.service.schedule.clone());
            self.operations.edit_source(&row).await?;
        }
        row.due_at = self.due(&row)?;
        self.operations.validate_source(&row.slug, &row.validation, row.due_at.as_deref()).await?;
        if row.is_followed() {
            self.operations.queue_job(&row.slug, Cause::Acceptance, &self.now.to_string()).await?;
        }
        Ok(row)
    }

    /// Refuses a source, for a reason.
    ///
    /// # Errors
    /// When there is no such source, or no reason.
    pub async fn refuse(&self, name: &str, comment: &str, by: &str) -> Result<SourceRow, WorkflowError> {
        if comment.trim().is_empty() {
            let fault = "a source is refused for a reason, which its publisher is told".to_owned();
            return Err(WorkflowError::Setting { field: "comment", fault });
        }
        let mut row = self.find(name).await?;
        row.validation = self.validation(ValidationState::Refused, Some(comment.to_owned()), by);
        row.due_at = None;
        self.operations.validate_source(&row.slug, &row.validation, None).await?;
        self.operations.cancel_jobs_of(&row.slug, &self.now.to_string()).await?;
        Ok(row)
    }

    /// Queues a job of a source, or gives the one that waits or runs already.
    ///
    /// # Errors
    /// When there is no such source, or it is not accepted.
    pub async fn run(&self, name: &str) -> Result<crate::operations::JobRow, WorkflowError> {
        let row = self.find(name).await?;
        if row.validation.state != ValidationState::Accepted {
            let state = row.validation.state.as_str();
            return Err(WorkflowError::State(format!(
                "the source {} is {state}: it is harvested once it is accepted",
                row.name
            )));
        }
        Ok(self.operations.queue_job(&row.slug, Cause::Person, &self.now.to_string()).await?)
    }

    /// Brings the sources that `moisson.toml` declares into the database: they are accepted by being there.
    ///
    /// # Errors
    /// When a setting cannot be, with the source's name.
    pub async fn declare(&self) -> Result<(), WorkflowError> {
        let actor = Actor { name: "moisson.toml".to_owned(), is_administrator: true };
        for (name, settings) in self.config.sources.iter().filter(|(_, settings)| settings.url.is_some()) {
            let fact = format!("declared:{name}");
            let stated = serde_json::to_string(settings).expect("settings are plain values");
            // What is stated as before is not taken again: detection, defaults and people have gone on from it.
            if self.operations.fact(&fact).await?.as_ref() == Some(&stated) {
                continue;
            }
            match self.operations.source_named(name).await? {
                None => {
                    self.add(Some(name), settings.clone(), &actor).await?;
                    self.accept(name, None, &actor.name).await?;
                }
                Some(row) if row.removed_at.is_some() => {
                    tracing::warn!(
                        source = name,
                        "moisson.toml declares a source that was removed: it stays removed"
                    );
                    continue;
                }
                Some(row) => {
                    self.edit(name, None, settings.clone(), &actor).await?;
                    if row.validation.state != ValidationState::Refused {
                        self.accept(name, None, &actor.name).await?;
                    }
                }
            }
            if let Some(row) = self.operations.source_named(name).await? {
                self.operations.edit_source(&SourceRow { declared: true, ..row }).await?;
            }
            self.operations.note_fact(&fact, &stated).await?;
        }
        Ok(())
    }

    /// When a source is due next; never where it has no schedule or is not followed.
    ///
    /// # Errors
    /// When its schedule is not one.
    pub fn due(&self, row: &SourceRow) -> Result<Option<String>, WorkflowError> {
        let Some(schedule) = row.settings.schedule.as_deref().filter(|_| row.is_followed()) else {
            return Ok(None);
        };
        let next = next_time(schedule, row.settings.time_zone.as_deref(), &row.slug, self.now)?;
        Ok(Some(next.to_string()))
    }

    fn validation(&self, state: ValidationState, comment: Option<String>, by: &str) -> Validation {
        Validation { state, comment, by: Some(by.to_owned()), on: Some(self.now.to_string()) }
    }

    /// Checks all settings of a source. Returns its address.
    fn check(&self, settings: &SourceConfig, actor: &Actor) -> Result<Url, WorkflowError> {
        let url =
            settings.url.clone().ok_or(WorkflowError::Setting { field: "url", fault: "is missing".to_owned() })?;
        self.check_settings(settings, actor)?;
        let wrong = |fault: &str| WorkflowError::Setting { field: "url", fault: fault.to_owned() };
        if url.scheme() == "file" && actor.is_administrator {
            return Ok(url);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is neither an http nor an https address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a name or a password: leave them out of it"));
        }
        let reach = if self.config.allow_loopback { Reach::PublicAndLoopback } else { Reach::Public };
        let is_reachable = match url.host() {
            Some(Host::Ipv4(address)) => reach.allows(address.into()),
            Some(Host::Ipv6(address)) => reach.allows(address.into()),
            Some(Host::Domain(name)) => self.config.allow_loopback || !is_local_name(name),
            None => false,
        };
        if is_reachable { Ok(url) } else { Err(wrong("is not a public address")) }
    }

    fn check_settings(&self, settings: &SourceConfig, actor: &Actor) -> Result<(), WorkflowError> {
        settings.check().map_err(|(field, fault)| WorkflowError::Setting { field, fault })?;
        let wrong = |field, fault: String| Err(WorkflowError::Setting { field, fault });
        if let Some(kind) = settings.kind.as_deref()
            && SourceKind::parse(kind).is_none()
        {
            return wrong("kind", format!("{kind:?} is none of dcat, ckan, opendatasoft, dcat-us and csw"));
        }
        if let Err(error) = filters(settings) {
            return wrong("filters", error.to_string());
        }
        let names_files =
            !settings.mapping.is_empty() || settings.token_env.is_some() || settings.token_file.is_some();
        if names_files && !actor.is_administrator {
            // A key would be sent to whatever host the source names.
            return wrong("token", "mapping files and keys are named by administrators".to_owned());
        }
        let names_shapes = settings.profiles.iter().any(|profile| !Profiles::is_built_in(profile));
        if names_shapes && !actor.is_administrator {
            return wrong("profiles", "files of shapes are named by administrators".to_owned());
        }
        let source = SourceId::of_address("schedule");
        if let Some(zone) = settings.time_zone.as_deref()
            && next_time("@daily", Some(zone), &source, self.now).is_err()
        {
            return wrong("time_zone", format!("{zone:?} is no time zone; write one such as Europe/Paris"));
        }
        if let Err(error) = CustomMapping::read(&settings.mapping) {
            return wrong("mapping", with_causes(&error));
        }
        if let Err(error) = Profiles::compile(&profiles_at_hand(&settings.profiles), &[]) {
            return wrong("profiles", with_causes(&error));
        }
        if let Some(schedule) = settings.schedule.as_deref() {
            next_time(schedule, settings.time_zone.as_deref(), &source, self.now)?;
        }
        Ok(())
    }

    /// A name made of a title, else of the address, that no source has.
    async fn free_name(&self, title: Option<&str>, url: &Url) -> Result<SourceId, WorkflowError> {
        let of_title = title.map(slug_of).filter(|slug| SourceId::parse(slug).is_ok());
        let base = of_title.unwrap_or_else(|| SourceId::of_address(url.as_str()).to_string());
        let mut name = base.clone();
        let mut number = 1;
        while self.operations.source_named(&name).await?.is_some() {
            number += 1;
            name = format!("{base}-{number}");
        }
        source_id(&name)
    }
}

impl From<ScheduleError> for WorkflowError {
    fn from(error: ScheduleError) -> Self {
        Self::Setting { field: "schedule", fault: error.to_string() }
    }
}

fn source_id(name: &str) -> Result<SourceId, WorkflowError> {
    SourceId::parse(name).map_err(|error| WorkflowError::Setting { field: "name", fault: error.to_string() })
}

fn url_of(text: &str) -> Result<Url, WorkflowError> {
    Url::parse(text).map_err(|error| WorkflowError::Setting { field: "url", fault: error.to_string() })
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    matches!(last, "localhost" | "local" | "internal")
}

/// A title as a name: Latin letters, figures and hyphens.
fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in deunicode::deunicode(title).to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(60);
    slug.trim_end_matches('-').to_owned()
}
