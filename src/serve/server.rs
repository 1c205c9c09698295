//! The server's routes and its state.

use super::problem::Problem;
use super::{api, catalogue, dataset, pages, sparql};
use crate::convert::QueryError;
use crate::derive::{Deriver, Seen};
use crate::operations::{Operations, OperationsError};
use crate::store::{Folder, GraphNames, Snapshot, StoreError};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::{Arc, RwLock};
use tokio::net::TcpListener;

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
    /// The snapshot last opened. Written by whichever request first sees a newer one.
    snapshot: RwLock<Snapshot>,
}

impl Shared {
    /// The newest snapshot, opened again when a harvest published one.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let current = self.settings.folder.current()?;
        if let Ok(open) = self.snapshot.read()
            && current == Some(open.number)
        {
            return Ok(open.clone());
        }
        let newest = self.settings.folder.snapshot()?;
        if let Ok(mut open) = self.snapshot.write() {
            *open = newest.clone();
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
            snapshot: RwLock::new(snapshot),
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
            .route("/source/{slug}", get(pages::source))
            .route("/{catalogue}", get(catalogue::catalogue))
            .route("/api/1/datasets/", get(api::list))
            .route("/api/1/datasets/{id}/", get(api::one))
            .fallback(async || Problem::not_found("nothing is at this address"))
            .with_state(self.shared)
    }
}

async fn health(axum::extract::State(shared): State) -> Result<impl IntoResponse, Problem> {
    let snapshot = shared.snapshot()?;
    let body = serde_json::json!({"status": "ok", "snapshot": snapshot.number});
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("templates/style.css"))
}
