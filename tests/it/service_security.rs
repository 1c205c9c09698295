//! What the service is spared: long bodies, slow clients, odd paths, too many requests.

use crate::moisson::Bench;
use crate::serving::{Serving, administrator};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn connect(serving: &Serving) -> TcpStream {
    let stream = TcpStream::connect(&serving.address).expect("the service listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_body_of_a_gigabyte_is_refused_whether_it_is_announced_or_not() {
    let bench = Bench::new();
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    let head =
        format!("POST /api/1/harvest/sources/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-API-KEY: {admin}\r\n");
    let mut announced = connect(&serving);
    announced.write_all(format!("{head}Content-Length: 1073741824\r\n\r\n").as_bytes()).expect("a head");
    let said = answer(announced);
    assert!(said.starts_with("HTTP/1.1 413") && said.contains("application/problem+json"), "{said}");
    let mut chunked = connect(&serving);
    chunked.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).expect("a head");
    let chunk = [b"10000\r\n", vec![b'x'; 0x10000].as_slice(), b"\r\n"].concat();
    let start = Instant::now();
    let mut sent = 0_u64;
    // It is cut long before a gigabyte.
    while sent < 1 << 30 && chunked.write_all(&chunk).is_ok() {
        sent += chunk.len() as u64;
    }
    assert!(sent < 64 << 20 && start.elapsed() < Duration::from_secs(20), "{sent} bytes were taken");
    assert_eq!(serving.ask("GET", "/health", None, None).0, 200);
}

#[test]
fn slow_clients_are_let_go_and_others_are_served_meanwhile() {
    let bench = Bench::new();
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    let mut slow_heads: Vec<TcpStream> = (0..50).map(|_| connect(&serving)).collect();
    for stream in &mut slow_heads {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost:").expect("half a head");
    }
    let mut slow_body = connect(&serving);
    let head = format!(
        "POST /api/1/harvest/sources/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-API-KEY: {admin}\r\nContent-Length: 100\r\n\r\n{{"
    );
    slow_body.write_all(head.as_bytes()).expect("a head");
    let start = Instant::now();
    assert_eq!(serving.ask("GET", "/health", None, None).0, 200);
    assert!(start.elapsed() < Duration::from_secs(2), "others wait for nobody");
    let said = answer(slow_body);
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    for stream in slow_heads {
        answer(stream);
    }
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}

#[test]
fn odd_paths_lead_nowhere_and_too_many_requests_wait() {
    let bench = Bench::new();
    bench.write("moisson.toml", "[service]\nrequests_a_minute = 30\n");
    let admin = administrator(&bench);
    let serving = Serving::start(&bench, &[]);
    for path in [
        "/api/1/harvest/source/..%2F..%2Fetc%2Fpasswd/",
        "/api/1/harvest/job/..%2F..%2Foperations.sqlite/",
        "/api/1/harvest/job/%2e%2e/replay/",
        "/dataset/..%2f..%2foperations.sqlite",
        "/style.css/../../operations.sqlite",
        "/api/1/datasets/%00/history/",
    ] {
        let mut stream = connect(&serving);
        let method = if path.contains("replay") { "POST" } else { "GET" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-API-KEY: {admin}\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let said = answer(stream);
        assert!(said.starts_with("HTTP/1.1 404"), "{path}: {said}");
    }
    let name = json!({"name": "x", "slug": "../x", "url": "https://data.example/"});
    assert_eq!(serving.ask("POST", "/api/1/harvest/sources/", Some(&admin), Some(&name)).0, 400);
    let statuses: Vec<u16> =
        (0..40).map(|_| serving.ask("GET", "/api/1/harvest/backends/", None, None).0).collect();
    assert_eq!((statuses[0], statuses[39]), (200, 429), "{statuses:?}");
    assert_eq!(serving.ask("GET", "/health", None, None).0, 200, "reading pages is another matter");
}
