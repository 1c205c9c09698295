//! Which form a client gets: by the ending of the address, else by its Accept header.

use super::problem::Problem;
use crate::sparql::best_match;
use axum::http::{HeaderMap, header};

/// The RDF syntaxes with the endings of their addresses; the first of each name is the one that is given out.
const SYNTAXES: [(&str, &str); 7] = [
    ("ttl", "text/turtle"),
    ("rdf", "application/rdf+xml"),
    ("xml", "application/rdf+xml"),
    ("jsonld", "application/ld+json"),
    ("nt", "application/n-triples"),
    ("trig", "application/trig"),
    ("nq", "application/n-quads"),
];

/// The media type of an ending.
pub(super) fn media_type_of(ending: &str) -> Option<&'static str> {
    match ending {
        "html" => Some("text/html"),
        "json" => Some("application/json"),
        _ => syntax_of(ending),
    }
}

/// The media type of an ending, where it is a syntax of RDF.
pub(super) fn syntax_of(ending: &str) -> Option<&'static str> {
    SYNTAXES.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type)
}

/// The endings of all syntaxes of RDF.
pub(super) fn endings() -> impl Iterator<Item = &'static str> {
    SYNTAXES.iter().map(|(ending, _)| *ending)
}

/// The ending of a syntax of RDF.
pub(super) fn ending_of(media_type: &str) -> &'static str {
    SYNTAXES.iter().find(|(_, known)| *known == media_type).map_or("ttl", |(ending, _)| ending)
}

/// What a client accepts, as it says it.
pub(super) fn accept(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok())
}

/// The form that a client likes best.
pub(super) fn best_of<'o>(headers: &HeaderMap, offers: &[&'o str]) -> Result<&'o str, Problem> {
    best_match(accept(headers), offers).ok_or_else(|| Problem::not_acceptable(offers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_syntaxes_lead_to_one_another() {
        for ending in ["ttl", "rdf", "jsonld", "nt", "trig", "nq"] {
            assert_eq!(syntax_of(ending).map(ending_of), Some(ending));
        }
        assert_eq!((syntax_of("xml"), syntax_of("html")), (Some("application/rdf+xml"), None));
    }
}
