//! `moisson query-worker`: what a server starts to evaluate queries; people have no use for it.

use super::{Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::fetch::{Client, Limits, Reach};
use crate::sparql::{WorkerSettings, work};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The memory that a query may take, in megabytes
    #[arg(long, value_name = "NUMBER")]
    memory_mb: u64,
    /// A service that queries may call
    #[arg(long = "service", value_name = "URL")]
    services: Vec<String>,
    /// Allow services on this machine
    #[arg(long)]
    allow_loopback: bool,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let runtime = runtime()?;
    let limits = Limits { retries: 0, body: 64 << 20, whole: Duration::from_secs(60), ..Limits::default() };
    let reach = if arguments.allow_loopback { Reach::PublicAndLoopback } else { Reach::Public };
    work(WorkerSettings {
        folder: arguments.store.folder(config),
        memory: arguments.memory_mb << 20,
        services: arguments.services.clone(),
        client: Client::new(limits, reach, &config.contact),
        runtime: runtime.handle().clone(),
    })?;
    Ok(Outcome::Done)
}
