//! What happened to a record, and what people do to it: `/api/1/datasets/{id}/history/` and its neighbours.

use super::auth::{Administrator, Known};
use super::body::Sent;
use super::problem::Problem;
use super::server::{Shared, State};
use crate::catalog::DatasetKey;
use crate::harvest::{Compared, compare_states, linked as linked_records};
use crate::operations::KnownRecord;
use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which states are compared.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Between {
    /// The start of the hash of a state, or nothing for the one before the present one.
    from: Option<String>,
    /// The start of the hash of another state, or nothing for the present one.
    to: Option<String>,
}

/// To which state a record goes back.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Undoing {
    /// The start of its hash; nothing for the one before the present one.
    to: Option<String>,
}

async fn known(shared: &Shared, id: &str) -> Result<(DatasetKey, KnownRecord), Problem> {
    let key = super::api::called(shared, id).await?;
    let known = shared.operations.known_record(key).await?;
    Ok((key, known.ok_or_else(|| Problem::not_found("no record has this key"))?))
}

/// What is known of a record, and its former states.
#[utoipa::path(get, path = "/api/1/datasets/{dataset}/history/", params(("dataset" = String, Path)), responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn history(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (key, known) = known(&shared, &id).await?;
    let versions = shared.operations.versions(key).await?;
    Ok(Json(json!({"record": known, "versions": versions})))
}

/// The records of other sources that describe the same, with the one that is the authority, and why.
#[utoipa::path(get, path = "/api/1/datasets/{dataset}/linked/", params(("dataset" = String, Path)), responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn linked(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (key, _) = known(&shared, &id).await?;
    Ok(Json(json!({"records": linked_records(&shared.operations, key).await?})))
}

/// The statements by which two states of a record differ.
#[utoipa::path(get, path = "/api/1/datasets/{dataset}/diff/", params(("dataset" = String, Path), Between), responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn diff(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
    super::parameters::Parameters(between): super::parameters::Parameters<Between>,
) -> Result<Json<Compared>, Problem> {
    let (key, _) = known(&shared, &id).await?;
    let snapshot = shared.snapshot()?;
    let compared = compare_states(
        &shared.operations,
        &snapshot.snapshot.store,
        &shared.names,
        key,
        between.from.as_deref(),
        between.to.as_deref(),
    );
    compared.await?.map(Json).ok_or_else(|| Problem::not_found("the record has no such states"))
}

/// What was found in a record.
#[utoipa::path(get, path = "/api/1/datasets/{dataset}/findings/", params(("dataset" = String, Path)), responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn findings(
    axum::extract::State(shared): State,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (key, known) = known(&shared, &id).await?;
    let findings = shared.operations.findings(key).await?;
    Ok(Json(json!({"id": known.key, "remote_id": known.remote_id, "findings": findings})))
}

/// Archives a record: it stays so, whatever its source says.
#[utoipa::path(post, path = "/api/1/datasets/{dataset}/archive/", params(("dataset" = String, Path)), security(("token" = [])), responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404), (status = 409), (status = 503)))]
pub(crate) async fn archive(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let key = own(&shared, &client, &id).await?;
    shared.by_hand(move |hand| hand.archive(key)).await?;
    told(&shared, &id).await
}

/// Brings an archived record back.
#[utoipa::path(post, path = "/api/1/datasets/{dataset}/restore/", params(("dataset" = String, Path)), security(("token" = [])), responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404), (status = 409), (status = 503)))]
pub(crate) async fn restore(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let key = own(&shared, &client, &id).await?;
    shared.by_hand(move |hand| hand.restore(key)).await?;
    told(&shared, &id).await
}

/// Gives a record a former state back.
#[utoipa::path(post, path = "/api/1/datasets/{dataset}/undo/", params(("dataset" = String, Path)), request_body = Undoing, security(("token" = [])), responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409), (status = 413), (status = 503)))]
pub(crate) async fn undo(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(id): Path<String>,
    Sent(sent): Sent<Undoing>,
) -> Result<Json<Value>, Problem> {
    let key = own(&shared, &client, &id).await?;
    shared.by_hand(move |hand| hand.undo(key, sent.to.as_deref())).await?;
    told(&shared, &id).await
}

/// Detaches a record from its source: it stays as it is.
#[utoipa::path(post, path = "/api/1/datasets/{dataset}/detach/", params(("dataset" = String, Path)), security(("token" = [])), responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn detach(
    axum::extract::State(shared): State,
    Administrator(_client): Administrator,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (key, _) = known(&shared, &id).await?;
    shared.by_hand(move |hand| hand.detach(key)).await?;
    told(&shared, &id).await
}

/// Attaches a record to its source again.
#[utoipa::path(post, path = "/api/1/datasets/{dataset}/attach/", params(("dataset" = String, Path)), security(("token" = [])), responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn attach(
    axum::extract::State(shared): State,
    Administrator(_client): Administrator,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (key, _) = known(&shared, &id).await?;
    shared.by_hand(move |hand| hand.attach(key)).await?;
    told(&shared, &id).await
}

async fn own(shared: &Shared, client: &super::auth::Client, id: &str) -> Result<DatasetKey, Problem> {
    let (key, known) = known(shared, id).await?;
    if let Some(source) = shared.operations.source_named(&known.source).await? {
        client.must_own(&source)?;
    }
    Ok(key)
}

async fn told(shared: &Shared, id: &str) -> Result<Json<Value>, Problem> {
    let (_, known) = known(shared, id).await?;
    Ok(Json(json!(known)))
}
