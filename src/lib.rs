//! Moisson harvests open-data catalogues: every source becomes DCAT-AP triples in an embedded store,
//! is validated with SHACL, and is served by SPARQL. The modules are the way of the data, each
//! reading only from those above it.

pub mod catalog;
pub mod cli;
pub mod config;
pub mod convert;
pub mod derive;
pub mod fetch;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod harvest;
pub mod jobs;
pub mod lift;
pub mod operations;
pub mod report;
pub mod serve;
pub mod source;
pub mod sparql;
pub mod store;
pub mod triples;
pub mod validate;
pub mod vocab;
