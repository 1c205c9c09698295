//! `/query`: a page that asks the endpoint. The editor is Yasgui's, built by `./dev`; the page works without it, too.

mod examples;

use super::answer::{Conditional, not_modified, tag};
use super::problem::Problem;
use super::reports::Language;
use super::server::State;
use crate::vocab::PREFIXES;
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) use examples::EXAMPLES;

const EDITOR: &str = include_str!(concat!(env!("OUT_DIR"), "/editor.js"));
const STYLE: &str = include_str!(concat!(env!("OUT_DIR"), "/editor.css"));
const LICENCES: &str = include_str!(concat!(env!("OUT_DIR"), "/licences.txt"));

/// The page runs the script of its editor, and asks its own server; nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Prefixes of the IRIs that publishers take from the Publications Office, which tables shorten.
const AUTHORITIES: [(&str, &str); 6] = [
    ("access-right", "http://publications.europa.eu/resource/authority/access-right/"),
    ("country", "http://publications.europa.eu/resource/authority/country/"),
    ("file-type", "http://publications.europa.eu/resource/authority/file-type/"),
    ("frequency", "http://publications.europa.eu/resource/authority/frequency/"),
    ("language", "http://publications.europa.eu/resource/authority/language/"),
    ("theme", "http://publications.europa.eu/resource/authority/data-theme/"),
];

#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    lang: Option<String>,
    query: Option<String>,
    example: Option<String>,
}

struct Example {
    id: &'static str,
    title: &'static str,
}

#[derive(Template)]
#[template(path = "query.html")]
struct QueryPage<'p> {
    language: &'p Language,
    query: String,
    /// The example that was chosen, or nothing.
    chosen: String,
    examples: Vec<Example>,
}

pub(super) async fn page(
    super::parameters::Parameters(shown): super::parameters::Parameters<Shown>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let language = Language::of(shown.lang.as_deref(), &headers);
    let chosen = EXAMPLES.iter().find(|example| Some(example.id) == shown.example.as_deref());
    let page = QueryPage {
        query: shown.query.unwrap_or_else(|| chosen.unwrap_or(&EXAMPLES[0]).query.to_owned()),
        chosen: chosen.map_or_else(String::new, |example| example.id.to_owned()),
        examples: EXAMPLES
            .iter()
            .map(|example| Example { id: example.id, title: example.title(language.tag()) })
            .collect(),
        language: &language,
    };
    let mut response = Html(page.render()?).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    Ok(response)
}

/// The files of the editor.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let (media_type, text) = match name.as_str() {
        "editor.js" => ("text/javascript; charset=utf-8", EDITOR),
        "editor.css" => ("text/css; charset=utf-8", STYLE),
        "licences.txt" => ("text/plain; charset=utf-8", LICENCES),
        _ => return Err(Problem::not_found("nothing is at this address")),
    };
    let tag = tag(0, &[text]);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, text).into_response())
}

/// What the editor completes with: the classes and properties that the catalogue has.
pub(super) async fn terms(axum::extract::State(shared): State, headers: HeaderMap) -> Result<Response, Problem> {
    let opened = shared.snapshot()?;
    let tag = tag(opened.number(), &["terms"]);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let statistics = shared.statistics(&opened).await?;
    let names = |terms: &[(String, usize)]| -> Vec<String> { terms.iter().map(|(iri, _)| iri.clone()).collect() };
    let prefixes: Map<String, Value> = PREFIXES
        .iter()
        .chain(&AUTHORITIES)
        .map(|(prefix, namespace)| ((*prefix).to_owned(), json!(namespace)))
        .collect();
    let terms = json!({
        "prefixes": prefixes,
        "classes": names(&statistics.classes),
        "properties": names(&statistics.properties),
    });
    Ok(([(header::ETAG, tag)], axum::Json(terms)).into_response())
}

/// The examples, with their titles in both languages.
pub(super) async fn examples() -> axum::Json<Value> {
    let examples: Vec<Value> = EXAMPLES
        .iter()
        .map(|example| {
            let title = json!({"en": example.title("en"), "fr": example.title("fr")});
            json!({"id": example.id, "title": title, "query": example.query})
        })
        .collect();
    axum::Json(json!(examples))
}
