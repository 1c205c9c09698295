//! `moisson config`

use super::Outcome;
use crate::catalog::SourceKind;
use crate::config::{Config, SourceConfig};
use crate::harvest::Profiles;
use crate::jobs::{apply, default_options, next_time, profiles_at_hand};
use crate::source::FilterError;
use anyhow::Context;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Say what is wrong with `moisson.toml`, and where
    Check,
}

/// The file itself was read before the command began: what is wrong with it was said then.
pub(crate) fn run(action: &Action, config: &Config) -> anyhow::Result<Outcome> {
    match action {
        Action::Check => {
            for (name, settings) in &config.sources {
                let place = || format!("sources.{name}");
                can_be_asked(settings).with_context(place)?;
                let mut options = default_options(config, crate::harvest::Writing::DryRun);
                apply(settings, &mut options).with_context(place)?;
                Profiles::compile(&profiles_at_hand(&settings.profiles), &[]).with_context(place)?;
                let source = crate::catalog::SourceId::parse(name).with_context(place)?;
                let zone = settings.time_zone.as_deref();
                let now = jiff::Timestamp::now();
                next_time("@daily", zone, &source, now)
                    .map_err(|_| anyhow::anyhow!("time_zone: {zone:?} is no time zone"))
                    .with_context(place)?;
                if let Some(schedule) = &settings.schedule {
                    next_time(schedule, zone, &source, now).with_context(place)?;
                }
            }
            for webhook in &config.notify.webhooks {
                if let Some(name) = &webhook.secret_env {
                    std::env::var(name).map_err(|_| {
                        anyhow::anyhow!("notify.webhooks: the environment variable {name} is not set")
                    })?;
                }
            }
            println!("the configuration is sound: {} sources are declared", config.sources.len());
            Ok(Outcome::Done)
        }
    }
}

/// Whether what is asked of a source can be asked of its kind; an address alone may not tell a portal.
fn can_be_asked(settings: &SourceConfig) -> Result<(), FilterError> {
    let kind = settings.kind.as_deref().and_then(SourceKind::parse);
    if let Some(kind @ (SourceKind::Dcat | SourceKind::DcatUs)) = kind
        && settings.r#where.is_some()
    {
        return Err(FilterError::PlatformQuery { kind: kind.as_str() });
    }
    Ok(())
}
