//! The service, killed at any moment over ten sources and three days of changing catalogues, ends as one that was
//! not disturbed. A store that cannot be written fails clearly, loses nothing and goes on by itself.

use crate::generated::generator;
use crate::moisson::{Bench, text};
use crate::serving::{Serving, administrator, source, until};
use crate::sources::datasets;
use crate::stand_in::{Page, StandIn};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// `MOISSON_KILLS=50 MOISSON_KILL_DATASETS=400` is the long run.
fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The catalogues of a day, one for each source.
fn catalogues(bench: &Bench, generator: &std::path::Path, datasets: u32, sources: u32, day: u32) -> Vec<String> {
    let write = |source: u32| {
        let out = bench.path(&format!("{source}-{day}"));
        let output = Command::new("python3")
            .arg(generator)
            .args([
                "write",
                "--single",
                "--formats",
                "ttl",
                "--n",
                &datasets.to_string(),
                "--seed",
                &(source + 1).to_string(),
            ])
            .args(["--revision", &day.to_string(), "--out", text(&out)])
            .output()
            .expect("python3 starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(out.join("catalog.ttl")).expect("a catalogue")
    };
    (0..sources).map(write).collect()
}

/// What is left, without what differs between any two runs: times, jobs, and hashes of neither.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    quads: Vec<String>,
    history: Vec<String>,
    records: Vec<String>,
}

