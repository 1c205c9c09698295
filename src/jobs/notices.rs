//! What people are told of sources: once for a state, not once for a run.

use crate::config::{Config, Notify};
use crate::harvest::{JobReport, Status};
use crate::operations::{Operations, OperationsError, SourceRow};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// What happened to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// It was registered, and waits for a decision.
    Created,
    /// It is followed.
    Accepted,
    /// It is not followed.
    Refused,
    /// Its last job failed, after one that did not.
    Failed,
    /// Its last job did not fail, after one that did.
    Recovered,
    /// A removal waits for a person.
    Held,
    /// What happened in a week.
    Summary,
}

/// A message, as webhooks get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The source's name; none for a summary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The job, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
    /// When.
    pub at: String,
    /// One line for people.
    pub title: String,
    /// The whole text for people, with what to do.
    pub text: String,
}

/// Writes messages into the outbox.
pub struct Notices<'n> {
    /// The operations database.
    pub operations: &'n Operations,
    /// The program's configuration.
    pub config: &'n Config,
    /// The time.
    pub now: Timestamp,
}

impl Notices<'_> {
    /// Tells that a source was registered, accepted or refused.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn of_workflow(&self, event: Event, source: &SourceRow) -> Result<(), OperationsError> {
        let comment = source.validation.comment.as_ref().map_or(String::new(), |comment| format!("\n{comment}"));
        let by = source.validation.by.as_deref().unwrap_or("an administrator");
        let (title, text) = match event {
            Event::Created => (
                format!("The source {} waits for a decision", source.title()),
                format!("{} was registered. Preview it, then accept or refuse it.", source.url),
            ),
            Event::Accepted => (
                format!("The source {} was accepted", source.title()),
                format!("{by} accepted {}. It is harvested by its schedule from now on.{comment}", source.url),
            ),
            _ => (
                format!("The source {} was refused", source.title()),
                format!("{by} refused {}.{comment}", source.url),
            ),
        };
        self.post(event, Some(source), None, title, text).await
    }

    /// Tells how a job ended, where that is news.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn of_job(&self, source: &SourceRow, report: &JobReport) -> Result<(), OperationsError> {
        let state = match report.status {
            Status::Done | Status::DoneWithErrors => "well",
            Status::Failed => "failed",
            Status::Held => "held",
            // Neither says anything of the source.
            Status::Cancelled | Status::Interrupted => return Ok(()),
        };
        let was = source.told.as_deref();
        if !self.operations.note_told(&source.slug, state).await? {
            return Ok(());
        }
        let note = report.note.as_deref().unwrap_or_default();
        let name = source.title();
        let (event, title, text) = match (state, was) {
            // The first job of a source that goes well is no news.
            ("well", None | Some("decided" | "held")) => return Ok(()),
            ("well", _) => (
                Event::Recovered,
                format!("The source {name} is harvested again"),
                format!("{} records were read, {} of them new.", report.records.seen, report.records.added),
            ),
            ("failed", _) => (
                Event::Failed,
                format!("The source {name} could not be harvested"),
                format!("{note}\nNothing that was harvested before is lost. It is tried again by its schedule."),
            ),
            _ => (
                Event::Held,
                format!("A removal at {name} waits for you"),
                format!(
                    "{note}\nConfirm it with `moisson source removal {0} --confirm`, or keep the records with `moisson source removal {0} --refuse`.",
                    source.name
                ),
            ),
        };
        self.post(event, Some(source), Some(&report.job), title, text).await
    }

    /// Tells what happened in the last week, once a week.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn weekly(&self) -> Result<(), OperationsError> {
        let last = self.operations.fact("summary").await?.and_then(|text| text.parse::<Timestamp>().ok());
        let week_ago = self.now.checked_sub((7 * 24).hours()).unwrap_or(self.now);
        if last.is_some_and(|last| last > week_ago) {
            return Ok(());
        }
        self.operations.note_fact("summary", &self.now.to_string()).await?;
        // The first week has no summary: there is nothing to sum up.
        if last.is_some() { self.summary(week_ago).await } else { Ok(()) }
    }

    async fn summary(&self, since: Timestamp) -> Result<(), OperationsError> {
        let sources = self.operations.sources().await?;
        let mut lines = Vec::new();
        for source in &sources {
            let (jobs, _) = self.operations.jobs(Some(&source.slug), 0, 200).await?;
            let of_week: Vec<_> = jobs
                .iter()
                .filter(|job| job.queued_at.parse::<Timestamp>().is_ok_and(|queued| queued >= since))
                .collect();
            let failed = of_week.iter().filter(|job| job.state.as_str() == "failed").count();
            let [live, missing, archived] = self.operations.record_totals(&source.slug).await?;
            lines.push(format!(
                "{}: {} jobs, {failed} failed; {live} records, {missing} missing, {archived} archived",
                source.title(),
                of_week.len()
            ));
        }
        let title = format!("The week of {} sources", sources.len());
        self.post(Event::Summary, None, None, title, lines.join("\n")).await
    }

    async fn post(
        &self,
        event: Event,
        source: Option<&SourceRow>,
        job: Option<&str>,
        title: String,
        text: String,
    ) -> Result<(), OperationsError> {
        let notice = Notice {
            event,
            source: source.map(|source| source.name.clone()),
            job: job.map(ToOwned::to_owned),
            at: self.now.to_string(),
            title,
            text,
        };
        let message = serde_json::to_string(&notice).expect("a notice is plain values");
        for channel in channels(&self.config.notify) {
            self.operations.post(&channel, &message, &self.now.to_string()).await?;
        }
        Ok(())
    }
}

/// Where messages go: `webhook:` with an address, `mail:` with one.
fn channels(notify: &Notify) -> Vec<String> {
    let webhooks = notify.webhooks.iter().map(|webhook| format!("webhook:{}", webhook.url));
    let mails = notify.mail.iter().flat_map(|mail| mail.to.iter().map(|to| format!("mail:{to}")));
    webhooks.chain(mails).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Webhook;
    use std::path::PathBuf;

    #[tokio::test]
    async fn a_week_is_summed_up_once() {
        let folder = std::env::temp_dir().join(format!("moisson-weekly-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file: PathBuf = folder.join("operations.sqlite");
        let operations = Operations::open(&file).await.expect("a database");
        let mut config = Config::load(&folder, |_| None).expect("a configuration");
        let url = "https://hook.example/".parse().expect("an address");
        config.notify.webhooks.push(Webhook { url, secret_env: None });
        let start: Timestamp = "2026-11-02T06:00:00Z".parse().expect("a time");
        let mut told = Vec::new();
        for hours in [0, 24, 7 * 24, 7 * 24 + 1, 15 * 24] {
            let now = start.checked_add(hours.hours()).expect("a time");
            Notices { operations: &operations, config: &config, now }.weekly().await.expect("a database");
            told.push(operations.due_messages(&now.to_string()).await.expect("a database").len());
        }
        assert_eq!(told, [0, 0, 1, 1, 2]);
        operations.close().await;
        std::fs::remove_dir_all(folder).expect("a folder");
    }
}
