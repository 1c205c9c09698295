//! Mappings of a source's own, as their page in the documentation tells.

use crate::moisson::Bench;
use serde_json::Value;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The fenced blocks of the page: their language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = page.split("```").collect();
    let fenced = parts.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    fenced.map(|(language, text)| (language.to_owned(), text.to_owned())).collect()
}

#[test]
fn the_page_on_mappings_tells_what_is_so() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/mapping.md")).expect("docs/mapping.md");
    let bench = Bench::new();
    let mut printed = String::new();
    let mut checked = 0;
    for (language, text) in blocks(&page) {
        match (language.as_str(), text.strip_prefix("moisson ")) {
            ("", Some(command)) => {
                let output = bench.command().current_dir(ROOT).args(command.split_whitespace()).output();
                let output = output.expect("the program starts");
                assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
                printed = String::from_utf8(output.stdout).expect("UTF-8");
            }
            ("", None) => assert!(printed.contains(text.trim_end()), "not printed:\n{text}\nbut:\n{printed}"),
            ("sparql", _) => assert!(file("docs/mapping/ville.rq").contains(&text), "{text}"),
            ("toml", _) if text.starts_with("[sources") => {
                fs::write(bench.path("moisson.toml"), &text).expect("a writable folder");
            }
            ("toml", _) => assert!(file("docs/mapping/ville.toml").contains(&text), "{text}"),
            other => panic!("a block in {}", other.0),
        }
        checked += 1;
    }
    assert!(checked >= 8, "the blocks were not found");
    let settings = fs::read_to_string(bench.path("moisson.toml")).expect("the settings of the page");
    assert!(settings.contains("mapping"), "{settings}");
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The settings of the page, for the file that stands for its portal.
fn settings(bench: &Bench, mapping: &str) {
    let portal = Path::new(ROOT).join("docs/mapping/packages.json");
    let url = url::Url::from_file_path(portal).expect("an absolute path");
    bench.write("moisson.toml", &format!("[sources.ville]\nurl = \"{url}\"\nmapping = [{mapping}]\n"));
}

#[test]
fn a_source_has_its_own_queries_and_words() {
    let bench = Bench::new();
    let packages = format!("{ROOT}/docs/mapping/packages.json");
    let harvest = |bench: &Bench| bench.harvest(&packages, &["--kind", "ckan"]);
    settings(&bench, "");
    let plain = harvest(&bench);
    assert_eq!(plain["source"], "ville");
    assert_eq!(bench.records()[0]["frequency"], Value::Null);

    settings(&bench, &format!("'{ROOT}/docs/mapping/ville.rq', '{ROOT}/docs/mapping/ville.toml'"));
    let mapped = harvest(&bench);
    assert_eq!(mapped["records"]["changed"], 1, "another mapping goes through all records again: {mapped}");
    let record = bench.records().remove(0);
    assert_eq!(record["frequency"], "irregular", "{record}");
    assert_eq!(record["license"], "lov2");
    assert_eq!(record["resources"][0]["format"], "shp");
    let contacts = record["contact_points"].as_array().expect("contacts");
    assert!(contacts.iter().any(|contact| contact["email"] == "voirie@ville.example"), "{record}");

    assert_eq!(harvest(&bench)["records"]["unchanged"], 1);
}

#[test]
fn a_catalogue_in_dcat_has_its_own_queries_too() {
    let bench = Bench::new();
    let catalogue = bench.write(
        "catalogue.ttl",
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix c: <http://c.example/> .\n\
         c:d a dcat:Dataset ; dct:identifier 'd' ; dct:title 'D'@fr ; dct:description 'd'@fr ; c:motsCles 'vélo, piste' ; dct:accrualPeriodicity 'quand on peut' .\n",
    );
    let query = bench.write(
        "own.rq",
        "PREFIX c: <http://c.example/>\nCONSTRUCT { ?d dcat:keyword ?k }\nWHERE { ?d c:motsCles ?all . VALUES ?n { 1 2 }\n\
         BIND(IF(?n = 1, STRBEFORE(?all, ','), STRAFTER(?all, ', ')) AS ?k) }",
    );
    let mapping = query.to_str().expect("a UTF-8 path");
    bench.harvest(catalogue.to_str().expect("a UTF-8 path"), &["--mapping", mapping]);
    let record = bench.records().remove(0);
    assert_eq!(record["tags"], serde_json::json!(["piste", "velo"]));
    assert_eq!(record["frequency"], Value::Null, "words that nobody reads are no frequency");
}

#[test]
fn mistakes_end_before_anything_is_fetched() {
    let bench = Bench::new();
    let query = bench.write("own.rq", "CONSTRUCT { ?s ?p ?o WHERE { ?s ?p ?o }");
    let run = |more: &[&str]| {
        let output = bench.harvest_output("http://127.0.0.1:9/", more);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["--mapping", query.to_str().expect("a UTF-8 path")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("own.rq") && said.contains("parse"), "{said}");
    let packages = format!("{ROOT}/docs/mapping/packages.json");
    let output = bench.run(&["map", &packages, "--kind", "ckan", "--record", "nobody"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none of the 1 records"));
}
