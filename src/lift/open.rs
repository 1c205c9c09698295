//! From a body to a page in UTF-8 whose syntax is known, and what the text of a document tells before it is read.

use super::format::{Format, detect};
use super::html::Script;
use super::{LiftError, charset, html};
use crate::fetch::Body;
use encoding_rs::UTF_8;
use oxrdfio::RdfFormat;
use regex::Regex;
use std::io::Read;
use std::sync::LazyLock;
use url::Url;

/// Entities in a document type may be this long: namespaces are, bombs are not.
const MAX_ENTITY: usize = 200;
/// The root element must start within so many bytes.
pub(super) const MAX_PROLOGUE: u64 = 1 << 18;
/// What is not read as a stream may be this long: JSON-LD, web pages, other encodings than UTF-8.
const MAX_IN_MEMORY: u64 = 512 << 20;

/// A page in UTF-8 whose format is known.
#[derive(Debug, Clone)]
pub struct Input {
    /// The page's address, which is its base IRI.
    pub page: Url,
    /// The syntax.
    pub format: RdfFormat,
    /// The bytes; of a web page, those of its JSON-LD, on their lines of the page.
    pub body: Body,
    /// The JSON-LD scripts of a web page; nothing where the body is one document.
    pub scripts: Vec<Script>,
}

impl Input {
    /// A page that is one document.
    #[must_use]
    pub fn document(page: Url, format: RdfFormat, body: Body) -> Self {
        Self { page, format, body, scripts: Vec::new() }
    }
}

/// Brings a page to UTF-8 and to an RDF syntax, whatever it says of itself.
///
/// # Errors
/// When its format is not known, when it is a web page without JSON-LD, when its document type may not be
/// expanded, or when it is so long that it cannot be brought to UTF-8 in memory.
pub fn open(page: &Url, content_type: Option<&str>, body: Body) -> Result<Input, LiftError> {
    let io = |source| LiftError::Io { page: page.to_string(), source };
    let start = first_bytes(&body).map_err(io)?;
    let encoding = charset::encoding(content_type, &start);
    let format = detect(page, content_type, charset::decode(&start, encoding).as_bytes())?;
    let is_utf8 = encoding == UTF_8 && charset::declared_encoding(&start).is_none_or(|declared| declared == UTF_8);
    let body = if is_utf8 && format != Format::Html {
        body
    } else {
        let text = charset::decode(&read_in_memory(page, &body)?, encoding);
        Body::Memory(text.into_bytes().into())
    };
    match format {
        Format::Html => from_html(page, &body.read().map_err(io)?),
        Format::Rdf(format) => {
            if format == RdfFormat::RdfXml {
                refuse_entity_bombs(page, &first_bytes(&body).map_err(io)?)?;
            }
            Ok(Input::document(page.clone(), format, body))
        }
    }
}

/// The whole of a body that may be held in memory.
pub(super) fn read_in_memory(page: &Url, body: &Body) -> Result<Vec<u8>, LiftError> {
    let io = |source| LiftError::Io { page: page.to_string(), source };
    if body.size().map_err(io)? > MAX_IN_MEMORY {
        return Err(LiftError::TooLong { page: page.to_string(), limit: MAX_IN_MEMORY });
    }
    body.read().map_err(io)
}

fn from_html(page: &Url, bytes: &[u8]) -> Result<Input, LiftError> {
    let text = String::from_utf8_lossy(bytes);
    let scripts = html::json_ld(&text);
    let mut faults = scripts.iter().filter_map(|script| script.content.as_ref().err());
    let is_readable = scripts.iter().any(|script| script.content.is_ok());
    match faults.next() {
        Some(fault) if !is_readable => {
            Err(LiftError::BrokenScript { page: page.to_string(), fault: fault.clone() })
        }
        None if scripts.is_empty() => Err(LiftError::WebPage {
            page: page.to_string(),
            portal: if html::is_of_ckan(&text) { "; it is a page of a CKAN portal: add --kind ckan" } else { "" },
            title: html::title(&text).map_or(String::new(), |title| format!(" titled {title:?}")),
            alternate: html::alternate(&text, page)
                .map_or(String::new(), |url| format!("; it links to {url}: harvest that address instead")),
        }),
        _ => Ok(Input {
            page: page.clone(),
            format: RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
            body: Body::Memory(on_their_lines(&scripts).into_bytes().into()),
            scripts,
        }),
    }
}

/// The scripts of a page one after the other, each on its lines.
fn on_their_lines(scripts: &[Script]) -> String {
    let (mut text, mut line) = (String::new(), 1);
    for script in scripts {
        let Ok(content) = &script.content else { continue };
        while line < script.line {
            text.push('\n');
            line += 1;
        }
        text.push_str(content);
        line += u32::try_from(content.matches('\n').count()).unwrap_or(u32::MAX);
    }
    text
}

/// The bytes that formats, charsets and document types are told by.
pub(super) fn first_bytes(body: &Body) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    body.open()?.take(MAX_PROLOGUE).read_to_end(&mut start)?;
    Ok(start)
}

