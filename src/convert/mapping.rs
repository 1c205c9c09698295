//! From the JSON or XML of a platform to DCAT-AP: the mapping queries of its kind.
//!
//! A record is lifted to triples that mirror it. The query `nodes` says which node of DCAT each object
//! becomes; the others say what is said of these nodes.

use super::custom::CustomMapping;
use super::filtering::RecordFilter;
use super::functions::{Functions, language_tag, spoken_of};
use super::queries::{QueryError, construct, parse_query};
use super::tables::TABLES;
use super::unmapped::{Unmapped, fields_read};
use crate::catalog::{GraphHash, SourceKind, hex};
use crate::lift::{Repair, mend, repaired_iri};
use crate::source::{Content, Lineage, Origin, Record, Records, Window, window_of};
use crate::triples::{Graph, TermId};
use crate::vocab::{LIFTED, moisson};
use oxrdf::{BlankNode, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use spargebra::Query;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

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

/// The mapping queries for ISO 19139 and ISO 19115-3, and for the Dublin Core of CSW: `nodes` first.
const CSW: &[(&str, &str)] = &[
    ("nodes", include_str!("../../queries/convert/iso/nodes.rq")),
    ("constraints", include_str!("../../queries/convert/iso/constraints.rq")),
    ("dataset", include_str!("../../queries/convert/iso/dataset.rq")),
    ("dublin-core", include_str!("../../queries/convert/iso/dublin-core.rq")),
    ("extents", include_str!("../../queries/convert/iso/extents.rq")),
    ("keywords", include_str!("../../queries/convert/iso/keywords.rq")),
    ("online", include_str!("../../queries/convert/iso/online.rq")),
    ("parties", include_str!("../../queries/convert/iso/parties.rq")),
    ("quality", include_str!("../../queries/convert/iso/quality.rq")),
    ("record", include_str!("../../queries/convert/iso/record.rq")),
    ("service", include_str!("../../queries/convert/iso/service.rq")),
];

/// What an identifier keeps as it is in a path (RFC 3986, 3.3).
const IN_A_PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

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
    fingerprint: String,
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
            SourceKind::Csw => Self::parse(CSW, custom).map(Some),
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
        // By the texts: a parsed query has variables of its own making, which are others each time.
        let texts: Vec<&str> =
            queries.iter().flat_map(|(name, text)| [*name, *text]).chain(TABLES.iter().copied()).collect();
        let fingerprint = GraphHash::of(&format!("{}{}", texts.concat(), custom.fingerprint())).to_string();
        Ok(Self { read, nodes: parse(nodes)?, statements, functions: custom.functions().clone(), fingerprint })
    }

    /// What changes when the mapping does: the queries and the tables.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Maps the records of a page.
    ///
    /// # Errors
    /// When a query fails.
    pub fn map(&self, page: &Records) -> Result<Mapped, QueryError> {
        let batches: Vec<Batch> = page
            .records
            .par_chunks(BATCH)
            .map(|records| self.batch(page, records))
            .collect::<Result<_, QueryError>>()?;
        let (mut statements, mut owners) = (Vec::new(), Vec::new());
        let (mut origins, mut unmapped) = (Vec::new(), Unmapped::default());
        for batch in batches {
            // Records of a batch are counted from its first one.
            let first = origins.len();
            owners.extend(batch.owners.into_iter().map(|owner| owner.map(|record| first + record)));
            statements.extend(batch.statements);
            origins.extend(batch.origins);
            unmapped.add(batch.unmapped);
        }
        let (statements, repairs) = mend(statements);
        let mut window = window_of(&statements);
        let mut lost = Vec::new();
        let mut of_node: FxHashMap<Term, (usize, Origin)> = FxHashMap::default();
        let named = |record: &Record| (record.id.clone(), record.page.clone());
        for (number, (record, origin)) in page.records.iter().zip(origins).enumerate() {
            match origin {
                Some((root, origin)) if !of_node.contains_key(&root) => {
                    of_node.insert(root, (number, origin));
                }
                _ => lost.push(named(record)),
            }
        }
        let spoken = spoken_by(&window.graph, &statements, &owners);
        for root in &mut window.roots {
            let Some((number, origin)) = of_node.remove(window.graph.term(root.node)) else { continue };
            root.origin = Some(origin);
            root.rows.retain(|row| spoken.get(row).is_none_or(|by| by.contains(&number)));
        }
        lost.extend(of_node.into_values().map(|(number, _)| named(&page.records[number])));
        Ok(Mapped { window, repairs, lost, unmapped })
    }

    /// Keeps the records of a page that a filter wants; gives how many it does not.
    ///
    /// # Errors
    /// When a query fails.
    pub fn select(&self, filter: &RecordFilter, page: &mut Records) -> Result<u64, QueryError> {
        let lifted = self.lift(page, &page.records)?;
        let nodes: Vec<Term> = lifted.roots.iter().cloned().map(Term::from).collect();
        let wanted = filter.wants(&Graph::of(&lifted.triples), nodes.iter())?;
        let before = page.records.len();
        let mut wanted = wanted.into_iter();
        page.records.retain(|_| wanted.next().unwrap_or(true));
        Ok((before - page.records.len()) as u64)
    }

    /// Lifts records, and says which node each of their objects becomes.
    fn lift(&self, page: &Records, records: &[Record]) -> Result<Lifted, QueryError> {
        let mut lifted = Lifted::default();
        for record in records {
            let start = lifted.triples.len();
            let node = record.lift(&mut |triple| lifted.triples.push(triple));
            match &record.content {
                Content::Json(_) => lifted.unmapped.note(&lifted.triples[start..], &self.read),
                Content::Xml(xml) => lifted.unmapped.note_elements(&xml.element, &self.read),
            }
            lifted.say(&node, moisson::SITE, &page.site);
            lifted.say(&node, moisson::ID, &record.id);
            lifted.say(&node, moisson::PAGE, &record.page);
            if let Some(prefix) = &page.page_prefix {
                let id = utf8_percent_encode(&record.id, &IN_A_PATH);
                lifted.say(&node, moisson::LANDING_PAGE, &format!("{}/{id}", prefix.trim_end_matches('/')));
            }
            lifted.roots.push(node);
        }
        let (name, query) = &self.nodes;
        let evaluator = self.functions.evaluator();
        let mut becoming = construct(&evaluator, name, query, &Graph::of(&lifted.triples))?;
        keep_apart(&lifted.roots, &mut becoming);
        lifted.triples.extend(becoming);
        Ok(lifted)
    }

    fn batch(&self, page: &Records, records: &[Record]) -> Result<Batch, QueryError> {
        let Lifted { triples, roots, unmapped } = self.lift(page, records)?;
        let evaluator = self.functions.evaluator();
        let graph = Graph::of(&triples);
        let numbers: FxHashMap<&str, usize> =
            roots.iter().enumerate().map(|(number, node)| (node.as_str(), number)).collect();
        let (mut statements, mut owners) = (Vec::new(), Vec::new());
        for (name, query) in &self.statements {
            for mut triple in construct(&evaluator, name, query, &graph)? {
                owners.push(owned(&mut triple, &numbers));
                statements.push(as_stated(triple));
            }
        }
        let origins = roots
            .iter()
            .zip(records)
            .map(|(node, record)| Some((becomes(&graph, node)?, origin(&graph, node, record))))
            .collect();
        Ok(Batch { statements, owners, origins, unmapped })
    }
}

