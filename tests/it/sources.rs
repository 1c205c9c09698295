//! The workflow of sources, on the command line and through the API.

use crate::moisson::{Bench, count};
use crate::serving::{Serving, administrator, source, token};
use crate::stand_in::{Page, StandIn};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n";

/// Datasets by number, of one text.
pub(crate) fn datasets(numbers: impl IntoIterator<Item = u32>, text: &str) -> String {
    let one = |n: u32| {
        format!(
            "<http://e.example/{n}> a dcat:Dataset ; dct:title \"No {n}\"@en ; dct:identifier \"{n}\" ; \
             dct:description \"{text}\"@en ; dcat:distribution [ dcat:downloadURL <http://e.example/{n}.csv> ] .\n"
        )
    };
    format!("{PREFIXES}{}", numbers.into_iter().map(one).collect::<String>())
}

fn json_of(bench: &Bench, arguments: &[&str]) -> Value {
    let output = bench.run(&[arguments, &["--json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn refused(bench: &Bench, arguments: &[&str], words: &str) {
    let output = bench.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
}

/// All files below a folder, with what is in them.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").flatten() {
            if entry.path().is_dir() {
                waiting.push(entry.path());
            } else {
                found.insert(entry.path().display().to_string(), std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

/// The files that are not the same in both.
fn differing<'f>(one: &'f BTreeMap<String, Vec<u8>>, other: &'f BTreeMap<String, Vec<u8>>) -> Vec<&'f String> {
    one.keys().chain(other.keys()).filter(|name| one.get(*name) != other.get(*name)).collect()
}

#[test]
fn a_source_is_registered_decided_of_harvested_renamed_and_removed() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    let url = portal.url("/c.ttl");
    let added = json_of(&bench, &["source", "add", &url, "--name", "ville", "--kind", "dcat", "--allow-loopback"]);
    assert_eq!((&added["slug"], &added["validation"]["state"]), (&json!("ville"), &json!("pending")));
    refused(&bench, &["source", "add", &url, "--name", "ville", "--allow-loopback"], "leads to another source");
    refused(&bench, &["source", "run", "ville", "--allow-loopback"], "it is harvested once it is accepted");
    refused(&bench, &["source", "refuse", "ville"], "for a reason");
    json_of(&bench, &["source", "refuse", "ville", "--comment", "Not yet"]);
    let accepted = json_of(&bench, &["source", "accept", "ville"]);
    assert_eq!((&accepted["validation"]["state"], &accepted["schedule"]), (&json!("accepted"), &json!("@daily")));
    assert!(accepted["due_at"].is_string());
    let job = json_of(&bench, &["source", "run", "ville", "--allow-loopback"]);
    assert_eq!((job["state"].as_str(), count(&job, "/report/records/added")), (Some("done"), 3), "{job}");
    // Another name: the former one goes on leading to it, and the records stay what they were.
    json_of(&bench, &["source", "edit", "ville", "--rename", "ville-de-lyon"]);
    assert_eq!(json_of(&bench, &["source", "show", "ville-de-lyon"])["source"]["id"], "ville");
    let serving = Serving::start(&bench, &[]);
    let (status, _) = serving.ask("GET", "/api/1/harvest/source/ville/", None, None);
    assert_eq!(status, 200, "the identifier stays one of its names");
    drop(serving);
    // Another host asks for acceptance again; another path of it does not.
    portal.set("/d.ttl", Page::turtle(datasets(1..=3, "a")));
    let moved =
        json_of(&bench, &["source", "edit", "ville-de-lyon", "--url", &portal.url("/d.ttl"), "--allow-loopback"]);
    assert_eq!(moved["validation"]["state"], "accepted");
    let elsewhere = portal.url("/d.ttl").replace("127.0.0.1", "localhost");
    let moved = json_of(&bench, &["source", "edit", "ville-de-lyon", "--url", &elsewhere, "--allow-loopback"]);
    assert_eq!(moved["validation"]["state"], "pending");
    refused(&bench, &["source", "remove", "ville-de-lyon"], "3 records will be archived");
    let removed = bench.run(&["source", "remove", "ville-de-lyon", "--yes"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert_eq!(bench.records().len(), 0);
    assert_eq!(json_of(&bench, &["source", "list"]), json!([]));
}

#[test]
fn what_is_purged_is_forgotten_and_a_detached_record_outlives_its_source() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    json_of(&bench, &["source", "run", "s", "--allow-loopback"]);
    let key = bench.records()[0]["id"].as_str().expect("a key").to_owned();
    json_of(&bench, &["record", "detach", &key]);
    assert!(bench.run(&["source", "remove", "s", "--yes"]).status.success());
    let left = bench.records();
    assert_eq!((left.len(), left[0]["id"].as_str()), (1, Some(key.as_str())));
    let other = Bench::new();
    source(&other, "s", &portal.url("/c.ttl"), &[]);
    json_of(&other, &["source", "run", "s", "--allow-loopback"]);
    assert!(other.run(&["source", "remove", "s", "--purge", "--yes"]).status.success());
    assert_eq!(other.quads(), Vec::<String>::new());
    refused(&other, &["record", "history", &key], "no record has this key");
}

#[test]
fn a_preview_shows_what_would_come_and_writes_nothing() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=30, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    json_of(&bench, &["source", "run", "s", "--allow-loopback"]);
    portal.set("/c.ttl", Page::turtle(datasets(1..=5, "b") + &datasets(6..=40, "a")));
    let serving = Serving::start(&bench, &[]);
    let admin = administrator(&bench);
    let before = files(&bench.store());
    let (status, preview) = serving.ask("GET", "/api/1/harvest/source/s/preview/", Some(&admin), None);
    assert_eq!((status, preview["items"].as_array().map(Vec::len)), (200, Some(20)), "{preview}");
    assert_eq!(count(&preview, "/report/records/changed"), 5);
    assert_eq!(preview["items"][0]["dataset"]["title"], "No 1");
    let unsaved = json!({"name": "Other", "url": portal.url("/c.ttl"), "backend": "dcat"});
    let (status, other) = serving.ask("POST", "/api/1/harvest/source/preview/", Some(&admin), Some(&unsaved));
    assert_eq!((status, count(&other, "/report/records/added")), (200, 20), "{other}");
    let (_, failed) = serving.ask(
        "POST",
        "/api/1/harvest/source/preview/",
        Some(&admin),
        Some(&json!({"name": "No", "url": portal.url("/none"), "backend": "dcat"})),
    );
    assert_eq!(failed["status"], "failed", "{failed}");
    let after = files(&bench.store());
    // The last use of the token is noted, and nothing else; the search index is no matter of previews.
    let differ = differing(&before, &after);
    let is_expected = |name: &&&String| name.contains("operations.sqlite") || name.contains("/search/");
    assert!(differ.iter().all(|name| is_expected(&name)), "{differ:?}");
    assert!(serving.stop(), "a stopped service ends well");
    let alone = files(&bench.store());
    let dry = bench.run(&["harvest", &portal.url("/c.ttl"), "--source", "s", "--dry-run", "--allow-loopback"]);
    assert!(dry.status.success());
    assert_eq!(differing(&files(&bench.store()), &alone), Vec::<&String>::new(), "a dry run writes nothing");
}

#[test]
fn settings_hold_records_back_and_declare_sources() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let untitled = format!("{PREFIXES}<http://e.example/9> a dcat:Dataset ; dct:identifier \"9\" .\n");
    let body = datasets(1..=2, "a") + &untitled.replace(PREFIXES, "");
    portal.set("/c.ttl", Page::turtle(body.replace("dct:description \"a\"@en ;", "")));
    bench.write(
        "moisson.toml",
        &format!("[sources.strict]\nurl = '{0}'\nkind = 'dcat'\npolicy = 'valid'\n[sources.open]\nurl = '{0}?'\nkind = 'dcat'\n", portal.url("/c.ttl")),
    );
    portal.set("/c.ttl?", Page::turtle(body));
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let strict = serving.get("/api/1/harvest/source/strict/");
    assert_eq!(strict["last_job"]["items"]["by_outcome"], json!({"skipped": 3}), "{strict}");
    let job = strict["last_job"]["id"].as_str().expect("a job");
    let items = serving.get(&format!("/api/1/harvest/job/{job}/items/?status=skipped"));
    let told = items["data"][0]["errors"][0]["message"].as_str().expect("a reason");
    assert!(told.contains("description") && told.contains("/c.ttl, line"), "{told}");
    let open = serving.get("/api/1/harvest/source/open/");
    assert_eq!(open["last_job"]["items"]["by_outcome"], json!({"added": 2, "skipped": 1}), "{open}");
    let (status, _) = serving.ask("GET", &format!("/api/1/harvest/job/{job}/items/?status=nothing"), None, None);
    assert_eq!(status, 400);
}

#[test]
fn each_role_may_do_what_is_its_own() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=2, "a")));
    let admin = administrator(&bench);
    let (lyon, nice) = (token(&bench, &["--organization", "lyon"]), token(&bench, &["--organization", "nice"]));
    let serving = Serving::start(&bench, &[]);
    let sent = json!({"name": "Ville de Lyon", "url": portal.url("/c.ttl"), "backend": "dcat"});
    let sources = "/api/1/harvest/sources/";
    let ask = |method: &str, path: &str, token: Option<&str>, body: &Value| {
        serving.ask(method, path, token, Some(body)).0
    };
    assert_eq!(ask("POST", sources, None, &sent), 401);
    assert_eq!(ask("POST", sources, Some("moisson_ab_cd"), &sent), 401);
    let (status, made) = serving.ask("POST", sources, Some(&lyon), Some(&sent));
    assert_eq!(
        (status, &made["organization"]["id"], &made["slug"]),
        (201, &json!("lyon"), &json!("ville-de-lyon"))
    );
    let one = "/api/1/harvest/source/ville-de-lyon/";
    assert_eq!(ask("PUT", one, Some(&nice), &json!({"description": "x"})), 403);
    assert_eq!(ask("PUT", one, Some(&lyon), &json!({"description": "x"})), 200);
    assert_eq!(ask("PUT", one, Some(&lyon), &json!({"organization": "nice"})), 400);
    assert_eq!(ask("POST", &format!("{one}validate/"), Some(&lyon), &json!({"state": "accepted"})), 403);
    assert_eq!(ask("POST", &format!("{one}validate/"), Some(&admin), &json!({"state": "maybe"})), 400);
    assert_eq!(ask("POST", &format!("{one}validate/"), Some(&admin), &json!({"state": "accepted"})), 200);
    serving.wait_for_quiet();
    assert_eq!(ask("POST", &format!("{one}run/"), Some(&nice), &json!({})), 403);
    assert_eq!(ask("POST", &format!("{one}schedule/"), Some(&lyon), &json!("61 * * * *")), 400);
    assert_eq!(ask("POST", &format!("{one}schedule/"), Some(&lyon), &json!("H 3 * * *")), 200);
    // A publisher's token names no file and no secret: they would be sent to a host of his choice.
    for secret in
        [json!({"token_file": "/etc/passwd"}), json!({"token_env": "HOME"}), json!({"mapping": ["/etc/passwd"]})]
    {
        assert_eq!(ask("PUT", one, Some(&lyon), &json!({"config": secret})), 400, "{secret}");
    }
    assert_eq!(ask("PUT", one, Some(&admin), &json!({"config": {"token_env": "LYON_TOKEN"}})), 200);
    assert!(serving.get(one)["config"].get("token_env").is_none(), "where a key is kept is not told");
    let key = bench.records()[0]["id"].as_str().expect("a key").to_owned();
    let record = format!("/api/1/datasets/{key}/");
    assert_eq!(ask("POST", &format!("{record}archive/"), Some(&nice), &json!({})), 403);
    assert_eq!(ask("POST", &format!("{record}archive/"), Some(&lyon), &json!({})), 200);
    assert_eq!(serving.ask("GET", &record, None, None).0, 410);
    assert_eq!(ask("POST", &format!("{record}archive/"), Some(&lyon), &json!({})), 409);
    assert_eq!(ask("POST", &format!("{record}restore/"), Some(&lyon), &json!({})), 200);
    assert_eq!(serving.ask("GET", &record, None, None).0, 200);
    let listed = String::from_utf8_lossy(&bench.run(&["token", "list"]).stdout).into_owned();
    let id = lyon.split('_').nth(1).expect("an identifier");
    assert!(listed.lines().any(|line| line.starts_with(id) && !line.contains("never")), "{listed}");
    assert!(bench.run(&["token", "revoke", id]).status.success());
    assert_eq!(ask("PUT", one, Some(&lyon), &json!({"description": "y"})), 401);
}

