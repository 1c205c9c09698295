//! The names of syntaxes at the ends of addresses.

/// The media type of an ending.
pub(super) fn media_type_of(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "html" => "text/html",
        "ttl" => "text/turtle",
        "rdf" | "xml" => "application/rdf+xml",
        "jsonld" => "application/ld+json",
        "json" => "application/json",
        "nt" => "application/n-triples",
        "trig" => "application/trig",
        "nq" => "application/n-quads",
        _ => return None,
    })
}
