//! CKAN portals: their packages as records, through every way that a portal answers.

use crate::generated::{ask, each_defect_is_found, generator, write_revision};
use crate::moisson::{Bench, count, harvest_served, text};
use crate::shared::{self, files, review};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[test]
fn each_case_gives_its_triples_and_its_record() {
    each_case("ckan", "package.json");
}

/// Each case is an answer of a portal; what it becomes is looked at, triple by triple and field by field.
pub(crate) fn each_case(kind: &str, file: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(kind);
    let cases = files(&root, &[file]);
    assert!(!cases.is_empty(), "the cases were not found");
    let mut wrong = Vec::new();
    for package in cases {
        let folder = package.parent().expect("a case's folder");
        let bench = Bench::new();
        bench.harvest(text(&package), &["--kind", kind, "--source", "case"]);
        let quads: Vec<String> = bench.quads().into_iter().filter(|quad| !is_of_the_run(quad)).collect();
        wrong.extend(review(&folder.join("expected.nq"), &format!("{}\n", quads.join("\n"))));
        let mut record = bench.records().remove(0);
        for field in ["first_seen", "last_seen", "source"] {
            record["harvest"][field] = Value::Null;
        }
        let record = serde_json::to_string_pretty(&record).expect("a record is JSON");
        wrong.extend(review(&folder.join("record.json"), &format!("{record}\n")));
    }
    assert!(wrong.is_empty(), "look, then run with MOISSON_REVIEW=1:\n{}", wrong.join("\n"));
}

/// The catalogue record has the time of the harvest, and the source's graph the place of the file.
fn is_of_the_run(quad: &str) -> bool {
    quad.contains("/record/") || quad.contains("/source/")
}

#[test]
fn real_answers_give_what_the_table_says() {
    real_answers("ckan", "ckan-json");
}

/// The table of a folder of real answers.
pub(crate) fn real_answers(kind: &str, folder: &str) {
    answers_give(kind, &["--kind", kind], folder, ".json");
}

/// The table of a folder of answers that are harvested with some options.
pub(crate) fn answers_give(name: &str, options: &[&str], folder: &str, ending: &str) {
    let Some(folder) = shared::data(folder) else { return };
    let folder = folder.canonicalize().expect("an existing folder");
    let mut table =
        "| file | outcome | records | findings | first error | unmapped fields |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for file in files(&folder, &[ending]) {
        let bench = Bench::new();
        let output = bench.harvest_output(text(&file), options);
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let failure = said.lines().last().unwrap_or_default().trim_start_matches("moisson: ").to_owned();
        let error = match (&report["status"], report["errors"][0]["message"].as_str()) {
            (status, _) if status == "failed" => failure,
            (_, message) => message.unwrap_or_default().to_owned(),
        };
        let name = file.strip_prefix(&folder).expect("below").display().to_string();
        let findings = ["violation", "warning", "info"]
            .map(|severity| count(&report, &format!("/findings/{severity}")).to_string());
        let status = report["status"].as_str().unwrap_or_default();
        let error = error.replace(&format!("{}/", folder.display()), "").replace('|', "/");
        writeln!(
            table,
            "| {name} | {status} | {} | {} | {error} | {} |",
            count(&report, "/records/added"),
            findings.join(" "),
            unmapped(&report)
        )
        .expect("memory");
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/review/{name}.md"));
    let head = "# The real answers of portals\n\nFindings are violations, warnings, information. Written by a test; look before you keep a change.\n\n";
    let wrong = review(&kept, &format!("{head}{table}"));
    assert!(wrong.is_none(), "look, then run with MOISSON_REVIEW=1:\n{}", wrong.unwrap_or_default());
}

/// The fields that no query read, by name.
fn unmapped(report: &Value) -> String {
    let fields = report["unmapped"].as_array().into_iter().flatten();
    fields.filter_map(|field| field["field"].as_str()).collect::<Vec<_>>().join(", ")
}

/// What the generator's packages show of the defects, and the state of each by its identifier.
const PACKAGES: &str = r"
import sys, json
sys.path.insert(0, sys.argv[1])
import gen_catalog
catalogue = gen_catalog.Catalog(int(sys.argv[2]), 1, 'http://127.0.0.1:8085', revision=int(sys.argv[3]))
counts, states = {}, {}
for index in catalogue.ids:
    dataset = catalogue.dataset(index)
    package = gen_catalog.ckan_package(catalogue, dataset)
    defects = set(dataset.defects)
    # What has no title is not published.
    if 'no_title' not in defects: states[package['id']] = json.dumps(package, sort_keys=True)
    if 'no_description' in defects: defects.discard('html_description')
    if 'no_licence' in defects: defects.discard('text_licence')
    for defect in defects: counts[defect] = counts.get(defect, 0) + 1
print(json.dumps([counts, states]))
";

type Packages = (BTreeMap<String, u64>, BTreeMap<String, String>);

fn packages(generator: &Path, number: usize, revision: u32) -> Packages {
    ask(generator, PACKAGES, &[&number.to_string(), &revision.to_string()])
}

