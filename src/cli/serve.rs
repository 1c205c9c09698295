//! `moisson serve`

use super::{FetchArguments, Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::fetch::Budget;
use crate::harvest::{Pace, Workplace};
use crate::jobs::{Runner, Service, Sources};
use crate::serve::{Server, Settings};
use crate::store::{Folder, GraphNames};
use anyhow::Context;
use clap::Args;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The address or host name to listen on, and the port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// The public address of this server [default: the base of the store's IRIs]
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Serve what is there, and harvest nothing
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    fetch: FetchArguments,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let config =
        &Config { allow_loopback: config.allow_loopback || arguments.fetch.allow_loopback, ..config.clone() };
    let folder = arguments.store.readable_folder(config)?;
    let runtime = runtime()?;
    let service = if arguments.read_only {
        // An empty store is said at once, not at the first request.
        folder.snapshot()?;
        None
    } else {
        let service = service(&arguments.fetch, config, &folder, runtime.handle())?;
        let operations = service.runner().workplace.operations(runtime.handle())?;
        let sources = Sources { operations: &operations, config, now: jiff::Timestamp::now() };
        runtime.block_on(sources.declare()).context("moisson.toml")?;
        Some(service)
    };
    let public = arguments.base.clone().unwrap_or_else(|| config.base.clone());
    let settings = Settings {
        folder,
        names_base: config.base.clone(),
        public_base: public.trim_end_matches('/').to_owned(),
        config: config.clone(),
        program: std::env::current_exe().context("the program's own file is not known")?,
    };
    let threads = service.as_ref().map(Service::start);
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&arguments.listen)
            .await
            .with_context(|| format!("{}: cannot listen there; write ADDRESS:PORT", arguments.listen))?;
        println!("listening on http://{}", listener.local_addr()?);
        let server = Server::open(settings, service.clone()).await?;
        server.run(listener, stopped()).await?;
        Ok(Outcome::Done)
    });
    if let (Some(service), Some(threads)) = (&service, threads) {
        service.stop(threads);
    }
    served
}

/// The service that harvests, over a store that may be a new one.
pub(super) fn service(
    fetch: &FetchArguments,
    config: &Config,
    folder: &Folder,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<Arc<Service>> {
    let client = fetch.client(config).sparing(Budget::new(config.manners.clone()));
    let workplace = Workplace::new(folder.clone(), pace(config));
    if folder.current()?.is_none() {
        let opened = workplace.open(runtime)?;
        folder.keep_base(&config.base)?;
        opened.take_turn(folder, "beginning")?.publish(&GraphNames::new(&config.base), runtime)?;
    }
    let config = Config { allow_loopback: config.allow_loopback || fetch.allow_loopback, ..config.clone() };
    Ok(Service::new(Arc::new(Runner::new(config, workplace, client, runtime.clone())))?)
}

/// How a service brings the changes of its jobs into the store.
pub(super) fn pace(config: &Config) -> Pace {
    Pace::AtTheEnd { together: Duration::from_secs(config.service.snapshots.together_seconds) }
}

/// Ends when the server is asked to stop, by a terminal or by a service manager.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
