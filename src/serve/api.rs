//! `/api/1/datasets/`: records as JSON, paged as udata pages them.

use super::parameters::Parameters;
use super::problem::Problem;
use super::server::{Opened, Shared, State};
use crate::catalog::DatasetKey;
use crate::derive::Record;
use axum::Json;
use axum::extract::Path;
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
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Value>, Problem> {
    let page = paging.page.unwrap_or(1).max(1);
    let size = paging.page_size.unwrap_or(20).clamp(1, LARGEST_PAGE);
    let opened = shared.snapshot()?;
    let keys = opened.keys(&shared.names);
    let start = (page - 1).saturating_mul(size);
    if page > 1 && start >= keys.len() {
        return Err(Problem::not_found(format!(
            "there is no page {page}: the catalogue has {} records",
            keys.len()
        )));
    }
    let of_page: Vec<DatasetKey> = keys.iter().skip(start).take(size).copied().collect();
    let records = derive(&shared, &opened, of_page).await?;
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
    let record = derive(&shared, &shared.snapshot()?, vec![key]).await?.pop();
    match record {
        Some(record) => Ok(Json(record)),
        None => Err(absent(&shared, key).await?),
    }
}

/// Derives records on a thread that may work.
pub(super) async fn derive(
    shared: &Arc<Shared>,
    opened: &Arc<Opened>,
    keys: Vec<DatasetKey>,
) -> Result<Vec<Record>, Problem> {
    let seen = shared.seen().await?;
    let kept = shared.operations.derived(&keys).await?;
    let (shared, opened) = (Arc::clone(shared), Arc::clone(opened));
    let derived = tokio::task::spawn_blocking(move || -> Result<Vec<Record>, Problem> {
        Ok(shared.deriver.derive(&opened.snapshot, &shared.names, &keys, &seen, &kept)?)
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