#[test]
fn sources_at_private_addresses_are_refused_when_they_are_registered() {
    let bench = Bench::new();
    for host in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "[::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "localhost",
        "db.internal",
        "0x7f000001",
        "2130706433",
        "127.1",
    ] {
        refused(&bench, &["source", "add", &format!("http://{host}/c.ttl")], "is not a public address");
    }
    refused(&bench, &["source", "add", "http://user:secret@data.example/"], "password");
    refused(&bench, &["source", "add", "https://data.example/", "--schedule", "yearly"], "@daily");
    refused(&bench, &["source", "add", "https://data.example/", "--include", "nonsense"], "nonsense");
}

#[test]
fn the_same_dataset_of_two_sources_is_kept_twice_and_one_is_the_authority() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    // The records' own IRIs are at the host of the second source.
    let own = datasets(1..=2, "a").replace("http://e.example/", &portal.url("/jeux/"));
    portal.set("/own.ttl", Page::turtle(own.clone()));
    portal.set("/national.ttl", Page::turtle(own + &datasets(3..=3, "other").replace(PREFIXES, "")));
    let national = portal.url("/national.ttl").replace("127.0.0.1", "localhost");
    source(&bench, "national", &national, &[]);
    source(&bench, "ville", &portal.url("/own.ttl"), &[]);
    json_of(&bench, &["source", "run", "national", "--allow-loopback"]);
    let job = json_of(&bench, &["source", "run", "ville", "--allow-loopback"]);
    assert_eq!(count(&job, "/report/shared"), 2, "{job}");
    let records = bench.records();
    assert_eq!(records.len(), 5);
    let key = |source: &str, remote_id: &str| {
        let found = records.iter().find(|one| one["harvest"]["source"] == source && one["remote_id"] == remote_id);
        found.and_then(|one| one["id"].as_str()).expect("a record").to_owned()
    };
    let shown = json_of(&bench, &["record", "show", &key("national", "1")]);
    let linked = shown["linked"].as_array().expect("a list");
    assert_eq!(linked.len(), 2, "{shown}");
    let authority = linked.iter().find(|one| one["authority"] == true).expect("an authority");
    assert_eq!((&authority["source"], &authority["id"]), (&json!("ville"), &json!(key("ville", "1"))), "{shown}");
    assert!(authority["reason"].as_str().is_some_and(|reason| reason.contains("host")), "{shown}");
    assert_eq!(json_of(&bench, &["record", "show", &key("national", "3")])["linked"], json!([]));
}