/// Records as triples that mirror what they say, with the node of each.
#[derive(Default)]
struct Lifted {
    triples: Vec<Triple>,
    roots: Vec<NamedNode>,
    unmapped: Unmapped,
}

impl Lifted {
    fn say(&mut self, node: &NamedNode, predicate: NamedNodeRef<'_>, text: &str) {
        self.triples.push(Triple::new(node.clone(), predicate, Literal::new_simple_literal(text)));
    }
}

/// What came of some records, and the node that each became.
struct Batch {
    statements: Vec<Triple>,
    /// The one record that a statement is made in, where others may speak of its subject too.
    owners: Vec<Option<usize>>,
    origins: Vec<Option<(Term, Origin)>>,
    unmapped: Unmapped,
}

/// Gives a statement about a node that others may name its subject, and tells the record that it is made in.
fn owned(triple: &mut Triple, numbers: &FxHashMap<&str, usize>) -> Option<usize> {
    let NamedOrBlankNode::NamedNode(subject) = &triple.subject else { return None };
    let (record, node) = spoken_of(subject.as_str())?;
    let number = numbers.get(record).copied();
    triple.subject = NamedNode::new_unchecked(node).into();
    number
}

/// The rows of a window that only some records state, with these.
fn spoken_by(
    graph: &Graph,
    statements: &[Triple],
    owners: &[Option<usize>],
) -> FxHashMap<[TermId; 3], Vec<usize>> {
    let mut spoken: FxHashMap<[TermId; 3], Vec<usize>> = FxHashMap::default();
    for (triple, owner) in statements.iter().zip(owners) {
        let Some(owner) = owner else { continue };
        let ids = (
            graph.id(triple.subject.as_ref()),
            graph.id(triple.predicate.as_ref()),
            graph.id(triple.object.as_ref()),
        );
        if let (Some(s), Some(p), Some(o)) = ids {
            spoken.entry([s, p, o]).or_default().push(*owner);
        }
    }
    spoken
}

