//! Fair shares: so many queries at once, of one client and of all; the others wait, and whoever used least is next.
//!
//! What a client used is the time of its queries, half of which is forgotten every ten seconds. Some places are left to
//! clients that are known for short queries: a crowd of new ones takes the others. When somebody waits who used little,
//! a long query of one who used more is ended for him.

use super::usage::Usage;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Who used more than this lately leaves places to others.
const MUCH: Duration = Duration::from_secs(1);
/// How long somebody waits who used little, before a long query is ended for him.
const PATIENCE: Duration = Duration::from_millis(200);
/// A query that ran so long may be ended for another.
const LONG: Duration = Duration::from_secs(1);

/// How many queries run and wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) running: usize,
    pub(super) running_of_client: usize,
    /// Places that are left to clients known for short queries.
    pub(super) left: usize,
    pub(super) waiting: usize,
    pub(super) waiting_of_client: usize,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// As many queries wait as may.
    Full,
    /// As many queries of this client wait as may.
    Share,
    /// None became free in time.
    Late,
}

/// The places for queries.
#[derive(Debug)]
pub(super) struct Shares {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The queries that run, by number.
    running: HashMap<u64, Running>,
    waiting: HashMap<IpAddr, VecDeque<oneshot::Sender<Place>>>,
    usage: Usage,
    next_number: u64,
}

#[derive(Debug)]
struct Running {
    client: IpAddr,
    since: Instant,
    end: Arc<Notify>,
    is_ending: bool,
}

/// Leave to run a query, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shares: Arc<Shares>,
    number: Option<u64>,
    end: Arc<Notify>,
}

impl Place {
    /// Ends when the place is wanted for another.
    pub(super) async fn is_wanted(&self) {
        self.end.notified().await;
    }
}

impl Shares {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, state: Mutex::default() })
    }

    /// Waits for a place, until a deadline at most.
    pub(super) async fn place(self: &Arc<Self>, client: IpAddr, deadline: Instant) -> Result<Place, NoPlace> {
        let client = household(client);
        let mut granted = {
            let mut state = self.state();
            state.forget_those_who_left();
            if !state.waiting.contains_key(&client) && state.may_run(client, self.bounds) {
                let (number, end) = state.start(client);
                return Ok(Place { shares: Arc::clone(self), number: Some(number), end });
            }
            if state.waiting.get(&client).map_or(0, VecDeque::len) >= self.bounds.waiting_of_client {
                return Err(NoPlace::Share);
            }
            if state.waiting.values().map(VecDeque::len).sum::<usize>() >= self.bounds.waiting
                && !state.displace(client)
            {
                return Err(NoPlace::Full);
            }
            let (send, receive) = oneshot::channel();
            state.waiting.entry(client).or_default().push_back(send);
            receive
        };
        loop {
            let until = deadline.min(Instant::now() + PATIENCE);
            match tokio::time::timeout_at(until, &mut granted).await {
                Ok(granted) => return granted.map_err(|_| NoPlace::Full),
                Err(_) if Instant::now() >= deadline => return Err(NoPlace::Late),
                Err(_) => {
                    // What somebody used is forgotten with time, so that a place may be his that was not.
                    self.give();
                    self.state().end_a_long_one(client, self.bounds);
                }
            }
        }
    }

    /// The places that are taken.
    pub(super) fn running(&self) -> usize {
        self.state().running.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a query, and gives its place to whoever is next.
    fn release(self: &Arc<Self>, number: u64) {
        self.state().end(number);
        self.give();
    }

    /// Gives free places to those who are next.
    fn give(self: &Arc<Self>) {
        loop {
            let next = self.state().next(self.bounds);
            let Some((waiting, number, end)) = next else { return };
            let place = Place { shares: Arc::clone(self), number: Some(number), end };
            // One who went away leaves it to the one after.
            if let Err(mut place) = waiting.send(place) {
                place.number = None;
                self.state().end(number);
            }
        }
    }
}

