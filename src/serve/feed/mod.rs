//! The catalogue as DCAT-AP feeds: whole, of a source, of an organization; what left it; what changed.
//!
//! A feed is paged by key on one state of the catalogue: records that come and go meanwhile move no other record to
//! another page, and a reader who starts on a state ends on it.

mod asked;
mod atom;
mod changes;
mod page;
mod tombstones;

pub(super) use atom::atom;
pub(super) use changes::{event as change_event, page as change_page, root as change_root};
pub(super) use tombstones::tombstones;

use self::asked::{Asked, Scope};
use super::answer::{Conditional, not_modified, tag};
use super::api::choose as choose_keys;
use super::negotiated::{best_of, ending_of, endings, syntax_of};
use super::problem::Problem;
use super::server::{Opened, Shared, State};
use crate::catalog::DatasetKey;
use crate::derive::{Filter, Selection};
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Selections that are remembered.
const REMEMBERED: usize = 64;

/// The records that filters chose, by state and filters: the pages of a feed choose once.
#[derive(Default)]
pub(super) struct Chosen {
    known: Mutex<HashMap<(u64, Vec<Filter>), Arc<Vec<DatasetKey>>>>,
}

/// A feed's own address leads to the syntax that the client likes best, with its filters.
fn led(path: &str, query: Option<&str>, headers: &HeaderMap, page: &str) -> Result<Response, Problem> {
    let offers = [
        "text/turtle",
        "application/rdf+xml",
        "application/ld+json",
        "application/n-triples",
        "application/trig",
        "text/html",
    ];
    let media_type = best_of(headers, &offers)?;
    if media_type == "text/html" {
        return Ok(Redirect::to(page).into_response());
    }
    let ending = ending_of(media_type);
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    Ok((([(header::VARY, "Accept")]), Redirect::to(&format!("{path}.{ending}{query}"))).into_response())
}

pub(super) async fn choose(RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    led("/catalog", query.as_deref(), &headers, "/")
}

pub(super) async fn choose_of_source(
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let slug = asked::segment(&slug);
    led(&format!("/source/{slug}/catalog"), query.as_deref(), &headers, &format!("/source/{slug}"))
}

pub(super) async fn choose_of_organization(
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = asked::segment(&id);
    let page = format!("/api/1/datasets/?organization={id}");
    led(&format!("/organization/{id}/catalog"), query.as_deref(), &headers, &page)
}

pub(super) async fn catalogue(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ending = name.strip_prefix("catalog.").unwrap_or_default();
    answer(shared, Scope::Whole, ending, query, &headers).await
}

/// The routes of the feeds of sources: an address of its own for each syntax, beside the source's reports.
pub(super) fn source_routes() -> Router<Arc<Shared>> {
    endings().fold(Router::new(), |routes, ending| {
        let handler = async move |state: State, slug: Path<String>, query: RawQuery, headers: HeaderMap| {
            of_source(state.0, &slug, ending, query.0, &headers).await
        };
        routes.route(&format!("/source/{{slug}}/catalog.{ending}"), get(handler))
    })
}

async fn of_source(
    shared: Arc<Shared>,
    slug: &str,
    ending: &str,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let row = shared.operations.source_named(slug).await?.filter(|row| row.removed_at.is_none());
    let row = row.ok_or_else(|| Problem::not_found(format!("no source is called {slug:?}")))?;
    if row.name != slug {
        let query = query.map_or(String::new(), |query| format!("?{query}"));
        let address = format!("/source/{}/catalog.{ending}{query}", row.name);
        return Ok(Redirect::permanent(&address).into_response());
    }
    answer(shared, Scope::Source(Box::new(row)), ending, query, headers).await
}

pub(super) async fn of_organization(
    axum::extract::State(shared): State,
    Path((id, form)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ending = form.strip_prefix("catalog.").unwrap_or_default();
    answer(shared, Scope::Organization(id), ending, query, &headers).await
}

async fn answer(
    shared: Arc<Shared>,
    scope: Scope,
    ending: &str,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let media_type = syntax_of(ending).ok_or_else(|| Problem::not_found("nothing is at this address"))?;
    let asked = Asked::read(&shared, &scope, query.as_deref().unwrap_or_default()).await?;
    let inner = Arc::clone(&shared);
    let number = asked.snapshot;
    let opened = shared.reading(move || -> Result<Arc<Opened>, Problem> {
        match number {
            Some(number) => inner.readers.go_on(&inner, number),
            None => Ok(inner.readers.start(&inner)?),
        }
    });
    let opened = opened.await??;
    let tag = tag(opened.number(), &[&scope.path(), ending, query.as_deref().unwrap_or_default()]);
    if Conditional::of(headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let keys = chosen(&shared, &opened, &asked.filters).await?;
    let is_first = asked.snapshot.is_none();
    let inner = Arc::clone(&shared);
    let body = shared.reading(move || {
        page::Page { shared: &inner, scope: &scope, asked: &asked, opened: &opened }.written(&keys, media_type)
    });
    // The first page follows the catalogue; the others stay as long as their state.
    let caching = if is_first { "no-cache" } else { "public, max-age=600" };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, caching.to_owned()),
    ];
    Ok((headers, body.await??).into_response())
}

/// The keys that filters choose, sorted. Choosing goes through the whole catalogue, so it takes a place among queries.
async fn chosen(
    shared: &Arc<Shared>,
    opened: &Arc<Opened>,
    filters: &[Filter],
) -> Result<Arc<Vec<DatasetKey>>, Problem> {
    if filters.is_empty() {
        let (inner, opened) = (Arc::clone(shared), Arc::clone(opened));
        return shared.reading(move || opened.keys(&inner.names)).await;
    }
    let number = opened.number();
    let name = (number, filters.to_vec());
    let known = |shared: &Shared| {
        shared.chosen.known.lock().unwrap_or_else(PoisonError::into_inner).get(&name).map(Arc::clone)
    };
    if let Some(keys) = known(shared) {
        return Ok(keys);
    }
    let selection = Selection { filters: filters.to_vec(), order: None };
    let keys = Arc::new(choose_keys(shared, opened, selection).await?);
    let mut known = shared.chosen.known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(name, Arc::clone(&keys));
    Ok(keys)
}
