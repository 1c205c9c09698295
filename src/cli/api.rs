//! The API as commands use it: of a server that is named, else of the store itself. The output is the same.

use super::{AnswerArguments, FetchArguments, StoreArguments, runtime, serve};
use crate::config::Config;
use crate::fetch::Reach;
use crate::jobs::Service;
use crate::serve::{Operator, Server, Settings};
use anyhow::{Context, bail};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use clap::Args;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// The longest answer that a command reads.
const LONGEST: usize = 256 << 20;

/// The options that say whose API.
#[derive(Debug, Args)]
pub(crate) struct ApiArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Talk to the server at this address instead of opening the store
    #[arg(long, value_name = "URL", env = "MOISSON_SERVER")]
    server: Option<url::Url>,
    /// The environment variable that holds the token for the server
    #[arg(long, value_name = "NAME", default_value = "MOISSON_TOKEN")]
    api_token_env: String,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    #[command(flatten)]
    fetch: FetchArguments,
}

/// An API to ask.
pub(super) struct Api {
    runtime: tokio::runtime::Runtime,
    way: Way,
}

enum Way {
    /// The store of this machine, as its operator.
    Here { router: axum::Router, service: Arc<Service>, name: String },
    /// A server, with a token.
    There { http: reqwest::Client, server: url::Url, token: Option<String> },
}

impl ApiArguments {
    pub(super) fn open(&self, config: &Config) -> anyhow::Result<Api> {
        let runtime = runtime()?;
        let way = match &self.server {
            Some(server) => {
                // Only to have the provider of TLS in place.
                let _ = crate::fetch::Client::new(crate::fetch::Limits::default(), Reach::Public, &config.contact);
                let http =
                    reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(15)).build()?;
                Way::There { http, server: server.clone(), token: std::env::var(&self.api_token_env).ok() }
            }
            None => self.here(config, &runtime)?,
        };
        Ok(Api { runtime, way })
    }

    fn here(&self, config: &Config, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Way> {
        let folder = self.store.readable_folder(config)?;
        let service = serve::service(&self.fetch, config, &folder, runtime.handle())?;
        // Where nobody writes, jobs that a crash left say so from here on; else they are somebody's.
        if let Err(error) = service.runner().workplace.open(runtime.handle()) {
            tracing::debug!(%error, "the store is in use");
        }
        let settings = Settings {
            folder,
            names_base: config.base.clone(),
            public_base: config.base.clone(),
            config: Config { allow_loopback: config.allow_loopback || self.fetch.is_open(), ..config.clone() },
            program: std::env::current_exe().context("the program's own file is not known")?,
        };
        let server = runtime.block_on(Server::open(settings, Some(Arc::clone(&service))))?;
        let user = std::env::var("USER").unwrap_or_else(|_| "operator".to_owned());
        Ok(Way::Here { router: server.router(), service, name: user })
    }
}

impl Api {
    /// Asks, and gives the answer; what is refused is an error with its reason.
    pub(super) fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let (status, bytes) = self.runtime.block_on(self.send(method, path, body))?;
        let answer: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).with_context(|| format!("{path}: the answer is not JSON"))?
        };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let detail = answer["detail"].as_str().unwrap_or("no reason was given");
        match answer["errors"].as_object().and_then(|errors| errors.keys().next()) {
            Some(field) => bail!("{field}: {detail}"),
            None => bail!("{detail}"),
        }
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(&Method::GET, path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(&Method::POST, path, Some(body))
    }

    /// All rows of a list.
    pub(super) fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        for page in 1.. {
            let answer = self.get(&format!("{path}{separator}page={page}&page_size=1000"))?;
            rows.extend(answer["data"].as_array().cloned().unwrap_or_default());
            if answer["next_page"].is_null() {
                break;
            }
        }
        Ok(rows)
    }

    /// Where the store is opened here, what is queued is done here, now.
    pub(super) fn work_off(&self) -> anyhow::Result<()> {
        if let Way::Here { service, .. } = &self.way {
            service.work_off()?;
        }
        Ok(())
    }

    async fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Vec<u8>)> {
        match &self.way {
            Way::Here { router, name, .. } => {
                let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
                let mut request = Request::builder().method(method).uri(path).body(body)?;
                request.extensions_mut().insert(Operator { name: name.clone() });
                let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
                let status = response.status().as_u16();
                Ok((status, to_bytes(response.into_body(), LONGEST).await?.to_vec()))
            }
            Way::There { http, server, token } => {
                let url = server.join(path)?;
                let mut request = http.request(method.clone(), url.clone());
                if let Some(token) = token {
                    request = request.header("X-API-KEY", token);
                }
                if let Some(body) = body {
                    request = request.header("Content-Type", "application/json").body(body.to_string());
                }
                let response =
                    request.send().await.with_context(|| format!("{url}: the server does not answer"))?;
                Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
            }
        }
    }
}

/// A name or a key as a part of a path.
pub(super) fn part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
