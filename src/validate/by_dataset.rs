//! Validation dataset by dataset, as a harvest does it: in the memory of one window, on all processors.

use super::evaluation::Details;
use super::plan::Plan;
use super::report::{Report, ValidationResult};
use super::session::Data;
use super::sparql::Budget;
use crate::source::Window;
use crate::triples::{Graph, GraphBuilder};
use oxrdf::Term;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Validates the records of a catalogue one by one.
///
/// A record's graph holds its description alone. So results about nodes that no record reaches, such as
/// the catalogue itself, are not reported, and shapes that look beyond the record (an inverse path from
/// another dataset) see nothing there.
#[derive(Debug)]
pub struct ByDataset<'p> {
    plan: &'p Plan,
    vocabulary: Option<&'p Graph>,
    budget: Budget,
    /// Records share nodes, such as their publisher: what one record reported of a node, the next does
    /// not repeat. Two hashes of a result stand for it, kept with its node's as long as windows describe
    /// that node; results about the record's own node, which no other describes, are not remembered.
    seen: FxHashMap<u64, FxHashSet<[u64; 2]>>,
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
            budget: Budget::default(),
            seen: FxHashMap::default(),
            hashers: [RandomState::new(), RandomState::new()],
            records: 0,
            time: Duration::ZERO,
        }
    }

    /// Validates the records of a window; gives what was not reported before.
    pub fn take(&mut self, window: &Window) -> Report {
        let start = Instant::now();
        let reports: Vec<Report> = window
            .roots
            .par_iter()
            .map(|root| {
                let graph = description(&window.graph, &root.rows);
                let data = Data { graph: &graph, vocabulary: self.vocabulary };
                self.plan.validate_within(data, Details::Kept, &self.budget)
            })
            .collect();
        self.records += window.roots.len() as u64;
        self.time += start.elapsed();
        let mut whole = Report::default();
        for (root, report) in window.roots.iter().zip(reports) {
            whole.failures.extend(report.failures);
            self.add_new(window.graph.term(root.node), report.results, &mut whole.results);
        }
        let lasting: FxHashSet<u64> =
            window.lasting.iter().map(|node| self.hashers[0].hash_one(window.graph.term(*node))).collect();
        self.seen.retain(|node, _| lasting.contains(node));
        whole
    }

    /// Adds the results that no earlier record had; equal results of one record are as many as they are.
    fn add_new(&mut self, root: &Term, results: Vec<ValidationResult>, found: &mut Vec<ValidationResult>) {
        let mut shared = Vec::new();
        for result in results {
            if result.focus_node == *root {
                found.push(result);
                continue;
            }
            let hash = [self.hashers[0].hash_one(&result), self.hashers[1].hash_one(&result)];
            let node = self.hashers[0].hash_one(&result.focus_node);
            if !self.seen.get(&node).is_some_and(|seen| seen.contains(&hash)) {
                shared.push((node, hash));
                found.push(result);
            }
        }
        for (node, hash) in shared {
            self.seen.entry(node).or_default().insert(hash);
        }
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
}

fn description(graph: &Graph, rows: &[[crate::triples::TermId; 3]]) -> Graph {
    let mut builder = GraphBuilder::new();
    for row in rows {
        let row = row.map(|id| builder.intern(graph.term(id)));
        builder.insert_row(row);
    }
    builder.build()
}
