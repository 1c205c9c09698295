//! `moisson health`: whether a server answers, for the health check of a container.

use super::{Outcome, runtime};
use crate::config::Config;
use crate::fetch::{Client, Limits, Reach};
use anyhow::{Context, bail};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's address
    #[arg(default_value = "http://127.0.0.1:8080", env = "MOISSON_SERVER")]
    server: url::Url,
}

/// Asks `/health` and prints the answer. An answer other than 200 within five seconds is an error.
pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    // Only to have the provider of TLS in place.
    let _ = Client::new(Limits::default(), Reach::Public, &config.contact);
    let address = arguments.server.join("/health").context("the server's address")?;
    let answer: anyhow::Result<_> = runtime()?.block_on(async {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let answer = http.get(address.clone()).send().await?;
        Ok((answer.status(), answer.text().await?))
    });
    let (status, text) = answer.with_context(|| format!("{address} does not answer"))?;
    if !status.is_success() {
        bail!("{address} answered {status}: {text}");
    }
    println!("{text}");
    Ok(Outcome::Done)
}
