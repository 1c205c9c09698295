//! The guarded HTTP client.

use super::address::Reach;
use super::answers::{detail, said};
use super::body::Body;
use super::error::FetchError;
use super::manners::{Budget, Leave};
use super::request::{Request, Secret, Validators};
use super::resolver::{GuardedResolver, Refusal, refusal};
use super::retry;
use super::stop::Stop;
use super::tape::{Tape, TapeMode};
use futures_util::StreamExt;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use reqwest::{Response, StatusCode};
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Bodies past this go to a temporary file instead of memory.
const MEMORY_BODY: usize = 8 << 20;

/// The bounds of a fetch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one body, after decompression.
    pub body: u64,
    /// Redirects of one request.
    pub redirects: usize,
    /// Attempts after the first, where an error may pass.
    pub retries: u32,
    /// The wait before the second attempt; it doubles.
    pub first_wait: Duration,
    /// Time to connect.
    pub connect: Duration,
    /// Time without a byte.
    pub idle: Duration,
    /// Time for one whole answer.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 30,
            redirects: 5,
            retries: 4,
            first_wait: Duration::from_millis(500),
            connect: Duration::from_secs(15),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(1_800),
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The resource is as it was.
    NotModified,
    /// The resource.
    Content {
        /// The address after redirects.
        url: Url,
        /// The Content-Type header, as sent.
        content_type: Option<String>,
        /// The bytes.
        body: Body,
        /// What to ask with next time.
        validators: Validators,
    },
}

/// Fetches addresses within limits.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    limits: Limits,
    reach: Reach,
    budget: Option<Budget>,
    tape: Option<Tape>,
    stop: Stop,
}

/// What robots.txt files know the program by.
const ROBOT: &str = "Moisson";
/// More of a robots.txt is not read (RFC 9309, 2.5).
const ROBOTS_BYTES: usize = 500 << 10;

