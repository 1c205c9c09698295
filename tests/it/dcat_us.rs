//! Files of DCAT-US: their datasets as records, read as a stream.

use crate::ckan::{answers_give, each_case, real_answers};
use crate::moisson::{Bench, count, harvest_served, text};
use crate::shared;
use serde_json::json;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

#[test]
fn each_case_gives_its_triples_and_its_record() {
    each_case("dcat-us", "data.json");
}

#[test]
fn real_answers_give_what_the_table_says() {
    real_answers("dcat-us", "data-json");
}

/// The file has 1,762 datasets, of which 106 repeat the identifier of another one with other statements.
#[test]
fn a_national_file_is_read_whole_and_repeated_identifiers_are_named() {
    let Some(folder) = shared::data("data-json/datopian__ckan-ng-harvest/tests") else { return };
    let file = shared::files(&folder, &["healthdata.gov.data.json"]).remove(0);
    let bench = Bench::new();
    let report = bench.harvest(text(&file), &["--kind", "dcat-us"]);
    let counted = (count(&report, "/records/added"), count(&report, "/records/failed"));
    assert_eq!(counted, (1_656, 106), "{report}");
    let error = &report["errors"][0];
    assert!(error["place"]["page"].as_str().is_some_and(|page| page.contains("#/dataset/")), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("was met before, at")), "{error}");
    let again = bench.harvest(text(&file), &[]);
    assert_eq!(count(&again, "/records/unchanged"), 1_656, "{again}");
}

/// Two days of one publisher's file: one dataset changed, two did not, four are gone.
#[test]
fn the_next_day_of_a_file_is_reported_to_the_dataset() {
    let Some(folder) = shared::data("data-json/GSA__datagov-harvester/example_data/dcatus") else { return };
    let bench = Bench::new();
    let day = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    let file = bench.write("data.json", &day("dcatus.json"));
    bench.harvest(text(&file), &[]);
    bench.write("data.json", &day("dcatus_2.json"));
    let report = bench.harvest(text(&file), &[]);
    let counted = ["changed", "unchanged", "missing"].map(|name| count(&report, &format!("/records/{name}")));
    assert_eq!(counted, [1, 2, 4], "{report}");
}

async fn serve(body: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body.as_bytes().to_vec(), "application/json");
    Mock::given(path("/data.json")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_ends_in_data_json_tells_its_kind_and_a_broken_end_archives_nothing() {
    let dataset = |id: u32| json!({"identifier": id.to_string(), "title": format!("No {id}"), "keyword": ["k"]});
    let whole = json!({"conformsTo": "x", "dataset": [dataset(1), dataset(2), dataset(3)]}).to_string();
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 100\n");
    let server = serve(&format!("\u{feff}{whole}")).await;
    let address = format!("{}/data.json?version=2", server.uri());
    let (code, report, said) = harvest_served(&bench, &address, &[]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 3), "{said}");
    assert!(bench.records()[0]["uri"].as_str().is_some_and(|uri| uri.starts_with(&server.uri())));
    server.reset().await;
    let cut = &whole[..whole.rfind("{\"identifier\"").expect("the last dataset") + 20];
    let answer = ResponseTemplate::new(200).set_body_raw(cut.as_bytes().to_vec(), "application/json");
    Mock::given(path("/data.json")).respond_with(answer).mount(&server).await;
    let (code, report, _) = harvest_served(&bench, &address, &[]).await;
    assert_eq!(
        (code, &report["complete"], count(&report, "/records/archived")),
        (Some(1), &json!(false), 0),
        "{report}"
    );
    assert_eq!(bench.records().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_json_is_refused_with_what_it_has() {
    for (body, words) in [
        (r#"{"r1": 1, "r2": 2}"#, "a data.json has a list `dataset`, and this has r1, r2"),
        ("<html>", "this is no data.json"),
        ("\"Access denied\"", "Access denied"),
    ] {
        let server = serve(body).await;
        let (code, _, said) = harvest_served(&Bench::new(), &format!("{}/data.json", server.uri()), &[]).await;
        assert_eq!(code, Some(3), "{body}");
        assert!(said.contains(words), "{body}: {said}");
    }
}

/// Answers of the own interfaces of Socrata and `ArcGIS`: what is said leads to the file that their portals publish.
#[test]
fn answers_of_other_interfaces_say_which_address_to_give() {
    answers_give("socrata-arcgis", &[], "socrata-arcgis", ".json");
}

#[test]
fn a_file_that_is_not_utf_8_is_read_and_named() {
    let bench = Bench::new();
    let file = bench.path("data.json");
    let start = r#"{"conformsTo": "x", "dataset": [{"identifier": "1", "title": "#;
    std::fs::write(&file, [start.as_bytes(), b"\"Donn\xE9es\"}]}"].concat()).expect("a writable folder");
    let report = bench.harvest(text(&file), &[]);
    assert_eq!((count(&report, "/records/added"), &report["complete"]), (1, &json!(true)), "{report}");
    assert!(report["errors"][0]["message"].as_str().is_some_and(|error| error.contains("UTF-8")), "{report}");
    assert_eq!(bench.records()[0]["title"], "Données");
}
