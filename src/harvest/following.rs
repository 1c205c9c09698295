//! Following a source: only what changed is asked for, where the platform can tell, and everything at a set interval.

use super::job::Job;
use super::options::Writing;
use crate::catalog::SourceKind;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How a source is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Following {
    /// Days after which a source is read whole, to find what it no longer has; 0 reads it whole each time.
    pub whole_every_days: i64,
    /// Whether it is read whole now.
    pub whole_now: bool,
}

impl Default for Following {
    fn default() -> Self {
        Self { whole_every_days: 7, whole_now: false }
    }
}

/// Hours before the last harvest that are asked for again: clocks differ, and portals write local times.
const MARGIN_HOURS: i64 = 24;

impl Job<'_> {
    /// The time since which changes are asked for; `None` when the source is to be read whole: the first time,
    /// at the interval, when mapping, rules or filters changed, and after a crash.
    pub(super) fn changed_since(&self) -> Option<DateTime> {
        let following = self.options.following;
        let (row, known) = (&self.desk.row, &self.desk.known);
        let is_followed = self.kind == SourceKind::Ckan
            && self.options.writing == Writing::Stored
            && !following.whole_now
            && !known.hashes.is_empty()
            && !known.rules_changed
            && row.filters == self.options.filters.fingerprint()
            && known.findings.values().all(|stored| !stored.hash.is_empty());
        if !is_followed {
            return None;
        }
        let read_whole: Timestamp = row.last_complete_at.as_deref()?.parse().ok()?;
        let due = read_whole.checked_add((following.whole_every_days * 24).hours()).ok()?;
        let followed: Timestamp = row.followed_at.as_deref()?.parse().ok()?;
        let since = followed.checked_sub(MARGIN_HOURS.hours()).ok()?;
        (self.options.now < due)
            .then(|| since.to_zoned(TimeZone::UTC).datetime().round(jiff::Unit::Second).ok())?
    }

    /// What is told of a harvest that asked for changes alone, or whose filters may hide what is missing.
    pub(super) fn note_selection(&self, changed_since: Option<DateTime>) -> Option<String> {
        if let Some(since) = changed_since {
            return Some(format!(
                "only what changed since {since} was asked for: what the source no longer has is found when it is read whole, {} days after it last was",
                self.options.following.whole_every_days
            ));
        }
        let gone = self.state.counts.missing + self.state.counts.archived;
        (gone > 0 && !self.options.filters.is_empty()).then(|| {
            format!(
                "{gone} records of earlier harvests did not come: the source has them no longer, or its filters hide them; \
                 they are archived after {} days, as all that is missing",
                self.options.removal.grace_days
            )
        })
    }
}
