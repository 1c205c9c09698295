//! Opendatasoft portals: their datasets as records, by each version of their interface.

use crate::ckan::{each_case, real_answers};
use crate::generated::{ask, each_defect_is_found, generator};
use crate::moisson::{Bench, count, harvest_served};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[test]
fn each_case_gives_its_triples_and_its_record() {
    each_case("opendatasoft", "answer.json");
}

#[test]
fn real_answers_give_what_the_table_says() {
    real_answers("opendatasoft", "ods-json");
}

/// What the generator's datasets show of the defects: an export's address is the portal's own, so that bad ones are
/// seen in alternative exports only.
const DATASETS: &str = r"
import sys, json
sys.path.insert(0, sys.argv[1])
import gen_catalog
catalogue = gen_catalog.Catalog(int(sys.argv[2]), 1, 'http://127.0.0.1:8085')
counts = {}
for index in catalogue.ids:
    dataset = catalogue.dataset(index)
    shown = gen_catalog.ods_dataset(catalogue, dataset)
    defects = set(dataset.defects)
    if 'no_description' in defects: defects.discard('html_description')
    if 'no_licence' in defects: defects.discard('text_licence')
    if not any(' ' in other['url'] for other in shown['alternative_exports']): defects.discard('bad_iri')
    for defect in defects: counts[defect] = counts.get(defect, 0) + 1
print(json.dumps(counts))
";

/// The rule by which each defect that Opendatasoft shows is found.
const RULES: &[(&str, &str)] = &[
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
fn every_dataset_is_a_record_and_every_defect_a_finding() {
    let Some(generator) = generator() else { return };
    let expected: BTreeMap<String, u64> = ask(&generator, DATASETS, &["1000"]);
    each_defect_is_found(&generator, "opendatasoft", RULES, &expected);
}

fn dataset(id: &str) -> Value {
    json!({"dataset_id": id, "dataset_uid": format!("da_{id}"), "visibility": "domain", "has_records": true,
        "features": [], "attachments": [], "fields": [], "metas": {"default": {"title": id, "records_count": 1}}})
}

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_slug_is_the_same_record() {
    let server = MockServer::start().await;
    let page = |id: &str| {
        let mut renamed = dataset("trees");
        renamed["dataset_id"] = json!(id);
        answer(&json!({"total_count": 1, "results": [renamed]}))
    };
    Mock::given(path("/api/explore/v2.1/catalog/datasets")).respond_with(page("trees")).mount(&server).await;
    let bench = Bench::new();
    let (code, _, said) = harvest_served(&bench, &server.uri(), &["--kind", "opendatasoft"]).await;
    assert_eq!(code, Some(0), "{said}");
    server.reset().await;
    Mock::given(path("/api/explore/v2.1/catalog/datasets")).respond_with(page("tall-trees")).mount(&server).await;
    let (_, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "opendatasoft"]).await;
    let counted = ["seen", "added", "changed", "missing"].map(|name| count(&report, &format!("/records/{name}")));
    assert_eq!(counted, [1, 0, 1, 0], "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogue_longer_than_its_pages_reach_is_exported() {
    let server = MockServer::start().await;
    let first = answer(&json!({"total_count": 10_001, "results": [dataset("a")]}));
    Mock::given(path("/api/explore/v2.1/catalog/datasets")).respond_with(first).expect(1).mount(&server).await;
    let all = answer(&json!([dataset("a"), dataset("b"), dataset("c")]));
    Mock::given(path("/api/explore/v2.1/catalog/exports/json")).respond_with(all).mount(&server).await;
    let (_, report, said) = harvest_served(&Bench::new(), &server.uri(), &["--kind", "opendatasoft"]).await;
    assert_eq!(count(&report, "/records/added"), 3, "{said}");
    assert_eq!(report["complete"], false, "an export that lacks what was announced takes nothing for missing");
    let error = report["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(error.contains("10001"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_versions_are_asked_where_the_newest_is_not_known() {
    let server = MockServer::start().await;
    let wrapped = json!({"total_count": 1, "datasets": [{"links": [], "dataset": dataset("a")}]});
    Mock::given(path("/api/explore/v2.0/catalog/datasets")).respond_with(answer(&wrapped)).mount(&server).await;
    let (code, report, said) = harvest_served(&Bench::new(), &server.uri(), &["--kind", "opendatasoft"]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 1), "{said}");

    let server = MockServer::start().await;
    let old = |id: &str| json!({"datasetid": id, "metas": {"title": id}, "has_records": true, "features": []});
    for (start, found) in [("0", vec![old("a"), old("b")]), ("2", vec![old("c")])] {
        Mock::given(path("/api/datasets/1.0/search/"))
            .and(query_param("start", start))
            .respond_with(answer(&json!({"nhits": 3, "datasets": found})))
            .mount(&server)
            .await;
    }
    let bench = Bench::new();
    let (code, report, said) = harvest_served(&bench, &server.uri(), &["--kind", "opendatasoft"]).await;
    assert_eq!(
        (code, count(&report, "/records/added"), &report["complete"]),
        (Some(0), 3, &json!(true)),
        "{said}"
    );
    let url = bench.records()[0]["resources"][0]["url"].as_str().unwrap_or_default().to_owned();
    assert!(url.contains("/download?format="), "{url}");
}
