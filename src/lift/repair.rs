//! Repairs of IRIs that are not ones: spaces, braces, accents in the wrong place.

use oxiri::Iri;
use std::borrow::Cow;
use std::fmt::Write;

/// Returns the IRI as it must be written, borrowed when it was valid already.
///
/// Characters that RFC 3987 does not allow are percent-encoded; white space around is removed; an IRI
/// without a scheme, or with another fault, is `None`: there is no telling what was meant.
pub(crate) fn iri(text: &str) -> Option<Cow<'_, str>> {
    if !needs_look(text) {
        return Some(Cow::Borrowed(text));
    }
    if Iri::parse(text).is_ok() {
        return Some(Cow::Borrowed(text));
    }
    let encoded = encode(text.trim());
    Iri::parse(encoded.as_str()).is_ok().then_some(Cow::Owned(encoded))
}

/// What each byte is: every IRI of a page is looked at, byte by byte.
static HARMLESS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'?' | b'=' | b'&' | b'+' | b',');
        byte += 1;
    }
    table
};

/// A quick look that lets the common IRI pass: an `http` address in plain, harmless characters.
fn needs_look(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_harmless = |byte: u8| HARMLESS[usize::from(byte)];
    match rest {
        Some(rest) => {
            let (path, fragment) = rest.split_once('#').unwrap_or((rest, ""));
            path.is_empty() || !path.bytes().all(is_harmless) || !fragment.bytes().all(is_harmless)
        }
        None => true,
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    let mut seen_fragment = false;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let is_escape =
            c == '%' && bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let is_second_hash = c == '#' && std::mem::replace(&mut seen_fragment, true);
        let is_allowed = c.is_ascii_alphanumeric()
            || "-._~:/?#@!$&'()*+,;=".contains(c)
            || is_escape
            || (c as u32 >= 0xA0 && !c.is_control());
        if is_allowed && !is_second_hash {
            encoded.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_may_not_stand_in_an_iri() {
        assert_eq!(iri("https://a.example/b?c=d").unwrap(), "https://a.example/b?c=d");
        assert_eq!(iri("http://a.example/b c{d}").unwrap(), "http://a.example/b%20c%7Bd%7D");
        assert_eq!(iri(" http://a.example/é").unwrap(), "http://a.example/é");
        assert_eq!(iri("http://a.example/100%").unwrap(), "http://a.example/100%25");
        assert_eq!(iri("tel:+49 40 4 28").unwrap(), "tel:+49%2040%204%2028");
        assert_eq!(iri("http://a.example/k?LAYER[zoom]=1").unwrap(), "http://a.example/k?LAYER%5Bzoom%5D=1");
        assert_eq!(iri("no scheme"), None);
        assert_eq!(iri(""), None);
    }
}