#[test]
fn a_key_does_not_follow_a_source_to_another_host() {
    let (bench, portal, other) = (Bench::new(), StandIn::start(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=2, "a")));
    other.set("/c.ttl", Page::turtle(datasets(1..=2, "a")));
    source(&bench, "lyon", &portal.url("/c.ttl"), &["--organization", "lyon", "--token-env", "LYON_KEY"]);
    let lyon = token(&bench, &["--organization", "lyon"]);
    let mut command = bench.command();
    command.env("LYON_KEY", "secret-key");
    let serving = Serving::start_with(command, &[]);
    serving.wait_for_quiet();
    assert!(portal.take_heads().iter().any(|head| head.contains("secret-key")), "its own host gets it");
    let moved = json!({"url": other.url("/c.ttl")});
    let one = "/api/1/harvest/source/lyon/";
    let (status, told) = serving.ask("PUT", one, Some(&lyon), Some(&moved));
    assert_eq!((status, &told["validation"]["state"]), (200, &json!("pending")), "another port is another origin");
    let (status, preview) = serving.ask("GET", &format!("{one}preview/"), Some(&lyon), None);
    assert_eq!((status, count(&preview, "/report/records/seen")), (200, 2), "{preview}");
    let heads = other.take_heads();
    assert!(!heads.is_empty() && heads.iter().all(|head| !head.contains("secret-key")), "{heads:?}");
}

