//! The description of the API, made of its code.

use super::problem::Problem;
use super::{harvest, records};
use askama::Template;
use axum::Json;
use axum::response::Html;
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Moisson", description = "Sources, jobs and records of a harvester. Errors are problems as RFC 9457 has them.", license(name = "MIT OR Apache-2.0")),
    paths(
        harvest::list, harvest::create, harvest::one, harvest::edit, harvest::remove, harvest::validate, harvest::run,
        harvest::schedule, harvest::unschedule, harvest::preview_one, harvest::preview_unsaved, harvest::backends,
        harvest::of_source, harvest::job, harvest::items, harvest::cancel, harvest::replay_job,
        harvest::removal, harvest::decide, harvest::links, harvest::check_links,
        records::history, records::diff, records::linked, records::findings, records::archive, records::restore, records::undo, records::detach, records::attach,
        super::api::list, super::api::one,
    ),
    modifiers(&Token)
)]
struct Api;

/// How clients say who they are.
struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let key = ApiKey::Header(ApiKeyValue::new("X-API-KEY"));
        api.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::ApiKey(key));
    }
}

/// `/api/1/openapi.json`
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

/// What can be asked at an address.
struct Operation {
    method: String,
    path: String,
    summary: String,
    parameters: Vec<(String, String)>,
    body: String,
    needs_token: bool,
    answers: String,
}

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    operations: Vec<Operation>,
}

/// `/api/1/docs/`: the description for people.
pub(super) async fn page() -> Result<Html<String>, Problem> {
    let api = serde_json::to_value(Api::openapi())?;
    let mut operations = Vec::new();
    for (path, methods) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operations.push(described(method, path, operation));
        }
    }
    Ok(Html(ApiPage { operations }.render()?))
}

fn described(method: &str, path: &str, operation: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let schema = &operation["requestBody"]["content"];
    let body = schema.as_object().and_then(|content| content.values().next());
    let answers = operation["responses"].as_object().map(|answers| answers.keys().cloned().collect::<Vec<_>>());
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: format!("{} {}", text(&operation["summary"]), text(&operation["description"])).trim().to_owned(),
        parameters: parameters.map(|one| (text(&one["name"]), text(&one["description"]))).collect(),
        body: body
            .and_then(|body| body["schema"]["$ref"].as_str()?.rsplit('/').next().map(ToOwned::to_owned))
            .unwrap_or_default(),
        needs_token: operation["security"].as_array().is_some_and(|security| !security.is_empty()),
        answers: answers.unwrap_or_default().join(", "),
    }
}
