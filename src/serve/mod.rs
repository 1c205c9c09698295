//! Answers requests: SPARQL, records, feeds and pages, all from the newest snapshot.
//!
//! Reading never fetches: a query that would leave the store is refused before it is evaluated. What is changed
//! is changed by tokens alone, and by the modules before this one.

mod answer;
mod api;
mod auth;
mod body;
mod client;
mod connections;
mod dataset;
mod describing;
mod dump;
mod feed;
mod filters;
mod graph_store;
mod harvest;
mod limits;
mod listing;
mod moment;
mod negotiated;
mod openapi;
mod pages;
mod parameters;
mod patience;
mod problem;
mod query_page;
mod readers;
mod records;
mod reports;
mod robots;
mod routes;
mod server;
mod signposts;
mod sparql;
mod tagged;
mod threads;
mod upkeep;

pub use auth::Operator;
pub use server::{ServeError, Server, Settings};
