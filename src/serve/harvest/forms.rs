//! Sources, jobs and items as the API tells them: in udata's terms, with ours beside them.

use crate::catalog::public_address;
use crate::operations::{
    Item as StoredItem, ItemMessage, ItemOutcome, JobRow, JobState, SourceRow, ValidationState,
};
use crate::serve::auth::Client;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "these are udata's fields")]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// From 1.
    pub(crate) page: i64,
    pub(crate) page_size: i64,
    pub(crate) total: i64,
    /// The address of the next page.
    pub(crate) next_page: Option<String>,
    pub(crate) previous_page: Option<String>,
}

/// A source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    /// The identifier, which never changes.
    pub(crate) id: String,
    /// The title, for people.
    pub(crate) name: String,
    /// The name that addresses show; former ones redirect to it.
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    pub(crate) url: String,
    /// The kind: `dcat`, `ckan`, `opendatasoft`, `dcat-us`, `csw`; empty until it is known.
    pub(crate) backend: String,
    /// All settings, in the terms of `moisson.toml`, with udata's `filters` beside them.
    #[schema(value_type = Object)]
    pub(crate) config: Value,
    pub(crate) active: bool,
    pub(crate) autoarchive: bool,
    pub(crate) created_at: String,
    pub(crate) deleted: Option<String>,
    /// The cron expression.
    pub(crate) schedule: Option<String>,
    /// When it is harvested next.
    pub(crate) due_at: Option<String>,
    /// `all` or `valid`.
    pub(crate) policy: String,
    pub(crate) validation: Validation,
    pub(crate) permissions: Permissions,
    pub(crate) last_job: Option<Job>,
    /// How many records are live, missing among them, archived, and missing with a removal that waits for a person.
    #[schema(value_type = Object)]
    pub(crate) records: Value,
    #[schema(value_type = Option<Object>)]
    pub(crate) owner: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub(crate) organization: Option<Value>,
}

/// What was decided of a source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    /// `pending`, `accepted` or `refused`.
    pub(crate) state: String,
    #[schema(value_type = Option<Object>)]
    pub(crate) by: Option<Value>,
    pub(crate) on: Option<String>,
    pub(crate) comment: Option<String>,
}

/// What the client may do with a source.
#[derive(Debug, Default, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "these are udata's fields")]
pub(crate) struct Permissions {
    pub(crate) edit: bool,
    pub(crate) delete: bool,
    pub(crate) run: bool,
    pub(crate) preview: bool,
    pub(crate) validate: bool,
    pub(crate) schedule: bool,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Job {
    pub(crate) id: Option<String>,
    pub(crate) created: String,
    pub(crate) started: Option<String>,
    pub(crate) ended: Option<String>,
    /// udata's name of the state: `pending`, `processing`, `done`, `done-errors`, `failed`.
    pub(crate) status: &'static str,
    /// Ours: `queued`, `running`, `done`, `done-with-errors`, `failed`, `held`, `cancelled`, `interrupted`.
    pub(crate) state: &'static str,
    /// Why it is run.
    pub(crate) cause: String,
    pub(crate) errors: Vec<JobError>,
    #[schema(value_type = Object)]
    pub(crate) items: Value,
    #[schema(value_type = Object)]
    pub(crate) source: Value,
    /// How far it is: records and pages.
    #[schema(value_type = Object)]
    pub(crate) progress: Value,
    /// The report of a job that ended, as `moisson harvest --format json` prints it.
    #[schema(value_type = Option<Object>)]
    pub(crate) report: Option<Value>,
}

/// Something that went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobError {
    pub(crate) created_at: String,
    pub(crate) message: String,
    pub(crate) details: Option<String>,
}

/// What became of a record in a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Item {
    pub(crate) remote_id: Option<String>,
    pub(crate) remote_url: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(crate) dataset: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub(crate) dataservice: Option<Value>,
    /// udata's name: `done`, `failed`, `skipped`, `archived`.
    pub(crate) status: &'static str,
    /// Ours: `added`, `changed`, `unchanged`, `renamed`, `missing`, `archived`, `restored`, `skipped`, `failed`.
    pub(crate) outcome: &'static str,
    pub(crate) created: String,
    pub(crate) started: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) errors: Vec<JobError>,
    pub(crate) logs: Vec<Log>,
    pub(crate) args: Vec<String>,
    #[schema(value_type = Object)]
    pub(crate) kwargs: Value,
}

