//! Choosing the records of a list: filters and order, in the terms of udata's dataset list.
//!
//! Each filter is a query of `queries/list/` that names graphs; a record is chosen when all of them name one of its.

use super::rows::DeriveError;
use crate::catalog::DatasetKey;
use crate::convert::{QueryError, parse_query, plain, with_record_functions};
use crate::store::{GraphNames, Snapshot, evaluate_on_merge};
use crate::vocab::{geosparql, xsd};
use jiff::Timestamp;
use oxigraph::sparql::{QueryResults, SparqlEvaluator};
use oxrdf::{Literal, NamedNode, Term, Variable};
use spareval::QuerySolution;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What the records of a list have in common, and their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Conditions, all of which hold.
    pub filters: Vec<Filter>,
    /// The order; that of the keys where there is none.
    pub order: Option<Order>,
}

/// What records are chosen of.
pub struct Catalogue<'c> {
    /// The store.
    pub snapshot: &'c Snapshot,
    /// The names of its graphs.
    pub names: &'c GraphNames,
    /// The preferred languages of texts.
    pub languages: &'c [String],
}

/// A condition on records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// A word in the title, the description or a keyword.
    Word(String),
    /// A tag, as records show it.
    Tag(String),
    /// A licence, by the platform's name or its IRI.
    Licence(String),
    /// A format of a distribution, by its short name.
    Format(String),
    /// A publisher, by its identifier, its IRI or its name.
    Organization(String),
    /// The source, by its node.
    Source(NamedNode),
    /// A theme, by its IRI, the code at its end, or its text.
    Theme(String),
    /// High-value datasets: `true` for all, or a category by its IRI or the code at its end.
    HighValue(String),
    /// What changed since a time, as the platform saw it.
    ModifiedSince(Timestamp),
    /// These records alone.
    Keys(Vec<DatasetKey>),
    /// An area, by its IRI or its name.
    Area(String),
    /// A rectangle that the record's area meets: west, south, east, north, in degrees.
    Rectangle(String),
}

/// An order of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What records are put in order by.
    pub by: OrderKey,
    /// Whether the last is first.
    pub is_descending: bool,
}

/// What records are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKey {
    /// The title, without regard to case.
    Title,
    /// The date of publication.
    Created,
    /// The date of the last change.
    LastUpdate,
}

impl OrderKey {
    fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Created => "created",
            Self::LastUpdate => "last_update",
        }
    }
}

/// The identifier of a publisher, which has none of its own: a `UUIDv5` of its IRI, else of its name.
#[must_use]
pub fn organization_id(uri: Option<&str>, name: Option<&str>) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, uri.or(name).unwrap_or_default().as_bytes())
}

impl Selection {
    /// The keys that fit, of those given, in the order that is wanted.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(&self, catalogue: &Catalogue<'_>, keys: &[DatasetKey]) -> Result<Vec<DatasetKey>, DeriveError> {
        let mut chosen: Vec<DatasetKey> = keys.to_vec();
        for filter in &self.filters {
            if chosen.is_empty() {
                break;
            }
            let fitting = filter.fitting(catalogue)?;
            chosen.retain(|key| fitting.contains(key));
        }
        if let Some(order) = self.order {
            order.sort(&mut chosen, catalogue)?;
        }
        Ok(chosen)
    }
}