impl State {
    fn may_run(&self, client: IpAddr, bounds: Bounds) -> bool {
        let of_client = self.running.values().filter(|running| running.client == client).count();
        of_client < bounds.running_of_client && !self.is_full_for(client, bounds)
    }

    fn is_full_for(&self, client: IpAddr, bounds: Bounds) -> bool {
        let left = if self.is_preferred(client) { 0 } else { bounds.left };
        self.running.len() + left >= bounds.running
    }

    /// Whether a client is known for short queries, and used little.
    fn is_preferred(&self, client: IpAddr) -> bool {
        self.usage.is_known_for_short_ones(client) && self.used(client) <= MUCH
    }

    /// What a client used lately, with what it is using.
    fn used(&self, client: IpAddr) -> Duration {
        let running = self.running.values().filter(|running| running.client == client);
        self.usage.of(client) + running.map(|running| running.since.elapsed()).sum::<Duration>()
    }

    fn start(&mut self, client: IpAddr) -> (u64, Arc<Notify>) {
        self.next_number += 1;
        let end = Arc::new(Notify::new());
        let running = Running { client, since: Instant::now(), end: Arc::clone(&end), is_ending: false };
        self.running.insert(self.next_number, running);
        (self.next_number, end)
    }

    fn end(&mut self, number: u64) {
        if let Some(running) = self.running.remove(&number) {
            self.usage.add(running.client, running.since.elapsed());
        }
    }

    /// Takes the next query that may run out of those that wait: one of the client who used least.
    fn next(&mut self, bounds: Bounds) -> Option<(oneshot::Sender<Place>, u64, Arc<Notify>)> {
        let who = self.waiting.keys().copied().filter(|client| self.may_run(*client, bounds));
        let client = who.min_by_key(|client| (!self.is_preferred(*client), self.used(*client), *client))?;
        let of_client = self.waiting.get_mut(&client)?;
        let granted = of_client.pop_front()?;
        if of_client.is_empty() {
            self.waiting.remove(&client);
        }
        let (number, end) = self.start(client);
        Some((granted, number, end))
    }

    /// Forgets those who went away while they waited.
    fn forget_those_who_left(&mut self) {
        self.waiting.retain(|_, all| {
            all.retain(|waiting| !waiting.is_closed());
            !all.is_empty()
        });
    }

    /// Makes room among those that wait: the last one of whoever has most there goes, if that is more than a client
    /// will have.
    fn displace(&mut self, for_client: IpAddr) -> bool {
        let own = self.waiting.get(&for_client).map_or(0, VecDeque::len);
        let used_more = |client: &IpAddr| self.used(*client) > self.used(for_client);
        let most =
            self.waiting.iter().filter(|(client, _)| **client != for_client).max_by_key(|(_, all)| all.len());
        let Some((client, length)) = most.map(|(client, all)| (*client, all.len())) else { return false };
        if length <= own + 1 && !(own == 0 && used_more(&client)) {
            return false;
        }
        let Some(all) = self.waiting.get_mut(&client) else { return false };
        // It hears that there is no place when its sender goes.
        drop(all.pop_back());
        if all.is_empty() {
            self.waiting.remove(&client);
        }
        true
    }

    /// Asks the longest query to end, for a client who used less than its own.
    fn end_a_long_one(&mut self, for_client: IpAddr, bounds: Bounds) {
        let of_client = self.running.values().filter(|running| running.client == for_client).count();
        let is_full = of_client < bounds.running_of_client && self.is_full_for(for_client, bounds);
        let used = self.used(for_client);
        if !is_full || used > MUCH || self.running.values().any(|running| running.is_ending) {
            return;
        }
        let long = self.running.iter().filter(|(_, running)| running.since.elapsed() > LONG);
        let of_others = long.filter(|(_, running)| self.used(running.client) > used);
        let longest = of_others.max_by_key(|(_, running)| running.since.elapsed()).map(|(number, _)| *number);
        if let Some(longest) = longest.and_then(|number| self.running.get_mut(&number)) {
            longest.is_ending = true;
            longest.end.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            self.shares.release(number);
        }
    }
}

