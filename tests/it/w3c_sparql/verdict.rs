//! What the outcomes of the tests and the list of skips come to together.

use super::Failure;
use std::collections::BTreeMap;
use std::fmt;

/// A line of the list: tests that do not pass, what they get instead, and why.
#[derive(Debug)]
pub(super) struct Skip<'t> {
    /// The end of a test's IRI; with `*` at its end, of all that begin so.
    test: &'t str,
    /// A status, or `differs`.
    gets: &'t str,
    reason: &'t str,
}

/// The outcomes, by what they mean.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'t> {
    tallies: BTreeMap<&'t str, Tally>,
    /// What must be mended, in the program or in the list.
    pub(super) faults: Vec<String>,
}

#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    skipped: usize,
    failed: usize,
}

impl<'t> Skip<'t> {
    /// Reads the list; lines that begin with `#` are for its readers.
    pub(super) fn read(table: &'t str) -> Vec<Self> {
        let lines = table.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let [test, gets, reason] = line.split('\t').collect::<Vec<_>>()[..] else {
                    panic!("three columns, not {line:?}")
                };
                assert!(!reason.is_empty(), "{test} is skipped without a reason");
                Self { test, gets, reason }
            })
            .collect()
    }

    fn names(&self, test: &str) -> bool {
        self.test.strip_suffix('*').map_or(self.test == test, |beginning| test.starts_with(beginning))
    }
}

impl<'t> Verdicts<'t> {
    pub(super) fn of(outcomes: &BTreeMap<&'t str, Result<(), Failure>>, skips: &[Skip<'_>]) -> Self {
        let mut verdicts = Self::default();
        for (&test, outcome) in outcomes {
            verdicts.add(test, outcome, skips.iter().find(|skip| skip.names(test)));
        }
        let unused = skips.iter().filter(|skip| !outcomes.keys().any(|test| skip.names(test)));
        verdicts.faults.extend(unused.map(|skip| format!("{} is skipped, and there is no such test", skip.test)));
        verdicts
    }

    fn add(&mut self, test: &'t str, outcome: &Result<(), Failure>, skip: Option<&Skip<'_>>) {
        let folder = test.split_once('/').map_or(test, |(folder, _)| folder);
        let tally = self.tallies.entry(folder).or_default();
        let fault = match (outcome, skip) {
            (Ok(()), None) => {
                tally.passed += 1;
                return;
            }
            (Err(failure), Some(skip)) if failure.gets() == skip.gets => {
                tally.skipped += 1;
                return;
            }
            (Ok(()), Some(skip)) => format!("passes, and is skipped: {}", skip.reason),
            (Err(failure), Some(skip)) => format!("skipped as {}, and gets {failure}", skip.gets),
            (Err(failure), None) => failure.to_string(),
        };
        tally.failed += 1;
        self.faults.push(format!("{test}: {fault}"));
    }
}

impl fmt::Display for Verdicts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22}{:>8}{:>9}{:>8}", "W3C SPARQL 1.1", "passed", "skipped", "failed")?;
        let mut all = Tally::default();
        for (folder, Tally { passed, skipped, failed }) in &self.tallies {
            writeln!(f, "{folder:<22}{passed:>8}{skipped:>9}{failed:>8}")?;
            all.passed += passed;
            all.skipped += skipped;
            all.failed += failed;
        }
        write!(f, "{:<22}{:>8}{:>9}{:>8}", "all", all.passed, all.skipped, all.failed)
    }
}
