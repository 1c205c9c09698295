//! 4.4 String-based: `sh:minLength`, `sh:maxLength`, `sh:pattern`, `sh:languageIn`, `sh:uniqueLang`.

use super::needs_path;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::Compiler;
use crate::validate::reading::{count, is_true, list, objects};
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// A string-based constraint.
#[derive(Debug)]
pub enum StringBased {
    /// 4.4.1, in characters
    MinLength(usize),
    /// 4.4.2, in characters
    MaxLength(usize),
    /// 4.4.3, with the pattern as its author wrote it
    Pattern(Regex, String),
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
            Self::Pattern(pattern, _) => pattern.is_match(text),
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
            Self::Pattern(_, pattern) => format!("Value does not match the pattern {pattern}"),
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
        if is_true(&value).ok_or_else(expected)? {
            found.push(StringBased::UniqueLang);
        }
    }
    Ok(found)
}

fn read_patterns(compiler: &Compiler<'_>, shape: &Term, found: &mut Vec<StringBased>) -> Result<(), ShapesError> {
    let flags = match compiler.at_most_one(shape, sh::FLAGS)? {
        None => String::new(),
        Some(Term::Literal(flags)) => flags.value().to_owned(),
        Some(value) => return Err(compiler.wrong(shape, sh::FLAGS, &value, "a string")),
    };
    for value in objects(compiler.graph, shape.as_ref(), sh::PATTERN) {
        let Term::Literal(pattern) = &value else {
            return Err(compiler.wrong(shape, sh::PATTERN, &value, "a string"));
        };
        let regex = compile_pattern(pattern.value(), &flags).map_err(|source| ShapesError::Query {
            shape: shape.clone(),
            what: "sh:pattern",
            source: source.into(),
        })?;
        found.push(StringBased::Pattern(regex, pattern.value().to_owned()));
    }
    Ok(())
}

/// Compiles a regular expression with the flags of `XPath`'s `fn:matches` (`s`, `m`, `i`, `x`, `q`).
fn compile_pattern(pattern: &str, flags: &str) -> Result<Regex, regex::Error> {
    let quoted = flags.contains('q').then(|| regex::escape(pattern));
    RegexBuilder::new(quoted.as_deref().unwrap_or(pattern))
        .dot_matches_new_line(flags.contains('s'))
        .multi_line(flags.contains('m'))
        .case_insensitive(flags.contains('i'))
        .ignore_whitespace(flags.contains('x'))
        .build()
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