impl Client {
    /// Builds a client that names whom to write to: an address of a page or a mailbox.
    ///
    /// # Panics
    /// When the contact cannot stand in a header, or the TLS configuration of the program itself is wrong.
    #[must_use]
    pub fn new(limits: Limits, reach: Reach, contact: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(format!("Moisson/{} (open-data harvester; +{contact})", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .read_timeout(limits.idle)
            .dns_resolver(Arc::new(GuardedResolver { reach }))
            .no_proxy()
            .build()
            .expect("a static client configuration");
        Self { http, limits, reach, budget: None, tape: None, stop: Stop::default() }
    }

    /// The same client, which spares hosts together with all that share the budget.
    #[must_use]
    pub fn sparing(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The same client, which answers from a tape first.
    #[must_use]
    pub fn with_tape(self, tape: Tape) -> Self {
        Self { tape: Some(tape), ..self }
    }

    /// The same client, which ends what it does at a word.
    #[must_use]
    pub fn stopped_by(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Fetches an address, trying again where an error may pass.
    pub async fn get(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let cancelled = || FetchError::Cancelled { url: request.url.to_string() };
        let taped = |source| FetchError::Tape { url: request.url.to_string(), source };
        if let Some(tape) = &self.tape {
            if let Some(answer) = tape.play(request).map_err(taped)? {
                return Ok(answer);
            }
            if tape.mode() == TapeMode::Replaying {
                return Err(FetchError::NotOnTape { url: request.url.to_string() });
            }
        }
        let answer = tokio::select! {
            () = self.stop.at_once() => return Err(cancelled()),
            answer = self.try_often(request) => answer?,
        };
        if let Some(tape) = &self.tape {
            tape.record(request, &answer).map_err(taped)?;
        }
        Ok(answer)
    }

    async fn try_often(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let url = request.url;
        let mut attempt = 0;
        loop {
            let outcome = self.follow(request).await;
            match outcome {
                Ok(answer) => return Ok(answer),
                Err(failed) if failed.may_pass && attempt < self.limits.retries => {
                    let wait = retry::wait(failed.headers.as_ref(), attempt, self.limits.first_wait);
                    tracing::info!(%url, attempt, wait_ms = wait.as_millis(), error = %failed.error, "retry");
                    if let (Some(budget), Some(host)) = (&self.budget, url.host_str()) {
                        // A host that asks for patience asks it of all sources.
                        budget.spare(host, wait);
                    }
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    /// Asks for a host's robots.txt, once, and keeps the crawl delay that it has for us. A host without one, or
    /// one that fails, says nothing (RFC 9309, 2.3.1).
    async fn ask_robots(&self, budget: &Budget, url: &Url, host: &str) {
        let Ok(robots) = url.join("/robots.txt") else { return };
        let limit = Duration::from_secs(10);
        let ask = async {
            let mut response =
                self.http.get(robots).send().await.ok().filter(|answer| answer.status().is_success())?;
            let mut bytes = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > ROBOTS_BYTES {
                    break;
                }
            }
            robotxt::Robots::from_bytes(&bytes, ROBOT).crawl_delay()
        };
        if let Ok(Some(delay)) = tokio::time::timeout(limit, ask).await {
            tracing::info!(host, delay_ms = delay.as_millis(), "crawl delay of robots.txt");
            budget.keep_delay(host, delay);
        }
    }

    /// Waits for the leave of a host, which ends with the value; its robots.txt is read first.
    pub(super) async fn leave(&self, url: &Url) -> Option<Leave> {
        let (Some(budget), Some(host)) = (&self.budget, url.host_str()) else { return None };
        if let Some(robots) = budget.robots(host) {
            robots.get_or_init(|| self.ask_robots(budget, url, host)).await;
        }
        Some(budget.leave(host).await)
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends one request and follows its redirects, each checked like the first.
    async fn follow(&self, request: &Request<'_>) -> Result<Answer, Attempt> {
        let first = request.url;
        let mut url = first.clone();
        for _ in 0..=self.limits.redirects {
            self.check(&url).map_err(Attempt::last)?;
            let _leave = self.leave(&url).await;
            // The wait for a host's leave is no time of the answer.
            let limit = self.limits.whole;
            let late = |_| Attempt::last(FetchError::Timeout { url: url.to_string(), limit });
            let answered = async {
                let response = self.send(&url, request).await?;
                if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                    return self.read(&url, response, request.beginning).await.map(Followed::Answer);
                }
                Ok(Followed::Redirect(response))
            };
            let response = match tokio::time::timeout(limit, answered).await.map_err(late)?? {
                Followed::Answer(answer) => return Ok(answer),
                Followed::Redirect(response) => response,
            };
            let location = header(response.headers(), &LOCATION).unwrap_or_default();
            let target = url.join(&location).ok().filter(|_| !location.trim().is_empty());
            url = target.ok_or_else(|| Attempt::last(FetchError::Location { url: url.to_string(), location }))?;
        }
        Err(Attempt::last(FetchError::Redirects { url: first.to_string(), limit: self.limits.redirects }))
    }

    /// Checks the scheme, and an address given in figures, which the resolver never sees.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme { url: url.to_string() });
        }
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(v4)) => v4.into(),
            Some(Host::Ipv6(v6)) => v6.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.reach.allows(address) {
            return Ok(());
        }
        Err(FetchError::Private { url: url.to_string(), host: address.to_string(), address })
    }

    async fn send(&self, url: &Url, asked: &Request<'_>) -> Result<Response, Attempt> {
        let request = match asked.xml {
            Some(xml) => self.http.post(url.clone()).header(CONTENT_TYPE, "application/xml").body(xml.to_owned()),
            None => self.http.get(url.clone()),
        };
        let mut request = request.header(ACCEPT, asked.wanted.accept());
        if let Some(etag) = asked.known.and_then(|known| known.etag.as_ref()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = asked.known.and_then(|known| known.last_modified.as_ref()) {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        if let Some(Secret(key)) = asked.authorization.filter(|_| url.origin() == asked.url.origin()) {
            request = request.header(AUTHORIZATION, key);
        }
        request.send().await.map_err(|error| self.transport(url, error))
    }

    async fn read(&self, url: &Url, response: Response, beginning: Option<usize>) -> Result<Answer, Attempt> {
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified);
        }
        if !status.is_success() {
            let headers = Some(response.headers().clone());
            let said = said(response).await;
            let (url, status_code) = (url.to_string(), status.as_u16());
            let error = FetchError::Status { url, status: status_code, detail: detail(status), said };
            return Err(Attempt { error, may_pass: retry::is_passing(status), headers });
        }
        let headers = response.headers();
        let content_type = header(headers, &CONTENT_TYPE);
        let validators =
            Validators { etag: header(headers, &ETAG), last_modified: header(headers, &LAST_MODIFIED) };
        let body = match beginning {
            Some(most) => self.read_beginning(url, response, most).await?,
            None => self.read_capped(url, response).await?,
        };
        if body.size().is_ok_and(|size| size == 0) {
            return Err(Attempt::last(FetchError::Empty { url: url.to_string() }));
        }
        Ok(Answer::Content { url: url.clone(), content_type, body, validators })
    }

    /// Reads a decompressed body until it has so many bytes.
    async fn read_beginning(&self, url: &Url, mut response: Response, most: usize) -> Result<Body, Attempt> {
        let mut bytes = Vec::new();
        while bytes.len() < most
            && let Some(chunk) = response.chunk().await.map_err(|error| self.broken_body(url, error))?
        {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Body::Memory(bytes.into()))
    }

    /// Reads a decompressed body up to the cap, to a file once it is long.
    async fn read_capped(&self, url: &Url, response: Response) -> Result<Body, Attempt> {
        let spool_error = |source| Attempt::last(FetchError::File { path: std::env::temp_dir(), source });
        let mut stream = response.bytes_stream();
        let mut memory: Vec<u8> = Vec::new();
        let mut spool: Option<tempfile::NamedTempFile> = None;
        let mut size = 0_u64;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.broken_body(url, error))?;
            size += chunk.len() as u64;
            if size > self.limits.body {
                return Err(Attempt::last(FetchError::TooLong { url: url.to_string(), limit: self.limits.body }));
            }
            match &mut spool {
                Some(file) => file.write_all(&chunk).map_err(spool_error)?,
                None => memory.extend_from_slice(&chunk),
            }
            if spool.is_none() && memory.len() > MEMORY_BODY {
                let mut file = tempfile::NamedTempFile::new().map_err(spool_error)?;
                file.write_all(&memory).map_err(spool_error)?;
                memory = Vec::new();
                spool = Some(file);
            }
        }
        Ok(match spool {
            Some(file) => Body::Spooled(Arc::new(file.into_temp_path())),
            None => Body::Memory(memory.into()),
        })
    }

    fn broken_body(&self, url: &Url, error: reqwest::Error) -> Attempt {
        if error.is_timeout() {
            return Attempt::last(FetchError::Timeout { url: url.to_string(), limit: self.limits.idle });
        }
        let may_pass = true;
        Attempt { error: FetchError::Truncated { url: url.to_string(), source: error }, may_pass, headers: None }
    }

    pub(super) fn transport(&self, url: &Url, error: reqwest::Error) -> Attempt {
        if let Some(refused) = refusal(&error) {
            let host = url.host_str().unwrap_or_default().to_owned();
            let url = url.to_string();
            return Attempt::last(match refused {
                Refusal::Private(address) => FetchError::Private { url, host, address },
                Refusal::Unresolved => FetchError::Unresolved { url, host, source: None },
            });
        }
        if error.is_timeout() && !error.is_connect() {
            return Attempt::last(FetchError::Timeout { url: url.to_string(), limit: self.limits.idle });
        }
        let may_pass = error.is_connect() || error.is_request();
        Attempt { error: FetchError::Transport { url: url.to_string(), source: error }, may_pass, headers: None }
    }
}

/// What a request leads to.
enum Followed {
    Answer(Answer),
    Redirect(Response),
}

/// A failed attempt, and whether another may do better.
pub(super) struct Attempt {
    pub(super) error: FetchError,
    may_pass: bool,
    headers: Option<HeaderMap>,
}

impl Attempt {
    fn last(error: FetchError) -> Self {
        Self { error, may_pass: false, headers: None }
    }
}

fn header(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
}
