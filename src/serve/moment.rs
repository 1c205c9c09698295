//! Which state of the catalogue a request is about: the newest, or an earlier one that is kept.

use super::problem::Problem;
use super::server::{Opened, Shared};
use crate::store::{Held, Published};
use axum::http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::sync::Arc;

/// A state of the catalogue.
#[derive(Clone)]
pub(super) enum Moment {
    /// The newest, which changes.
    Now(Arc<Opened>),
    /// An earlier one, for ever the same; it stays while it is asked.
    Then {
        /// What is noted of it.
        published: Published,
        _held: Held,
    },
}

impl Moment {
    /// What `as-of` asks: a date (its end, in UTC), a time, or a job; the newest without it.
    pub(super) fn asked(shared: &Shared, as_of: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = as_of else { return Ok(Self::Now(shared.snapshot()?)) };
        let folder = &shared.settings.folder;
        let found = match time_of(text) {
            Some(time) => folder.as_of(time),
            None => folder.of_job(text),
        };
        let held = found.and_then(|found| Some((folder.hold(found.number).ok()?, found)));
        held.map(|(held, found)| Self::Then { published: found, _held: held }).ok_or_else(|| {
            let kept: Vec<String> =
                folder.published().iter().map(|one| format!("{} ({})", one.at, one.job)).collect();
            let detail = format!(
                "{text:?} is neither a date or time since the first state that is kept, nor the job of one; \
                 kept are: {}",
                kept.join(", ")
            );
            Problem::new(StatusCode::NOT_FOUND, "No such state", detail)
        })
    }

    /// The snapshot's number.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Now(opened) => opened.number(),
            Self::Then { published, .. } => published.number,
        }
    }

    /// When it was published, where that was noted.
    pub(super) fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Now(opened) => opened.snapshot.at,
            Self::Then { published, .. } => Some(published.at),
        }
    }
}

fn time_of(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let next: Date = text.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    let start = next.to_zoned(TimeZone::UTC).ok()?.timestamp();
    start.checked_sub(1.nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_end() {
        assert_eq!(time_of("2024-02-29").unwrap().to_string(), "2024-02-29T23:59:59.999999999Z");
        assert_eq!(time_of("2024-02-29T12:00:00Z").unwrap().to_string(), "2024-02-29T12:00:00Z");
        assert_eq!(time_of("0192e4a2-7c1f-7000-8000-000000000000"), None);
    }
}
