//! The clock of the service: queues what is due, sends what waits, tidies up.

use super::notices::Notices;
use super::outbox::Postman;
use super::service::Service;
use super::sources::Sources;
use crate::catalog::with_causes;
use crate::harvest::HarvestError;
use crate::operations::Cause;
use jiff::{Timestamp, ToSpan};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the service tidies up.
const TIDYING: Duration = Duration::from_secs(3_600);
/// How often it looks whether the store's files are worth merging.
const LOOKING: Duration = Duration::from_secs(30);
/// Days for which messages are kept.
const MESSAGE_DAYS: i64 = 90;

impl Service {
    /// The clock: queues what is due, tidies up.
    pub(super) fn tick(self: &Arc<Self>) {
        let (mut tidied, mut looked): (Option<Instant>, Option<Instant>) = (None, None);
        while !self.is_stopping() {
            let now = Timestamp::now();
            let done = self.queue_due(now).and_then(|()| {
                if tidied.is_none_or(|last| last.elapsed() > TIDYING) {
                    tidied = Some(Instant::now());
                    self.tidy(now)?;
                    self.check_links_of_sources()?;
                }
                if looked.is_none_or(|last| last.elapsed() > LOOKING) {
                    looked = Some(Instant::now());
                    self.compact_if_due()?;
                }
                Ok(())
            });
            if let Err(error) = done {
                tracing::warn!(error = %with_causes(&error), "the clock missed a beat");
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// The postman: sends what waits.
    pub(super) fn deliver(&self) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a static client configuration");
        while !self.is_stopping() {
            let (operations, config) = (&self.operations, &self.runner.config);
            let postman = Postman { operations, config, http: &http, now: Timestamp::now() };
            if let Err(error) = self.runner.runtime.block_on(postman.go(|| self.is_stopping())) {
                tracing::warn!(error = %with_causes(&error), "the outbox cannot be read");
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Has the addresses of all followed sources asked that were not asked for the days that the configuration names.
    fn check_links_of_sources(self: &Arc<Self>) -> Result<(), HarvestError> {
        let days = self.runner.config.service.check_links_days;
        if days < 1 {
            return Ok(());
        }
        let sources = self.runner.runtime.block_on(self.operations.sources())?;
        let followed = sources.into_iter().filter(crate::operations::SourceRow::is_followed);
        self.start_link_checks(followed.map(|row| row.slug).collect(), days);
        Ok(())
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
        runtime.block_on(self.operations.forget_findings(&days(self.runner.config.service.keep_jobs_days)))?;
        let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
        Ok(runtime.block_on(notices.weekly())?)
    }
}
