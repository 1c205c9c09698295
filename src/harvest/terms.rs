//! Terms of the usual vocabularies that no query reads, or that do not exist: what an RDF source says in vain.

use crate::convert::{MisnamedTerm, Unmapped, queries_of_dcat};
use crate::derive::queries_of_records;
use crate::vocab::rdf;
use oxrdf::{NamedNode, Term, Triple};
use regex::Regex;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

/// How alike a term must be to be proposed (Jaro and Winkler, 0 to 1).
const ALIKE: f64 = 0.85;

/// A vocabulary.
#[derive(Debug)]
struct Vocabulary {
    prefix: &'static str,
    namespace: &'static str,
    /// Its terms; none where they are too many to be listed.
    terms: HashSet<&'static str>,
}

static VOCABULARIES: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| {
    let rows = include_str!("../../data/terms.csv").lines().filter(|row| !row.starts_with('#')).skip(1);
    let vocabulary = |row: &'static str| {
        let [prefix, namespace, terms] = row.splitn(3, ',').collect::<Vec<_>>().try_into().ok()?;
        Some(Vocabulary { prefix, namespace, terms: terms.split_whitespace().collect() })
    };
    rows.filter_map(vocabulary).collect()
});

/// The IRIs that the queries name.
static READ: LazyLock<HashSet<String>> =
    LazyLock::new(|| queries_of_dcat().chain(queries_of_records()).flat_map(iris_of).collect());

/// The IRIs of a query, by its own prefixes.
fn iris_of(query: &str) -> Vec<String> {
    static PREFIX: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^PREFIX (\w+): <([^>]+)>").expect("a static expression"));
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(\w+):([A-Za-z][\w-]*)").expect("a static expression"));
    static IRI: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"<(https?://[^>\s]+)>").expect("a static expression"));
    let prefixes: HashMap<&str, &str> =
        PREFIX.captures_iter(query).map(|found| found.extract()).map(|(_, [prefix, iri])| (prefix, iri)).collect();
    let named = NAME.captures_iter(query).map(|found| found.extract());
    let named = named.filter_map(|(_, [prefix, name])| Some(format!("{}{name}", prefixes.get(prefix)?)));
    named.chain(IRI.captures_iter(query).map(|found| found[1].to_owned())).collect()
}

/// What is to be told of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unread {
    /// Its name with the usual prefix.
    name: String,
    /// What is wrong with it, where it does not exist.
    misnamed: Option<MisnamedTerm>,
}

/// Gathers the terms of a source that are read by nothing. Each term is looked up once.
#[derive(Debug, Default)]
pub(super) struct UnreadTerms {
    known: HashMap<NamedNode, Option<Unread>>,
}

impl UnreadTerms {
    /// Notes those of a record.
    pub(super) fn note(&mut self, triples: &[Triple], unmapped: &mut Unmapped) {
        let mut found: BTreeMap<String, (Option<MisnamedTerm>, &Term)> = BTreeMap::new();
        for triple in triples {
            let term = match &triple.object {
                Term::NamedNode(class) if triple.predicate == rdf::TYPE => class,
                _ => &triple.predicate,
            };
            if let Some(unread) = self.look_up(term, triple.predicate == rdf::TYPE) {
                found.entry(unread.name.clone()).or_insert_with(|| (unread.misnamed.clone(), &triple.object));
            }
        }
        for (name, (misnamed, value)) in found {
            unmapped.note_term(&name, misnamed, value);
        }
    }

    fn look_up(&mut self, term: &NamedNode, is_class: bool) -> Option<&Unread> {
        if !self.known.contains_key(term) {
            self.known.insert(term.clone(), unread(term.as_str(), is_class));
        }
        self.known[term].as_ref()
    }
}

/// What is to be told of a term: that it does not exist, or, of a property, that no query reads it.
fn unread(term: &str, is_class: bool) -> Option<Unread> {
    let vocabulary = VOCABULARIES.iter().find(|vocabulary| term.starts_with(vocabulary.namespace))?;
    let local = &term[vocabulary.namespace.len()..];
    let exists = vocabulary.terms.is_empty() || vocabulary.terms.contains(local);
    if READ.contains(term) || exists && is_class {
        return None;
    }
    let name = format!("{}:{local}", vocabulary.prefix);
    let misnamed = (!exists).then(|| MisnamedTerm { likely: likely(local, vocabulary.prefix, is_class) });
    Some(Unread { name, misnamed })
}

/// The term that was meant: one of the same name elsewhere, or one that is written almost alike.
fn likely(local: &str, prefix: &str, is_class: bool) -> Option<String> {
    let lower = local.to_lowercase();
    let is_such = |term: &str| term.starts_with(|c: char| c.is_ascii_uppercase()) == is_class;
    let terms =
        VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.terms.iter().map(move |term| (vocabulary, *term)));
    terms
        .filter(|(_, term)| is_such(term))
        .map(|(vocabulary, term)| (strsim::jaro_winkler(&lower, &term.to_lowercase()), vocabulary.prefix, term))
        .filter(|(likeness, ..)| *likeness >= ALIKE)
        // Of terms that are alike, that of the same vocabulary, then that of DCAT-AP's own two.
        .max_by(|one, other| {
            let rank = |of: &str| (of == prefix, of == "dct", of == "dcat");
            one.0
                .total_cmp(&other.0)
                .then_with(|| rank(one.1).cmp(&rank(other.1)))
                .then_with(|| other.2.cmp(one.2))
        })
        .map(|(_, prefix, term)| format!("{prefix}:{term}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_is_told_with_what_was_meant() {
        let told = |term: &str, is_class| {
            unread(term, is_class).and_then(|unread| unread.misnamed).map(|misnamed| misnamed.to_string())
        };
        let likely = |likely: &str| Some(format!("there is no such term; {likely} is the likeliest"));
        assert_eq!(told("http://www.w3.org/ns/dcat#contactpoints", false), likely("dcat:contactPoint"));
        assert_eq!(told("http://purl.org/dc/terms/hadRole", false), likely("dcat:hadRole"));
        assert_eq!(told("http://www.w3.org/ns/dcat#Datset", true), likely("dcat:Dataset"));
        assert_eq!(told("http://www.w3.org/ns/dcat#zzz", false), Some("there is no such term".to_owned()));
    }

    #[test]
    fn what_a_query_reads_is_not_told() {
        assert_eq!(unread("http://purl.org/dc/terms/title", false), None);
        assert_eq!(unread("http://www.w3.org/ns/dcat#Dataset", true), None);
        assert_eq!(unread("http://example.org/own", false), None);
        let unread = unread("http://purl.org/dc/terms/educationLevel", false).expect("no query reads it");
        assert_eq!((unread.name.as_str(), unread.misnamed), ("dct:educationLevel", None));
    }
}
