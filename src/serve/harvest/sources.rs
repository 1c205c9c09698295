//! Sources: listed, registered, edited, decided of, scheduled, previewed, removed.

use super::forms::{self, Page, Source};
use super::written::SourceWrite;
use crate::catalog::SourceId;
use crate::config::SourceConfig;
use crate::jobs::{Event, Notices, Sources};
use crate::operations::{Role, SourceRow};
use crate::serve::auth::{Administrator, Client, Known, Maybe};
use crate::serve::body::{Sent, bytes};
use crate::serve::parameters::{Paging, Parameters};
use crate::serve::problem::Problem;
use crate::serve::server::{Shared, State};
use axum::Json;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which sources are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Listed {
    /// From 1.
    #[param(minimum = 1)]
    page: Option<i64>,
    /// At most 1000. Default 20.
    #[param(minimum = 1)]
    page_size: Option<i64>,
    /// Words, all of which a title or an address must have.
    q: Option<String>,
    /// The organisation that the sources belong to.
    organization: Option<String>,
    /// The person that they belong to.
    owner: Option<String>,
    /// Removed ones too, whatever its value.
    deleted: Option<String>,
}

/// What is decided of a source.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Verdict {
    /// `accepted` or `refused`.
    state: String,
    /// The reason: a refusal has one.
    comment: Option<String>,
}

impl Shared {
    pub(super) fn sources(&self) -> Sources<'_> {
        Sources { operations: &self.operations, config: &self.settings.config, now: Timestamp::now() }
    }

    pub(super) async fn tell(&self, event: Event, row: &SourceRow) -> Result<(), Problem> {
        let now = Timestamp::now();
        let notices = Notices { operations: &self.operations, config: &self.settings.config, now };
        Ok(notices.of_workflow(event, row).await?)
    }

    /// A source as a client sees it, with its last job.
    async fn told(&self, row: &SourceRow, client: Option<&Client>) -> Result<Source, Problem> {
        let last = self.operations.jobs(Some(&row.slug), 0, 1).await?.0.pop();
        let job = match &last {
            Some(job) => Some(forms::job(job, &self.operations.items_by_outcome(&job.id).await?)),
            None => None,
        };
        let totals = self.operations.record_totals(&row.slug).await?;
        let held = self.operations.held_removal(&row.slug).await?.len();
        Ok(forms::source(row, job, (totals, held), client))
    }
}

/// A source by any of its names; a former one redirects (308), as udata does.
pub(super) async fn named(
    shared: &Shared,
    name: &str,
    rest: &str,
) -> Result<Result<SourceRow, Response>, Problem> {
    let row = shared.operations.source_named(name).await?;
    let row = row.ok_or_else(|| Problem::not_found(format!("no source is called {name:?}")))?;
    if row.name != name && row.slug.as_str() != name {
        let address = format!("/api/1/harvest/source/{}/{rest}", row.name);
        return Ok(Err(Redirect::permanent(&address).into_response()));
    }
    Ok(Ok(row))
}

/// All sources.
#[utoipa::path(get, path = "/api/1/harvest/sources/", params(Listed), responses((status = 200, body = Page<Source>), (status = 400), (status = 404)))]
pub(crate) async fn list(
    axum::extract::State(shared): State,
    Maybe(client): Maybe,
    Parameters(listed): Parameters<Listed>,
) -> Result<Json<Page<Source>>, Problem> {
    let words: Vec<String> =
        listed.q.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let wanted = |name: &Option<String>, found: &Option<String>| name.is_none() || name == found;
    let with_removed = listed.deleted.as_deref().is_some_and(|text| !text.is_empty());
    let fits = |row: &SourceRow| {
        let text = format!("{} {}", row.title(), row.url).to_lowercase();
        (with_removed || row.removed_at.is_none())
            && words.iter().all(|word| text.contains(word))
            && wanted(&listed.organization, &row.settings.organization)
            && wanted(&listed.owner, &row.settings.owner)
    };
    let mut rows: Vec<SourceRow> = shared.operations.all_sources().await?.into_iter().filter(fits).collect();
    rows.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.slug.cmp(&b.slug)));
    let paging = Paging::new(listed.page, listed.page_size);
    let (page, size) = paging.bounds()?;
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut data = Vec::new();
    let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    for row in rows.iter().skip(skip).take(usize::try_from(size).unwrap_or(0)) {
        data.push(shared.told(row, client.as_ref()).await?);
    }
    let address = format!("{}/api/1/harvest/sources/", shared.settings.public_base);
    let more = [
        ("q", &listed.q),
        ("organization", &listed.organization),
        ("owner", &listed.owner),
        ("deleted", &listed.deleted),
    ];
    let more: Vec<(&str, &str)> =
        more.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    Ok(Json(paging.page_of(data, total, &address, &more)?))
}

