//! The example queries: each answers its question on the sample catalogue, and the query page has it.

use crate::moisson::{Bench, text};
use crate::served::Served;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What an example must answer: its name, how many rows, and a value of a column.
fn expected() -> Vec<[&'static str; 4]> {
    let lines = include_str!("examples.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| <[&str; 4]>::try_from(line.split('\t').collect::<Vec<_>>()).expect("four columns")).collect()
}

#[test]
fn each_answers_its_question() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let part = |name: &str| fs::read_to_string(root.join(name)).expect("a readable file");
    let bench = Bench::new();
    let whole = part("data/sample/catalogue.ttl") + &part("tests/cases/examples/addition.ttl");
    let file = bench.write("catalogue.ttl", &whole);
    bench.harvest(text(&file), &["--source", "sample"]);
    let served = Served::over(bench, "");
    let examples = served.get("/query/examples.json", &[]).json();
    let examples = examples.as_array().expect("a list");
    served.until("the search index is made", |served| {
        served
            .query("ASK { FILTER(<https://moisson.dev/ns#search>(<http://e.example/>, \"x\")) }", "text/csv")
            .status
            == 200
    });
    let mut asked = BTreeSet::new();
    for [name, rows, column, value] in expected() {
        let example = examples.iter().find(|example| example["id"] == name).unwrap_or_else(|| panic!("no {name}"));
        for language in ["en", "fr"] {
            let title = example["title"][language].as_str().unwrap_or_default();
            assert!(!title.is_empty() && title != name, "{name} has no title in {language}");
        }
        let query = example["query"].as_str().expect("a query");
        let answer = served.query(query, "text/csv, application/n-triples;q=0.5");
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let body = answer.text();
        let mut count = body.lines().count();
        if answer.header("content-type") == "text/csv" {
            let head = body.lines().next().unwrap_or_default();
            assert!(head.split(',').any(|named| named == column), "{name}: {head}");
            count -= 1;
        }
        let least: usize = rows.trim_end_matches('+').parse().expect("a number");
        assert!(count == least || (count > least && rows.ends_with('+')), "{name} has {count} rows: {body}");
        assert!(body.contains(value), "{name} lacks {value}: {body}");
        asked.insert(name.to_owned());
    }
    let files: BTreeSet<String> = fs::read_dir(root.join("queries/examples"))
        .expect("the examples")
        .map(|entry| entry.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(asked, files, "an example is not asked");
    assert!(files.len() >= 20, "{}", files.len());
    let listed: BTreeSet<String> =
        examples.iter().map(|example| example["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(listed, files, "the page lacks an example");
}
