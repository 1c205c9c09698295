//! `moisson serve`

use super::{Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::serve::{Server, Settings};
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The public address of this server [default: the base of the store's IRIs]
    #[arg(long, value_name = "URL")]
    base: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let folder = arguments.store.readable_folder(config)?;
    // An empty store is said at once, not at the first request.
    folder.snapshot()?;
    let public = arguments.base.clone().unwrap_or_else(|| config.base.clone());
    let settings = Settings {
        folder,
        names_base: config.base.clone(),
        public_base: public.trim_end_matches('/').to_owned(),
        languages: config.languages.clone(),
    };
    runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.listen)
            .await
            .with_context(|| format!("{}: cannot listen", arguments.listen))?;
        println!("listening on http://{}", listener.local_addr()?);
        let server = Server::open(settings).await?;
        server.run(listener, stopped()).await?;
        Ok(Outcome::Done)
    })
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
