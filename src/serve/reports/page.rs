//! The page of a report: what to mend first, where, and how.

use super::asked::{Asked, report_of, time_of};
use super::download::{groups, head};
use super::quality::{QualityView, score, view};
use super::views::{FindingView, Habits, Language, counted, day, minute};
use crate::catalog::{ItemError, public_address};
use crate::operations::{FindingChanges, JobState};
use crate::report::{Group, Part};
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use askama::Template;
use axum::response::Html;

/// Findings of a rule on one page.
const PAGE: i64 = 100;
/// Errors that a page lists.
const ERRORS: usize = 100;

/// A rule's findings on the page.
struct GroupView {
    class: &'static str,
    severity: &'static str,
    rule: String,
    message: String,
    count: u64,
    /// How often, and in how many records.
    extent: String,
    new: u64,
    since: String,
    example: FindingView,
}

/// Groups that are to be taken alike.
struct PartView {
    heading: &'static str,
    /// Whether they are shown only when they are asked for.
    is_folded: bool,
    groups: Vec<GroupView>,
}

/// How the findings changed since the job before.
struct ChangesView {
    /// When that job was, and its report's address.
    former: String,
    address: String,
    new: u64,
    gone: u64,
    persisting: u64,
    gone_rules: Vec<(String, u64)>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'p> {
    language: &'p Language,
    title: String,
    source: String,
    source_url: String,
    /// The record's key, where the report is one's.
    record: Option<String>,
    address: &'p str,
    job: Option<JobView>,
    counts: [u64; 3],
    changes: Option<ChangesView>,
    quality: Option<QualityView>,
    parts: Vec<PartView>,
    /// The one rule whose findings are listed, with them.
    rule: Option<&'p str>,
    findings: Vec<FindingView>,
    next: Option<i64>,
    errors: Vec<ItemError>,
    held_back: Vec<ItemError>,
    unmapped: Vec<UnmappedView>,
}

/// A field that no query reads.
struct UnmappedView {
    field: String,
    records: u64,
    is_misnamed: bool,
    likely: String,
}

fn unmapped_view(field: &serde_json::Value) -> UnmappedView {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    UnmappedView {
        field: text(&field["field"]),
        records: field["records"].as_u64().unwrap_or_default(),
        is_misnamed: field["misnamed"].is_object(),
        likely: text(&field["misnamed"]["likely"]),
    }
}

/// The job of a report.
struct JobView {
    id: String,
    at: String,
    status: &'static str,
    complete: bool,
    records: u64,
    note: String,
}

pub(super) async fn page(shared: &Shared, asked: &Asked) -> Result<Html<String>, Problem> {
    let groups = groups(shared, asked).await?;
    let counts = head(shared, asked, &groups).counts;
    let report = asked.job.as_ref().map(report_of).unwrap_or_default();
    let habits = Habits::of(&report);
    let (findings, next) = listed(shared, asked, &habits).await?;
    let is_whole = asked.record.is_none() && asked.shown.rule.is_none();
    let list = |name: &str| -> Vec<ItemError> {
        let mut list: Vec<ItemError> =
            serde_json::from_value(report.get(name).cloned().unwrap_or_default()).unwrap_or_default();
        list.truncate(if is_whole { ERRORS } else { 0 });
        list
    };
    let unmapped = report["unmapped"].as_array().into_iter().flatten().take(if is_whole { ERRORS } else { 0 });
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let page = ReportPage {
        language: &asked.language,
        title: title(shared, asked).await?,
        source: asked.source.name.clone(),
        source_url: public_address(&asked.source.url),
        record: asked.record.map(|key| key.to_string()),
        address: &asked.address,
        job: asked.job.as_ref().map(|job| JobView {
            id: job.id.clone(),
            at: minute(&time_of(job)),
            status: status(job.state, &asked.language),
            complete: report["complete"].as_bool().unwrap_or(false),
            records: report.pointer("/records/seen").and_then(serde_json::Value::as_u64).unwrap_or(0),
            note: text(&report["note"]),
        }),
        counts: [counts.violation, counts.warning, counts.info],
        changes: if is_whole { changes(shared, asked, &groups).await? } else { None },
        quality: quality(shared, asked).await?,
        parts: parts(&groups, &asked.language, &habits),
        rule: asked.shown.rule.as_deref(),
        findings,
        next,
        errors: list("errors"),
        held_back: list("held_back"),
        unmapped: unmapped.map(unmapped_view).collect(),
    };
    Ok(Html(page.render()?))
}

async fn title(shared: &Shared, asked: &Asked) -> Result<String, Problem> {
    let Some(key) = asked.record else { return Ok(asked.source.title().to_owned()) };
    let title = crate::serve::api::titles(shared, &[key]).await?.remove(&key.to_string());
    Ok(title.unwrap_or_else(|| key.to_string()))
}

