//! The pages of rules, drawn from their shapes.

use super::views::Language;
use crate::report::Rule;
use crate::serve::parameters::Parameters;
use crate::serve::problem::Problem;
use crate::serve::server::State;
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Html;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage<'p> {
    language: &'p Language,
    rules: &'p [Rule],
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage<'p> {
    language: &'p Language,
    rule: &'p Rule,
    severity: &'static str,
    class: &'static str,
    address: String,
}

/// All rules.
pub(crate) async fn rules(
    axum::extract::State(shared): State,
    Parameters(shown): Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Html<String>, Problem> {
    let language = Language::of(shown.lang.as_deref(), &headers);
    Ok(Html(RulesPage { language: &language, rules: shared.rules().all() }.render()?))
}

/// A rule.
pub(crate) async fn rule(
    axum::extract::State(shared): State,
    Path((profile, name)): Path<(String, String)>,
    Parameters(shown): Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Html<String>, Problem> {
    let language = Language::of(shown.lang.as_deref(), &headers);
    let name = format!("{profile}/{name}");
    let rule = shared.rules().named(&name);
    let rule = rule.ok_or_else(|| Problem::not_found(format!("no rule is called {name:?}")))?;
    let page = RulePage {
        language: &language,
        severity: language.severity(rule.severity),
        class: rule.severity.as_str(),
        address: format!("/rules/{name}"),
        rule,
    };
    Ok(Html(page.render()?))
}
