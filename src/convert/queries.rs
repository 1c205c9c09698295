//! The conversion and check queries: parsed once, run over many records at a time.

use super::custom::CustomMapping;
use super::functions::Functions;
use super::identify::Draft;
use super::tables::TABLES;
use crate::catalog::{Finding, GraphHash, Message, Severity};
use crate::triples::{Graph, GraphView};
use crate::vocab::{dcat, xsd};
use oxrdf::{Literal, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults, QuerySolution};
use spargebra::{Query, SparqlParser, SparqlSyntaxError};

/// The conversion queries for DCAT, in the order of their names; each reads only the source's statements.
const CONVERT_DCAT: &[(&str, &str)] = &[
    ("addresses", include_str!("../../queries/convert/dcat/addresses.rq")),
    ("aliases", include_str!("../../queries/convert/dcat/aliases.rq")),
    ("checksums", include_str!("../../queries/convert/dcat/checksums.rq")),
    ("codes", include_str!("../../queries/convert/dcat/codes.rq")),
    ("contacts", include_str!("../../queries/convert/dcat/contacts.rq")),
    ("dates", include_str!("../../queries/convert/dcat/dates.rq")),
    ("geonetwork", include_str!("../../queries/convert/dcat/geonetwork.rq")),
    ("high-value", include_str!("../../queries/convert/dcat/high-value.rq")),
    ("periods", include_str!("../../queries/convert/dcat/periods.rq")),
    ("places", include_str!("../../queries/convert/dcat/places.rq")),
];

/// The queries that list what no conversion could read.
const CHECK_DCAT: &[(&str, &str)] = &[
    ("unread-values", include_str!("../../queries/check/dcat/unread-values.rq")),
    ("claims", include_str!("../../queries/check/dcat/claims.rq")),
    ("misspelt-properties", include_str!("../../queries/check/dcat/misspelt-properties.rq")),
];

/// The texts of the queries that an RDF source goes through.
pub fn queries_of_dcat() -> impl Iterator<Item = &'static str> {
    CONVERT_DCAT.iter().chain(CHECK_DCAT).map(|(_, text)| *text)
}

/// A query that does not parse or run.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It does not parse.
    #[error("the query {name} does not parse")]
    Syntax {
        /// Its name.
        name: String,
        /// The parser's error.
        #[source]
        source: SparqlSyntaxError,
    },
    /// It does not run.
    #[error("the query {name} failed")]
    Evaluation {
        /// Its name.
        name: String,
        /// The engine's error.
        #[source]
        source: QueryEvaluationError,
    },
}

/// Parses a query of the program or of a user.
pub fn parse_query(name: &str, text: &str) -> Result<Query, QueryError> {
    SparqlParser::new().parse_query(text).map_err(|source| QueryError::Syntax { name: name.to_owned(), source })
}

/// What conversion adds to one record.
#[derive(Debug, Default)]
pub struct Conversion {
    /// Triples that the queries read into the source's statements, sorted.
    pub added: Vec<Triple>,
    /// What they could not read.
    pub findings: Vec<Finding>,
}

/// The parsed queries of one kind of source.
#[derive(Debug)]
pub struct Converter {
    convert: Vec<(String, Query)>,
    check: Vec<(String, Query)>,
    functions: Functions,
    own: String,
}

impl Converter {
    /// The converter for what is DCAT, with the alias rows of a source.
    pub fn dcat(custom: &CustomMapping) -> Result<Self, QueryError> {
        let parse = |queries: &'static [(&'static str, &'static str)]| {
            queries.iter().map(|(name, text)| Ok(((*name).to_owned(), parse_query(name, text)?))).collect()
        };
        let convert: Result<_, QueryError> = parse(CONVERT_DCAT);
        let check: Result<_, QueryError> = parse(CHECK_DCAT);
        let functions = custom.functions().clone();
        Ok(Self { convert: convert?, check: check?, own: functions.fingerprint(), functions })
    }

    /// The same with a source's own queries, which read its DCAT as it states it.
    #[must_use]
    pub fn with_queries_of(mut self, custom: &CustomMapping) -> Self {
        self.convert.extend(custom.queries.iter().map(|own| (own.name.clone(), own.query.clone())));
        self.own = custom.fingerprint();
        self
    }

    /// What changes when the mapping does: the queries, the tables and the program behind them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut texts = env!("CARGO_PKG_VERSION").to_owned();
        // Not the parsed queries: these have variables of their own making, which are others each time.
        for (name, query) in CONVERT_DCAT.iter().chain(CHECK_DCAT) {
            texts.push_str(name);
            texts.push_str(query);
        }
        texts.push_str(&TABLES.concat());
        texts.push_str(&self.own);
        let mut hash = GraphHash::of(&texts).to_string();
        hash.truncate(16);
        hash
    }

    /// Converts records together: a query is planned once for all of them.
    pub fn convert(&self, drafts: &[&Draft]) -> Result<Vec<Conversion>, QueryError> {
        let evaluator = self.functions.evaluator();
        let owners = Owners::of(drafts);
        let mut conversions: Vec<Conversion> = drafts.iter().map(|_| Conversion::default()).collect();
        let stated = Graph::of(drafts.iter().flat_map(|draft| &draft.triples));
        for (name, query) in &self.convert {
            for triple in construct(&evaluator, name, query, &stated)? {
                owners.add(&triple, &stated, &mut conversions);
            }
        }
        for conversion in &mut conversions {
            conversion.added.sort_by_cached_key(ToString::to_string);
            conversion.added.dedup();
        }
        // Most records are as they should be: then there is nothing to add.
        let whole = if conversions.iter().all(|conversion| conversion.added.is_empty()) {
            stated
        } else {
            let added = conversions.iter().flat_map(|conversion| &conversion.added);
            Graph::of(drafts.iter().flat_map(|draft| &draft.triples).chain(added))
        };
        for (name, query) in &self.check {
            for solution in select(&evaluator, name, query, &whole)? {
                owners.report(&solution, drafts, &mut conversions);
            }
        }
        Ok(conversions)
    }
}

