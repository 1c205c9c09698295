//! Real catalogues, harvested from files: what comes out, and that a second harvest writes nothing.

use crate::moisson::{Bench, count, text};
use crate::shared;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

const UDATA: &str = "dcat-rdf/opendatateam__udata/dcat";

fn by_remote_id<'r>(records: &'r [Value], remote_id: &str) -> &'r Value {
    records
        .iter()
        .find(|record| record["remote_id"] == remote_id)
        .unwrap_or_else(|| panic!("no record {remote_id}"))
}

#[test]
fn the_platform_s_own_fixtures_give_the_counts_that_its_tests_assert() {
    let Some(folder) = shared::data(UDATA) else { return };
    let expected = [
        ("catalog.xml", 4, 0),
        ("bnodes.xml", 4, 1),
        ("flat.jsonld", 3, 0),
        ("nested.jsonld", 1, 0),
        ("bnodes.jsonld", 3, 0),
        ("evian.json", 8, 0),
        ("geonetwork.xml", 1, 0),
        ("datara--5a26b0f6-0ccf-46ad-ac58-734054b91977.rdf.xml", 1, 0),
    ];
    for (file, seen, services) in expected {
        let bench = Bench::new();
        let path = folder.join(file);
        let report = bench.harvest(text(&path), &[]);
        let counted =
            (count(&report, "/records/seen"), count(&report, "/records/added"), count(&report, "/services"));
        assert_eq!(counted, (seen, seen, services), "{file}: {report}");
        let before = bench.quads();
        let again = bench.harvest(text(&path), &[]);
        assert_eq!(count(&again, "/records/unchanged"), seen, "{file}: {again}");
        assert_eq!(again["findings"], report["findings"], "{file}");
        assert_eq!(bench.quads(), before, "{file}");
    }
}

/// The records of one of the platform's own fixtures.
fn records_of(file: &str) -> Option<Vec<Value>> {
    let bench = Bench::new();
    bench.harvest(text(&shared::data(UDATA)?.join(file)), &[]);
    Some(bench.records())
}

#[test]
fn resources_and_tags_are_those_that_the_platform_s_tests_assert() {
    let Some(records) = records_of("flat.jsonld") else { return };
    let resources: Vec<usize> =
        ["1", "2", "3"].map(|id| by_remote_id(&records, id)["resources"].as_array().map_or(0, Vec::len)).into();
    assert_eq!(resources, [2, 2, 1]);
    let tags = by_remote_id(&records, "1")["tags"].clone();
    assert_eq!(tags, json!(["tag-1", "tag-2", "tag-3", "tag-4", "theme-1", "theme-2"]));
}

#[test]
fn periods_and_checksums_are_those_that_the_platform_s_tests_assert() {
    let Some(records) = records_of("nested.jsonld") else { return };
    let record = &records[0];
    assert_eq!(record["temporal_coverage"], json!({"start": "2016-01-01", "end": "2016-12-05"}));
    assert_eq!(record["resources"][0]["checksum"]["type"], "sha1");
}

#[test]
fn licences_frequencies_and_access_are_those_that_the_platform_s_tests_assert() {
    let Some(records) = records_of("catalog.xml") else { return };
    let third = by_remote_id(&records, "3");
    assert_eq!(third["access_type"], "restricted");
    assert_eq!(third["frequency"], "daily");
    assert_eq!(by_remote_id(&records, "1")["license"], "lov1");
    assert_eq!(by_remote_id(&records, "2")["license"], "lov2");

    let first = by_remote_id(&records, "1");
    assert_eq!(first["resources"].as_array().map(Vec::len), Some(4));
    assert!(
        first["resources"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "other")),
        "{first}"
    );
    assert!(records.iter().any(|record| {
        record["resources"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "api"))
    }));
    // The platform's own test has no licence here: it does not know this spelling of one it has.
    assert_eq!(third["license"], "lov2");
    assert_eq!(third["temporal_coverage"], json!({"start": "2016-01-01", "end": "2016-12-05"}));
}

