//! When to try again, and how long to wait.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// The longest that a server's Retry-After is obeyed within one harvest.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// Whether a status promises a better answer later (RFC 9110, 15.5 and 15.6; RFC 6585, 4).
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// How long to wait before another attempt: what the server asks, else twice as long each time.
pub(super) fn wait(headers: Option<&HeaderMap>, attempt: u32, first: Duration) -> Duration {
    let asked = headers
        .and_then(|headers| headers.get(RETRY_AFTER))
        .and_then(|value| value.to_str().ok())
        .and_then(parse_retry_after);
    asked.unwrap_or(first * 2_u32.pow(attempt.min(6))).min(MAX_WAIT)
}

/// Seconds, or an HTTP date (RFC 9110, 10.2.3).
fn parse_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let seconds = at.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obeys_retry_after_up_to_a_limit() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let first = Duration::from_millis(500);
        assert_eq!(wait(Some(&headers), 3, first), Duration::from_secs(7));
        headers.insert(RETRY_AFTER, "86400".parse().unwrap());
        assert_eq!(wait(Some(&headers), 0, first), MAX_WAIT);
        assert_eq!(wait(None, 2, first), Duration::from_secs(2));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2015 07:28:00 GMT".parse().unwrap());
        assert_eq!(wait(Some(&headers), 0, first), Duration::ZERO);
    }
}