/// Registers a source, which waits for an administrator.
#[utoipa::path(post, path = "/api/1/harvest/sources/", request_body = SourceWrite, security(("token" = [])), responses((status = 201, body = Source), (status = 400), (status = 401), (status = 403), (status = 413)))]
pub(crate) async fn create(
    axum::extract::State(shared): State,
    Known(client): Known,
    Sent(sent): Sent<SourceWrite>,
) -> Result<(StatusCode, Json<Source>), Problem> {
    let settings = of_client(sent.over(None)?, &client)?;
    let row = shared.sources().add(sent.slug.as_deref(), settings, &client.actor()).await?;
    shared.tell(Event::Created, &row).await?;
    Ok((StatusCode::CREATED, Json(shared.told(&row, Some(&client)).await?)))
}

/// The settings of a client's own source: an organisation's token makes that organisation's sources.
pub(super) fn of_client(mut settings: SourceConfig, client: &Client) -> Result<SourceConfig, Problem> {
    if let Role::Organization(own) = &client.role {
        match &settings.organization {
            Some(other) if other != own => {
                return Err(Problem::forbidden(
                    "a token of an organisation registers the sources of that organisation",
                ));
            }
            _ => settings.organization = Some(own.clone()),
        }
        settings.owner = None;
    }
    Ok(settings)
}

/// A source.
#[utoipa::path(get, path = "/api/1/harvest/source/{source}/", params(("source" = String, Path)), responses((status = 200, body = Source), (status = 308), (status = 404)))]
pub(crate) async fn one(
    axum::extract::State(shared): State,
    Maybe(client): Maybe,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    Ok(Json(shared.told(&row, client.as_ref()).await?).into_response())
}

/// Edits a source. Another host or kind makes it wait for acceptance again.
#[utoipa::path(put, path = "/api/1/harvest/source/{source}/", params(("source" = String, Path)), request_body = SourceWrite, security(("token" = [])), responses((status = 200, body = Source), (status = 308), (status = 400), (status = 401), (status = 403), (status = 404), (status = 413)))]
pub(crate) async fn edit(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
    Sent(sent): Sent<SourceWrite>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    let settings = sent.over(Some(&row))?;
    let changes_hands = settings.organization != row.settings.organization || settings.owner != row.settings.owner;
    if changes_hands && !client.is_administrator() {
        return Err(Problem::invalid("organization", "Cannot modify organization after creation".to_owned()));
    }
    let new_name = sent.slug.as_deref();
    let row = shared.sources().edit(row.slug.as_str(), new_name, settings, &client.actor()).await?;
    Ok(Json(shared.told(&row, Some(&client)).await?).into_response())
}

/// How a source is removed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Removing {
    /// Forget its records with their history, instead of archiving them: administrators alone.
    #[serde(default)]
    purge: bool,
}

