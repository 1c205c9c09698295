//! SHACL cases of our own: what the W3C suite does not ask, each in a folder of shapes, data and report.

use crate::moisson::{Bench, text};
use crate::shared::{files, review};
use std::path::Path;

/// A report is what `moisson shacl` prints, its exit code and, where it refuses, its reason;
/// `MOISSON_REVIEW=1` writes the reports anew.
#[test]
fn each_case_gives_its_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/shacl");
    let cases = files(&root, &["shapes.ttl"]);
    assert!(cases.len() > 25, "the cases were not found");
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for shapes in cases {
        let folder = shapes.parent().expect("a case's folder");
        let data = folder.join("data.ttl");
        let output = bench.run(&["shacl", "--shapes", text(&shapes), "--data", text(&data), "--format", "text"]);
        let mut report = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines: Vec<&str> = report.lines().collect();
        lines.sort_unstable();
        report = lines.join("\n");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        let found = format!("exit {code}\n{report}\n{}\n", said.trim().chars().take(400).collect::<String>());
        wrong.extend(review(&folder.join("report.txt"), &found));
    }
    assert!(wrong.is_empty(), "look, then run with MOISSON_REVIEW=1:\n{}", wrong.join("\n"));
}