impl Filter {
    fn fitting(&self, catalogue: &Catalogue<'_>) -> Result<HashSet<DatasetKey>, DeriveError> {
        let text = |text: &str| Some(Term::from(Literal::new_simple_literal(text)));
        let (name, query, wanted) = match self {
            Self::Keys(keys) => return Ok(keys.iter().copied().collect()),
            Self::Word(word) => ("text", include_str!("../../queries/list/text.rq"), text(&word.to_lowercase())),
            Self::Tag(tag) => ("tag", include_str!("../../queries/list/tag.rq"), text(tag)),
            Self::Licence(name) => ("licence", include_str!("../../queries/list/licence.rq"), text(name)),
            Self::Format(name) => ("format", include_str!("../../queries/list/format.rq"), text(name)),
            Self::Organization(_) => ("publishers", include_str!("../../queries/list/publishers.rq"), None),
            Self::Theme(theme) => ("theme", include_str!("../../queries/list/theme.rq"), text(theme)),
            Self::HighValue(category) => ("hvd", include_str!("../../queries/list/hvd.rq"), text(category)),
            Self::ModifiedSince(time) => {
                let time = Literal::new_typed_literal(time.to_string(), xsd::DATE_TIME);
                ("modified", include_str!("../../queries/list/modified.rq"), Some(time.into()))
            }
            Self::Area(area) => ("area", include_str!("../../queries/list/area.rq"), text(area)),
            Self::Rectangle(wkt) => {
                let wkt = Literal::new_typed_literal(wkt, geosparql::WKT_LITERAL);
                ("area", include_str!("../../queries/list/area.rq"), Some(wkt.into()))
            }
            Self::Source(node) => {
                ("source", include_str!("../../queries/list/source.rq"), Some(Term::from(node.clone())))
            }
        };
        let rows = catalogue.rows(name, query, wanted)?;
        let fits = |row: &&QuerySolution| match self {
            Self::Organization(wanted) => is_published_by(row, wanted),
            _ => true,
        };
        Ok(rows.iter().filter(fits).filter_map(|row| catalogue.key(row)).collect())
    }
}

fn is_published_by(row: &QuerySolution, wanted: &str) -> bool {
    let [address, name] = ["address", "name"].map(|variable| row.get(variable).map(plain));
    let is_named = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| text == wanted || organization_id(Some(text), None).to_string() == wanted)
    };
    is_named(&address) || is_named(&name)
}

impl Order {
    /// Sorts keys; those that have nothing to be sorted by come last.
    fn sort(self, keys: &mut [DatasetKey], catalogue: &Catalogue<'_>) -> Result<(), DeriveError> {
        let wanted = Some(Literal::new_simple_literal(self.by.as_str()).into());
        let rows = catalogue.rows("order", include_str!("../../queries/list/order.rq"), wanted)?;
        let mut values: HashMap<DatasetKey, (i64, String)> = HashMap::new();
        for row in &rows {
            let text = |name: &str| row.get(name).map(plain);
            let (Some(key), Some(value)) = (catalogue.key(row), text("value")) else { continue };
            let rank: i64 = text("rank").and_then(|rank| rank.parse().ok()).unwrap_or(0);
            let found = (rank, value);
            let best = values.entry(key).or_insert_with(|| found.clone());
            *best = found.min(best.clone());
        }
        let value = |key: &DatasetKey| values.get(key).map(|(_, value)| value);
        keys.sort_by(|one, other| match (value(one), value(other)) {
            (Some(one), Some(other)) if self.is_descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        });
        Ok(())
    }
}

impl Catalogue<'_> {
    fn key(&self, row: &QuerySolution) -> Option<DatasetKey> {
        match row.get("graph")? {
            Term::NamedNode(graph) => self.names.key(graph.as_str()),
            Term::BlankNode(_) | Term::Literal(_) => None,
        }
    }

    fn rows(&self, name: &str, query: &str, wanted: Option<Term>) -> Result<Vec<QuerySolution>, DeriveError> {
        let failed = |source| QueryError::Evaluation { name: name.to_owned(), source };
        let evaluator = with_record_functions(SparqlEvaluator::new(), self.languages.to_vec());
        let evaluator = with_spatial_functions(evaluator);
        let mut prepared = evaluator.for_query(parse_query(name, query)?);
        if let Some(wanted) = wanted {
            prepared = prepared.substitute_variable(Variable::new_unchecked("wanted"), wanted);
        }
        match evaluate_on_merge(prepared, &self.snapshot.store).map_err(failed)? {
            QueryResults::Solutions(solutions) => Ok(solutions.collect::<Result<_, _>>().map_err(failed)?),
            QueryResults::Graph(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
        }
    }
}

/// Adds the functions of GeoSPARQL to an evaluator.
pub fn with_spatial_functions(evaluator: SparqlEvaluator) -> SparqlEvaluator {
    spargeo::GEOSPARQL_EXTENSION_FUNCTIONS.iter().fold(evaluator, |evaluator, (name, function)| {
        evaluator.with_custom_function(name.into_owned(), *function)
    })
}
