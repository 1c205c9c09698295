//! From the JSON of a platform to DCAT-AP: the mapping queries of its kind.
//!
//! A record is lifted to triples that mirror its JSON. The query `nodes` says which node of DCAT each object
//! becomes; the others say what is said of these nodes.

use super::custom::CustomMapping;
use super::filtering::RecordFilter;
use super::functions::Functions;
use super::queries::{QueryError, construct, parse_query};
use super::tables::TABLES;
use super::unmapped::{Unmapped, fields_read};
use crate::catalog::{GraphHash, SourceKind, hex};
use crate::lift::{Repair, lift_json, mend, repaired_iri};
use crate::source::{JsonRecord, JsonRecords, Window, window_of};
use crate::triples::Graph;
use crate::vocab::{LIFTED, moisson};
use oxrdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use spargebra::Query;
use std::collections::HashSet;

/// The mapping queries for CKAN: `nodes` first.
const CKAN: &[(&str, &str)] = &[
    ("nodes", include_str!("../../queries/convert/ckan/nodes.rq")),
    ("activities", include_str!("../../queries/convert/ckan/activities.rq")),
    ("agents", include_str!("../../queries/convert/ckan/agents.rq")),
    ("coverage", include_str!("../../queries/convert/ckan/coverage.rq")),
    ("dataset", include_str!("../../queries/convert/ckan/dataset.rq")),
    ("resources", include_str!("../../queries/convert/ckan/resources.rq")),
];

/// The mapping queries for Opendatasoft: `nodes` first.
const OPENDATASOFT: &[(&str, &str)] = &[
    ("nodes", include_str!("../../queries/convert/opendatasoft/nodes.rq")),
    ("dataset", include_str!("../../queries/convert/opendatasoft/dataset.rq")),
    ("distributions", include_str!("../../queries/convert/opendatasoft/distributions.rq")),
];

/// The mapping queries for DCAT-US: `nodes` first.
const DCAT_US: &[(&str, &str)] = &[
    ("nodes", include_str!("../../queries/convert/dcat-us/nodes.rq")),
    ("dataset", include_str!("../../queries/convert/dcat-us/dataset.rq")),
    ("distributions", include_str!("../../queries/convert/dcat-us/distributions.rq")),
    ("version3", include_str!("../../queries/convert/dcat-us/version3.rq")),
];

/// Records mapped together: planning a query costs as much as answering it for several.
const BATCH: usize = 100;

/// The parsed mapping queries of one kind of source.
#[derive(Debug)]
pub struct Mapper {
    /// The fields that the queries name.
    read: HashSet<String>,
    nodes: (String, Query),
    /// Those of the kind, then those of the source.
    statements: Vec<(String, Query)>,
    functions: Functions,
    own: String,
}

/// Records as DCAT-AP.
#[derive(Debug)]
pub struct Mapped {
    /// Their statements.
    pub window: Window,
    /// What was repaired in them.
    pub repairs: Vec<Repair>,
    /// Those of which the queries made no record: identifier and page.
    pub lost: Vec<(String, String)>,
    /// Their fields that no query reads.
    pub unmapped: Unmapped,
}

impl Mapper {
    /// The mapper of a kind of source, with what one source adds to it; DCAT needs none.
    ///
    /// # Errors
    /// When a query does not parse.
    pub fn of(kind: SourceKind, custom: &CustomMapping) -> Result<Option<Self>, QueryError> {
        match kind {
            SourceKind::Dcat => Ok(None),
            SourceKind::Ckan => Self::parse(CKAN, custom).map(Some),
            SourceKind::Opendatasoft => Self::parse(OPENDATASOFT, custom).map(Some),
            SourceKind::DcatUs => Self::parse(DCAT_US, custom).map(Some),
        }
    }

    fn parse(
        queries: &'static [(&'static str, &'static str)],
        custom: &CustomMapping,
    ) -> Result<Self, QueryError> {
        let parse =
            |(name, text): &(&'static str, &'static str)| Ok(((*name).to_owned(), parse_query(name, text)?));
        let (nodes, statements) = queries.split_first().expect("`nodes` is the first");
        let own = custom.queries.iter().map(|own| own.text.as_str());
        let read = fields_read(queries.iter().map(|(_, text)| *text).chain(own));
        let mut statements: Vec<_> = statements.iter().map(parse).collect::<Result<_, QueryError>>()?;
        statements.extend(custom.queries.iter().map(|own| (own.name.clone(), own.query.clone())));
        let (functions, own) = (custom.functions().clone(), custom.fingerprint());
        Ok(Self { read, nodes: parse(nodes)?, statements, functions, own })
    }

