//! Jobs and their items.

use super::forms::{self, Item, Job, Page};
use super::sources::id_of;
use crate::catalog::DatasetKey;
use crate::jobs::replay;
use crate::operations::JobRow;
use crate::serve::api::titles;
use crate::serve::auth::{Administrator, Known};
use crate::serve::body::Sent;
use crate::serve::parameters::{Paging, Parameters};
use crate::serve::problem::Problem;
use crate::serve::server::{Shared, State};
use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;

/// Which items are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Listed {
    /// From 1.
    #[param(minimum = 1)]
    page: Option<i64>,
    /// At most 1000. Default 20.
    #[param(minimum = 1)]
    page_size: Option<i64>,
    /// A status of udata (`done`, `failed`, `skipped`, `archived`, …) or an outcome of ours (`added`, …).
    status: Option<String>,
}

/// What a job is run again with.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Replaying {
    /// Profiles in place of the source's own.
    #[serde(default)]
    profiles: Vec<String>,
}

impl Listed {
    fn others(&self) -> Vec<(&str, &str)> {
        self.status.iter().map(|status| ("status", status.as_str())).collect()
    }
}

async fn row(shared: &Shared, id: &str) -> Result<JobRow, Problem> {
    let row = shared.operations.job(id).await?;
    row.ok_or_else(|| Problem::not_found(format!("no job is called {id:?}")))
}

/// The jobs of a source, the newest first.
#[utoipa::path(get, path = "/api/1/harvest/source/{source}/jobs/", params(("source" = String, Path), Paging), responses((status = 200, body = Page<Job>), (status = 400), (status = 404)))]
pub(crate) async fn of_source(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Page<Job>>, Problem> {
    let source = id_of(&shared, &name).await?;
    let (page, size) = paging.bounds()?;
    let (rows, total) = shared.operations.jobs(Some(&source), (page - 1).saturating_mul(size), size).await?;
    let mut data = Vec::new();
    for row in &rows {
        data.push(forms::job(row, &shared.operations.items_by_outcome(&row.id).await?));
    }
    let address = format!("{}/api/1/harvest/source/{name}/jobs/", shared.settings.public_base);
    Ok(Json(paging.page_of(data, total, &address, &[])?))
}

/// A job.
#[utoipa::path(get, path = "/api/1/harvest/job/{job}/", params(("job" = String, Path)), responses((status = 200, body = Job), (status = 404)))]
pub(crate) async fn job(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    let row = row(&shared, &id).await?;
    Ok(Json(forms::job(&row, &shared.operations.items_by_outcome(&row.id).await?)))
}

/// What became of each record in a job.
#[utoipa::path(get, path = "/api/1/harvest/job/{job}/items/", params(("job" = String, Path), Listed), responses((status = 200, body = Page<Item>), (status = 400), (status = 404)))]
pub(crate) async fn items(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
    Parameters(listed): Parameters<Listed>,
) -> Result<Json<Page<Item>>, Problem> {
    let outcomes = match listed.status.as_deref() {
        None => None,
        Some(name) => Some(
            forms::outcomes_of(name)
                .ok_or_else(|| Problem::invalid("status", format!("{name:?} is no status")))?,
        ),
    };
    let row = row(&shared, &id).await?;
    let paging = Paging::new(listed.page, listed.page_size);
    let (page, size) = paging.bounds()?;
    let skip = (page - 1).saturating_mul(size);
    let (found, total) = shared.operations.items(&row.id, outcomes.as_deref(), skip, size).await?;
    let base = &shared.settings.public_base;
    let keys: Vec<_> = found.iter().filter_map(|item| DatasetKey::parse(item.key.as_deref()?)).collect();
    let titles = titles(&shared, &keys).await?;
    let data = found.iter().map(|item| forms::item(item, &row, base, &titles)).collect();
    let address = format!("{base}/api/1/harvest/job/{}/items/", row.id);
    Ok(Json(paging.page_of(data, total, &address, &listed.others())?))
}

/// Ends a job; nothing of it is stored.
#[utoipa::path(post, path = "/api/1/harvest/job/{job}/cancel/", params(("job" = String, Path)), security(("token" = [])), responses((status = 200, body = Job), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn cancel(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    let found = row(&shared, &id).await?;
    if let Some(source) = shared.operations.source_named(&found.source).await? {
        client.must_own(&source)?;
    }
    if !shared.service()?.cancel(&id).await? {
        let detail = format!("the job is {} already", found.state.as_str());
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "Conflict", detail));
    }
    let row = row(&shared, &id).await?;
    Ok(Json(forms::job(&row, &shared.operations.items_by_outcome(&row.id).await?)))
}

/// A job run again over the bytes that it was answered: what would be different. Nothing is stored.
#[utoipa::path(post, path = "/api/1/harvest/job/{job}/replay/", params(("job" = String, Path)), request_body = Replaying, security(("token" = [])), responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404), (status = 413)))]
pub(crate) async fn replay_job(
    axum::extract::State(shared): State,
    Administrator(_client): Administrator,
    Path(id): Path<String>,
    Sent(sent): Sent<Replaying>,
) -> Result<Json<Value>, Problem> {
    let row = row(&shared, &id).await?;
    let source = shared.operations.source_named(&row.source).await?;
    let source = source.ok_or_else(|| Problem::not_found("the source of this job was purged"))?;
    let runner = Arc::clone(shared.service()?.runner());
    if !runner.workplace.tape(&row.id).exists() {
        return Err(Problem::not_found("the pages of this job are kept no longer"));
    }
    let replayed =
        tokio::task::spawn_blocking(move || replay(&runner, &source, &row, &[], &sent.profiles)).await?;
    let replayed = replayed.map_err(|error| Problem::bad_request(crate::catalog::with_causes(&error)))?;
    Ok(Json(json!(replayed)))
}