/// Two records that name the same node describe two things: the first has it, the second goes without a name.
fn keep_apart(roots: &[NamedNode], becoming: &mut [Triple]) {
    let mut of_root: FxHashMap<NamedOrBlankNode, &mut Triple> = FxHashMap::default();
    for triple in becoming.iter_mut().filter(|triple| triple.predicate == moisson::BECOMES) {
        of_root.entry(triple.subject.clone()).or_insert(triple);
    }
    let mut taken = FxHashSet::default();
    for root in roots {
        if let Some(triple) = of_root.get_mut(&NamedOrBlankNode::from(root.clone()))
            && !taken.insert(triple.object.clone())
        {
            triple.object = root.clone().into();
        }
    }
}

fn origin(graph: &Graph, node: &NamedNode, record: &Record) -> Origin {
    let base = format!("{}#", node.as_str());
    let becomes = graph.id(moisson::BECOMES);
    let pieces = graph.rows().iter().filter(|row| Some(row[1]) == becomes).filter_map(|[subject, _, object]| {
        let (Term::NamedNode(piece), Term::NamedNode(name)) = (graph.term(*subject), graph.term(*object)) else {
            return None;
        };
        Some((name.as_str().to_owned(), piece.as_str().strip_prefix(&base)?))
    });
    let (id, lineage) = match &record.content {
        Content::Xml(xml) => {
            let named = pieces.filter_map(|(name, piece)| Some((name, piece.parse().ok()?))).collect();
            (Some(record.id.clone()), Lineage::Xml { record: xml.clone(), named })
        }
        Content::Json(json) => {
            let pointer = |piece: &str| percent_decode_str(piece).decode_utf8().ok().map(Cow::into_owned);
            let named = pieces.filter_map(|(name, piece)| Some((name, pointer(piece)?))).collect();
            (None, Lineage::Json { record: json.clone(), named })
        }
    };
    Origin { page: record.page.clone(), id, lineage: Some(Arc::new(lineage)) }
}

/// A statement as its source would make it: what has no name there has none of ours either, and languages go by
/// their shortest codes (RFC 5646, 2.2.1).
fn as_stated(mut triple: Triple) -> Triple {
    let blank = |node: &NamedNode| unnamed(node).map(BlankNode::new_unchecked);
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
    if let Term::Literal(literal) = &triple.object
        && let Some(tag) = literal.language().filter(|tag| tag.len() == 3).and_then(language_tag)
    {
        triple.object = Literal::new_language_tagged_literal_unchecked(literal.value(), tag).into();
    }
    triple
}

/// The label of a lifted node that has no name in the source. The letter keeps it from reading as a number, which
/// blank nodes without a label have.
fn unnamed(node: &NamedNode) -> Option<String> {
    node.as_str().strip_prefix(LIFTED).map(|rest| format!("n{}", hex(rest.as_bytes())))
}

/// The node that a record became, as it is called once it is mended.
fn becomes(graph: &Graph, node: &NamedNode) -> Option<Term> {
    let object = graph.objects(graph.id(node.as_ref())?, graph.id(moisson::BECOMES)?).next()?;
    match graph.term(object) {
        Term::NamedNode(node) if node.as_str().starts_with(LIFTED) => {
            unnamed(node).map(|label| BlankNode::new_unchecked(format!("l{label}")).into())
        }
        Term::NamedNode(node) => Some(NamedNode::new_unchecked(repaired_iri(node.as_str())?).into()),
        other => Some(other.clone()),
    }
}
