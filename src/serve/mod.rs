//! Answers requests: SPARQL, records, feeds and pages, all from the newest snapshot.
//!
//! Nothing here writes, and nothing here fetches: a query that would leave the store is refused before
//! it is evaluated.

mod api;
mod catalogue;
mod dataset;
mod negotiation;
mod pages;
mod problem;
mod server;
mod sparql;

pub use negotiation::best_match;
pub use server::{ServeError, Server, Settings};
