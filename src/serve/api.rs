//! `/api/1/datasets/`: records as JSON, paged as udata pages them.

use super::filters::named;
use super::harvest::Page;
use super::listing::{Listing, Parameters};
use super::parameters::Paging;
use super::problem::Problem;
use super::server::{Opened, Shared, State};
use crate::catalog::DatasetKey;
use crate::derive::{Catalogue, Record, Selection, kept_title, organization_id};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LARGEST_PAGE: usize = 100;

/// A record with the fields that clients of udata look for, beside its own.
#[derive(Serialize, ToSchema)]
pub(super) struct Dataset {
    #[serde(flatten)]
    record: Record,
    /// Its key once more.
    slug: String,
    /// The address of its page.
    page: String,
    /// When the data last changed.
    last_modified: Option<String>,
    /// The same.
    last_update: Option<String>,
    /// No record is private.
    private: bool,
    /// No record is featured.
    featured: bool,
}

/// The records of the catalogue.
#[utoipa::path(get, path = "/api/1/datasets/", params(Parameters), responses((status = 200, body = Page<Dataset>), (status = 304), (status = 400), (status = 404), (status = 503)))]
pub(super) async fn list(
    axum::extract::State(shared): State,
    listing: Listing,
) -> Result<Json<Page<Value>>, Problem> {
    let (page, size) = listing.paging().bounds()?;
    // A page of records is heavier than one of rows.
    let size = usize::try_from(size).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    let paging = Paging::new(Some(page), i64::try_from(size).ok());
    let opened = shared.snapshot()?;
    let keys = choose(&shared, &opened, listing.selection(&shared).await?).await?;
    let start = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size);
    let of_page: Vec<DatasetKey> = keys.iter().skip(start).take(size).copied().collect();
    let records = derive(&shared, &opened, of_page).await?;
    let base = &shared.settings.public_base;
    let data = records.into_iter().map(|record| in_udatas_form(record, base)).collect();
    let total = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    Ok(Json(paging.page_of(data, total, &format!("{base}/api/1/datasets/"), &listing.others())?))
}

/// The keys that a list has. Choosing goes through the whole catalogue, so it takes a place among the queries.
pub(super) async fn choose(
    shared: &Arc<Shared>,
    opened: &Arc<Opened>,
    selection: Selection,
) -> Result<Vec<DatasetKey>, Problem> {
    if selection == Selection::default() {
        return Ok(opened.keys(&shared.names).to_vec());
    }
    let place = shared.place()?;
    let (shared, opened) = (Arc::clone(shared), Arc::clone(opened));
    let chosen = tokio::task::spawn_blocking(move || {
        let catalogue = Catalogue {
            snapshot: &opened.snapshot,
            names: &shared.names,
            languages: &shared.settings.config.languages,
        };
        let chosen = selection.of(&catalogue, &opened.keys(&shared.names));
        drop(place);
        chosen
    });
    Ok(chosen.await??)
}

/// A record, by its key, its IRI or the identifier that its source has for it.
#[utoipa::path(get, path = "/api/1/datasets/{dataset}/", params(("dataset" = String, Path)), responses((status = 200, body = Dataset), (status = 304), (status = 404), (status = 409), (status = 410)))]
pub(super) async fn one(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let key = called(&shared, &id).await?;
    let record = derive(&shared, &shared.snapshot()?, vec![key]).await?.pop();
    match record {
        Some(record) => Ok(Json(in_udatas_form(record, &shared.settings.public_base))),
        None => Err(absent(&shared, key).await?),
    }
}

/// The key of a record by what a client calls it: its key, its IRI, or the identifier that its source has for it.
pub(super) async fn called(shared: &Shared, name: &str) -> Result<DatasetKey, Problem> {
    if let Some(key) = DatasetKey::parse(name) {
        return Ok(key);
    }
    let mut keys = named(shared, name).await?;
    if keys.is_empty() {
        keys = shared.operations.keys_of_remote_id(name).await?;
    }
    match keys.as_slice() {
        [key] => Ok(*key),
        [] => Err(Problem::not_found(format!("no record has the key, the IRI or the identifier {name:?}"))),
        several => {
            let keys: Vec<String> = several.iter().take(10).map(ToString::to_string).collect();
            let why = format!(
                "{} records are called {name:?}, as several sources do: {}",
                several.len(),
                keys.join(", ")
            );
            Err(Problem::new(StatusCode::CONFLICT, "Several records", why))
        }
    }
}

/// A record as clients of udata look for it.
fn in_udatas_form(record: Record, base: &str) -> Value {
    let mut told = json!(Dataset {
        slug: record.id.clone(),
        page: format!("{base}/dataset/{}", record.id),
        last_modified: record.modified_at.clone(),
        last_update: record.modified_at.clone(),
        private: false,
        featured: false,
        record,
    });
    for (name, value) in [
        ("deleted", Value::Null),
        ("archived", Value::Null),
        ("owner", Value::Null),
        ("badges", json!([])),
        ("metrics", json!({})),
    ] {
        told[name] = value;
    }
    if let Some(organization) = told["organization"].as_object_mut() {
        let text = |name: &str| organization.get(name).and_then(Value::as_str);
        let id = organization_id(text("uri"), text("name"));
        organization.insert("id".to_owned(), json!(id));
        organization.insert("class".to_owned(), json!("Organization"));
    }
    for resource in told["resources"].as_array_mut().into_iter().flatten() {
        resource["filetype"] = json!("remote");
        resource["last_modified"] = resource["modified_at"].clone();
        resource["preview_url"] = Value::Null;
    }
    told
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

/// The titles of live records, by their keys.
pub(super) async fn titles(shared: &Shared, keys: &[DatasetKey]) -> Result<HashMap<String, String>, Problem> {
    let kept = shared.operations.derived(keys).await?;
    Ok(kept.values().filter_map(|row| Some((row.key.to_string(), kept_title(row)?))).collect())
}

/// Says of a key that has no record whether it had one.
pub(super) async fn absent(shared: &Shared, key: DatasetKey) -> Result<Problem, Problem> {
    Ok(match shared.operations.archived_at(key).await? {
        Some(at) => Problem::new(
            StatusCode::GONE,
            "Archived",
            format!("this record was archived on {at}: its source no longer has it"),
        ),
        None if shared.operations.was_known(key).await? => Problem::new(
            StatusCode::GONE,
            "Removed",
            "this record was removed with its source, and nothing of it was kept",
        ),
        None => Problem::not_found("no record has this key"),
    })
}
