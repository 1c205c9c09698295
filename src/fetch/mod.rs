//! From a request to a capped, polite, SSRF-safe answer. Knows HTTP and files, no RDF.
//!
//! Invariant: no request leaves for an address that is not public, at any redirect, unless loopback
//! was allowed by name; no answer is longer than its cap after decompression.

mod address;
mod answers;
mod body;
mod client;
mod error;
mod manners;
mod probe;
mod request;
mod resolver;
mod retry;
mod stop;
mod tape;

pub use address::Reach;
pub use body::Body;
pub use client::{Answer, Client, Limits};
pub use error::FetchError;
pub use manners::Budget;
pub use request::{Request, Secret, Validators, Wanted};
pub use stop::{Stop, Stopping};
pub use tape::{Tape, TapeMode};
