//! What people say of a source: in `moisson.toml`, on the command line, or through the API.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The settings of one source: `[sources.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its address: a harvest of it takes these settings, and the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<url::Url>,
    /// Its kind. Default: what its address or its portal tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its title, for people. Default: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The organisation whose records these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The person whose records these are, where it is no organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Files that add to the mapping of its kind: queries and alias rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<PathBuf>,
    /// Records to take, as `facet=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Records to leave, as `facet=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// The date of modification since which records are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_since: Option<String>,
    /// A query in the platform's own language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#where: Option<String>,
    /// The environment variable that holds a key to its interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// The file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The form of a catalogue service's records: a name such as `iso-19139`, or the address of an output schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<String>,
    /// The kinds of resources to take of a catalogue service, as codes of ISO 19115; `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<String>,
    /// The version of CSW to speak. Default: the first of 2.0.2 and 3.0.0 that the service offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csw_version: Option<String>,
    /// What comes before an identifier in the address of the catalogue's own page of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_url_prefix: Option<String>,
    /// Days after which the source is read whole, where only what changed is asked for. Default 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_every_days: Option<i64>,
    /// The profiles that its records are validated with. Default `dcat-ap-3` and `moisson`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// What is published of it. Default `all`.
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
    /// Days that a record may be missing before it is archived. Default: the program's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<i64>,
    /// The share of the source, in percent, above which archiving waits for a person. Default: the program's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_percent: Option<u8>,
    /// When it is harvested: a cron expression in which `H` is a time of the source's own, or `@hourly`,
    /// `@daily`, `@weekly`, `@monthly`. Default: when it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The time zone of the schedule, such as `Europe/Paris`. Default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether it is not followed for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

/// Which records of a source are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// All that have an identity and a title; findings are only reported.
    #[default]
    All,
    /// Those without violations of the source's profiles; the others are held back, by name.
    Valid,
}

impl Policy {
    /// The name that settings use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Valid => "valid",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_default(&self) -> bool {
        *self == Self::All
    }
}

impl SourceConfig {
    /// Checks what can be checked without knowing the program's queries: ranges, and settings that exclude
    /// one another.
    ///
    /// # Errors
    /// The setting, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.grace_days.is_some_and(|days| !(0..=3_650).contains(&days)) {
            return Err(("grace_days", "is not a number of days between 0 and 3650".to_owned()));
        }
        if self.removal_percent.is_some_and(|percent| percent > 100) {
            return Err(("removal_percent", "is not a percentage".to_owned()));
        }
        if self.whole_every_days.is_some_and(|days| !(0..=3_650).contains(&days)) {
            return Err(("whole_every_days", "is not a number of days between 0 and 3650".to_owned()));
        }
        let mut profiles = self.profiles.clone();
        profiles.sort();
        profiles.dedup();
        if profiles.len() != self.profiles.len() || profiles.len() > 10 {
            return Err(("profiles", "names a profile twice, or more than ten of them".to_owned()));
        }
        if self.token_env.is_some() && self.token_file.is_some() {
            return Err(("token_file", "stands beside token_env: name one of them".to_owned()));
        }
        if self.organization.is_some() && self.owner.is_some() {
            return Err(("owner", "stands beside organization: a source has one of them".to_owned()));
        }
        Ok(())
    }
}
