//! XML: elements with their lines, the records among them, and triples that mirror them.

mod document;
mod element;
mod page;
mod triples;

pub use document::{Broken, XmlPart, read_xml};
pub use element::Element;
pub use page::{behind_prolog, xml_text};
pub use triples::lift_xml;