fn left(bench: &Bench) -> Left {
    let quads = bench.quads().into_iter().filter(|quad| !quad.contains("#dateTime>")).collect();
    let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  [print(*row) for row in db.execute(sys.argv[2])]";
    let rows = |query: &str| {
        let output = Command::new("python3")
            .args(["-c", script, text(&bench.store().join("operations.sqlite")), query])
            .output()
            .expect("python3 starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    Left {
        quads,
        history: rows("SELECT key, hash FROM history ORDER BY key, hash"),
        records: rows(
            "SELECT key, source, remote_id, hash, violation, warning, info, missing_since IS NULL, archived_at IS NULL \
             FROM records ORDER BY key",
        ),
    }
}

/// Three days of a service; `disturb` is given each service that was started, and gives one that runs.
fn three_days(
    bench: &Bench,
    portal: &StandIn,
    days: &[Vec<String>],
    disturb: &mut dyn FnMut(&Bench, Serving) -> Serving,
) -> Left {
    for (number, catalogue) in days[0].iter().enumerate() {
        portal.set(&format!("/{number}"), Page::turtle(catalogue.clone()));
        source(
            bench,
            &format!("s{number}"),
            &portal.url(&format!("/{number}")),
            &["--grace-days", "0", "--removal-percent", "100"],
        );
    }
    let admin = administrator(bench);
    for (day, catalogues) in days.iter().enumerate() {
        for (number, catalogue) in catalogues.iter().enumerate() {
            portal.set(&format!("/{number}"), Page::turtle(catalogue.clone()));
        }
        let serving = Serving::start(bench, &[]);
        if day > 0 {
            for number in 0..catalogues.len() {
                serving.ask("POST", &format!("/api/1/harvest/source/s{number}/run/"), Some(&admin), None);
            }
        }
        let serving = disturb(bench, serving);
        serving.wait_for_quiet();
        for number in 0..catalogues.len() {
            let source = serving.get(&format!("/api/1/harvest/source/s{number}/"));
            let state = source["last_job"]["state"].as_str().unwrap_or_default().to_owned();
            assert!(matches!(state.as_str(), "done" | "done-with-errors"), "day {day}: {source}");
        }
        assert!(serving.stop());
    }
    left(bench)
}

#[test]
fn a_service_killed_at_any_moment_ends_as_one_that_was_not_disturbed() {
    let Some(generator) = generator() else { return };
    let (datasets, kills) = (setting("MOISSON_KILL_DATASETS", 60), setting("MOISSON_KILLS", 6));
    let sources = setting("MOISSON_KILL_SOURCES", 10);
    let work = Bench::new();
    let days: Vec<Vec<String>> =
        [0, 2, 5].into_iter().map(|day| catalogues(&work, &generator, datasets, sources, day)).collect();
    let (undisturbed, portal) = (Bench::new(), StandIn::start());
    let mut longest = Duration::ZERO;
    let wanted = three_days(&undisturbed, &portal, &days, &mut |_, serving| {
        let start = Instant::now();
        serving.wait_for_quiet();
        longest = longest.max(start.elapsed());
        serving
    });
    assert!(wanted.quads.len() > 1_000 && !wanted.history.is_empty());
    let killed = Bench::new();
    let mut moment = 0;
    let found = three_days(&killed, &portal, &days, &mut |bench, mut serving| {
        for _ in 0..kills.div_ceil(3) {
            moment += 1;
            let share = f64::from(moment * 7_919 % 100) / 100.0;
            std::thread::sleep(longest.mul_f64(share));
            serving.kill();
            serving = Serving::start(bench, &[]);
        }
        serving
    });
    let differs = found.quads.iter().zip(&wanted.quads).find(|(a, b)| a != b);
    assert!(found.quads.len() == wanted.quads.len() && differs.is_none(), "{differs:?}");
    assert_eq!(found.history, wanted.history);
    assert_eq!(found.records, wanted.records);
}

#[test]
fn a_second_process_says_that_the_store_is_in_use_or_talks_to_the_first() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/slow", Page { delay: Duration::from_secs(20), ..Page::turtle(datasets(1..=3, "a")) });
    portal.set("/c.ttl", Page::turtle(datasets(4..=6, "a")));
    source(&bench, "slow", &portal.url("/slow"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    until(Duration::from_secs(10), || {
        let job = serving.get("/api/1/harvest/source/slow/")["last_job"].clone();
        (job["state"] == "running").then_some(())
    });
    let second = bench.harvest_output(&portal.url("/c.ttl"), &["--allow-loopback", "--source", "other"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{said}");
    assert!(said.contains("in use"), "{said}");
    let server = format!("http://{}", serving.address);
    let mut first = bench.command();
    first.env("MOISSON_TOKEN", &admin).args([
        "source",
        "add",
        &portal.url("/c.ttl"),
        "--name",
        "other",
        "--accept",
        "--json",
    ]);
    let output = first.args(["--server", &server]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut run = bench.command();
    let output =
        run.env("MOISSON_TOKEN", &admin).args(["source", "run", "other", "--server", &server, "--json"]).output();
    let output = output.expect("it starts");
    let job: Value = serde_json::from_slice(&output.stdout).expect("a job");
    assert_eq!((job["state"].as_str(), bench.records().len()), (Some("done"), 3), "{job}");
}

/// A small file system of its own; where none can be mounted, the test says so.
struct Mounted {
    folder: tempfile::TempDir,
}

impl Mounted {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let size = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", text(folder.path())]).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("skipped: no file system can be mounted here");
        None
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount").args(["-o", options, text(self.folder.path())]).output();
        assert!(done.is_ok_and(|output| output.status.success()), "{options}");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", text(self.folder.path())]).output();
    }
}

#[test]
fn a_full_disk_or_a_read_only_one_fails_clearly_loses_nothing_and_the_service_goes_on() {
    let Some(mounted) = Mounted::new("40m") else { return };
    let (bench, portal) = (Bench::new(), StandIn::start());
    let store = mounted.folder.path().join("store");
    let at = |arguments: &[&str]| {
        let output = bench.command().env("MOISSON_STORE", &store).args(arguments).output().expect("it starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    portal.set("/c.ttl", Page::turtle(datasets(1..=50, "a")));
    let url = portal.url("/c.ttl");
    let add = ["source", "add", &url, "--name", "s", "--accept", "--kind", "dcat", "--allow-loopback"];
    assert_eq!(at(&add).0, Some(0));
    let run = ["source", "run", "s", "--allow-loopback", "--json"];
    assert_eq!(at(&run).0, Some(0));
    let records = || at(&["records"]).1.lines().count();
    assert_eq!(records(), 50);
    // The disk is full: all that is left is taken by a file.
    let ballast = mounted.folder.path().join("ballast");
    let filled = Command::new("dd").args(["if=/dev/zero", &format!("of={}", text(&ballast)), "bs=64k"]).output();
    assert!(filled.is_ok_and(|output| !output.status.success()), "the disk is not full");
    let long = "b".repeat(2_000);
    portal.set("/c.ttl", Page::turtle(datasets(1..=2_000, &long)));
    let (code, said) = at(&run);
    assert_ne!(code, Some(0), "{said}");
    std::fs::remove_file(&ballast).expect("a file");
    assert_eq!(records(), 50, "nothing is lost");
    portal.set("/c.ttl", Page::turtle(datasets(1..=60, "b")));
    let (code, said) = at(&run);
    assert_eq!((code, records()), (Some(0), 60), "it goes on by itself: {said}");
    mounted.remount("remount,ro");
    let (code, said) = at(&["harvest", &url, "--source", "s", "--allow-loopback"]);
    assert_eq!(code, Some(4), "{said}");
    mounted.remount("remount,rw");
    portal.set("/c.ttl", Page::turtle(datasets(1..=70, "c")));
    let (code, said) = at(&run);
    assert_eq!((code, records()), (Some(0), 70), "{said}");
}
