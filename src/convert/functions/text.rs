//! Texts: HTML, tags, addresses.

use crate::lift::repaired_iri;
use oxrdf::{Literal, Term};
use regex::Regex;
use std::sync::LazyLock;

/// Whether a text holds HTML: a tag of HTML or a character reference. `<draft>` is neither.
pub(super) fn is_html(written: &str) -> bool {
    static HTML: LazyLock<Regex> = LazyLock::new(|| {
        let tags = "p|br|div|span|a|b|i|u|em|strong|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|img|script|style|blockquote|pre|code|hr|font|sup|sub|small|center|dl|dt|dd|iframe|section|article|abbr|cite";
        Regex::new(&format!(r"(?i)</?({tags})(\s[^<>]*)?/?>|&[a-z]{{2,8}};|&#\d+;")).expect("a static expression")
    });
    HTML.is_match(written)
}

/// Markdown of a text; scripts and styles are dropped with their content.
pub(super) fn markdown(written: &str) -> String {
    if !is_html(written) {
        return written.trim().to_owned();
    }
    let text = converted(written);
    static UNSAFE_LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\[([^\]]*)\]\(\s*(?:javascript|data|vbscript):[^)]*\)+").expect("a static expression")
    });
    UNSAFE_LINK.replace_all(text.trim(), "$1").into_owned()
}

/// Up to so many tags, HTML is converted on the stack at hand: the converter goes down a level for each.
const SHALLOW: usize = 500;
/// Past so many it is not converted, only freed of its tags.
const DEEP: usize = 20_000;

fn converted(html: &str) -> String {
    let convert = |html: &str| {
        let converter = htmd::HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "iframe"]).build();
        converter.convert(html).unwrap_or_else(|_| without_tags(html))
    };
    match memchr::memchr_iter(b'<', html.as_bytes()).count() {
        0..=SHALLOW => convert(html),
        number if number > DEEP => without_tags(html),
        _ => std::thread::scope(|scope| {
            let on_deep_stack = std::thread::Builder::new().stack_size(256 << 20);
            let running = on_deep_stack.spawn_scoped(scope, || convert(html));
            running.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| without_tags(html))
        }),
    }
}

fn without_tags(html: &str) -> String {
    static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?is)<(script|style|iframe)\b.*?</(script|style|iframe)\s*>|<[^>]*>")
            .expect("a static expression")
    });
    ELEMENT.replace_all(html, " ").into_owned()
}

/// An address in a field that may hold a text as well: one of the web, or a name in a register. It may hold
/// characters that an IRI may not have; these are repaired, and said, once it is mapped.
pub(super) fn link(written: &str) -> Option<String> {
    let written = written.trim();
    let (scheme, rest) = written.split_once(':')?;
    let leads = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "ftp" | "ftps" => rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty()),
        "urn" | "doi" => !rest.is_empty() && !rest.contains(char::is_whitespace),
        _ => false,
    };
    (leads && repaired_iri(written).is_some()).then(|| written.to_owned())
}

/// A link of a resource, which people also type as browsers take it: `www.example.org/file.csv` is one of http.
/// Nothing where the first part is no host's name.
pub(super) fn typed_link(written: &str) -> Option<String> {
    static HOST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^(?:www\.[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}(?::\d+)?/)")
            .expect("a static expression")
    });
    let written = written.trim();
    link(written).or_else(|| {
        let bare = written.strip_prefix("//").unwrap_or(written);
        (HOST.is_match(bare) && !bare.contains(char::is_whitespace)).then(|| link(&format!("http://{bare}")))?
    })
}

/// The name of a place; nothing where the text is JSON, XML or numbers, which name none.
pub(super) fn place_name(written: &str) -> Option<String> {
    let written = written.trim();
    let is_code = written.starts_with(['{', '[', '<']);
    let is_of_numbers =
        written.chars().all(|c| c.is_whitespace() || c.is_ascii_digit() || "-+.,;°NSEW".contains(c));
    (!is_code && !is_of_numbers).then(|| written.to_owned())
}

/// A text with the language that its key names; without one, where the key is no tag.
pub(super) fn tagged(text: &str, language: &str) -> Option<Term> {
    if text.trim().is_empty() {
        return None;
    }
    let tag = language.replace('_', "-");
    Some(
        Literal::new_language_tagged_literal(text, tag)
            .unwrap_or_else(|_| Literal::new_simple_literal(text))
            .into(),
    )
}

/// A tag as the platform writes it: lower-case ASCII words joined by hyphens, 3 to 96 characters. Letters of
/// other scripts are written in Latin ones.
pub(super) fn tag(written: &str) -> Option<String> {
    let mut tag = String::new();
    for c in deunicode::deunicode(written.trim()).to_lowercase().chars() {
        match c {
            c if c.is_ascii_alphanumeric() => tag.push(c),
            _ if !tag.ends_with('-') && !tag.is_empty() => tag.push('-'),
            _ => {}
        }
    }
    let tag = tag.get(..tag.len().min(96)).unwrap_or(&tag).trim_end_matches('-');
    (tag.len() >= 3).then(|| tag.to_owned())
}

/// The last part of an address that looks like a file's name.
pub(super) fn file_name(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let name = url.path_segments()?.next_back()?.to_owned();
    (name.contains('.') && url.query().is_none()).then_some(name)
}

pub(super) fn email(written: &str) -> Option<String> {
    let bare = written.trim();
    let bare = bare.strip_prefix("mailto:").unwrap_or(bare);
    (bare.contains('@') && !bare.contains(char::is_whitespace)).then(|| bare.to_owned())
}

pub(super) fn web_address(written: &str) -> Option<String> {
    let url = url::Url::parse(written.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https" | "ftp" | "ftps")
        && url.host_str().is_some_and(|host| !host.is_empty()))
    .then(|| written.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_code_or_numbers_names_no_place() {
        for (written, is_name) in [
            ("Mecklenburg County, NC", true),
            ("75001 Paris", true),
            ("Ñuñoa", true),
            ("{\"what\": is this", false),
            ("<gml:Point>", false),
            ("[1, 2]", false),
            ("48.85° N, 2.35° E", false),
            ("", false),
        ] {
            assert_eq!(place_name(written).is_some(), is_name, "{written}");
        }
    }

    #[test]
    fn links_are_taken_as_people_type_them() {
        for (written, expected) in [
            ("https://a.example/x.csv", Some("https://a.example/x.csv")),
            ("www.a.example/x.csv", Some("http://www.a.example/x.csv")),
            ("//data.a.example/x", Some("http://data.a.example/x")),
            ("a.example.org/data/x.csv", Some("http://a.example.org/data/x.csv")),
            ("x.csv", None),
            ("see www.a.example", None),
            ("data/x.csv", None),
        ] {
            assert_eq!(typed_link(written).as_deref(), expected, "{written}");
        }
    }
}
