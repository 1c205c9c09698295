//! Queries that would take the machine down: each ends within its limit, and others are answered meanwhile.
//! `tests/bench/sparql` measures the same on a large catalogue.

use crate::served::{Served, ask_as, doubled};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SECONDS: u64 = 2;
/// Beside the limit, for a machine that runs other tests, too.
const SLACK: Duration = Duration::from_secs(3);
const WORKERS: u64 = 4;
const MEMORY_MB: u64 = 200;

fn hostile() -> Vec<(&'static str, String)> {
    let all = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i";
    vec![
        ("a cross product", format!("SELECT (COUNT(*) AS ?n) WHERE {{ {all} }}")),
        ("an order of everything", format!("SELECT * WHERE {{ {all} }} ORDER BY DESC(?c) ?f ?i")),
        ("a path through everything", "SELECT (COUNT(*) AS ?n) WHERE { ?a (<http://e/>|!<http://e/>)* ?b . ?b (<http://e/>|!<http://e/>)* ?c }".to_owned()),
        ("distinct pairs", "SELECT DISTINCT ?a ?c ?d ?f WHERE { ?a ?b ?c . ?d ?e ?f }".to_owned()),
        ("groups of pairs", "SELECT ?a (GROUP_CONCAT(?f) AS ?all) WHERE { ?a ?b ?c . ?d ?e ?f } GROUP BY ?a".to_owned()),
        ("a regular expression", format!("SELECT * WHERE {{ {all} FILTER(REGEX(CONCAT(STR(?c), STR(?f)), \"(a|aa)*(b|bb)*((c+)+)+$\")) }}")),
        ("a large repetition", format!("ASK {{ FILTER(REGEX(\"{}\", \"((a{{1,900}}){{1,900}}){{1,900}}b\")) }}", "a".repeat(5_000))),
        ("many optional parts", format!("SELECT * WHERE {{ ?s ?p ?o {} }}", "OPTIONAL { ?s ?p ?o } ".repeat(2_000))),
        ("many alternatives", format!("SELECT * WHERE {{ {{}} {} }}", "UNION { ?a ?b ?c . ?d ?e ?f } ".repeat(500))),
        ("deep groups", format!("SELECT * {}{}", "{".repeat(50_000), "}".repeat(50_000))),
        ("a long chain", format!("ASK {{ FILTER(1=2{}) }}", "||1=2".repeat(40_000))),
        ("ten megabytes", format!("ASK {{ ?s ?p \"{}\" }}", "x".repeat(10 << 20))),
        ("a text that doubles", format!("SELECT (STRLEN(?x40) AS ?n) WHERE {{ {} }}", doubled(40))),
    ]
}

#[test]
fn each_ends_within_its_limit_while_others_are_answered() {
    let served = Served::sample(&format!(
        "[service.queries]\nseconds = {SECONDS}\nworkers = {WORKERS}\nmemory_mb = {MEMORY_MB}\nwaiting = 40\n"
    ));
    let (is_over, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let simple = scope.spawn(|| {
            let mut times = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let start = Instant::now();
                assert_eq!(
                    served.rows("SELECT ?t WHERE { ?d <http://purl.org/dc/terms/title> ?t } LIMIT 1").len(),
                    1
                );
                times.push(start.elapsed());
                most.fetch_max(served.memory_mb(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            times
        });
        for (name, query) in hostile() {
            let start = Instant::now();
            let answer =
                ask_as([127, 0, 0, 9], &served.address, &query).unwrap_or_else(|error| panic!("{name}: {error}"));
            let took = start.elapsed();
            assert!(took < Duration::from_secs(SECONDS) + SLACK, "{name}: {took:?}");
            assert!(matches!(answer.status, 200 | 400 | 413 | 503), "{name}: {}", answer.text());
            if answer.status != 200 {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
            }
        }
        at_once(&served);
        is_over.store(true, Ordering::Relaxed);
        simple.join().expect("the simple client was answered")
    });
    times.sort();
    let median = times[times.len() / 2];
    assert!(median < Duration::from_millis(500), "{median:?} of {} answers", times.len());
    let bound = WORKERS * MEMORY_MB + 300;
    assert!(most.load(Ordering::Relaxed) < bound, "{most:?} MB of {bound}");
}

/// Many at once, of several clients.
fn at_once(served: &Served) {
    let query = &hostile()[0].1;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..200_u8 {
            let client = [127, 0, 2, number % 10 + 1];
            scope.spawn(move || {
                let answer = ask_as(client, &served.address, query).expect("an answer");
                assert!(matches!(answer.status, 429 | 503), "{}", answer.status);
            });
        }
    });
    assert!(start.elapsed() < Duration::from_secs(SECONDS) + SLACK, "{:?}", start.elapsed());
}

#[test]
fn what_is_short_is_ended_when_its_client_has_gone_and_what_is_long_is_given_up() {
    let served = Served::sample("[service.queries]\nworkers = 2\nseconds = 60\n");
    // One client has one of two workers. A machine that runs other tests may make the short query a long one.
    let short = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?c ?d ?e . ?e ?f ?g }";
    let keeps = (0..10).any(|_| {
        let before = served.processes();
        leave(&served, short, Duration::from_millis(2));
        served.rows("SELECT ?s WHERE { ?s ?p ?o FILTER(?p != ?s) } LIMIT 1");
        served.processes() == before
    });
    assert!(keeps, "the worker was replaced each time");

    let before = served.processes();
    let start = Instant::now();
    leave(&served, &hostile()[0].1, Duration::from_secs(1));
    served.rows("SELECT ?s WHERE { ?s ?p ?o FILTER(?p != ?s) } LIMIT 1");
    assert!(start.elapsed() < Duration::from_secs(30), "the long one kept its place");
    assert_ne!(served.processes(), before);
}

/// Asks, and closes the connection after a while.
fn leave(served: &Served, query: &str, after: Duration) {
    let mut stream = TcpStream::connect(&served.address).expect("a connection");
    let head = "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length:";
    write!(stream, "{head} {}\r\n\r\n{query}", query.len()).expect("a request");
    std::thread::sleep(after);
}