/// The rule by which each defect that CKAN shows is found.
const RULES: &[(&str, &str)] = &[
    ("bad_byte_size", "dcat-ap-3/Distribution-byteSize-datatype"),
    ("bad_date", "dcat-ap-3/Dataset-issued-date"),
    ("bad_iri", "lift/invalid-iri"),
    ("html_description", "moisson/description-html"),
    ("no_description", "dcat-ap-3/Dataset-description-required"),
    ("no_licence", "moisson/licence-missing"),
    ("no_publisher", "moisson/publisher-missing"),
    ("no_title", "dcat-ap-3/Dataset-title-required"),
    ("text_licence", "convert/text-licence"),
    ("text_theme", "convert/text-theme"),
];

#[test]
fn every_package_is_a_record_and_every_defect_a_finding() {
    let Some(generator) = generator() else { return };
    let (expected, _) = packages(&generator, 1_000, 0);
    let checked = each_defect_is_found(&generator, "ckan", RULES, &expected);
    let place = checked["findings"][0]["place"]["page"].as_str().expect("a place");
    assert!(place.contains("/api/3/action/package_show?id="), "{place}");
}

#[test]
fn revisions_are_reported_to_the_package() {
    let Some(generator) = generator() else { return };
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\n");
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    for revision in 0..=3 {
        let out = write_revision(&bench, &generator, revision, &["--formats", "ckan"]);
        let portal_page = merged(&out);
        let file = bench.write("packages.json", &portal_page.to_string());
        let report = bench.harvest(text(&file), &["--kind", "ckan"]);
        let (_, after) = packages(&generator, 600, revision);
        let gone = before.keys().filter(|id| !after.contains_key(*id)).count() as u64;
        let added = after.keys().filter(|id| !before.contains_key(*id)).count() as u64;
        let same = after.iter().filter(|(id, state)| before.get(*id) == Some(state)).count() as u64;
        let counted = ["archived", "added", "unchanged"].map(|name| count(&report, &format!("/records/{name}")));
        assert_eq!(counted, [gone, added, same], "revision {revision}: {report}");
        before = after;
    }
}

/// Two days of a portal, a file for each package, as the interface before version 3 gave them.
#[test]
fn the_next_day_of_a_portal_is_reported_as_its_files_show() {
    let Some(folder) = shared::data("ckan-incremental/opendatatrentino__ckan-api-client/random") else { return };
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 100\n");
    let mut before: BTreeMap<String, Value> = BTreeMap::new();
    for day in ["day-00", "day-01"] {
        let packages: Vec<Value> = files(&folder.join(day).join("dataset"), &[".json"])
            .iter()
            .map(|file| serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON"))
            .collect();
        let after: BTreeMap<String, Value> =
            packages.iter().map(|package| (package["id"].to_string(), package.clone())).collect();
        let answer = json!({"success": true, "result": {"count": packages.len(), "results": packages}});
        let file = bench.write("packages.json", &answer.to_string());
        let report = bench.harvest(text(&file), &["--kind", "ckan"]);
        let added = after.keys().filter(|id| !before.contains_key(*id)).count() as u64;
        let gone = before.keys().filter(|id| !after.contains_key(*id)).count() as u64;
        let changed =
            after.iter().filter(|(id, now)| before.get(*id).is_some_and(|old| old != *now)).count() as u64;
        let counted = ["added", "archived", "changed"].map(|name| count(&report, &format!("/records/{name}")));
        assert_eq!(counted, [added, gone, changed], "{day}: {report}");
        assert!(added > 0, "{day} has no packages");
        let tags = bench.records()[0]["tags"].as_array().map_or(0, Vec::len);
        assert!(tags > 0, "the tags of old interfaces are words");
        before = after;
    }
}

/// The pages of a portal as one answer.
fn merged(folder: &Path) -> Value {
    let mut results = Vec::new();
    for file in files(folder, &[".json"]) {
        let page: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
        results.extend(page["result"]["results"].as_array().into_iter().flatten().cloned());
    }
    json!({"success": true, "help": "http://127.0.0.1:8085/api/3/action/help_show?name=package_search",
        "result": {"count": results.len(), "results": results}})
}

fn package(id: &str) -> Value {
    json!({"id": id, "name": format!("name-{id}"), "title": format!("Title {id}"), "state": "active", "private": false,
        "resources": [{"id": format!("r-{id}"), "url": format!("https://e.example/{id}.csv"), "format": "CSV"}]})
}

fn found(count: u64, packages: &[Value]) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"success": true, "result": {"count": count, "results": packages}}))
}

