//! A real catalogue service: pycsw, which a script of the project installs from `PyPI` and serves on loopback.

use crate::moisson::{Bench, count};
use crate::shared::{data, files};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The service, ended with the value.
struct Service {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
    records: u64,
}

impl Service {
    /// Starts it with the records of some folders; nothing where `PyPI` cannot be reached.
    fn start(folders: &[PathBuf]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/pycsw");
        let mut child = Command::new("python3")
            .arg(script)
            .arg("--records")
            .args(folders)
            .args(["--maxrecords", "20"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let commands = child.stdin.take().expect("piped");
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        answers.read_line(&mut line).expect("a line");
        if line.is_empty() {
            let status = child.wait().expect("it ended");
            assert_eq!(status.code(), Some(3), "pycsw does not start");
            eprintln!("skipped: pycsw cannot be installed from PyPI");
            return None;
        }
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let number = |name: &str| ready[name].as_u64().expect("a number");
        Some(Self { child, commands, answers, port: number("port"), records: number("records") })
    }

    fn ask(&mut self, command: &str) -> Value {
        writeln!(self.commands, "{command}").expect("it listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Loads a file, and gives the identifiers of its records.
    fn load(&mut self, file: &Path) -> Vec<String> {
        let answer = self.ask(&format!("load {}", file.display()));
        answer["loaded"].as_array().into_iter().flatten().filter_map(|id| Some(id.as_str()?.to_owned())).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Files of one record each that the service takes, with their identifiers and texts.
fn single_records(service: &mut Service, folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for file in files(folder, &[".xml"]) {
        let content = fs::read_to_string(&file).unwrap_or_default();
        if content.matches("fileIdentifier>").count() != 2 || !content.contains("<gmd:abstract>") {
            continue;
        }
        if let [id] = service.load(&file).as_slice()
            && found.iter().all(|(known, _)| known != id)
        {
            found.push((id.clone(), content));
        }
    }
    found
}

/// Records of the folders that have no title, and are held back.
const UNTITLED: u64 = 2;

#[test]
fn a_catalogue_is_harvested_whole_and_its_changes_are_reported_to_the_record() {
    let folders: Option<Vec<PathBuf>> =
        ["csw", "iso", "pair-iso-dcat", "pair-iso-geodcat"].into_iter().map(data).collect();
    let Some(folders) = folders else { return };
    let Some(mut service) = Service::start(&folders) else { return };
    let singles = single_records(&mut service, &folders[1]);
    assert!(singles.len() >= 30, "{} records", singles.len());
    let bench = Bench::new();
    let address = format!("http://127.0.0.1:{}/csw", service.port);
    let harvest = |bench: &Bench| bench.harvest(&address, &["--allow-loopback", "--record-type", "*"]);
    let numbers = |report: &Value| {
        ["added", "changed", "unchanged", "missing", "failed"]
            .map(|name| count(report, &format!("/records/{name}")))
    };
    let published = service.records - UNTITLED;
    let report = harvest(&bench);
    assert_eq!((numbers(&report), &report["complete"]), ([published, 0, 0, 0, 0], &true.into()), "{report}");
    assert_eq!(count(&report, "/records/skipped"), UNTITLED, "{report}");
    let report = harvest(&bench);
    assert_eq!(numbers(&report), [0, 0, published, 0, 0], "{report}");

    let changed = bench.path("changed.xml");
    for (id, content) in &singles[..10] {
        fs::write(
            &changed,
            content.replacen(
                "<gmd:abstract>",
                "<gmd:purpose><gco:CharacterString>Changed</gco:CharacterString></gmd:purpose><gmd:abstract>",
                1,
            ),
        )
        .expect("a file");
        assert_eq!(service.load(&changed), std::slice::from_ref(id));
        let (before, behind) = content.split_once("fileIdentifier>").expect("an identifier");
        let copy = format!("{before}fileIdentifier>{}", behind.replacen(id.as_str(), &format!("{id}-copy"), 1));
        fs::write(&changed, copy).expect("a file");
        assert_eq!(service.load(&changed), [format!("{id}-copy")]);
    }
    for (id, _) in &singles[20..30] {
        assert_eq!(service.ask(&format!("remove {id}"))["removed"], 1, "{id}");
    }
    let report = harvest(&bench);
    assert_eq!(numbers(&report), [10, 10, published - 20, 10, 0], "{report}");
    assert_eq!(report["complete"], true, "{report}");

    for version in ["2.0.2", "3.0.0"] {
        let other = Bench::new();
        let report =
            other.harvest(&address, &["--allow-loopback", "--record-type", "*", "--csw-version", version]);
        assert_eq!(numbers(&report)[0], published, "{version}: {report}");
    }
    let core = Bench::new();
    let report = core.harvest(&address, &["--allow-loopback", "--output-schema", "dublin-core"]);
    assert_eq!(count(&report, "/records/seen"), service.records, "{report}");
    assert_eq!(core.records().len() as u64, published);
}
