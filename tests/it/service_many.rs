//! Many sources at once: what they cost their hosts, and that the second round writes nothing.

use crate::moisson::Bench;
use crate::serving::{Serving, administrator};
use crate::sources::datasets;
use crate::stand_in::{Page, StandIn};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The most memory that a process had, in megabytes.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// `MOISSON_SOURCES=200 MOISSON_SOURCE_DATASETS=500` is the long run.
#[test]
fn many_sources_are_harvested_twice_and_the_second_round_asks_conditionally_and_writes_nothing() {
    let (sources, each) = (setting("MOISSON_SOURCES", 40), setting("MOISSON_SOURCE_DATASETS", 50));
    let (bench, portal) = (Bench::new(), StandIn::start());
    bench.write("moisson.toml", "[service]\nrequests_a_minute = 0\n");
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    let ask = |method: &str, path: &str, body: serde_json::Value| {
        let (status, answer) = serving.ask(method, path, Some(&admin), Some(&body));
        assert!(status < 300, "{path}: {answer}");
    };
    for number in 0..sources {
        let body =
            datasets(number * each..(number + 1) * each, "a text of some length that says what these data are");
        portal.set(&format!("/{number}"), Page::turtle(body));
        let url = portal.url(&format!("/{number}"));
        ask(
            "POST",
            "/api/1/harvest/sources/",
            json!({"name": format!("s{number}"), "url": url, "backend": "dcat"}),
        );
    }
    let start = Instant::now();
    for number in 0..sources {
        ask("POST", &format!("/api/1/harvest/source/s{number}/validate/"), json!({"state": "accepted"}));
    }
    serving.wait_for_quiet();
    let first = start.elapsed();
    let snapshot = serving.get("/ready")["snapshot"].clone();
    let total = serving.get("/api/1/datasets/")["total"].as_u64();
    assert_eq!(total, Some(u64::from(sources * each)));
    let asked = portal.take_asked();
    assert_eq!(asked.len(), sources as usize, "one request a source");
    let start = Instant::now();
    for number in 0..sources {
        ask("POST", &format!("/api/1/harvest/source/s{number}/run/"), json!({}));
    }
    serving.wait_for_quiet();
    let second = start.elapsed();
    assert_eq!((portal.take_asked().len(), portal.not_modified()), (sources as usize, sources as usize));
    assert_eq!(serving.get("/ready")["snapshot"], snapshot, "nothing was written, so nothing was published");
    let page = serving.get("/api/1/harvest/sources/?page_size=1000");
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for source in page["data"].as_array().expect("sources") {
        *states.entry(source["last_job"]["state"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
        assert_eq!(source["records"]["live"], each, "{source}");
    }
    assert_eq!(states, BTreeMap::from([("done".to_owned(), sources as usize)]));
    let memory = peak(serving.id());
    println!(
        "{sources} sources of {each}: first {first:?}, second {second:?}, ratio {:.2}, peak {memory} MB",
        second.as_secs_f64() / first.as_secs_f64()
    );
    // In order of magnitude: a hundred records a second and a second of start, a few hundred megabytes.
    assert!(first.as_secs_f64() < 20.0 + f64::from(sources * each) / 100.0, "{first:?}");
    assert!(second < first.mul_f64(1.5), "{second:?} after {first:?}");
    assert!(memory < 1_000, "{memory} MB");
}
