//! The prefixes that a file declares, so that what its publisher is told to write fits into it.

use super::open::{Input, first_bytes};
use oxrdfio::RdfFormat;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Namespaces by the prefix that a file has for them; the empty prefix is the default one.
pub type Prefixes = BTreeMap<String, String>;

/// The prefixes that the beginning of a page declares. A prefix that it declares twice, differently, is none.
#[must_use]
pub fn prefixes(input: &Input) -> Prefixes {
    let Ok(start) = first_bytes(&input.body) else { return Prefixes::new() };
    let start = String::from_utf8_lossy(&start);
    match input.format {
        RdfFormat::RdfXml => in_xml(&start),
        RdfFormat::JsonLd { .. } => in_json_ld(&start),
        RdfFormat::NTriples | RdfFormat::NQuads => Prefixes::new(),
        _ => in_turtle(&start),
    }
}

fn declared(text: &str, declaration: &Regex) -> Prefixes {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for one in declaration.captures_iter(text) {
        let prefix = one.get(1).map_or("", |prefix| prefix.as_str());
        let Some(namespace) = one.get(2).or_else(|| one.get(3)) else { continue };
        found
            .entry(prefix.to_owned())
            .and_modify(|known| {
                if known.as_deref() != Some(namespace.as_str()) {
                    *known = None;
                }
            })
            .or_insert_with(|| Some(namespace.as_str().to_owned()));
    }
    found.into_iter().filter_map(|(prefix, namespace)| Some((prefix, namespace?))).collect()
}

fn in_turtle(text: &str) -> Prefixes {
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?im)^\s*@?prefix\s+([\w.-]*):\s*<([^>\s]*)>").expect("a static expression")
    });
    declared(text, &PREFIX)
}

fn in_xml(text: &str) -> Prefixes {
    static NAMESPACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\bxmlns(?::([\w.-]+))?\s*=\s*(?:"([^"&]*)"|'([^'&]*)')"#).expect("a static expression")
    });
    declared(text, &NAMESPACE)
}

/// Those of the first context alone: what stands elsewhere with an address is data.
fn in_json_ld(text: &str) -> Prefixes {
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""([A-Za-z][\w.-]*)"\s*:\s*"([a-z]+:[^"\s]*[/#:])""#).expect("a static expression")
    });
    static TERM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""@context"\s*:\s*[\[{]"#).expect("a static expression"));
    let Some(context) = TERM.find(text) else { return Prefixes::new() };
    let body = &text[context.end()..];
    declared(&body[..balanced(body)], &PREFIX)
}

/// Where the bracket that stands before a text is closed.
fn balanced(text: &str) -> usize {
    let (mut depth, mut is_in_string, mut is_escaped) = (1_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => is_in_string = !is_in_string,
            '{' | '[' if !is_in_string => depth += 1,
            '}' | ']' if !is_in_string => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        is_escaped = is_in_string && c == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(found: &Prefixes) -> Vec<String> {
        found.iter().map(|(prefix, namespace)| format!("{prefix}={namespace}")).collect()
    }

    #[test]
    fn prefixes_are_read_in_each_syntax() {
        let turtle = "@prefix dcterms: <http://purl.org/dc/terms/> .\nPREFIX : <http://a/>\n# @prefix no: <x> .";
        assert_eq!(texts(&in_turtle(turtle)), ["=http://a/", "dcterms=http://purl.org/dc/terms/"]);
        let xml = "<rdf:RDF xmlns:dc='http://purl.org/dc/terms/'\n xmlns=\"http://a/\"><x xmlns:dc='http://b/'/></rdf:RDF>";
        assert_eq!(texts(&in_xml(xml)), ["=http://a/"], "a prefix that changes is none");
        let json = r#"{"@context": [{"dct": "http://purl.org/dc/terms/", "title": {"@id": "dct:title"}}, "https://c/"],
            "homepage": "http://b/"}"#;
        assert_eq!(texts(&in_json_ld(json)), ["dct=http://purl.org/dc/terms/"]);
    }
}
