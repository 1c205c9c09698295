//! JSON that clients send: of bounded length, within bounded time, its faults told like any other.

use super::problem::Problem;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest body that is read.
const LONGEST: usize = 1 << 20;
/// The longest time that a body may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A body of JSON.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = bytes(request).await?;
        let text = if bytes.is_empty() { b"{}" } else { &bytes[..] };
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| Problem::bad_request(format!("the body is not what it should be: {error}")))
    }
}

/// A body as it is.
pub(super) async fn bytes(request: Request) -> Result<Vec<u8>, Problem> {
    let too_long = || {
        let detail = format!("a body may have {LONGEST} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large", detail)
    };
    let announced =
        request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LONGEST as u64) {
        return Err(too_long());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), LONGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(too_long()),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "Request timeout", "the body took too long")),
    }
}