#[test]
fn places_tags_and_services_are_those_that_the_platform_s_tests_assert() {
    let Some(records) = records_of("bnodes.xml") else { return };
    let inspire = records
        .iter()
        .filter(|record| record["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "inspire")));
    assert_eq!(inspire.count(), 2);
    let located: Vec<&Value> = records.iter().filter(|record| !record["spatial"]["geom"].is_null()).collect();
    assert!(!located.is_empty());
    for record in located {
        let shapes = record["spatial"]["geom"]["coordinates"].as_array().expect("polygons");
        let mut distinct = shapes.clone();
        distinct.dedup();
        assert_eq!(&distinct, shapes, "the same polygon twice");
        assert!(!record["spatial"]["geom"].to_string().contains("NaN"));
    }
    let service = records.iter().find(|record| record["type"] == "service").expect("the service");
    assert_eq!(service["extras"]["serves_dataset"].as_array().map(Vec::len), Some(2), "{service}");
}

#[test]
fn a_geonetwork_s_dates_are_those_that_the_platform_s_tests_assert() {
    let Some(records) = records_of("geonetwork.xml") else { return };
    let record = &records[0];
    assert_eq!(record["harvest"]["issued_at"], "2004-11-03");
    assert_eq!(record["modified_at"], Value::Null);
    assert_eq!(record["temporal_coverage"], json!({"start": "2004-11-03", "end": "2005-03-30"}));
}

#[test]
fn boxes_and_licences_written_as_text_are_read() {
    let Some(records) = records_of("evian.json") else { return };
    let located: Vec<&Value> = records.iter().filter(|record| !record["spatial"].is_null()).collect();
    assert_eq!(located.len(), 5, "the boxes written as text");
    assert!(located.iter().all(|record| record["spatial"]["geom"]["type"] == "MultiPolygon"));
    // Its address inside a sentence inside HTML; a third names it in words only.
    let licensed = records.iter().filter(|record| record["license"] == "lov2").count();
    assert_eq!(licensed, 2);
}

#[test]
fn german_portals_are_read_whole_in_both_syntaxes() {
    let folder = "dcat-rdf-big/GovDataOfficial__DCAT-AP.de-SHACL-Validation/testcases/dashboard";
    let Some(folder) = shared::data(folder) else { return };
    let expected = [
        ("brandenburg-catalog-original-input.rdf", 112),
        ("brandenburg-catalog-original-input.ttl", 112),
        ("bremen-catalog-original-input.rdf", 153),
    ];
    for (file, datasets) in expected {
        let bench = Bench::new();
        let report = bench.harvest(text(&folder.join(file)), &[]);
        assert_eq!(count(&report, "/records/added"), datasets, "{file}: {report}");
        assert_eq!(bench.records().len() as u64, datasets, "{file}");
    }
}

/// The platform's own pages, served at the addresses that they name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_a_partial_collection_are_four_items() {
    use wiremock::matchers::{method, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};
    let Some(folder) = shared::data(UDATA) else { return };
    let server = MockServer::start().await;
    let page = |number: u32| {
        let text =
            std::fs::read_to_string(folder.join(format!("partial-collection-{number}.jsonld"))).expect("a page");
        // The pages name one another by an address of the platform's test server.
        let local = format!("{}/catalog", server.uri());
        let text = text.replace("http://data.test.org/catalog.jsonld", &local);
        ResponseTemplate::new(200).set_body_raw(text, "application/ld+json")
    };
    Mock::given(method("GET")).and(query_param("page", "2")).respond_with(page(2)).expect(1).mount(&server).await;
    Mock::given(method("GET")).respond_with(page(1)).mount(&server).await;
    let address = format!("{}/catalog", server.uri());
    let report = tokio::task::spawn_blocking(move || Bench::new().harvest(&address, &["--allow-loopback"]));
    let report = report.await.expect("a report");
    assert_eq!((count(&report, "/records/seen"), count(&report, "/pages")), (4, 2), "{report}");
}

/// Every file gives records or a clear error: the table is kept for review.
#[test]
fn every_real_file_ends_in_records_or_a_clear_error() {
    let Some(folder) = shared::data("dcat-rdf") else { return };
    let mut table = String::from(
        "file | exit | records | findings | errors | first error\n--- | --- | --- | --- | --- | ---\n",
    );
    for file in shared::files(&folder, &[".rdf", ".xml", ".ttl", ".jsonld", ".json", ".trig"]) {
        let bench = Bench::new();
        let output = bench.harvest_output(text(&file), &[]);
        let name = file.strip_prefix(&folder).expect("below the folder").display().to_string();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1 | 3)), "{name}: {code:?} {errors}");
        assert!(!errors.contains("panicked"), "{name}: {errors}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report, also of a failed job");
        let said = errors.lines().last().unwrap_or_default().trim_start_matches("moisson: ");
        let line = if report["status"] == "failed" { format!("0 | 0 | 1 | {said}") } else { row(&report) };
        let line = line.replace(&format!("file://{}", folder.canonicalize().expect("a folder").display()), "");
        let line = line.replace(text(&folder.canonicalize().expect("a folder")), "").replace(text(&folder), "");
        let _ = writeln!(table, "{name} | {} | {line}", code.unwrap_or(-1));
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/catalogues.md");
    println!("{table}");
    let changed = shared::review(&kept, &table);
    assert!(changed.is_none(), "the table changed; look, then run with MOISSON_REVIEW=1: {changed:?}");
}

