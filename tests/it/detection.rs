//! A portal's address alone: what it is, is found out and said.

use crate::csw::record;
use crate::moisson::{Bench, count, harvest_served};
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn serve(server: &MockServer, at: &str, body: Value) {
    Mock::given(path(at)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(server).await;
}

/// The root with and without a slash and a pasted page lead to one source.
async fn leads_to(server: &MockServer, page: &str, kind: &str) {
    let bench = Bench::new();
    for (address, field) in [
        (server.uri(), "added"),
        (format!("{}/", server.uri()), "unchanged"),
        (format!("{}{page}", server.uri()), "unchanged"),
    ] {
        let (code, report, said) = harvest_served(&bench, &address, &[]).await;
        assert_eq!(code, Some(0), "{address}: {said} {report}");
        let note = report["note"].as_str().unwrap_or_default();
        if field == "added" {
            assert!(note.contains(&format!("is harvested as {kind}")), "{address}: {note}");
        }
        assert_eq!(count(&report, &format!("/records/{field}")), 1, "{address}: {report}");
        assert_eq!(bench.records().last().expect("a record")["harvest"]["backend"], kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ckan_portal_is_found_by_its_interface() {
    let server = MockServer::start().await;
    let package = json!({"id": "a", "name": "a", "title": "A"});
    let found = json!({"success": true, "result": {"count": 1, "results": [package]}});
    serve(&server, "/api/3/action/package_search", found).await;
    leads_to(&server, "/dataset/a", "ckan").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opendatasoft_portal_is_found_by_its_interface() {
    let server = MockServer::start().await;
    let dataset = json!({"dataset_id": "a", "dataset_uid": "da_a", "metas": {"default": {"title": "A"}}});
    serve(&server, "/api/explore/v2.1/catalog/datasets", json!({"total_count": 1, "results": [dataset]})).await;
    leads_to(&server, "/explore/dataset/a/table/", "opendatasoft").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_with_a_data_json_is_found_by_it() {
    let server = MockServer::start().await;
    let dataset = json!({"identifier": "a", "title": "A"});
    serve(&server, "/data.json", json!({"conformsTo": "x", "dataset": [dataset]})).await;
    leads_to(&server, "/dataset/a", "dcat-us").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rdf_at_a_root_is_still_a_catalogue() {
    let server = MockServer::start().await;
    let body =
        "<http://e.example/1> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> \"One\" .";
    let turtle = ResponseTemplate::new(200).set_body_raw(body, "text/turtle");
    Mock::given(path("/")).respond_with(turtle).mount(&server).await;
    let (code, report, said) = harvest_served(&Bench::new(), &server.uri(), &[]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 1), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_geographic_catalogue_is_found_by_its_service() {
    let server = MockServer::start().await;
    let capabilities = format!(
        "<csw:Capabilities xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' version='2.0.2'><a href='{}'/></csw:Capabilities>",
        server.uri()
    );
    let records = format!(
        "<csw:GetRecordsResponse xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' xmlns:gmd='http://www.isotc211.org/2005/gmd' \
         xmlns:gco='http://www.isotc211.org/2005/gco'><csw:SearchResults \
         numberOfRecordsMatched='1' numberOfRecordsReturned='1' nextRecord='0'>{}</csw:SearchResults></csw:GetRecordsResponse>",
        record("a")
    );
    let xml = |text: String| ResponseTemplate::new(200).set_body_raw(text, "application/xml");
    let service = "/geonetwork/srv/eng/csw";
    let asks = |what: &str| query_param("request", what);
    Mock::given(path(service)).and(asks("GetCapabilities")).respond_with(xml(capabilities)).mount(&server).await;
    Mock::given(path(service)).respond_with(xml(records)).mount(&server).await;
    leads_to(&server, "/geonetwork/srv/fre/catalog.search", "csw").await;
}

#[test]
fn saved_records_and_folders_of_them_are_found_by_what_they_hold() {
    let bench = Bench::new();
    let folder = bench.path("records");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("a.xml");
    std::fs::write(&file, format!("<?xml version='1.0'?>\n<!-- saved -->\n{}", record("a"))).expect("a file");
    for (target, field) in [(&file, "added"), (&folder, "added")] {
        let report = bench.harvest(target.to_str().expect("UTF-8"), &[]);
        assert_eq!(count(&report, &format!("/records/{field}")), 1, "{report}");
        assert!(report["note"].to_string().contains("is harvested as csw"), "{report}");
    }
}
