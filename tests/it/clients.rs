//! Clients that others wrote, against our API and endpoint: udata's own, a fuzzer of described APIs, and rdflib as a
//! second engine. A script of the project installs them from `PyPI`.

use crate::moisson::{Bench, text};
use crate::serving::{Serving, administrator};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A service over the sample catalogue, at an address that is known beforehand.
fn serving() -> (Bench, Serving, String) {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    bench.harvest(text(&sample), &["--source", "sample"]);
    bench.write("moisson.toml", "[service]\nrequests_a_minute = 0\n");
    let token = administrator(&bench);
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let serving = Serving::start(&bench, &["--listen", &port.to_string(), "--base", &format!("http://{port}")]);
    (bench, serving, token)
}

/// Runs a client; nothing where `PyPI` cannot be reached.
fn client(arguments: &[&str]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/clients");
    let output = Command::new("python3").arg(script).args(arguments).output().expect("python3 starts");
    if output.status.code() == Some(3) {
        eprintln!("skipped: the client cannot be installed from PyPI");
        return None;
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

#[test]
fn the_client_of_udata_reads_records_and_sources() {
    let (bench, serving, _) = serving();
    let record =
        bench.records().into_iter().find(|record| record["organization"]["name"].is_string()).expect("a record");
    let key = record["id"].as_str().expect("a key");
    let Some(said) = client(&["udata", &format!("http://{}", serving.address), key]) else { return };
    let read: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!((&read["title"], &read["tags"]), (&record["title"], &record["tags"]));
    assert_eq!(read["resources"].as_array().map(Vec::len), record["resources"].as_array().map(Vec::len));
    assert_eq!((read["datasets"].as_u64(), &read["sources"]), (Some(24), &serde_json::json!(["sample"])));
}

#[test]
fn a_fuzzer_finds_no_answer_that_the_description_does_not_have() {
    let (_bench, serving, token) = serving();
    let Some(said) = client(&["fuzz", &format!("http://{}", serving.address), &token]) else { return };
    assert!(said.contains("Tested: 32"), "{said}");
}

/// The endpoint's default graph is the RDF merge: each query has the rows that rdflib finds in the merged dump.
#[test]
fn another_engine_finds_the_same_in_the_merged_dump() {
    let (_bench, serving, _) = serving();
    let Some(said) = client(&["merge", &format!("http://{}", serving.address)]) else { return };
    let numbers: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).expect("JSON");
    let numbers = numbers.as_object().expect("numbers by query");
    let empty: Vec<&String> =
        numbers.iter().filter(|(_, rows)| rows[0].as_u64() == Some(0)).map(|(name, _)| name).collect();
    assert!(numbers.len() >= 42, "{numbers:?}");
    assert!(empty.len() <= 2, "queries without any answer show nothing: {empty:?}");
    assert!(
        numbers["statements in graphs"].as_u64() > numbers["statements"].as_u64(),
        "no statement is in two graphs: the sample shows nothing"
    );
}