fn row(report: &Value) -> String {
    let findings: u64 =
        ["violation", "warning", "info"].iter().map(|name| count(report, &format!("/findings/{name}"))).sum();
    let errors = report["errors"].as_array().map_or(0, Vec::len);
    let first = report.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or_default();
    format!("{} | {findings} | {errors} | {}", count(report, "/records/seen"), first.replace('\n', " "))
}

const CATALOGUE: &str = r#"@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<http://e.example/c> a dcat:Catalog ; dcat:dataset <http://e.example/1>, <http://e.example/2>, <http://e.example/3> .
<http://e.example/1> a dcat:Dataset ; dct:title "One"@en ; dct:identifier "1" ; dcat:distribution [ dcat:downloadURL <http://e.example/1.csv> ] .
<http://e.example/2> a dcat:Dataset ; dct:title "Two"@en ; dct:identifier "2" ; dcat:distribution [ dcat:downloadURL <http://e.example/2.csv> ] .
<http://e.example/3> a dcat:Dataset ; dct:title "Three"@en ; dct:identifier "3" ; dcat:distribution [ dcat:downloadURL <http://e.example/3.csv> ] .
"#;

#[test]
fn an_edited_file_changes_exactly_the_edited_record() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    bench.harvest(text(&file), &[]);
    let before = bench.quads();
    bench.write("c.ttl", &CATALOGUE.replace("\"Two\"@en", "\"Second\"@en"));
    let report = bench.harvest(text(&file), &[]);
    assert_eq!((count(&report, "/records/changed"), count(&report, "/records/unchanged")), (1, 2), "{report}");
    let after = bench.quads();
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].contains("\"Two\"@en"));
}

#[test]
fn a_changed_identifier_is_a_rename_and_keeps_the_key() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    bench.harvest(text(&file), &[]);
    let key = by_remote_id(&bench.records(), "2")["id"].clone();
    let renamed = CATALOGUE.replace("dct:identifier \"2\"", "dct:identifier \"two\"");
    bench.write("c.ttl", &renamed);
    let report = bench.harvest(text(&file), &[]);
    assert_eq!(count(&report, "/records/renamed"), 1, "{report}");
    assert_eq!((count(&report, "/records/added"), count(&report, "/records/missing")), (0, 0), "{report}");
    let records = bench.records();
    assert_eq!(records.len(), 3);
    assert_eq!(by_remote_id(&records, "two")["id"], key);
    let again = bench.harvest(text(&file), &[]);
    assert_eq!(count(&again, "/records/unchanged"), 3, "{again}");
}

#[test]
fn a_record_that_is_gone_is_missing_and_stays_within_its_days_of_grace() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    bench.harvest(text(&file), &[]);
    let without: String = CATALOGUE
        .lines()
        .filter(|line| !line.starts_with("<http://e.example/3>"))
        .map(|line| line.replace(", <http://e.example/3>", "") + "\n")
        .collect();
    bench.write("c.ttl", &without);
    let report = bench.harvest(text(&file), &[]);
    assert_eq!((count(&report, "/records/missing"), count(&report, "/records/archived")), (1, 0), "{report}");
    assert_eq!(bench.records().len(), 3);
    bench.write("c.ttl", CATALOGUE);
    let back = bench.harvest(text(&file), &[]);
    assert_eq!(count(&back, "/records/restored"), 1, "{back}");
}

