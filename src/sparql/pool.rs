//! The workers, seen from the server: who gets one, for how long, and what becomes of it.

use super::process::{Pipes, Process};
use super::question::{Question, Refusal, Reply};
use super::shares::{Bounds, NoPlace, Place, Shares};
use crate::store::Folder;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often a running worker's memory is looked at.
const WATCH: Duration = Duration::from_millis(25);
/// After this, a query gives way to shorter ones, and is ended when its client has gone.
const SHORT: Duration = Duration::from_millis(500);

/// What the workers are, and their bounds.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// The program, which is its own worker.
    pub program: PathBuf,
    /// The store.
    pub folder: Folder,
    /// Workers at once.
    pub workers: usize,
    /// Queries that may wait for one.
    pub waiting: usize,
    /// From its arrival to its answer, a query may take so long.
    pub time: Duration,
    /// The memory of a worker, in bytes.
    pub memory: u64,
    /// The services that queries may call.
    pub services: Vec<String>,
    /// Whether these may be on this machine.
    pub allow_loopback: bool,
}

/// An answer.
#[derive(Debug)]
pub struct Answered {
    /// Its media type.
    pub media_type: String,
    /// Whether it would be another one the next time, though the store were the same.
    pub is_volatile: bool,
    /// Its length in bytes.
    pub length: u64,
    /// The answer, or the file that has it, which is gone once it is closed.
    pub body: AnswerBody,
}

