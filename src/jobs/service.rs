//! The service at work: workers that take jobs, a clock that queues them, and what is tidied up.

use super::metrics::{Gauge, Metrics};
use super::notices::Notices;
use super::outbox::Postman;
use super::runner::Runner;
use super::sources::Sources;
use crate::catalog::with_causes;
use crate::fetch::{Stop, Stopping};
use crate::harvest::{HarvestError, JobReport, Opened, Progress, Writing};
use crate::operations::{Cause, JobRow, JobState, Operations, OperationsError, SourceRow};
use jiff::{Timestamp, ToSpan};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a worker without work looks for some.
const PAUSE: Duration = Duration::from_millis(300);
/// How often the progress of jobs is noted, and heed given to what was asked.
const PULSE: Duration = Duration::from_millis(400);
/// How often the service tidies up.
const TIDYING: Duration = Duration::from_secs(3_600);
/// How long pages under way may take when the service stops.
const GRACE: Duration = Duration::from_secs(20);
/// Jobs of a source whose unchanged records are listed.
const LISTED: i64 = 10;
/// Days for which messages are kept.
const MESSAGE_DAYS: i64 = 90;
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
    runner: Arc<Runner>,
    operations: Operations,
    metrics: Arc<Metrics>,
    running: Mutex<HashMap<String, Arc<Running>>>,
    is_stopping: AtomicBool,
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
        if let Err(error) = self.runner.workplace.open(&self.runner.runtime) {
            tracing::warn!(%error, "the store cannot be opened now");
        }
        let mut threads = Vec::new();
        let spawn = |name: String, work: fn(&Self)| {
            let service = Arc::clone(self);
            std::thread::Builder::new().name(name).spawn(move || work(&service)).expect("a thread can be started")
        };
        for number in 0..self.runner.config.service.workers {
            threads.push(spawn(format!("worker-{number}"), Self::work));
        }
        threads.push(spawn("pulse".to_owned(), Self::pulse));
        threads.push(spawn("clock".to_owned(), Self::tick));
        threads
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
            running.stop.ask(Stopping::AtOnce);
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

    fn is_stopping(&self) -> bool {
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

    fn run_job(&self, job: &JobRow, running: &Running) -> Result<JobReport, super::RunError> {
        let runtime = &self.runner.runtime;
        let row = runtime.block_on(self.operations.source_named(&job.source)).map_err(HarvestError::from)?;
        let row = row.ok_or(HarvestError::Cancelled)?;
        let mut options = self.runner.options(&row, Writing::Stored)?;
        options.job = Some(job.id.clone());
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

    /// Tells how a job ended.
    fn tell(&self, job: &JobRow, report: &JobReport) -> Result<(), HarvestError> {
        tracing::info!(
            job = job.id,
            source = job.source,
            status = report.status.as_str(),
            seen = report.records.seen,
            seconds = report.seconds,
            "the job ended"
        );
        for (phase, seconds) in &report.phases {
            tracing::info!(job = job.id, source = job.source, phase, seconds, "phase");
        }
        self.metrics.count(report);
        let runtime = &self.runner.runtime;
        let Some(row) = runtime.block_on(self.operations.source_named(&job.source))? else { return Ok(()) };
        let now = Timestamp::now();
        let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
        runtime.block_on(notices.of_job(&row, report))?;
        if report.status.state() == JobState::Interrupted && job.attempts >= ATTEMPTS {
            return self
                .end_failed(job, "the job was interrupted again and again, and is given up until it is due");
        }
        self.forget_pages(&row)
    }

    /// Ends a job that could not end itself.
    fn end_failed(&self, job: &JobRow, why: &str) -> Result<(), HarvestError> {
        tracing::error!(job = job.id, source = job.source, why, "the job failed");
        let runtime = &self.runner.runtime;
        let Some(row) = runtime.block_on(self.operations.source_named(&job.source))? else { return Ok(()) };
        let report = JobReport::failed(&row.slug, &job.id, why, Instant::now());
        let text = serde_json::to_string(&report).expect("a report is plain values");
        let now = Timestamp::now();
        runtime.block_on(self.operations.end_job(&job.id, JobState::Failed, &text, &now.to_string()))?;
        self.metrics.count(&report);
        let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
        runtime.block_on(notices.of_job(&row, &report))?;
        Ok(())
    }

    /// Removes the pages of jobs that are not among the last of their source.
    fn forget_pages(&self, row: &SourceRow) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let kept = i64::try_from(self.runner.config.service.keep_pages).unwrap_or(i64::MAX);
        for job in runtime.block_on(self.operations.jobs_behind(&row.slug, kept))? {
            let _ = std::fs::remove_file(self.runner.workplace.tape(&job));
        }
        let behind = runtime.block_on(self.operations.jobs_behind(&row.slug, LISTED))?;
        runtime.block_on(self.operations.forget_unchanged(&behind))?;
        Ok(())
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

    /// The clock: queues what is due, sends what waits, tidies up.
    fn tick(&self) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a static client configuration");
        let mut tidied: Option<Instant> = None;
        while !self.is_stopping() {
            let now = Timestamp::now();
            let done = self.queue_due(now).and_then(|()| {
                let postman = Postman { operations: &self.operations, config: &self.runner.config, http: &http };
                self.runner.runtime.block_on(postman.go(now))?;
                if tidied.is_none_or(|last| last.elapsed() > TIDYING) {
                    tidied = Some(Instant::now());
                    self.tidy(now)?;
                }
                Ok(())
            });
            if let Err(error) = done {
                tracing::warn!(error = %with_causes(&error), "the clock missed a beat");
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn queue_due(&self, now: Timestamp) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let sources = Sources { operations: &self.operations, config: &self.runner.config, now };
        for row in runtime.block_on(self.operations.due_sources(&now.to_string()))? {
            runtime.block_on(self.operations.queue_job(&row.slug, Cause::Schedule, &now.to_string()))?;
            let next = sources.due(&row).unwrap_or_else(|error| {
                tracing::error!(source = row.name, %error, "the source is not due any more");
                None
            });
            runtime.block_on(self.operations.set_due(&row.slug, next.as_deref()))?;
        }
        Ok(())
    }

    fn tidy(&self, now: Timestamp) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let days = |days: i64| {
            now.checked_sub((days * 24).hours()).map_or_else(|_| String::new(), |time| time.to_string())
        };
        runtime.block_on(self.operations.forget_jobs(&days(self.runner.config.service.keep_jobs_days)))?;
        runtime.block_on(self.operations.forget_messages(&days(MESSAGE_DAYS)))?;
        let last =
            runtime.block_on(self.operations.fact("summary"))?.and_then(|text| text.parse::<Timestamp>().ok());
        let week_ago = now.checked_sub((7 * 24).hours()).unwrap_or(now);
        if last.is_none_or(|last| last <= week_ago) {
            runtime.block_on(self.operations.note_fact("summary", &now.to_string()))?;
            // The first week has no summary: there is nothing to sum up.
            if last.is_some() {
                let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
                runtime.block_on(notices.summary(week_ago))?;
            }
        }
        Ok(())
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
