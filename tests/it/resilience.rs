//! What a source, a crash or an odd catalogue must not do to what is stored.

use crate::moisson::{Bench, count, text};
use serde_json::Value;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n";

/// Datasets by their numbers, each with a distribution of its own.
fn datasets(numbers: &[u32]) -> String {
    let one = |n: &u32| {
        format!(
            "<http://e.example/{n}> a dcat:Dataset ; dct:title \"No {n}\"@en ; dct:identifier \"{n}\" ;\n \
             dcat:distribution [ dcat:downloadURL <http://e.example/{n}.csv> ] .\n"
        )
    };
    format!("{PREFIXES}{}", numbers.iter().map(one).collect::<Vec<_>>().concat())
}

fn turtle(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/turtle")
}

/// Harvests on a thread that may block, while the server answers.
async fn harvest(bench: Bench, address: String) -> (Bench, Value) {
    tokio::task::spawn_blocking(move || {
        let report = bench.harvest(&address, &["--allow-loopback"]);
        (bench, report)
    })
    .await
    .expect("a report")
}

#[test]
fn what_a_killed_harvest_left_is_undone_by_the_next_of_any_source() {
    let bench = Bench::new();
    let one = bench.write("one.ttl", &datasets(&[1, 2, 3]));
    bench.harvest(text(&one), &[]);
    let published = bench.quads();
    // As a kill between the load and the snapshot leaves it: the triples are ahead.
    let (triples, ahead) = (bench.store().join("triples"), bench.path("ahead"));
    let two = bench.write("two.ttl", &datasets(&[4]));
    bench.harvest(text(&two), &[]);
    std::fs::rename(&triples, &ahead).expect("a folder");
    std::fs::remove_dir_all(bench.store().join("snapshots/2")).expect("a snapshot");
    std::fs::rename(&ahead, &triples).expect("a folder");
    std::fs::write(bench.store().join("CURRENT"), "1").expect("a writable store");
    std::fs::write(bench.store().join("UNPUBLISHED"), "some-job 1").expect("a writable store");
    assert_eq!(bench.quads(), published, "nobody reads the half");
    let three = bench.write("three.ttl", &datasets(&[5]));
    let report = bench.harvest(text(&three), &[]);
    assert_eq!(count(&report, "/records/added"), 1, "{report}");
    assert_eq!(bench.records().len(), 4, "another source's harvest publishes nothing of it either");
    assert!(!bench.store().join("UNPUBLISHED").exists());
    let report = bench.harvest(text(&two), &[]);
    assert_eq!(count(&report, "/records/added"), 1, "{report}");
    assert_eq!(bench.records().len(), 5);
}