/// One household has a whole /64 of IPv6 (RFC 6177): it is one client.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const BOUNDS: Bounds = Bounds { running: 2, running_of_client: 1, left: 0, waiting: 3, waiting_of_client: 2 };

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn one_client_leaves_places_to_others() {
        let shares = Shares::new(BOUNDS);
        let (greedy, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let _first = shares.place(greedy, soon()).await.unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let shares = Arc::clone(&shares);
                tokio::spawn(async move { shares.place(greedy, soon()).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(shares.place(greedy, soon()).await.err(), Some(NoPlace::Share));
        assert!(shares.place(other, soon()).await.is_ok());
        drop(waiting);
    }

    #[tokio::test]
    async fn who_is_known_is_first_and_those_who_went_away_hold_nothing() {
        let shares = Shares::new(Bounds { running: 1, ..BOUNDS });
        let clients: Vec<IpAddr> =
            ["192.0.2.1", "192.0.2.1", "192.0.2.2"].iter().map(|a| a.parse().unwrap()).collect();
        let held = shares.place(clients[0], soon()).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (number, client) in clients.into_iter().enumerate() {
            let (shares, order) = (Arc::clone(&shares), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let place = shares.place(client, soon()).await.unwrap();
                order.lock().unwrap().push(number);
                drop(place);
            }));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tasks.remove(0).abort();
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        // Who is known for short queries is first.
        assert_eq!(*order.lock().unwrap(), [1, 2]);
        assert!(shares.state().waiting.is_empty() && shares.running() == 0);
    }

    #[tokio::test]
    async fn a_crowd_of_one_client_keeps_no_other_out() {
        let shares = Shares::new(Bounds { running: 1, ..BOUNDS });
        let (greedy, busy, other) =
            ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap(), "192.0.2.3".parse().unwrap());
        let held = shares.place(busy, soon()).await.unwrap();
        let waiting = |client| {
            let shares = Arc::clone(&shares);
            tokio::spawn(async move { shares.place(client, soon()).await.map(drop) })
        };
        let crowd = [waiting(greedy), waiting(greedy), waiting(busy)];
        tokio::time::sleep(Duration::from_millis(50)).await;
        let newcomer = waiting(other);
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(held);
        assert!(newcomer.await.unwrap().is_ok());
        let mut outcomes = Vec::new();
        for one in crowd {
            outcomes.push(one.await.unwrap().err());
        }
        assert_eq!(outcomes, [None, Some(NoPlace::Full), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_used_much_gives_way() {
        let shares = Shares::new(Bounds { running: 3, running_of_client: 2, left: 1, ..BOUNDS });
        let (greedy, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let long = shares.place(greedy, soon()).await.unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
        let _second = shares.place(greedy, soon()).await.unwrap();
        let waiting = {
            let shares = Arc::clone(&shares);
            tokio::spawn(async move { shares.place(other, Instant::now() + Duration::from_secs(20)).await })
        };
        let start = Instant::now();
        long.is_wanted().await;
        assert!(start.elapsed() >= LONG && start.elapsed() < 2 * LONG, "{:?}", start.elapsed());
        drop(long);
        assert!(waiting.await.unwrap().is_ok());
        // The last place is left to who is known for short queries.
        let _third = shares.place(greedy, soon()).await.unwrap();
        let newcomer = "192.0.2.3".parse().unwrap();
        assert_eq!(shares.place(newcomer, Instant::now() + PATIENCE).await.err(), Some(NoPlace::Late));
        assert!(shares.place(other, soon()).await.is_ok());
    }

    #[tokio::test]
    async fn a_wait_ends_at_its_deadline() {
        let shares = Shares::new(BOUNDS);
        let client = "2001:db8::1".parse().unwrap();
        let _held = shares.place(client, soon()).await.unwrap();
        let neighbour = "2001:db8::2".parse().unwrap();
        let late = shares.place(neighbour, Instant::now() + Duration::from_millis(50)).await;
        assert_eq!(late.err(), Some(NoPlace::Late));
    }
}