/// Where an answer is.
#[derive(Debug)]
pub enum AnswerBody {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file that has no name any more.
    File(std::fs::File),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// A worker said so.
    Refused(Refusal, String),
    /// The search index speaks of another snapshot.
    Elsewhere(u64),
    /// The query took too long, or waited too long.
    Time(Duration),
    /// The query ran so long while others waited who used less.
    Wanted(Duration),
    /// The query took too much memory.
    Memory(u64),
    /// As many queries wait as may.
    Busy,
    /// As many queries of this client wait as may.
    Share,
    /// A worker ended in the middle, or could not be started.
    Broken(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// The workers of a server.
#[derive(Debug)]
pub struct Pool {
    settings: PoolSettings,
    shares: Arc<Shares>,
    idle: Mutex<Vec<Worker>>,
    spool: tempfile::TempDir,
    started: AtomicU64,
    /// What reads the workers' pipes, whoever asks.
    runtime: Handle,
}

#[derive(Debug)]
struct Worker {
    process: Process,
    pipes: Pipes,
}

/// Who waits for an answer: the channel is closed once he has gone.
type Asker = oneshot::Sender<Result<Answered, Failure>>;

impl Pool {
    /// Makes a pool, whose workers start when they are needed and are listened to on `runtime`.
    ///
    /// # Errors
    /// When there is no place for long answers.
    pub fn new(settings: PoolSettings, runtime: Handle) -> io::Result<Self> {
        let shares = Shares::new(Bounds {
            running: settings.workers,
            // However many queries a client has, another one finds a worker.
            running_of_client: (settings.workers / 2).max(1),
            left: settings.workers / 4,
            waiting: settings.waiting,
            waiting_of_client: (settings.waiting / 4).max(1),
        });
        let spool = spool_folder(&settings.folder)?;
        Ok(Self { settings, shares, idle: Mutex::default(), spool, started: AtomicU64::new(0), runtime })
    }

    /// Starts the workers, so that the first query need not wait for one.
    ///
    /// # Errors
    /// When no worker can be started.
    pub fn warm(&self) -> io::Result<()> {
        self.replenish(0)
    }

    /// By when a question that comes now must be answered.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.settings.time
    }

    /// Asks a question for a client. When this is dropped, because the client has gone, a worker may end what is short
    /// and be asked again; what is long is ended at once.
    ///
    /// # Errors
    /// When there is no answer: see [`Failure`].
    pub async fn ask(
        self: &Arc<Self>,
        client: IpAddr,
        question: Question,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        let place = self.shares.place(client, deadline).await.map_err(|none| match none {
            NoPlace::Full => Failure::Busy,
            NoPlace::Share => Failure::Share,
            NoPlace::Late => Failure::Time(self.settings.time),
        })?;
        let (mut asker, answer) = oneshot::channel();
        let pool = Arc::clone(self);
        self.runtime.spawn(async move {
            let outcome = pool.answered(&mut asker, question, place, deadline).await;
            let _ = asker.send(outcome);
        });
        answer.await.unwrap_or_else(|_| Err(Failure::Broken(io::Error::other("the server is stopping"))))
    }

    async fn answered(
        &self,
        asker: &mut Asker,
        mut question: Question,
        place: Place,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        let mut taken = Taken { pool: self, worker: Some(self.worker()?) };
        let worker = taken.worker.as_mut().expect("it was taken just now");
        question.spool = worker.process.spool().to_owned();
        let outcome = self.converse(worker, &question, &place, deadline, asker).await;
        let spooled =
            outcome.as_ref().is_ok_and(|(reply, _)| matches!(reply, Reply::Answer { is_spooled: true, .. }));
        let file = if spooled { Some(std::fs::File::open(&question.spool)?) } else { None };
        let _ = std::fs::remove_file(&question.spool);
        if outcome.is_ok() {
            taken.put_back();
        }
        drop(taken);
        drop(place);
        let (reply, bytes) = outcome?;
        match reply {
            Reply::Answer { media_type, is_volatile, bytes: length, .. } => {
                let body = file.map_or(AnswerBody::Memory(bytes), AnswerBody::File);
                Ok(Answered { media_type, is_volatile, length, body })
            }
            Reply::Refused { why, detail } => Err(Failure::Refused(why, detail)),
            Reply::Elsewhere { snapshot } => Err(Failure::Elsewhere(snapshot)),
        }
    }

    /// Sends a question and waits for the answer, within bounds of time and memory.
    async fn converse(
        &self,
        Worker { process, pipes }: &mut Worker,
        question: &Question,
        place: &Place,
        deadline: Instant,
        asker: &mut Asker,
    ) -> Result<(Reply, Vec<u8>), Failure> {
        let started = Instant::now();
        let mut has_gone = false;
        let mut exchange = std::pin::pin!(pipes.exchange(question));
        let mut watch = tokio::time::interval_at(started + WATCH, WATCH);
        loop {
            let end = if has_gone { deadline.min(started + SHORT) } else { deadline };
            tokio::select! {
                // A worker that ran out of address space ends without a word.
                answered = &mut exchange => return answered.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Failure::Memory(self.settings.memory),
                    _ => Failure::Broken(error),
                }),
                () = place.is_wanted() => return Err(Failure::Wanted(started.elapsed())),
                () = tokio::time::sleep_until(end) => return Err(Failure::Time(self.settings.time)),
                // To end what is nearly done costs less than another worker.
                () = asker.closed(), if !has_gone => has_gone = true,
                _ = watch.tick() => {
                    if process.memory() > self.settings.memory {
                        return Err(Failure::Memory(self.settings.memory));
                    }
                    if !process.gives_way() && started.elapsed() > SHORT {
                        process.give_way();
                    }
                }
            }
        }
    }

    fn worker(&self) -> io::Result<Worker> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut worker) = idle else { return self.start() };
            // Unless somebody else ended it.
            if worker.process.lives() {
                return Ok(worker);
            }
        }
    }

    /// Starts workers in the place of those that ended. `ended` of the places that are taken have no worker any more.
    fn replenish(&self, ended: usize) -> io::Result<()> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.len() + self.shares.running() < self.settings.workers + ended {
            idle.push(self.start()?);
        }
        Ok(())
    }

    fn start(&self) -> io::Result<Worker> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let _runtime = self.runtime.enter();
        let (process, pipes) = Process::start(&self.settings, self.spool.path().join(number.to_string()))?;
        Ok(Worker { process, pipes })
    }
}

/// A worker that is asked. Unless it is put back it is killed, and another one starts in its place.
struct Taken<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
}

impl Taken<'_> {
    /// Lets others ask it, unless it was slowed down or grew.
    fn put_back(&mut self) {
        let is_fit = |Worker { process, .. }: &mut Worker| {
            !process.gives_way() && process.memory() < self.pool.settings.memory / 2
        };
        if let Some(worker) = self.worker.take_if(is_fit) {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            drop(worker);
            // Without it, the next query starts one.
            if let Err(error) = self.pool.replenish(1) {
                tracing::warn!(%error, "no worker could be started");
            }
        }
    }
}

/// A folder for long answers beside the store, where there is room for what is large; those of servers that were
/// killed are removed.
fn spool_folder(folder: &Folder) -> io::Result<tempfile::TempDir> {
    const NAME: &str = "answers-";
    for entry in std::fs::read_dir(folder.root()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(NAME).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{NAME}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(folder.root()).or_else(|_| tempfile::tempdir())
}
