//! What a snapshot has, in the terms of `VoID`.

use super::rows::DeriveError;
use crate::convert::{QueryError, parse_query, plain};
use crate::store::Snapshot;
use oxigraph::sparql::{QueryResults, SparqlEvaluator};
use oxrdf::Term;
use spareval::QuerySolution;

/// Numbers of a snapshot, all graphs together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Different statements.
    pub triples: u64,
    /// Different subjects.
    pub subjects: u64,
    /// Different objects.
    pub objects: u64,
    /// Classes with the number of their nodes, the largest first.
    pub classes: Vec<(String, u64)>,
    /// Properties with the number of their statements, the most used first.
    pub properties: Vec<(String, u64)>,
}

impl Statistics {
    /// Counts a snapshot, which goes through all of it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(snapshot: &Snapshot) -> Result<Self, DeriveError> {
        let totals = rows(snapshot, "totals", include_str!("../../queries/void/totals.rq"))?;
        let total = |name: &str| totals.first().map_or(0, |row| number(row, name));
        let pairs = |name: &str, query: &str, variable: &str| -> Result<Vec<(String, u64)>, DeriveError> {
            let rows = rows(snapshot, name, query)?;
            let pair = |row: &QuerySolution| match row.get(variable)? {
                Term::NamedNode(node) => Some((node.as_str().to_owned(), number(row, "number"))),
                Term::BlankNode(_) | Term::Literal(_) => None,
            };
            Ok(rows.iter().filter_map(pair).collect())
        };
        Ok(Self {
            triples: total("triples"),
            subjects: total("subjects"),
            objects: total("objects"),
            classes: pairs("classes", include_str!("../../queries/void/classes.rq"), "class")?,
            properties: pairs("properties", include_str!("../../queries/void/properties.rq"), "property")?,
        })
    }
}

fn number(row: &QuerySolution, name: &str) -> u64 {
    row.get(name).and_then(|term| plain(term).parse().ok()).unwrap_or(0)
}

fn rows(snapshot: &Snapshot, name: &str, query: &str) -> Result<Vec<QuerySolution>, DeriveError> {
    let failed = |source| QueryError::Evaluation { name: name.to_owned(), source };
    let mut prepared = SparqlEvaluator::new().for_query(parse_query(name, query)?);
    prepared.dataset_mut().set_default_graph_as_union();
    match prepared.on_store(&snapshot.store).execute().map_err(failed)? {
        QueryResults::Solutions(solutions) => Ok(solutions.collect::<Result<_, _>>().map_err(failed)?),
        QueryResults::Graph(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
    }
}
