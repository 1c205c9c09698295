//! The options that say how a source is harvested, beside those of `moisson.toml`.

use crate::catalog::SourceId;
use crate::config::Config;
use crate::convert::CustomMapping;
use crate::harvest::{HarvestError, Options};
use crate::source::Target;
use clap::Args;
use std::path::PathBuf;

/// How a source is harvested.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// A mapping file of the source's own: a CONSTRUCT query (.rq) or alias rows (.toml)
    #[arg(long = "mapping", value_name = "FILE")]
    mapping: Vec<PathBuf>,
}

impl SettingsArguments {
    /// Takes the settings of the source out of the configuration, found by its name or its address, and adds
    /// what the command line says.
    pub(super) fn apply(&self, options: &mut Options, config: &Config, target: &Target) -> anyhow::Result<()> {
        let declared = config.source(options.source.as_ref().map(SourceId::as_str), &target.url());
        let mut mapping = Vec::new();
        if let Some((name, declared)) = declared {
            options.source.get_or_insert(SourceId::parse(name)?);
            mapping.extend(declared.mapping.iter().cloned());
        }
        mapping.extend(self.mapping.iter().cloned());
        options.mapping = CustomMapping::read(&mapping).map_err(HarvestError::from)?;
        Ok(())
    }
}
