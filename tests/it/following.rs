//! Following a portal: what changed is asked for, everything at an interval, with a key where one is needed.

use crate::moisson::{Bench, count, harvest_served};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const SEARCH: &str = "/api/3/action/package_search";

/// A portal whose packages a test changes, and which gives those that changed since a time when it is asked to.
#[derive(Clone, Default)]
struct Portal {
    packages: Arc<Mutex<Vec<Value>>>,
}

impl Portal {
    fn put(&self, id: &str, title: &str, modified: &str) {
        let mut packages = self.packages.lock().expect("no test failed inside");
        packages.retain(|package| package["id"] != id);
        packages
            .push(json!({"id": id, "name": id, "title": title, "state": "active", "metadata_modified": modified}));
    }

    fn remove(&self, id: &str) {
        self.packages.lock().expect("no test failed inside").retain(|package| package["id"] != id);
    }

    fn answer(&self, request: &Request) -> ResponseTemplate {
        let parameters: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        let parameter =
            |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let since = parameter("fq")
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once('Z'))
            .map_or("", |(date, _)| date);
        let packages = self.packages.lock().expect("no test failed inside");
        let found: Vec<&Value> =
            packages.iter().filter(|package| package["metadata_modified"].as_str() >= Some(since)).collect();
        let start = parameter("start").parse().unwrap_or(0);
        let page: Vec<&&Value> = found.iter().skip(start).collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({"success": true, "result": {"count": found.len(), "results": page}}))
    }

    async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        let portal = self.clone();
        let answer = move |request: &Request| portal.answer(request);
        Mock::given(path(SEARCH)).respond_with(answer).mount(&server).await;
        server
    }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_is_asked_for_and_everything_when_it_is_due() {
    let portal = Portal::default();
    for id in ["a", "b", "c"] {
        portal.put(id, id, "2024-01-01T00:00:00");
    }
    let server = portal.serve().await;
    let bench = Bench::new();
    let ckan = ["--kind", "ckan", "--source", "p"];
    let (_, report, _) = harvest_served(&bench, &server.uri(), &ckan).await;
    assert_eq!(count(&report, "/records/added"), 3);

    portal.put("b", "B", &now());
    portal.put("d", "D", &now());
    portal.remove("c");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &ckan).await;
    let of = |report: &Value, name: &str| count(report, &format!("/records/{name}"));
    assert_eq!((of(&report, "seen"), of(&report, "changed"), of(&report, "added")), (2, 1, 1), "{report}");
    assert_eq!(of(&report, "missing"), 0, "what was not asked for is not missing: {report}");
    assert!(report["note"].as_str().is_some_and(|note| note.contains("only what changed since")), "{report}");
    let asked = server.received_requests().await.unwrap_or_default();
    let last = asked.last().expect("a request").url.to_string();
    assert!(last.contains("fq=") && last.contains("metadata_modified"), "{last}");

    let (_, report, _) = harvest_served(&bench, &server.uri(), &ckan).await;
    assert_eq!((of(&report, "seen"), of(&report, "unchanged")), (2, 2), "a day's changes are asked for again");

    let mut full = ckan.to_vec();
    full.push("--full");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &full).await;
    assert_eq!((of(&report, "seen"), of(&report, "missing")), (3, 1), "{report}");

    bench.write("moisson.toml", "[sources.p]\nwhole_every_days = 0\n");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &ckan).await;
    assert_eq!((of(&report, "seen"), of(&report, "missing")), (3, 1), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_new_is_no_error_and_loses_nothing() {
    let portal = Portal::default();
    portal.put("a", "a", "2024-01-01T00:00:00");
    let server = portal.serve().await;
    let bench = Bench::new();
    harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    let (code, report, said) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!((code, count(&report, "/records/seen")), (Some(0), 0), "{report} {said}");
    assert_eq!(bench.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_does_not_care_what_is_asked_is_read_whole() {
    let server = MockServer::start().await;
    let all = |ids: &[&str]| {
        let packages: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "title": id, "metadata_modified": "2024-01-01T00:00:00"}))
            .collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({"success": true, "result": {"count": ids.len(), "results": packages}}))
    };
    let first = Mock::given(path(SEARCH))
        .respond_with(all(&["a", "b", "c", "d", "e", "f"]))
        .mount_as_scoped(&server)
        .await;
    let bench = Bench::new();
    harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    drop(first);
    Mock::given(path(SEARCH)).respond_with(all(&["a", "b", "c", "d", "e"])).mount(&server).await;
    let (_, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!((count(&report, "/records/seen"), count(&report, "/records/missing")), (5, 1), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_sent_to_the_portal_and_to_nobody_else() {
    let server = MockServer::start().await;
    let package = json!({"id": "a", "title": "a"});
    let found = json!({"success": true, "result": {"count": 1, "results": [package]}});
    Mock::given(path(SEARCH))
        .and(header("authorization", "s3cret"))
        .respond_with(ResponseTemplate::new(200).set_body_json(found))
        .mount(&server)
        .await;
    let bench = Bench::new();
    let (code, _, said) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(code, Some(3), "without a key there is nothing: {said}");
    let key = bench.write("key", "s3cret\n");
    let file = ["--kind", "ckan", "--token-file", key.to_str().expect("a UTF-8 path")];
    let (_, report, said) = harvest_served(&bench, &server.uri(), &file).await;
    assert_eq!(count(&report, "/records/added"), 1, "{said}");
    let (code, _, said) =
        harvest_served(&bench, &server.uri(), &["--kind", "ckan", "--token-env", "NO_SUCH_KEY"]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains("NO_SUCH_KEY"), "{said}");

    // A portal that sends elsewhere does not take the key along.
    let elsewhere = MockServer::start().await;
    let redirect = ResponseTemplate::new(302).insert_header("location", format!("{}{SEARCH}", elsewhere.uri()));
    let first = MockServer::start().await;
    Mock::given(path(SEARCH)).respond_with(redirect).mount(&first).await;
    harvest_served(&bench, &first.uri(), &file).await;
    let arrived = elsewhere.received_requests().await.unwrap_or_default();
    assert!(!arrived.is_empty() && arrived.iter().all(|request| !request.headers.contains_key("authorization")));

    let whole = std::fs::read_dir(bench.store()).expect("a store").flatten();
    for file in whole.filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).expect("a readable file");
        assert!(!bytes.windows(6).any(|part| part == b"s3cret"), "{} holds the key", file.path().display());
    }
}