/// A remark.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) message: String,
}

/// A kind of source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backend {
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    #[schema(value_type = Vec<Object>)]
    pub(crate) filters: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    pub(crate) features: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    pub(crate) extra_configs: Vec<Value>,
}

/// A source, as a client sees it.
pub(super) fn source(
    row: &SourceRow,
    last_job: Option<Job>,
    (totals, held): ([i64; 3], usize),
    client: Option<&Client>,
) -> Source {
    let owns = client.is_some_and(|client| client.owns(row));
    let is_administrator = client.is_some_and(Client::is_administrator);
    let mut config = serde_json::to_value(&row.settings).unwrap_or_default();
    config["filters"] = filters(row);
    // Where a key is kept is the administrators' business.
    if let Some(config) = config.as_object_mut().filter(|_| !is_administrator) {
        for name in ["token_env", "token_file", "mapping"] {
            config.remove(name);
        }
    }
    let validation = &row.validation;
    Source {
        id: row.slug.to_string(),
        name: row.title().to_owned(),
        slug: row.name.clone(),
        description: row.settings.description.clone(),
        // Where a file is on the server is nobody else's business.
        url: if is_administrator { row.url.clone() } else { public_address(&row.url) },
        backend: row.kind.clone(),
        config,
        active: !row.settings.paused,
        autoarchive: true,
        created_at: row.created_at.clone(),
        deleted: row.removed_at.clone(),
        schedule: row.settings.schedule.clone(),
        due_at: row.due_at.clone(),
        policy: row.settings.policy.as_str().to_owned(),
        validation: Validation {
            state: validation.state.as_str().to_owned(),
            by: validation.by.as_ref().map(|by| json!({"id": by, "class": "User", "slug": by})),
            on: validation.on.clone(),
            comment: validation.comment.clone(),
        },
        permissions: Permissions {
            edit: owns,
            delete: owns,
            run: owns && validation.state == ValidationState::Accepted,
            preview: owns,
            validate: is_administrator,
            schedule: owns,
        },
        last_job,
        records: json!({"live": totals[0], "missing": totals[1], "archived": totals[2], "held": held}),
        owner: row.settings.owner.as_ref().map(|id| json!({"id": id, "class": "User", "slug": id})),
        organization: row
            .settings
            .organization
            .as_ref()
            .map(|id| json!({"id": id, "class": "Organization", "name": id, "slug": id})),
    }
}

/// The filters in udata's form: a key, a value, and whether it excludes.
fn filters(row: &SourceRow) -> Value {
    let one = |text: &String, kind: &str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        json!({"key": key, "value": value, "type": kind})
    };
    let settings = &row.settings;
    let all = settings.include.iter().map(|text| one(text, "include"));
    all.chain(settings.exclude.iter().map(|text| one(text, "exclude"))).collect()
}

/// udata's name of a state.
fn status(state: JobState) -> &'static str {
    match state {
        JobState::Queued | JobState::Interrupted => "pending",
        JobState::Running => "processing",
        JobState::Done => "done",
        JobState::DoneWithErrors | JobState::Held => "done-errors",
        JobState::Failed | JobState::Cancelled => "failed",
    }
}

/// udata's name of an outcome.
fn item_status(outcome: ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Failed => "failed",
        ItemOutcome::Skipped => "skipped",
        ItemOutcome::Archived => "archived",
        ItemOutcome::Added
        | ItemOutcome::Changed
        | ItemOutcome::Unchanged
        | ItemOutcome::Renamed
        | ItemOutcome::Missing
        | ItemOutcome::Restored => "done",
    }
}

