//! Records of a JSON interface, as the platform gives them.

use super::crawl::Appetite;
use serde_json::{Map, Value};

/// Records of one page.
#[derive(Debug)]
pub struct JsonRecords {
    /// The platform's address, without a slash at its end: its IRIs begin with it.
    pub site: String,
    /// The page, as places name it.
    pub page: String,
    /// The records, each with an identifier of its own.
    pub records: Vec<JsonRecord>,
}

/// One record.
#[derive(Debug)]
pub struct JsonRecord {
    /// What the platform calls it.
    pub id: String,
    /// Where the publisher can look at it alone.
    pub page: String,
    /// Its fields.
    pub fields: Map<String, Value>,
}

/// What takes the records of a crawl, page by page.
pub type JsonSink<'s> = dyn FnMut(JsonRecords) -> Appetite + 's;
