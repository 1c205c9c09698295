//! The options that say how a source is harvested, beside those of `moisson.toml`.

use crate::catalog::{SourceId, SourceKind};
use crate::config::{Config, SourceConfig};
use crate::harvest::Options;
use crate::jobs::apply;
use crate::source::Target;
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
    /// A catalogue service (CSW), a web folder of ISO records, or files of them
    Csw,
}

impl From<Kind> for SourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Dcat => Self::Dcat,
            Kind::Ckan => Self::Ckan,
            Kind::Opendatasoft => Self::Opendatasoft,
            Kind::DcatUs => Self::DcatUs,
            Kind::Csw => Self::Csw,
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
    /// A query in the platform's own language: fq of CKAN, where of Opendatasoft, CQL or an ogc:Filter of CSW
    #[arg(long = "where", value_name = "QUERY")]
    platform_query: Option<String>,
    /// The form of a catalogue service's records: iso-19139, iso-19115-3, geodcat-ap, dcat-ap, dcat, dublin-core, or
    /// the address of another output schema [default: the best on offer]
    #[arg(long, value_name = "NAME")]
    output_schema: Option<String>,
    /// Take this kind of resource from a catalogue service: a code of ISO 19115, or * [default: dataset,
    /// nonGeographicDataset, series, service]
    #[arg(long = "record-type", value_name = "CODE")]
    record_types: Vec<String>,
    /// The version of CSW to speak: 2.0.2 or 3.0.0
    #[arg(long, value_name = "VERSION")]
    csw_version: Option<String>,
    /// What comes before an identifier in the address of the catalogue's own page of a record
    #[arg(long, value_name = "URL")]
    remote_url_prefix: Option<String>,
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
        let declared = config.source(options.source.as_ref().map(SourceId::as_str), &target.url());
        if let Some((name, _)) = declared {
            options.source.get_or_insert(SourceId::parse(name)?);
        }
        let settings = self.over(declared.map(|(_, settings)| settings.clone()).unwrap_or_default());
        apply(&settings, options)?;
        if let Some(kind) = self.kind {
            options.kind = Some(kind.into());
        }
        Ok(())
    }

    /// What the command line says alone: the kind, and the settings.
    pub(super) fn stated(&self) -> (Option<&'static str>, SourceConfig) {
        (self.kind.map(|kind| SourceKind::from(kind).as_str()), self.over(SourceConfig::default()))
    }

    /// The settings with those of the command line: lists are added to, single values replaced.
    fn over(&self, mut settings: SourceConfig) -> SourceConfig {
        settings.mapping.extend(self.mapping.iter().cloned());
        settings.include.extend(self.include.iter().cloned());
        settings.exclude.extend(self.exclude.iter().cloned());
        settings.modified_since = self.modified_since.clone().or(settings.modified_since);
        settings.r#where = self.platform_query.clone().or(settings.r#where);
        settings.record_types.extend(self.record_types.iter().cloned());
        settings.output_schema = self.output_schema.clone().or(settings.output_schema);
        settings.csw_version = self.csw_version.clone().or(settings.csw_version);
        settings.remote_url_prefix = self.remote_url_prefix.clone().or(settings.remote_url_prefix);
        if self.token_env.is_some() || self.token_file.is_some() {
            settings.token_env.clone_from(&self.token_env);
            settings.token_file.clone_from(&self.token_file);
        }
        settings
    }
}
