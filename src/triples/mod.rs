//! Interned, immutable, indexed triples in memory: what convert, validate and derive read.
//!
//! A [`Graph`] keeps each term once and each triple as three integers in three sorted orders, so that
//! a pattern is a binary search and a small graph costs microseconds to build. [`GraphView`] lets
//! SPARQL (spareval) read one graph, or a graph together with a vocabulary that is loaded once and
//! shared.
//!
//! Invariant: a `Graph` never changes after [`GraphBuilder::build`].

mod algebra;
mod batches;
mod graph;
mod json_ld_writer;
mod nesting;
mod rdf_writer;
mod view;

pub use algebra::{Part, calls, calls_out, is_volatile, parts, services, walk};
pub use batches::independent_batches;
pub use graph::{Graph, GraphBuilder, TermId};
pub use nesting::is_too_deep;
pub use rdf_writer::{RdfWriter, as_xml_text, ends_in_a_name, is_xml_text};
pub use view::{GraphView, ViewTerm};
