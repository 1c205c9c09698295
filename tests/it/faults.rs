//! Servers that misbehave: each fault ends in a clear outcome, and costs no stored record.

use crate::generated::{Portal, generator};
use crate::moisson::{Bench, count};
use serde_json::Value;
use std::time::Instant;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PAGE: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
    <http://e.example/1> a dcat:Dataset ; dct:title \"One\"@en ; dct:identifier \"1\" .\n";

fn turtle(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/turtle")
}

async fn harvest(bench: &Bench, address: String, more: &[&str]) -> (Option<i32>, Option<Value>, String) {
    let more: Vec<String> = more.iter().map(|text| (*text).to_owned()).collect();
    let mut command = bench.command();
    command.args(["harvest", &address, "--format", "json", "--allow-loopback"]).args(&more);
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program starts"))
        .await
        .expect("a result");
    let report = serde_json::from_slice(&output.stdout).ok();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_is_refused_unless_it_is_allowed() {
    let server = MockServer::start().await;
    Mock::given(path("/c.ttl")).respond_with(turtle(PAGE)).expect(0).mount(&server).await;
    let bench = Bench::new();
    let address = format!("{}/c.ttl", server.uri());
    let output = tokio::task::spawn_blocking(move || bench.run(&["harvest", &address])).await.expect("a result");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a public address"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_to_a_private_address_is_refused() {
    let server = MockServer::start().await;
    let to = ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/latest/meta-data");
    Mock::given(path("/c")).respond_with(to).mount(&server).await;
    let loops = ResponseTemplate::new(302).insert_header("location", "/loop");
    Mock::given(path("/loop")).respond_with(loops).mount(&server).await;
    let bench = Bench::new();
    let (code, _, said) = harvest(&bench, format!("{}/c", server.uri()), &[]).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("169.254.169.254 is 169.254.169.254, which is not a public address"), "{said}");
    let (code, _, said) = harvest(&bench, format!("{}/loop", server.uri()), &[]).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("more than 5 redirects"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_as_long_as_the_server_asks_and_tries_again() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    Mock::given(path("/c.ttl")).respond_with(busy).up_to_n_times(2).expect(2).mount(&server).await;
    Mock::given(path("/c.ttl")).respond_with(turtle(PAGE)).mount(&server).await;
    let start = Instant::now();
    let (code, report, said) = harvest(&Bench::new(), format!("{}/c.ttl", server.uri()), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(count(&report.expect("a report"), "/records/added"), 1);
    assert!(start.elapsed().as_secs() >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_conditionally_and_an_unchanged_source_writes_nothing() {
    let server = MockServer::start().await;
    let fresh = Mock::given(header("if-none-match", "\"v1\"")).respond_with(ResponseTemplate::new(304)).expect(1);
    fresh.mount(&server).await;
    Mock::given(method("GET")).respond_with(turtle(PAGE).insert_header("etag", "\"v1\"")).mount(&server).await;
    let bench = Bench::new();
    let address = format!("{}/c.ttl", server.uri());
    harvest(&bench, address.clone(), &[]).await;
    let (_, report, _) = harvest(&bench, address, &[]).await;
    let report = report.expect("a report");
    assert_eq!((count(&report, "/records/unchanged"), count(&report, "/pages")), (1, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_ends_at_the_cap() {
    use std::io::Write;
    let server = MockServer::start().await;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..2_000 {
        zip.write_all(&[b' '; 10_000]).expect("memory");
    }
    let bomb = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(zip.finish().expect("memory"), "text/turtle");
    Mock::given(path("/c.ttl")).respond_with(bomb).mount(&server).await;
    let (code, _, said) =
        harvest(&Bench::new(), format!("{}/c.ttl", server.uri()), &["--max-bytes", "1000000"]).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("longer than 1000000 bytes after decompression"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_records_than_announced_leave_the_crawl_incomplete() {
    let server = MockServer::start().await;
    let body = format!("{PAGE}<http://e.example/c> <http://www.w3.org/ns/hydra/core#totalItems> 9 .\n");
    Mock::given(path("/c.ttl")).respond_with(turtle(&body)).mount(&server).await;
    let (code, report, _) = harvest(&Bench::new(), format!("{}/c.ttl", server.uri()), &[]).await;
    let report = report.expect("a report");
    assert_eq!((code, &report["complete"]), (Some(1), &Value::Bool(false)), "{report}");
    assert!(report["errors"][0]["message"].as_str().is_some_and(|text| text.contains("announces 9")), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_second_page_keeps_the_first_and_archives_nothing() {
    let server = MockServer::start().await;
    let next = |page: &str| format!("<http://e.example/v> <http://www.w3.org/ns/hydra/core#next> <{page}> .\n");
    let second = PAGE.replace("e.example/1", "e.example/2").replace("\"1\"", "\"2\"");
    Mock::given(path("/a")).respond_with(turtle(&format!("{PAGE}{}", next("/b")))).mount(&server).await;
    Mock::given(path("/b")).respond_with(turtle(&second)).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/b")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let bench = Bench::new();
    bench.write("moisson.toml", "grace_days = 0\n");
    let address = format!("{}/a", server.uri());
    let (code, _, _) = harvest(&bench, address.clone(), &[]).await;
    assert_eq!(code, Some(0));
    let (code, report, _) = harvest(&bench, address, &[]).await;
    let report = report.expect("a report");
    assert_eq!(
        (code, count(&report, "/records/unchanged"), count(&report, "/records/archived")),
        (Some(1), 1, 0),
        "{report}"
    );
    assert_eq!(bench.records().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_names_itself_as_the_next_ends() {
    let server = MockServer::start().await;
    let body = format!("{PAGE}<http://e.example/v> <http://www.w3.org/ns/hydra/core#nextPage> \"/a\" .\n");
    Mock::given(path("/a")).respond_with(turtle(&body)).expect(1).mount(&server).await;
    let (code, report, _) = harvest(&Bench::new(), format!("{}/a", server.uri()), &["--kind", "dcat"]).await;
    assert_eq!(code, Some(1));
    assert_eq!(report.expect("a report")["complete"], false);
}

/// Every fault of the stand-in portal, on a store that holds its catalogue already.
#[test]
fn each_fault_of_a_portal_ends_clearly_and_costs_no_record() {
    each_fault("/catalog.ttl", &[]);
}

#[test]
fn each_fault_of_a_ckan_portal_ends_clearly_and_costs_no_record() {
    each_fault("", &["--kind", "ckan"]);
}

fn each_fault(path: &str, more: &[&str]) {
    let Some(generator) = generator() else { return };
    let faults = [
        "latency:ms=200",
        "error:status=500",
        "error:status=404",
        "ratelimit:retry_after=1",
        "truncate:keep=0.5",
        "slowloris:bps=20,max_s=5",
        "hang:max_s=5",
        "wrongtype:ct=text/html",
        "html",
        "garble",
        "redirectloop",
        "redirectout",
        "gzipbomb:mb=64",
        "reset",
        "empty",
        "pageloop",
    ];
    for fault in faults {
        let bench = Bench::new();
        bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 100\n");
        let sound = Portal::start(&generator, &["--n", "120", "--page-size", "50"]);
        let options = [&["--allow-loopback", "--source", "portal"], more].concat();
        let report = bench.harvest(&format!("{}{path}", sound.base), &options);
        assert_eq!(count(&report, "/records/seen"), 120, "{report}");
        let stored = bench.records().len();
        drop(sound);
        let faulty = Portal::start(&generator, &["--n", "120", "--page-size", "50", "--fault", fault]);
        let address = format!("{}{path}", faulty.base);
        let options = [&options[..], &["--idle-timeout", "3", "--max-bytes", "30000000"]].concat();
        let start = Instant::now();
        let output = bench.harvest_output(&address, &options);
        let code = output.status.code();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(code, Some(0 | 1 | 3)), "{fault}: {code:?} {said}");
        assert!(code != Some(3) || said.trim().len() > 30, "{fault}: {said}");
        assert!(start.elapsed().as_secs() < 60, "{fault} took {:?}", start.elapsed());
        assert_eq!(bench.records().len(), stored, "{fault}: {}", String::from_utf8_lossy(&output.stdout));
        println!("{fault}: exit {code:?} {}", said.trim());
    }
}
