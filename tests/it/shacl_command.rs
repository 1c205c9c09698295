//! `moisson shacl`: imports, datasets alone, and shapes graphs that must be refused.

use crate::generated::generator;
use crate::moisson::{Bench, text};
use crate::shared;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const PREFIXES: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e.example/> . \
    @prefix owl: <http://www.w3.org/2002/07/owl#> .\n";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shacl(bench: &Bench, shapes: &str, data: &str, more: &[&str]) -> Output {
    let shapes = bench.write("shapes.ttl", &format!("{PREFIXES}{shapes}"));
    let data = bench.write("data.ttl", &format!("{PREFIXES}{data}"));
    let mut arguments = vec!["shacl", "--shapes", text(&shapes), "--data", text(&data), "--format", "json"];
    arguments.extend(more);
    bench.run(&arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_are_fetched_when_asked_for() {
    let server = MockServer::start().await;
    let imported = format!("{PREFIXES}ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:minCount 1 ] .");
    let answer = ResponseTemplate::new(200).set_body_raw(imported, "text/turtle");
    Mock::given(path("/more.ttl")).respond_with(answer).expect(1).mount(&server).await;
    let shapes = format!("ex:Main a owl:Ontology ; owl:imports <{}/more.ttl> .", server.uri());
    tokio::task::spawn_blocking(move || {
        let bench = Bench::new();
        let without = shacl(&bench, &shapes, "ex:a a ex:C .", &[]);
        assert_eq!(without.status.code(), Some(0));
        assert!(said(&without).contains("/more.ttl, which is left out"), "{}", said(&without));
        let refused = shacl(&bench, &shapes, "ex:a a ex:C .", &["--fetch-imports"]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(said(&refused).contains("not a public address"), "{}", said(&refused));
        let with = shacl(&bench, &shapes, "ex:a a ex:C .", &["--fetch-imports", "--allow-loopback"]);
        let report: Value = serde_json::from_slice(&with.stdout).expect("a report");
        assert_eq!(report["results"].as_array().map(Vec::len), Some(1), "{}", said(&with));
    })
    .await
    .expect("a result");
}

#[test]
fn shapes_that_refer_to_themselves_are_refused_by_name() {
    let bench = Bench::new();
    let output =
        shacl(&bench, "ex:S sh:targetNode ex:a ; sh:not ex:T . ex:T sh:node ex:S .", "ex:a ex:p 1 .", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("http://e.example/S"), "{}", said(&output));
}

#[test]
fn shapes_nested_without_bound_are_refused_without_a_crash() {
    let bench = Bench::new();
    let deep = 20_000;
    let chain: Vec<String> = (0..deep).map(|depth| format!("ex:S{depth} sh:not ex:S{} .\n", depth + 1)).collect();
    let shapes = format!("ex:S0 sh:targetNode ex:a . {}", chain.concat());
    let output = shacl(&bench, &shapes, "ex:a ex:p 1 .", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let path = "[ sh:inversePath ".repeat(deep) + "ex:p" + &" ]".repeat(deep);
    let output = shacl(&bench, &format!("ex:S sh:targetNode ex:a ; sh:path {path} ."), "ex:a ex:p 1 .", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

/// How often each result comes, without the names of blank nodes.
fn results(output: &Output) -> BTreeMap<String, usize> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)));
    let of = |result: &Value| {
        let name = |field: &str| match result[field].to_string() {
            blank if blank.starts_with("\"_:") => "_:".to_owned(),
            other => other,
        };
        ["focus_node", "path", "value", "component", "severity"].map(name).join(" ")
    };
    let mut counts = BTreeMap::new();
    for result in report["results"].as_array().expect("results") {
        *counts.entry(of(result)).or_default() += 1;
    }
    counts
}

/// All official files together; what differs is the catalogue and its publisher, which no record reaches.
#[test]
fn datasets_alone_give_the_results_of_the_whole_graph() {
    let (Some(generator), Some(folder)) = (generator(), shared::data("shapes/SEMICeu__DCAT-AP/3.0.1/html/shacl"))
    else {
        return;
    };
    let bench = Bench::new();
    let out = bench.path("catalogue");
    let status = Command::new("python3")
        .arg(&generator)
        .args(["write", "--n", "1000", "--single", "--formats", "ttl", "--out", text(&out)])
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("python3 starts").success());
    let shapes = shared::files(&folder, &[".ttl"]);
    let data = out.join("catalog.ttl");
    let mut arguments = vec!["shacl", "--format", "json", "--data", text(&data), "--shapes"];
    arguments.extend(shapes.iter().map(|path| text(path)));
    let whole = results(&bench.run(&arguments));
    arguments.insert(1, "--by-dataset");
    let alone = results(&bench.run(&arguments));
    assert!(whole.len() > 5_000, "{}", whole.len());
    let is_more = |(result, count): &(&String, &usize)| whole.get(*result).copied().unwrap_or(0) < **count;
    assert_eq!(alone.iter().find(is_more), None);
    let is_unexplained = |(result, count): &(&String, &usize)| {
        !result.contains("/catalog>")
            && !result.contains("/organization/portal>")
            && alone.get(*result).copied().unwrap_or(0) < **count
    };
    assert_eq!(whole.iter().find(is_unexplained), None);
}
