//! The server: SPARQL, records, feeds, pages; and that it never reaches out.

use crate::moisson::{Bench, text};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

struct Server {
    child: Child,
    address: String,
    bench: Bench,
}

struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

impl Server {
    fn start() -> Self {
        let bench = Bench::new();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
        bench.harvest(text(&sample), &["--source", "sample"]);
        let mut child = bench
            .command()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().trim_start_matches("listening on http://").to_owned();
        Self { child, address, bench }
    }

    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let content_type = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned))
            .unwrap_or_default();
        Answer { status, content_type, body: body.to_owned() }
    }

    fn get(&self, path: &str, accept: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.0\r\nHost: x\r\nAccept: {accept}\r\n\r\n"))
    }

    fn post(&self, content_type: &str, body: &str) -> Answer {
        let length = body.len();
        self.ask(&format!(
            "POST /sparql HTTP/1.0\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn sparql(&self, query: &str, accept: &str) -> Answer {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        self.get(&format!("/sparql?query={encoded}"), accept)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const COUNT: &str = "SELECT (COUNT(DISTINCT ?d) AS ?n) WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> }";

#[test]
fn sparql_answers_by_get_and_post_in_the_four_formats() {
    let server = Server::start();
    let json = server.sparql(COUNT, "application/sparql-results+json");
    assert_eq!((json.status, json.content_type.as_str()), (200, "application/sparql-results+json"));
    let value: Value = serde_json::from_str(&json.body).expect("JSON");
    assert_eq!(value.pointer("/results/bindings/0/n/value").and_then(Value::as_str), Some("23"));
    assert!(server.sparql(COUNT, "application/sparql-results+xml").body.contains("<literal"));
    assert_eq!(server.sparql(COUNT, "text/csv").body.trim(), "n\r\n23");
    assert!(server.sparql(COUNT, "text/tab-separated-values").body.starts_with("?n\n23"));
    assert_eq!(server.sparql(COUNT, "image/png").status, 406);
    assert!(server.post("application/sparql-query", COUNT).body.contains("23"));
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", COUNT).finish();
    assert!(server.post("application/x-www-form-urlencoded", &form).body.contains("23"));
    let graph = server.sparql("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 3", "text/turtle");
    assert_eq!((graph.status, graph.content_type.as_str()), (200, "text/turtle"));
    assert_eq!(server.sparql("SELECT", "*/*").status, 400);
    assert_eq!(server.get("/sparql", "*/*").content_type, "text/turtle");
    assert_eq!(server.get("/sparql?query=ASK%7B%7D&query=ASK%7B%7D", "*/*").status, 400);
    assert_eq!(server.post("image/png", "x").status, 415);
}

#[test]
fn updates_and_service_are_refused_and_nothing_is_sent() {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    for query in [
        format!("SELECT * {{ SERVICE <http://127.0.0.1:{port}/sparql> {{ ?s ?p ?o }} }}"),
        format!(
            "SELECT * {{ ?s ?p ?o OPTIONAL {{ SERVICE SILENT <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }} }} LIMIT 1"
        ),
        format!(
            "SELECT (SUM(IF(EXISTS {{ SERVICE <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }}, 1, 0)) AS ?n) {{}}"
        ),
        format!("ASK {{ FILTER EXISTS {{ SERVICE <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }} }}"),
    ] {
        let answer = server.sparql(&query, "*/*");
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (403, "application/problem+json"),
            "{}",
            answer.body
        );
    }
    let load = format!("LOAD <http://127.0.0.1:{port}/x>");
    assert_eq!(server.post("application/sparql-update", &load).status, 403);
    assert_eq!(server.post("application/sparql-query", &load).status, 400);
    assert_eq!(server.post("application/sparql-query", "DELETE WHERE { ?s ?p ?o }").status, 400);
    assert!(
        server.sparql(&format!("SELECT * FROM <http://127.0.0.1:{port}/g> {{ ?s ?p ?o }}"), "*/*").status == 200
    );
    assert!(listener.accept().is_err(), "something was sent");
    assert!(server.sparql(COUNT, "text/csv").body.contains("23"));
}

#[test]
fn a_record_is_served_in_the_form_that_the_client_likes() {
    let server = Server::start();
    let key = server.bench.records()[0]["id"].as_str().expect("a key").to_owned();
    for (accept, content_type) in [
        ("text/html", "text/html; charset=utf-8"),
        ("text/turtle", "text/turtle"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
    ] {
        let answer = server.get(&format!("/dataset/{key}"), accept);
        assert_eq!((answer.status, answer.content_type.as_str()), (200, content_type));
        assert!(answer.body.len() > 200, "{accept}: {}", answer.body);
    }
    assert_eq!(server.get(&format!("/dataset/{key}.ttl"), "*/*").content_type, "text/turtle");
    assert_eq!(server.get("/dataset/00000000-0000-0000-0000-000000000000", "*/*").status, 404);
    assert_eq!(server.get("/dataset/x", "*/*").status, 404);
    assert_eq!(server.get("/nothing", "*/*").status, 404);
}

#[test]
fn the_feed_goes_through_all_records_and_can_be_harvested_again() {
    let server = Server::start();
    let bench = Bench::new();
    for (suffix, format) in
        [("ttl", "text/turtle"), ("rdf", "application/rdf+xml"), ("jsonld", "application/ld+json")]
    {
        let first = server.get(&format!("/catalog.{suffix}?page_size=10"), "*/*");
        assert_eq!((first.status, first.content_type.as_str()), (200, format));
        let page = bench.write(&format!("page.{suffix}"), &first.body);
        let report = bench.harvest(text(&page), &["--dry-run"]);
        assert_eq!(report["records"]["seen"], 10, "{report}");
    }
    let mut seen = 0;
    let mut path = "/catalog.ttl?page_size=10".to_owned();
    loop {
        let page = server.get(&path, "*/*");
        let file = bench.write("page.ttl", &page.body);
        seen += bench.harvest(text(&file), &["--dry-run"])["records"]["seen"].as_u64().expect("a count");
        let next = page.body.split("hydra:next <").nth(1).and_then(|rest| rest.split('>').next());
        let Some(next) = next else { break };
        path = next.replacen("http://127.0.0.1:8080", "", 1);
    }
    assert_eq!(seen, 24);
}

#[test]
fn the_api_pages_records_and_errors_have_one_form() {
    let server = Server::start();
    let list: Value =
        serde_json::from_str(&server.get("/api/1/datasets/?page=2&page_size=10", "*/*").body).expect("JSON");
    assert_eq!((list["total"].as_u64(), list["data"].as_array().map(Vec::len)), (Some(24), Some(10)));
    let id = list["data"][0]["id"].as_str().expect("an id");
    let one: Value =
        serde_json::from_str(&server.get(&format!("/api/1/datasets/{id}/"), "*/*").body).expect("JSON");
    assert_eq!(one["id"], list["data"][0]["id"]);
    let missing = server.get("/api/1/datasets/?page=99", "*/*");
    assert_eq!((missing.status, missing.content_type.as_str()), (404, "application/problem+json"));
    let health: Value = serde_json::from_str(&server.get("/health", "*/*").body).expect("JSON");
    assert_eq!(health["status"], "ok");
}

#[test]
fn pages_show_the_catalogue_and_escape_what_publishers_write() {
    let server = Server::start();
    let start = server.get("/", "text/html");
    assert!(start.body.contains("24 records") && start.body.contains("/source/sample"), "{}", start.body);
    let source = server.get("/source/sample", "text/html");
    assert!(source.body.contains("Not published") && source.body.contains("has no title"), "{}", source.body);
    let source = server.get("/source/sample", "text/html");
    assert!(source.body.contains("What to mend") && source.body.contains("obligatoire"), "{}", source.body);
    assert_eq!(server.get("/source/none", "text/html").status, 404);
    for record in server.bench.records() {
        let page = server.get(&format!("/dataset/{}", record["id"].as_str().expect("a key")), "text/html");
        // One for search engines, which no browser runs.
        let scripts: Vec<&str> = page.body.split("<script").skip(1).collect();
        assert!(scripts.len() == 1 && scripts[0].starts_with(" type=\"application/ld+json\">"), "{}", page.body);
    }
}

#[test]
fn a_new_harvest_is_served_without_a_restart() {
    let server = Server::start();
    let file = server.bench.write(
        "more.ttl",
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
         <http://e.example/1> a dcat:Dataset ; dct:title \"One more\"@en ; dct:identifier \"1\" .\n",
    );
    server.bench.harvest(text(&file), &[]);
    assert!(server.get("/", "text/html").body.contains("25 records"));
}

/// Text that nests without end, in each of the ways that SPARQL nests, and long chains of operators.
#[test]
fn hostile_queries_are_refused_or_answered_and_the_server_lives_on() {
    let server = Server::start();
    let depth = 20_000;
    let refused = [
        format!("SELECT * {}{}", "{".repeat(depth), "}".repeat(depth)),
        format!("ASK {{ FILTER({}true{}) }}", "(".repeat(depth), ")".repeat(depth)),
        format!("ASK {{ FILTER({}true{}) }}", "!(".repeat(40), ")".repeat(40)),
        format!("SELECT * {{ ?s {}<http://a/>{} ?o }}", "(".repeat(depth), ")".repeat(depth)),
        format!("SELECT * {{ ?s ?p {}1{} }}", "[ ?p ".repeat(depth), "]".repeat(depth)),
    ];
    for query in refused {
        let answer = server.post("application/sparql-query", &query);
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "application/problem+json"));
    }
    let chains = [
        format!("ASK {{ FILTER(1=2{}) }}", "||1=2".repeat(depth)),
        format!("ASK {{ {}{{}} }}", "{} UNION ".repeat(2_000)),
        format!("ASK {{ ?s <http://a/>{} ?o }}", "/<http://a/>".repeat(300)),
        format!("ASK {{ ?s ?p 1 {} }}", "OPTIONAL{?s ?p 2}".repeat(200)),
    ];
    for query in chains {
        let answer = server.post("application/sparql-query", &query);
        assert!(matches!(answer.status, 200 | 400 | 503), "{}: {}", &query[..30], answer.body);
    }
    let long = format!("ASK {{ ?s ?p \"{}\" }}", "x".repeat(1 << 20));
    assert_eq!(server.post("application/sparql-query", &long).status, 413);
    assert!(server.sparql(COUNT, "text/csv").body.contains("23"));
}

