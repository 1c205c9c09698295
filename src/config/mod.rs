//! The program's settings: `moisson.toml`, then the environment, then flags, the last one winning.

mod queries;
mod service;
mod source;

pub use queries::{Queries, Snapshots};
pub use service::{LeastSeverity, Mail, Manners, Notify, Service, Webhook};
pub use source::{Policy, SourceConfig};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The settings that several commands share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The store's folder. Default `moisson-data`; `MOISSON_STORE`.
    pub store: PathBuf,
    /// The base of the platform's own IRIs, without a slash at its end. It names graphs, so it stays
    /// the same for the life of a store. Default `http://127.0.0.1:8080`; `MOISSON_BASE`.
    pub base: String,
    /// Whether loopback addresses may be fetched. Default no; `MOISSON_ALLOW_LOOPBACK=1`.
    pub allow_loopback: bool,
    /// Days that a record may be missing before it is archived. Default 2.
    pub grace_days: i64,
    /// The share of a source, in percent, above which archiving waits for a person. Default 20.
    pub removal_percent: u8,
    /// The languages in which records are shown, as tags, the best one first. Default `fr`, `en`.
    pub languages: Vec<String>,
    /// Sources with settings of their own, by name.
    pub sources: BTreeMap<String, SourceConfig>,
    /// Whom the servers' operators may write to: a page or a mailbox, as requests name it.
    pub contact: String,
    /// How jobs are run: `[service]`.
    pub service: Service,
    /// How hosts are spared: `[manners]`.
    pub manners: Manners,
    /// Who hears of what: `[notify]`.
    pub notify: Notify,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: the configuration cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{setting}: {value} is not {expected}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A setting of a source is wrong.
    #[error("sources.{source_name}: {setting} {fault}")]
    Source {
        /// The source.
        source_name: String,
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        fault: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    store: Option<PathBuf>,
    base: Option<String>,
    allow_loopback: Option<bool>,
    grace_days: Option<i64>,
    removal_percent: Option<u8>,
    languages: Option<Vec<String>>,
    contact: Option<String>,
    #[serde(default)]
    service: Service,
    #[serde(default)]
    manners: Manners,
    #[serde(default)]
    notify: Notify,
    #[serde(default)]
    sources: BTreeMap<String, SourceConfig>,
}

impl Config {
    /// Reads `moisson.toml` in a folder, when there is one, and the environment.
    pub fn load(folder: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let stated = Self::read_file(&folder.join("moisson.toml"))?;
        let base = environment("MOISSON_BASE").or(stated.base);
        let loopback = environment("MOISSON_ALLOW_LOOPBACK").map(|value| value == "1");
        let config = Self {
            store: environment("MOISSON_STORE")
                .map(PathBuf::from)
                .or(stated.store)
                .unwrap_or_else(|| PathBuf::from("moisson-data")),
            base: base.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned()).trim_end_matches('/').to_owned(),
            allow_loopback: loopback.or(stated.allow_loopback).unwrap_or(false),
            grace_days: stated.grace_days.unwrap_or(2),
            removal_percent: stated.removal_percent.unwrap_or(20),
            languages: stated.languages.unwrap_or_else(|| vec!["fr".to_owned(), "en".to_owned()]),
            sources: stated.sources,
            contact: stated.contact.unwrap_or_else(|| "https://moisson.dev/contact".to_owned()),
            service: stated.service,
            manners: stated.manners,
            notify: stated.notify,
        };
        config.check()
    }

    /// The settings of a source, and its name: by its name, else by its address.
    #[must_use]
    pub fn source(&self, name: Option<&str>, address: &url::Url) -> Option<(&str, &SourceConfig)> {
        let found = match name {
            Some(name) => self.sources.get_key_value(name),
            None => self.sources.iter().find(|(_, source)| source.url.as_ref() == Some(address)),
        };
        found.map(|(name, source)| (name.as_str(), source))
    }

    fn read_file(path: &Path) -> Result<Stated, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Stated::default()),
            Err(source) => return Err(ConfigError::File { path: path.to_owned(), source }),
        };
        toml::from_str(&text)
            .map_err(|source| ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) })
    }

    fn check(self) -> Result<Self, ConfigError> {
        let wrong = |setting, value: String, expected| Err(ConfigError::Value { setting, value, expected });
        let is_address = url::Url::parse(&self.base).is_ok_and(|base| matches!(base.scheme(), "http" | "https"));
        if !is_address {
            return wrong("base", self.base, "an http or https address");
        }
        if self.grace_days < 0 {
            return wrong("grace_days", self.grace_days.to_string(), "zero or more days");
        }
        if self.contact.is_empty() || !self.contact.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("contact", self.contact, "the address of a page or a mailbox");
        }
        if self.removal_percent > 100 {
            return wrong("removal_percent", self.removal_percent.to_string(), "a percentage");
        }
        if let Err((setting, value, expected)) = self.service.check().and_then(|()| self.manners.check()) {
            return wrong(setting, value, expected);
        }
        for (name, source) in &self.sources {
            source.check().map_err(|(setting, fault)| ConfigError::Source {
                source_name: name.clone(),
                setting,
                fault,
            })?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("moisson.toml"), "store = 'a'\ngrace_days = 5\n").unwrap();
        let config =
            Config::load(folder.path(), |name| (name == "MOISSON_STORE").then(|| "b".to_owned())).unwrap();
        assert_eq!((config.store.to_str(), config.grace_days, config.removal_percent), (Some("b"), 5, 20));
        std::fs::write(folder.path().join("moisson.toml"), "stor = 'a'\n").unwrap();
        let error = Config::load(folder.path(), |_| None).unwrap_err().to_string();
        assert!(error.contains("stor"), "{error}");
    }
}