    /// What changes when the mapping does: the queries and the tables.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let queries = std::iter::once(&self.nodes).chain(&self.statements);
        let texts: Vec<String> = queries.map(|(name, query)| format!("{name}\n{query}")).collect();
        GraphHash::of(&format!("{}{}{}", texts.concat(), TABLES.concat(), self.own)).to_string()
    }

    /// Maps the records of a page.
    ///
    /// # Errors
    /// When a query fails.
    pub fn map(&self, page: &JsonRecords) -> Result<Mapped, QueryError> {
        let batches: Vec<Batch> = page
            .records
            .par_chunks(BATCH)
            .map(|records| self.batch(&page.site, records))
            .collect::<Result<_, QueryError>>()?;
        let (mut statements, mut roots, mut unmapped) = (Vec::new(), Vec::new(), Unmapped::default());
        for batch in batches {
            statements.extend(batch.statements);
            roots.extend(batch.roots);
            unmapped.add(batch.unmapped);
        }
        let (statements, repairs) = mend(statements);
        let mut window = window_of(&statements);
        let mut pages: FxHashMap<Term, &JsonRecord> =
            roots.into_iter().zip(&page.records).filter_map(|(root, record)| Some((root?, record))).collect();
        for root in &mut window.roots {
            root.page = pages.remove(window.graph.term(root.node)).map(|record| record.page.clone());
        }
        let is_mapped =
            |record: &&JsonRecord| window.roots.iter().any(|root| root.page.as_ref() == Some(&record.page));
        let lost = if window.roots.len() == page.records.len() {
            Vec::new()
        } else {
            let left = page.records.iter().filter(|record| !is_mapped(record));
            left.map(|record| (record.id.clone(), record.page.clone())).collect()
        };
        Ok(Mapped { window, repairs, lost, unmapped })
    }

    /// Keeps the records of a page that a filter wants; gives how many it does not.
    ///
    /// # Errors
    /// When a query fails.
    pub fn select(&self, filter: &RecordFilter, page: &mut JsonRecords) -> Result<u64, QueryError> {
        let lifted = self.lift(&page.site, &page.records)?;
        let nodes: Vec<Term> = lifted.roots.iter().cloned().map(Term::from).collect();
        let wanted = filter.wants(&Graph::of(&lifted.triples), nodes.iter())?;
        let before = page.records.len();
        let mut wanted = wanted.into_iter();
        page.records.retain(|_| wanted.next().unwrap_or(true));
        Ok((before - page.records.len()) as u64)
    }

    /// Lifts records, and says which node each of their objects becomes.
    fn lift(&self, site: &str, records: &[JsonRecord]) -> Result<Lifted, QueryError> {
        let mut lifted = Lifted::default();
        let site = Term::from(Literal::new_simple_literal(site));
        for record in records {
            let start = lifted.triples.len();
            let node = lift_json(&record.id, &record.fields, &mut |triple| lifted.triples.push(triple));
            lifted.unmapped.note(&lifted.triples[start..], &self.read);
            lifted.triples.push(Triple::new(node.clone(), moisson::SITE, site.clone()));
            lifted.triples.push(Triple::new(node.clone(), moisson::ID, Literal::new_simple_literal(&record.id)));
            lifted.roots.push(node);
        }
        let (name, query) = &self.nodes;
        let evaluator = self.functions.evaluator();
        let becoming = construct(&evaluator, name, query, &Graph::of(&lifted.triples))?;
        lifted.triples.extend(becoming);
        Ok(lifted)
    }

    fn batch(&self, site: &str, records: &[JsonRecord]) -> Result<Batch, QueryError> {
        let Lifted { triples, roots, unmapped } = self.lift(site, records)?;
        let evaluator = self.functions.evaluator();
        let graph = Graph::of(&triples);
        let mut statements = Vec::new();
        for (name, query) in &self.statements {
            statements.extend(construct(&evaluator, name, query, &graph)?.into_iter().map(with_blank_nodes));
        }
        let roots = roots.iter().map(|node| becomes(&graph, node)).collect();
        Ok(Batch { statements, roots, unmapped })
    }
}

/// Records as triples that mirror their JSON, with the node of each.
#[derive(Default)]
struct Lifted {
    triples: Vec<Triple>,
    roots: Vec<NamedNode>,
    unmapped: Unmapped,
}

/// What came of some records, and the node that each became.
struct Batch {
    statements: Vec<Triple>,
    roots: Vec<Option<Term>>,
    unmapped: Unmapped,
}

/// What has no name in the source has none of ours either.
fn with_blank_nodes(mut triple: Triple) -> Triple {
    let blank = |node: &NamedNode| {
        node.as_str().strip_prefix(LIFTED).map(|rest| BlankNode::new_unchecked(hex(rest.as_bytes())))
    };
    if let NamedOrBlankNode::NamedNode(node) = &triple.subject
        && let Some(node) = blank(node)
    {
        triple.subject = node.into();
    }
    if let Term::NamedNode(node) = &triple.object
        && let Some(node) = blank(node)
    {
        triple.object = node.into();
    }
    triple
}

fn becomes(graph: &Graph, node: &NamedNode) -> Option<Term> {
    let object = graph.objects(graph.id(node.as_ref())?, graph.id(moisson::BECOMES)?).next()?;
    match graph.term(object) {
        Term::NamedNode(node) => Some(NamedNode::new_unchecked(repaired_iri(node.as_str())?).into()),
        other => Some(other.clone()),
    }
}
