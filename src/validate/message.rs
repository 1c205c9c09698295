//! Placeholders in messages: `{$this}`, `{?value}` (SHACL 5.3.2, 6.1).

use oxrdf::{Literal, Term};

/// Replaces the placeholders whose variable has a value; the others stay as they are.
pub(super) fn fill(message: &Literal, lookup: impl Fn(&str) -> Option<Term>) -> Literal {
    if !message.value().contains('{') {
        return message.clone();
    }
    let text = fill_text(message.value(), lookup);
    match message.language() {
        Some(language) => Literal::new_language_tagged_literal_unchecked(text, language),
        None => Literal::new_typed_literal(text, message.datatype()),
    }
}

fn fill_text(text: &str, lookup: impl Fn(&str) -> Option<Term>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find('}');
        let name = end.and_then(|end| rest[1..end].strip_prefix(['$', '?']));
        if let (Some(end), Some(value)) = (end, name.and_then(&lookup)) {
            filled.push_str(&readable(&value));
            rest = &rest[end + 1..];
        } else {
            filled.push('{');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    filled
}

fn readable(term: &Term) -> String {
    match term {
        Term::NamedNode(iri) => iri.as_str().to_owned(),
        Term::BlankNode(node) => node.to_string(),
        Term::Literal(literal) => literal.value().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_known_placeholders_and_keeps_the_others() {
        let message = Literal::new_language_tagged_literal_unchecked("{$this} {x} {?none} {?value", "fr");
        let filled = fill(&message, |name| (name == "this").then(|| Literal::from("A").into()));
        assert_eq!(filled.value(), "A {x} {?none} {?value");
        assert_eq!(filled.language(), Some("fr"));
    }
}
