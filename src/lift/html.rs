//! Structured data in web pages: JSON-LD scripts, and links to alternates.
//!
//! The content of a script element is raw text up to its end tag (HTML, 13.2.5.4), so an expression
//! finds it exactly; no tree is needed.

use regex::Regex;
use std::sync::LazyLock;
use url::Url;

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("a static expression")
}

static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    expression(r#"(?is)<script[^>]*\btype\s*=\s*["']?application/ld\+json\b[^>]*>(.*?)</script"#)
});
static TITLE: LazyLock<Regex> = LazyLock::new(|| expression(r"(?is)<title[^>]*>\s*(.*?)\s*</title"));
static LINK: LazyLock<Regex> = LazyLock::new(|| expression(r"(?is)<link\b[^>]*>"));
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| expression(r#"(?is)\b(rel|type|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#));

static CKAN: LazyLock<Regex> = LazyLock::new(|| {
    expression(r#"(?is)<meta\b[^>]*\bname\s*=\s*["']generator["'][^>]*\bcontent\s*=\s*["']ckan\b"#)
});

/// Whether a page says that CKAN made it.
pub(super) fn is_of_ckan(page: &str) -> bool {
    CKAN.is_match(page)
}

/// The JSON-LD of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scripts {
    /// There is none.
    None,
    /// There is, and none of it is JSON; with the first fault.
    Broken(String),
    /// All of it as one document.
    Read(String),
}

/// Takes the JSON-LD scripts out of a page.
pub(super) fn json_ld(page: &str) -> Scripts {
    let mut fault = None;
    let mut scripts = Vec::new();
    for found in SCRIPT.captures_iter(page).filter_map(|found| found.get(1)) {
        let script = found.as_str().trim();
        match serde_json::from_str::<serde::de::IgnoredAny>(script) {
            Ok(_) => scripts.push(script),
            Err(error) => fault = fault.or(Some(error.to_string())),
        }
    }
    match (scripts.as_slice(), fault) {
        ([], None) => Scripts::None,
        ([], Some(fault)) => Scripts::Broken(fault),
        ([script], _) => Scripts::Read((*script).to_owned()),
        // An array of documents is a document (JSON-LD 1.1, 9).
        (many, _) => Scripts::Read(format!("[{}]", many.join(","))),
    }
}

/// The page's title.
pub(super) fn title(page: &str) -> Option<String> {
    TITLE.captures(page).map(|found| found[1].split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The address of an RDF alternate that the page links to.
pub(super) fn alternate(page: &str, base: &Url) -> Option<Url> {
    LINK.find_iter(page).find_map(|link| {
        let attribute = |wanted: &str| {
            ATTRIBUTE.captures_iter(link.as_str()).find_map(|found| {
                let value = found.get(2).or(found.get(3)).or(found.get(4))?;
                found[1].eq_ignore_ascii_case(wanted).then(|| value.as_str().to_owned())
            })
        };
        let is_alternate = attribute("rel")?.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("alternate"));
        let media_type = attribute("type")?.to_ascii_lowercase();
        let is_rdf = ["rdf+xml", "turtle", "ld+json", "n-triples", "trig", "n3"]
            .iter()
            .any(|name| media_type.contains(name));
        if is_alternate && is_rdf { base.join(&attribute("href")?).ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_scripts_and_alternates() {
        let page = r#"<html><title> A
            b </title><link rel="alternate" type="application/atom+xml" href="/feed">
            <link href='/c.ttl' type='text/turtle' rel='alternate'>
            <script type="application/ld+json">{"a":1}</script><script type=application/ld+json>oops</script>"#;
        assert_eq!(json_ld(page), Scripts::Read(r#"{"a":1}"#.to_owned()));
        assert_eq!(title(page).as_deref(), Some("A b"));
        let base = Url::parse("https://a.example/x/").unwrap();
        assert_eq!(alternate(page, &base).unwrap().as_str(), "https://a.example/c.ttl");
        assert_eq!(json_ld("<html></html>"), Scripts::None);
        let broken = json_ld("<script type='application/ld+json'>{oops}</script>");
        assert!(matches!(broken, Scripts::Broken(_)), "{broken:?}");
    }
}
