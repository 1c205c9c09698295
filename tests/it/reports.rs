//! Reports as publishers and their tools read them.

use crate::moisson::{Bench, text};
use crate::serving::Serving;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl")
}

fn check(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = bench.run(&[&["check"], arguments].concat());
    let said = String::from_utf8_lossy(&stdout).into_owned();
    (status.code(), if said.is_empty() { String::from_utf8_lossy(&stderr).into_owned() } else { said })
}

fn checked(bench: &Bench, file: &Path, more: &[&str]) -> Value {
    let (_, said) = check(bench, &[&[text(file), "--format", "json"], more].concat());
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn every_format_tells_the_same_findings() {
    let bench = Bench::new();
    let report = checked(&bench, &sample(), &[]);
    let findings = report["findings"].as_array().expect("findings");
    assert!(findings.len() > 100);
    let of = |format: &str| check(&bench, &[text(&sample()), "--format", format]).1;
    assert_eq!(of("csv").lines().count(), findings.len() + 1);
    let sarif: Value = serde_json::from_str(&of("sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let errors = report["report"]["errors"].as_array().expect("errors").len();
    let faults: u64 =
        report["groups"].as_array().expect("groups").iter().filter_map(|group| group["places"].as_u64()).sum();
    assert_eq!(results.len() as u64, faults + errors as u64, "a fault that several records have is one result");
    let region =
        results.iter().find(|result| result["ruleId"] == "dcat-ap-3/Dataset-issued-date").expect("a result");
    assert_eq!(region["level"], "error");
    let physical = &region["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], text(&sample()));
    assert!(physical["region"]["startColumn"].is_u64(), "{region}");
    assert_eq!(of("turtle").matches("sh:ValidationResult").count(), findings.len());
    assert_eq!(of("jsonld").matches("sh:ValidationResult").count(), findings.len());
    let junit = of("junit");
    let groups = report["groups"].as_array().expect("groups");
    let broken = groups.iter().filter(|group| group["severity"] == "violation").count();
    assert_eq!(junit.matches("<failure").count(), broken + 1, "the rules, and what could not be read");
    assert!(junit.contains(&format!("failures=\"{}\"", broken + 1)), "{}", &junit[..400]);
    let counted: u64 = groups.iter().filter_map(|group| group["count"].as_u64()).sum();
    assert_eq!(counted, findings.len() as u64);
    // What must be fixed, what changes the record, the rest; of each the dearest first.
    let order: Vec<(u8, Reverse<u64>)> = groups
        .iter()
        .map(|group| {
            let part = match (group["severity"].as_str(), group["field"].is_string()) {
                (Some("violation"), _) => 0,
                (Some("warning"), true) => 1,
                _ => 2,
            };
            (part, Reverse(group["cost"].as_u64().expect("a cost")))
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_baseline_lets_new_findings_fail_alone() {
    let bench = Bench::new();
    let (code, known) = check(&bench, &[text(&sample()), "--format", "json"]);
    assert_eq!(code, Some(1));
    let baseline = bench.write("known.json", &known);
    let (code, said) = check(&bench, &[text(&sample()), "--baseline", text(&baseline)]);
    assert_eq!(code, Some(0), "{said}");
    // Lines that move are no news; a new fault is.
    let edited = std::fs::read_to_string(sample()).expect("the sample");
    let edited = format!("\n# one more line\n\n{edited}");
    let moved = bench.write("catalogue.ttl", &edited);
    assert_eq!(check(&bench, &[text(&moved), "--baseline", text(&baseline)]).0, Some(0));
    let broken = edited.replacen("\"2015-03-01\"^^xsd:date", "\"21/03/2015\"^^xsd:date", 1);
    assert_ne!(broken, edited);
    let broken = bench.write("catalogue.ttl", &broken);
    let report = checked(&bench, &broken, &["--baseline", text(&baseline)]);
    let rules: Vec<&str> =
        report["groups"].as_array().into_iter().flatten().filter_map(|group| group["rule"].as_str()).collect();
    assert_eq!(rules, ["dcat-ap-3/Dataset-issued-date"], "{report}");
    assert_eq!(check(&bench, &[text(&broken), "--baseline", text(&baseline)]).0, Some(1));
    let (code, said) = check(&bench, &[text(&sample()), "--baseline", text(&sample())]);
    assert!(code == Some(2) && said.contains("baseline"), "{said}");
}

#[test]
fn one_rule_is_asked_alone_and_explained() {
    let bench = Bench::new();
    let rule = "dcat-ap-3/Dataset-issued-date";
    let report = checked(&bench, &sample(), &["--only", rule]);
    let found: BTreeSet<&str> =
        report["findings"].as_array().into_iter().flatten().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(found, BTreeSet::from([rule]));
    let (code, said) = check(&bench, &[text(&sample()), "--only", "dcat-ap-3/no-such-rule"]);
    assert!(code == Some(2) && said.contains("no-such-rule"), "{said}");
    let (code, said) = check(&bench, &["--explain", rule]);
    assert_eq!(code, Some(0));
    for words in ["dct:issued", "wrong", "right", "sh:node", "semiceu.github.io"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (code, said) = check(&bench, &["--explain", "Dataset-issued-dat"]);
    assert!(code == Some(2) && said.contains(rule), "{said}");
}

/// A source with two harvests: a fault is mended in the second, and another is new.
fn two_harvests() -> (Bench, Serving, Vec<String>) {
    let bench = Bench::new();
    let text_of = std::fs::read_to_string(sample()).expect("the sample");
    let file = bench.write("catalogue.ttl", &text_of);
    let first = bench.harvest(text(&file), &["--source", "ville"]);
    let edited = text_of.replacen("\"2015-03-01\"^^xsd:date", "\"21/03/2015\"^^xsd:date", 1).replacen(
        "\"Mensuel\"",
        "<http://publications.europa.eu/resource/authority/frequency/MONTHLY>",
        1,
    );
    bench.write("catalogue.ttl", &edited);
    let second = bench.harvest(text(&file), &["--source", "ville"]);
    let serving = Serving::start(&bench, &["--read-only"]);
    let jobs = [first, second].map(|job| job["job"].as_str().expect("a job").to_owned());
    (bench, serving, jobs.to_vec())
}

#[test]
fn a_report_says_what_is_new_what_is_gone_and_since_when_and_former_ones_stay() {
    let (_bench, serving, jobs) = two_harvests();
    let rules = |address: &str| -> std::collections::BTreeMap<String, u64> {
        let report = serving.get(address);
        let groups = report["groups"].as_array().unwrap_or_else(|| panic!("{address}: {report}"));
        groups
            .iter()
            .filter_map(|group| Some((group["rule"].as_str()?.to_owned(), group["count"].as_u64()?)))
            .collect()
    };
    let now = rules("/source/ville/report.json");
    assert_eq!(now, rules(&format!("/job/{}/report.json", jobs[1])));
    let before = rules(&format!("/job/{}/report.json", jobs[0]));
    let (frequency, issued) = ("dcat-ap-3/Dataset-accrualPeriodicity-kind", "dcat-ap-3/Dataset-issued-date");
    assert_eq!((before[frequency], now[frequency]), (2, 1));
    assert_eq!((before[issued], now[issued]), (2, 3));
    let report = serving.get("/source/ville/report.json");
    let group = report["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .find(|group| group["rule"] == issued)
        .expect("a group")
        .clone();
    assert_eq!(group["new"], 1, "{group}");
    let page = serving.ask("GET", "/source/ville/report.html?lang=en", None, None).1;
    let page = page.as_str().expect("a page");
    for words in
        ["1 new findings, 1 gone", "- dct:issued", "&#34;23/06/2021&#34;^^xsd:date", "Dataset-issued-date"]
    {
        assert!(page.contains(words) || words.starts_with('-'), "{words}: {page}");
    }
    let french = serving.ask("GET", "/source/ville/report.html?lang=fr", None, None).1;
    assert!(french.as_str().is_some_and(|page| page.contains("lang=\"fr\"") && page.contains("Que corriger")));
    let one = serving.ask("GET", &format!("/source/ville/report.html?rule={issued}"), None, None).1;
    let list = one
        .as_str()
        .and_then(|page| page.split("<ol class=\"findings\">").nth(1))
        .map(|list| list.matches("<li>").count());
    assert_eq!(list, Some(3), "{one}");
    let rule = serving.ask("GET", &format!("/rules/{issued}"), None, None).1;
    assert!(
        rule.as_str().is_some_and(|page| page.contains("semiceu.github.io") && page.contains("sh:node")),
        "{rule}"
    );
}

#[test]
fn a_record_s_report_has_its_findings_alone_and_its_mended_description_has_fewer() {
    let (bench, serving, _) = two_harvests();
    let record = bench.records().into_iter().find(|record| record["remote_id"] == "fontaines").expect("a record");
    let key = record["id"].as_str().expect("a key");
    let report = serving.get(&format!("/dataset/{key}/report.json"));
    let findings = report["findings"].as_array().expect("findings");
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding["record"] == "fontaines"), "{report}");
    let mended = serving.ask("GET", &format!("/dataset/{key}/corrected.ttl"), None, None).1;
    let mended = mended.as_str().expect("Turtle");
    assert!(mended.contains("2021-06-23") && !mended.contains("23/06/2021"), "{mended}");
    let file = bench.write("mended.ttl", mended);
    let violations = |report: &Value| report["report"]["findings"]["violation"].as_u64().expect("a number");
    let (before, after) =
        (report["report"]["findings"]["violation"].as_u64(), violations(&checked(&bench, &file, &[])));
    assert!(before.is_some() && after == 0, "{mended}");
}

/// Runs a script of others' tools; nothing where it cannot be installed.
fn engine(program: &str, script: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines").join(script);
    let output = std::process::Command::new(program).arg(script).args(arguments).output().ok();
    let said = |output: &Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    match output {
        Some(output) if output.status.code() != Some(3) => Some((output.status.success(), said(&output))),
        other => {
            eprintln!("skipped: {program} cannot be run: {}", other.as_ref().map(said).unwrap_or_default());
            None
        }
    }
}

#[test]
fn code_scanning_and_test_reports_keep_their_schemas() {
    let bench = Bench::new();
    let cut = bench.write("cut.ttl", "<https://e.example/d> a <http://www.w3.org/ns/dcat#Dataset> .\n<oops");
    let mut files = Vec::new();
    for (name, input) in [("sample", sample()), ("cut", cut)] {
        for (format, ending) in [("sarif", "sarif"), ("junit", "xml")] {
            let (_, said) = check(&bench, &[text(&input), "--format", format]);
            files.push(bench.write(&format!("{name}.{ending}"), &said));
        }
    }
    let names: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let Some((is_valid, said)) = engine("python3", "schemas", &names) else { return };
    assert!(is_valid, "{said}");
}

#[test]
fn pages_of_reports_are_accessible_in_both_languages_and_at_every_width() {
    let (bench, serving, _) = two_harvests();
    let record = bench.records().into_iter().find(|record| record["remote_id"] == "fontaines").expect("a record");
    let key = record["id"].as_str().expect("a key");
    let rule = "dcat-ap-3/Dataset-issued-date";
    let mut addresses = Vec::new();
    for language in ["en", "fr"] {
        for path in [
            format!("/source/ville/report?lang={language}"),
            format!("/source/ville/report?lang={language}&rule={rule}"),
            format!("/dataset/{key}/report?lang={language}"),
            format!("/rules/{rule}?lang={language}"),
            format!("/query?lang={language}"),
        ] {
            addresses.push(format!("http://{}{path}", serving.address));
        }
    }
    addresses.push(format!("http://{}/dataset/{key}", serving.address));
    addresses.extend(["/", "/source/ville", "/rules/"].map(|path| format!("http://{}{path}", serving.address)));
    // 320 pixels are also what 1280 are at 400 % (WCAG 2.2, 1.4.10).
    let mut arguments = vec!["--viewport", "1280x900", "--viewport", "320x640"];
    arguments.extend(addresses.iter().map(String::as_str));
    let Some((is_accessible, said)) = engine("node", "axe.mjs", &arguments) else { return };
    assert!(is_accessible, "{said}");
}

fn catalogue_of(identifier: &str, issued: &str) -> String {
    format!(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\
         <https://e.example/d-{identifier}> a dcat:Dataset ; dct:identifier \"{identifier}\" ; dct:title \"Jeu\"@fr ; dct:description \"Un jeu\"@fr ; dct:issued \"{issued}\"^^xsd:date ;\n\
         dcat:distribution <https://e.example/x> .\n<https://e.example/x> a dcat:Distribution ; dcat:accessURL <https://e.example/p> ; dcat:downloadURL <https://e.example/f.csv> .\n\
         <https://e.example/other> a dcat:Dataset ; dct:identifier \"other\" ; dct:title \"Autre\"@fr ; dct:description \"Un autre jeu\"@fr ."
    )
}

/// The rules that a record of a store breaks, by the record's key.
fn broken_rules(bench: &Bench, key: &str) -> BTreeSet<String> {
    let serving = Serving::start(bench, &["--read-only"]);
    let report = serving.get(&format!("/dataset/{key}/report.json"));
    let groups = report["groups"].as_array().unwrap_or_else(|| panic!("{report}"));
    groups.iter().filter_map(|group| group["rule"].as_str().map(str::to_owned)).collect()
}

fn key_of(bench: &Bench, remote_id: &str) -> String {
    let record = bench.records().into_iter().find(|record| record["remote_id"] == remote_id).expect("a record");
    record["id"].as_str().expect("a key").to_owned()
}

#[test]
fn what_was_mended_does_not_come_back_with_a_restored_or_renamed_record() {
    let bench = Bench::new();
    let date = "dcat-ap-3/Dataset-issued-date".to_owned();
    let harvest = |identifier: &str, issued: &str| {
        let file = bench.write("c.ttl", &catalogue_of(identifier, issued));
        bench.harvest(text(&file), &["--source", "s"])
    };
    harvest("1", "02/03/2024");
    let key = key_of(&bench, "1");
    let first = broken_rules(&bench, &key);
    assert!(first.contains(&date), "{first:?}");
    harvest("1", "2024-03-02");
    let mended = broken_rules(&bench, &key);
    assert!(!mended.contains(&date) && !mended.is_empty(), "{mended:?}");
    for what in ["archive", "restore"] {
        let output = bench.run(&["record", what, &key]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(broken_rules(&bench, &key), mended, "as before it was archived");
    let scores = bench.write(
        "q.rq",
        "PREFIX dqv: <http://www.w3.org/ns/dqv#> SELECT ?m WHERE { ?m dqv:computedOn <https://e.example/d-1> }",
    );
    let output = bench.run(&["query", text(&scores), "--format", "csv"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.contains("quality")).count(), 6);
    // Broken again, then renamed and mended at once.
    harvest("1", "03/03/2024");
    assert!(broken_rules(&bench, &key).contains(&date));
    let report = harvest("2", "2024-03-04");
    assert_eq!(report["records"]["renamed"], 1, "{report}");
    assert_eq!(key_of(&bench, "2"), key);
    assert!(!broken_rules(&bench, &key).contains(&date));
}
