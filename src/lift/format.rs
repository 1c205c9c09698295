//! Which format bytes are in: by content type, then by suffix, then by looking at them.

use super::LiftError;
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use url::Url;

/// A format that can be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// An RDF syntax.
    Rdf(RdfFormat),
    /// A web page, which may hold JSON-LD.
    Html,
}

const JSON_LD: Format = Format::Rdf(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() });

/// Detects the format of a page by its first bytes in UTF-8.
///
/// Content types that say nothing (`text/plain`, `application/octet-stream`) or that the content
/// contradicts (`text/html` on Turtle, which misconfigured servers send) give way to the bytes.
///
/// # Errors
/// [`LiftError::UnknownFormat`] when nothing tells.
pub(super) fn detect(page: &Url, content_type: Option<&str>, start: &[u8]) -> Result<Format, LiftError> {
    let stated = content_type.and_then(by_media_type).or_else(|| by_suffix(page));
    let seen = by_content(start);
    match (stated, seen) {
        (Some(stated), Some(seen)) if !agree(stated, seen) => Ok(seen),
        (Some(stated), _) => Ok(stated),
        (None, Some(seen)) => Ok(seen),
        (None, None) => Err(LiftError::UnknownFormat {
            page: page.to_string(),
            content_type: content_type.unwrap_or("-").to_owned(),
            start: String::from_utf8_lossy(&start[..start.len().min(40)]).into_owned(),
        }),
    }
}

fn by_media_type(content_type: &str) -> Option<Format> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/turtle" | "application/x-turtle" | "application/turtle" => Some(Format::Rdf(RdfFormat::Turtle)),
        "application/rdf+xml" | "application/xml" | "text/xml" => Some(Format::Rdf(RdfFormat::RdfXml)),
        "application/ld+json" | "application/json" | "text/json" => Some(JSON_LD),
        "application/n-triples" => Some(Format::Rdf(RdfFormat::NTriples)),
        "application/n-quads" => Some(Format::Rdf(RdfFormat::NQuads)),
        "application/trig" | "application/x-trig" => Some(Format::Rdf(RdfFormat::TriG)),
        "text/n3" | "text/rdf+n3" => Some(Format::Rdf(RdfFormat::N3)),
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        _ => None,
    }
}

fn by_suffix(page: &Url) -> Option<Format> {
    let (_, suffix) = page.path().rsplit_once('.')?;
    match suffix.to_ascii_lowercase().as_str() {
        "ttl" => Some(Format::Rdf(RdfFormat::Turtle)),
        "rdf" | "xml" | "owl" => Some(Format::Rdf(RdfFormat::RdfXml)),
        "jsonld" | "json" => Some(JSON_LD),
        "nt" => Some(Format::Rdf(RdfFormat::NTriples)),
        "nq" => Some(Format::Rdf(RdfFormat::NQuads)),
        "trig" => Some(Format::Rdf(RdfFormat::TriG)),
        "n3" => Some(Format::Rdf(RdfFormat::N3)),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}

/// Looks at the first bytes. Turtle stands for all the Turtle-like syntaxes.
fn by_content(start: &[u8]) -> Option<Format> {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.get(..text.len().min(2000)).unwrap_or(text).to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Some(Format::Html);
    }
    let starts_xml = ["<?xml", "<rdf:", "<rdf ", "<!--", "<!doctype rdf"];
    if starts_xml.iter().any(|start| lower.starts_with(start)) {
        let is_page = lower.contains("<html") && !lower.contains("rdf:rdf");
        return Some(if is_page { Format::Html } else { Format::Rdf(RdfFormat::RdfXml) });
    }
    // Turtle, too, may start with a bracket; what stands in it is no JSON then.
    let in_list = lower.strip_prefix('[').map(str::trim_start);
    if lower.starts_with('{') || in_list.is_some_and(|rest| rest.starts_with(['{', '[', ']'])) {
        return Some(JSON_LD);
    }
    let is_turtle = lower.starts_with("@prefix") || lower.starts_with("@base") || lower.starts_with("prefix ");
    let is_lines = lower.starts_with('<') && lower.contains("> <");
    (is_turtle || is_lines || lower.starts_with('#')).then_some(Format::Rdf(RdfFormat::Turtle))
}

/// Whether what was seen leaves the stated format possible.
fn agree(stated: Format, seen: Format) -> bool {
    let family = |format| match format {
        Format::Html => 0,
        Format::Rdf(RdfFormat::RdfXml) => 1,
        Format::Rdf(RdfFormat::JsonLd { .. }) => 2,
        Format::Rdf(_) => 3,
    };
    family(stated) == family(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(url: &str, content_type: Option<&str>, start: &str) -> Option<Format> {
        detect(&Url::parse(url).unwrap(), content_type, start.as_bytes()).ok()
    }

    #[test]
    fn asks_the_header_then_the_suffix_then_the_bytes() {
        let turtle = Some(Format::Rdf(RdfFormat::Turtle));
        assert_eq!(detected("http://a/x", Some("text/turtle; charset=utf-8"), "<a> <b> <c>."), turtle);
        assert_eq!(detected("http://a/x.ttl?v=1", Some("text/plain"), "\n"), turtle);
        assert_eq!(detected("http://a/x", Some("text/html"), "@prefix a: <b>."), turtle);
        assert_eq!(detected("http://a/x", Some("text/turtle"), "<!DOCTYPE html><html>"), Some(Format::Html));
        assert_eq!(detected("http://a/x", None, "  {\"@id\":1}"), Some(JSON_LD));
        assert_eq!(detected("http://a/x.nt", None, "<a> <b> <c> ."), Some(Format::Rdf(RdfFormat::NTriples)));
        assert_eq!(detected("http://a/x", None, "[\r\n  {\"@id\":1}"), Some(JSON_LD));
        assert_eq!(detected("http://a/x.ttl", None, "[\n a <b> ] ."), turtle);
        let rdf_xml = Some(Format::Rdf(RdfFormat::RdfXml));
        assert_eq!(detected("http://a/x", None, "<!DOCTYPE rdf:RDF [<!ENTITY a 'b'>]>"), rdf_xml);
        assert_eq!(
            detected("http://a/x", None, "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"),
            rdf_xml
        );
        assert_eq!(detected("http://a/x", None, "hello"), None);
    }
}