/// Removes a source: its records are archived, and can be restored.
#[utoipa::path(delete, path = "/api/1/harvest/source/{source}/", params(("source" = String, Path), Removing), security(("token" = [])), responses((status = 204), (status = 308), (status = 401), (status = 403), (status = 404), (status = 503)))]
pub(crate) async fn remove(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
    Parameters(removing): Parameters<Removing>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    if removing.purge && !client.is_administrator() {
        return Err(Problem::forbidden("what is purged is gone for good: this is for administrators"));
    }
    let slug = row.slug.clone();
    // First it is followed no longer, so that no job brings back what goes.
    shared.operations.remove_source(&slug, &Timestamp::now().to_string()).await?;
    shared.service()?.cancel_source(&slug).await?;
    if removing.purge {
        shared.by_hand(move |hand| hand.purge_source(&slug)).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    shared.by_hand(move |hand| hand.archive_source(&slug)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Accepts or refuses a source.
#[utoipa::path(post, path = "/api/1/harvest/source/{source}/validate/", params(("source" = String, Path)), request_body = Verdict, security(("token" = [])), responses((status = 200, body = Source), (status = 308), (status = 400), (status = 401), (status = 403), (status = 404), (status = 413)))]
pub(crate) async fn validate(
    axum::extract::State(shared): State,
    Administrator(client): Administrator,
    Path(name): Path<String>,
    Sent(verdict): Sent<Verdict>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "validate/").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    let (sources, name) = (shared.sources(), row.slug.as_str());
    let (row, event) = match verdict.state.as_str() {
        "accepted" => (sources.accept(name, verdict.comment, &client.name).await?, Event::Accepted),
        "refused" => {
            let comment = verdict.comment.unwrap_or_default();
            (sources.refuse(name, &comment, &client.name).await?, Event::Refused)
        }
        other => return Err(Problem::invalid("state", format!("{other:?} is neither accepted nor refused"))),
    };
    shared.tell(event, &row).await?;
    Ok(Json(shared.told(&row, Some(&client)).await?).into_response())
}

/// Queues a job of a source.
#[utoipa::path(post, path = "/api/1/harvest/source/{source}/run/", params(("source" = String, Path)), security(("token" = [])), responses((status = 200, body = Source), (status = 308), (status = 400), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn run(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "run/").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    shared.sources().run(row.slug.as_str()).await?;
    Ok(Json(shared.told(&row, Some(&client)).await?).into_response())
}

/// Sets when a source is harvested: a cron expression, as a JSON string or as it is.
#[utoipa::path(post, path = "/api/1/harvest/source/{source}/schedule/", params(("source" = String, Path)), request_body = String, security(("token" = [])), responses((status = 200, body = Source), (status = 308), (status = 400), (status = 401), (status = 403), (status = 404), (status = 413)))]
pub(crate) async fn schedule(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "schedule/").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    let sent = bytes(request).await?;
    let text = serde_json::from_slice::<String>(&sent)
        .unwrap_or_else(|_| String::from_utf8_lossy(&sent).trim().to_owned());
    let url = row.url.parse().ok();
    let settings = SourceConfig { schedule: Some(text), url, ..row.settings.clone() };
    let row = shared.sources().edit(row.slug.as_str(), None, settings, &client.actor()).await?;
    Ok(Json(shared.told(&row, Some(&client)).await?).into_response())
}

/// Harvests a source no longer by itself.
#[utoipa::path(delete, path = "/api/1/harvest/source/{source}/schedule/", params(("source" = String, Path)), security(("token" = [])), responses((status = 204), (status = 308), (status = 400), (status = 401), (status = 403), (status = 404)))]
pub(crate) async fn unschedule(
    axum::extract::State(shared): State,
    Known(client): Known,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let row = match named(&shared, &name, "schedule/").await? {
        Ok(row) => row,
        Err(redirect) => return Ok(redirect),
    };
    client.must_own(&row)?;
    if row.settings.schedule.is_none() {
        return Err(Problem::bad_request(format!("Harvesting on source {} is not scheduled", row.title())));
    }
    let settings = SourceConfig { schedule: None, url: row.url.parse().ok(), ..row.settings.clone() };
    shared.sources().edit(row.slug.as_str(), None, settings, &client.actor()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The identifier of a source that a path names.
pub(super) async fn id_of(shared: &Shared, name: &str) -> Result<SourceId, Problem> {
    let row = shared.operations.source_named(name).await?;
    Ok(row.ok_or_else(|| Problem::not_found(format!("no source is called {name:?}")))?.slug)
}