fn group_view(group: &Group, language: &Language, habits: &Habits) -> GroupView {
    GroupView {
        class: group.severity.as_str(),
        severity: language.severity(group.severity),
        rule: group.rule.clone(),
        message: language.text(&group.example.message).to_owned(),
        count: group.count,
        extent: extent(group, language),
        new: group.new,
        since: group.since.as_deref().map(day).unwrap_or_default(),
        example: FindingView::of(&group.example, habits),
    }
}

/// The quality as it is now: a report of a former job says nothing of it, nor does one of a single rule.
async fn quality(shared: &Shared, asked: &Asked) -> Result<Option<QualityView>, Problem> {
    if asked.filter.at.is_some() || asked.shown.rule.is_some() {
        return Ok(None);
    }
    Ok(score(shared, asked).await?.map(|score| view(&score, &asked.language)))
}

/// The groups, which come in the order of their parts.
fn parts(groups: &[Group], language: &Language, habits: &Habits) -> Vec<PartView> {
    groups
        .chunk_by(|one, other| one.part() == other.part())
        .map(|groups| {
            let part = groups[0].part();
            PartView {
                heading: heading(part, language),
                is_folded: part == Part::Rest,
                groups: groups.iter().map(|group| group_view(group, language, habits)).collect(),
            }
        })
        .collect()
}

fn heading(part: Part, language: &Language) -> &'static str {
    match (part, language.is_french) {
        (Part::Mandatory, false) => "To fix first: the profile demands it",
        (Part::Mandatory, true) => "À corriger d’abord : le profil l’exige",
        (Part::Record, false) => "Then: it changes what the record shows",
        (Part::Record, true) => "Ensuite : cela change ce que montre la fiche",
        (Part::Rest, false) => "The rest: recommended or optional",
        (Part::Rest, true) => "Le reste : recommandé ou facultatif",
    }
}

fn extent(group: &Group, language: &Language) -> String {
    let times = counted(group.count, language, ["time", "times"], ["fois", "fois"]);
    let records = counted(group.records, language, ["record", "records"], ["fiche", "fiches"]);
    if group.places < group.count {
        let places = counted(group.places, language, ["place", "places"], ["endroit", "endroits"]);
        let word = if language.is_french { "utilisé par" } else { "used by" };
        return format!("{places}, {word} {records}");
    }
    let word = if language.is_french { "dans" } else { "in" };
    format!("{times} {word} {records}")
}

/// A job's state in words.
fn status(state: JobState, language: &Language) -> &'static str {
    match (state, language.is_french) {
        (JobState::Queued, true) => "en attente",
        (JobState::Running, true) => "en cours",
        (JobState::Done, true) => "terminé",
        (JobState::DoneWithErrors, true) => "terminé avec des erreurs",
        (JobState::Failed, true) => "échoué",
        (JobState::Held, true) => "suspendu : un retrait attend une décision",
        (JobState::Cancelled, true) => "annulé",
        (JobState::Interrupted, true) => "interrompu",
        (JobState::DoneWithErrors, false) => "done, with errors",
        (JobState::Held, false) => "held: a removal waits for a person",
        (state, false) => state.as_str(),
    }
}

/// The findings of the one rule or record that is shown, with what the next page begins behind.
async fn listed(
    shared: &Shared,
    asked: &Asked,
    habits: &Habits,
) -> Result<(Vec<FindingView>, Option<i64>), Problem> {
    if asked.shown.rule.is_none() {
        return Ok((Vec::new(), None));
    }
    let after = asked.shown.after.unwrap_or(0);
    let found = shared.operations.findings_page(&asked.source.slug, &asked.filter, after, PAGE + 1).await?;
    let size = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next = (found.len() > size).then(|| found[size - 1].id);
    Ok((found.iter().take(size).map(|one| FindingView::of(&one.finding, habits)).collect(), next))
}

async fn changes(shared: &Shared, asked: &Asked, groups: &[Group]) -> Result<Option<ChangesView>, Problem> {
    let (Some(job), Some(former)) = (&asked.job, &asked.former) else { return Ok(None) };
    let (from, to) = (time_of(former), time_of(job));
    let (operations, source) = (&shared.operations, &asked.source.slug);
    let FindingChanges { new, gone, persisting } = if asked.filter.at.is_some() {
        operations.finding_changes(source, &from, &to).await?
    } else {
        // What holds now was counted already.
        let new = groups.iter().map(|group| group.new).sum();
        let all: u64 = groups.iter().map(|group| group.count).sum();
        FindingChanges { new, gone: operations.gone_between(source, &from, &to).await?, persisting: all - new }
    };
    Ok(Some(ChangesView {
        former: minute(&from),
        address: format!("/job/{}/report", former.id),
        new,
        gone: gone.iter().map(|rule| rule.count).sum(),
        persisting,
        gone_rules: gone.into_iter().map(|rule| (rule.rule, rule.count)).collect(),
    }))
}
