//! `moisson backup` and `moisson restore`

use super::{Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::jobs;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The folder of the copy, which must not exist yet
    folder: PathBuf,
    #[command(flatten)]
    store: StoreArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The folder of a copy
    folder: PathBuf,
    #[command(flatten)]
    store: StoreArguments,
}

pub(crate) fn backup(arguments: &BackupArguments, config: &Config) -> anyhow::Result<Outcome> {
    let folder = arguments.store.readable_folder(config)?;
    let runtime = runtime()?;
    let number = jobs::backup(&folder, &arguments.folder, runtime.handle())?;
    eprintln!("moisson: snapshot {number} and the operations are in {}", arguments.folder.display());
    Ok(Outcome::Done)
}

pub(crate) fn restore(arguments: &RestoreArguments, config: &Config) -> anyhow::Result<Outcome> {
    let folder = arguments.store.folder(config);
    let number = jobs::restore(&arguments.folder, &folder)?;
    eprintln!("moisson: {} is as snapshot {number} of the copy was", folder.root().display());
    Ok(Outcome::Done)
}
