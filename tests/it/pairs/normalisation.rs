//! What two graphs may write differently and still say the same: tables and flags, applied to both.

use oxrdf::vocab::{rdf, xsd};
use oxrdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use std::collections::{HashMap, HashSet};

/// Every freedom a comparison grants; the default grants none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Normalisation {
    /// How the IRIs begin whose nodes have no name of their own, as blank nodes have none: skolem IRIs.
    pub(crate) unnamed: &'static [&'static str],
    /// IRI to IRI, for nodes and datatypes: two names of one thing.
    pub(crate) iris: &'static [(&'static str, &'static str)],
    /// Beginning of an IRI to its replacement: `http://www.iana.org/` is `https://www.iana.org/`.
    pub(crate) beginnings: &'static [(&'static str, &'static str)],
    /// Predicates that mean the same, everywhere or on subjects of one class.
    pub(crate) predicates: &'static [PredicateAlias],
    /// Primary language subtag to its replacement: [`LANGUAGES`].
    pub(crate) languages: &'static [(&'static str, &'static str)],
    /// Runs of whitespace in a literal are one space, and none at its ends: XML is indented.
    pub(crate) collapses_whitespace: bool,
    /// Numbers and durations are equal by value, whatever their datatype: 0.00002 is 2.0E-5.
    pub(crate) compares_numbers: bool,
    /// An `xsd:dateTime` at midnight, without a zone or in UTC, is the `xsd:date`.
    pub(crate) midnight_is_date: bool,
    /// Expected triples that are rightly missing. They count as expected, and carry their reason.
    pub(crate) excuses: &'static [Excuse],
}

/// A predicate that stands for another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PredicateAlias {
    /// The class of the subjects it holds for (after `iris`); `None` for all.
    pub(crate) class: Option<&'static str>,
    /// The IRI that is replaced.
    pub(crate) from: &'static str,
    /// The IRI that replaces it.
    pub(crate) to: &'static str,
}

/// Why expected triples are rightly missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excuse {
    /// The end of the printed path and predicate: `dct:title` anywhere, `dcat:distribution/dct:title`,
    /// `./dct:title` on a root only; `foaf:page/*` for the triple and all below it.
    pub(crate) at: &'static str,
    /// The value as it is printed; `None` for any.
    pub(crate) value: Option<&'static str>,
    /// One sentence for the report.
    pub(crate) reason: &'static str,
}

impl Excuse {
    /// Whether this is the excuse of a triple, given as it is printed.
    pub(crate) fn covers(&self, path: &str, predicate: &str, value: &str) -> bool {
        let place = format!("/{path}/{predicate}");
        let at_place = match self.at.strip_suffix("/*") {
            Some(above) => format!("{place}/").contains(&format!("/{above}/")),
            None => place.ends_with(&format!("/{}", self.at)),
        };
        at_place && self.value.is_none_or(|expected| expected == value)
    }
}

/// ISO 639-2 codes, bibliographic and terminological, as BCP 47 has them: with two letters.
pub(crate) const LANGUAGES: &[(&str, &str)] = &[
    ("fre", "fr"),
    ("fra", "fr"),
    ("eng", "en"),
    ("ger", "de"),
    ("deu", "de"),
    ("ita", "it"),
    ("dut", "nl"),
    ("nld", "nl"),
    ("spa", "es"),
    ("roh", "rm"),
];

const NUMBERS: [NamedNodeRef<'_>; 16] = [
    xsd::DECIMAL,
    xsd::DOUBLE,
    xsd::FLOAT,
    xsd::INTEGER,
    xsd::NON_NEGATIVE_INTEGER,
    xsd::POSITIVE_INTEGER,
    xsd::NON_POSITIVE_INTEGER,
    xsd::NEGATIVE_INTEGER,
    xsd::LONG,
    xsd::INT,
    xsd::SHORT,
    xsd::BYTE,
    xsd::UNSIGNED_LONG,
    xsd::UNSIGNED_INT,
    xsd::UNSIGNED_SHORT,
    xsd::UNSIGNED_BYTE,
];

