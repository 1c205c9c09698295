//! A module uses only those that come before it on the way of the data.

use std::fs;
use std::path::Path;

const ORDER: [&str; 19] = [
    "vocab",
    "config",
    "triples",
    "catalog",
    "fetch",
    "lift",
    "source",
    "convert",
    "validate",
    "store",
    "operations",
    "derive",
    "harvest",
    "report",
    "jobs",
    "sparql",
    "serve",
    "cli",
    "fuzzing",
];

#[test]
fn each_module_uses_only_those_before_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in crate::shared::files(&root, &[".rs"]) {
        let relative = file.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let module = relative.split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some(rank) = ORDER.iter().position(|name| *name == module) else { continue };
        seen += 1;
        let text = fs::read_to_string(&file).expect("a readable file");
        for (number, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1).map(first_word) {
                let allowed = ORDER.iter().position(|name| *name == used).is_none_or(|other| other <= rank);
                if !allowed {
                    wrong.push(format!("{relative}:{}: {module} uses {used}", number + 1));
                }
            }
        }
    }
    assert!(seen > 50, "the modules were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_is_on_the_list() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut listed = ORDER.to_vec();
    let mut sorted = declared.clone();
    listed.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(sorted, listed);
}

#[test]
fn no_query_or_page_is_written_in_rust() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in crate::shared::files(&root, &[".rs"]) {
        // The operations database speaks SQL, which no DCAT expert has to read.
        if file.starts_with(root.join("operations")) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a readable file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for start in ["\"PREFIX ", "\"SELECT ", "\"CONSTRUCT ", "\"ASK ", "<div", "<table"] {
            assert!(!code.contains(start), "{}: {start}", file.display());
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}
