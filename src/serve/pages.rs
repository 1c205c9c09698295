//! The pages: the start, a source, a dataset.

use super::api;
use super::dataset::web_description;
use super::parameters::Parameters;
use super::problem::Problem;
use super::reports::{day, minute};
use super::server::{Opened, Shared, State};
use super::signposts::links;
use crate::catalog::{DatasetKey, ItemError, public_address};
use crate::derive::Record;
use crate::operations::{FindingFilter, JobRow, SourceRow, ValidationState};
use crate::report::{Group, ordered};
use crate::store::CatalogueRecord;
use askama::Template;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

const PAGE: usize = 25;
/// Rules that a source's page names; its report has all.
const RULES: usize = 10;

#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    page: Option<usize>,
}

/// A source in the list of the start page.
struct SourceLine {
    slug: String,
    title: String,
    url: String,
    records: usize,
    last_complete_at: String,
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    total: usize,
    sources: Vec<SourceLine>,
    records: Vec<Record>,
    page: usize,
    has_more: bool,
}

pub(super) async fn start(
    axum::extract::State(shared): State,
    Parameters(paging): Parameters<Paging>,
) -> Result<Html<String>, Problem> {
    let page = paging.page.unwrap_or(1).max(1);
    let opened = shared.snapshot()?;
    let keys = opened.keys(&shared.names);
    let mut sources = Vec::new();
    for source in shared.operations.sources().await? {
        // What nobody accepted is nobody's business yet.
        if source.validation.state != ValidationState::Accepted && source.last_complete_at.is_none() {
            continue;
        }
        sources.push(SourceLine {
            records: CatalogueRecord::keys(&opened.snapshot.store, &shared.names, Some(&source.slug)).len(),
            slug: source.name.clone(),
            title: source.title().to_owned(),
            url: public_address(&source.url),
            last_complete_at: source.last_complete_at.map(|time| day(&time)).unwrap_or_default(),
        });
    }
    let start = (page - 1).saturating_mul(PAGE);
    let of_page = keys.iter().skip(start).take(PAGE).copied().collect();
    let records = api::derive(&shared, &opened, of_page).await?;
    let start_page = StartPage { total: keys.len(), sources, records, page, has_more: start + PAGE < keys.len() };
    Ok(Html(start_page.render()?))
}

/// A job in the list of a source's page.
struct JobLine {
    started_at: String,
    status: String,
    seen: String,
    changes: String,
    findings: String,
}

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage {
    name: String,
    title: String,
    description: String,
    /// Where it stands, where it is not followed.
    state: String,
    url: String,
    /// Records that the last harvest did not publish, by name, with the reason and the place.
    held_back: Vec<String>,
    total: usize,
    jobs: Vec<JobLine>,
    rules: Vec<RuleLine>,
    records: Vec<Record>,
    page: usize,
    has_more: bool,
}

/// A rule in the findings of a source's page.
struct RuleLine {
    severity: &'static str,
    rule: String,
    records: u64,
    count: u64,
    en: String,
    fr: String,
    example: String,
}

