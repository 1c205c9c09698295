//! A server over a store of its own, asked over sockets as its clients do.

use crate::moisson::{Bench, text};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server, ended with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
    pub(crate) bench: Bench,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl Served {
    /// Over the sample catalogue.
    pub(crate) fn sample(settings: &str) -> Self {
        let bench = Bench::new();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
        bench.harvest(text(&sample), &["--source", "sample"]);
        Self::over(bench, settings)
    }

    /// Over a store that there is, with settings of `moisson.toml`.
    pub(crate) fn over(bench: Bench, settings: &str) -> Self {
        bench.write("moisson.toml", settings);
        let mut command = bench.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--allow-loopback"]);
        let (child, address) = listening(&mut command);
        Self { child, address, bench }
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, b"")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(&self.address, method, path, headers, body).expect("an answer")
    }

    /// Asks a query by POST.
    pub(crate) fn query(&self, query: &str, accept: &str) -> Answer {
        let headers = [("content-type", "application/sparql-query"), ("accept", accept)];
        self.ask("POST", "/sparql", &headers, query.as_bytes())
    }

    /// The rows of a query, as CSV has them.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        let answer = self.query(query, "text/csv");
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.text().lines().skip(1).map(str::to_owned).collect()
    }

    /// The processes of the server.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let parent = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        let mut all = vec![parent];
        for task in std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten() {
            let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(listed.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The memory that the server and its workers have for themselves, in megabytes.
    pub(crate) fn memory_mb(&self) -> u64 {
        let of = |pid: u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line =
                status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default().to_owned();
            line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0)
        };
        self.processes().into_iter().map(of).sum::<u64>() / 1024
    }

    /// Waits until something holds, which takes a moment.
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server, and reads where it listens.
fn listening(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    (child, line.trim().trim_start_matches("listening on http://").to_owned())
}

/// Asks a server by a connection of its own. The address may name the client's own, as `server@client`.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    converse(&mut stream, method, path, headers, body)
}

/// Asks a server as another client of this machine: all of 127.0.0.0/8 is loopback.
pub(crate) fn ask_as(client: [u8; 4], address: &str, query: &str) -> std::io::Result<Answer> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddr::from((client, 0)))?;
    rustix::net::connect(&socket, &address.parse::<SocketAddr>().expect("an address"))?;
    let mut stream = TcpStream::from(socket);
    let headers = [("content-type", "application/sparql-query"), ("accept", "text/csv")];
    converse(&mut stream, "POST", "/sparql", &headers, query.as_bytes())
}

fn converse(
    stream: &mut TcpStream,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head = head + name + ": " + value + "\r\n";
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A server may refuse a long body before it has all of it.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes)
        && bytes.is_empty()
    {
        return Err(error);
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let headers = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}

/// A pattern that binds `?x0`, of ten characters, then `?x1` to twice that, and so on.
pub(crate) fn doubled(times: usize) -> String {
    let first = "BIND(\"0123456789\" AS ?x0)".to_owned();
    (0..times).fold(first, |all, n| format!("{all} BIND(CONCAT(?x{n}, ?x{n}) AS ?x{})", n + 1))
}
