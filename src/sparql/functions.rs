//! The functions that public queries may call beside those of SPARQL: GeoSPARQL's, and a search of texts.
//!
//! `moisson:search(?dataset, "words")` is true of a record whose title, description or keywords have all the words,
//! in any form of theirs in French or English. `moisson:score(?dataset, "words")` says how well they fit, as an
//! `xsd:double`, for records that the search finds.

use crate::derive::{Hits, SearchIndex, with_spatial_functions};
use crate::triples::calls;
use crate::vocab::moisson;
use oxigraph::sparql::SparqlEvaluator;
use oxrdf::{Literal, Term};
use spargebra::Query;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Whether a query searches.
#[must_use]
pub fn searches(query: &Query) -> bool {
    calls(query, |name| [moisson::SEARCH.as_str(), moisson::SCORE.as_str()].contains(&name))
}

/// The answers of one query's searches.
#[derive(Clone)]
pub(super) struct Searches {
    index: Arc<SearchIndex>,
    known: Arc<Mutex<HashMap<String, Arc<Hits>>>>,
}

impl Searches {
    pub(super) fn new(index: Arc<SearchIndex>) -> Self {
        Self { index, known: Arc::default() }
    }

    /// What words find; nothing where the index cannot be read.
    pub(super) fn hits(&self, words: &str) -> Option<Arc<Hits>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hits) = known.get(words) {
            return Some(Arc::clone(hits));
        }
        let hits = Arc::new(self.index.search(words).ok()?);
        known.insert(words.to_owned(), Arc::clone(&hits));
        Some(hits)
    }

    /// What the words of a call find, and the node that it asks about.
    fn asked<'a>(&self, arguments: &'a [Term]) -> Option<(Arc<Hits>, &'a str)> {
        let [Term::NamedNode(node), Term::Literal(words)] = arguments else { return None };
        Some((self.hits(words.value())?, node.as_str()))
    }
}

/// Adds GeoSPARQL's functions to an evaluator, and the search where there is an index.
pub fn with_public_functions(evaluator: SparqlEvaluator, index: Option<Arc<SearchIndex>>) -> SparqlEvaluator {
    with_searches(evaluator, index.map(Searches::new))
}

pub(super) fn with_searches(evaluator: SparqlEvaluator, searches: Option<Searches>) -> SparqlEvaluator {
    let evaluator = with_spatial_functions(evaluator);
    let Some(searches) = searches else { return evaluator };
    let (found, scored) = (searches.clone(), searches);
    evaluator
        .with_custom_function(moisson::SEARCH.into_owned(), move |arguments| {
            let (hits, node) = found.asked(arguments)?;
            Some(Literal::from(hits.contains_key(node)).into())
        })
        .with_custom_function(moisson::SCORE.into_owned(), move |arguments| {
            let (hits, node) = scored.asked(arguments)?;
            Some(Literal::from(f64::from(*hits.get(node)?)).into())
        })
}
