//! Records that a source no longer has: missing, then archived, unless it would be too many.

use super::known::Known;
use crate::catalog::DatasetKey;
use jiff::{Timestamp, ToSpan};
use std::collections::HashSet;

/// The rules of removal.
#[derive(Debug, Clone, Copy)]
pub struct RemovalRules {
    /// Days that a record may be missing before it is archived.
    pub grace_days: i64,
    /// The share of a source above which an archiving waits for a person.
    pub share: f64,
}

impl Default for RemovalRules {
    fn default() -> Self {
        Self { grace_days: 2, share: 0.2 }
    }
}

/// What to do with the records that a complete crawl did not bring.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removal {
    /// Missing from now on.
    pub(super) newly_missing: Vec<DatasetKey>,
    /// Missing, and still within the days of grace.
    pub(super) still_missing: usize,
    /// To be archived now.
    pub(super) archive: Vec<DatasetKey>,
    /// Whether archiving waits for a person.
    pub(super) held: bool,
}

impl Removal {
    pub(super) fn decide(known: &Known, seen: &HashSet<DatasetKey>, now: Timestamp, rules: RemovalRules) -> Self {
        let mut removal = Self::default();
        let is_detached = |key: &DatasetKey| known.findings.get(key).is_some_and(|stored| stored.detached);
        let is_gone = |key: &&DatasetKey| !seen.contains(*key) && !is_detached(key);
        let mut gone: Vec<DatasetKey> = known.hashes.keys().filter(is_gone).copied().collect();
        gone.sort_unstable();
        for key in gone {
            let since = known.findings.get(&key).and_then(|stored| stored.missing_since.as_deref());
            match since.and_then(|since| since.parse::<Timestamp>().ok()) {
                None if rules.grace_days > 0 => removal.newly_missing.push(key),
                Some(since) if is_within_grace(since, now, rules.grace_days) => removal.still_missing += 1,
                None | Some(_) => removal.archive.push(key),
            }
        }
        let share = removal.archive.len() as f64 / known.hashes.len().max(1) as f64;
        removal.held = !removal.archive.is_empty() && share > rules.share;
        removal
    }
}

fn is_within_grace(since: Timestamp, now: Timestamp, days: i64) -> bool {
    since.checked_add((days * 24).hours()).is_ok_and(|end| now < end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{GraphHash, SourceId};
    use crate::operations::StoredFindings;

    fn known(missing: usize, of: usize, since: &str) -> (Known, HashSet<DatasetKey>) {
        let source = SourceId::parse("s").unwrap();
        let mut known = Known::default();
        let mut seen = HashSet::new();
        for number in 0..of {
            let key = DatasetKey::of(&source, &number.to_string());
            known.hashes.insert(key, GraphHash::of("x"));
            if number < missing {
                let stored = StoredFindings { missing_since: Some(since.to_owned()), ..StoredFindings::default() };
                known.findings.insert(key, stored);
            } else {
                seen.insert(key);
            }
        }
        (known, seen)
    }

    #[test]
    fn archives_after_the_days_of_grace_and_holds_an_unusual_loss() {
        let now: Timestamp = "2026-01-10T00:00:00Z".parse().unwrap();
        let rules = RemovalRules::default();
        let (two_days_ago, seen) = known(1, 10, "2026-01-08T00:00:00Z");
        let removal = Removal::decide(&two_days_ago, &seen, now, rules);
        assert_eq!((removal.archive.len(), removal.held), (1, false));
        let (yesterday, seen) = known(1, 10, "2026-01-09T00:00:00Z");
        assert_eq!(Removal::decide(&yesterday, &seen, now, rules).still_missing, 1);
        let (many, seen) = known(3, 10, "2026-01-01T00:00:00Z");
        assert!(Removal::decide(&many, &seen, now, rules).held);
        let (mut fresh, seen) = known(1, 10, "2026-01-01T00:00:00Z");
        fresh.findings.clear();
        assert_eq!(Removal::decide(&fresh, &seen, now, rules).newly_missing.len(), 1);
    }
}
