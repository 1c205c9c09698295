//! What left the catalogue: `/catalog/tombstones.{ttl,…}`, paged by key.

use crate::catalog::DatasetKey;
use crate::operations::GoneRecord;
use crate::serve::dataset::write;
use crate::serve::negotiated::syntax_of;
use crate::serve::parameters::Parameters;
use crate::serve::problem::Problem;
use crate::serve::server::{Shared, State};
use crate::vocab::{activity, dcat, dct, foaf, hydra, rdf, xsd};
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use oxrdf::{Literal, NamedNode, Triple};
use serde::Deserialize;

const PAGE: i64 = 1_000;

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Paging {
    after: Option<String>,
    source: Option<String>,
}

pub(in crate::serve) async fn tombstones(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Response, Problem> {
    let ending = name.strip_prefix("tombstones.").unwrap_or_default();
    let media_type = syntax_of(ending).ok_or_else(|| Problem::not_found("nothing is at this address"))?;
    let key = |text: &str| {
        DatasetKey::parse(text).ok_or_else(|| Problem::invalid("after", format!("{text:?} is not a record's key")))
    };
    let after = paging.after.as_deref().map(key).transpose()?;
    let source = match &paging.source {
        None => None,
        Some(name) => {
            let row = shared.operations.source_named(name).await?;
            Some(row.ok_or_else(|| Problem::invalid("source", format!("no source is called {name:?}")))?)
        }
    };
    let gone = shared.operations.gone(source.as_ref().map(|row| &row.slug), after, PAGE).await?;
    let address = |after: Option<DatasetKey>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(source.iter().map(|row| ("source", row.name.as_str())));
        query.extend_pairs(after.iter().map(|key| ("after", key.to_string())));
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        named(&shared, &format!("/catalog/{name}{mark}{query}"))
    };
    let view = address(after);
    let collection = named(&shared, "/catalog/tombstones");
    let mut triples = vec![
        Triple::new(collection.clone(), rdf::TYPE, hydra::COLLECTION),
        Triple::new(collection, hydra::VIEW, view.clone()),
        Triple::new(view.clone(), rdf::TYPE, hydra::PARTIAL_COLLECTION_VIEW),
        Triple::new(view.clone(), hydra::FIRST, address(None)),
    ];
    if let Some(last) = gone.last().filter(|_| i64::try_from(gone.len()) == Ok(PAGE)) {
        triples.push(Triple::new(view, hydra::NEXT, address(Some(last.key))));
    }
    triples.extend(gone.iter().flat_map(|record| tombstone(&shared, record)));
    Ok(([(header::CONTENT_TYPE, media_type)], write(&triples, media_type)?).into_response())
}

fn named(shared: &Shared, path: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}{path}", shared.settings.public_base))
}

/// A catalogue record that is no more (Activity Vocabulary, Tombstone), and what it was about.
fn tombstone(shared: &Shared, gone: &GoneRecord) -> Vec<Triple> {
    let record = shared.names.catalogue_record(gone.key);
    let node = match gone.node.as_str() {
        "" => shared.names.record(gone.key),
        iri => NamedNode::new_unchecked(iri),
    };
    let at = Literal::new_typed_literal(gone.archived_at.as_str(), xsd::DATE_TIME);
    vec![
        Triple::new(record.clone(), rdf::TYPE, activity::TOMBSTONE),
        Triple::new(record.clone(), activity::FORMER_TYPE, dcat::CATALOG_RECORD),
        Triple::new(record.clone(), activity::DELETED, at),
        Triple::new(record.clone(), foaf::PRIMARY_TOPIC, node),
        Triple::new(record.clone(), dct::IDENTIFIER, Literal::new_simple_literal(gone.remote_id.as_str())),
        Triple::new(
            record,
            dct::SOURCE,
            NamedNode::new_unchecked(format!("{}/source/{}", shared.names.base(), gone.source)),
        ),
    ]
}
