//! The quality of records and sources: points, what is unknown, what would gain most, and whether addresses answer.

use crate::moisson::{Bench, text};
use crate::serving::{Serving, administrator, source, until};
use crate::stand_in::{Page, StandIn};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

/// The decimals that a query gives as its one variable.
fn queried(bench: &Bench, query: &str) -> Vec<f64> {
    let file = bench.write("query.rq", query);
    let output = bench.run(&["query", text(&file), "--format", "csv"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().skip(1).filter_map(|line| line.trim().parse().ok()).collect()
}

#[test]
fn the_sample_is_scored_and_what_was_not_checked_is_unknown() {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    bench.harvest(text(&sample), &["--source", "sample"]);
    let serving = Serving::start(&bench, &["--read-only"]);
    let quality = serving.get("/source/sample/quality.json");
    let (reached, unknown) = (number(&quality, "/total/reached"), number(&quality, "/total/unknown"));
    assert!(reached > 150.0 && unknown > 50.0 && reached + unknown <= 405.0, "{quality}");
    assert!((number(&quality, "/total/most") - 405.0).abs() < 0.01);
    assert!(
        (number(&quality, "/dimensions/accessibility/unknown") - unknown).abs() < 0.01,
        "nothing else is unknown"
    );
    let mends = quality["forecast"].as_array().expect("mends");
    assert_eq!(mends.len(), 3, "{quality}");
    assert!(
        mends.iter().all(|mend| mend["indicator"] != "access_status"),
        "what is unknown is no mend: {quality}"
    );
    let city = quality["organizations"].as_object().and_then(|all| all.keys().next()).expect("an organisation");
    assert!(city.starts_with("https://donnees.villeneuve-exemple.fr/"), "{city}");
    // The same in the store, for SPARQL.
    let metric = "PREFIX dqv: <http://www.w3.org/ns/dqv#> SELECT ?value WHERE { ?m dqv:isMeasurementOf <https://moisson.dev/metrics#total> ; dqv:computedOn ?of ; dqv:value ?value FILTER(";
    let of_source = queried(&bench, &format!("{metric}STRENDS(STR(?of), \"/source/sample\")) }}"));
    assert_eq!(of_source.len(), 1);
    assert!((of_source[0] - reached).abs() < 0.1, "{of_source:?} {reached}");
    assert_eq!(queried(&bench, &format!("{metric}CONTAINS(STR(?of), \"/jeux/\")) }}")).len(), 23);
    let violations = queried(
        &bench,
        "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT (COUNT(?result) AS ?n) WHERE { ?report a sh:ValidationReport ; sh:result ?result . ?result sh:resultSeverity sh:Violation ; sh:focusNode ?node ; sh:sourceShape ?rule }",
    );
    assert!(violations[0] > 5.0, "findings are in the endpoint: {violations:?}");
    let badge = serving.ask("GET", "/source/sample/badge.svg", None, None).1;
    assert!(badge.as_str().is_some_and(|badge| badge.contains(&format!("{reached:.0} / "))), "{badge}");
    let page = serving.ask("GET", "/source/sample/report.html?lang=en", None, None).1;
    assert!(
        page.as_str().is_some_and(|page| page.contains("of 405 points") && page.contains("not checked")),
        "{page}"
    );
}

fn catalogue(portal: &StandIn) -> String {
    let dataset = |number: u32, address: &str| {
        format!(
            "<https://e.example/d{number}> a dcat:Dataset ; dct:identifier \"{number}\" ; dct:title \"Jeu {number}\"@fr ;\n  dcat:distribution <https://e.example/x{number}> .\n<https://e.example/x{number}> a dcat:Distribution ; dcat:accessURL <{address}> ; dcat:downloadURL <{address}> .\n"
        )
    };
    format!(
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n{}{}{}",
        dataset(1, &portal.url("/there.csv")),
        dataset(2, &portal.url("/gone.csv")),
        dataset(3, "http://10.1.2.3/private.csv")
    )
}

#[test]
fn addresses_are_asked_on_request_and_count_in_the_score() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    portal.set("/c.ttl", Page::turtle(catalogue(&portal)));
    portal.set("/there.csv", Page { content_type: "text/csv", ..Page::turtle("a,b\n") });
    portal.set("/gone.csv", Page { status: 404, ..Page::turtle("gone") });
    source(&bench, "s", &portal.url("/c.ttl"), &[]);
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    serving.wait_for_quiet();
    let accessibility = || serving.get("/source/s/quality.json")["dimensions"]["accessibility"].clone();
    let before = accessibility();
    assert!(
        (number(&before, "/unknown") - 80.0).abs() < 0.01 && (number(&before, "/reached") - 20.0).abs() < 0.01,
        "{before}"
    );
    assert_eq!(serving.ask("POST", "/api/1/harvest/source/s/links/", None, None).0, 401);
    assert_eq!(serving.ask("POST", "/api/1/harvest/source/s/links/", Some(&admin), None).0, 202);
    let state = until(Duration::from_secs(30), || {
        Some(serving.get("/api/1/harvest/source/s/links/")).filter(|state| state["running"] == false)
    });
    assert_eq!(
        (&state["total"], &state["checked"], &state["answering"]),
        (&3.into(), &3.into(), &1.into()),
        "{state}"
    );
    let broken = state["broken"].to_string();
    assert!(broken.contains("404") && broken.contains("10.1.2.3"), "{broken}");
    let after = accessibility();
    assert!(number(&after, "/unknown") < 0.01, "{after}");
    assert!((number(&after, "/reached") - (20.0 + 80.0 / 3.0)).abs() < 0.1, "{after}");
    let asked = portal.take_asked().iter().filter(|path| path.contains(".csv")).count();
    assert!((2..=4).contains(&asked), "a head, and a byte where that fails: {asked}");
    // What was asked today is not asked again.
    serving.ask("POST", "/api/1/harvest/source/s/links/", Some(&admin), None);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(portal.take_asked().iter().filter(|path| path.contains(".csv")).count(), 0);
    let scores = queried(
        &bench,
        "PREFIX dqv: <http://www.w3.org/ns/dqv#> SELECT ?value WHERE { ?m dqv:isMeasurementOf <https://moisson.dev/metrics#accessibility> ; dqv:computedOn <https://e.example/d1> ; dqv:value ?value }",
    );
    assert_eq!(scores, [100.0], "the store has what was found");
    let output = bench.run(&[
        "query",
        concat!(env!("CARGO_MANIFEST_DIR"), "/queries/examples/dead-links.rq"),
        "--format",
        "csv",
    ]);
    let dead = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(dead.contains("/gone.csv,404,") && dead.contains("http://10.1.2.3/private.csv,,"), "{dead}");
    assert!(dead.contains("https://e.example/d2") && !dead.contains("/there.csv"), "{dead}");
}
