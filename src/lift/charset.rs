//! To UTF-8: by the header's charset, the byte-order mark, the XML declaration, in that order.

use encoding_rs::{Encoding, UTF_8};
use regex::bytes::Regex;
use std::sync::LazyLock;

static XML_ENCODING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:\xEF\xBB\xBF)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']"#)
        .expect("a static expression")
});

/// The encoding of a page that starts with these bytes.
pub(super) fn encoding(content_type: Option<&str>, start: &[u8]) -> &'static Encoding {
    let stated = content_type.and_then(charset).and_then(|label| Encoding::for_label(label.as_bytes()));
    let marked = || Encoding::for_bom(start).map(|(encoding, _)| encoding);
    let declared = || declared_encoding(start);
    stated.or_else(marked).or_else(declared).unwrap_or(UTF_8)
}

/// The encoding that an XML declaration names.
pub(super) fn declared_encoding(start: &[u8]) -> Option<&'static Encoding> {
    XML_ENCODING.captures(start).and_then(|found| Encoding::for_label(&found[1]))
}

/// Decodes bytes, and takes the XML declaration's encoding away, which is no longer true.
pub(super) fn decode(bytes: &[u8], encoding: &'static Encoding) -> String {
    let (text, _, _) = encoding.decode(bytes);
    let text = text.into_owned();
    match (text.starts_with("<?xml"), text.find("?>")) {
        (true, Some(end)) => text[end + 2..].to_owned(),
        _ => text,
    }
}

fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{UTF_16LE, WINDOWS_1252};

    #[test]
    fn the_header_wins_over_the_mark_and_the_mark_over_the_declaration() {
        let declared = b"<?xml version='1.0' encoding='ISO-8859-1'?>";
        assert_eq!(encoding(None, declared), WINDOWS_1252);
        assert_eq!(encoding(Some("text/xml; charset=UTF-8"), declared), UTF_8);
        assert_eq!(encoding(None, b"\xFF\xFE<\0"), UTF_16LE);
        assert_eq!(decode(b"<?xml encoding='ISO-8859-1'?><a>\xE9</a>", WINDOWS_1252), "<a>é</a>");
    }
}
