//! The server's routes and its state.

use super::auth::Remembered;
use super::limits::Counted;
use super::problem::Problem;
use super::readers::Readers;
use super::routes::routes;
use super::{connections, feed, upkeep};
use crate::catalog::DatasetKey;
use crate::config::Config;
use crate::convert::QueryError;
use crate::derive::{Deriver, Seen, Statistics, WebDescriber};
use crate::harvest::{Hand, HandError};
use crate::jobs::{Service, least_severity};
use crate::operations::{Operations, OperationsError};
use crate::report::Rules;
use crate::sparql::{Pool, PoolSettings, Question};
use crate::store::{CatalogueRecord, Folder, GraphNames, NewestMark, Snapshot, StoreError};
use axum::Router;
use axum::http::StatusCode;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
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
    /// The program, which is started again to evaluate queries.
    pub program: PathBuf,
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
    pub(super) web: WebDescriber,
    /// Places for queries that run at once.
    places: Arc<Semaphore>,
    /// Places for what is read of the store at once: so many wait, and take no memory meanwhile.
    readings: Arc<Semaphore>,
    /// Places for questions that are answered where they arrive.
    lights: Arc<Semaphore>,
    /// Places for reports that are sent at once.
    downloads: Arc<Semaphore>,
    /// What harvests; a server that only reads has none.
    service: Option<Arc<Service>>,
    rules: OnceLock<Rules>,
    /// What evaluates the queries of strangers.
    pub(super) pool: Arc<Pool>,
    pub(super) readers: Readers,
    /// One dump is made at a time.
    pub(super) dumping: Arc<tokio::sync::Mutex<()>>,
    /// One state is counted at a time.
    counting: Arc<tokio::sync::Mutex<()>>,
    pub(super) chosen: feed::Chosen,
    pub(super) remembered: Remembered,
    pub(super) counted: Counted,
    /// The snapshot last opened, and the mark of that. Written by whichever request first sees a newer one.
    opened: RwLock<(Option<NewestMark>, Arc<Opened>)>,
}

/// Queries that may run at once; more are asked to come again.
const PLACES: usize = 16;
/// Pages that are made at once.
const READINGS: usize = 4;

/// A snapshot, and what is read of it once.
pub(super) struct Opened {
    pub(super) snapshot: Snapshot,
    keys: OnceLock<Arc<Vec<DatasetKey>>>,
    statistics: OnceLock<Arc<Statistics>>,
}

impl Opened {
    pub(super) fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self { snapshot, keys: OnceLock::new(), statistics: OnceLock::new() })
    }

    /// The snapshot's number.
    pub(super) fn number(&self) -> u64 {
        self.snapshot.number
    }

    /// The keys of all records, sorted.
    pub(super) fn keys(&self, names: &GraphNames) -> Arc<Vec<DatasetKey>> {
        let keys = || Arc::new(CatalogueRecord::keys(&self.snapshot.store, names, None));
        Arc::clone(self.keys.get_or_init(keys))
    }

    /// What the snapshot has, where it was counted.
    fn counted(&self) -> Option<Arc<Statistics>> {
        self.statistics.get().map(Arc::clone)
    }
}

impl Shared {
    /// The newest snapshot, opened again when a harvest published one.
    pub(super) fn snapshot(&self) -> Result<Arc<Opened>, StoreError> {
        let folder = &self.settings.folder;
        let mark = folder.newest_mark();
        if let Ok(known) = self.opened.read()
            && known.0 == mark
        {
            return Ok(Arc::clone(&known.1));
        }
        // One opens it, the others wait for that.
        let mut known = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        // Taken before: what is published meanwhile is seen the next time.
        let mark = folder.newest_mark();
        if known.0 != mark {
            *known = (mark, Opened::new(folder.snapshot()?));
        }
        Ok(Arc::clone(&known.1))
    }

    /// The rules of the profiles that the program brings; they are compiled when they are first asked for.
    pub(super) fn rules(&self) -> &Rules {
        self.rules.get_or_init(|| Rules::of_program().expect("the program's own shapes compile"))
    }

    /// A question without its query: the bounds of answers.
    pub(super) fn bounds(&self) -> Question {
        let queries = &self.settings.config.service.queries;
        Question { rows: queries.rows, bytes: queries.bytes_mb << 20, ..Question::default() }
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

    /// What a state has. It is counted once, by one request; the others wait for that.
    pub(super) async fn statistics(&self, opened: &Arc<Opened>) -> Result<Arc<Statistics>, Problem> {
        let turn = Arc::clone(&self.counting).lock_owned().await;
        if let Some(known) = opened.counted() {
            return Ok(known);
        }
        let opened = Arc::clone(opened);
        let counted = tokio::task::spawn_blocking(move || -> Result<Arc<Statistics>, StoreError> {
            let _turn = turn;
            let statistics = Arc::new(Statistics::of(&opened.snapshot)?);
            Ok(Arc::clone(opened.statistics.get_or_init(|| statistics)))
        });
        Ok(counted.await??)
    }

    /// Reads the store on a thread that may work, when it is its turn.
    pub(super) async fn reading<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Problem> {
        in_turn(&self.readings, work).await
    }

    /// Whether whoever reads the store now, in his turn, is the only one.
    pub(super) fn reads_alone(&self) -> bool {
        self.readings.available_permits() + 1 >= READINGS
    }

    /// Answers what cannot take long, behind nothing that can.
    pub(super) async fn quickly<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Problem> {
        in_turn(&self.lights, work).await
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

async fn in_turn<R: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Problem> {
    let turn = Arc::clone(places).acquire_owned().await?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    Ok(done.await?)
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
        let (mark, snapshot) = (settings.folder.newest_mark(), settings.folder.snapshot()?);
        let pool = Arc::new(Pool::new(pool_settings(&settings), tokio::runtime::Handle::current())?);
        let shared = Shared {
            pool,
            readers: Readers::default(),
            dumping: Arc::default(),
            counting: Arc::default(),
            chosen: feed::Chosen::default(),
            names: GraphNames::new(&settings.names_base),
            operations,
            deriver: Deriver::new(&settings.config.languages)?,
            web: WebDescriber::new(&settings.config.languages)?,
            service,
            rules: OnceLock::new(),
            remembered: Remembered::default(),
            counted: Counted::default(),
            places: Arc::new(Semaphore::new(PLACES)),
            readings: Arc::new(Semaphore::new(READINGS)),
            lights: Arc::new(Semaphore::new(PLACES)),
            downloads: Arc::new(Semaphore::new(PLACES)),
            opened: RwLock::new((mark, Opened::new(snapshot))),
            settings,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Serves until a signal.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let shared = Arc::clone(&self.shared);
        shared.pool.warm()?;
        let upkeep = tokio::spawn(upkeep::keep_up(Arc::clone(&shared)));
        let served = connections::serve(listener, self.router(), stop).await;
        upkeep.abort();
        shared.operations.close().await;
        Ok(served?)
    }

    /// What answers requests.
    pub fn router(self) -> Router {
        routes(self.shared)
    }
}

fn pool_settings(settings: &Settings) -> PoolSettings {
    let queries = &settings.config.service.queries;
    PoolSettings {
        program: settings.program.clone(),
        folder: settings.folder.clone(),
        workers: queries.workers,
        waiting: queries.waiting,
        time: Duration::from_secs(queries.seconds),
        memory: queries.memory_mb << 20,
        services: queries.services.iter().map(ToString::to_string).collect(),
        allow_loopback: settings.config.allow_loopback,
    }
}
