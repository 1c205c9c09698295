//! What is asked for, and with what key.

use url::Url;

/// What a request is for: it decides what is preferred in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// RDF, then what RDF is often served as, then anything.
    Rdf,
    /// A JSON-LD context: its hosts would rather give Turtle to those who take it.
    JsonLdContext,
    /// The answer of a JSON interface.
    Json,
    /// The answer of an XML interface.
    Xml,
    /// The solutions of a SPARQL query.
    Solutions,
}

impl Wanted {
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Rdf => {
                "text/turtle, application/rdf+xml;q=0.95, application/ld+json;q=0.9, \
                 application/n-quads;q=0.85, application/n-triples;q=0.85, application/trig;q=0.85, text/n3;q=0.8, \
                 application/xml;q=0.6, application/json;q=0.6, text/html;q=0.3, */*;q=0.1"
            }
            Self::JsonLdContext => "application/ld+json, application/json;q=0.9, */*;q=0.1",
            Self::Json => "application/json, */*;q=0.1",
            Self::Solutions => "application/sparql-results+json, application/sparql-results+xml;q=0.9",
            Self::Xml => "application/xml, text/xml;q=0.9, */*;q=0.1",
        }
    }
}

/// A key to an interface, which no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// The address.
    pub url: &'r Url,
    /// What is preferred.
    pub wanted: Wanted,
    /// What the last answer said, so that an unchanged one is not sent again.
    pub known: Option<&'r Validators>,
    /// The value of the Authorization header; it goes to the host of `url` and to no other.
    pub authorization: Option<&'r Secret>,
    /// Only so many bytes of the answer, or a few more, where its beginning is enough.
    pub beginning: Option<usize>,
    /// A document of XML to be sent: the request is a POST, and so after a redirect.
    pub xml: Option<&'r str>,
}

impl<'r> Request<'r> {
    /// Asks for an address, unconditionally and without a key.
    #[must_use]
    pub fn new(url: &'r Url, wanted: Wanted) -> Self {
        Self { url, wanted, known: None, authorization: None, beginning: None, xml: None }
    }
}

/// What the last answer said about its version (RFC 9110, 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag, as sent.
    pub etag: Option<String>,
    /// The modification date, as sent.
    pub last_modified: Option<String>,
}
