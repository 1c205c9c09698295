//! Which report is asked for, and in which form.

use super::corrected::corrected;
use super::download::download;
use super::page::page;
use super::quality::{badge, quality_json};
use super::views::Language;
use crate::catalog::{DatasetKey, SourceId};
use crate::operations::{FindingFilter, JobRow, SourceRow};
use crate::report::Format;
use crate::serve::parameters::Parameters;
use crate::serve::problem::Problem;
use crate::serve::server::{Shared, State};
use crate::sparql::best_match;
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// How a report is shown.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Shown {
    /// The findings of one rule alone.
    pub(super) rule: Option<String>,
    /// Those behind this one.
    pub(super) after: Option<i64>,
    /// The job whose report it is.
    pub(super) job: Option<String>,
    /// `en` or `fr`.
    pub(super) lang: Option<String>,
}

/// A report that was asked for.
pub(super) struct Asked {
    pub(super) source: SourceRow,
    /// The job whose report it is, where there was one.
    pub(super) job: Option<JobRow>,
    /// The job before it.
    pub(super) former: Option<JobRow>,
    /// Which findings.
    pub(super) filter: FindingFilter,
    /// The record, where it is one's.
    pub(super) record: Option<DatasetKey>,
    pub(super) shown: Shown,
    pub(super) language: Language,
    /// The address, without its suffix and its parameters.
    pub(super) address: String,
}

/// The forms of reports, as clients negotiate them.
const OFFERS: [&str; 7] = [
    "text/html",
    "application/json",
    "text/csv",
    "text/turtle",
    "application/ld+json",
    "application/sarif+json",
    "application/xml",
];

/// The report of a source: as it is now, or as it was after a job.
pub(crate) async fn of_source(
    axum::extract::State(shared): State,
    Path((slug, form)): Path<(String, String)>,
    Parameters(shown): Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = shared.operations.source_named(&slug).await?.filter(|row| row.removed_at.is_none());
    let row = row.ok_or_else(|| Problem::not_found(format!("no source is called {slug:?}")))?;
    if row.name != slug && row.slug.as_str() != slug {
        return Ok(Redirect::permanent(&format!("/source/{}/{form}", row.name)).into_response());
    }
    let address = format!("/source/{}/report", row.name);
    let job = match &shown.job {
        None => None,
        Some(id) => Some(job_of(&shared, id, Some(&row.slug)).await?),
    };
    answer(shared, &form, asked(row, job, None, shown, &headers, address)).await
}

/// The report of a record, and its description with what is known of its mends.
pub(crate) async fn of_dataset(
    axum::extract::State(shared): State,
    Path((id, form)): Path<(String, String)>,
    Parameters(shown): Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = DatasetKey::parse(&id).ok_or_else(|| Problem::not_found(format!("{id:?} is not a record's key")))?;
    let known = shared.operations.known_record(key).await?;
    let known = known.ok_or_else(|| Problem::not_found("no record has this key"))?;
    if known.archived_at.is_some() {
        return Err(crate::serve::api::absent(&shared, key).await?);
    }
    let row = shared.operations.source_named(&known.source).await?;
    let row = row.ok_or_else(|| Problem::not_found("the source of this record was purged"))?;
    if let Some(suffix) = form.strip_prefix("corrected") {
        return corrected(&shared, key, suffix.trim_start_matches('.')).await;
    }
    let address = format!("/dataset/{key}/report");
    answer(shared, &form, asked(row, None, Some(key), shown, &headers, address)).await
}

/// The report of a job, at an address that stays.
pub(crate) async fn of_job(
    axum::extract::State(shared): State,
    Path((id, form)): Path<(String, String)>,
    Parameters(shown): Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let job = job_of(&shared, &id, None).await?;
    let row = shared.operations.source_named(&job.source).await?;
    let row = row.ok_or_else(|| Problem::not_found("the source of this job was purged"))?;
    let address = format!("/job/{id}/report");
    answer(shared, &form, asked(row, Some(job), None, shown, &headers, address)).await
}

async fn job_of(shared: &Shared, id: &str, source: Option<&SourceId>) -> Result<JobRow, Problem> {
    let job = shared.operations.job(id).await?;
    let job = job.filter(|job| source.is_none_or(|source| job.source == source.as_str()));
    let job = job.ok_or_else(|| Problem::not_found(format!("no job of this source is called {id:?}")))?;
    if job.report.is_none() {
        return Err(Problem::not_found("this job has no report yet"));
    }
    Ok(job)
}

fn asked(
    source: SourceRow,
    job: Option<JobRow>,
    record: Option<DatasetKey>,
    shown: Shown,
    headers: &HeaderMap,
    address: String,
) -> Asked {
    let filter = FindingFilter { at: job.as_ref().map(time_of), rule: shown.rule.clone(), key: record };
    let language = Language::of(shown.lang.as_deref(), headers);
    Asked { source, job, former: None, filter, record, shown, language, address }
}

/// When a job began, by which its findings are known.
pub(super) fn time_of(job: &JobRow) -> String {
    let report = report_of(job);
    let at = report["at"].as_str().map(ToOwned::to_owned);
    at.or_else(|| job.started_at.clone()).unwrap_or_else(|| job.queued_at.clone())
}

pub(super) fn report_of(job: &JobRow) -> Value {
    job.report.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

async fn answer(shared: Arc<Shared>, form: &str, mut asked: Asked) -> Result<Response, Problem> {
    with_jobs(&shared, &mut asked).await?;
    let (name, suffix) = form.split_once('.').map_or((form, None), |(name, suffix)| (name, Some(suffix)));
    match (name, suffix) {
        ("quality", Some("json")) => return quality_json(&shared, &asked).await,
        ("badge", Some("svg")) => return badge(&shared, &asked).await,
        ("report", _) => {}
        _ => return Err(Problem::not_found("nothing is at this address")),
    }
    let format = match suffix {
        Some("html") => None,
        Some(suffix) => Some(
            Format::of_suffix(suffix).ok_or_else(|| Problem::not_found(format!("no form is called .{suffix}")))?,
        ),
        None => {
            let accept = asked.language.accept.as_deref();
            let media_type = best_match(accept, &OFFERS).ok_or_else(|| Problem::not_acceptable(&OFFERS))?;
            Format::of_media_type(media_type)
        }
    };
    let vary = [(header::VARY, "Accept, Accept-Language")];
    match format {
        None => Ok((vary, page(&shared, &asked).await?).into_response()),
        Some(format) => Ok((vary, download(shared, asked, format).await?).into_response()),
    }
}

/// Finds the last job of a source whose report was asked for without naming one, and the job before.
async fn with_jobs(shared: &Shared, asked: &mut Asked) -> Result<(), Problem> {
    let jobs = shared.operations.jobs(Some(&asked.source.slug), 0, 50).await?.0;
    let mut reported = jobs.into_iter().filter(|job| job.state.is_final() && job.report.is_some());
    match &asked.job {
        None => asked.job = reported.next(),
        Some(wanted) => drop(reported.by_ref().find(|job| job.id == wanted.id)),
    }
    // A job that failed found nothing, and ended nothing.
    asked.former = reported.find(|job| !report_of(job)["at"].is_null() && job.state.as_str() != "failed");
    Ok(())
}
