//! States of the catalogue that somebody pages through: a reader who starts on one ends on it.

use super::problem::Problem;
use super::server::{Opened, Shared};
use crate::store::StoreError;
use axum::http::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// States that are open at once.
const MOST: usize = 32;
/// With so many open, readers start together.
const MANY: usize = 8;
/// The age at which a state is too old to be started on, where many are open.
const FRESH: Duration = Duration::from_secs(5);

/// The states that are read.
#[derive(Default)]
pub(super) struct Readers {
    open: Mutex<Vec<Reading>>,
}

struct Reading {
    opened: Arc<Opened>,
    since: Instant,
    used: Instant,
}

impl Readers {
    /// The state that a new reader starts on: the newest, as a rule.
    pub(super) fn start(&self, shared: &Shared) -> Result<Arc<Opened>, StoreError> {
        let newest = shared.snapshot()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = Duration::from_secs(60 * shared.settings.config.service.snapshots.paging_minutes);
        open.retain(|reading| reading.used.elapsed() < patience);
        let now = Instant::now();
        if let Some(known) = open.iter_mut().find(|reading| reading.opened.number() == newest.number()) {
            known.used = now;
            return Ok(newest);
        }
        let is_crowded = open.len() >= MANY;
        if let Some(last) = open.last_mut().filter(|last| is_crowded && last.since.elapsed() < FRESH) {
            last.used = now;
            return Ok(Arc::clone(&last.opened));
        }
        drop(open);
        self.note(&newest);
        Ok(newest)
    }

    /// Notes that a state is read; of too many, the one that was used longest ago is forgotten.
    fn note(&self, opened: &Arc<Opened>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST
            && let Some(oldest) = (0..open.len()).min_by_key(|at| open[*at].used)
        {
            open.remove(oldest);
        }
        let now = Instant::now();
        open.push(Reading { opened: Arc::clone(opened), since: now, used: now });
    }

    /// The state that a reader is on.
    pub(super) fn go_on(&self, shared: &Shared, number: u64) -> Result<Arc<Opened>, Problem> {
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = open.iter_mut().find(|reading| reading.opened.number() == number) {
                known.used = Instant::now();
                return Ok(Arc::clone(&known.opened));
            }
        }
        let newest = shared.snapshot()?;
        if newest.number() == number {
            self.note(&newest);
            return Ok(newest);
        }
        // Kept by the policy, or a server before this one had it open.
        match shared.settings.folder.snapshot_numbered(number) {
            Ok(snapshot) => {
                let opened = Opened::new(snapshot);
                self.note(&opened);
                Ok(opened)
            }
            Err(StoreError::NoSnapshot { .. }) => {
                let detail = format!(
                    "state {number} of the catalogue is not kept any more: start again at the first page, whose \
                     address has no snapshot"
                );
                Err(Problem::new(StatusCode::GONE, "State not kept", detail))
            }
            Err(error) => Err(error.into()),
        }
    }
}