impl Normalisation {
    /// Returns each normalised triple once, with the first triple that became it.
    pub(crate) fn triples(&self, graph: &[Triple]) -> (Vec<Triple>, Vec<Triple>) {
        let mut classes = HashMap::<_, HashSet<_>>::new();
        for triple in graph.iter().filter(|triple| triple.predicate == rdf::TYPE) {
            classes.entry(&triple.subject).or_default().insert(self.term(&triple.object));
        }
        let mut seen = HashSet::new();
        let mut kept = (Vec::new(), Vec::new());
        for triple in graph {
            let predicate = self.predicate(&triple.predicate, classes.get(&triple.subject));
            let normalised = Triple::new(self.node(&triple.subject), predicate, self.term(&triple.object));
            if seen.insert(normalised.clone()) {
                kept.0.push(normalised);
                kept.1.push(triple.clone());
            }
        }
        kept
    }

    /// Whether a node has no name of its own.
    pub(crate) fn is_unnamed(&self, node: &NamedOrBlankNode) -> bool {
        match node {
            NamedOrBlankNode::BlankNode(_) => true,
            NamedOrBlankNode::NamedNode(iri) => self.unnamed.iter().any(|start| iri.as_str().starts_with(start)),
        }
    }

    /// Replaces the name of a node by that under which it is compared.
    pub(crate) fn node(&self, node: &NamedOrBlankNode) -> NamedOrBlankNode {
        match node {
            NamedOrBlankNode::NamedNode(iri) => self.iri(iri).into(),
            NamedOrBlankNode::BlankNode(label) => label.clone().into(),
        }
    }

    fn iri(&self, iri: &NamedNode) -> NamedNode {
        let mut text = iri.as_str().to_owned();
        if let Some((start, replacement)) = self.beginnings.iter().find(|(start, _)| text.starts_with(start)) {
            text.replace_range(..start.len(), replacement);
        }
        let renamed = self.iris.iter().find(|(from, _)| *from == text).map(|(_, to)| (*to).to_owned());
        NamedNode::new_unchecked(renamed.unwrap_or(text))
    }

    fn predicate(&self, predicate: &NamedNode, classes: Option<&HashSet<Term>>) -> NamedNode {
        let is_of =
            |class| classes.is_some_and(|classes| classes.contains(&NamedNode::new_unchecked(class).into()));
        let alias =
            self.predicates.iter().find(|alias| alias.from == predicate.as_str() && alias.class.is_none_or(is_of));
        alias.map_or_else(|| predicate.clone(), |alias| NamedNode::new_unchecked(alias.to))
    }

    fn term(&self, term: &Term) -> Term {
        match term {
            Term::NamedNode(iri) => self.iri(iri).into(),
            Term::BlankNode(label) => label.clone().into(),
            Term::Literal(literal) => self.literal(literal).into(),
        }
    }

    fn literal(&self, literal: &Literal) -> Literal {
        let value = if self.collapses_whitespace {
            literal.value().split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            literal.value().to_owned()
        };
        if let Some(tag) = literal.language() {
            return Literal::new_language_tagged_literal_unchecked(value, self.language(tag));
        }
        let datatype = literal.datatype();
        if self.compares_numbers
            && NUMBERS.contains(&datatype)
            && let Some(number) = number(&value)
        {
            return Literal::new_typed_literal(number, xsd::DECIMAL);
        }
        if self.compares_numbers
            && datatype == xsd::DURATION
            && let Ok(duration) = value.parse::<oxsdatatypes::Duration>()
        {
            return Literal::new_typed_literal(duration.to_string(), xsd::DURATION);
        }
        if self.midnight_is_date
            && datatype == xsd::DATE_TIME
            && let Some(day) = midnight(&value)
        {
            return Literal::new_typed_literal(day, xsd::DATE);
        }
        Literal::new_typed_literal(value, self.iri(&datatype.into_owned()))
    }

    fn language(&self, tag: &str) -> String {
        let tag = tag.to_ascii_lowercase();
        let (primary, rest) = tag.split_at(tag.find('-').unwrap_or(tag.len()));
        let short = self.languages.iter().find(|(from, _)| *from == primary).map_or(primary, |(_, to)| to);
        format!("{short}{rest}")
    }
}

/// One spelling for each number; whole ones keep all their digits.
fn number(value: &str) -> Option<String> {
    let whole = value.parse::<i128>().map(|number| number.to_string());
    whole.or_else(|_| value.parse::<f64>().map(|number| number.to_string())).ok()
}

fn midnight(value: &str) -> Option<&str> {
    let (day, time) = value.split_once('T')?;
    let time = time.trim_end_matches('Z');
    let seconds = time.strip_prefix("00:00:00")?;
    let is_midnight =
        seconds.is_empty() || seconds.strip_prefix('.').is_some_and(|rest| rest.trim_matches('0').is_empty());
    is_midnight.then_some(day)
}
