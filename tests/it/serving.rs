//! The service, run as its operators do, and asked as its clients do.

use crate::moisson::Bench;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A service over a bench; it is killed with the value.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(bench: &Bench, more: &[&str]) -> Self {
        Self::start_with(bench.command(), more)
    }

    /// Starts the service by a command of the program.
    pub(crate) fn start_with(mut command: Command, more: &[&str]) -> Self {
        command.stderr(Stdio::null());
        Self::spawn(command, more)
    }

    /// Starts the service by a command whose logs go where it says.
    pub(crate) fn start_logging(command: Command) -> Self {
        Self::spawn(command, &[])
    }

    fn spawn(mut command: Command, more: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--allow-loopback"])
            .args(if more.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().trim_start_matches("listening on http://").to_owned();
        assert!(!address.is_empty(), "the service does not start");
        Self { child, address }
    }

    /// As the kernel kills: nothing is flushed and nothing is tidied up.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// As a service manager stops. Returns whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.child.wait().is_ok_and(|status| status.success())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request, and gives status and answer; an answer that is no JSON is a string.
    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        runtime.block_on(async {
            let client = reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client");
            let url = format!("http://{}{path}", self.address);
            let mut request = client.request(method.parse().expect("a method"), url);
            if let Some(token) = token {
                request = request.header("X-API-KEY", token);
            }
            if let Some(body) = body {
                request = request.header("Content-Type", "application/json").body(body.to_string());
            }
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("a text");
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, value) = self.ask("GET", path, None, None);
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// Queues a job of a source and waits for its end.
    pub(crate) fn harvest(&self, source: &str, token: &str) -> Value {
        let (status, told) = self.ask("POST", &format!("/api/1/harvest/source/{source}/run/"), Some(token), None);
        assert_eq!(status, 200, "{told}");
        self.wait_for_job(told["last_job"]["id"].as_str().expect("a job"))
    }

    pub(crate) fn wait_for_job(&self, id: &str) -> Value {
        until(Duration::from_secs(60), || {
            let job = self.get(&format!("/api/1/harvest/job/{id}/"));
            let is_open = matches!(job["state"].as_str(), Some("queued" | "running" | "interrupted"));
            (!is_open).then_some(job)
        })
    }

    /// Waits until no job is open.
    pub(crate) fn wait_for_quiet(&self) {
        until(Duration::from_secs(120), || {
            let (_, metrics) = self.ask("GET", "/metrics", None, None);
            let metrics = metrics.as_str().unwrap_or_default().to_owned();
            (!metrics.contains("moisson_jobs_open{")).then_some(())
        });
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token of an administrator, made on the command line.
pub(crate) fn administrator(bench: &Bench) -> String {
    token(bench, &["--admin"])
}

pub(crate) fn token(bench: &Bench, role: &[&str]) -> String {
    let mut arguments = vec!["token", "create", "tests"];
    arguments.extend(role);
    let output = bench.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Registers and accepts a source on the command line.
pub(crate) fn source(bench: &Bench, name: &str, url: &str, more: &[&str]) {
    let mut arguments =
        vec!["source", "add", url, "--name", name, "--accept", "--kind", "dcat", "--allow-loopback"];
    arguments.extend(more);
    let output = bench.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Tries again and again until there is something.
pub(crate) fn until<T>(most: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + most;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < end, "nothing came within {most:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
