//! The README promises only what is there: its commands are run.

use crate::moisson::Bench;
use std::fs;
use std::path::Path;

#[test]
fn its_commands_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let bench = Bench::new();
    let mut ran = 0;
    for line in readme.lines().filter_map(|line| line.strip_prefix("moisson ")) {
        let words: Vec<String> = line.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect();
        // A server runs until it is stopped: its tests are elsewhere.
        if words[0] == "serve" {
            continue;
        }
        let output = bench.command().current_dir(root).args(&words).output().expect("the program starts");
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1)),
            "moisson {line}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.stdout.is_empty(), "moisson {line} printed nothing");
        ran += 1;
    }
    assert!(ran >= 5, "the commands were not found");
}
