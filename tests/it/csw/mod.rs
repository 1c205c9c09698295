//! Catalogue services: how records come page by page from servers as they are, and from files.

mod catalogue;

use crate::ckan::{answers_give, each_case};
use crate::moisson::{Bench, count, harvest_served, text};
use crate::shared::data;
pub(crate) use catalogue::record;
use catalogue::{Catalogue, Fault};
use serde_json::Value;
use std::io::Write;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// Harvests a stand-in after an honest harvest of the same, and gives the report of the second.
async fn after_an_honest_one(fault: Fault) -> Value {
    let bench = Bench::new();
    let honest = Catalogue::new(Fault::None).serve("2.0.2").await;
    let address = format!("{}/csw", honest.uri());
    let (_, report, said) = harvest_served(&bench, &address, &["--source", "s"]).await;
    assert_eq!((count(&report, "/records/added"), report["complete"].clone()), (25, true.into()), "{said}");
    let faulty = Catalogue::new(fault).serve("2.0.2").await;
    // The same source under another address: its server was replaced.
    let (_, report, said) = harvest_served(&bench, &format!("{}/csw", faulty.uri()), &["--source", "s"]).await;
    assert!(!report.is_null(), "{fault:?}: {said}");
    assert_eq!(count(&report, "/records/archived"), 0, "{fault:?}: {report}");
    assert_eq!(bench.records().len(), 25, "{fault:?}: nothing is lost");
    report
}

