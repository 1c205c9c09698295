//! The W3C suites of SPARQL 1.1, asked of the program over HTTP.
//!
//! The data of all tests is in one store, a graph a file, and each test names its dataset as clients do
//! (SPARQL 1.1 Protocol, 2.1.4). What is not answered as the suites expect stands in `skips.tsv`, with what
//! comes instead and why; a line there whose test passes is an error too.

mod answer;
mod compare;
mod csv;
mod description;
mod document;
mod endpoint;
mod evaluation;
mod manifest;
mod node;
mod protocol;
mod verdict;

use crate::shared;
use endpoint::{Endpoint, Reply};
use manifest::Suite;
use std::collections::BTreeMap;
use std::fmt;
use verdict::{Skip, Verdicts};

/// The tests in the copy of the suites.
const TESTS: usize = 299;

/// What came instead of what a test expects.
#[derive(Debug)]
enum Failure {
    /// A status, with what the answer said.
    Status(u16, String),
    /// The right status, and something else in the answer.
    Differs(String),
}

impl Failure {
    fn status(reply: &Reply) -> Self {
        Self::Status(reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// What came, as the list of skips writes it.
    fn gets(&self) -> String {
        match self {
            Self::Status(status, _) => status.to_string(),
            Self::Differs(_) => "differs".to_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status, body) => write!(f, "status {status}: {body}"),
            Self::Differs(how) => f.write_str(how),
        }
    }
}

#[test]
fn the_w3c_suites_are_answered_as_they_expect_but_for_the_skips() {
    let Some(queries) = shared::data("w3c-sparql/w3c__rdf-tests/sparql11") else { return };
    let Some(protocol) = shared::data("w3c-protocol/w3c__rdf-tests/sparql11") else { return };
    let mut suite = Suite::default();
    suite.read(&queries);
    suite.read(&protocol);
    let endpoint = Endpoint::over(&suite.graphs);
    let outcomes: BTreeMap<_, _> =
        suite.cases.iter().map(|case| (case.name.as_str(), case.run(&endpoint))).collect();
    let verdicts = Verdicts::of(&outcomes, &Skip::read(include_str!("skips.tsv")));
    println!("{verdicts}");
    assert!(verdicts.faults.is_empty(), "{} faults:\n{}", verdicts.faults.len(), verdicts.faults.join("\n"));
    assert_eq!(outcomes.len(), TESTS, "the copy of the suites has another number of tests");
}
