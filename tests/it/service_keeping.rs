//! What is kept and can be had again: backups, pages that are run again, names, politeness, logs.

use crate::moisson::{Bench, count, text};
use crate::serving::{Serving, administrator, source, until};
use crate::sources::datasets;
use crate::stand_in::{Page, StandIn};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};

fn succeeds(bench: &Bench, arguments: &[&str]) -> String {
    let output = bench.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_backup_made_while_the_service_runs_becomes_a_store_that_goes_on() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let copy = bench.path("copy");
    succeeds(&bench, &["backup", text(&copy)]);
    portal.set("/c.ttl", Page::turtle(datasets(1..=5, "b")));
    serving.harvest("s", &admin);
    drop(serving);
    let other = bench.path("other");
    succeeds(&bench, &["restore", text(&copy), "--store", text(&other)]);
    let records = || {
        let output = bench.command().env("MOISSON_STORE", &other).arg("records").output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).lines().count()
    };
    assert_eq!(records(), 3);
    let again = bench
        .command()
        .env("MOISSON_STORE", &other)
        .args(["source", "run", "s", "--allow-loopback", "--json"])
        .output();
    let job: Value = serde_json::from_slice(&again.expect("it starts").stdout).expect("a job");
    assert_eq!((count(&job, "/report/records/added"), count(&job, "/report/records/changed")), (2, 3), "{job}");
    assert_eq!(records(), 5);
    let refused = bench.run(&["restore", text(&copy), "--store", text(&other)]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is something already"));
}

#[test]
fn a_job_is_run_again_over_its_own_bytes_under_other_rules() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let job: Value =
        serde_json::from_str(&succeeds(&bench, &["source", "run", "s", "--allow-loopback", "--json"]))
            .expect("a job");
    let id = job["id"].as_str().expect("a job").to_owned();
    // What the source says now is of no interest.
    portal.set("/c.ttl", Page { status: 500, ..Page::turtle("gone") });
    portal.take_asked();
    let quads = bench.quads();
    let same: Value = serde_json::from_str(&succeeds(&bench, &["replay", &id, "--json"])).expect("a report");
    assert_eq!((count(&same, "/different"), count(&same, "/report/records/seen")), (0, 3), "{same}");
    let query = "# Purpose: a publisher for all\n# Reads: datasets\n# Variables: ?s\nPREFIX dcat: <http://www.w3.org/ns/dcat#>\nPREFIX dct: <http://purl.org/dc/terms/>\nCONSTRUCT { ?s dct:publisher <http://e.example/ville> } WHERE { ?s a dcat:Dataset }\n";
    let mapping = bench.write("publisher.rq", query);
    let other = succeeds(&bench, &["replay", &id, "--mapping", text(&mapping), "--profile", "moisson", "--json"]);
    let other: Value = serde_json::from_str(&other).expect("a report");
    assert_eq!(count(&other, "/different"), 3, "{other}");
    assert!(other["differences"][0]["added"][0].as_str().is_some_and(|line| line.contains("e.example/ville")));
    let rules = other["findings"].as_array().expect("rules");
    let after = |name: &str| rules.iter().find(|rule| rule["rule"] == name).map(|rule| count(rule, "/after"));
    // The profile that asked for a publisher is not asked, and the one that is asked has one.
    assert_eq!(after("dcat-ap-3/Dataset-publisher-required"), Some(0), "{other}");
    assert_eq!(after("moisson/publisher-missing").unwrap_or(0), 0, "{other}");
    assert!(portal.take_asked().is_empty(), "nothing was asked for");
    assert_eq!(bench.quads(), quads, "nothing was stored");
}

#[test]
fn a_former_name_redirects_to_the_present_one() {
    let bench = Bench::new();
    for (name, next) in [("one", "two"), ("two", "three")] {
        if name == "one" {
            succeeds(&bench, &["source", "add", "https://data.example/catalog", "--name", name]);
        }
        succeeds(&bench, &["source", "edit", name, "--rename", next]);
    }
    let serving = Serving::start(&bench, &[]);
    for path in ["/api/1/harvest/source/two/", "/api/1/harvest/source/three/"] {
        let (status, _) = serving.ask("GET", path, None, None);
        assert_eq!(status, if path.contains("two") { 308 } else { 200 }, "{path}");
    }
    let admin = administrator(&bench);
    let (status, taken) = serving.ask(
        "POST",
        "/api/1/harvest/sources/",
        Some(&admin),
        Some(&json!({"name": "Two", "slug": "two", "url": "https://other.example/"})),
    );
    assert_eq!(status, 400, "a former name is not given to another source: {taken}");
}

