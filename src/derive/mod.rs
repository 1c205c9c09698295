//! From stored graphs to the platform's dataset records, in udata's terms.
//!
//! The queries of `queries/record/` decide every value; here their rows are only put in order. A record
//! is derived when it is harvested and kept, or when it is asked for; it is never edited.

mod assemble;
mod mended;
mod nested;
mod quality;
mod record;
mod rows;
mod search;
mod selection;
mod statistics;
mod web;

pub use mended::published;
pub use quality::{Assessment, DIMENSIONS, Gain, INDICATORS, Indicator, Points, Score};
pub use record::{Checksum, ContactPoint, HarvestInfo, Organization, Record, Resource, Spatial, TemporalCoverage};
pub use rows::{DeriveError, Deriver, Described, Kept, Seen, kept_title, queries_of_records};
pub use search::{Hits, SearchError, SearchIndex, bring_index_to};
pub use selection::{Catalogue, Filter, Order, OrderKey, Selection, organization_id, with_spatial_functions};
pub use statistics::Statistics;
pub use web::{WebDescriber, WebDescription};
