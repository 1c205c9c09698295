//! What a part of a source that cannot be read costs: itself, and never another record.

use crate::csw::record;
use crate::moisson::{Bench, count, harvest_served, text};
use serde_json::json;
use std::fmt::Write;
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const CONTEXT: &str = r#""@context":{"dcat":"http://www.w3.org/ns/dcat#","dct":"http://purl.org/dc/terms/"}"#;

fn dataset(id: &str, more: &str) -> String {
    format!(
        r#"{{{CONTEXT},"@type":"dcat:Dataset","@id":"https://shop.example/{id}","dct:identifier":"{id}","dct:title":"{id}"{more}}}"#
    )
}

fn script(content: &str) -> String {
    format!("<script type=\"application/ld+json\">{content}</script>\n")
}

async fn serve(server: &MockServer, at: &str, body: String, media_type: &str) {
    Mock::given(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, media_type))
        .mount(server)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_script_of_a_page_is_read_by_itself() {
    let page = |first: &str, last: &str| {
        [
            "<!doctype html><html><head>\n".to_owned(),
            script(first),
            script(&format!("\n//<![CDATA[\n{}\n//]]>\n", dataset("cdata", ""))),
            script(&dataset("break", ",\"dct:description\":\"First line.\nSecond line.\"")),
            script(&format!("{};", dataset("semicolon", ""))),
            script(last),
            "</head></html>".to_owned(),
        ]
        .concat()
    };
    let bench = Bench::new();
    let crumbs = r#"{"@context":"https://schema.org","@type":"BreadcrumbList"}"#;
    let nowhere = r#"{"@context":"http://127.0.0.1:1/nowhere.jsonld","name":"no context"}"#;
    for (first, last, seen) in [(crumbs, dataset("clean", ""), 4), (nowhere, "{broken".to_owned(), 3)] {
        let server = MockServer::start().await;
        serve(&server, "/data", page(first, &last), "text/html").await;
        let address = format!("{}/data", server.uri());
        let (_, report, said) = harvest_served(&bench, &address, &["--source", "shop", "--kind", "dcat"]).await;
        assert_eq!(count(&report, "/records/seen"), seen, "{said} {report}");
        assert_eq!(
            (report["complete"].as_bool(), count(&report, "/records/missing")),
            (Some(seen == 4), 0),
            "{report}"
        );
        let errors = report["errors"].to_string();
        assert_eq!(errors.contains("nowhere.jsonld") && errors.contains("not valid JSON"), seen == 3, "{report}");
    }
    assert_eq!(bench.records().len(), 4, "the dataset of the script that broke stays");
}

fn csw(service: &str) -> String {
    format!(
        "<csw:Capabilities xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' xmlns:ows='http://www.opengis.net/ows' \
         xmlns:xlink='http://www.w3.org/1999/xlink' version='2.0.2'><ows:ServiceIdentification><ows:Title>Records of the valley\
         </ows:Title></ows:ServiceIdentification><ows:ServiceProvider><ows:ProviderName>The valley</ows:ProviderName>\
         </ows:ServiceProvider><ows:OperationsMetadata><ows:Operation name='GetRecords'>\
         <ows:DCP><ows:HTTP><ows:Get xlink:href='{service}'/></ows:HTTP></ows:DCP></ows:Operation>\
         </ows:OperationsMetadata></csw:Capabilities>"
    )
}

