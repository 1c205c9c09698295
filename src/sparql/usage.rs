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

/// Seconds that clients used, and when this was reckoned.
#[derive(Debug, Default)]
pub(super) struct Usage {
    clients: HashMap<IpAddr, (f64, Instant)>,
}

impl Usage {
    /// What a client used.
    pub(super) fn of(&self, client: IpAddr) -> Duration {
        Duration::from_secs_f64(self.clients.get(&client).map_or(0.0, left))
    }

    /// Adds to what a client used.
    pub(super) fn add(&mut self, client: IpAddr, time: Duration) {
        if self.clients.len() >= MOST {
            self.clients.retain(|_, used| left(used) > NOTHING);
        }
        let used = self.clients.get(&client).map_or(0.0, left) + time.as_secs_f64();
        self.clients.insert(client, (used, Instant::now()));
    }
}

fn left((seconds, at): &(f64, Instant)) -> f64 {
    seconds * 0.5_f64.powf(at.elapsed().as_secs_f64() / HALF_LIFE.as_secs_f64())
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
    }
}
