//! The real catalogues, shapes and suites that tests read in place.
//!
//! Their folder is `MOISSON_TEST_DATA`, else `../shared/data`. Without it the tests that need it say so
//! and pass; where `CI` is set they fail, so that a green run there has read them.

use moisson::triples::{Graph, GraphBuilder};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfParser};
use std::path::{Path, PathBuf};

/// The folder of the shared data, or `None` with a line that says what was not tested.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MOISSON_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs the shared test data: {} is missing", found.display());
    eprintln!("skipped: {} is missing (set MOISSON_TEST_DATA)", found.display());
    None
}

/// All files below a folder with one of these endings, sorted.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Parses a file, with its own `file:` IRI as the base.
pub(crate) fn triples(path: &Path) -> Vec<Triple> {
    let path = path.canonicalize().expect("an existing file");
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = RdfFormat::from_extension(ending).expect("an RDF file");
    let bytes = std::fs::read(&path).expect("a readable file");
    let base = url::Url::from_file_path(&path).expect("an absolute path");
    RdfParser::from_format(format)
        .with_base_iri(base.as_str())
        .expect("a file IRI")
        .lenient()
        .for_slice(&bytes)
        .map(|quad| quad.map_or_else(|error| panic!("{}: {error}", path.display()), Triple::from))
        .collect()
}

/// Parses a file into a graph, unless its syntax is broken.
pub(crate) fn try_graph(path: &Path) -> Option<Graph> {
    let format = RdfFormat::from_extension(path.extension()?.to_str()?)?;
    let bytes = std::fs::read(path).expect("a readable file");
    let base = url::Url::from_file_path(path.canonicalize().expect("an existing file")).expect("an absolute path");
    let parser = RdfParser::from_format(format).with_base_iri(base.as_str()).expect("a file IRI").lenient();
    let triples: Result<Vec<Triple>, _> = parser.for_slice(&bytes).map(|quad| quad.map(Triple::from)).collect();
    Some(triples.ok()?.into_iter().collect())
}

/// Parses files into one graph.
pub(crate) fn graph(paths: &[&Path]) -> Graph {
    let mut builder = GraphBuilder::new();
    for path in paths {
        for triple in triples(path) {
            builder.insert(&triple);
        }
    }
    builder.build()
}

/// Compares a text with the one kept for review; `MOISSON_REVIEW=1` writes it anew. Returns what differs.
pub(crate) fn review(path: &Path, found: &str) -> Option<String> {
    if std::env::var_os("MOISSON_REVIEW").is_some() {
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
        std::fs::write(path, found).expect("a writable file");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    (kept != found).then(|| {
        let changed: Vec<&str> = found.lines().filter(|line| !kept.lines().any(|other| other == *line)).collect();
        format!("{}:\n{}", path.display(), changed.join("\n"))
    })
}
