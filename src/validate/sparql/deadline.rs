//! The time that one SPARQL query of a shapes graph may take.
//!
//! Shapes come from anyone: a query that multiplies the graph by itself would hold a harvest for days.
//! Constraints run once a focus node, far too often for a timer each, so each thread that evaluates them
//! notes when its present query began, and one watching thread cancels those that are late.

use spareval::CancellationToken;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often late queries are looked for.
const BEAT: Duration = Duration::from_millis(100);

/// What a thread evaluates at present.
#[derive(Default)]
struct Desk(Mutex<Option<Query>>);

struct Query {
    deadline: Instant,
    token: CancellationToken,
}

impl Desk {
    fn query(&self) -> MutexGuard<'_, Option<Query>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static DESKS: LazyLock<Mutex<Vec<Weak<Desk>>>> = LazyLock::new(|| {
    std::thread::Builder::new()
        .name("query deadlines".to_owned())
        .spawn(|| {
            loop {
                std::thread::sleep(BEAT);
                cancel_late(Instant::now());
            }
        })
        .expect("a thread can be started");
    Mutex::default()
});

thread_local! {
    static DESK: Arc<Desk> = {
        let desk = Arc::new(Desk::default());
        DESKS.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&desk));
        desk
    };
}

/// Runs a query whose token is cancelled when it takes too long.
pub(super) fn within<R>(limit: Duration, run: impl FnOnce(CancellationToken) -> R) -> R {
    let token = CancellationToken::new();
    DESK.with(|desk| {
        *desk.query() = Some(Query { deadline: Instant::now() + limit, token: token.clone() });
        let outcome = run(token);
        *desk.query() = None;
        outcome
    })
}

/// Cancels what is past its deadline, and forgets threads that ended.
fn cancel_late(now: Instant) {
    let mut desks = DESKS.lock().unwrap_or_else(PoisonError::into_inner);
    desks.retain(|desk| {
        let Some(desk) = desk.upgrade() else { return false };
        if let Some(query) = desk.query().as_ref().filter(|query| query.deadline <= now) {
            query.token.cancel();
        }
        true
    });
}