pub(super) async fn source(
    axum::extract::State(shared): State,
    Path(slug): Path<String>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Response, Problem> {
    let page = paging.page.unwrap_or(1).max(1);
    let row = shared.operations.source_named(&slug).await?.filter(|row| row.removed_at.is_none());
    let row = row.ok_or_else(|| Problem::not_found(format!("no source is called {slug:?}")))?;
    if row.name != slug && row.slug.as_str() != slug {
        return Ok(Redirect::permanent(&format!("/source/{}", row.name)).into_response());
    }
    let id = row.slug.clone();
    let opened = shared.snapshot()?;
    let keys = CatalogueRecord::keys(&opened.snapshot.store, &shared.names, Some(&id));
    let jobs = shared.operations.jobs(Some(&id), 0, 10).await?.0;
    let groups = shared.operations.finding_groups(&id, &FindingFilter::default(), None).await?;
    let groups = ordered(groups.into_iter().map(Group::from).collect());
    let start = (page - 1).saturating_mul(PAGE);
    let of_page = keys.iter().skip(start).take(PAGE).copied().collect();
    let source_page = SourcePage {
        name: row.name.clone(),
        title: row.title().to_owned(),
        description: row.settings.description.clone().unwrap_or_default(),
        state: state_of(&row),
        held_back: jobs.iter().find(|job| job.state.is_final()).map(held_back).unwrap_or_default(),
        url: public_address(&row.url),
        total: keys.len(),
        jobs: jobs.iter().map(job_line).collect(),
        rules: groups.iter().take(RULES).map(rule_line).collect(),
        records: api::derive(&shared, &opened, of_page).await?,
        page,
        has_more: start + PAGE < keys.len(),
    };
    Ok(Html(source_page.render()?).into_response())
}

/// What people should know of a source that is not followed.
fn state_of(row: &SourceRow) -> String {
    match row.validation.state {
        ValidationState::Accepted if row.settings.paused => "It is not followed for now.".to_owned(),
        ValidationState::Accepted => String::new(),
        ValidationState::Pending => "It waits to be accepted.".to_owned(),
        ValidationState::Refused => {
            format!("It was refused: {}", row.validation.comment.as_deref().unwrap_or("no reason was given"))
        }
    }
}

/// The records that a job did not publish.
fn held_back(job: &JobRow) -> Vec<String> {
    let report: serde_json::Value =
        job.report.as_deref().and_then(|report| serde_json::from_str(report).ok()).unwrap_or_default();
    let list = report.get("held_back").cloned().unwrap_or_default();
    let list: Vec<ItemError> = serde_json::from_value(list).unwrap_or_default();
    list.iter()
        .map(|error| format!("{}: {} ({})", error.record.as_deref().unwrap_or("-"), error.message, error.place))
        .collect()
}

fn job_line(job: &JobRow) -> JobLine {
    let report: serde_json::Value =
        job.report.as_deref().and_then(|report| serde_json::from_str(report).ok()).unwrap_or_default();
    let number = |pointer: &str| report.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let changes: Vec<String> =
        ["added", "changed", "renamed", "missing", "archived", "restored", "skipped", "failed"]
            .iter()
            .map(|name| (name, number(&format!("/records/{name}"))))
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
    JobLine {
        started_at: minute(job.started_at.as_deref().unwrap_or(&job.queued_at)),
        status: job.state.as_str().to_owned(),
        seen: number("/records/seen").to_string(),
        changes: if changes.is_empty() { "nothing changed".to_owned() } else { changes.join(", ") },
        findings: format!(
            "{} violations, {} warnings",
            number("/findings/violation"),
            number("/findings/warning")
        ),
    }
}

fn rule_line(group: &Group) -> RuleLine {
    let example = &group.example;
    RuleLine {
        severity: group.severity.as_str(),
        rule: group.rule.clone(),
        records: group.records,
        count: group.count,
        en: example.message.en.clone(),
        fr: example.message.fr.clone(),
        example: format!("{} ({})", example.record, example.place),
    }
}

#[derive(Template)]
#[template(path = "dataset.html")]
struct DatasetPage {
    record: Record,
    /// Its own address.
    page: String,
    /// What search engines read, as JSON that ends no script.
    schema_org: String,
    has_croissant: bool,
    findings: Vec<FindingLine>,
}

/// Whether a page may link to an address: `javascript:alert(1)` is an IRI, too.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "it is called by `filter`")]
pub(super) fn is_link(address: &&str) -> bool {
    ["http://", "https://", "ftp://", "ftps://"].iter().any(|scheme| address.starts_with(scheme))
}

/// A finding on a dataset's page.
struct FindingLine {
    severity: &'static str,
    property: String,
    value: String,
    en: String,
    fr: String,
    place: String,
    suggestion: String,
}

/// A page, and the links of its head.
pub(super) struct Told {
    pub(super) html: String,
    pub(super) links: String,
}

/// The page of a dataset.
pub(super) async fn dataset(shared: &Arc<Shared>, opened: &Arc<Opened>, key: DatasetKey) -> Result<Told, Problem> {
    let record = api::derive(shared, opened, vec![key]).await?.pop();
    let record = record.ok_or_else(|| Problem::not_found("no record has this key"))?;
    let mut findings = shared.operations.findings(key).await?;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let findings = findings
        .into_iter()
        .map(|finding| FindingLine {
            severity: finding.severity.as_str(),
            property: finding.property.unwrap_or_default(),
            value: finding.value.unwrap_or_default().chars().take(200).collect(),
            en: finding.message.en,
            fr: finding.message.fr,
            place: finding.place.to_string(),
            suggestion: finding.suggestion.unwrap_or_default(),
        })
        .collect();
    let page = format!("{}/dataset/{key}", shared.settings.public_base);
    let web = web_description(shared, opened, key).await?;
    let has_croissant = web.as_ref().is_some_and(|web| web.croissant.is_some());
    // A title may hold `</script>`.
    let schema_org = web.map_or_else(String::new, |web| web.schema_org.to_string().replace('<', "\\u003c"));
    let links = links(&record, &page, has_croissant);
    let html = DatasetPage { record, page, schema_org, has_croissant, findings }.render()?;
    Ok(Told { html, links })
}
