//! The program over a store that holds the data of the suites, and how it is asked.

use super::document::Document;
use crate::moisson::Bench;
use crate::serving::Serving;
use moisson::store::Folder;
use oxrdf::NamedNode;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use url::form_urlencoded::Serializer;

const FORM: &str = "application/x-www-form-urlencoded";
const QUERY: &str = "application/sparql-query";
const UPDATE: &str = "application/sparql-update";

/// The address by which clients are told to reach the program, as the suites call it.
pub(super) const ADDRESS: &str = "http://www.example";

/// Longer than any query may run.
const PATIENCE: Duration = Duration::from_secs(100);

/// The program, killed with the value; its store goes after it.
pub(super) struct Endpoint {
    serving: Serving,
    _bench: Bench,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// With the parameters.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// The three ways to send a query (SPARQL 1.1 Protocol, 2.1.1 to 2.1.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Get,
    Form,
    Direct,
}

/// A query and the dataset that the request names for it.
pub(super) struct Question<'a> {
    pub(super) text: &'a str,
    /// Names of parameters and IRIs of graphs.
    pub(super) dataset: Vec<(&'static str, &'a str)>,
}

impl Endpoint {
    /// Stores the graphs as a harvest does, and serves them.
    pub(super) fn over(graphs: &BTreeMap<NamedNode, Document>) -> Self {
        let bench = Bench::new();
        let folder = Folder::new(bench.store());
        let writable = folder.open().expect("a new store");
        for (name, document) in graphs {
            // An empty file is a graph too.
            writable.store.insert_named_graph(name).expect("a writable store");
            let quads = document.triples().into_iter().map(|triple| triple.in_graph(name.clone()));
            writable.store.extend(quads).expect("a writable store");
        }
        folder.publish(&writable.store).expect("a snapshot");
        drop(writable);
        Self { serving: Serving::start(&bench, &["--read-only", "--base", ADDRESS]), _bench: bench }
    }

    /// Sends a request over a connection of its own; HTTP/1.0, so that the answer ends where the connection does.
    pub(super) fn send(&self, request: &Request) -> Reply {
        let mut head = format!("{} {} HTTP/1.0\r\nHost: www.example\r\n", request.method, request.path);
        for (name, value) in &request.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if request.method != "GET" {
            let _ = write!(head, "Content-Length: {}\r\n", request.body.len());
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.serving.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time that is not zero");
        stream.write_all(&[head.as_bytes(), &request.body].concat()).expect("the server reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        Reply::parse(&bytes)
    }
}

impl Request {
    pub(super) fn get(path: String, accept: &str) -> Self {
        let headers = vec![("Accept".to_owned(), accept.to_owned())];
        Self { method: "GET".to_owned(), path, headers, body: Vec::new() }
    }

    pub(super) fn update(text: &str) -> Self {
        Self::post("/sparql".to_owned(), UPDATE, text, "*/*")
    }

    /// Asks a question in one of the ways, for one media type.
    pub(super) fn ask(question: &Question<'_>, way: Way, accept: &str) -> Self {
        let mut parameters = Serializer::new(String::new());
        parameters.extend_pairs(&question.dataset);
        if !matches!(way, Way::Direct) {
            parameters.append_pair("query", question.text);
        }
        let parameters = parameters.finish();
        match way {
            Way::Get => Self::get(format!("/sparql?{parameters}"), accept),
            Way::Form => Self::post("/sparql".to_owned(), FORM, &parameters, accept),
            Way::Direct => Self::post(format!("/sparql?{parameters}"), QUERY, question.text, accept),
        }
    }

    fn post(path: String, content_type: &str, body: &str, accept: &str) -> Self {
        let headers = [("Content-Type", content_type), ("Accept", accept)];
        Self {
            method: "POST".to_owned(),
            path,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: body.as_bytes().to_vec(),
        }
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the head of an answer");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let content_type = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map_or(String::new(), |(_, value)| value.trim().to_owned());
        Self { status, content_type, body: bytes[end + 4..].to_vec() }
    }
}
