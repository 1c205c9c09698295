//! Moisson harvests open-data catalogues: every source becomes DCAT-AP triples in an embedded store,
//! is validated with SHACL, and is served by SPARQL. The modules are the way of the data, each
//! reading only from those above it.

pub mod vocab;
pub mod config;
pub mod triples;
pub mod catalog;
pub mod fetch;
pub mod lift;
pub mod source;
pub mod convert;
pub mod validate;
pub mod store;
pub mod operations;
pub mod derive;
pub mod harvest;
pub mod serve;
pub mod cli;
