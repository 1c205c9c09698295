//! Answers requests: SPARQL, records, feeds and pages, all from the newest snapshot.
//!
//! Reading never fetches: a query that would leave the store is refused before it is evaluated. What is changed
//! is changed by tokens alone, and by the modules before this one.

mod api;
mod auth;
mod body;
mod catalogue;
mod connections;
mod dataset;
mod evaluation;
mod harvest;
mod limits;
mod listing;
mod negotiation;
mod openapi;
mod pages;
mod parameters;
mod problem;
mod records;
mod reports;
mod server;
mod sparql;

pub use auth::Operator;
pub use negotiation::best_match;
pub use server::{ServeError, Server, Settings};
