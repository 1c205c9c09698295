//! The server's routes and its state.

use super::auth::Remembered;
use super::limits::{Counted, limited};
use super::problem::Problem;
use super::{api, catalogue, connections, dataset, harvest, openapi, pages, records, reports, sparql};
use crate::catalog::DatasetKey;
use crate::config::Config;
use crate::convert::QueryError;
use crate::derive::{Deriver, Seen};
use crate::harvest::{Hand, HandError};
use crate::jobs::{Service, least_severity};
use crate::operations::{Operations, OperationsError};
use crate::report::Rules;
use crate::store::{CatalogueRecord, Folder, GraphNames, Snapshot, StoreError};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use jiff::Timestamp;
use std::sync::{Arc, OnceLock, RwLock};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's folder.
    pub folder: Folder,
    /// The base of the store's IRIs.
    pub names_base: String,
    /// The address by which clients reach the server.
    pub public_base: String,
    /// The program's configuration.
    pub config: Config,
}

/// Why a server stopped or did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operations database cannot be read.
    #[error(transparent)]
    Operations(#[from] OperationsError),
    /// A query of the program does not parse.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The socket failed.
    #[error("the server's socket failed")]
    Socket(#[from] std::io::Error),
}

/// What handlers share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) names: GraphNames,
    pub(super) operations: Operations,
    pub(super) deriver: Deriver,
    /// Places for queries that run at once.
    places: Arc<Semaphore>,
    /// Places for reports that are sent at once.
    downloads: Arc<Semaphore>,
    /// What harvests; a server that only reads has none.
    service: Option<Arc<Service>>,
    rules: OnceLock<Rules>,
    pub(super) remembered: Remembered,
    pub(super) counted: Counted,
    /// The snapshot last opened. Written by whichever request first sees a newer one.
    opened: RwLock<Arc<Opened>>,
}

/// Queries that may run at once; more are asked to come again.
const PLACES: usize = 16;

/// A snapshot, and what is read of it once.
pub(super) struct Opened {
    pub(super) snapshot: Snapshot,
    keys: OnceLock<Vec<DatasetKey>>,
}

impl Opened {
    fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self { snapshot, keys: OnceLock::new() })
    }

    /// The keys of all records, sorted.
    pub(super) fn keys(&self, names: &GraphNames) -> &[DatasetKey] {
        self.keys.get_or_init(|| CatalogueRecord::keys(&self.snapshot.store, names, None))
    }
}

impl Shared {
    /// The newest snapshot, opened again when a harvest published one.
    pub(super) fn snapshot(&self) -> Result<Arc<Opened>, StoreError> {
        let current = self.settings.folder.current()?;
        if let Ok(opened) = self.opened.read()
            && current == Some(opened.snapshot.number)
        {
            return Ok(Arc::clone(&opened));
        }
        let newest = Opened::new(self.settings.folder.snapshot()?);
        if let Ok(mut opened) = self.opened.write() {
            *opened = Arc::clone(&newest);
        }
        Ok(newest)
    }

    /// The rules of the profiles that the program brings; they are compiled when they are first asked for.
    pub(super) fn rules(&self) -> &Rules {
        self.rules.get_or_init(|| Rules::of_program().expect("the program's own shapes compile"))
    }

    /// A place among the queries that may run at once.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = "as many queries are running as may run at once: try again in some seconds";
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", busy))
    }

    /// A place among the reports that may be sent at once.
    pub(super) fn download_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = "as many reports are being sent as may be at once: try again in some seconds";
        let place = Arc::clone(&self.downloads).try_acquire_owned();
        place.map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", busy))
    }

    /// What harvests.
    pub(super) fn service(&self) -> Result<&Arc<Service>, Problem> {
        self.service.as_ref().ok_or_else(|| Problem::unavailable("this server only reads: it harvests nothing"))
    }

    /// Does something to records, on a thread that may block.
    pub(super) async fn by_hand<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Hand<'_>) -> Result<R, HandError> + Send + 'static,
    ) -> Result<R, Problem> {
        let runner = Arc::clone(self.service()?.runner());
        let names = self.names.clone();
        let done = tokio::task::spawn_blocking(move || {
            let hand = Hand {
                workplace: &runner.workplace,
                runtime: runner.runtime.clone(),
                names,
                now: Timestamp::now(),
                findings_in_store: least_severity(&runner.config),
            };
            work(&hand)
        });
        Ok(done.await??)
    }

    /// When each source was last read whole.
    pub(super) async fn seen(&self) -> Result<Seen, OperationsError> {
        let sources = self.operations.sources().await?;
        Ok(sources
            .into_iter()
            .filter_map(|source| Some((source.slug.to_string(), source.last_complete_at?)))
            .collect())
    }
}

pub(super) type State = axum::extract::State<Arc<Shared>>;

/// A server over one store.
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// Opens the store; what harvests is there already, where anything does.
    ///
    /// # Errors
    /// When the store or the operations database cannot be read, or nothing was published yet.
    pub async fn open(settings: Settings, service: Option<Arc<Service>>) -> Result<Self, ServeError> {
        let operations = Operations::open(&settings.folder.operations()).await?;
        let snapshot = settings.folder.snapshot()?;
        let shared = Shared {
            names: GraphNames::new(&settings.names_base),
            operations,
            deriver: Deriver::new(&settings.config.languages)?,
            service,
            rules: OnceLock::new(),
            remembered: Remembered::default(),
            counted: Counted::default(),
            places: Arc::new(Semaphore::new(PLACES)),
            downloads: Arc::new(Semaphore::new(PLACES)),
            opened: RwLock::new(Opened::new(snapshot)),
            settings,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Serves until a signal.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let shared = Arc::clone(&self.shared);
        connections::serve(listener, self.router(), stop).await;
        shared.operations.close().await;
        Ok(())
    }

    /// What answers requests.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(pages::start))
            .route("/health", get(health))
            .route("/style.css", get(style))
            .route("/sparql", get(sparql::get).post(sparql::post))
            .route("/dataset/{key}", get(dataset::dataset))
            .route("/record/{key}", get(dataset::of_record))
            .route("/.well-known/genid/{key}/{name}", get(dataset::of_node))
            .route("/catalog", get(catalogue::choose))
            .route("/source/{slug}", get(pages::source))
            .route("/rules/", get(reports::rules))
            .route("/rules/{profile}/{rule}", get(reports::rule))
            .route("/{catalogue}", get(catalogue::catalogue))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .merge(api_routes(&self.shared))
            .merge(report_routes(&self.shared))
            .fallback(elsewhere)
            .method_not_allowed_fallback(async || {
                let why = "this address does not take this method";
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", why)
            })
            .layer(axum::middleware::map_response(with_security_headers))
            .with_state(self.shared)
    }
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

/// What publishers write may hold scripts: pages run none, and browsers guess no types.
async fn with_security_headers(mut response: axum::response::Response) -> axum::response::Response {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Anybody may read from anywhere; a token is never sent along by a browser itself.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
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
    let body = serde_json::json!({"status": "ready", "snapshot": number, "harvests": shared.service.is_some()});
    Ok(([(header::CONTENT_TYPE, "application/json")], body.to_string()))
}

async fn metrics(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let text = shared.service()?.metrics().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("templates/style.css"))
}
