//! Answers queries safely: in processes of their own, on snapshots, within limits.
//!
//! The server hands a [`Question`] to a [`Pool`] of worker processes, each of which opens a snapshot read-only,
//! evaluates one query at a time, and gives back a [`Reply`]. A worker that passes a limit is killed; the next
//! query gets another one. A question that cannot take long ([`Light`]) needs none of them; the text of any other is
//! trusted to a worker only.
//!
//! Invariants: nothing is evaluated that writes, or that leaves the store for a service that the operator did not
//! name; an answer is of one snapshot alone.

mod csv;
mod evaluate;
mod federation;
mod functions;
mod light;
mod narrow;
mod negotiation;
mod pool;
mod process;
mod question;
mod reading;
mod shares;
mod usage;
mod wire;
mod worker;

pub use functions::{searches, with_public_functions};
pub use light::Light;
pub use negotiation::best_match;
pub use pool::{AnswerBody, Answered, Failure, Pool, PoolSettings};
pub use question::{Question, Refusal, Reply};
pub use reading::{LONGEST_QUERY, Readable, read};
pub use worker::{WorkerSettings, work};
