//! A look at the text of a query before it is parsed.

/// Brackets that may stand within one another; what people write stays below a dozen.
const MAX_DEPTH: usize = 64;
/// Negations of brackets in a row: SPARQL parsers try each of them twice.
const MAX_NEGATIONS: usize = 8;

/// Whether a query nests deeper than a recursive parser bears, or would make it go back and forth.
///
/// Brackets within strings and comments do not count; where a text is so broken that they cannot be told apart, it
/// counts them. Those within IRIs count: `?a<b:((1>2` looks like one, and is none.
#[must_use]
pub fn is_too_deep(text: &str) -> bool {
    let mut rest = text.char_indices().peekable();
    let (mut depth, mut negations) = (0_usize, 0_usize);
    while let Some((at, c)) = rest.next() {
        match c {
            '"' | '\'' => skip_string(text, at, c, &mut rest),
            '#' => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            // An escaped quote or hash of a local name opens nothing (SPARQL 1.1, PN_LOCAL_ESC).
            '\\' => drop(rest.next()),
            '<' if is_iri(&text[at..]) => {
                while let Some((_, c)) = rest.next_if(|(_, c)| *c != '>') {
                    depth = deeper(depth, c);
                }
            }
            _ => depth = deeper(depth, c),
        }
        match c {
            '!' => negations += 1,
            '(' => {}
            c if c.is_whitespace() => {}
            _ => negations = 0,
        }
        if depth > MAX_DEPTH || negations > MAX_NEGATIONS {
            return true;
        }
    }
    false
}

fn deeper(depth: usize, c: char) -> usize {
    match c {
        '(' | '{' | '[' => depth + 1,
        ')' | '}' | ']' => depth.saturating_sub(1),
        _ => depth,
    }
}

type Rest<'t> = std::iter::Peekable<std::str::CharIndices<'t>>;

/// Whether an IRI starts here, and not a comparison.
fn is_iri(text: &str) -> bool {
    text[1..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '<' | '"' | '{' | '}')).any(|c| c == '>')
}

/// Goes behind the end of a string, short or long, that starts at a quote.
fn skip_string(text: &str, start: usize, quote: char, rest: &mut Rest<'_>) {
    let long: String = std::iter::repeat_n(quote, 3).collect();
    let end = if text[start..].starts_with(&long) { long } else { quote.to_string() };
    let mut at = start + end.len();
    while at < text.len() && !text[at..].starts_with(&end) {
        let step = text[at..].chars().next().map_or(1, char::len_utf8);
        // An escaped character ends nothing.
        let escaped =
            if text[at..].starts_with('\\') { text[at + 1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
        at += step + escaped;
    }
    let behind = at + end.len();
    while rest.next_if(|(position, _)| *position < behind).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_brackets_but_for_those_in_texts() {
        assert!(!is_too_deep("SELECT * { ?s ?p \"((((\" FILTER(?a < 3 && (?b > 2)) } # (((("));
        assert!(!is_too_deep(&format!(
            "SELECT * {{ ?s <http://a/{}> '''{}'''@fr }}",
            "(b)".repeat(100),
            "{\n'".repeat(100)
        )));
        assert!(!is_too_deep(&"SELECT * { ?s ?p ( 1 ) } ".repeat(200)));
        assert!(is_too_deep(&format!("SELECT * {}", "{".repeat(2_000))));
        assert!(is_too_deep(&format!("ASK {{ FILTER({}true", "!( ".repeat(20))));
        // What looks like a string, a comment or an IRI, and is none.
        for opening in ["e:a\\' ", "e:\\# ", "?o<", "?o<a:"] {
            assert!(is_too_deep(&format!("ASK {{ FILTER({opening}{}1>2", "(".repeat(80))), "{opening}");
        }
        assert!(!is_too_deep("ASK { FILTER(!(!(true)) && !(?a != ?b)) }"));
    }
}