/// A service of so many records that cannot give one of them.
async fn serve_catalogue(server: &MockServer, all: u64, broken: Option<u64>, announced: &str) {
    let xml = |body: String| ResponseTemplate::new(200).set_body_raw(body, "application/xml");
    Mock::given(path("/csw"))
        .and(query_param("request", "GetCapabilities"))
        .respond_with(xml(csw(announced)))
        .mount(server)
        .await;
    let answer = move |request: &Request| {
        let asked = |name: &str| {
            request
                .url
                .query_pairs()
                .find(|(known, _)| known == name)
                .and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let (start, most) = (asked("startPosition").unwrap_or(1), asked("maxRecords").unwrap_or(10));
        let end = (start + most).min(all + 1);
        if broken.is_some_and(|broken| (start..end).contains(&broken)) {
            return xml("<ows:ExceptionReport xmlns:ows='http://www.opengis.net/ows'><ows:Exception exceptionCode='NoApplicableCode'>\
                        <ows:ExceptionText>broken</ows:ExceptionText></ows:Exception></ows:ExceptionReport>".to_owned());
        }
        let records: String = (start..end).map(|number| record(&format!("r{number}"))).collect();
        xml(format!(
            "<csw:GetRecordsResponse xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' xmlns:gmd='http://www.isotc211.org/2005/gmd' \
             xmlns:gco='http://www.isotc211.org/2005/gco'><csw:SearchResults numberOfRecordsMatched='{all}' \
             numberOfRecordsReturned='{}' nextRecord='0'>{records}</csw:SearchResults></csw:GetRecordsResponse>",
            end - start
        ))
    };
    Mock::given(path("/csw")).respond_with(answer).mount(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_breaks_the_first_page_costs_itself() {
    for broken in [1, 3, 12] {
        let server = MockServer::start().await;
        serve_catalogue(&server, 12, Some(broken), &format!("{}/csw", server.uri())).await;
        let (_, report, said) = harvest_served(&Bench::new(), &format!("{}/csw", server.uri()), &[]).await;
        assert_eq!(
            (count(&report, "/records/added"), count(&report, "/records/failed")),
            (11, 1),
            "{said} {report}"
        );
        assert_eq!(report["complete"], false, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_capabilities_name_an_address_that_does_not_work_their_own_is_asked() {
    for announced in
        ["http://127.0.0.1:1/csw", "${SITE_URL}/csw", "https://backend.internal.invalid:8080/csw", "/csw"]
    {
        let server = MockServer::start().await;
        serve_catalogue(&server, 5, None, announced).await;
        let bench = Bench::new();
        let (code, report, said) = harvest_served(&bench, &format!("{}/csw", server.uri()), &[]).await;
        assert_eq!((code, count(&report, "/records/added")), (Some(0), 5), "{announced}: {said} {report}");
        // What the capabilities say of the service is said of the source's catalogue.
        let query = "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/>\n\
            SELECT ?title ?name { ?c a dcat:Catalog ; dct:title ?title ; dct:publisher/<http://xmlns.com/foaf/0.1/name> ?name ; \
            dcat:dataset ?d FILTER(CONTAINS(STR(?c), \"/source/\")) } GROUP BY ?title ?name";
        let query = bench.write("catalogue.rq", query);
        let answer = bench.run(&["query", text(&query), "--format", "csv"]);
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.contains("Records of the valley,The valley"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_of_files_is_found_without_its_kind() {
    let server = MockServer::start().await;
    let listing = "<html><head><title>Index of /records</title></head><body><a href='/records/sub/'>sub/</a>\
                   <a href='one.xml'>one.xml</a><a href='/other/out.xml'>out.xml</a></body></html>";
    serve(&server, "/records/", listing.to_owned(), "text/html").await;
    let inner =
        "<html><a href='/records/'>[To Parent Directory]</a><A HREF='/records/sub/TWO.XML'>TWO.XML</A></html>";
    serve(&server, "/records/sub/", inner.to_owned(), "text/html").await;
    for (at, id) in [("/records/one.xml", "one"), ("/records/sub/TWO.XML", "two"), ("/other/out.xml", "out")] {
        let namespaces =
            "xmlns:gmd='http://www.isotc211.org/2005/gmd' xmlns:gco='http://www.isotc211.org/2005/gco'";
        let body = record(id).replacen("<gmd:MD_Metadata", &format!("<gmd:MD_Metadata {namespaces}"), 1);
        serve(&server, at, body, "text/xml").await;
    }
    let (code, report, said) = harvest_served(&Bench::new(), &format!("{}/records/", server.uri()), &[]).await;
    assert_eq!((code, count(&report, "/records/added")), (Some(0), 2), "{said} {report}");
    assert!(report["note"].to_string().contains("a listing of files"), "{report}");
}

#[test]
fn a_file_of_dcat_us_is_known_by_what_it_says_of_itself() {
    let bench = Bench::new();
    let catalogue = json!({
        "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
        "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
        "dataset": [
            {"@type": "dcat:Dataset", "identifier": "a", "title": "A", "keyword": ["x"]},
            {"@type": "dcat:Dataset", "identifier": "b", "keyword": ["x"]},
        ],
    });
    let file = bench.write("catalogue-of-the-county.json", &catalogue.to_string());
    let report = bench.harvest(text(&file), &[]);
    assert_eq!((report["kind"].as_str(), count(&report, "/records/seen")), (Some("dcat-us"), 2), "{report}");
    // The record without a title is held back, and what is found in it is told all the same.
    let held = report["held_back"].as_array().map_or(0, Vec::len);
    assert_eq!(held, 1, "{report}");
    let told = String::from_utf8_lossy(&bench.run(&["harvest", text(&file)]).stdout).into_owned();
    assert!(told.contains("dcat-ap-3/Dataset-title-required"), "{told}");
    let again = bench.harvest(text(&file), &[]);
    assert_eq!(again["findings"], report["findings"], "what is held back is counted once");
}

#[test]
fn places_are_geometries_in_all_the_forms_that_files_have() {
    let bench = Bench::new();
    let forms = [
        ("envelope", json!({"type": "envelope", "coordinates": [[-81.0, 35.5], [-80.5, 35.0]]}), true),
        ("pair", json!("35.25,-80.75"), true),
        (
            "gml",
            json!(
                "<gml:Point srsName=\"http://www.opengis.net/def/crs/OGC/1.3/CRS84\"><gml:pos>-80.75 35.25</gml:pos></gml:Point>"
            ),
            true,
        ),
        ("box", json!("-81.0, 35.0, -80.5, 35.5"), true),
        (
            "typed",
            json!({"@type": "Location", "bbox": {"@type": "wktLiteral", "@value": "POLYGON((-81 35,-80.5 35,-80.5 35.5,-81 35.5,-81 35))"}}),
            true,
        ),
        ("name", json!("Mecklenburg County, NC"), false),
        ("code", json!("{\"what\": is this"), false),
    ];
    let datasets: Vec<_> = forms
        .iter()
        .map(|(id, spatial, _)| json!({"identifier": id, "title": id, "keyword": ["x"], "spatial": spatial}))
        .collect();
    let file = bench.write(
        "data.json",
        &json!({"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": datasets}).to_string(),
    );
    bench.harvest(text(&file), &["--kind", "dcat-us"]);
    let quads = bench.quads();
    for (id, _, is_shape) in forms {
        let of_record = |quad: &&String| quad.contains(&format!("data.json#{id}"));
        let key_graph =
            quads.iter().filter(of_record).find_map(|quad| quad.rsplit('<').next()).unwrap_or_default().to_owned();
        let in_graph = |part: &str| quads.iter().any(|quad| quad.contains(part) && quad.contains(&key_graph));
        assert_eq!(in_graph("wktLiteral"), is_shape, "{id}");
        assert_eq!(in_graph("prefLabel"), id == "name", "{id}: only a name is a name");
    }
}

#[test]
fn a_licence_is_the_datasets_where_all_its_distributions_have_it() {
    let bench = Bench::new();
    let by = "<https://creativecommons.org/licenses/by/4.0/>";
    let own = "<https://city.example/licence>";
    let mut turtle =
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n".to_owned();
    for (id, licences) in
        [("same", [by, by]), ("different", [by, own]), ("unknown", [own, own]), ("half", [by, ""])]
    {
        let _ = write!(
            turtle,
            "<http://e.example/{id}> a dcat:Dataset ; dct:identifier \"{id}\" ; dct:title \"{id}\""
        );
        for (number, licence) in licences.iter().enumerate() {
            let stated = if licence.is_empty() { String::new() } else { format!("dct:license {licence} ;") };
            let _ = write!(
                turtle,
                " ; dcat:distribution [ a dcat:Distribution ; {stated} dcat:accessURL <http://e.example/{id}/{number}> ]"
            );
        }
        turtle.push_str(" .\n");
    }
    let file = bench.write("licences.ttl", &turtle);
    bench.harvest(text(&file), &[]);
    for record in bench.records() {
        let (id, uri) = (record["remote_id"].as_str().unwrap_or_default(), record["license_uri"].as_str());
        let expected = match id {
            "same" | "half" => Some("creativecommons.org/licenses/by/4.0"),
            "unknown" => Some("city.example/licence"),
            _ => None,
        };
        assert_eq!(uri.is_some(), expected.is_some(), "{id}: {record}");
        assert!(uri.zip(expected).is_none_or(|(uri, expected)| uri.contains(expected)), "{id}: {record}");
    }
}

#[test]
fn the_catalogue_itself_is_stored_and_validated() {
    let bench = Bench::new();
    let turtle = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .\n\
        <http://e.example/c> a dcat:Catalog ; dct:title \"Data of the city\"@en ; dct:publisher <http://e.example/p> ;\n\
          foaf:homepage <http://e.example/> ; dcat:dataset <http://e.example/d> .\n\
        <http://e.example/p> a foaf:Agent .\n\
        <http://e.example/d> a dcat:Dataset ; dct:identifier \"d\" ; dct:title \"D\"@en ; dct:description \"All of it.\"@en .\n";
    let file = bench.write("catalogue.ttl", turtle);
    let report = bench.harvest(text(&file), &["--source", "city"]);
    let ask = |query: &str| {
        let file = bench.write("query.rq", query);
        let output = bench.run(&["query", text(&file), "--format", "csv"]);
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .skip(1)
            .filter(|line| !line.is_empty())
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    let prefixes = "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX foaf: <http://xmlns.com/foaf/0.1/>";
    assert_eq!(
        ask(&format!(
            "{prefixes} SELECT ?t {{ ?p dcat:catalog ?c . ?c a dcat:Catalog ; dct:title ?t ; foaf:homepage ?h ; dcat:dataset ?d ; dcat:record ?r . ?r foaf:primaryTopic ?d }}"
        )),
        ["Data of the city"]
    );
    assert_eq!(
        ask(&format!("{prefixes} SELECT (COUNT(?d) AS ?n) {{ ?c a dcat:Catalog ; dcat:dataset ?d }}")),
        ["2"],
        "the platform's and the source's"
    );
    // The description of the catalogue is missing, and its publisher's name.
    let (code, told) = {
        let output = bench.run(&["check", text(&file), "--format", "json"]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(code, Some(1), "{told}");
    for rule in ["dcat-ap-3/Catalog-description-required", "dcat-ap-3/Agent-name-required"] {
        assert!(told.contains(rule), "{rule}: {told}");
    }
    assert!(count(&report, "/findings/violation") >= 2, "{report}");
    // A title that changes is stored, though no record changed.
    bench.write("catalogue.ttl", &turtle.replace("Data of the city", "Open data of the city"));
    let again = bench.harvest(text(&file), &["--source", "city"]);
    assert_eq!(count(&again, "/records/unchanged"), 1, "{again}");
    assert_eq!(
        ask(&format!("{prefixes} SELECT ?t {{ ?p dcat:catalog ?c . ?c dct:title ?t }}")),
        ["Open data of the city"]
    );
}

#[test]
fn findings_of_what_is_not_stored_end_with_it() {
    let bench = Bench::new();
    let head = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
        <http://e.example/d> a dcat:Dataset ; dct:identifier \"d\" ; dct:title \"D\"@en ; dct:description \"All of it.\"@en .\n";
    let catalogue =
        "<http://e.example/c> a dcat:Catalog ; dct:title \"C\"@en ; dcat:dataset <http://e.example/d> .\n";
    let nameless =
        "<http://e.example/n> a dcat:Dataset ; dct:identifier \"n\" ; dct:description \"Without a title.\"@en .\n";
    let rules = ["dcat-ap-3/Catalog-description-required", "dcat-ap-3/Dataset-title-required"];
    let mut told = Vec::new();
    for more in [format!("{catalogue}{nameless}"), catalogue.to_owned(), String::new()] {
        let file = bench.write("catalogue.ttl", &format!("{head}{more}"));
        let output = bench.run(&["harvest", text(&file), "--source", "city"]);
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        told.push(rules.map(|rule| report.contains(rule)));
    }
    assert_eq!(told, [[true, true], [true, false], [false, false]]);
}

#[test]
fn no_local_folder_is_published() {
    let bench = Bench::new();
    let turtle = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
        <c> a dcat:Catalog ; dct:title \"C\"@en ; dcat:dataset <d> .\n\
        <d> a dcat:Dataset ; dct:title \"D\"@en ; dcat:distribution [ a dcat:Distribution ; dcat:accessURL <files/d.csv> ] .\n";
    let file = bench.write("catalogue.ttl", turtle);
    bench.harvest(text(&file), &["--source", "city"]);
    let folder = file.parent().and_then(|folder| folder.to_str()).expect("a folder").to_owned();
    for arguments in [&["export"][..], &["export", "--as-stored", "--format", "nquads"], &["records"]] {
        let told = String::from_utf8_lossy(&bench.run(arguments).stdout).into_owned();
        assert!(told.contains("/d") && !told.contains(&folder), "{arguments:?}: {told}");
    }
}

#[test]
fn what_is_no_store_and_what_is_there_already_is_refused() {
    let bench = Bench::new();
    let folder = bench.path("photos");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("holiday.jpg"), "x").expect("a file");
    let turtle =
        "<http://e.example/d> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> \"D\" .";
    let file = bench.write("one.ttl", turtle);
    let refused = bench.run(&["harvest", text(&file), "--store", text(&folder)]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holiday.jpg"), "{refused:?}");
    let long = bench.run(&["check", text(&file), "--max-bytes", "10"]);
    assert!(String::from_utf8_lossy(&long.stderr).contains("--max-bytes is 10"), "{long:?}");
    let records = bench.path("records");
    std::fs::create_dir_all(&records).expect("a folder");
    for (name, padding) in [("short.xml", 0), ("long.xml", 9_000)] {
        let padding = " ".repeat(padding);
        let record = record(name).replacen("<gmd:MD_Metadata>", "<gmd:MD_Metadata xmlns:gmd='http://www.isotc211.org/2005/gmd' xmlns:gco='http://www.isotc211.org/2005/gco'>", 1);
        std::fs::write(records.join(name), format!("{record}{padding}")).expect("a file");
    }
    let report = Bench::new().harvest(text(&records), &["--kind", "csw", "--max-bytes", "5000"]);
    assert_eq!((count(&report, "/records/seen"), report["complete"].as_bool()), (1, Some(false)), "{report}");
    assert!(
        report["errors"][0]["message"].as_str().is_some_and(|said| said.contains("--max-bytes is 5000")),
        "{report}"
    );
    bench.harvest(text(&file), &["--source", "first"]);
    let again = bench.run(&["source", "add", text(&file), "--name", "second"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("first"), "{again:?}");
    let near = bench.run(&["check", "--explain", "Dataset-titel-required"]);
    assert!(String::from_utf8_lossy(&near.stderr).contains("dcat-ap-3/Dataset-title-required"), "{near:?}");
    let part = bench.run(&["rules", "title-required", "--format", "json"]);
    assert!(String::from_utf8_lossy(&part.stdout).contains("dcat-ap-3/Dataset-title-required"), "{part:?}");
}