#[test]
fn odd_requests_get_the_one_form_of_errors() {
    let server = Server::start();
    for (request, status) in [
        ("GET /api/1/datasets/?page=abc HTTP/1.0\r\nHost: x\r\n\r\n", 400),
        ("GET /catalog.ttl?page_size=-1 HTTP/1.0\r\nHost: x\r\n\r\n", 400),
        ("DELETE /health HTTP/1.0\r\nHost: x\r\n\r\n", 405),
        ("GET /nowhere/at/all HTTP/1.0\r\nHost: x\r\n\r\n", 404),
    ] {
        let answer = server.ask(request);
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (status, "application/problem+json"),
            "{request}"
        );
    }
    assert_eq!(server.sparql(COUNT, "application/json").status, 200);
    assert_eq!(server.get("/catalog", "application/rdf+xml").status, 303);
    let key = server.bench.records()[0]["id"].as_str().expect("a key").to_owned();
    assert_eq!(server.get(&format!("/record/{key}"), "*/*").status, 303);
}

/// `javascript:alert(1)` is a valid IRI.
#[test]
fn pages_link_to_web_addresses_only_and_run_no_script() {
    let server = Server::start();
    let file = server.bench.write(
        "evil.ttl",
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n\
         <http://e.example/evil> a dcat:Dataset ; dct:title \"<img src=x onerror=alert(1)>\"@en ; dct:identifier \"evil\" ;\n\
         dcat:landingPage <javascript:alert(2)> ; dcat:distribution <http://e.example/d> .\n\
         <http://e.example/d> a dcat:Distribution ; dcat:accessURL <javascript:alert(3)> ; dct:title \"d\" .\n",
    );
    server.bench.harvest(text(&file), &[]);
    let records = server.bench.records();
    let evil = records.iter().find(|record| record["remote_id"] == "evil").expect("the record");
    assert_eq!(evil["resources"][0]["url"], Value::Null);
    let page = server.get(&format!("/dataset/{}", evil["id"].as_str().expect("a key")), "text/html");
    assert!(!page.body.contains("href=\"javascript:") && !page.body.contains("<img"), "{}", page.body);
}

