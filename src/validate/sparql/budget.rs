//! What the queries of shapes may take, over all the graphs that one budget is for.

use super::deadline;
use crate::validate::report::FailureReason;
use spareval::{CancellationToken, QueryEvaluationError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A query that takes so many times its limit in all is given up.
const PATIENCE: u32 = 20;

/// The time that the queries of one plan have taken so far. The mutex is written by every thread that validates.
#[derive(Debug, Default)]
pub struct Budget {
    spent: Mutex<HashMap<QueryId, Spent>>,
}

/// The number of a query in its plan.
pub(in crate::validate) type QueryId = u32;

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    time: Duration,
    is_over: bool,
}

impl Budget {
    /// Runs a query within its time; `None` when it was given up before, which was said then.
    pub(super) fn run<R>(
        &self,
        query: QueryId,
        limit: Duration,
        run: impl FnOnce(CancellationToken) -> Result<R, FailureReason>,
    ) -> Option<Result<R, FailureReason>> {
        if self.spent().get(&query).is_some_and(|spent| spent.is_over) {
            return None;
        }
        let start = Instant::now();
        let (outcome, is_late) = deadline::within(limit, |token| {
            let outcome = run(token.clone());
            // An EXISTS that is cut short looks like one that holds: whatever came out is worth nothing.
            (outcome, token.is_cancelled())
        });
        let elapsed = start.elapsed();
        let mut spent = self.spent();
        let entry = spent.entry(query).or_default();
        entry.time += elapsed;
        if entry.time > limit * PATIENCE {
            entry.is_over = true;
            return Some(Err(FailureReason::GivenUp { limit: limit * PATIENCE }));
        }
        Some(if is_late { Err(FailureReason::Late { limit }) } else { outcome })
    }

    fn spent(&self) -> MutexGuard<'_, HashMap<QueryId, Spent>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<QueryEvaluationError> for FailureReason {
    fn from(error: QueryEvaluationError) -> Self {
        Self::Query(Arc::new(error))
    }
}