#[test]
fn a_job_that_waits_ends_with_the_acceptance_of_its_source() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    bench.write("moisson.toml", "[service]\nworkers = 1\n");
    let slow = Page { delay: std::time::Duration::from_secs(3), ..Page::turtle(datasets(1..=2, "a")) };
    portal.set("/slow", slow);
    portal.set("/c.ttl", Page::turtle(datasets(3..=4, "a")));
    source(&bench, "slow", &portal.url("/slow"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    crate::serving::until(std::time::Duration::from_secs(10), || (!portal.take_asked().is_empty()).then_some(()));
    for (name, path) in [("refused", "/c.ttl"), ("removed", "/c.ttl?"), ("kept", "/c.ttl")] {
        let sent = json!({"name": name, "url": portal.url(path), "backend": "dcat"});
        assert_eq!(serving.ask("POST", "/api/1/harvest/sources/", Some(&admin), Some(&sent)).0, 201);
        let verdict = json!({"state": "accepted"});
        let path = format!("/api/1/harvest/source/{name}/validate/");
        assert_eq!(serving.ask("POST", &path, Some(&admin), Some(&verdict)).0, 200);
    }
    let refusal = json!({"state": "refused", "comment": "no"});
    serving.ask("POST", "/api/1/harvest/source/refused/validate/", Some(&admin), Some(&refusal));
    assert_eq!(serving.ask("DELETE", "/api/1/harvest/source/removed/", Some(&admin), None).0, 204);
    serving.wait_for_quiet();
    assert_eq!(portal.take_asked(), ["/c.ttl"], "only the source that is still accepted is asked");
    assert_eq!(serving.get("/api/1/harvest/source/refused/")["last_job"]["state"], "cancelled");
    assert_eq!(serving.get("/api/1/harvest/source/kept/")["last_job"]["state"], "done");
}

#[test]
fn a_declared_source_that_was_refused_stays_so_and_is_not_harvested_at_each_start() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(datasets(1..=2, "a")));
    bench.write("moisson.toml", &format!("[sources.s]\nurl = '{}'\nkind = 'dcat'\n", portal.url("/c.ttl")));
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    assert_eq!(portal.take_asked().len(), 1);
    assert!(serving.stop());
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    assert_eq!(portal.take_asked().len(), 0, "a start is no reason to ask");
    let admin = administrator(&bench);
    let refusal = json!({"state": "refused", "comment": "no"});
    serving.ask("POST", "/api/1/harvest/source/s/validate/", Some(&admin), Some(&refusal));
    assert!(serving.stop());
    let serving = Serving::start(&bench, &[]);
    assert_eq!(serving.get("/api/1/harvest/source/s/")["validation"]["state"], "refused");
}
