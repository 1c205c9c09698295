//! `/api/1/datasets/`: records as JSON, paged as udata pages them.

use super::problem::Problem;
use super::server::{Shared, State};
use crate::catalog::DatasetKey;
use crate::derive::Record;
use crate::store::CatalogueRecord;
use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const LARGEST_PAGE: usize = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    page: Option<usize>,
    page_size: Option<usize>,
}

pub(super) async fn list(
    axum::extract::State(shared): State,
    Query(paging): Query<Paging>,
) -> Result<Json<Value>, Problem> {
    let page = paging.page.unwrap_or(1).max(1);
    let size = paging.page_size.unwrap_or(20).clamp(1, LARGEST_PAGE);
    let snapshot = shared.snapshot()?;
    let keys = CatalogueRecord::keys(&snapshot.store, &shared.names, None);
    let start = (page - 1).saturating_mul(size);
    if page > 1 && start >= keys.len() {
        return Err(Problem::not_found(format!(
            "there is no page {page}: the catalogue has {} records",
            keys.len()
        )));
    }
    let of_page: Vec<DatasetKey> = keys.iter().skip(start).take(size).copied().collect();
    let records = derive(&shared, of_page).await?;
    let link =
        |page: usize| format!("{}/api/1/datasets/?page={page}&page_size={size}", shared.settings.public_base);
    Ok(Json(json!({
        "data": records,
        "page": page,
        "page_size": size,
        "total": keys.len(),
        "next_page": (start + size < keys.len()).then(|| link(page + 1)),
        "previous_page": (page > 1).then(|| link(page - 1)),
    })))
}

pub(super) async fn one(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Record>, Problem> {
    let key = DatasetKey::parse(&id).ok_or_else(|| Problem::not_found(format!("{id:?} is not a record's key")))?;
    let record = derive(&shared, vec![key]).await?.pop();
    match record {
        Some(record) => Ok(Json(record)),
        None => Err(absent(&shared, key).await?),
    }
}

/// Derives records on a thread that may work.
pub(super) async fn derive(shared: &Arc<Shared>, keys: Vec<DatasetKey>) -> Result<Vec<Record>, Problem> {
    let seen = shared.seen().await?;
    let kept = shared.operations.derived(&keys).await?;
    let shared = Arc::clone(shared);
    let derived = tokio::task::spawn_blocking(move || -> Result<Vec<Record>, Problem> {
        let snapshot = shared.snapshot()?;
        Ok(shared.deriver.derive(&snapshot, &shared.names, &keys, &seen, &kept)?)
    });
    derived.await?
}

/// Says of a key that has no record whether it had one.
pub(super) async fn absent(shared: &Shared, key: DatasetKey) -> Result<Problem, Problem> {
    Ok(match shared.operations.archived_at(key).await? {
        Some(at) => Problem::new(
            StatusCode::GONE,
            "Archived",
            format!("this record was archived on {at}: its source no longer has it"),
        ),
        None => Problem::not_found("no record has this key"),
    })
}
