//! How a host is spared: so many requests at once, so much time between them, and none in its quiet hours,
//! whichever sources they are for.

use crate::config::Manners;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The longest crawl delay of a `robots.txt` that is kept: a day would stop a source for good.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What all requests of a process to one host share.
#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    delay: Duration,
    quiet: Option<(u32, u32)>,
    /// When the next request may start.
    next: Instant,
    /// Whether its `robots.txt` was asked for; whoever comes meanwhile waits for the answer.
    robots: Arc<OnceCell<()>>,
}

/// The budget of each host; its copies are one.
#[derive(Debug, Clone)]
pub struct Budget {
    manners: Arc<Manners>,
    hosts: Arc<Mutex<HashMap<String, Host>>>,
}

/// Leave to send one request; a place is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Leave {
    _place: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// Budgets by the configured manners.
    #[must_use]
    pub fn new(manners: Manners) -> Self {
        Self { manners: Arc::new(manners), hosts: Arc::default() }
    }

    /// Waits until a request to a host may start.
    pub(super) async fn leave(&self, host: &str) -> Leave {
        let places = self.with(host, |host| Arc::clone(&host.places));
        let place = places.acquire_owned().await.ok();
        loop {
            let wait = self.with(host, |host| {
                let now = Instant::now();
                let quiet = host.quiet.map_or(Duration::ZERO, |hours| quiet_for(hours, Timestamp::now()));
                let wait = host.next.saturating_duration_since(now).max(quiet);
                if wait.is_zero() {
                    host.next = now + host.delay;
                }
                wait
            });
            if wait.is_zero() {
                return Leave { _place: place };
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Notes that a host asked to be left alone for a while.
    pub(super) fn spare(&self, host: &str, wait: Duration) {
        self.with(host, |host| host.next = host.next.max(Instant::now() + wait));
    }

    /// What holds that the `robots.txt` of a host was asked for; nothing where it is not to be.
    pub(super) fn robots(&self, host: &str) -> Option<Arc<OnceCell<()>>> {
        self.manners.robots.then(|| self.with(host, |host| Arc::clone(&host.robots)))
    }

    /// Notes the crawl delay of a host's `robots.txt`.
    pub(super) fn keep_delay(&self, host: &str, delay: Duration) {
        self.with(host, |host| host.delay = host.delay.max(delay.min(LONGEST_DELAY)));
    }

    fn with<R>(&self, name: &str, work: impl FnOnce(&mut Host) -> R) -> R {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        work(hosts.entry(name.to_owned()).or_insert_with(|| self.host(name)))
    }

    fn host(&self, name: &str) -> Host {
        let manners = &self.manners;
        let own = manners.hosts.get(name);
        let concurrency = own.and_then(|own| own.concurrency).unwrap_or(manners.concurrency);
        let delay = own.and_then(|own| own.delay_ms).unwrap_or(manners.delay_ms);
        let quiet = own.and_then(|own| own.quiet_hours.as_ref()).or(manners.quiet_hours.as_ref());
        Host {
            places: Arc::new(Semaphore::new(concurrency)),
            delay: Duration::from_millis(delay),
            quiet: quiet.and_then(|hours| Manners::quiet_minutes(hours)),
            next: Instant::now(),
            robots: Arc::default(),
        }
    }
}

/// How long quiet hours still last, from a minute of the day to another, both in UTC; they may span midnight.
fn quiet_for((from, to): (u32, u32), now: Timestamp) -> Duration {
    let time = now.to_zoned(TimeZone::UTC).time();
    let second = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let (from, to) = (i64::from(from) * 60, i64::from(to) * 60);
    let is_quiet = if from <= to { (from..to).contains(&second) } else { second >= from || second < to };
    if !is_quiet {
        return Duration::ZERO;
    }
    let left = (to - second).rem_euclid(24 * 3_600);
    Duration::from_secs(u64::try_from(left).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_span_midnight() {
        let at = |time: &str| format!("2026-03-01T{time}Z").parse::<Timestamp>().unwrap();
        let night = Manners::quiet_minutes("22:00-06:30").unwrap();
        assert_eq!(quiet_for(night, at("23:00:00")), Duration::from_secs(7 * 3_600 + 1_800));
        assert_eq!(quiet_for(night, at("06:29:59")), Duration::from_secs(1));
        assert_eq!(quiet_for(night, at("12:00:00")), Duration::ZERO);
        let day = Manners::quiet_minutes("08:00-18:00").unwrap();
        assert_eq!(quiet_for(day, at("17:00:00")), Duration::from_secs(3_600));
        assert_eq!(quiet_for(day, at("18:00:00")), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_all_sources_share_the_budget_of_a_host() {
        let manners = Manners { concurrency: 1, delay_ms: 200, ..Manners::default() };
        let budget = Budget::new(manners);
        let other = budget.clone();
        let start = Instant::now();
        drop(budget.leave("a.example").await);
        drop(other.leave("a.example").await);
        assert_eq!(start.elapsed(), Duration::from_millis(200));
        drop(budget.leave("b.example").await);
        assert_eq!(start.elapsed(), Duration::from_millis(200), "another host has a budget of its own");
        budget.spare("a.example", Duration::from_secs(5));
        drop(other.leave("a.example").await);
        assert!(start.elapsed() >= Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_at_once_than_a_host_takes() {
        let budget = Budget::new(Manners { concurrency: 1, ..Manners::default() });
        let first = budget.leave("a.example").await;
        let second = tokio::time::timeout(Duration::from_secs(10), budget.leave("a.example")).await;
        assert!(second.is_err());
        drop(first);
        budget.leave("a.example").await;
    }
}
