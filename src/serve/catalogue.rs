//! `/catalog.{ttl,rdf,jsonld}`: the catalogue as DCAT-AP, in Hydra pages.
//!
//! A page goes on behind a key, so that records which come and go meanwhile move no other record to
//! another page.

use super::dataset::{statements, write};
use super::negotiation::best_match;
use super::parameters::Parameters;
use super::problem::Problem;
use super::server::{Shared, State};
use crate::catalog::{DatasetKey, RecordKind};
use crate::store::{CatalogueRecord, Snapshot};
use crate::vocab::{dcat, dct, foaf, hydra, rdf, xsd};
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use oxrdf::{BlankNode, Literal, NamedNode, Triple};
use serde::Deserialize;
use std::collections::BTreeSet;

const LARGEST_PAGE: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    after: Option<String>,
    page_size: Option<usize>,
}

/// The catalogue's own address leads to the syntax that the client likes best.
pub(super) async fn choose(headers: HeaderMap) -> Result<Redirect, Problem> {
    let offers = ["text/turtle", "application/rdf+xml", "application/ld+json"];
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let address = match best_match(accept, &offers).ok_or_else(|| Problem::not_acceptable(&offers))? {
        "application/rdf+xml" => "/catalog.rdf",
        "application/ld+json" => "/catalog.jsonld",
        _ => "/catalog.ttl",
    };
    Ok(Redirect::to(address))
}

pub(super) async fn catalogue(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Response, Problem> {
    let media_type = match name.as_str() {
        "catalog.ttl" => "text/turtle",
        "catalog.rdf" | "catalog.xml" => "application/rdf+xml",
        "catalog.jsonld" => "application/ld+json",
        _ => return Err(Problem::not_found("nothing is at this address")),
    };
    let after = match paging.after.as_deref() {
        None => None,
        Some(text) => Some(
            DatasetKey::parse(text)
                .ok_or_else(|| Problem::bad_request(format!("{text:?} is not a record's key")))?,
        ),
    };
    let size = paging.page_size.unwrap_or(100).clamp(1, LARGEST_PAGE);
    let body = tokio::task::spawn_blocking(move || page(&shared, &name, media_type, after, size)).await??;
    Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
}

fn page(
    shared: &Shared,
    name: &str,
    media_type: &str,
    after: Option<DatasetKey>,
    size: usize,
) -> Result<Vec<u8>, Problem> {
    let opened = shared.snapshot()?;
    let keys = opened.keys(&shared.names);
    let start = after.map_or(0, |after| keys.partition_point(|key| *key <= after));
    let of_page = &keys[start..keys.len().min(start + size)];
    let feed = Feed { shared, name, size };
    let mut triples: BTreeSet<String> = BTreeSet::new();
    let mut ordered = feed.head(keys.len(), of_page, start + size < keys.len(), after);
    for key in of_page {
        ordered.extend(feed.record(&opened.snapshot, *key)?);
    }
    // Publishers and concepts are described by many records, once is enough.
    ordered.retain(|triple| triples.insert(triple.to_string()));
    write(&ordered, media_type)
}

struct Feed<'f> {
    shared: &'f Shared,
    name: &'f str,
    size: usize,
}

impl Feed<'_> {
    fn catalogue(&self) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/catalog", self.shared.settings.public_base))
    }

    fn address(&self, after: Option<DatasetKey>) -> NamedNode {
        let after = after.map_or(String::new(), |key| format!("&after={key}"));
        NamedNode::new_unchecked(format!(
            "{}/{}?page_size={}{after}",
            self.shared.settings.public_base, self.name, self.size
        ))
    }

    /// The catalogue and its Hydra view.
    fn head(&self, total: usize, keys: &[DatasetKey], has_more: bool, after: Option<DatasetKey>) -> Vec<Triple> {
        let catalogue = self.catalogue();
        let publisher = BlankNode::default();
        let english = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "en");
        let french = |text: &str| Literal::new_language_tagged_literal_unchecked(text, "fr");
        let count = Literal::new_typed_literal(total.to_string(), xsd::INTEGER);
        let view = self.address(after);
        let mut triples = vec![
            Triple::new(catalogue.clone(), rdf::TYPE, dcat::CATALOG),
            Triple::new(catalogue.clone(), rdf::TYPE, hydra::COLLECTION),
            Triple::new(catalogue.clone(), dct::TITLE, english("Harvested catalogue")),
            Triple::new(catalogue.clone(), dct::TITLE, french("Catalogue moissonné")),
            Triple::new(
                catalogue.clone(),
                dct::DESCRIPTION,
                english("Datasets harvested from their publishers' own catalogues."),
            ),
            Triple::new(
                catalogue.clone(),
                dct::DESCRIPTION,
                french("Jeux de données moissonnés dans les catalogues de leurs éditeurs."),
            ),
            Triple::new(catalogue.clone(), dct::PUBLISHER, publisher.clone()),
            Triple::new(publisher.clone(), rdf::TYPE, foaf::AGENT),
            Triple::new(publisher, foaf::NAME, Literal::new_simple_literal("Moisson")),
            Triple::new(catalogue.clone(), hydra::TOTAL_ITEMS, count),
            Triple::new(catalogue, hydra::VIEW, view.clone()),
            Triple::new(view.clone(), rdf::TYPE, hydra::PARTIAL_COLLECTION_VIEW),
            Triple::new(view.clone(), hydra::FIRST, self.address(None)),
        ];
        if let Some(last) = keys.last().filter(|_| has_more) {
            triples.push(Triple::new(view, hydra::NEXT, self.address(Some(*last))));
        }
        triples
    }

    /// A record's place in the catalogue, and its statements.
    fn record(&self, snapshot: &Snapshot, key: DatasetKey) -> Result<Vec<Triple>, Problem> {
        let Some(about) = CatalogueRecord::read(&snapshot.store, &self.shared.names, key) else {
            return Ok(Vec::new());
        };
        let link = match about.kind {
            RecordKind::Dataset | RecordKind::Series => dcat::HAS_DATASET,
            RecordKind::Service => dcat::SERVICE,
        };
        let record = self.shared.names.catalogue_record(key);
        let time = |text: &str| Literal::new_typed_literal(text, xsd::DATE_TIME);
        let mut triples = vec![
            Triple::new(self.catalogue(), link, about.node.clone()),
            Triple::new(self.catalogue(), dcat::RECORD, record.clone()),
            Triple::new(record.clone(), rdf::TYPE, dcat::CATALOG_RECORD),
            Triple::new(record.clone(), foaf::PRIMARY_TOPIC, about.node),
            Triple::new(record.clone(), dct::ISSUED, time(&about.first_seen)),
            Triple::new(record, dct::MODIFIED, time(&about.modified)),
        ];
        triples.extend(statements(self.shared, snapshot, key)?);
        Ok(triples)
    }
}
