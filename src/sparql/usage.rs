//! What clients used lately.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// The time in which half of what was used is forgotten.
const HALF_LIFE: Duration = Duration::from_secs(10);
/// Clients that are remembered; past this, those who used next to nothing are not.
const MOST: usize = 10_000;
const NOTHING: f64 = 0.05;

/// A query that takes less is short.
const SHORT: f64 = 0.25;

/// What clients used.
#[derive(Debug, Default)]
pub(super) struct Usage {
    clients: HashMap<IpAddr, Used>,
}

/// Seconds of queries and their number, half of which is forgotten in time, and when they were reckoned.
#[derive(Debug, Clone, Copy)]
struct Used {
    seconds: f64,
    queries: f64,
    at: Instant,
}

impl Usage {
    /// What a client used.
    pub(super) fn of(&self, client: IpAddr) -> Duration {
        Duration::from_secs_f64(self.clients.get(&client).map_or(0.0, |used| used.now().seconds))
    }

    /// Whether a client asked before, and short queries.
    pub(super) fn is_known_for_short_ones(&self, client: IpAddr) -> bool {
        self.clients.get(&client).is_some_and(|used| used.seconds < SHORT * used.queries)
    }

    /// Adds to what a client used.
    pub(super) fn add(&mut self, client: IpAddr, time: Duration) {
        if self.clients.len() >= MOST {
            self.clients.retain(|_, used| used.now().seconds > NOTHING);
        }
        let nothing = Used { seconds: 0.0, queries: 0.0, at: Instant::now() };
        let used = self.clients.entry(client).or_insert(nothing);
        *used = used.now();
        used.seconds += time.as_secs_f64();
        used.queries += 1.0;
    }
}

impl Used {
    fn now(&self) -> Self {
        let left = 0.5_f64.powf(self.at.elapsed().as_secs_f64() / HALF_LIFE.as_secs_f64());
        Self { seconds: self.seconds * left, queries: self.queries * left, at: Instant::now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_is_forgotten_in_ten_seconds() {
        let mut usage = Usage::default();
        let client = "192.0.2.1".parse().unwrap();
        usage.add(client, Duration::from_secs(4));
        tokio::time::advance(HALF_LIFE).await;
        assert!((usage.of(client).as_secs_f64() - 2.0).abs() < 0.01, "{:?}", usage.of(client));
        assert!(!usage.is_known_for_short_ones(client));
        for _ in 0..20 {
            usage.add(client, Duration::from_millis(10));
        }
        assert!(usage.is_known_for_short_ones(client));
    }
}
