//! What the command line says of a source, as the API takes it.

use super::settings::SettingsArguments;
use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value, json};

/// What is said of a source.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// Its title, for people
    #[arg(long)]
    title: Option<String>,
    /// What it is, for people
    #[arg(long)]
    description: Option<String>,
    /// The organisation whose records these are
    #[arg(long)]
    organization: Option<String>,
    /// When it is harvested: five fields of cron with H for a time of its own, or @hourly, @daily, @weekly, @monthly
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// The time zone of the schedule
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// What is published: all, or valid records alone
    #[arg(long, value_name = "all|valid")]
    policy: Option<String>,
    /// Days that a record may be missing before it is archived
    #[arg(long, value_name = "DAYS")]
    grace_days: Option<i64>,
    /// The share in percent above which archiving waits for a person
    #[arg(long, value_name = "PERCENT")]
    removal_percent: Option<u8>,
    /// A profile that its records are validated with
    #[arg(long = "profile", value_name = "P")]
    profiles: Vec<String>,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Said {
    /// What is said, as the API takes it.
    pub(super) fn written(&self) -> anyhow::Result<Map<String, Value>> {
        let (kind, settings) = self.settings.stated();
        let Value::Object(mut config) = serde_json::to_value(settings)? else { bail!("settings are an object") };
        let mut set = |name: &str, value: Value| {
            if !value.is_null() {
                config.insert(name.to_owned(), value);
            }
        };
        set("schedule", json!(self.schedule));
        set("time_zone", json!(self.time_zone));
        set("policy", json!(self.policy));
        set("grace_days", json!(self.grace_days));
        set("removal_percent", json!(self.removal_percent));
        if !self.profiles.is_empty() {
            set("profiles", json!(self.profiles));
        }
        let mut written = Map::new();
        let said = [
            ("name", json!(self.title)),
            ("description", json!(self.description)),
            ("organization", json!(self.organization)),
            ("backend", json!(kind)),
        ];
        written.extend(
            said.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)),
        );
        if !config.is_empty() {
            written.insert("config".to_owned(), Value::Object(config));
        }
        Ok(written)
    }
}
