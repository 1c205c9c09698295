//! The server's routes and its state.

use super::problem::Problem;
use super::{api, catalogue, dataset, pages, sparql};
use crate::catalog::DatasetKey;
use crate::convert::QueryError;
use crate::derive::{Deriver, Seen};
use crate::operations::{Operations, OperationsError};
use crate::store::{CatalogueRecord, Folder, GraphNames, Snapshot, StoreError};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::{Arc, OnceLock, RwLock};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What a server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's folder.
    pub folder: Folder,
    /// The base of the store's IRIs.
    pub names_base: String,
    /// The address by which clients reach the server.
    pub public_base: String,
    /// The languages in which records are shown, the best one first.
    pub languages: Vec<String>,
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
    pub(super) places: Arc<Semaphore>,
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
    /// Opens the store.
    pub async fn open(settings: Settings) -> Result<Self, ServeError> {
        let operations = Operations::open(&settings.folder.operations()).await?;
        let snapshot = settings.folder.snapshot()?;
        let shared = Shared {
            names: GraphNames::new(&settings.names_base),
            operations,
            deriver: Deriver::new(&settings.languages)?,
            places: Arc::new(Semaphore::new(PLACES)),
            opened: RwLock::new(Opened::new(snapshot)),
            settings,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Serves until a signal.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        axum::serve(listener, self.router()).with_graceful_shutdown(stop).await?;
        Ok(())
    }

    fn router(self) -> Router {
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
            .route("/{catalogue}", get(catalogue::catalogue))
            .route("/api/1/datasets/", get(api::list))
            .route("/api/1/datasets/{id}/", get(api::one))
            .fallback(async || Problem::not_found("nothing is at this address"))
            .method_not_allowed_fallback(async || {
                let why = "this address is read by GET, and /sparql also by POST";
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", why)
            })
            .layer(axum::middleware::map_response(with_security_headers))
            .with_state(self.shared)
    }
}

/// What publishers write may hold scripts: pages run none, and browsers guess no types.
async fn with_security_headers(mut response: axum::response::Response) -> axum::response::Response {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn health(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let number = shared.snapshot()?.snapshot.number;
    let body = serde_json::json!({"status": "ok", "snapshot": number});
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("templates/style.css"))
}
