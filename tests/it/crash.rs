//! A harvest killed at any moment, and run again, ends as one that was not disturbed.

use crate::generated::generator;
use crate::moisson::{Bench, text};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Datasets and moments; `MOISSON_CRASHES=20 MOISSON_CRASH_DATASETS=5000` is the long run.
fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_killed_harvest_leaves_each_record_as_it_was_or_as_it_became() {
    let Some(generator) = generator() else { return };
    let datasets = setting("MOISSON_CRASH_DATASETS", 1_500).to_string();
    let moments = setting("MOISSON_CRASHES", 6);
    let bench = Bench::new();
    let write = |revision: &str| {
        let out = bench.path(revision);
        let output = Command::new("python3")
            .arg(&generator)
            .args([
                "write",
                "--n",
                &datasets,
                "--single",
                "--formats",
                "ttl",
                "--revision",
                revision,
                "--out",
                text(&out),
            ])
            .output()
            .expect("python3 starts");
        assert!(output.status.success());
        out.join("catalog.ttl")
    };
    let (first, second) = (write("0"), write("3"));
    let undisturbed = Bench::new();
    let start = Instant::now();
    undisturbed.harvest(text(&first), &["--source", "s"]);
    let whole = start.elapsed();
    undisturbed.harvest(text(&second), &["--source", "s"]);
    let wanted = undisturbed.quads();
    assert!(!wanted.is_empty());
    for moment in 0..moments {
        let killed = Bench::new();
        // Spread over the first harvest, then over the second, which changes and removes.
        let share = f64::from(moment * 7919 % 100) / 100.0;
        if moment % 2 == 1 {
            killed.harvest(text(&first), &["--source", "s"]);
            kill_after(&killed, text(&second), whole.mul_f64(share * 0.6));
        } else {
            kill_after(&killed, text(&first), whole.mul_f64(share));
            killed.harvest(text(&first), &["--source", "s"]);
        }
        killed.harvest(text(&second), &["--source", "s"]);
        let found = killed.quads();
        let differs = found.iter().zip(&wanted).find(|(a, b)| a != b);
        assert!(found.len() == wanted.len() && differs.is_none(), "killed at moment {moment}: {differs:?}");
    }
}

fn kill_after(bench: &Bench, file: &str, delay: Duration) {
    let mut child = bench
        .command()
        .args(["harvest", file, "--source", "s", "--format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(delay);
    // SIGKILL: nothing is flushed and nothing is tidied up.
    let _ = child.kill();
    let _ = child.wait();
}

/// `RocksDB` gives the text of an error in memory of its own; freeing it as Rust's ended the process.
#[test]
fn a_damaged_table_file_is_an_error_and_ends_no_process() {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    bench.harvest(text(&sample), &["--source", "sample"]);
    let tables = crate::shared::files(&bench.store(), &[".sst"]);
    assert!(!tables.is_empty(), "the store has no table file");
    for table in tables {
        let bytes = std::fs::read(&table).expect("a table file");
        std::fs::write(&table, &bytes[..bytes.len() - 64]).expect("a table file that is cut");
    }
    let query = bench.write("count.rq", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }");
    let output = bench.command().args(["query", text(&query)]).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("Corruption"), "{said}");
}
