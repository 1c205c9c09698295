//! From a request to a capped, polite, SSRF-safe answer. Knows HTTP and files, no RDF.
//!
//! Invariant: no request leaves for an address that is not public, at any redirect, unless loopback
//! was allowed by name; no answer is longer than its cap after decompression.

mod address;
mod client;
mod error;
mod retry;

pub use address::Reach;
pub use client::{Answer, Body, Client, Limits, Validators};
pub use error::FetchError;
