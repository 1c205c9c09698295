//! A report as a document, written while its findings are read.

use super::asked::{Asked, report_of, time_of};
use crate::catalog::{Finding, Severity, SourceId};
use crate::harvest::FindingCounts;
use crate::operations::{FindingFilter, Operations, OperationsError};
use crate::report::{Format, Group, Head, Threshold, ordered, write};
use crate::serve::answer::pieces;
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

/// Findings that are read together.
const PORTION: i64 = 1_000;
/// Bytes that are sent together, and how many such pieces may wait for a slow client.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;
/// How long a client may take for a piece.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn download(shared: Arc<Shared>, asked: Asked, format: Format) -> Result<Response, Problem> {
    let groups = groups(&shared, &asked).await?;
    let head = head(&shared, &asked, &groups);
    let place = shared.download_place()?;
    let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
    let runtime = Handle::current();
    let filter = asked.filter.clone();
    let source = asked.source.slug.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let rules = shared.rules();
        let mut findings = Paged {
            operations: &shared.operations,
            runtime: &runtime,
            source: &source,
            filter: &filter,
            last: 0,
            portion: Vec::new().into_iter(),
            is_over: false,
        };
        let mut out = BufWriter::with_capacity(PIECE, Pieces { sender: sender.clone(), runtime: runtime.clone() });
        let threshold = Threshold::From(Severity::Violation);
        let written = write(format, &head, &groups, rules, threshold, &mut findings, &mut out);
        let written = written.and_then(|()| out.flush());
        // A client that went away needs no more; another failure cuts the answer, so that nobody takes it for whole.
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            tracing::error!(%error, "a report was cut");
            let _ = sender.blocking_send(Err(error));
        }
    });
    let headers = [(header::CONTENT_TYPE, format!("{}; charset=utf-8", format.media_type()))];
    Ok((headers, Body::from_stream(pieces(receiver))).into_response())
}

/// The groups of a report, the dearest first.
pub(super) async fn groups(shared: &Shared, asked: &Asked) -> Result<Vec<Group>, Problem> {
    let job_at = asked.job.as_ref().map(time_of);
    // What the very first job found is not new, but all that there is.
    let new_since = if asked.former.is_some() { job_at.as_deref() } else { None };
    let groups = shared.operations.finding_groups(&asked.source.slug, &asked.filter, new_since).await?;
    Ok(ordered(groups.into_iter().map(Group::from).collect()))
}

pub(super) fn head(shared: &Shared, asked: &Asked, groups: &[Group]) -> Head {
    let of = |severity: Severity| {
        groups.iter().filter(|group| group.severity == severity).map(|group| group.count).sum::<u64>()
    };
    Head {
        source: asked.source.name.clone(),
        title: asked.source.title().to_owned(),
        report: asked.job.as_ref().map(report_of).unwrap_or_default(),
        counts: FindingCounts {
            violation: of(Severity::Violation),
            warning: of(Severity::Warning),
            info: of(Severity::Info),
        },
        rules: format!("{}/rules/", shared.settings.public_base),
        written_as: None,
    }
}

/// Findings, read portion by portion.
struct Paged<'p> {
    operations: &'p Operations,
    runtime: &'p Handle,
    source: &'p SourceId,
    filter: &'p FindingFilter,
    last: i64,
    portion: std::vec::IntoIter<crate::operations::NumberedFinding>,
    is_over: bool,
}

impl Paged<'_> {
    fn read(&mut self) -> Result<(), OperationsError> {
        let page = self.operations.findings_page(self.source, self.filter, self.last, PORTION);
        let portion = self.runtime.block_on(page)?;
        self.is_over = portion.is_empty();
        self.last = portion.last().map_or(self.last, |last| last.id);
        self.portion = portion.into_iter();
        Ok(())
    }
}

impl Iterator for Paged<'_> {
    type Item = io::Result<Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.portion.len() == 0
            && !self.is_over
            && let Err(error) = self.read()
        {
            self.is_over = true;
            return Some(Err(io::Error::other(error)));
        }
        self.portion.next().map(|numbered| Ok(numbered.finding))
    }
}

/// Sends what is written, piece by piece.
struct Pieces {
    sender: Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Write for Pieces {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(part));
        // A client that reads nothing holds nobody up.
        let sent = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, self.sender.send(piece)).await });
        if !matches!(sent, Ok(Ok(()))) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
