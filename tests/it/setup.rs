//! The set-up of `./dev` decides rightly in recorded situations: which package, which libclang, when to stop.

use std::path::Path;
use std::process::Command;

#[test]
fn decides_rightly_in_every_recorded_situation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("bash")
        .arg(root.join("tests/setup/situations.sh"))
        .output()
        .expect("bash is there, since ./dev is written in it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let count = said.lines().last().and_then(|line| line.split(' ').next()).and_then(|count| count.parse().ok());
    assert!(count.is_some_and(|count: usize| count >= 42), "situations were left out: {said}");
}
