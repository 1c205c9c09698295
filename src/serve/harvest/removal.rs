//! Removals that wait for a person.

use super::sources::id_of;
use crate::catalog::DatasetKey;
use crate::serve::api::titles;
use crate::serve::auth::Known;
use crate::serve::body::Sent;
use crate::serve::problem::Problem;
use crate::serve::server::State;
use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What is decided of a removal.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Decision {
    /// `confirm` archives the records, `refuse` keeps them.
    decision: String,
}

/// The records whose removal waits for a person.
#[utoipa::path(get, path = "/api/1/harvest/source/{source}/removal/", params(("source" = String, Path)), responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn removal(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let source = id_of(&shared, &name).await?;
    let keys = shared.operations.held_removal(&source).await?;
    let names = shared.operations.remote_ids(&keys).await?;
    let titles = titles(&shared, &keys).await?;
    let told =
        |key: &DatasetKey| json!({"id": key, "remote_id": names.get(key), "title": titles.get(&key.to_string())});
    let records: Vec<Value> = keys.iter().map(told).collect();
    Ok(Json(json!({"source": source, "total": records.len(), "records": records})))
}

/// Confirms or refuses a removal.
#[utoipa::path(post, path = "/api/1/harvest/source/{source}/removal/", params(("source" = String, Path)), request_body = Decision, security(("token" = [])), responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404), (status = 413), (status = 503)))]
pub(crate) async fn decide(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
    Sent(sent): Sent<Decision>,
) -> Result<Json<Value>, Problem> {
    let row = shared.sources().find(&name).await?;
    client.must_own(&row)?;
    let slug = row.slug.clone();
    let (archived, kept) = match sent.decision.as_str() {
        "confirm" => (shared.by_hand(move |hand| hand.confirm_removal(&row.slug)).await?, 0),
        "refuse" => (0, shared.by_hand(move |hand| hand.refuse_removal(&row.slug)).await?),
        other => return Err(Problem::invalid("decision", format!("{other:?} is neither confirm nor refuse"))),
    };
    // Another hold after this one is news again.
    shared.operations.note_told(&slug, "decided").await?;
    Ok(Json(json!({"archived": archived, "kept": kept})))
}
