//! The generated catalogue with dirty data of known count, in each RDF syntax and over HTTP.

use crate::moisson::{Bench, count, text};
use crate::shared;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The generator, which stands beside the shared data.
pub(crate) fn generator() -> Option<PathBuf> {
    shared::data("../tools/gen_catalog.py")
}

/// A stand-in portal, ended with the value.
pub(crate) struct Portal {
    child: Child,
    pub(crate) base: String,
}

impl Portal {
    pub(crate) fn start(generator: &Path, arguments: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let port = port.to_string();
        let child = Command::new("python3")
            .arg(generator)
            .args(["serve", "--port", &port, "--max-seconds", "120"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let portal = Self { child, base: format!("http://127.0.0.1:{port}") };
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port.parse().expect("a port"))).is_ok() {
                return portal;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the portal does not answer");
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// For each dataset of the generator: its identifier and its defects, as they can be seen. A record that
/// repeats an identifier is an error, and has no findings.
const DEFECTS: &str = r"
import sys, json
sys.path.insert(0, sys.argv[1])
import gen_catalog
catalogue = gen_catalog.Catalog(int(sys.argv[2]), 1, 'http://127.0.0.1:8085')
seen, counts = set(), {}
for index in catalogue.ids:
    dataset = catalogue.dataset(index)
    defects = set(dataset.defects)
    if dataset.identifier in seen:
        counts['dup_identifier'] = counts.get('dup_identifier', 0) + 1
        continue
    seen.add(dataset.identifier)
    defects.discard('dup_identifier')
    if 'no_description' in defects: defects.discard('html_description')
    if 'no_title' in defects: defects.discard('untagged_title')
    if 'no_licence' in defects: defects.discard('text_licence')
    for defect in defects: counts[defect] = counts.get(defect, 0) + 1
print(json.dumps(counts))
";

/// What a script that imports the generator prints as JSON.
pub(crate) fn ask<T: DeserializeOwned>(generator: &Path, script: &str, arguments: &[&str]) -> T {
    let folder = generator.parent().expect("a folder");
    let output = Command::new("python3").args(["-c", script, text(folder)]).args(arguments).output();
    let output = output.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn seen_defects(generator: &Path, number: usize) -> BTreeMap<String, u64> {
    ask(generator, DEFECTS, &[&number.to_string()])
}

/// The rule by which each defect is found.
const RULES: &[(&str, &str)] = &[
    ("bad_byte_size", "dcat-ap-3/Distribution-byteSize-datatype"),
    ("bad_date", "dcat-ap-3/Dataset-issued-date"),
    ("bnode_distribution", "moisson/distribution-named"),
    ("html_description", "moisson/description-html"),
    ("no_access_url", "dcat-ap-3/Distribution-accessURL-required"),
    ("no_description", "dcat-ap-3/Dataset-description-required"),
    ("no_licence", "dcat-ap-3/Distribution-license-required"),
    ("no_publisher", "dcat-ap-3/Dataset-publisher-required"),
    ("no_title", "dcat-ap-3/Dataset-title-required"),
    ("text_licence", "dcat-ap-3/Distribution-license-kind"),
    ("text_theme", "dcat-ap-3/Dataset-theme-kind"),
    ("untagged_title", "moisson/title-language"),
];

#[test]
fn findings_count_exactly_the_defects_in_each_syntax() {
    let Some(generator) = generator() else { return };
    let number = 2_000;
    let bench = Bench::new();
    let output = Command::new("python3")
        .arg(&generator)
        .args(["write", "--n", "2000", "--single", "--formats", "ttl,rdf,jsonld", "--out", text(&bench.path("g"))])
        .output()
        .expect("python3 starts");
    assert!(output.status.success());
    let expected = seen_defects(&generator, number);
    for syntax in ["ttl", "rdf", "jsonld"] {
        let file = bench.path("g").join(format!("catalog.{syntax}"));
        let output = bench.run(&["check", text(&file), "--format", "json", "--fail-on", "never"]);
        let checked: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let found = records_by_rule(&checked);
        for (defect, rule) in RULES {
            let wanted = expected.get(*defect).copied().unwrap_or(0);
            assert_eq!(found.get(*rule).copied().unwrap_or(0), wanted, "{syntax}: {defect} by {rule}");
        }
        let failed = count(&checked["report"], "/records/failed");
        assert_eq!(failed, expected.get("dup_identifier").copied().unwrap_or(0), "{syntax}");
        // Turtle cannot hold a raw space in an IRI: the generator encodes it there.
        let bad_iris = if syntax == "ttl" { 0 } else { expected.get("bad_iri").copied().unwrap_or(0) };
        assert_eq!(found.get("lift/invalid-iri").copied().unwrap_or(0), bad_iris, "{syntax}");
    }
}

fn records_by_rule(checked: &Value) -> BTreeMap<String, u64> {
    let mut records: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in checked["findings"].as_array().expect("findings") {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        records.entry(text("rule")).or_default().insert(text("record"));
    }
    records.into_iter().map(|(rule, records)| (rule, records.len() as u64)).collect()
}

/// Checks the portal of 1,000 datasets by an interface: each is a record, and each defect a finding of its rule.
pub(crate) fn each_defect_is_found(
    generator: &Path,
    kind: &str,
    rules: &[(&str, &str)],
    expected: &BTreeMap<String, u64>,
) -> Value {
    let portal = Portal::start(generator, &["--n", "1000"]);
    let options = ["--kind", kind, "--allow-loopback", "--format", "json", "--fail-on", "never"];
    let output = Bench::new().run(&[&["check", portal.base.as_str()], &options[..]].concat());
    let checked: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(count(&checked["report"], "/records/seen"), 1_000, "{}", checked["report"]);
    let found = records_by_rule(&checked);
    for (defect, rule) in rules {
        assert_eq!(found.get(*rule).copied().unwrap_or(0), expected[*defect], "{defect} by {rule}");
    }
    checked
}

/// Writes 600 datasets of a revision into a folder of their own, and gives it.
pub(crate) fn write_revision(bench: &Bench, generator: &Path, revision: u32, options: &[&str]) -> PathBuf {
    let out = bench.path(&format!("r{revision}"));
    let written = Command::new("python3")
        .arg(generator)
        .args(["write", "--n", "600", "--revision", &revision.to_string(), "--out", text(&out)])
        .args(options)
        .output()
        .expect("python3 starts");
    assert!(written.status.success());
    out
}

#[test]
fn revisions_are_reported_to_the_record() {
    let Some(generator) = generator() else { return };
    let bench = Bench::new();
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    for revision in 0..=5 {
        let out = write_revision(&bench, &generator, revision, &["--single", "--formats", "ttl"]);
        let file =
            bench.write("catalog.ttl", &std::fs::read_to_string(out.join("catalog.ttl")).expect("a catalogue"));
        let report = bench.harvest(text(&file), &[]);
        let after = present(&generator, revision);
        if revision > 0 {
            let added = after.keys().filter(|id| !before.contains_key(*id)).count() as u64;
            let changed =
                after.iter().filter(|(id, state)| before.get(*id).is_some_and(|old| old != *state)).count() as u64;
            let unchanged = after.iter().filter(|(id, state)| before.get(*id) == Some(state)).count() as u64;
            let counted = ["added", "restored", "changed", "unchanged"]
                .map(|name| count(&report, &format!("/records/{name}")));
            assert_eq!(
                (counted[0], counted[2], counted[3]),
                (added, changed, unchanged),
                "revision {revision}: {report}"
            );
        }
        // Records that went stay known: they are within their days of grace.
        for (id, state) in after {
            before.insert(id, state);
        }
    }
}

/// The first dataset of each identifier that is published, with all that is said of it.
fn present(generator: &Path, revision: u32) -> BTreeMap<String, String> {
    const STATES: &str = r"
import sys, json
sys.path.insert(0, sys.argv[1])
import gen_catalog
catalogue = gen_catalog.Catalog(600, 1, 'http://127.0.0.1:8085', revision=int(sys.argv[2]))
states = {}
for index in catalogue.ids:
    dataset = catalogue.dataset(index)
    states.setdefault(dataset.identifier, 'no_title' in dataset.defects or repr(gen_catalog.dataset_node(catalogue, dataset)))
# What has no title is not published.
print(json.dumps({identifier: state for identifier, state in states.items() if state is not True}))
";
    ask(generator, STATES, &[&revision.to_string()])
}

#[test]
fn hydra_pages_of_both_kinds_are_followed_to_the_end() {
    let Some(generator) = generator() else { return };
    for hydra in ["iri", "ckan"] {
        let portal = Portal::start(&generator, &["--n", "350", "--hydra", hydra]);
        for syntax in ["ttl", "rdf", "jsonld"] {
            let bench = Bench::new();
            let report = bench.harvest(&format!("{}/catalog.{syntax}", portal.base), &["--allow-loopback"]);
            assert_eq!(count(&report, "/records/seen"), 350, "{hydra} {syntax}: {report}");
            assert_eq!(report["complete"], true, "{hydra} {syntax}: {report}");
            assert!(count(&report, "/pages") > 1, "{report}");
        }
    }
}
