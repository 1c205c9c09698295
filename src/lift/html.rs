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

/// A JSON-LD script of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The line at which its content begins, from 1.
    pub(super) line: u32,
    /// Its JSON, its lines those of the page behind `line`; or what is wrong with it.
    pub(super) content: Result<String, String>,
}

/// The JSON-LD scripts of a page, in their order. Each is a document of its own: one that is broken says nothing
/// of the others.
pub(super) fn json_ld(page: &str) -> Vec<Script> {
    let (mut line, mut counted) = (1, 0);
    SCRIPT
        .captures_iter(page)
        .filter_map(|found| found.get(1))
        .map(|found| {
            let content = unwrapped(found.as_str());
            // Where the unwrapped content begins in the page.
            let at = found.start() + (content.as_ptr() as usize - found.as_str().as_ptr() as usize);
            line += line_breaks(&page[counted..at]);
            counted = at;
            let content = if content.is_empty() { Ok("[]".to_owned()) } else { json_of(content, line) };
            Script { line, content }
        })
        .collect()
}

fn line_breaks(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// A script without what its JSON is wrapped in for XML and for old browsers, and without the semicolon of JavaScript.
fn unwrapped(script: &str) -> &str {
    static START: LazyLock<Regex> = LazyLock::new(|| expression(r"^(?:\s|//|/\*|\*/|<!\[CDATA\[|<!--)+"));
    static END: LazyLock<Regex> = LazyLock::new(|| expression(r"(?:\s|//|/\*|\*/|\]\]>|-->|;)+$"));
    let start = START.find(script).map_or(0, |found| found.end());
    let script = &script[start..];
    let end = END.find(script).map_or(script.len(), |found| found.start());
    &script[..end]
}

/// The JSON of a script that begins at a line, with line breaks in strings as JSON writes them.
fn json_of(script: &str, line: u32) -> Result<String, String> {
    let check = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| ());
    let Err(error) = check(script) else { return Ok(script.to_owned()) };
    let escaped = with_escaped_controls(script);
    if check(&escaped).is_ok() {
        return Ok(escaped);
    }
    // The parser counts the lines of the script, and readers those of the page.
    let at = line.saturating_add(u32::try_from(error.line()).unwrap_or(1)).saturating_sub(1);
    let words = error.to_string();
    let what = words.split(" at line ").next().unwrap_or(&words);
    Err(format!("{what} at line {at}, column {}", error.column()))
}

/// JSON whose strings have no control character (RFC 8259, 7); the line breaks that were in one stand behind it.
fn with_escaped_controls(script: &str) -> String {
    let mut out = String::with_capacity(script.len() + 16);
    let (mut is_in_string, mut is_escaped, mut breaks) = (false, false, 0);
    for c in script.chars() {
        match c {
            '"' if !is_escaped => {
                is_in_string = !is_in_string;
                out.push(c);
                if !is_in_string {
                    out.extend(std::iter::repeat_n('\n', std::mem::take(&mut breaks)));
                }
            }
            '\n' if is_in_string => {
                out.push_str(if is_escaped { "n" } else { "\\n" });
                breaks += 1;
            }
            '\r' if is_in_string => {}
            c if is_in_string && c.is_control() => out.push(' '),
            c => out.push(c),
        }
        is_escaped = is_in_string && c == '\\' && !is_escaped;
    }
    out
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
        let scripts = json_ld(page);
        assert_eq!(scripts[0], Script { line: 4, content: Ok(r#"{"a":1}"#.to_owned()) });
        assert!(scripts.len() == 2 && scripts[1].content.is_err(), "{scripts:?}");
        assert_eq!(title(page).as_deref(), Some("A b"));
        let base = Url::parse("https://a.example/x/").unwrap();
        assert_eq!(alternate(page, &base).unwrap().as_str(), "https://a.example/c.ttl");
        assert_eq!(json_ld("<html></html>"), []);
    }

    #[test]
    fn what_wraps_a_script_is_taken_off_and_its_lines_stay() {
        let page =
            "<script type='application/ld+json'>\n//<![CDATA[\n{\"a\": \"x\ny\",\n\"b\": 2};\n//]]>\n</script>";
        let [Script { line: 3, content: Ok(content) }] = &json_ld(page)[..] else { panic!("{:?}", json_ld(page)) };
        let value: serde_json::Value = serde_json::from_str(content).unwrap();
        assert_eq!(value, serde_json::json!({"a": "x\ny", "b": 2}));
        // What follows the broken string stands on its line of the page, the fifth.
        assert_eq!(content.lines().position(|line| line.contains("\"b\"")), Some(2));
        let broken = json_ld("<p>\n<script type='application/ld+json'>\n{\"a\":\n oops}</script>");
        assert_eq!(broken[0].content, Err("expected value at line 4, column 2".to_owned()));
    }
}
