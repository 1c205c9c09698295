//! 4.4 String-based: `sh:minLength`, `sh:maxLength`, `sh:pattern`, `sh:languageIn`, `sh:uniqueLang`.

use super::needs_path;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::Compiler;
use crate::validate::reading::{count, is_true, list, objects};
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};
use regex::Regex;
use std::collections::BTreeMap;

/// A string-based constraint.
#[derive(Debug)]
pub enum StringBased {
    /// 4.4.1, in characters
    MinLength(usize),
    /// 4.4.2, in characters
    MaxLength(usize),
    /// 4.4.3
    Pattern(Pattern),
    /// 4.4.4, basic language ranges in lower case
    LanguageIn(Vec<String>),
    /// 4.4.5
    UniqueLang,
}

impl StringBased {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::MinLength(_) => sh::MIN_LENGTH_CONSTRAINT_COMPONENT,
            Self::MaxLength(_) => sh::MAX_LENGTH_CONSTRAINT_COMPONENT,
            Self::Pattern(..) => sh::PATTERN_CONSTRAINT_COMPONENT,
            Self::LanguageIn(_) => sh::LANGUAGE_IN_CONSTRAINT_COMPONENT,
            Self::UniqueLang => sh::UNIQUE_LANG_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        if let Self::UniqueLang = self {
            return self.check_languages(focus, results);
        }
        for value in focus.values {
            if !focus.session.with_term(*value, |term| self.allows(term)) {
                results.add(focus, self.component(), Some(*value), || self.message());
            }
        }
    }

    fn allows(&self, term: &Term) -> bool {
        let text = match term {
            Term::NamedNode(iri) => iri.as_str(),
            Term::Literal(literal) => literal.value(),
            Term::BlankNode(_) => return false,
        };
        match self {
            Self::MinLength(least) => text.chars().nth(least.saturating_sub(1)).is_some() || *least == 0,
            Self::MaxLength(most) => text.chars().nth(*most).is_none(),
            Self::Pattern(pattern) => pattern.matches(text),
            Self::LanguageIn(ranges) => match term {
                Term::Literal(literal) => {
                    literal.language().is_some_and(|tag| ranges.iter().any(|range| language_matches(tag, range)))
                }
                Term::NamedNode(_) | Term::BlankNode(_) => false,
            },
            Self::UniqueLang => true,
        }
    }

    fn check_languages(&self, focus: &Focus<'_>, results: &mut Results) {
        let mut tags: BTreeMap<String, usize> = BTreeMap::new();
        for value in focus.values {
            focus.session.with_term(*value, |term| {
                if let Term::Literal(literal) = term
                    && let Some(tag) = literal.language()
                {
                    *tags.entry(tag.to_ascii_lowercase()).or_default() += 1;
                }
            });
        }
        for (tag, _) in tags.into_iter().filter(|(_, number)| *number > 1) {
            results.add(focus, self.component(), None, || format!("Language {tag} is used more than once"));
        }
    }

    fn message(&self) -> String {
        match self {
            Self::MinLength(least) => format!("Value has less than {least} characters"),
            Self::MaxLength(most) => format!("Value has more than {most} characters"),
            Self::Pattern(pattern) => format!("Value does not match the pattern {}", pattern.written),
            Self::LanguageIn(ranges) => format!("Language is not one of {}", ranges.join(", ")),
            Self::UniqueLang => String::new(),
        }
    }
}