#[test]
fn an_archived_record_is_gone_with_its_last_description() {
    let server = Server::start();
    let dataset = |number: u32| {
        format!(
            "<http://e.example/{number}> a <http://www.w3.org/ns/dcat#Dataset> ; \
             <http://purl.org/dc/terms/title> \"Number {number}\"@en ; <http://purl.org/dc/terms/identifier> \"{number}\" .\n"
        )
    };
    server.bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 60\n");
    let file = server.bench.write("few.ttl", &format!("{}{}", dataset(1), dataset(2)));
    server.bench.harvest(text(&file), &[]);
    let records = server.bench.records();
    let second = records.iter().find(|record| record["title"] == "Number 2").expect("the record");
    let address = format!("/dataset/{}", second["id"].as_str().expect("a key"));
    server.bench.write("few.ttl", &dataset(1));
    server.bench.harvest(text(&file), &[]);
    let page = server.get(&address, "application/json");
    assert_eq!((page.status, page.content_type.as_str()), (410, "application/problem+json"));
    let last = server.get(&address, "text/turtle");
    assert_eq!((last.status, last.content_type.as_str()), (410, "text/turtle"));
    assert!(last.body.contains("Number 2"), "{}", last.body);
    assert!(
        !server
            .sparql("SELECT ?t { ?d <http://purl.org/dc/terms/title> ?t }", "text/csv")
            .body
            .contains("Number 2")
    );
}
