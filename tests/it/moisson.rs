//! Running the program as its users do.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A store of its own, removed at the end.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file beside the store.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a writable folder");
        path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moisson"));
        command
            .current_dir(self.folder.path())
            .env("MOISSON_STORE", self.store())
            .env_remove("MOISSON_BASE")
            .env_remove("MOISSON_LOG");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the program starts")
    }

    /// Harvests a source and gives its report; a report is printed also when records failed.
    pub(crate) fn harvest(&self, address: &str, more: &[&str]) -> Value {
        let output = self.harvest_output(address, more);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{address}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(crate) fn harvest_output(&self, address: &str, more: &[&str]) -> Output {
        let mut arguments = vec!["harvest", address, "--format", "json"];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// The records of the store.
    pub(crate) fn records(&self) -> Vec<Value> {
        let output = self.run(&["records"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect()
    }

    /// All stored graphs, as sorted N-Quads.
    pub(crate) fn quads(&self) -> Vec<String> {
        let output = self.run(&["export", "--as-stored", "--format", "nquads"]);
        let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// Harvests a server of the test's own, on a thread that may block while it answers: the exit code, the report
/// (null when there is none) and what was said.
pub(crate) async fn harvest_served(bench: &Bench, address: &str, more: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = bench.command();
    command.args(["harvest", address, "--allow-loopback", "--format", "json"]).args(more);
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program starts"))
        .await
        .expect("a result");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// One number of a report.
pub(crate) fn count(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} in {report}"))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}
