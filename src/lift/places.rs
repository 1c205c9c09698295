//! Where nodes stand in a JSON-LD text.

use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The lines at which a JSON-LD text describes its nodes, by the `@id` as it is written.
///
/// JSON-LD is not read line by line, so the triples' own lines say little; a reference alone
/// (`{"@id": …}`) is not a description.
#[must_use]
pub fn json_places(text: &str) -> HashMap<String, u32> {
    static ID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:@id|id|identifier)"\s*:\s*"([^"\\]+)"\s*(.)"#).expect("a static expression")
    });
    let mut places = HashMap::new();
    let (mut line, mut counted) = (1_u32, 0);
    for found in ID.captures_iter(text) {
        let at = found.get(0).expect("the whole match").start();
        let breaks = memchr::memchr_iter(b'\n', &text.as_bytes()[counted..at]).count();
        line += u32::try_from(breaks).unwrap_or(0);
        counted = at;
        let stands_alone = &found[2] == "}" && text[..at].trim_end().ends_with('{');
        if !stands_alone {
            places.entry(found[1].to_owned()).or_insert(line);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lines_of_json_nodes() {
        let text = "{\n\"@id\": \"http://a/1\",\n\"x\": {\"@id\": \"http://a/2\"},\n\"y\": {\n\"@id\": \"http://a/2\", \"t\": 1}}";
        let places = json_places(text);
        assert_eq!(places["http://a/1"], 2);
        assert_eq!(places["http://a/2"], 5);
    }
}
