//! Records as search engines and machine learning read them: schema.org and Croissant, by the queries of
//! `queries/web/`.

use super::nested::{Nested, local};
use super::rows::DeriveError;
use crate::catalog::DatasetKey;
use crate::convert::{QueryError, parse_query, record_evaluator};
use crate::store::{CatalogueRecord, GraphNames, Snapshot, SourceGraph, StoreError};
use crate::triples::{Graph, GraphBuilder, GraphView};
use crate::vocab::{dcat, dct, moisson};
use oxrdf::{GraphNameRef, Literal, NamedNode, Triple};
use serde_json::{Map, Value, json};
use spareval::QueryResults;
use spargebra::Query;

/// The namespace of schema.org in the queries.
const SCHEMA: &str = "http://schema.org/";
/// The context that Croissant 1.0 asks for (its appendix).
const CROISSANT_CONTEXT: &str = include_str!("../../data/croissant-context.json");

/// What is written for the web.
#[derive(Debug)]
pub struct WebDescriber {
    schema_org: Query,
    croissant: Query,
    languages: Vec<String>,
}

/// A record for the web.
#[derive(Debug, Clone, PartialEq)]
pub struct WebDescription {
    /// As schema.org has it.
    pub schema_org: Value,
    /// As Croissant has it, where files can be downloaded and their types are known.
    pub croissant: Option<Value>,
}

impl WebDescriber {
    /// Parses the queries. Texts are shown in the first of these languages that there is.
    ///
    /// # Errors
    /// When a query does not parse.
    pub fn new(languages: &[String]) -> Result<Self, QueryError> {
        Ok(Self {
            schema_org: parse_query("schema-org", include_str!("../../queries/web/schema-org.rq"))?,
            croissant: parse_query("croissant", include_str!("../../queries/web/croissant.rq"))?,
            languages: languages.to_vec(),
        })
    }

    /// Describes a record of a snapshot; nothing where there is none. `base` is the server's own address.
    ///
    /// # Errors
    /// When the store or a query fails.
    pub fn describe(
        &self,
        snapshot: &Snapshot,
        names: &GraphNames,
        key: DatasetKey,
        base: &str,
    ) -> Result<Option<WebDescription>, DeriveError> {
        let Some(about) = CatalogueRecord::read(&snapshot.store, names, key) else { return Ok(None) };
        let source = SourceGraph::read(&snapshot.store, names, &about.source);
        let of_source = source.as_ref().map_or(&[][..], |source| &source.languages);
        let languages: Vec<String> = self.languages.iter().chain(of_source).cloned().collect();
        let page = format!("{base}/dataset/{key}");
        let graph = graph(snapshot, names, &about, source.as_ref(), base)?;
        let schema = constructed("schema-org", &self.schema_org, &graph, &languages)?;
        let croissant = constructed("croissant", &self.croissant, &graph, &languages)?;
        let name_of_type = |iri: &str| local(iri).to_owned();
        let mut told = Map::from_iter([("@context".to_owned(), json!("https://schema.org/"))]);
        told.extend(Nested::new(&schema, "", name_of_type).object(&about.node));
        let has_files = croissant.iter().any(|triple| triple.predicate.as_str().ends_with("/distribution"));
        let croissant = has_files.then(|| self.croissant(schema, croissant, &about.node, &page));
        Ok(Some(WebDescription { schema_org: Value::Object(told), croissant }))
    }

    fn croissant(&self, schema: Vec<Triple>, own: Vec<Triple>, node: &NamedNode, page: &str) -> Value {
        // Files and fields are told in Croissant's own way.
        let of_others = ["distribution", "variableMeasured"].map(|name| format!("{SCHEMA}{name}"));
        let mut triples: Vec<Triple> = schema
            .into_iter()
            .filter(|triple| !of_others.iter().any(|p| p == triple.predicate.as_str()))
            .collect();
        triples.extend(own);
        let name_of_type = |iri: &str| {
            let prefix = if iri.contains("mlcommons") { "cr" } else { "sc" };
            format!("{prefix}:{}", local(iri))
        };
        let mut context: Value = serde_json::from_str(CROISSANT_CONTEXT).expect("a file of ours");
        context["@language"] = json!(self.languages.first().map_or("en", String::as_str));
        let mut told = Map::from_iter([("@context".to_owned(), context)]);
        told.extend(Nested::new(&triples, &format!("{page}/"), name_of_type).object(node));
        Value::Object(told)
    }
}

/// What is known of a record, with its page and the catalogue that it is in.
fn graph(
    snapshot: &Snapshot,
    names: &GraphNames,
    about: &CatalogueRecord,
    source: Option<&SourceGraph>,
    base: &str,
) -> Result<Graph, StoreError> {
    let mut builder = GraphBuilder::new();
    let record = names.catalogue_record(about.key);
    for graph in [names.record(about.key), names.normalised(about.key), record.clone()] {
        let name = GraphNameRef::from(graph.as_ref());
        for quad in snapshot.store.quads_for_pattern(None, None, None, Some(name)) {
            builder.insert(&Triple::from(quad?));
        }
    }
    for quad in source.iter().flat_map(|source| source.to_quads(names)) {
        builder.insert(&Triple::from(quad));
    }
    let catalogue = NamedNode::new_unchecked(format!("{base}/catalog"));
    let page = Literal::new_simple_literal(format!("{base}/dataset/{}", about.key));
    let title = |text: &str, tag: &str| Literal::new_language_tagged_literal_unchecked(text, tag);
    for triple in [
        Triple::new(record.clone(), moisson::PAGE, page),
        Triple::new(catalogue.clone(), dcat::RECORD, record),
        Triple::new(catalogue.clone(), dct::TITLE, title("Harvested catalogue", "en")),
        Triple::new(catalogue, dct::TITLE, title("Catalogue moissonné", "fr")),
    ] {
        builder.insert(&triple);
    }
    Ok(builder.build())
}

fn constructed(name: &str, query: &Query, graph: &Graph, languages: &[String]) -> Result<Vec<Triple>, QueryError> {
    let failed = |source| QueryError::Evaluation { name: name.to_owned(), source };
    let evaluator = record_evaluator(languages.to_vec());
    match evaluator.prepare(query).execute(GraphView::of(graph)).map_err(failed)? {
        QueryResults::Graph(triples) => triples.collect::<Result<_, _>>().map_err(failed),
        QueryResults::Solutions(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
    }
}
