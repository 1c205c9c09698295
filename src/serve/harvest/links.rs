//! Whether the addresses of a source's records answer.

use super::sources::id_of;
use crate::jobs::LinkState;
use crate::serve::auth::Known;
use crate::serve::problem::Problem;
use crate::serve::server::State;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;

/// Addresses that were asked within these days are not asked again on request.
const FRESH_DAYS: i64 = 1;

/// What is known of the addresses of a source's records.
#[utoipa::path(get, path = "/api/1/harvest/source/{source}/links/", params(("source" = String, Path)), responses((status = 200, body = Object), (status = 404), (status = 503)))]
pub(crate) async fn links(
    axum::extract::State(shared): State,
    Path(name): Path<String>,
) -> Result<Json<LinkState>, Problem> {
    let source = id_of(&shared, &name).await?;
    Ok(Json(shared.service()?.link_state(&source).await?))
}

/// Asks the addresses of a source's records whether they answer.
#[utoipa::path(post, path = "/api/1/harvest/source/{source}/links/", params(("source" = String, Path)), security(("token" = [])), responses((status = 202, body = Object), (status = 401), (status = 403), (status = 404), (status = 503)))]
pub(crate) async fn check_links(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<LinkState>), Problem> {
    let row = shared.sources().find(&name).await?;
    client.must_own(&row)?;
    let service = shared.service()?;
    service.start_link_check(&row.slug, FRESH_DAYS);
    Ok((StatusCode::ACCEPTED, Json(service.link_state(&row.slug).await?)))
}
