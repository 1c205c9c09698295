//! Which records are wanted, where the platform was not asked or does not obey: the queries of `queries/filter`.

use super::functions::Functions;
use super::queries::{QueryError, parse_query, plain, select};
use crate::catalog::SourceKind;
use crate::source::{Facet, Filters, parse_date};
use crate::triples::Graph;
use jiff::civil::DateTime;
use oxrdf::Term;
use spargebra::Query;
use std::collections::HashMap;

const CKAN: (&str, &str) = ("filter/ckan", include_str!("../../queries/filter/ckan.rq"));
const OPENDATASOFT: (&str, &str) = ("filter/opendatasoft", include_str!("../../queries/filter/opendatasoft.rq"));
const DCAT: (&str, &str) = ("filter/dcat", include_str!("../../queries/filter/dcat.rq"));

/// What filters look at in a platform's own fields; everything else is looked at in DCAT.
fn platform_facets(kind: SourceKind) -> &'static [Facet] {
    match kind {
        SourceKind::Ckan => &[Facet::Organization, Facet::Group, Facet::Tag, Facet::License, Facet::Format],
        SourceKind::Opendatasoft => &[Facet::Organization, Facet::Tag, Facet::Theme, Facet::License],
        SourceKind::DcatUs | SourceKind::Csw | SourceKind::Dcat => &[],
    }
}

/// A part of a source's filters, with the query that lists what it looks at.
#[derive(Debug)]
pub struct RecordFilter {
    filters: Filters,
    name: &'static str,
    query: Query,
    functions: Functions,
}

impl RecordFilter {
    /// The part that looks at a platform's own fields, as the platform's search does; `None` when there is none.
    ///
    /// # Errors
    /// When the query does not parse.
    pub fn of_platform(kind: SourceKind, filters: &Filters) -> Result<Option<Self>, QueryError> {
        let query = match kind {
            SourceKind::Ckan => CKAN,
            SourceKind::Opendatasoft => OPENDATASOFT,
            SourceKind::DcatUs | SourceKind::Csw | SourceKind::Dcat => return Ok(None),
        };
        Self::new(filters.over(platform_facets(kind), true), query, &Functions::default())
    }

    /// The part that looks at DCAT, stated or mapped; `None` when there is none.
    ///
    /// # Errors
    /// When the query does not parse.
    pub fn of_dcat(
        kind: SourceKind,
        filters: &Filters,
        functions: &Functions,
    ) -> Result<Option<Self>, QueryError> {
        let of_platform = platform_facets(kind);
        let others: Vec<Facet> = Facet::ALL.into_iter().filter(|facet| !of_platform.contains(facet)).collect();
        Self::new(filters.over(&others, of_platform.is_empty()), DCAT, functions)
    }

    fn new(
        filters: Filters,
        (name, text): (&'static str, &str),
        functions: &Functions,
    ) -> Result<Option<Self>, QueryError> {
        if filters.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { filters, name, query: parse_query(name, text)?, functions: functions.clone() }))
    }

    /// Whether each of some records of a graph is wanted.
    ///
    /// # Errors
    /// When the query fails.
    pub fn wants<'t>(
        &self,
        graph: &Graph,
        records: impl Iterator<Item = &'t Term>,
    ) -> Result<Vec<bool>, QueryError> {
        let mut known: HashMap<String, Values> = HashMap::new();
        for solution in select(&self.functions.evaluator(), self.name, &self.query, graph)? {
            let [Some(record), Some(facet), Some(value)] =
                ["record", "facet", "value"].map(|name| solution.get(name))
            else {
                continue;
            };
            known.entry(record.to_string()).or_default().add(&plain(facet), plain(value));
        }
        let nothing = Values::default();
        Ok(records
            .map(|record| {
                let values = known.get(&record.to_string()).unwrap_or(&nothing);
                self.filters.wants(&|facet| values.of(facet), values.modified)
            })
            .collect())
    }
}

/// What a record has of each facet.
#[derive(Default)]
struct Values {
    facets: HashMap<Facet, Vec<String>>,
    modified: Option<DateTime>,
}

impl Values {
    fn add(&mut self, name: &str, value: String) {
        match Facet::parse(name) {
            Some(facet) => self.facets.entry(facet).or_default().push(value),
            // The only other name is `modified`; the newest date counts.
            None => self.modified = self.modified.max(parse_date(&value).ok()),
        }
    }

    fn of(&self, facet: Facet) -> Vec<&str> {
        self.facets.get(&facet).map_or_else(Vec::new, |values| values.iter().map(String::as_str).collect())
    }
}