#[test]
fn a_store_keeps_the_base_that_it_began_with() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", &datasets(&[1]));
    bench.harvest(text(&file), &[]);
    let other = |arguments: &[&str]| {
        bench.command().env("MOISSON_BASE", "https://other.example").args(arguments).output().expect("it starts")
    };
    for arguments in [&["harvest", text(&file)][..], &["records"], &["export"]] {
        let output = other(arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("http://127.0.0.1:8080"), "{said}");
    }
    assert_eq!(bench.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_answer_neither_keeps_gone_records_nor_lifts_a_hold() {
    let server = MockServer::start().await;
    let not_modified = || ResponseTemplate::new(304);
    Mock::given(header("if-none-match", "\"v2\"")).respond_with(not_modified()).mount(&server).await;
    Mock::given(method("GET"))
        .respond_with(turtle(&datasets(&[1, 2, 3, 4])).insert_header("etag", "\"v1\""))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let second = turtle(&datasets(&[1])).insert_header("etag", "\"v2\"");
    Mock::given(method("GET")).respond_with(second).mount(&server).await;
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 50\n");
    let address = format!("{}/c.ttl", server.uri());
    let (bench, _) = harvest(bench, address.clone()).await;
    let (bench, held) = harvest(bench, address.clone()).await;
    assert_eq!(held["status"], "held", "{held}");
    let (bench, still) = harvest(bench, address.clone()).await;
    assert_eq!((still["status"].as_str(), count(&still, "/pages")), (Some("held"), 0), "{still}");
    assert_eq!(bench.records().len(), 4);
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 90\n");
    let (bench, released) = harvest(bench, address).await;
    assert_eq!(count(&released, "/records/archived"), 3, "{released}");
    assert_eq!(bench.records().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_answer_makes_the_next_one_be_read_whole() {
    let server = MockServer::start().await;
    let sound = || turtle(&datasets(&[1, 2])).insert_header("etag", "\"a\"");
    let broken = format!("{}<http://e.example/9> oops .\n", datasets(&[1]).replace("No 1", "Other 1"));
    Mock::given(path("/c.ttl")).respond_with(sound()).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/c.ttl")).respond_with(turtle(&broken)).up_to_n_times(1).mount(&server).await;
    let unchanged = Mock::given(header("if-none-match", "\"a\"")).respond_with(ResponseTemplate::new(304));
    unchanged.expect(0).mount(&server).await;
    Mock::given(path("/c.ttl")).respond_with(sound()).mount(&server).await;
    let address = format!("{}/c.ttl", server.uri());
    let (bench, _) = harvest(Bench::new(), address.clone()).await;
    let (bench, second) = harvest(bench, address.clone()).await;
    assert_eq!(second["complete"], false, "{second}");
    let (bench, third) = harvest(bench, address).await;
    assert_eq!(count(&third, "/records/changed"), 1, "{third}");
    assert!(bench.records().iter().all(|record| record["title"].as_str().is_some_and(|t| t.starts_with("No"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_repeated_on_each_page_is_one_record_and_no_error() {
    let service = "<http://e.example/s> a dcat:DataService ; dct:title \"S\"@en ; dct:identifier \"s\" .\n";
    let server = MockServer::start().await;
    let next = "<http://e.example/v> <http://www.w3.org/ns/hydra/core#next> </b> .\n";
    let first = format!("{}{service}{next}", datasets(&[1]));
    let second = format!("{}{}", datasets(&[2]), service.replace("\"S\"", "\"Another\""));
    Mock::given(path("/a")).respond_with(turtle(&first)).mount(&server).await;
    Mock::given(path("/b")).respond_with(turtle(&second)).mount(&server).await;
    let address = format!("{}/a", server.uri());
    let (bench, report) = harvest(Bench::new(), address.clone()).await;
    assert_eq!((report["status"].as_str(), count(&report, "/records/seen")), (Some("done"), 3), "{report}");
    let (_, again) = harvest(bench, address).await;
    assert_eq!(count(&again, "/records/unchanged"), 3, "{again}");
    assert_eq!(again["findings"], report["findings"], "the second description is one finding, however often");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirected_page_leads_on_from_where_it_is() {
    let server = MockServer::start().await;
    let to = ResponseTemplate::new(302).insert_header("location", "/deep/a");
    Mock::given(path("/c")).respond_with(to).mount(&server).await;
    let next = "<http://e.example/v> <http://www.w3.org/ns/hydra/core#next> \"b\" .\n";
    Mock::given(path("/deep/a")).respond_with(turtle(&format!("{}{next}", datasets(&[1])))).mount(&server).await;
    Mock::given(path("/deep/b")).respond_with(turtle(&datasets(&[2]))).expect(1).mount(&server).await;
    let (_, report) = harvest(Bench::new(), format!("{}/c", server.uri())).await;
    assert_eq!((count(&report, "/records/seen"), &report["complete"]), (2, &Value::Bool(true)), "{report}");
}

/// Datasets need not hang on the catalogue; its own address may be a web page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_catalogues_that_a_catalogue_names_are_followed() {
    let server = MockServer::start().await;
    let base = server.uri();
    let page = format!(
        "{}<{base}/portal> a dcat:Catalog ; dcat:catalog <{base}/more> ; dct:hasPart <{base}/report.pdf> .\n",
        datasets(&[1])
    );
    Mock::given(path("/c.ttl")).respond_with(turtle(&page)).mount(&server).await;
    Mock::given(path("/more")).respond_with(turtle(&datasets(&[2]))).expect(1).mount(&server).await;
    Mock::given(path("/portal")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    Mock::given(path("/report.pdf")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    let (_, report) = harvest(Bench::new(), format!("{base}/c.ttl")).await;
    assert_eq!((report["status"].as_str(), count(&report, "/records/seen")), (Some("done"), 2), "{report}");
}

const NESTED: &str = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/" xmlns:foaf="http://xmlns.com/foaf/0.1/">
<dcat:Catalog rdf:about="http://e.example/c"><dcat:dataset>
<dcat:Dataset rdf:about="http://e.example/1"><dct:identifier>1</dct:identifier><dct:title xml:lang="en">One</dct:title>
<dct:publisher><foaf:Agent rdf:about="http://e.example/p"><foaf:name>P</foaf:name></foaf:Agent></dct:publisher></dcat:Dataset>
</dcat:dataset><dcat:dataset>
<dcat:Dataset rdf:about="http://e.example/2"><dct:identifier>2</dct:identifier><dct:title xml:lang="en">Two</dct:title>
<dct:publisher><foaf:Agent rdf:about="http://e.example/p"><foaf:name>P</foaf:name></foaf:Agent></dct:publisher>
<dcat:distribution><dcat:Distribution rdf:about="http://e.example/2/d"><dct:title>D</dct:title>
<dcat:accessURL rdf:resource="http://e.example/2.csv"/></dcat:Distribution></dcat:distribution></dcat:Dataset>
</dcat:dataset></dcat:Catalog></rdf:RDF>"#;

/// Parsers give a distribution's triples before the one that hangs it on its dataset.
#[test]
fn a_file_cut_anywhere_leaves_each_record_whole_or_as_it_was() {
    let bench = Bench::new();
    let file = bench.write("c.rdf", NESTED);
    bench.write("moisson.toml", "grace_days = 0\n");
    bench.harvest(text(&file), &[]);
    let before = bench.quads();
    for cut in ["<dct:title>D</dct:title>", "<dcat:accessURL", "<dct:title xml:lang=\"en\">Two", "<foaf:name>P"] {
        let at = NESTED.rfind(cut).expect("a place to cut at") + cut.len();
        bench.write("c.rdf", &NESTED[..at]);
        let report = bench.harvest(text(&file), &[]);
        assert_eq!(report["complete"], false, "{cut}: {report}");
        assert_eq!(count(&report, "/records/changed"), 0, "{cut}: {report}");
        assert_eq!(bench.quads(), before, "{cut}");
    }
}

#[test]
fn an_identifier_that_was_left_behind_can_be_used_again() {
    let bench = Bench::new();
    let file = bench.write("c.ttl", &datasets(&[1, 2]));
    bench.harvest(text(&file), &[]);
    bench.write("c.ttl", &datasets(&[1, 2]).replace("dct:identifier \"2\"", "dct:identifier \"two\""));
    assert_eq!(count(&bench.harvest(text(&file), &[]), "/records/renamed"), 1);
    let again = format!(
        "{}<http://e.example/new> a dcat:Dataset ; dct:title \"New\"@en ; dct:identifier \"2\" .\n",
        datasets(&[1, 2]).replace("dct:identifier \"2\"", "dct:identifier \"two\"")
    );
    bench.write("c.ttl", &again);
    let report = bench.harvest(text(&file), &[]);
    assert_eq!((count(&report, "/records/added"), count(&report, "/records/failed")), (1, 0), "{report}");
    assert_eq!(bench.records().len(), 3);
}

#[test]
fn a_job_that_failed_prints_its_report_too() {
    let bench = Bench::new();
    let file = bench.write("page.html", "<html><title>Hello</title></html>");
    let output = bench.harvest_output(text(&file), &[]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((output.status.code(), report["status"].as_str()), (Some(3), Some("failed")));
    assert!(report["note"].as_str().is_some_and(|note| note.contains("holds no JSON-LD")), "{report}");
}

#[test]
fn an_address_has_one_name_and_a_moved_source_says_so() {
    let bench = Bench::new();
    let (one, two) = (bench.write("1.ttl", &datasets(&[1])), bench.write("2.ttl", &datasets(&[1, 2])));
    bench.harvest(text(&one), &["--source", "city"]);
    let twice = bench.run(&["harvest", text(&one), "--source", "town"]);
    assert_eq!(twice.status.code(), Some(2), "{}", String::from_utf8_lossy(&twice.stderr));
    let dry = bench.harvest(text(&one), &["--dry-run"]);
    assert_eq!((dry["source"].as_str(), count(&dry, "/records/added")), (Some("city"), 0), "{dry}");
    let moved = bench.harvest(text(&two), &["--source", "city"]);
    assert!(moved["note"].as_str().is_some_and(|note| note.contains("moved here from")), "{moved}");
    assert_eq!((count(&moved, "/records/added"), count(&moved, "/records/unchanged")), (1, 1), "{moved}");
}

/// A list of ten thousand members is as many blank nodes below one another.
#[test]
fn long_lists_and_deep_html_do_not_end_the_program() {
    let bench = Bench::new();
    let members = "1 ".repeat(20_000);
    let html = "<div>".repeat(3_000);
    let data = format!(
        "{PREFIXES}<http://e.example/1> a dcat:Dataset ; dct:title \"One\"@en ; dct:identifier \"1\" ;\n \
         dct:description \"{html}x\" ; <http://e.example/list> ( {members} ) ."
    );
    let file = bench.write("c.ttl", &data);
    let report = bench.harvest(text(&file), &[]);
    assert_eq!(count(&report, "/records/added"), 1, "{report}");
    assert_eq!(bench.records()[0]["description"], "x");
}

#[test]
fn the_same_statements_in_another_order_change_nothing() {
    // Nodes without names that lead to one another: to the record, and in a circle of their own.
    let lines = [
        "<http://e.example/> a dcat:Catalog ; dcat:dataset _:d .",
        "_:d a dcat:Dataset ; dct:identifier \"x\" ; dct:title \"X\"@en ; dcat:record _:r ; dct:relation _:p .",
        "_:r a dcat:CatalogRecord ; dct:subject _:d ; dct:source _:o .",
        "_:o a dcat:CatalogRecord ; dct:subject _:d ; dct:title \"As it came\"@en .",
        "_:p dct:title \"Part\"@en ; dct:hasPart _:q .",
        "_:q dct:title \"Piece\"@en ; dct:isPartOf _:p .",
    ];
    let bench = Bench::new();
    let harvest = |lines: &[&str]| {
        let catalogue = bench.write("catalogue.ttl", &format!("{PREFIXES}{}\n", lines.join("\n")));
        bench.harvest(text(&catalogue), &[])
    };
    assert_eq!(count(&harvest(&lines), "/records/added"), 1);
    let quads = bench.quads();
    for turn in 1..lines.len() {
        let mut turned = lines;
        turned.rotate_left(turn);
        turned[1..].reverse();
        assert_eq!(count(&harvest(&turned), "/records/unchanged"), 1, "{turned:?}");
    }
    assert_eq!(bench.quads(), quads);
}