#[test]
fn the_crawl_delay_of_a_host_is_kept_and_its_wish_to_be_left_alone_too() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set(
        "/robots.txt",
        Page { content_type: "text/plain", ..Page::turtle("User-agent: *\nCrawl-delay: 1\n") },
    );
    for number in 0..4 {
        portal.set(&format!("/{number}"), Page::turtle(datasets(number * 10..number * 10 + 3, "a")));
        source(&bench, &format!("s{number}"), &portal.url(&format!("/{number}")), &[]);
    }
    let start = Instant::now();
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    assert!(start.elapsed() >= Duration::from_secs(3), "four sources of one host: {:?}", start.elapsed());
    assert_eq!(bench.records().len(), 12);
}

#[test]
fn the_configuration_is_checked_and_logs_are_objects() {
    let bench = Bench::new();
    let wrong = |toml: &str, words: &[&str]| {
        bench.write("moisson.toml", toml);
        let output = bench.run(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{toml}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{toml}: {said}");
    };
    wrong("[service]\nworkers = 0\n", &["service.workers", "between 1 and 64"]);
    wrong("[sources.s]\nurl = 'https://e.example/'\nschedule = 'sometimes'\n", &["sources.s", "@daily"]);
    wrong("[sources.s]\nurl = 'https://e.example/'\nprofiles = ['none']\n", &["sources.s", "none"]);
    wrong("[sources.s]\nurl = 'https://e.example/'\ninclude = ['x']\n", &["sources.s"]);
    wrong("[sources.s]\nkind = 'dcat'\nwhere = 'x'\n", &["sources.s", "where", "dcat"]);
    wrong("[manners]\nquiet_hours = 'night'\n", &["quiet_hours", "08:00-18:00"]);
    wrong(
        "[notify]\nwebhooks = [{ url = 'https://e.example/', secret_env = 'MOISSON_NO_SUCH' }]\n",
        &["MOISSON_NO_SUCH"],
    );
    wrong("[service]\nworker = 1\n", &["moisson.toml", "worker", "line 2"]);
    bench.write("moisson.toml", "[sources.s]\nurl = 'https://e.example/'\nschedule = 'H 3 * * *'\n");
    succeeds(&bench, &["config", "check"]);

    let (quiet, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&quiet, "s", &portal.url("/c.ttl"), &[]);
    let log = std::fs::File::create(quiet.path("log")).expect("a file");
    let mut command = quiet.command();
    command.env("MOISSON_LOG", "info").env("MOISSON_LOG_FORMAT", "json").stderr(Stdio::from(log));
    let serving = Serving::start_logging(command);
    serving.wait_for_quiet();
    assert_eq!(serving.get("/ready")["harvests"], true);
    assert!(serving.stop());
    let lines = std::fs::read_to_string(quiet.path("log")).expect("a log");
    let events: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let phases: Vec<&str> = events.iter().filter_map(|event| event["phase"].as_str()).collect();
    assert!(
        ["fetch and lift", "convert", "validate", "store", "publish"].iter().all(|phase| phases.contains(phase)),
        "{phases:?}"
    );
}

#[test]
fn the_stores_files_are_merged_when_nothing_runs() {
    let bench = Bench::new();
    let dataset = |number: u32, title: &str| {
        format!(
            "<http://e.example/{number}> a <http://www.w3.org/ns/dcat#Dataset> ; \
             <http://purl.org/dc/terms/identifier> \"{number}\" ; <http://purl.org/dc/terms/title> \"{title}\"@en .\n"
        )
    };
    for round in 1..=3 {
        let all: String = (1..=round + 2).map(|number| dataset(number, &format!("round {round}"))).collect();
        let file = bench.write("c.ttl", &all);
        bench.harvest(text(&file), &[]);
    }
    let folder = moisson::store::Folder::new(bench.store());
    let (files, number, quads) =
        (folder.table_files().expect("files"), folder.current().expect("a state"), bench.quads());
    bench.write("moisson.toml", &format!("[service]\ncompact_above = {}\n", files - 1));
    let serving = Serving::start(&bench, &[]);
    let left = until(Duration::from_secs(30), || {
        (folder.current().expect("a state") > number).then(|| folder.table_files().expect("files"))
    });
    assert!(left < files, "{left} of {files}");
    assert_eq!(bench.quads(), quads);
    assert!(serving.stop(), "a stopped service ends well");
    // Once is enough, until there are twice as many.
    let after = folder.current().expect("a state");
    let serving = Serving::start(&bench, &[]);
    std::thread::sleep(Duration::from_secs(2));
    assert!(serving.stop(), "a stopped service ends well");
    assert_eq!(folder.current().expect("a state"), after);
}
