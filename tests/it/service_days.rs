//! What the service does with a source that lies, day after day; and what people do to records meanwhile.

use crate::moisson::{Bench, count};
use crate::serving::{Serving, administrator, source, until};
use crate::sources::datasets;
use crate::stand_in::{Page, StandIn};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n";

/// Records by what their source calls them.
fn keys(bench: &Bench) -> BTreeMap<String, String> {
    let text = |record: &Value, name: &str| record[name].as_str().expect("a text").to_owned();
    bench.records().iter().map(|record| (text(record, "remote_id"), text(record, "id"))).collect()
}

const REMOVAL: &str = "/api/1/harvest/source/s/removal/";

/// How many records wait for a person to confirm their removal.
fn held(serving: &Serving) -> u64 {
    count(&serving.get(REMOVAL), "/total")
}

/// A catalogue in which all identifiers changed, and nothing else.
fn renamed(all: &str) -> String {
    (1..=20).fold(all.to_owned(), |text, n| {
        text.replace(&format!("dct:identifier \"{n}\""), &format!("dct:identifier \"new-{n}\""))
            .replace(&format!("<http://e.example/{n}> a"), &format!("<http://e.example/new/{n}> a"))
    })
}

#[test]
fn each_record_lives_on_with_its_key_whatever_the_source_says_on_successive_days() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let all = datasets(1..=20, "a");
    portal.set("/c.ttl", Page::turtle(all.clone()));
    source(&bench, "s", &portal.url("/c.ttl"), &["--grace-days", "0"]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let first = keys(&bench);
    assert_eq!(first.len(), 20);
    let day = |page: Page| {
        portal.set("/c.ttl", page);
        serving.harvest("s", &admin)
    };

    // Valid, and empty.
    let empty = format!("{PREFIXES}<http://e.example/> a dcat:Catalog ; dct:title \"Empty\"@en .\n");
    let job = day(Page::turtle(empty));
    assert_eq!(job["state"], "failed", "{job}");
    assert_eq!(keys(&bench), first);

    // An error page with 200.
    let html = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon</body></html>";
    let job = day(Page { content_type: "text/html", ..Page::turtle(html) });
    assert_eq!(job["state"], "failed", "{job}");
    assert!(job["errors"][0]["message"].as_str().expect("why").contains("Maintenance"), "{job}");
    assert_eq!(keys(&bench), first);

    // Half a page, by a cut connection, then by a body that ends early.
    let job = day(Page { cut: Some(all.len() / 2), tagged: false, ..Page::turtle(all.clone()) });
    assert_eq!(job["state"], "failed", "{job}");
    let job = day(Page::turtle(&all[..all.len() / 2]));
    assert_eq!(
        (job["state"].as_str(), count(&job, "/report/records/archived")),
        (Some("done-with-errors"), 0),
        "{job}"
    );
    assert_eq!(keys(&bench), first);

    // Another catalogue's content.
    let job = day(Page::turtle(datasets(101..=120, "other").replace("e.example", "other.example")));
    assert_eq!((job["state"].as_str(), count(&job, "/report/records/archived")), (Some("held"), 0), "{job}");
    let now = keys(&bench);
    assert!(first.iter().all(|(id, key)| now.get(id) == Some(key)), "nothing left");
    assert_eq!(held(&serving), 20);
    assert_eq!(serving.get("/api/1/harvest/source/s/")["records"]["held"], 20);

    // All again: what was held is not any more, and what was not ours waits for a person in its turn.
    assert_eq!(day(Page::turtle(all.clone()))["state"], "held");
    assert_eq!(held(&serving), 20);
    let confirm = json!({"decision": "confirm"});
    let (_, done) = serving.ask("POST", REMOVAL, Some(&admin), Some(&confirm));
    assert_eq!(done["archived"], 20, "{done}");
    assert_eq!(keys(&bench), first);

    // All identifiers changed: the distributions tell which is which.
    let job = day(Page::turtle(renamed(&all)));
    assert_eq!((job["state"].as_str(), count(&job, "/report/records/renamed")), (Some("done"), 20), "{job}");
    let now = keys(&bench);
    assert!((1..=20).all(|n| now.get(&format!("new-{n}")) == first.get(&n.to_string())), "each keeps its key");
    assert_eq!(job["items"]["by_outcome"], json!({"renamed": 20}), "{job}");

    // All again, as on the first day.
    let job = day(Page::turtle(all));
    assert_eq!((job["state"].as_str(), count(&job, "/report/records/archived")), (Some("done"), 0), "{job}");
    assert_eq!(keys(&bench), first);
    for key in first.values() {
        let history = serving.get(&format!("/api/1/datasets/{key}/history/"));
        assert!(history["record"]["archived_at"].is_null(), "{history}");
        assert_eq!(history["versions"].as_array().map(Vec::len), Some(2), "two changes of identifier: {history}");
    }
}

