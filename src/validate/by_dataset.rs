//! Validation dataset by dataset, as a harvest does it: in the memory of one window, on all processors.

use super::evaluation::Details;
use super::plan::Plan;
use super::report::{Report, ValidationResult};
use super::session::Data;
use crate::source::Window;
use crate::triples::{Graph, GraphBuilder};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Collects the reports of the records of a catalogue into one.
///
/// A record's graph holds its description alone. So results about nodes that no record reaches, such as
/// the catalogue itself, are not in the report, and shapes that look beyond the record (an inverse path
/// from another dataset) see nothing there.
#[derive(Debug)]
pub struct ByDataset<'p> {
    plan: &'p Plan,
    vocabulary: Option<&'p Graph>,
    report: Report,
    /// Records share nodes, such as their publisher: each result counts once. Two hashes of a result
    /// stand for it, which keeps the set small.
    seen: FxHashSet<[u64; 2]>,
    hashers: [RandomState; 2],
    records: u64,
    time: Duration,
}

impl<'p> ByDataset<'p> {
    /// Starts with nothing validated.
    #[must_use]
    pub fn new(plan: &'p Plan, vocabulary: Option<&'p Graph>) -> Self {
        Self {
            plan,
            vocabulary,
            report: Report::default(),
            seen: FxHashSet::default(),
            hashers: [RandomState::new(), RandomState::new()],
            records: 0,
            time: Duration::ZERO,
        }
    }

    /// Validates the records of a window.
    pub fn take(&mut self, window: &Window) {
        let start = Instant::now();
        let reports: Vec<Report> = window
            .roots
            .par_iter()
            .map(|root| {
                let graph = description(&window.graph, &root.rows);
                self.plan.validate(Data { graph: &graph, vocabulary: self.vocabulary }, Details::Kept)
            })
            .collect();
        self.records += window.roots.len() as u64;
        self.time += start.elapsed();
        for report in reports {
            self.report.failures.extend(report.failures);
            for result in report.results {
                let hash = self.hash(&result);
                if self.seen.insert(hash) {
                    self.report.results.push(result);
                }
            }
        }
    }

    fn hash(&self, result: &ValidationResult) -> [u64; 2] {
        [self.hashers[0].hash_one(result), self.hashers[1].hash_one(result)]
    }

    /// The number of records so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The wall time of graphs and validation so far, without that of reading.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The report on all of them.
    #[must_use]
    pub fn into_report(self) -> Report {
        self.report
    }
}

fn description(graph: &Graph, rows: &[[crate::triples::TermId; 3]]) -> Graph {
    let mut builder = GraphBuilder::new();
    for row in rows {
        let row = row.map(|id| builder.intern(graph.term(id)));
        builder.insert_row(row);
    }
    builder.build()
}
