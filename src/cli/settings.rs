//! The options that say how a source is harvested, beside those of `moisson.toml`.

use crate::catalog::{SourceId, SourceKind};
use crate::config::{Config, SourceConfig};
use crate::convert::CustomMapping;
use crate::fetch::Secret;
use crate::harvest::{HarvestError, Options};
use crate::source::{Condition, FilterError, Filters, Target, parse_date};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A DCAT catalogue in any RDF syntax
    Dcat,
    /// A CKAN portal, by its action API; the portal's address is enough
    Ckan,
    /// An Opendatasoft portal, by its Explore API; the portal's address is enough
    Opendatasoft,
    /// A data.json file of DCAT-US, at its own address
    DcatUs,
}

impl From<Kind> for SourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Dcat => Self::Dcat,
            Kind::Ckan => Self::Ckan,
            Kind::Opendatasoft => Self::Opendatasoft,
            Kind::DcatUs => Self::DcatUs,
        }
    }
}

/// How a source is harvested.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// What kind of source it is [default: the known one, else what the address or its portal tells]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// A mapping file of the source's own: a CONSTRUCT query (.rq) or alias rows (.toml)
    #[arg(long = "mapping", value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// Take only records with this organization, group, tag, theme, license or format
    #[arg(long, value_name = "FACET=VALUE")]
    include: Vec<String>,
    /// Leave out records with it
    #[arg(long, value_name = "FACET=VALUE")]
    exclude: Vec<String>,
    /// Take only records modified since then
    #[arg(long, value_name = "DATE")]
    modified_since: Option<String>,
    /// A query in the platform's own language: fq of CKAN, where of Opendatasoft
    #[arg(long = "where", value_name = "QUERY")]
    platform_query: Option<String>,
    /// The environment variable that holds a key to the source's interface
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// The file that holds it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl SettingsArguments {
    /// Takes the settings of the source out of the configuration, found by its name or its address, and adds
    /// what the command line says.
    pub(super) fn apply(&self, options: &mut Options, config: &Config, target: &Target) -> anyhow::Result<()> {
        options.kind = self.kind.map(SourceKind::from);
        let declared = config.source(options.source.as_ref().map(SourceId::as_str), &target.url());
        if let Some((name, _)) = declared {
            options.source.get_or_insert(SourceId::parse(name)?);
        }
        let settings = self.over(declared.map(|(_, settings)| settings.clone()).unwrap_or_default());
        options.mapping = CustomMapping::read(&settings.mapping).map_err(HarvestError::from)?;
        options.filters = filters(&settings).map_err(HarvestError::from)?;
        options.token = token(&settings)?;
        if let Some(days) = settings.whole_every_days {
            options.following.whole_every_days = days;
        }
        Ok(())
    }

    /// The settings with those of the command line: lists are added to, single values replaced.
    fn over(&self, mut settings: SourceConfig) -> SourceConfig {
        settings.mapping.extend(self.mapping.iter().cloned());
        settings.include.extend(self.include.iter().cloned());
        settings.exclude.extend(self.exclude.iter().cloned());
        settings.modified_since = self.modified_since.clone().or(settings.modified_since);
        settings.r#where = self.platform_query.clone().or(settings.r#where);
        if self.token_env.is_some() || self.token_file.is_some() {
            settings.token_env.clone_from(&self.token_env);
            settings.token_file.clone_from(&self.token_file);
        }
        settings
    }
}

fn filters(settings: &SourceConfig) -> Result<Filters, FilterError> {
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
fn token(settings: &SourceConfig) -> anyhow::Result<Option<Secret>> {
    let key = match (&settings.token_env, &settings.token_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => bail!("a token is in the environment or in a file: name one of them"),
        (Some(name), None) => {
            std::env::var(name).with_context(|| format!("the environment variable {name}, the source's token"))?
        }
        (None, Some(path)) => std::fs::read_to_string(path)
            .with_context(|| format!("{}: the source's token cannot be read", path.display()))?,
    };
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        bail!("the source's token is empty, or has characters that no header takes");
    }
    Ok(Some(Secret::new(key)))
}
