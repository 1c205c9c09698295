//! Whether an address answers, for next to nothing: its head, or one byte.

use super::client::Client;
use super::error::FetchError;
use reqwest::Method;
use reqwest::header::{LOCATION, RANGE};
use std::time::Duration;
use url::Url;

/// How long an address may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

impl Client {
    /// Asks an address for its head (RFC 9110, 9.3.2); where that fails, which many servers have it do, for its first
    /// byte. Redirects are followed, and checked like the first address. Returns the last status.
    ///
    /// # Errors
    /// When the address may not be asked, or nothing answers.
    pub async fn probe(&self, url: &Url) -> Result<u16, FetchError> {
        match self.status(url, &Method::HEAD).await {
            Ok(status) if status < 400 => Ok(status),
            Err(error @ (FetchError::Private { .. } | FetchError::Scheme { .. })) => Err(error),
            Ok(_) | Err(_) => self.status(url, &Method::GET).await,
        }
    }

    async fn status(&self, first: &Url, method: &Method) -> Result<u16, FetchError> {
        let mut url = first.clone();
        for _ in 0..=self.limits().redirects {
            self.check(&url)?;
            let _leave = self.leave(&url).await;
            let mut request = self.http().request(method.clone(), url.clone());
            if *method == Method::GET {
                request = request.header(RANGE, "bytes=0-0");
            }
            let late = |_| FetchError::Timeout { url: url.to_string(), limit: LIMIT };
            let response = tokio::time::timeout(LIMIT, request.send()).await.map_err(late)?;
            let response = response.map_err(|error| self.transport(&url, error).error)?;
            if !response.status().is_redirection() {
                return Ok(response.status().as_u16());
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.unwrap_or_default().to_owned();
            let target = url.join(&location).ok().filter(|_| !location.trim().is_empty());
            url = target.ok_or_else(|| FetchError::Location { url: url.to_string(), location })?;
        }
        Err(FetchError::Redirects { url: first.to_string(), limit: self.limits().redirects })
    }
}
