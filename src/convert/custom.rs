//! What a source adds to the mapping of its kind: CONSTRUCT queries and alias rows of its own.

use super::aliases::{AliasError, Aliases};
use super::functions::{Functions, NAMESPACE};
use crate::triples::calls_out;
use crate::vocab::{LIFTED_PREFIXES, PREFIXES};
use spargebra::{Query, SparqlParser, SparqlSyntaxError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a source adds to the mapping of its kind.
#[derive(Debug, Clone, Default)]
pub struct CustomMapping {
    pub(super) queries: Vec<CustomQuery>,
    pub(super) functions: Functions,
}

/// A CONSTRUCT query of a source.
#[derive(Debug, Clone)]
pub(super) struct CustomQuery {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) query: Query,
}

/// Why a mapping file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It cannot be read.
    #[error("{}: the mapping file cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Neither a query nor alias rows.
    #[error("{}: a mapping file is a query (.rq) or alias rows (.toml)", path.display())]
    Suffix {
        /// The file.
        path: PathBuf,
    },
    /// The query does not parse.
    #[error("{}: the query does not parse", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: SparqlSyntaxError,
    },
    /// The query is no CONSTRUCT, or calls a service.
    #[error("{}: {reason}", path.display())]
    Query {
        /// The file.
        path: PathBuf,
        /// What it should be.
        reason: &'static str,
    },
    /// The rows are not what they should be.
    #[error("{}: {source}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A row cannot be used.
    #[error("{}: {source}", path.display())]
    Alias {
        /// The file.
        path: PathBuf,
        /// The row.
        #[source]
        source: AliasError,
    },
}

impl CustomMapping {
    /// Reads mapping files: queries (`.rq`) and alias rows (`.toml`: `[licence]`, then `"what is written" = "lov2"`).
    pub fn read(files: &[PathBuf]) -> Result<Self, MappingError> {
        let mut queries = Vec::new();
        let mut aliases = Aliases::default();
        for path in files {
            let text = std::fs::read_to_string(path)
                .map_err(|source| MappingError::File { path: path.clone(), source })?;
            match path.extension().and_then(|suffix| suffix.to_str()) {
                Some("rq") => queries.push(query(path, text)?),
                Some("toml") => add_rows(&mut aliases, path, &text)?,
                _ => return Err(MappingError::Suffix { path: path.clone() }),
            }
        }
        Ok(Self { queries, functions: Functions::with_aliases(aliases) })
    }

    /// The same mapping, whose functions note what they refuse.
    #[must_use]
    pub fn noting_refusals(&self) -> Self {
        Self { queries: self.queries.clone(), functions: self.functions.noting_refusals() }
    }

    /// The functions as the source has them.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// What changes when the mapping does; nothing where there is none.
    pub(super) fn fingerprint(&self) -> String {
        let texts: Vec<&str> = self.queries.iter().map(|query| query.text.as_str()).collect();
        format!("{}{}", texts.concat(), self.functions.fingerprint())
    }
}

fn query(path: &Path, text: String) -> Result<CustomQuery, MappingError> {
    // Prefixes of ours need not be declared either.
    let prefixes = PREFIXES.iter().chain(&LIFTED_PREFIXES).chain(&[("m", NAMESPACE)]);
    let parser = prefixes.fold(SparqlParser::new(), |parser, (name, iri)| {
        parser.with_prefix(*name, *iri).expect("the prefixes are IRIs")
    });
    let query =
        parser.parse_query(&text).map_err(|source| MappingError::Syntax { path: path.to_owned(), source })?;
    let refuse = |reason| Err(MappingError::Query { path: path.to_owned(), reason });
    if !matches!(query, Query::Construct { .. }) {
        return refuse("a mapping is a CONSTRUCT query: it makes triples of DCAT");
    }
    if calls_out(&query) {
        return refuse("a mapping reads the record alone, and calls no SERVICE");
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(CustomQuery { name, text, query })
}

fn add_rows(aliases: &mut Aliases, path: &Path, text: &str) -> Result<(), MappingError> {
    let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text)
        .map_err(|source| MappingError::Rows { path: path.to_owned(), source: Box::new(source) })?;
    for (table, rows) in &tables {
        for (written, means) in rows {
            aliases
                .add(table, written, means)
                .map_err(|source| MappingError::Alias { path: path.to_owned(), source })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let error = CustomMapping::read(std::slice::from_ref(&path)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            error.to_string()
        };
        assert!(error("a.rq", "SELECT * { ?s ?p ?o }").contains("CONSTRUCT"));
        let calling = "CONSTRUCT { ?s ?p ?o } { SERVICE <http://a.example/> { ?s ?p ?o } }";
        assert!(error("b.rq", calling).contains("SERVICE"));
        assert!(error("c.rq", "CONSTRUCT {").contains("parse"));
        assert!(error("d.toml", "[licence]\n'ours' = 'no such licence'\n").contains("no such licence"));
        assert!(error("e.csv", "a,b").contains(".rq"));
        let good = folder.path().join("f.rq");
        std::fs::write(&good, "CONSTRUCT { ?d dct:title ?t } { ?p ns:becomes ?d ; j:name ?t }").unwrap();
        assert_eq!(CustomMapping::read(&[good]).unwrap().queries.len(), 1);
    }
}