/// The outcomes that a status of udata stands for, or the one that a name of ours is.
pub(super) fn outcomes_of(name: &str) -> Option<Vec<ItemOutcome>> {
    if let Some(outcome) = ItemOutcome::parse(name) {
        return Some(vec![outcome]);
    }
    match name {
        "done" => Some(vec![
            ItemOutcome::Added,
            ItemOutcome::Changed,
            ItemOutcome::Unchanged,
            ItemOutcome::Renamed,
            ItemOutcome::Missing,
            ItemOutcome::Restored,
        ]),
        "pending" | "started" => Some(Vec::new()),
        _ => None,
    }
}

/// A job, with how many of its records had which outcome.
pub(super) fn job(row: &JobRow, outcomes: &[(ItemOutcome, i64)]) -> Job {
    let report: Option<Value> = row.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let ended = row.ended_at.clone().unwrap_or_else(|| row.queued_at.clone());
    let mut errors: Vec<JobError> = Vec::new();
    let note = report.as_ref().and_then(|report| report["note"].as_str());
    if let Some(note) =
        note.filter(|_| matches!(row.state, JobState::Failed | JobState::Held | JobState::Cancelled))
    {
        errors.push(JobError { created_at: ended.clone(), message: note.to_owned(), details: None });
    }
    // Errors of pages; those of records are with their items.
    for error in report.iter().filter_map(|report| report["errors"].as_array()).flatten() {
        if error["record"].is_null() {
            let message = error["message"].as_str().unwrap_or_default().to_owned();
            let details = error["place"]["page"].as_str().map(ToOwned::to_owned);
            errors.push(JobError { created_at: ended.clone(), message, details });
        }
    }
    let mut by_status = json!({"pending": 0, "started": 0, "done": 0, "failed": 0, "skipped": 0, "archived": 0});
    let mut by_outcome = json!({});
    let mut total = 0;
    for (outcome, number) in outcomes {
        let name = item_status(*outcome);
        by_status[name] = json!(by_status[name].as_i64().unwrap_or(0) + number);
        by_outcome[outcome.as_str()] = json!(number);
        total += number;
    }
    Job {
        id: Some(row.id.clone()),
        created: row.queued_at.clone(),
        started: row.started_at.clone(),
        ended: row.ended_at.clone(),
        status: status(row.state),
        state: row.state.as_str(),
        cause: row.cause.clone(),
        errors,
        items: json!({
            "rel": "subsection",
            "href": format!("/api/1/harvest/job/{}/items/", row.id),
            "type": "GET",
            "total": total,
            "by_status": by_status,
            "by_outcome": by_outcome,
            "by_type": {"dataset": total, "dataservice": 0},
        }),
        source: json!({"id": row.source, "class": "HarvestSource"}),
        progress: json!({"records": row.records, "pages": row.pages, "attempts": row.attempts}),
        report,
    }
}

/// An item; the title of a record that is not live any more is what its platform calls it.
pub(super) fn item(stored: &StoredItem, of: &JobRow, base: &str, titles: &HashMap<String, String>) -> Item {
    let created = of.started_at.clone().unwrap_or_else(|| of.queued_at.clone());
    let told = |message: &ItemMessage| format!("{} ({})", message.message, message.place);
    let (errors, logs): (Vec<_>, Vec<_>) = stored.messages.iter().partition(|message| message.level == "error");
    let dataset = stored.key.as_ref().map(|key| {
        json!({
            "id": key,
            "class": "Dataset",
            "title": titles.get(key).or(stored.remote_id.as_ref()),
            "uri": format!("{base}/api/1/datasets/{key}/"),
            "page": format!("{base}/dataset/{key}"),
        })
    });
    Item {
        remote_id: stored.remote_id.clone(),
        remote_url: None,
        dataset,
        dataservice: None,
        status: item_status(stored.outcome),
        outcome: stored.outcome.as_str(),
        errors: errors
            .into_iter()
            .map(|message| JobError { created_at: created.clone(), message: told(message), details: None })
            .collect(),
        logs: logs
            .into_iter()
            .map(|message| Log { level: message.level.clone(), message: told(message) })
            .collect(),
        started: Some(created.clone()),
        ended: of.ended_at.clone(),
        created,
        args: Vec::new(),
        kwargs: json!({}),
    }
}
