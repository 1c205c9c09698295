//! How often one address may ask the API.

use super::client;
use super::problem::Problem;
use super::server::Shared;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time over which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are counted at once; past this, all begin anew.
const MOST_COUNTED: usize = 100_000;

/// Requests of the last minute, by address.
#[derive(Debug, Default)]
pub(super) struct Counted {
    addresses: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Counted {
    /// Counts a request. Returns how long to wait where there were too many.
    fn count(&self, address: IpAddr, most: u32) -> Option<Duration> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST_COUNTED {
            addresses.clear();
        }
        let (since, number) = addresses.entry(address).or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= WINDOW {
            (*since, *number) = (Instant::now(), 0);
        }
        *number += 1;
        (*number > most).then(|| WINDOW.saturating_sub(since.elapsed()))
    }
}

/// Refuses requests of an address that asks too often.
pub(super) async fn limited(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let most = shared.settings.config.service.requests_a_minute;
    let behind_proxy = shared.settings.config.service.behind_proxy;
    let address = client::address(request.extensions(), request.headers(), behind_proxy);
    if let Some(address) = address.filter(|_| most > 0)
        && let Some(wait) = shared.counted.count(address, most)
    {
        let detail = format!("{most} requests a minute are answered; come again in {} s", wait.as_secs() + 1);
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", detail);
        return ([("retry-after", (wait.as_secs() + 1).to_string())], problem).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_a_budget_of_its_own() {
        let counted = Counted::default();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!((0..5).all(|_| counted.count(one, 5).is_none()));
        assert!(counted.count(one, 5).is_some_and(|wait| wait > Duration::from_secs(50)));
        assert!(counted.count(other, 5).is_none());
    }
}
