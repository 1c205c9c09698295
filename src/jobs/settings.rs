//! What people say of a source, as the options of a job.

use crate::catalog::{Severity, SourceKind};
use crate::config::{Config, LeastSeverity, SourceConfig};
use crate::convert::{CustomMapping, MappingError};
use crate::fetch::{Secret, Stop};
use crate::harvest::{Following, Options, RemovalRules, Writing, is_address};
use crate::source::{CatalogueSettings, Condition, CrawlLimits, FilterError, Filters, parse_date};
use std::path::PathBuf;
use std::time::Duration;

/// Why the settings of a source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A filter.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A mapping file.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A kind that there is not.
    #[error("{0:?} is no kind of source: dcat, ckan, opendatasoft, dcat-us and csw are")]
    Kind(String),
    /// The key to its interface is said to be in two places.
    #[error("a token is in the environment or in a file: name one of them")]
    TwoTokens,
    /// The environment has no such variable.
    #[error("the environment variable {0}, the source's token, is not set")]
    TokenVariable(String),
    /// The file with the key cannot be read.
    #[error("{}: the source's token cannot be read", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The key cannot stand in a header.
    #[error("the source's token is empty, or has characters that no header takes")]
    Token,
}

/// The options of a job of which nothing is said but in the program's configuration.
#[must_use]
pub fn default_options(config: &Config, writing: Writing) -> Options {
    Options {
        source: None,
        registered_url: None,
        kind: None,
        mapping: CustomMapping::default(),
        filters: Filters::default(),
        following: Following::default(),
        token: None,
        catalogue: CatalogueSettings::default(),
        max_records: None,
        writing,
        base: config.base.clone(),
        limits: CrawlLimits {
            time: Duration::from_secs(config.service.job_hours * 3_600),
            ..CrawlLimits::default()
        },
        languages: config.languages.clone(),
        removal: RemovalRules { grace_days: config.grace_days, share: f64::from(config.removal_percent) / 100.0 },
        findings_in_store: least_severity(config),
        policy: crate::config::Policy::All,
        now: jiff::Timestamp::now(),
        job: None,
        resume_hours: config.service.resume_hours,
        replay: None,
        changed_since: None,
        keep_records: false,
        keep_differences: false,
        stop: Stop::default(),
    }
}

/// Profiles that can be compiled without asking anybody: those at addresses are asked for when they are used.
#[must_use]
pub fn profiles_at_hand(names: &[String]) -> Vec<String> {
    names.iter().filter(|name| !is_address(name)).cloned().collect()
}

/// From which severity on findings are in the store.
#[must_use]
pub fn least_severity(config: &Config) -> Severity {
    match config.service.findings_in_store {
        LeastSeverity::Violation => Severity::Violation,
        LeastSeverity::Warning => Severity::Warning,
        LeastSeverity::Info => Severity::Info,
    }
}

/// Takes what is said of a source into the options of its job.
///
/// # Errors
/// When a setting cannot be used, with its name.
pub fn apply(settings: &SourceConfig, options: &mut Options) -> Result<(), SettingsError> {
    if let Some(kind) = &settings.kind {
        options.kind = Some(SourceKind::parse(kind).ok_or_else(|| SettingsError::Kind(kind.clone()))?);
    }
    options.mapping = CustomMapping::read(&settings.mapping)?;
    options.filters = filters(settings)?;
    options.token = token(settings)?;
    options.catalogue = CatalogueSettings {
        output_schema: settings.output_schema.clone(),
        record_types: settings.record_types.clone(),
        version: settings.csw_version.clone(),
        remote_url_prefix: settings.remote_url_prefix.clone(),
    };
    options.policy = settings.policy;
    if let Some(days) = settings.whole_every_days {
        options.following.whole_every_days = days;
    }
    if let Some(days) = settings.grace_days {
        options.removal.grace_days = days;
    }
    if let Some(percent) = settings.removal_percent {
        options.removal.share = f64::from(percent) / 100.0;
    }
    Ok(())
}

/// The filters of a source.
///
/// # Errors
/// When one of them is not a filter.
pub fn filters(settings: &SourceConfig) -> Result<Filters, FilterError> {
    let conditions = |texts: &[String]| -> Result<Vec<Condition>, FilterError> {
        texts.iter().map(|text| Condition::parse(text)).collect()
    };
    let query = settings.r#where.as_deref().map(str::trim).filter(|query| !query.is_empty());
    Ok(Filters {
        include: conditions(&settings.include)?,
        exclude: conditions(&settings.exclude)?,
        modified_since: settings.modified_since.as_deref().map(parse_date).transpose()?,
        platform_query: query.map(ToOwned::to_owned),
    })
}

/// Reads the key from where it is kept; it is written nowhere.
fn token(settings: &SourceConfig) -> Result<Option<Secret>, SettingsError> {
    let key = match (&settings.token_env, &settings.token_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(SettingsError::TwoTokens),
        (Some(name), None) => std::env::var(name).map_err(|_| SettingsError::TokenVariable(name.clone()))?,
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|source| SettingsError::TokenFile { path: path.clone(), source })?,
    };
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(SettingsError::Token);
    }
    Ok(Some(Secret::new(key)))
}