/// Entities are how RDF/XML files abbreviate namespaces; nested or long ones are how parsers are killed.
fn refuse_entity_bombs(page: &Url, start: &[u8]) -> Result<(), LiftError> {
    static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?s)<!ENTITY\s+(%?)\s*\S+\s+(SYSTEM|PUBLIC|"[^"]*"|'[^']*')"#).expect("a static expression")
    });
    let refused = |what| LiftError::DocumentType { page: page.to_string(), what };
    let text = String::from_utf8_lossy(start);
    let is_whole = (start.len() as u64) < MAX_PROLOGUE;
    let Some(prologue) = prologue(&text) else {
        // Without a root element there is nothing that an entity could be used in.
        return if is_whole {
            Ok(())
        } else {
            Err(refused("so much before its first element that it was not looked through"))
        };
    };
    for entity in ENTITY.captures_iter(prologue) {
        let value = &entity[2];
        let what = if !entity[1].is_empty() || value == "SYSTEM" || value == "PUBLIC" {
            "an external or parameter entity"
        } else if value.contains('&') {
            "an entity made of entities"
        } else if value.len() > MAX_ENTITY {
            "a very long entity"
        } else {
            continue;
        };
        return Err(refused(what));
    }
    Ok(())
}

/// Blanks an `xml:base` without an address in the beginning of a document. It is the page's own (RFC 3986, 4.4), and the
/// parser would take it for none.
pub(super) fn blank_empty_base(start: &mut [u8]) {
    static EMPTY: LazyLock<regex::bytes::Regex> =
        LazyLock::new(|| regex::bytes::Regex::new(r#"\bxml:base\s*=\s*(?:""|'')"#).expect("a static expression"));
    let found: Vec<_> = EMPTY.find_iter(start).map(|found| found.range()).collect();
    for range in found {
        start[range].fill(b' ');
    }
}

/// What stands before the root element: declarations, comments, the document type. `None` when the text
/// ends before a root element starts.
fn prologue(text: &str) -> Option<&str> {
    let mut at = 0;
    loop {
        at += text[at..].find('<')?;
        let rest = &text[at..];
        at += if rest.starts_with("<!--") {
            rest.find("-->")? + 3
        } else if rest.starts_with("<?") {
            rest.find("?>")? + 2
        } else if rest.starts_with("<!") {
            doctype_length(rest)?
        } else {
            return Some(&text[..at]);
        };
    }
}

/// The length of a document type, whose subset may hold quotes, comments and declarations of its own.
fn doctype_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '<') if text[at..].starts_with("<!--") => {
                at += text[at..].find("-->")? + 3;
                continue;
            }
            (None, '<' | '[') => depth += 1,
            (None, '>' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '>' {
                    return Some(at + 1);
                }
            }
            (Some(_) | None, _) => {}
        }
        at += c.len_utf8();
    }
    None
}

/// Whether an XML document ends with the end of its root element: the parser takes the end of the bytes
/// for the end of the document, wherever it comes.
pub(super) fn ends_with_its_root(input: &Input) -> std::io::Result<bool> {
    static TRAILER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)(?:\s+|<!--.*?-->|<\?.*?\?>)+$").expect("a static expression"));
    let start = first_bytes(&input.body)?;
    let start = String::from_utf8_lossy(&start);
    let Some(prologue) = prologue(&start) else { return Ok(true) };
    let root = &start[prologue.len() + 1..];
    let name = root.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
    let end = input.body.tail(1 << 16)?;
    let end = String::from_utf8_lossy(&end);
    let end = TRAILER.replace(&end, "");
    let Some(tag) = end.rfind('<').map(|at| &end[at..]) else { return Ok(false) };
    let closes =
        tag.strip_prefix("</").and_then(|tag| tag.strip_suffix('>')).is_some_and(|tag| tag.trim() == name);
    let is_alone = tag.ends_with("/>") && tag[1..].starts_with(name);
    Ok(closes || is_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_entities_that_expand() {
        let page = Url::parse("http://example.org/x.rdf").unwrap();
        let bomb = br#"<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><r/>"#;
        let namespaces = br#"<!DOCTYPE r [<!ENTITY dct "http://purl.org/dc/terms/">]><r/>"#;
        let external = br#"<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r/>"#;
        assert!(refuse_entity_bombs(&page, bomb).is_err());
        assert!(refuse_entity_bombs(&page, external).is_err());
        assert!(refuse_entity_bombs(&page, namespaces).is_ok());
        let behind_a_comment = format!("<!-- {} -->{}", "x".repeat(70_000), String::from_utf8_lossy(bomb));
        assert!(refuse_entity_bombs(&page, behind_a_comment.as_bytes()).is_err());
        let quoted = "<!DOCTYPE r [ <!-- ' > --> <!ENTITY g '>'> <!ENTITY a SYSTEM 'x'> ]><r/>";
        assert!(refuse_entity_bombs(&page, quoted.as_bytes()).is_err());
        let wide: Vec<u8> = String::from_utf8_lossy(bomb).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [&[0xFF, 0xFE][..], &wide].concat();
        let opened = open(&page, None, Body::Memory(wide.into()));
        assert!(matches!(opened, Err(LiftError::DocumentType { .. })), "{opened:?}");
    }
}
