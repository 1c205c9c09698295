//! The service at work: workers that take jobs, a clock that queues them, and what is tidied up.

use super::metrics::{Gauge, Metrics};
use super::runner::{RunError, Runner};
use crate::catalog::{SourceId, with_causes};
use crate::fetch::{Stop, Stopping};
use crate::harvest::{HarvestError, JobReport, Opened, Progress, Writing};
use crate::operations::{JobRow, JobState, Operations, OperationsError};
use crate::store::{GraphNames, StoreError};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a worker without work looks for some.
const PAUSE: Duration = Duration::from_millis(300);
/// How often the progress of jobs is noted, and heed given to what was asked.
const PULSE: Duration = Duration::from_millis(400);
/// How long pages under way may take when the service stops.
const GRACE: Duration = Duration::from_secs(20);
/// How often a job is begun that ends with its process.
const ATTEMPTS: i64 = 5;

/// A job under way.
struct Running {
    stop: Stop,
    records: AtomicU64,
    pages: AtomicU64,
}

/// Workers, clock and postman of one process.
pub struct Service {
    pub(super) runner: Arc<Runner>,
    pub(super) operations: Operations,
    pub(super) metrics: Arc<Metrics>,
    running: Mutex<HashMap<String, Arc<Running>>>,
    is_stopping: AtomicBool,
    /// Sources whose addresses are being asked.
    pub(super) checking: Mutex<HashSet<SourceId>>,
}

impl Service {
    /// A service over the sources of a place; it works once it is started.
    ///
    /// # Errors
    /// When the operations database cannot be opened.
    pub fn new(runner: Arc<Runner>) -> Result<Arc<Self>, HarvestError> {
        let operations = runner.workplace.operations(&runner.runtime)?;
        Ok(Arc::new(Self {
            runner,
            operations,
            metrics: Arc::default(),
            running: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            checking: Mutex::default(),
        }))
    }

    /// What runs jobs.
    #[must_use]
    pub fn runner(&self) -> &Arc<Runner> {
        &self.runner
    }

    /// Starts the workers and the clock. What a crash left is undone first, and the jobs that it interrupted
    /// wait for a worker.
    pub fn start(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        // Where another process has the store, its jobs run: they are no business of ours.
        match self.runner.workplace.open(&self.runner.runtime) {
            Ok(opened) => self.note_missed_changes(&opened),
            Err(error) => tracing::warn!(%error, "the store cannot be opened now"),
        }
        let mut threads = Vec::new();
        let spawn = |name: String, work: fn(&Arc<Self>)| {
            let service = Arc::clone(self);
            std::thread::Builder::new().name(name).spawn(move || work(&service)).expect("a thread can be started")
        };
        for number in 0..self.runner.config.service.workers {
            threads.push(spawn(format!("worker-{number}"), |service| service.work()));
        }
        threads.push(spawn("pulse".to_owned(), |service| service.pulse()));
        threads.push(spawn("clock".to_owned(), Self::tick));
        threads.push(spawn("postman".to_owned(), |service| service.deliver()));
        threads
    }

    /// Notes what a crash kept from being noted between a publication and its note.
    fn note_missed_changes(&self, opened: &Opened) {
        let runtime = &self.runner.runtime;
        let names = GraphNames::new(&self.runner.config.base);
        let noted = (|| -> Result<(), OperationsError> {
            for source in runtime.block_on(opened.operations().sources())? {
                opened.note_changes(runtime, &names, &source.slug)?;
            }
            Ok(())
        })();
        if let Err(error) = noted {
            tracing::warn!(causes = with_causes(&error), "changes were not noted");
        }
    }

    /// Works until nothing waits, on this thread.
    ///
    /// # Errors
    /// When the store cannot be opened, or the operations database fails.
    pub fn work_off(&self) -> Result<(), HarvestError> {
        while let Some((job, _opened)) = self.next()? {
            self.run(&job);
        }
        Ok(())
    }

