//! Answers of a JSON interface.

use super::crawl::SourceError;
use super::utf8::Utf8Reader;
use crate::fetch::Body;
use crate::lift::LiftError;
use serde_json::Value;

/// Reads an answer of the interface of a platform, by the platform's name.
pub(super) fn answer_of(platform: &str, page: &str, body: &Body) -> Result<Value, SourceError> {
    let bytes = body.read().map_err(|source| LiftError::Io { page: page.to_owned(), source })?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let (reader, _) = Utf8Reader::new(bytes);
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    let parsed = if is_utf8 { serde_json::from_slice(bytes) } else { serde_json::from_reader(reader) };
    let answer = parsed.map_err(|error| {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).trim().to_owned();
        let what = if start.starts_with('<') { "a web page" } else { "no JSON" };
        interface_error(
            page,
            &format!("the interface of {platform} would answer in JSON, and this is {what} ({error}): {start:?}"),
        )
    })?;
    match answer {
        Value::String(text) => Err(interface_error(page, &format!("the portal says: {text:?}"))),
        answer => Ok(answer),
    }
}

pub(super) fn interface_error(page: &str, message: &str) -> SourceError {
    SourceError::Interface { page: page.to_owned(), message: message.to_owned() }
}

/// A reader behind the mark of UTF-8, which JSON does not know.
pub(super) fn without_mark(reader: impl std::io::Read) -> impl std::io::Read {
    use std::io::{BufRead, BufReader};
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    if reader.fill_buf().is_ok_and(|start| start.starts_with(b"\xEF\xBB\xBF")) {
        reader.consume(3);
    }
    reader
}
