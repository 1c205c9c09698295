//! What the answer to a request is, by its first element.

use crate::lift::{Element, XmlPart, behind_prolog, read_xml};
use std::ops::ControlFlow;

/// What a document is, by its first element.
pub(super) enum Contents {
    Capabilities(Box<Element>),
    /// A refusal, in its own words.
    Exception(String),
    /// A web page.
    Page,
    /// Records, or what may hold some.
    Records,
    /// Something else, with its beginning.
    Other(String),
}

pub(super) fn is_web_page(text: &str) -> bool {
    let start: String = text.chars().take(500).collect::<String>().to_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// Says what a document is.
pub(super) fn first_element(text: &str) -> Contents {
    let mut first = None;
    let is_whole = |element: &Element| matches!(element.local(), "Capabilities" | "ExceptionReport");
    let _ = read_xml(text, &is_whole, &mut |part| {
        first = Some(part);
        ControlFlow::Break(())
    });
    match first {
        Some(XmlPart::Record { element, .. }) if element.local() == "Capabilities" => {
            Contents::Capabilities(Box::new(element))
        }
        Some(XmlPart::Record { element, .. }) => Contents::Exception(exception(&element)),
        _ if is_web_page(text) => Contents::Page,
        Some(XmlPart::Around(_)) => Contents::Records,
        Some(XmlPart::Broken(broken)) => {
            Contents::Other(format!("XML that is not well formed ({}, line {})", broken.message, broken.line))
        }
        None => Contents::Other(format!("{:?}", text.trim().chars().take(60).collect::<String>())),
    }
}

/// What an `ows:ExceptionReport` says (OGC 06-121r3, 8).
fn exception(report: &Element) -> String {
    let mut said = Vec::new();
    for exception in report.children.iter().filter(|child| child.local() == "Exception") {
        let code = exception.attribute("exceptionCode").unwrap_or("an exception without a code");
        let at = exception.attribute("locator").map_or(String::new(), |locator| format!(" ({locator})"));
        let texts: Vec<&str> = exception.children.iter().filter_map(Element::any_text).collect();
        said.push(format!("{code}{at}: {}", texts.join(" ")));
    }
    let text = said.join("; ");
    format!("the catalogue refuses: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a document begins as an ISO record or an answer of a catalogue service does. Its end may be missing.
pub(in crate::source) fn begins_as_catalogue(start: &str) -> bool {
    let mut root = behind_prolog(start);
    // A document type is refused where the document is read, and there it is said why.
    if root.starts_with("<!") {
        root = root.split_once('>').map_or("", |(_, behind)| behind_prolog(behind));
    }
    let name = root.strip_prefix('<').unwrap_or_default();
    let name = name.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
    matches!(
        name.rsplit(':').next(),
        Some("GetRecordsResponse" | "GetRecordByIdResponse" | "MD_Metadata" | "MI_Metadata" | "Capabilities")
    )
}
