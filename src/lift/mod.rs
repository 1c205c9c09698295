//! From bytes to triples that mirror them, each with its line.
//!
//! RDF is read leniently: an invalid IRI is repaired and reported, a bad literal kept, and a syntax
//! error costs what it stands in, not the page. Blank nodes keep their label, or are numbered in the
//! order in which they come, so that two readings of the same bytes agree.

mod charset;
mod contexts;
mod format;
mod html;
mod json;
mod lines;
mod mend;
mod open;
mod page_text;
mod parse;
mod places;
mod prefixes;
mod rdf;
mod repair;
mod xml;

pub use contexts::Contexts;
pub use html::Script;
pub use json::{lift_json, lifted_base};
pub use mend::{Fault, Repair, mend};
pub use open::{Input, open};
pub use page_text::PageText;
pub use places::json_places;
pub use prefixes::{Prefixes, prefixes};
pub use rdf::{LiftedTriple, Reading, SyntaxProblem, read, read_valid};
pub(crate) use repair::iri as repaired_iri;
pub use xml::{Broken, Element, XmlPart, behind_prolog, lift_xml, read_xml, xml_text};

/// Why bytes could not be lifted at all.
#[derive(Debug, thiserror::Error)]
pub enum LiftError {
    /// A web page without structured data.
    #[error("{page}: this is a web page{title}, and it holds no JSON-LD{portal}{alternate}")]
    WebPage {
        /// The page's address.
        page: String,
        /// Its title, with a lead-in.
        title: String,
        /// What kind of source it belongs to, with a lead-in.
        portal: &'static str,
        /// Where RDF is, with a lead-in.
        alternate: String,
    },
    /// Neither type, name nor content tell the format.
    #[error(
        "{page}: the format is not known: Content-Type is {content_type}, and the content starts with {start:?}; RDF/XML, Turtle, N-Triples, N-Quads, TriG, N3 and JSON-LD are read"
    )]
    UnknownFormat {
        /// The page's address.
        page: String,
        /// The header, or a dash.
        content_type: String,
        /// The first characters.
        start: String,
    },
    /// A JSON-LD context that must be fetched first.
    #[error("{page}: the JSON-LD context {url} is needed")]
    MissingContext {
        /// The page's address.
        page: String,
        /// The context's address.
        url: String,
    },
    /// A document type that could expand without bound.
    #[error("{page}: the XML document type declares {what}, which is refused")]
    DocumentType {
        /// The page's address.
        page: String,
        /// What is refused.
        what: &'static str,
    },
    /// A web page whose structured data cannot be read.
    #[error("{page}: this web page holds JSON-LD, which is not valid JSON: {fault}")]
    BrokenScript {
        /// The page's address.
        page: String,
        /// The parser's words.
        fault: String,
    },
    /// Content that would have to be held in memory, and is too long for it.
    #[error(
        "{page}: this form of content is read up to {limit} bytes; serve it as N-Triples, Turtle or RDF/XML in UTF-8, or in pages"
    )]
    TooLong {
        /// The page's address.
        page: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A base address that is no IRI.
    #[error("{page}: the address is not an IRI")]
    Base {
        /// The page's address.
        page: String,
    },
    /// The bytes could not be read.
    #[error("{page}: the content could not be read")]
    Io {
        /// The page's address.
        page: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}