#[test]
fn without_grace_a_gone_record_is_archived_and_too_many_are_held() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 40\n");
    bench.harvest(text(&file), &[]);
    let without = |numbers: &[&str]| -> String {
        CATALOGUE
            .lines()
            .filter(|line| !numbers.iter().any(|number| line.starts_with(&format!("<http://e.example/{number}>"))))
            .map(|line| {
                numbers
                    .iter()
                    .fold(line.to_owned(), |line, n| line.replace(&format!(", <http://e.example/{n}>"), ""))
                    + "\n"
            })
            .collect()
    };
    bench.write("c.ttl", &without(&["2", "3"]));
    let held = bench.harvest(text(&file), &[]);
    assert_eq!(held["status"], "held", "{held}");
    assert_eq!(bench.records().len(), 3);
    bench.write("c.ttl", &without(&["3"]));
    let report = bench.harvest(text(&file), &[]);
    assert_eq!(count(&report, "/records/archived"), 1, "{report}");
    assert_eq!(bench.records().len(), 2);
    bench.write("c.ttl", CATALOGUE);
    let back = bench.harvest(text(&file), &[]);
    assert_eq!(count(&back, "/records/restored"), 1, "{back}");
    assert_eq!(bench.records().len(), 3);
}

#[test]
fn a_syntax_error_keeps_the_other_records_and_archives_nothing() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    bench.write("moisson.toml", "grace_days = 0\n");
    bench.harvest(text(&file), &[]);
    bench.write("c.ttl", &CATALOGUE.replace("dct:title \"Two\"@en", "dct:title oops"));
    let report = bench.harvest(text(&file), &[]);
    assert_eq!(report["complete"], false, "{report}");
    assert_eq!(count(&report, "/records/archived"), 0, "{report}");
    assert_eq!(count(&report, "/records/changed"), 0, "{report}");
    assert!(count(&report, "/records/unchanged") >= 2, "{report}");
    assert_eq!(bench.records().len(), 3);
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", CATALOGUE);
    let report = bench.harvest(text(&file), &["--dry-run"]);
    assert_eq!(count(&report, "/records/added"), 3, "{report}");
    assert!(!bench.store().exists());
}

#[test]
fn exit_codes_say_what_failed() {
    let bench = Bench::new();
    let code = |arguments: &[&str]| bench.run(arguments).status.code();
    assert_eq!(code(&["harvest", "/nowhere/at/all.ttl"]), Some(2));
    assert_eq!(code(&["harvest", "--no-such-flag"]), Some(2));
    assert_eq!(code(&["harvest", "http://127.0.0.1:9/x"]), Some(3));
    assert_eq!(code(&["records", "--store", "empty"]), Some(4));
    let empty = bench.write("empty.ttl", "<http://a/b> <http://a/c> <http://a/d> .");
    assert_eq!(code(&["harvest", text(&empty)]), Some(3));
    let page = bench.write("page.html", "<html><title>Hello</title></html>");
    let output = bench.run(&["harvest", text(&page)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("titled \"Hello\""));
}

#[test]
fn the_sample_catalogue_makes_a_report_worth_reading() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    let bench = Bench::new();
    let report = bench.harvest(text(&sample), &[]);
    assert_eq!((count(&report, "/records/seen"), count(&report, "/services")), (26, 1), "{report}");
    assert_eq!(count(&report, "/records/failed"), 1, "{report}");
    let output = bench.run(&["check", text(&sample), "--format", "json", "--fail-on", "never"]);
    let checked: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = checked["findings"].as_array().expect("findings").clone();
    for rule in [
        "dcat-ap-3/Dataset-title-required",
        "dcat-ap-3/Dataset-description-required",
        "dcat-ap-3/Dataset-issued-date",
        "dcat-ap-3/Dataset-theme-kind",
        "dcat-ap-3/Distribution-byteSize-datatype",
        "dcat-ap-3/Distribution-accessURL-required",
        "moisson/description-html",
        "dcat-ap-3/Distribution-license-required",
        "dcat-ap-3/Distribution-license-kind",
        "dcat-ap-3/Dataset-publisher-required",
        "dcat-ap-3/Dataset-accrualPeriodicity-kind",
        "moisson/distribution-named",
        "moisson/title-language",
    ] {
        let found = findings.iter().find(|finding| finding["rule"] == rule);
        // The record without an access address is the one whose identifier another has.
        if rule.ends_with("accessURL-required") {
            continue;
        }
        let finding = found.unwrap_or_else(|| panic!("no finding of {rule}"));
        assert!(finding["place"]["line"].as_u64().is_some_and(|line| line > 1), "{finding}");
    }
}
