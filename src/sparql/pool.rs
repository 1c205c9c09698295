//! The workers, seen from the server: who gets one, for how long, and what becomes of it.

use super::question::{Question, Refusal, Reply};
use super::shares::{Bounds, NoPlace, Place, Shares};
use super::wire::{length, packed};
use crate::store::Folder;
use rustix::process::{Pid, setpriority_process};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

/// How often a running worker's memory is looked at.
const WATCH: Duration = Duration::from_millis(25);
/// After this, a query gives way to shorter ones.
const SHORT: Duration = Duration::from_millis(500);
/// The priority of long queries, as `nice` has it.
const GIVING_WAY: i32 = 15;

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
}

#[derive(Debug)]
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where its long answers go.
    spool: PathBuf,
    /// Long queries make a worker give way, for good.
    gives_way: bool,
}

impl Pool {
    /// Makes a pool, whose workers start when they are needed.
    ///
    /// # Errors
    /// When there is no place for long answers.
    pub fn new(settings: PoolSettings) -> io::Result<Self> {
        let shares = Shares::new(Bounds {
            running: settings.workers,
            // However many queries a client has, another one finds a worker.
            running_of_client: (settings.workers / 2).max(1),
            left: settings.workers / 4,
            waiting: settings.waiting,
            waiting_of_client: (settings.waiting / 4).max(1),
        });
        let spool = spool_folder(&settings.folder)?;
        Ok(Self { settings, shares, idle: Mutex::default(), spool, started: AtomicU64::new(0) })
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

    /// Asks a question for a client.
    ///
    /// # Errors
    /// When there is no answer: see [`Failure`].
    pub async fn ask(
        &self,
        client: IpAddr,
        mut question: Question,
        deadline: Instant,
    ) -> Result<Answered, Failure> {
        let place = self.shares.place(client, deadline).await.map_err(|none| match none {
            NoPlace::Full => Failure::Busy,
            NoPlace::Share => Failure::Share,
            NoPlace::Late => Failure::Time(self.settings.time),
        })?;
        let mut taken = Taken { pool: self, worker: Some(self.worker()?) };
        let worker = taken.worker.as_mut().expect("it was taken just now");
        question.spool = worker.spool.clone();
        let outcome = self.converse(worker, &question, &place, deadline).await;
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
        worker: &mut Worker,
        question: &Question,
        place: &Place,
        deadline: Instant,
    ) -> Result<(Reply, Vec<u8>), Failure> {
        let started = Instant::now();
        let pid = worker.pid();
        let (input, output) = (&mut worker.input, &mut worker.output);
        let mut exchange = std::pin::pin!(async move {
            input.write_all(&packed(question)).await?;
            input.flush().await?;
            answer(output).await
        });
        let mut watch = tokio::time::interval_at(started + WATCH, WATCH);
        loop {
            tokio::select! {
                // A worker that ran out of address space ends without a word.
                answered = &mut exchange => return answered.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Failure::Memory(self.settings.memory),
                    _ => Failure::Broken(error),
                }),
                () = place.is_wanted() => return Err(Failure::Wanted(started.elapsed())),
                () = tokio::time::sleep_until(deadline) => return Err(Failure::Time(self.settings.time)),
                _ = watch.tick() => {
                    if memory_of(pid) > self.settings.memory {
                        return Err(Failure::Memory(self.settings.memory));
                    }
                    if !worker.gives_way && started.elapsed() > SHORT {
                        worker.gives_way = true;
                        let _ = setpriority_process(Pid::from_raw(pid.cast_signed()), GIVING_WAY);
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
            if matches!(worker.child.try_wait(), Ok(None)) {
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
        let settings = &self.settings;
        let mut command = Command::new(&settings.program);
        command.arg("query-worker").arg("--store").arg(settings.folder.root());
        command.arg("--memory-mb").arg((settings.memory >> 20).to_string());
        for service in &settings.services {
            command.arg("--service").arg(service);
        }
        if settings.allow_loopback {
            command.arg("--allow-loopback");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a worker has no pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let spool = self.spool.path().join(number.to_string());
        Ok(Worker { child, input, output, spool, gives_way: false })
    }
}

/// A worker that is asked. Unless it is put back it is killed, and another one starts in its place: so it ends too when
/// the client goes away.
struct Taken<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
}

impl Taken<'_> {
    /// Lets others ask it, unless it was slowed down or grew.
    fn put_back(&mut self) {
        let is_fit = |worker: &mut Worker| !worker.gives_way && worker.memory() < self.pool.settings.memory / 2;
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

async fn answer(output: &mut BufReader<ChildStdout>) -> io::Result<(Reply, Vec<u8>)> {
    let mut head = [0; 4];
    output.read_exact(&mut head).await?;
    let mut text = vec![0; length(head)?];
    output.read_exact(&mut text).await?;
    let reply: Reply = serde_json::from_slice(&text)?;
    let mut bytes = Vec::new();
    if let Reply::Answer { bytes: length, is_spooled: false, .. } = &reply {
        bytes = vec![0; usize::try_from(*length).unwrap_or(0)];
        output.read_exact(&mut bytes).await?;
    }
    Ok((reply, bytes))
}

impl Drop for Worker {
    /// Nobody reads its answer any more.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let _ = std::fs::remove_file(&self.spool);
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

impl Worker {
    fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    fn memory(&self) -> u64 {
        memory_of(self.pid())
    }
}

/// The memory that a process has for itself, in bytes; nothing where the system does not tell.
fn memory_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}