fn errors(report: &Value) -> String {
    report["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["message"].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_said_of_the_next_page_all_records_come() {
    for fault in [
        Fault::Next("0"),
        Fault::Next("9999"),
        Fault::Next("start"),
        Fault::Next("1"),
        Fault::NoNext,
        Fault::Returned("0"),
        Fault::Returned("999"),
        Fault::FewerThanAsked,
        Fault::RepeatsOneOfEachPage,
        Fault::OnlyGet,
    ] {
        let report = after_an_honest_one(fault).await;
        assert_eq!(
            (count(&report, "/records/seen"), &report["complete"]),
            (25, &true.into()),
            "{fault:?}: {report}"
        );
        assert_eq!(report["status"], "done", "{fault:?}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_add_up_is_said_and_nothing_counts_as_missing() {
    for (fault, seen, said) in [
        (Fault::TotalChanges, 25, "had 25 records when reading began and 24 when it ended"),
        (Fault::AnnouncesMore, 25, "announces 30 records and gave 25"),
        (Fault::IgnoresTheStart, 10, "does not heed where a page begins"),
        (Fault::ExceptionLater, 10, "NoApplicableCode: the index is broken"),
        (Fault::NoResultsLater, 10, "no SearchResults"),
        (Fault::FailsWithOneRecord, 24, "500"),
        (Fault::BreaksOneRecord, 24, "not well formed"),
    ] {
        let report = after_an_honest_one(fault).await;
        assert_eq!(count(&report, "/records/seen"), seen, "{fault:?}: {report}");
        assert_eq!(
            (&report["complete"], count(&report, "/records/missing")),
            (&false.into(), 0),
            "{fault:?}: {report}"
        );
        assert!(errors(&report).contains(said), "{fault:?}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_fails_by_name_and_its_text_is_kept() {
    let report = after_an_honest_one(Fault::BreaksOneRecord).await;
    let error = &report["errors"][0];
    assert_eq!(error["record"], "r13", "{report}");
    assert!(error["raw"].as_str().is_some_and(|raw| raw.contains("Record r13 & more")), "{report}");
    let report = after_an_honest_one(Fault::StrangeRecord).await;
    assert_eq!((count(&report, "/records/seen"), &report["complete"]), (25, &true.into()), "{report}");
    assert!(errors(&report).contains("gfc:FC_FeatureCatalogue is no record"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_is_asked_more_simply_and_its_refusal_told() {
    let report = after_an_honest_one(Fault::RefusesSorting).await;
    assert_eq!(count(&report, "/records/seen"), 25, "{report}");
    assert!(report["note"].as_str().is_some_and(|note| note.contains("refuses to sort")), "{report}");
    let report = after_an_honest_one(Fault::RefusesAll).await;
    assert_eq!(report["status"], "failed", "{report}");
    assert!(
        report["note"]
            .as_str()
            .is_some_and(|note| note.contains("the catalogue refuses: NoApplicableCode: the index is broken")),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn version_three_is_spoken_by_get() {
    let mut catalogue = Catalogue::new(Fault::None);
    catalogue.namespace = "http://www.opengis.net/cat/csw/3.0";
    let server = catalogue.serve("3.0.0").await;
    let (code, report, said) = harvest_served(&Bench::new(), &format!("{}/csw", server.uri()), &[]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 25), "{said}");
    let asked = server.received_requests().await.expect("recorded");
    assert!(asked.iter().all(|request| request.method.as_str() == "GET"));
    assert!(asked.iter().any(|request| request.url.query().is_some_and(|query| query.contains("version=3.0.0"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_catalogue_is_told_where_the_source_names_it() {
    let server = Catalogue::new(Fault::None).serve("2.0.2").await;
    let bench = Bench::new();
    let options = ["--remote-url-prefix", "https://geo.example.org/records/", "--max-records", "1"];
    let (_, report, said) =
        harvest_served(&bench, &format!("{}/csw?SERVICE=CSW&REQUEST=GetCapabilities", server.uri()), &options)
            .await;
    assert_eq!(count(&report, "/records/added"), 1, "{said}");
    assert_eq!(bench.records()[0]["remote_url"], "https://geo.example.org/records/r1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_goes_to_the_service_with_the_key() {
    let server = Catalogue::new(Fault::None).serve("2.0.2").await;
    let bench = Bench::new();
    let key = bench.write("key", "Basic dTpw");
    let options = ["--where", "dc:title LIKE '%a%'", "--token-file", text(&key)];
    harvest_served(&bench, &format!("{}/csw", server.uri()), &options).await;
    let asked = server.received_requests().await.expect("recorded");
    let posts: Vec<_> = asked.iter().filter(|request| request.method.as_str() == "POST").collect();
    assert!(
        !posts.is_empty()
            && posts.iter().all(|post| String::from_utf8_lossy(&post.body).contains("dc:title LIKE"))
    );
    assert!(
        asked.iter().all(|request| request.headers.get("authorization").is_some_and(|key| key == "Basic dTpw"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_files_is_walked_with_its_folders() {
    let server = MockServer::start().await;
    let page = |body: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/html");
    let file = |id: &str| {
        let namespaces =
            "xmlns:gmd='http://www.isotc211.org/2005/gmd' xmlns:gco='http://www.isotc211.org/2005/gco'";
        let xml = record(id).replacen("<gmd:MD_Metadata", &format!("<gmd:MD_Metadata {namespaces}"), 1);
        ResponseTemplate::new(200).set_body_raw(xml, "application/xml")
    };
    let root = "<!DOCTYPE html><html><a href='../'>up</a><a href='?C=M'>by date</a><a href=\"one.xml\">1</a><a href='sub/'>sub</a><a href='gone.xml'>x</a><a href='https://elsewhere.example/x.xml'>y</a></html>";
    for (address, answer) in [
        ("/waf/", page(root)),
        ("/waf/sub/", page("<html><a href='/waf/'>up</a><a href='two.XML'>2</a></html>")),
        ("/waf/one.xml", file("one")),
        ("/waf/sub/two.XML", file("two")),
    ] {
        Mock::given(path(address)).respond_with(answer).mount(&server).await;
    }
    let bench = Bench::new();
    let (_, report, said) = harvest_served(&bench, &format!("{}/waf/", server.uri()), &["--kind", "csw"]).await;
    assert_eq!(count(&report, "/records/added"), 2, "{said}");
    assert_eq!(report["complete"], false, "one file is missing: {report}");
    assert!(errors(&report).contains("404"), "{report}");
}

#[test]
fn folders_and_archives_of_records_are_read() {
    let bench = Bench::new();
    let folder = bench.path("records");
    std::fs::create_dir_all(folder.join("sub")).expect("a folder");
    std::fs::write(folder.join("a.xml"), record("a")).expect("a file");
    std::fs::write(
        folder.join("sub/b.xml"),
        format!("<csw:GetRecordByIdResponse>{}</csw:GetRecordByIdResponse>", record("b")),
    )
    .expect("a file");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.join("c.mef")).expect("a file"));
    for (name, content) in [
        ("c/metadata/metadata.xml", record("c")),
        ("c/metadata/metadata.iso19139.xml", record("c")),
        ("c/info.xml", "<info/>".to_owned()),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
        archive.write_all(content.as_bytes()).expect("a member");
    }
    archive.finish().expect("an archive");
    let report = bench.harvest(text(&folder), &["--kind", "csw"]);
    assert_eq!(count(&report, "/records/added"), 3, "{report}");
    let mut ids: Vec<_> = bench.records().iter().map(|record| record["remote_id"].to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["\"a\"", "\"b\"", "\"c\""]);
}

#[test]
fn document_types_entities_and_bombs_are_refused_and_the_rest_goes_in() {
    let bench = Bench::new();
    let folder = bench.path("records");
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("good.xml", &record("good"));
    write("external.xml", &format!("<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{}", record("&x;")));
    write("bomb.xml", &format!("<!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>{}", record("&b;")));
    write("dtd.xml", &format!("<!DOCTYPE r SYSTEM 'http://127.0.0.1:1/r.dtd'>{}", record("dtd")));
    write("entity.xml", &record("&unknown;"));
    let report = bench.harvest(text(&folder), &["--kind", "csw"]);
    assert_eq!(count(&report, "/records/added"), 1, "{report}");
    let said = errors(&report);
    assert_eq!(said.matches("document type (DTD), which is refused").count(), 3, "{report}");
    assert!(said.contains("not well formed"), "{report}");
}

#[test]
fn a_finding_leads_to_the_element_and_its_line() {
    let bench = Bench::new();
    let text_of_record = record("r").replace("<gmd:abstract>", "\n<gmd:topicCategory><gmd:MD_TopicCategoryCode>farming</gmd:MD_TopicCategoryCode></gmd:topicCategory>\n<gmd:resourceMaintenance><gmd:MD_MaintenanceInformation>\n<gmd:maintenanceAndUpdateFrequency><gmd:MD_MaintenanceFrequencyCode codeListValue='whenever'/></gmd:maintenanceAndUpdateFrequency></gmd:MD_MaintenanceInformation></gmd:resourceMaintenance><gmd:abstract>");
    let file = bench.write("record.xml", &text_of_record);
    let output = bench.run(&["check", text(&file), "--kind", "csw", "--format", "json", "--fail-on", "never"]);
    let checked: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = checked["findings"].as_array().expect("findings");
    let unread =
        findings.iter().find(|finding| finding["value"].to_string().contains("whenever")).expect("a finding");
    assert_eq!(unread["place"]["line"], 4, "{unread}");
    let way = "/gmd:MD_Metadata/gmd:identificationInfo/gmd:MD_DataIdentification/gmd:resourceMaintenance/gmd:MD_MaintenanceInformation/gmd:maintenanceAndUpdateFrequency/gmd:MD_MaintenanceFrequencyCode";
    assert_eq!(unread["place"]["path"], way, "{unread}");
}

#[test]
fn each_case_gives_its_triples_and_its_record() {
    each_case("csw", "record.xml");
}

#[test]
fn real_records_give_what_the_tables_say() {
    for (name, folder) in [
        ("csw", "csw"),
        ("iso", "iso"),
        ("iso-pairs-dcat", "pair-iso-dcat"),
        ("iso-pairs-geodcat", "pair-iso-geodcat"),
        ("iso-pairs-19115-3", "pair-iso19115-3-dcat"),
        ("csw-pairs-json", "pair-csw-json"),
    ] {
        answers_give(name, &["--kind", "csw"], folder, ".xml");
    }
}

/// The pages of one catalogue, saved: served as its service would.
async fn serve_pages(pages: &'static str) -> Option<MockServer> {
    let folder = data("csw/opendatateam__udata/csw_dcat")?;
    let server = MockServer::start().await;
    let capabilities = Catalogue::new(Fault::None).capabilities("2.0.2", &server.uri());
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(capabilities, "application/xml"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(move |request: &Request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let start = body
                .split("startPosition=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .expect("a start")
                .to_owned();
            let page = std::fs::read_to_string(folder.join(format!("{pages}-page-{start}.xml"))).expect("a page");
            ResponseTemplate::new(200).set_body_raw(page, "application/xml")
        })
        .mount(&server)
        .await;
    Some(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn geo2france_has_six_datasets_in_three_pages_in_each_schema() {
    for pages in ["geonetwork-dcat", "geonetwork-iso19139"] {
        let Some(server) = serve_pages(pages).await else { return };
        let bench = Bench::new();
        let (_, report, said) = harvest_served(&bench, &format!("{}/csw", server.uri()), &[]).await;
        assert_eq!((count(&report, "/records/added"), count(&report, "/pages")), (6, 3), "{pages}: {said}");
        assert_eq!((&report["complete"], bench.records().len()), (&true.into(), 6), "{pages}: {report}");
    }
}

#[test]
fn geoide_has_one_dataset_with_six_resources() {
    let Some(file) = data("csw/opendatateam__udata/csw_dcat/geoide-iso19139-single-dataset.xml") else { return };
    let bench = Bench::new();
    bench.harvest(text(&file), &["--kind", "csw"]);
    let records = bench.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["title"], "Plan local d'urbanisme de la commune de Combles");
    assert_eq!(records[0]["license"], "lov1");
    assert_eq!(records[0]["resources"].as_array().map(Vec::len), Some(6), "{}", records[0]);
}

#[test]
fn what_did_not_change_is_not_gone_through_again() {
    let bench = Bench::new();
    let folder = bench.path("records");
    std::fs::create_dir_all(&folder).expect("a folder");
    for id in ["a", "b"] {
        std::fs::write(folder.join(format!("{id}.xml")), record(id)).expect("a file");
    }
    let validated = |report: &Value| {
        let phases = report["phases"].as_array().expect("phases");
        phases.iter().find(|phase| phase[0] == "validate").and_then(|phase| phase[1].as_f64()).unwrap_or_default()
    };
    let first = bench.harvest(text(&folder), &["--kind", "csw"]);
    assert!(validated(&first) > 0.0, "{first}");
    let again = bench.harvest(text(&folder), &["--kind", "csw"]);
    assert_eq!(count(&again, "/records/unchanged"), 2, "{again}");
    assert!(validated(&again) == 0.0, "the mapping is the same, and so are its rules: {again}");
}