/// Serves pages of `package_search` by where they start.
async fn serve_search(server: &MockServer, pages: &[(&str, ResponseTemplate)]) {
    for (start, page) in pages {
        Mock::given(path("/api/3/action/package_search"))
            .and(query_param("start", *start))
            .and(query_param("sort", "id asc"))
            .respond_with(page.clone())
            .mount(server)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_as_long_as_the_portal_lets_them() {
    let server = MockServer::start().await;
    let pages = [
        ("0", found(5, &[package("a"), package("b")])),
        ("2", found(5, &[package("c"), package("d")])),
        ("4", found(5, &[package("e")])),
    ];
    serve_search(&server, &pages).await;
    let bench = Bench::new();
    let (code, report, said) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!((code, count(&report, "/records/added"), count(&report, "/pages")), (Some(0), 5, 3), "{said}");
    assert_eq!(report["complete"], true);
    let (_, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(count(&report, "/records/unchanged"), 5, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_cannot_give_so_many_is_asked_for_fewer() {
    let server = MockServer::start().await;
    let fails = ResponseTemplate::new(500).set_body_string("out of memory");
    Mock::given(query_param("rows", "500")).respond_with(fails).mount(&server).await;
    serve_search(&server, &[("0", found(1, &[package("a")]))]).await;
    let (code, report, said) = harvest_served(&Bench::new(), &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 1), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_public_is_left_out_and_counted() {
    let server = MockServer::start().await;
    let with = |id: &str, field: &str, value: Value| {
        let mut package = package(id);
        package[field] = value;
        package
    };
    let packages = [
        package("a"),
        with("b", "private", json!(true)),
        with("c", "state", json!("draft")),
        with("d", "type", json!("harvest")),
        json!({"title": "Neither id nor name"}),
    ];
    serve_search(&server, &[("0", found(5, &packages))]).await;
    let (code, report, _) = harvest_served(&Bench::new(), &server.uri(), &["--kind", "ckan"]).await;
    let counted = ["added", "skipped", "failed"].map(|name| count(&report, &format!("/records/{name}")));
    assert_eq!((code, counted), (Some(1), [1, 3, 1]), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_or_a_page_that_lies_archives_nothing() {
    let server = MockServer::start().await;
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 100\n");
    serve_search(&server, &[("0", found(2, &[package("a"), package("b")]))]).await;
    let (code, _, said) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(code, Some(0), "{said}");
    server.reset().await;
    // The second page is the first once more.
    serve_search(&server, &[("0", found(9, &[package("a")])), ("1", found(9, &[package("a")]))]).await;
    let (code, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(
        (code, &report["complete"], count(&report, "/records/archived")),
        (Some(1), &json!(false), 0),
        "{report}"
    );
    assert_eq!(bench.records().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_search_each_package_of_the_list_is_asked_for() {
    let server = MockServer::start().await;
    let no_search =
        ResponseTemplate::new(200).set_body_json(json!({"success": false, "error": {"message": "Search is off"}}));
    Mock::given(path("/api/3/action/package_search")).respond_with(no_search).mount(&server).await;
    let list = ResponseTemplate::new(200)
        .set_body_json(json!({"success": true, "result": ["name-a", "name-b", "name-c"]}));
    Mock::given(path("/api/3/action/package_list")).respond_with(list).mount(&server).await;
    let answer =
        |result: Value| ResponseTemplate::new(200).set_body_json(json!({"success": true, "result": result}));
    let refused =
        ResponseTemplate::new(403).set_body_json(json!({"success": false, "error": {"message": "Access denied"}}));
    // DKAN shows a package in a list.
    for (name, shown) in
        [("name-a", answer(package("a"))), ("name-b", answer(json!([package("b")]))), ("name-c", refused)]
    {
        Mock::given(path("/api/3/action/package_show"))
            .and(query_param("id", name))
            .respond_with(shown)
            .mount(&server)
            .await;
    }
    let bench = Bench::new();
    let (code, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(
        (code, count(&report, "/records/added"), &report["complete"]),
        (Some(1), 2, &json!(false)),
        "{report}"
    );
    assert_eq!(report["errors"][0]["record"], "name-c", "{report}");
    let message = report["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("403") && message.contains("Access denied"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_portal_says_that_the_kind_is_ckan() {
    let server = MockServer::start().await;
    let page =
        r#"<html><head><meta name="generator" content="ckan 2.10.4" /><title>Open data</title></head></html>"#;
    let answer = ResponseTemplate::new(200).set_body_raw(page, "text/html");
    Mock::given(path("/")).respond_with(answer).mount(&server).await;
    let bench = Bench::new();
    let mut command = bench.command();
    command.args(["harvest", &server.uri(), "--allow-loopback"]);
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("it starts")).await.expect("a result");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("it is a page of a CKAN portal: add --kind ckan"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_answers_otherwise_fails_with_its_own_words() {
    for (body, words) in [
        ("<html><h1>Maintenance</h1></html>", "a web page"),
        ("\"Bad request - Action name not known\"", "Action name not known"),
        (r#"{"success": false, "error": {"__type": "Authorization Error", "message": "No access"}}"#, "No access"),
        (r#"{"success": true, "result": {"count": 0}}"#, "no list of results"),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200).set_body_string(body);
        Mock::given(path("/api/3/action/package_search")).respond_with(answer).mount(&server).await;
        let (code, report, said) = harvest_served(&Bench::new(), &server.uri(), &["--kind", "ckan"]).await;
        assert_eq!((code, &report["status"]), (Some(3), &json!("failed")), "{body}");
        assert!(said.contains(words), "{body}: {said}");
    }
}
