//! What changed, as an Atom feed (RFC 4287) with tombstones (RFC 6721): `/feed.atom`.

use crate::operations::{Change, ChangeKind};
use crate::serve::api::titles;
use crate::serve::parameters::Parameters;
use crate::serve::problem::Problem;
use crate::serve::server::State;
use crate::triples::as_xml_text;
use askama::Template;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::HashSet;

/// Changes of a page.
const PAGE: i64 = 100;

#[derive(Debug, Deserialize)]
pub(in crate::serve) struct Paging {
    before: Option<i64>,
}

struct Line {
    page: String,
    title: String,
    at: String,
    source: String,
    activity: &'static str,
    is_removal: bool,
}

#[derive(Template)]
#[template(path = "changes.atom", escape = "html")]
struct Atom<'a> {
    base: &'a str,
    updated: String,
    this_page: String,
    older_page: Option<String>,
    changes: Vec<Line>,
}

pub(in crate::serve) async fn atom(
    axum::extract::State(shared): State,
    Parameters(paging): Parameters<Paging>,
) -> Result<Response, Problem> {
    let base = &shared.settings.public_base;
    let last = match paging.before {
        Some(before) => before.saturating_sub(1),
        None => shared.operations.last_change().await?,
    };
    let first = last.saturating_sub(PAGE - 1).max(1);
    let mut changes = shared.operations.changes(first, last).await?;
    changes.reverse();
    // An entry is a record: what happened to it last is what it is.
    let mut seen = HashSet::new();
    changes.retain(|change| seen.insert(change.key));
    let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
    let titles = titles(&shared, &keys).await?;
    let line = |change: Change| Line {
        page: format!("{base}/dataset/{}", change.key),
        title: as_xml_text(titles.get(&change.key.to_string()).unwrap_or(&change.node)),
        at: change.at,
        source: change.source,
        activity: if change.kind == ChangeKind::Create { "Create" } else { "Update" },
        is_removal: change.kind == ChangeKind::Delete,
    };
    let before = paging.before.map_or_else(String::new, |before| format!("?before={before}"));
    let feed = Atom {
        base,
        updated: changes.first().map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), |change| change.at.clone()),
        this_page: format!("{base}/feed.atom{before}"),
        older_page: (first > 1).then(|| format!("{base}/feed.atom?before={first}")),
        changes: changes.into_iter().map(line).collect(),
    };
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed.render()?).into_response())
}
