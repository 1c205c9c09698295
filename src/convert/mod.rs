//! From lifted triples to DCAT-AP graphs: identity, then the conversion queries.
//!
//! The source's own statements stay as they are; what the queries read into them (a code for a free
//! text, the new form of an old property) is a second set of triples, kept apart. Blank nodes become
//! IRIs that a second run repeats.

mod aliases;
mod canonical;
mod custom;
mod filtering;
mod functions;
mod identify;
mod mapping;
mod queries;
mod skolem;
mod tables;
mod unmapped;
mod whereabouts;

pub use canonical::canonical_hash;
pub use custom::{CustomMapping, MappingError};
pub use filtering::RecordFilter;
#[cfg(feature = "fuzzing")]
pub(crate) use functions::every_function;
pub use functions::{Functions, Refusal, record_evaluator, with_record_functions};
pub(crate) use functions::{is_read_as, language_tag};
pub use identify::{Draft, Identifier, NodeClaim, Renames};
pub use mapping::{Mapped, Mapper};
pub(crate) use queries::plain;
pub use queries::{Conversion, Converter, QueryError, parse_query, queries_of_dcat};
pub use unmapped::{MisnamedTerm, Unmapped, UnmappedField};
