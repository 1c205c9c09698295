//! What a harvest would bring.

use super::sources::{named, of_client};
use super::written::SourceWrite;
use crate::jobs::preview;
use crate::operations::SourceRow;
use crate::serve::auth::Known;
use crate::serve::body::Sent;
use crate::serve::problem::Problem;
use crate::serve::server::{Shared, State};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Previews that are made at once.
static AT_ONCE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// What a harvest of a source would bring. Nothing is written.
#[utoipa::path(get, path = "/api/1/harvest/source/{source}/preview/", params(("source" = String, Path)), security(("token" = [])), responses((status = 200, body = Object), (status = 308), (status = 401), (status = 403), (status = 404), (status = 503)))]
pub(crate) async fn preview_one(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "preview/").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    Ok(previewed(&shared, row, true).await?.into_response())
}

/// What a harvest of a source that is not registered would bring. Nothing is written.
#[utoipa::path(post, path = "/api/1/harvest/source/preview/", request_body = SourceWrite, security(("token" = [])), responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 413), (status = 503)))]
pub(crate) async fn preview_unsaved(
    axum::extract::State(shared): State,
    Known(client): Known,
    Sent(sent): Sent<SourceWrite>,
) -> Result<Json<Value>, Problem> {
    let settings = of_client(sent.over(None)?, &client)?;
    let row = shared.sources().unsaved(sent.slug.as_deref(), settings, &client.actor()).await?;
    previewed(&shared, row, false).await
}

/// A preview in udata's form, which is that of a job whose items are in it, with ours beside it.
async fn previewed(shared: &Arc<Shared>, row: SourceRow, is_saved: bool) -> Result<Json<Value>, Problem> {
    let runner = Arc::clone(shared.service()?.runner());
    let busy = || Problem::unavailable("other previews are being made; try again in a moment");
    let _place = AT_ONCE.try_acquire().map_err(|_| busy())?;
    let id = is_saved.then(|| row.slug.to_string());
    let now = Timestamp::now().to_string();
    let made = tokio::task::spawn_blocking(move || preview(&runner, &row)).await?;
    let source = json!({"id": id, "class": "HarvestSource"});
    let head = json!({"id": null, "created": now, "started": now, "ended": Timestamp::now().to_string(), "source": source});
    let mut told = match &made {
        Ok(preview) => {
            let item = |record: &Value| {
                json!({
                    "remote_id": record["remote_id"], "remote_url": record["remote_url"], "dataset": record,
                    "dataservice": null, "status": "done", "created": now, "started": now, "ended": now,
                    "errors": [], "logs": [], "args": [], "kwargs": {},
                })
            };
            let report = &preview.report;
            let status = if report.errors.is_empty() { "done" } else { "done-errors" };
            let errors: Vec<Value> = report
                .errors
                .iter()
                .map(|error| json!({"created_at": now, "message": error.message, "details": error.place.to_string()}))
                .collect();
            json!({
                "status": status, "errors": errors, "items": preview.records.iter().map(item).collect::<Vec<_>>(),
                "announced": preview.announced, "report": report, "findings": preview.findings,
            })
        }
        // As udata does: a source that cannot be read is no error of the request.
        Err(error) => {
            let message = crate::catalog::with_causes(error);
            json!({"status": "failed", "errors": [{"created_at": now, "message": message, "details": null}], "items": []})
        }
    };
    if let (Some(told), Some(head)) = (told.as_object_mut(), head.as_object()) {
        told.extend(head.clone());
    }
    Ok(Json(told))
}
