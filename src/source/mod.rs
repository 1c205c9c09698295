//! From a source's address to a stream of lifted pages, cut into windows of whole records.
//!
//! Invariant: a window holds every statement that its page makes about the records it names; memory
//! is bounded by the window and by what the page leaves unfinished, not by the page.

mod block;
mod catalogue;
mod census;
mod ckan;
mod crawl;
mod csw;
mod dcat;
mod dcat_us;
mod detect;
mod foreign;
mod json;
mod json_pages;
mod json_stream;
mod lineage;
mod lives;
mod opendatasoft;
mod paging;
mod platform_catalogue;
mod records;
mod selection;
mod utf8;
mod window;

pub use catalogue::CatalogueDescription;
pub use census::Census;
pub use crawl::{Appetite, Crawl, CrawlLimits, CrawlOutcome, PageNotes, Selection, Sink, SourceError, Target};
pub use csw::{CatalogueSettings, OUTPUT_SCHEMAS};
pub use detect::{Detected, detect};
pub use lineage::{Lineage, Piece};
pub use records::{Content, JsonRecord, Portion, PortionSink, Record, RecordSink, Records, XmlRecord};
pub use selection::{Condition, Facet, FilterError, Filters, parse_date};
pub use window::{Origin, Root, Window, window_of};
