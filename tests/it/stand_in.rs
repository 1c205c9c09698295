//! A stand-in portal on loopback, whose answers a test changes from day to day.

use moisson::catalog::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is answered at a path.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    /// Bytes of the body that are sent before the connection is closed; all of them by default.
    pub(crate) cut: Option<usize>,
    pub(crate) delay: Duration,
    /// Whether it has an entity tag, by which an unchanged body is not sent again.
    pub(crate) tagged: bool,
}

impl Page {
    pub(crate) fn turtle(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            content_type: "text/turtle",
            body: body.into(),
            cut: None,
            delay: Duration::ZERO,
            tagged: true,
        }
    }
}

struct State {
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<String>>,
    heads: Mutex<Vec<String>>,
    bodies: Mutex<Vec<(String, String)>>,
    not_modified: AtomicUsize,
    stops: AtomicBool,
}

/// The portal; it ends with the value.
pub(crate) struct StandIn {
    state: Arc<State>,
    pub(crate) base: String,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            pages: Mutex::default(),
            asked: Mutex::default(),
            heads: Mutex::default(),
            bodies: Mutex::default(),
            not_modified: AtomicUsize::new(0),
            stops: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stops.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                std::thread::spawn(move || drop(answer(stream, &state)));
            }
        });
        Self { state, base: format!("http://{address}") }
    }

    /// Answers a path from now on.
    pub(crate) fn set(&self, path: &str, page: Page) {
        self.state.pages.lock().expect("a lock").insert(path.to_owned(), page);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The paths that were asked for, in their order; they are forgotten.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.asked.lock().expect("a lock"))
    }

    /// The heads of all requests; they are forgotten.
    pub(crate) fn take_heads(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.heads.lock().expect("a lock"))
    }

    /// What was posted: head and body; it is forgotten.
    pub(crate) fn take_posted(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.state.bodies.lock().expect("a lock"))
    }

    /// How often nothing was sent, as nothing had changed.
    pub(crate) fn not_modified(&self) -> usize {
        self.state.not_modified.load(Ordering::SeqCst)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.state.stops.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.base.trim_start_matches("http://"));
    }
}

fn answer(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            head.push_str(&line);
            line.clear();
        }
        if head.is_empty() {
            return Ok(());
        }
        let field = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        if let Some(length) = field("content-length").and_then(|length| length.parse().ok()) {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let body = String::from_utf8_lossy(&body).into_owned();
            state.bodies.lock().expect("a lock").push((head.clone(), body));
        }
        state.heads.lock().expect("a lock").push(head.clone());
        let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
        if path != "/robots.txt" {
            state.asked.lock().expect("a lock").push(path.clone());
        }
        let page = state.pages.lock().expect("a lock").get(&path).cloned();
        let Some(page) = page else {
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        std::thread::sleep(page.delay);
        let tag = hex(&Sha256::digest(page.body.as_bytes())[..8]);
        let tag = format!("\"{tag}\"");
        if page.tagged && page.status == 200 && field("if-none-match").as_ref() == Some(&tag) {
            state.not_modified.fetch_add(1, Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        }
        let tag = if page.tagged { format!("ETag: {tag}\r\n") } else { String::new() };
        let (status, kind, length) = (page.status, page.content_type, page.body.len());
        write!(stream, "HTTP/1.1 {status} Some\r\nContent-Type: {kind}\r\n{tag}Content-Length: {length}\r\n\r\n")?;
        if head.starts_with("HEAD ") {
            continue;
        }
        match page.cut {
            Some(cut) => return stream.write_all(&page.body.as_bytes()[..cut]),
            None => stream.write_all(page.body.as_bytes())?,
        }
    }
}
