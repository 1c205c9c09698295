//! From the bytes of an XML page to its text, and what stands before the root element.

use crate::fetch::Body;
use crate::lift::{LiftError, charset, open::read_in_memory};
use url::Url;

/// The text of an XML page, whatever its encoding.
///
/// # Errors
/// When it cannot be read, is too long to be held, or declares a document type.
pub fn xml_text(page: &Url, content_type: Option<&str>, body: &Body) -> Result<String, LiftError> {
    let bytes = read_in_memory(page, body)?;
    let encoding = charset::encoding(content_type, &bytes[..bytes.len().min(1024)]);
    let text = charset::decode(&bytes, encoding);
    if has_document_type(&text) {
        return Err(LiftError::DocumentType { page: page.to_string(), what: "a document type (DTD)" });
    }
    Ok(text)
}

/// Whether a document type stands before the root element.
fn has_document_type(text: &str) -> bool {
    behind_prolog(text).get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!DOCTYPE"))
}

/// What stands behind the declaration, comments and instructions that a document begins with: its root element, or a
/// document type.
#[must_use]
pub fn behind_prolog(text: &str) -> &str {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") {
            "?>"
        } else {
            return rest;
        };
        let Some((_, behind)) = rest.split_once(end) else { return "" };
        rest = behind.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_type_is_refused_before_anything_is_read() {
        let page = Url::parse("http://example.org/x.xml").unwrap();
        let bomb =
            "<?xml version='1.0'?><!-- <r/> --><!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><r>&b;</r>";
        let external = "<!DOCTYPE r SYSTEM 'http://example.org/r.dtd'><r/>";
        for text in [bomb, external] {
            let body = Body::Memory(text.as_bytes().to_vec().into());
            let refused = xml_text(&page, None, &body);
            assert!(matches!(refused, Err(LiftError::DocumentType { .. })), "{refused:?}");
        }
    }
}
