//! Answers requests: SPARQL, records, feeds and pages, all from the newest snapshot.
//!
//! Nothing here writes, and nothing here fetches: a query that would leave the store is refused before
//! it is evaluated.

mod api;
mod catalogue;
mod dataset;
mod evaluation;
mod negotiation;
mod pages;
mod parameters;
mod problem;
mod rdf_writer;
mod server;
mod sparql;

pub use negotiation::best_match;
pub use rdf_writer::RdfWriter;
pub use server::{ServeError, Server, Settings};
