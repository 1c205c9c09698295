//! The quality of a source or a record: points by dimension, what would gain most, and a badge to show.

use super::asked::Asked;
use super::views::Language;
use crate::catalog::DatasetKey;
use crate::derive::{Assessment, DIMENSIONS, Score};
use crate::harvest::{KnownLinks, noted_quality};
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use askama::Template;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Mends that are proposed.
const MENDS: usize = 3;

/// A quality score as pages show it.
pub(super) struct QualityView {
    pub(super) reached: String,
    pub(super) unknown: String,
    pub(super) rating: &'static str,
    pub(super) dimensions: Vec<DimensionView>,
    /// What to do, and the points that it would gain the average record.
    pub(super) mends: Vec<(String, String)>,
}

/// One dimension.
pub(super) struct DimensionView {
    pub(super) name: &'static str,
    pub(super) reached: String,
    pub(super) unknown: String,
    pub(super) most: String,
}

#[derive(Template)]
#[template(path = "badge.svg", escape = "html")]
struct Badge {
    text: String,
    colour: &'static str,
}

/// The score of what a report is about.
pub(super) async fn score(shared: &Shared, asked: &Asked) -> Result<Option<Score>, Problem> {
    match asked.record {
        Some(key) => of_record(shared, key).await,
        None => Ok(noted_quality(&shared.operations, &asked.source.slug).await?.source),
    }
}

async fn of_record(shared: &Shared, key: DatasetKey) -> Result<Option<Score>, Problem> {
    let Some(text) = shared.operations.quality(key).await? else { return Ok(None) };
    let assessment: Assessment = serde_json::from_str(&text)?;
    let links = KnownLinks::of(&shared.operations, [&assessment]).await?;
    Ok(Some(links.score(&assessment)))
}

pub(super) fn view(score: &Score, language: &Language) -> QualityView {
    let number = |points: f64| format!("{points:.0}");
    let total = score.total();
    let dimension = |name: &&'static str| {
        let points = score.dimensions.get(*name).copied().unwrap_or_default();
        DimensionView {
            name: dimension_name(name, language),
            reached: number(points.reached),
            unknown: if points.unknown > 0.0 { number(points.unknown) } else { String::new() },
            most: number(points.most),
        }
    };
    let mends = score.forecast(MENDS);
    QualityView {
        reached: number(total.reached),
        unknown: if total.unknown > 0.0 { number(total.unknown) } else { String::new() },
        rating: rating(score, language),
        dimensions: DIMENSIONS.iter().map(dimension).collect(),
        mends: mends
            .iter()
            .map(|gain| (language.text(&gain.mend).to_owned(), format!("{:.1}", gain.points)))
            .collect(),
    }
}

fn dimension_name(name: &str, language: &Language) -> &'static str {
    match (name, language.is_french) {
        ("findability", false) => "Findability",
        ("findability", true) => "Découverte",
        ("accessibility", false) => "Accessibility",
        ("accessibility", true) => "Accessibilité",
        ("interoperability", false) => "Interoperability",
        ("interoperability", true) => "Interopérabilité",
        ("reusability", false) => "Reusability",
        ("reusability", true) => "Réutilisabilité",
        (_, false) => "Contextuality",
        (_, true) => "Contexte",
    }
}

fn rating(score: &Score, language: &Language) -> &'static str {
    match (score.rating(), language.is_french) {
        ("excellent", _) => "excellent",
        ("good", true) => "bon",
        ("sufficient", true) => "suffisant",
        (_, true) => "insuffisant",
        (rating, false) => rating,
    }
}

/// The score as JSON: by dimension and indicator, with what would gain most.
pub(super) async fn quality_json(shared: &Shared, asked: &Asked) -> Result<Response, Problem> {
    let score = score(shared, asked).await?;
    let mut told = score.as_ref().map_or(Value::Null, told);
    if asked.record.is_none() && !told.is_null() {
        let organizations = noted_quality(&shared.operations, &asked.source.slug).await?.organizations;
        told["organizations"] =
            organizations.iter().map(|(name, score)| (name.clone(), self::told(score))).collect();
    }
    if told.is_null() {
        return Err(Problem::not_found("nothing was assessed yet"));
    }
    Ok(Json(told).into_response())
}

fn told(score: &Score) -> Value {
    json!({
        "total": score.total(),
        "rating": score.rating(),
        "records": score.records,
        "dimensions": score.dimensions,
        "indicators": score.indicators,
        "forecast": score.forecast(MENDS),
    })
}

/// A badge that a source can show.
pub(super) async fn badge(shared: &Shared, asked: &Asked) -> Result<Response, Problem> {
    let score = score(shared, asked).await?.ok_or_else(|| Problem::not_found("nothing was assessed yet"))?;
    let total = score.total();
    let colour = match score.rating() {
        "excellent" => "#14602b",
        "good" => "#3d6b0b",
        "sufficient" => "#8a5a00",
        _ => "#b3261e",
    };
    let badge = Badge { text: format!("{:.0} / {:.0}", total.reached, total.most - total.unknown), colour };
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=3600")];
    Ok((headers, badge.render()?).into_response())
}