/// SPARQL's `langMatches`: basic filtering of RFC 4647, 3.3.1.
fn language_matches(tag: &str, range: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    range == "*" || tag.strip_prefix(range).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<StringBased>, ShapesError> {
    let mut found = Vec::new();
    let lengths: [(NamedNodeRef<'_>, fn(usize) -> StringBased); 2] =
        [(sh::MIN_LENGTH, StringBased::MinLength), (sh::MAX_LENGTH, StringBased::MaxLength)];
    for (parameter, length) in lengths {
        if let Some(value) = compiler.at_most_one(shape, parameter)? {
            let number =
                count(&value).ok_or_else(|| compiler.wrong(shape, parameter, &value, "a non-negative integer"))?;
            found.push(length(number));
        }
    }
    read_patterns(compiler, shape, &mut found)?;
    if let Some(head) = compiler.at_most_one(shape, sh::LANGUAGE_IN)? {
        found.push(StringBased::LanguageIn(read_ranges(compiler, shape, &head)?));
    }
    if let Some(value) = compiler.at_most_one(shape, sh::UNIQUE_LANG)? {
        needs_path(compiler, shape, sh::UNIQUE_LANG)?;
        let expected = || compiler.wrong(shape, sh::UNIQUE_LANG, &value, "true or false");
        is_true(&value).ok_or_else(expected)?;
        // The term `true` alone: the definition compares with sameTerm (SHACL 4.4.5; W3C's test `uniqueLang-002`).
        if matches!(&value, Term::Literal(literal) if literal.value() == "true") {
            found.push(StringBased::UniqueLang);
        }
    }
    Ok(found)
}

fn read_patterns(compiler: &Compiler<'_>, shape: &Term, found: &mut Vec<StringBased>) -> Result<(), ShapesError> {
    let flags = match compiler.at_most_one(shape, sh::FLAGS)? {
        None => String::new(),
        Some(Term::Literal(flags)) if flags.value().chars().all(|flag| "smixq".contains(flag)) => {
            flags.value().to_owned()
        }
        Some(value) => {
            return Err(compiler.wrong(shape, sh::FLAGS, &value, "a string of the flags s, m, i, x, q"));
        }
    };
    for value in objects(compiler.graph, shape.as_ref(), sh::PATTERN) {
        let Term::Literal(pattern) = &value else {
            return Err(compiler.wrong(shape, sh::PATTERN, &value, "a string"));
        };
        let pattern = Pattern::compile(pattern.value(), &flags).map_err(|source| ShapesError::Query {
            shape: shape.clone(),
            what: "sh:pattern",
            source: source.into(),
        })?;
        found.push(StringBased::Pattern(pattern));
    }
    Ok(())
}

/// A regular expression with the flags of `XPath`'s `fn:matches` (`s`, `m`, `i`, `x`, `q`).
#[derive(Debug)]
pub struct Pattern {
    written: String,
    expression: Expression,
}

#[derive(Debug)]
enum Expression {
    /// Takes time in proportion to the text.
    Plain(Regex),
    /// With back-references or a look around: its steps are bounded.
    Backtracking(Box<fancy_regex::Regex>),
}

impl Pattern {
    fn compile(written: &str, flags: &str) -> Result<Self, fancy_regex::Error> {
        let text = if flags.contains('q') { regex::escape(written) } else { with_subtractions(written) };
        let set: String = flags.chars().filter(|flag| "smix".contains(*flag)).collect();
        let text = if set.is_empty() { text } else { format!("(?{set}){text}") };
        let expression = match Regex::new(&text) {
            Ok(regex) => Expression::Plain(regex),
            Err(_) => Expression::Backtracking(Box::new(fancy_regex::Regex::new(&text)?)),
        };
        Ok(Self { written: written.to_owned(), expression })
    }

    /// Whether the text holds a match; one that takes too many steps is none.
    fn matches(&self, text: &str) -> bool {
        match &self.expression {
            Expression::Plain(regex) => regex.is_match(text),
            Expression::Backtracking(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

/// `XPath` writes `[a-z-[aeiou]]` for what is `[a-z--[aeiou]]` here.
fn with_subtractions(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let (mut depth, mut is_escaped) = (0_usize, false);
    for (at, c) in pattern.char_indices() {
        if !is_escaped {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                '-' if depth > 0 && pattern[at + 1..].starts_with('[') => written.push('-'),
                _ => {}
            }
        }
        is_escaped = c == '\\' && !is_escaped;
        written.push(c);
    }
    written
}

fn read_ranges(compiler: &Compiler<'_>, shape: &Term, head: &Term) -> Result<Vec<String>, ShapesError> {
    let wrong = || compiler.wrong(shape, sh::LANGUAGE_IN, head, "a list of language tags");
    let members = list(compiler.graph, head).ok_or_else(wrong)?;
    members
        .iter()
        .map(|member| match member {
            Term::Literal(tag) => Ok(tag.value().to_ascii_lowercase()),
            Term::NamedNode(_) | Term::BlankNode(_) => Err(wrong()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, flags: &str, text: &str) -> bool {
        Pattern::compile(pattern, flags).unwrap().matches(text)
    }

    #[test]
    fn knows_what_xpath_has_and_other_expressions_have_not() {
        assert!(matches("^[a-z-[aeiou]]+$", "", "xyz") && !matches("^[a-z-[aeiou]]+$", "", "xaz"));
        assert!(matches(r"^(.)\1$", "", "aa") && !matches(r"^(.)\1$", "", "ab"));
        assert!(matches("^(?!x)", "", "ab") && !matches("^(?!x)", "", "xb"));
        assert!(matches("A.C", "is", "a\nc") && matches("a.c", "q", "a.c") && !matches("a.c", "q", "abc"));
    }
}
