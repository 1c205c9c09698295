//! Which address is answered by what.

use super::limits::limited;
use super::problem::Problem;
use super::server::{Shared, State};
use super::tagged::tagged;
use super::{
    api, dataset, describing, dump, feed, graph_store, harvest, openapi, pages, query_page, records, reports,
    robots, sparql,
};
use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::cors::{self, CorsLayer};

/// All routes.
pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(pages::start))
        .route("/health", get(health))
        .route("/style.css", get(style))
        .route("/sparql", get(sparql::get).post(sparql::post))
        .route("/rdf-graph-store", get(graph_store::get))
        .route("/query", get(query_page::page))
        .route("/query/terms.json", get(query_page::terms))
        .route("/query/examples.json", get(query_page::examples))
        .route("/query/{name}", get(query_page::file))
        .route("/dataset/{key}", get(dataset::dataset))
        .route("/dataset/{key}/schema.jsonld", get(dataset::schema_org))
        .route("/dataset/{key}/croissant.jsonld", get(dataset::croissant))
        .route("/record/{key}", get(dataset::of_record))
        .route("/.well-known/genid/{key}/{name}", get(dataset::of_node))
        .route("/source/{slug}", get(pages::source))
        .route("/rules/", get(reports::rules))
        .route("/rules/{profile}/{rule}", get(reports::rule))
        .route("/void", get(describing::void))
        .route("/.well-known/void", get(describing::void))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .merge(api_routes(&shared))
        .merge(report_routes(&shared))
        .merge(feed_routes(&shared))
        .fallback(elsewhere)
        .method_not_allowed_fallback(async || {
            let why = "this address does not take this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", why)
        })
        .layer(axum::middleware::from_fn(tagged))
        .layer(axum::middleware::map_response(with_security_headers))
        .layer(compression())
        .layer(cross_origin())
        .with_state(shared)
}

/// Addresses of the API end in a slash; one without it leads there, as udata's do.
async fn elsewhere(uri: axum::http::Uri) -> axum::response::Response {
    if uri.path().starts_with("/api/") && !uri.path().ends_with('/') {
        let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
        return axum::response::Redirect::permanent(&format!("{}/{query}", uri.path())).into_response();
    }
    Problem::not_found("nothing is at this address").into_response()
}

/// What clients of the API ask and change.
fn api_routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    use harvest as h;
    Router::new()
        .route("/api/1/openapi.json", get(openapi::openapi))
        .route("/api/1/docs/", get(openapi::page))
        .route("/api/1/datasets/", get(api::list))
        .route("/api/1/datasets/{id}/", get(api::one))
        .route("/api/1/datasets/{id}/history/", get(records::history))
        .route("/api/1/datasets/{id}/diff/", get(records::diff))
        .route("/api/1/datasets/{id}/linked/", get(records::linked))
        .route("/api/1/datasets/{id}/findings/", get(records::findings))
        .route("/api/1/datasets/{id}/archive/", post(records::archive))
        .route("/api/1/datasets/{id}/restore/", post(records::restore))
        .route("/api/1/datasets/{id}/undo/", post(records::undo))
        .route("/api/1/datasets/{id}/detach/", post(records::detach))
        .route("/api/1/datasets/{id}/attach/", post(records::attach))
        .route("/api/1/harvest/backends/", get(h::backends))
        .route("/api/1/harvest/sources/", get(h::list).post(h::create))
        .route("/api/1/harvest/source/preview/", post(h::preview_unsaved))
        .route("/api/1/harvest/source/{source}/", get(h::one).put(h::edit).delete(h::remove))
        .route("/api/1/harvest/source/{source}/validate/", post(h::validate))
        .route("/api/1/harvest/source/{source}/run/", post(h::run))
        .route("/api/1/harvest/source/{source}/schedule/", post(h::schedule).delete(h::unschedule))
        .route("/api/1/harvest/source/{source}/preview/", get(h::preview_one))
        .route("/api/1/harvest/source/{source}/removal/", get(h::removal).post(h::decide))
        .route("/api/1/harvest/source/{source}/links/", get(h::links).post(h::check_links))
        .route("/api/1/harvest/source/{source}/jobs/", get(h::of_source))
        .route("/api/1/harvest/job/{job}/", get(h::job))
        .route("/api/1/harvest/job/{job}/items/", get(h::items))
        .route("/api/1/harvest/job/{job}/cancel/", post(h::cancel))
        .route("/api/1/harvest/job/{job}/replay/", post(h::replay_job))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(shared), limited))
}

/// Reports, which take more than a page does.
fn report_routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/source/{slug}/{form}", get(reports::of_source))
        .route("/dataset/{key}/{form}", get(reports::of_dataset))
        .route("/job/{job}/{form}", get(reports::of_job))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(shared), limited))
}

/// The catalogue as feeds.
fn feed_routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/catalog", get(feed::choose))
        .route("/{catalogue}", get(feed::catalogue))
        .route("/catalog/{name}", get(feed::tombstones))
        .route("/feed.atom", get(feed::atom))
        .route("/ldes", get(feed::change_root))
        .route("/ldes/{page}", get(feed::change_page))
        .route("/event/{number}", get(feed::change_event))
        .route("/source/{slug}/catalog", get(feed::choose_of_source))
        .merge(feed::source_routes())
        .route("/organization/{id}/catalog", get(feed::choose_of_organization))
        .route("/organization/{id}/{form}", get(feed::of_organization))
        .route("/dump/{name}", get(dump::newest))
        .route("/dump/{number}/{name}", get(dump::of_state))
        .route("/robots.txt", get(robots::robots))
        .route("/sitemap.xml", get(robots::index))
        .route("/sitemaps/{page}", get(robots::sitemap))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(shared), limited))
}

/// What text is sent as; what is compressed already stays as it is.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_compressed = NotForContentType::const_new("application/zstd");
    CompressionLayer::new().compress_when(
        DefaultPredicate::new().and(is_compressed).and(NotForContentType::const_new("application/gzip")),
    )
}

/// Anybody may read from anywhere; a token is never sent along by a browser itself.
fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(cors::Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            header::RANGE,
        ])
        .expose_headers([header::ETAG, header::LINK, header::CONTENT_RANGE, header::RETRY_AFTER])
        .max_age(Duration::from_secs(86_400))
}

/// What publishers write may hold scripts: pages run none, and browsers guess no types.
async fn with_security_headers(mut response: axum::response::Response) -> axum::response::Response {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    // A page that needs more says so itself.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn health(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let number = shared.snapshot()?.snapshot.number;
    let body = serde_json::json!({"status": "ok", "snapshot": number});
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()))
}

/// Whether requests can be answered: the store and the operations database are read.
async fn ready(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let unready = |error: &dyn std::error::Error| {
        tracing::warn!(causes = crate::catalog::with_causes(error), "not ready");
        Problem::unavailable("the store or the operations database cannot be read")
    };
    let number = shared.snapshot().map_err(|error| unready(&error))?.snapshot.number;
    shared.operations.fact("ready").await.map_err(|error| unready(&error))?;
    let body = serde_json::json!({"status": "ready", "snapshot": number, "harvests": shared.service().is_ok()});
    Ok(([(header::CONTENT_TYPE, "application/json")], body.to_string()))
}

async fn metrics(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let text = shared.service()?.metrics().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("templates/style.css"))
}
