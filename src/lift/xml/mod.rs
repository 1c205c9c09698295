//! XML: elements with their lines, the records among them, and triples that mirror them.

mod document;
mod element;
mod triples;

pub use document::{Broken, XmlPart, behind_prolog, read_xml, xml_text};
pub use element::Element;
pub use triples::lift_xml;