    /// Lets the pages under way come to their end, and stops; the jobs go on when the service starts again.
    /// Blocks until all threads have ended.
    pub fn stop(&self, threads: Vec<JoinHandle<()>>) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for running in self.jobs_under_way() {
            running.stop.ask(Stopping::AfterThePage);
        }
        let end = Instant::now() + GRACE;
        while Instant::now() < end && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        for running in self.jobs_under_way() {
            running.stop.ask(Stopping::ForNow);
        }
        for thread in threads {
            let _ = thread.join();
        }
        self.runner.runtime.block_on(self.operations.close());
    }

    /// Asks for the end of a job. Returns whether there was anything to end.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn cancel(&self, job: &str) -> Result<bool, OperationsError> {
        let was_open = self.operations.ask_cancel(job, &Timestamp::now().to_string()).await?;
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned();
        if let Some(running) = running {
            running.stop.ask(Stopping::AtOnce);
        }
        Ok(was_open)
    }

    /// Asks for the end of all jobs of a source.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn cancel_source(&self, source: &SourceId) -> Result<(), OperationsError> {
        for job in self.operations.open_jobs(source).await? {
            self.cancel(&job).await?;
        }
        Ok(())
    }

    /// The metrics, in the text format of Prometheus.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn metrics(&self) -> Result<String, OperationsError> {
        let mut gauges = Vec::new();
        for (state, number) in self.operations.jobs_by_state().await? {
            if !state.is_final() {
                gauges.push(Gauge {
                    name: "jobs_open",
                    help: "Jobs that have not ended, by their state.",
                    label: Some(("state", state.as_str().to_owned())),
                    value: number as f64,
                });
            }
        }
        let sources = self.operations.sources().await?.len() as f64;
        gauges.push(Gauge {
            name: "sources",
            help: "Sources that were not removed.",
            label: None,
            value: sources,
        });
        let size = folder_size(self.runner.workplace.folder().root()) as f64;
        gauges.push(Gauge { name: "store_bytes", help: "Size of the store's folder.", label: None, value: size });
        Ok(self.metrics.text(&gauges))
    }

    fn jobs_under_way(&self) -> Vec<Arc<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether no job runs.
    pub(super) fn is_idle(&self) -> bool {
        self.jobs_under_way().is_empty()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// A worker: takes jobs one after the other.
    fn work(&self) {
        while !self.is_stopping() {
            match self.next() {
                Ok(Some((job, opened))) => {
                    self.run(&job);
                    drop(opened);
                }
                Ok(None) => std::thread::sleep(PAUSE),
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), "no job can be taken now");
                    std::thread::sleep(PAUSE * 5);
                }
            }
        }
    }

    /// The next job. The store is opened before it is taken: whoever opens it says of jobs that run nowhere that
    /// they were interrupted.
    fn next(&self) -> Result<Option<(JobRow, Arc<Opened>)>, HarvestError> {
        let runtime = &self.runner.runtime;
        let open = runtime.block_on(self.operations.jobs_by_state())?;
        if !open.iter().any(|(state, _)| matches!(state, JobState::Queued | JobState::Interrupted)) {
            return Ok(None);
        }
        let opened = self.runner.workplace.open(runtime)?;
        let job = runtime.block_on(self.operations.take_job(&Timestamp::now().to_string()))?;
        Ok(job.map(|job| (job, opened)))
    }

    fn run(&self, job: &JobRow) {
        if job.attempts > ATTEMPTS {
            let why =
                "the service ended in the middle of this job again and again; it is given up until it is due";
            if let Err(error) = self.end_failed(job, why) {
                tracing::error!(job = job.id, error = %with_causes(&error), "the end of a job could not be noted");
            }
            return;
        }
        let running =
            Arc::new(Running { stop: Stop::default(), records: AtomicU64::new(0), pages: AtomicU64::new(0) });
        let under_way = || self.running.lock().unwrap_or_else(PoisonError::into_inner);
        under_way().insert(job.id.clone(), Arc::clone(&running));
        if self.is_stopping() {
            running.stop.ask(Stopping::AfterThePage);
        }
        tracing::info!(job = job.id, source = job.source, attempt = job.attempts, "the job begins");
        // A fault of the program costs one job, not the worker.
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| self.run_job(job, &running)));
        under_way().remove(&job.id);
        let ended = match ran {
            Ok(Ok(report)) => self.tell(job, &report),
            Ok(Err(RunError::Job(
                HarvestError::Spoiled | HarvestError::Interrupted | HarvestError::Store(StoreError::Locked { .. }),
            ))) => self.runner.runtime.block_on(self.operations.put_back(&job.id)).map_err(HarvestError::from),
            Ok(Err(RunError::Job(HarvestError::Cancelled))) => self.end_cancelled(job),
            // Where a key is kept is nobody's business: the log has it.
            Ok(Err(RunError::Settings(error))) => {
                tracing::error!(job = job.id, source = job.source, %error, "the settings cannot be used");
                self.end_failed(job, "the settings of the source cannot be used; the log of the service says why")
            }
            Ok(Err(error)) => self.end_failed(job, &with_causes(&error)),
            Err(_) => self.end_failed(
                job,
                "the program has a fault, which was logged; the job is tried again when it is due",
            ),
        };
        if let Err(error) = ended {
            tracing::error!(job = job.id, error = %with_causes(&error), "the end of a job could not be noted");
        }
    }

    fn run_job(&self, job: &JobRow, running: &Running) -> Result<JobReport, RunError> {
        let runtime = &self.runner.runtime;
        let row = runtime.block_on(self.operations.source_named(&job.source)).map_err(HarvestError::from)?;
        let row = row.ok_or(HarvestError::Cancelled)?;
        let is_accepted = row.validation.state == crate::operations::ValidationState::Accepted;
        if row.removed_at.is_some() || !is_accepted {
            return Err(HarvestError::Cancelled.into());
        }
        let mut options = self.runner.options(&row, Writing::Stored)?;
        options.job = Some(job.id.clone());
        options.registered_url = Some(row.url.clone());
        options.stop = running.stop.clone();
        let profiles = self.runner.profiles(&row.settings.profiles)?;
        let ran = self.runner.run(&row, &options, &profiles, &mut |progress| {
            if let Progress::Reading { records, pages } = progress {
                running.records.store(records, Ordering::Relaxed);
                running.pages.store(pages, Ordering::Relaxed);
            }
        });
        match ran {
            Ok(harvested) => Ok(harvested.report),
            Err(failed) if failed.report.job == job.id => Ok(failed.report),
            // It failed before it could say so itself.
            Err(failed) => Err(failed.error.into()),
        }
    }

    /// Notes how far jobs are, and hears who was asked to end by another process.
    fn pulse(&self) {
        while !self.is_stopping() {
            let running: Vec<(String, Arc<Running>)> = {
                let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.iter().map(|(job, running)| (job.clone(), Arc::clone(running))).collect()
            };
            for (job, running) in running {
                let (records, pages) =
                    (running.records.load(Ordering::Relaxed), running.pages.load(Ordering::Relaxed));
                match self.runner.runtime.block_on(self.operations.note_progress(&job, records, pages)) {
                    Ok(true) => running.stop.ask(Stopping::AtOnce),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(job, error = %with_causes(&error), "progress cannot be noted"),
                }
            }
            std::thread::sleep(PULSE);
        }
    }
}

/// The bytes of the files in a folder; what goes away meanwhile counts nothing.
fn folder_size(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => folder_size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