#[test]
fn a_person_undoes_and_archives_and_the_source_does_not_take_it_back() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "good")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let keys = keys(&bench);
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "bad")));
    serving.harvest("s", &admin);
    let path = |n: &str, rest: &str| format!("/api/1/datasets/{}/{rest}", keys[n]);
    let diff = serving.get(&path("1", "diff/"));
    let holds = |list: &Value, word: &str| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|line| line.as_str().is_some_and(|line| line.contains(word))))
    };
    assert!(holds(&diff["removed"], "good") && holds(&diff["added"], "bad"), "{diff}");
    let post = |path: &str| serving.ask("POST", path, Some(&admin), Some(&json!({})));
    assert_eq!(post(&path("1", "undo/")).0, 200);
    assert_eq!(post(&path("2", "archive/")).0, 200);
    assert_eq!(post(&path("3", "detach/")).0, 200);
    let description = |n: &str| serving.get(&path(n, ""))["description"].as_str().unwrap_or_default().to_owned();
    assert_eq!(description("1"), "good");
    // The source says the same again, in another page.
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "bad") + "# seen again\n"));
    let job = serving.harvest("s", &admin);
    assert_eq!(job["items"]["by_outcome"], json!({"skipped": 3}), "{job}");
    assert_eq!((description("1"), description("3")), ("good".to_owned(), "bad".to_owned()));
    // It says something else: what was undone follows it again, and the others do not.
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "better")));
    let job = serving.harvest("s", &admin);
    assert_eq!(job["items"]["by_outcome"], json!({"changed": 1, "skipped": 2}), "{job}");
    assert_eq!((description("1"), description("3")), ("better".to_owned(), "bad".to_owned()));
    assert_eq!(serving.ask("GET", &path("2", ""), None, None).0, 410);
    assert_eq!(post(&path("2", "restore/")).0, 200);
    serving.harvest("s", &admin);
    assert_eq!(serving.ask("GET", &path("2", ""), None, None).0, 200);
}

#[test]
fn a_job_is_cancelled_within_a_second_and_stores_nothing() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page { delay: Duration::from_secs(30), ..Page::turtle(datasets(1..=3, "a")) });
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    let id = until(Duration::from_secs(10), || {
        let job = serving.get("/api/1/harvest/source/s/")["last_job"].clone();
        (job["state"] == "running").then(|| job["id"].as_str().expect("a job").to_owned())
    });
    let start = Instant::now();
    let (status, _) = serving.ask("POST", &format!("/api/1/harvest/job/{id}/cancel/"), Some(&admin), None);
    assert_eq!(status, 200);
    let job = serving.wait_for_job(&id);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(job["state"], "cancelled", "{job}");
    assert_eq!(bench.records().len(), 0);
    let (status, _) = serving.ask("POST", &format!("/api/1/harvest/job/{id}/cancel/"), Some(&admin), None);
    assert_eq!(status, 409, "it has ended");
}

#[test]
fn a_stopped_service_goes_on_from_its_last_page() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let hydra = |page: u32, numbers: std::ops::RangeInclusive<u32>| {
        let next = format!(
            "<{}> a <http://www.w3.org/ns/hydra/core#PartialCollectionView> ; <http://www.w3.org/ns/hydra/core#next> <{}> .\n",
            portal.url(&format!("/{page}")),
            portal.url(&format!("/{}", page + 1))
        );
        Page {
            delay: Duration::from_millis(400),
            tagged: false,
            ..Page::turtle(datasets(numbers, "a") + if page < 5 { &next } else { "" })
        }
    };
    for page in 1..=5 {
        portal.set(&format!("/{page}"), hydra(page, page * 10..=page * 10 + 9));
    }
    source(&bench, "s", &portal.url("/1"), &[]);
    let serving = Serving::start(&bench, &[]);
    until(Duration::from_secs(10), || (portal.take_asked() == ["/3"]).then_some(()));
    assert!(serving.stop(), "it ends well, after its page");
    portal.take_asked();
    let serving = Serving::start(&bench, &[]);
    let job = serving.get("/api/1/harvest/source/s/")["last_job"]["id"].as_str().expect("a job").to_owned();
    let job = serving.wait_for_job(&job);
    assert_eq!((job["state"].as_str(), count(&job, "/report/records/added")), (Some("done"), 50), "{job}");
    assert_eq!(portal.take_asked(), ["/4", "/5"], "only what was not read before is asked for");
}

#[test]
fn what_a_person_does_while_a_job_reads_stays_done() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let keys = keys(&bench);
    // Two pages: the first is read and waits, the second takes its time.
    let next = format!(
        "<{}> a <http://www.w3.org/ns/hydra/core#PartialCollectionView> ; <http://www.w3.org/ns/hydra/core#next> <{}> .\n",
        portal.url("/c.ttl"),
        portal.url("/d.ttl")
    );
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "b") + &next));
    portal.set("/d.ttl", Page { delay: Duration::from_secs(2), ..Page::turtle(datasets(4..=4, "b")) });
    let run = serving.ask("POST", "/api/1/harvest/source/s/run/", Some(&admin), None).1;
    until(Duration::from_secs(10), || portal.take_asked().contains(&"/d.ttl".to_owned()).then_some(()));
    let post = |n: &str, what: &str| {
        let path = format!("/api/1/datasets/{}/{what}/", keys[n]);
        assert_eq!(serving.ask("POST", &path, Some(&admin), Some(&json!({}))).0, 200, "{path}");
    };
    post("1", "archive");
    post("2", "detach");
    let job = serving.wait_for_job(run["last_job"]["id"].as_str().expect("a job"));
    assert_eq!(job["state"], "done", "{job}");
    let status = |n: &str| serving.ask("GET", &format!("/api/1/datasets/{}/", keys[n]), None, None);
    assert_eq!(status("1").0, 410);
    assert_eq!(status("2").1["description"], "a");
    assert_eq!(status("3").1["description"], "b");
}