pub(super) fn construct(
    evaluator: &QueryEvaluator,
    name: &str,
    query: &Query,
    graph: &Graph,
) -> Result<Vec<Triple>, QueryError> {
    let failed = |source| QueryError::Evaluation { name: name.to_owned(), source };
    match evaluator.prepare(query).execute(GraphView::of(graph)).map_err(failed)? {
        QueryResults::Graph(triples) => {
            triples.map(|triple| triple.map(with_size_datatype)).collect::<Result<_, _>>().map_err(failed)
        }
        QueryResults::Solutions(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
    }
}

/// The text of a term that a query gives: an IRI, a literal without its type, a label.
pub(crate) fn plain(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(node) => node.to_string(),
        Term::Literal(literal) => literal.value().to_owned(),
    }
}

/// SPARQL knows one integer type; sizes have another (DCAT-AP 3, `dcat:byteSize`).
fn with_size_datatype(mut triple: Triple) -> Triple {
    if triple.predicate.as_ref() == dcat::BYTE_SIZE
        && let Term::Literal(size) = &triple.object
    {
        triple.object = Literal::new_typed_literal(size.value(), xsd::NON_NEGATIVE_INTEGER).into();
    }
    triple
}

pub(super) fn select(
    evaluator: &QueryEvaluator,
    name: &str,
    query: &Query,
    graph: &Graph,
) -> Result<Vec<QuerySolution>, QueryError> {
    let failed = |source| QueryError::Evaluation { name: name.to_owned(), source };
    match evaluator.prepare(query).execute(GraphView::of(graph)).map_err(failed)? {
        QueryResults::Solutions(solutions) => solutions.collect::<Result<_, _>>().map_err(failed),
        QueryResults::Graph(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
    }
}

/// Which records describe a node; shared nodes have several owners.
struct Owners {
    of_node: FxHashMap<String, Vec<usize>>,
}

impl Owners {
    fn of(drafts: &[&Draft]) -> Self {
        let mut of_node: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (position, draft) in drafts.iter().enumerate() {
            let subjects: FxHashSet<String> =
                draft.triples.iter().map(|triple| node_text(&triple.subject)).collect();
            for subject in subjects {
                of_node.entry(subject).or_default().push(position);
            }
        }
        Self { of_node }
    }

    /// Gives a triple to the records that own its subject; one of a new node, to those that own the
    /// node whose child it is.
    fn add(&self, triple: &Triple, stated: &Graph, conversions: &mut [Conversion]) {
        if stated_holds(stated, triple) {
            return;
        }
        let subject = node_text(&triple.subject);
        let owners = self.of_node.get(&subject).or_else(|| self.of_node.get(parent(&subject)?));
        for owner in owners.into_iter().flatten() {
            conversions[*owner].added.push(triple.clone());
        }
    }

    fn report(&self, solution: &QuerySolution, drafts: &[&Draft], conversions: &mut [Conversion]) {
        let text = |name: &str| match solution.get(name) {
            Some(Term::NamedNode(node)) => Some(node.as_str().to_owned()),
            Some(Term::Literal(literal)) => Some(literal.value().to_owned()),
            Some(Term::BlankNode(_)) | None => None,
        };
        let Some(node) = text("node") else { return };
        for owner in self.of_node.get(&node).into_iter().flatten() {
            let draft = drafts[*owner];
            let value = solution.get("value").map(plain);
            conversions[*owner].findings.push(Finding {
                record: draft.remote_id.value.clone(),
                focus_node: node.clone(),
                property: text("property"),
                value: solution.get("value").map(ToString::to_string),
                rule: format!("convert/{}", text("rule").unwrap_or_default()),
                severity: text("severity").and_then(|word| Severity::parse(&word)).unwrap_or_default(),
                message: Message::new(text("en").unwrap_or_default(), text("fr").unwrap_or_default()),
                place: draft.place_of(&node, text("property").as_deref(), value.as_deref()),
                suggestion: text("suggestion"),
                ..Finding::default()
            });
        }
    }
}

fn stated_holds(stated: &Graph, triple: &Triple) -> bool {
    let ids = (
        stated.id(triple.subject.as_ref()),
        stated.id(triple.predicate.as_ref()),
        stated.id(triple.object.as_ref()),
    );
    matches!(ids, (Some(s), Some(p), Some(o)) if stated.contains(s, p, o))
}

fn node_text(node: &oxrdf::NamedOrBlankNode) -> String {
    match node {
        oxrdf::NamedOrBlankNode::NamedNode(node) => node.as_str().to_owned(),
        oxrdf::NamedOrBlankNode::BlankNode(node) => node.to_string(),
    }
}

/// The node that a node made by `m:child` stands below.
fn parent(child: &str) -> Option<&str> {
    let (before_hash, _) = child.rsplit_once('-')?;
    let (parent, _) = before_hash.rsplit_once(['#', '-'])?;
    Some(parent)
}
