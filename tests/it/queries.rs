//! The queries and shapes: each parses, says what it is for, and is used.

use spargebra::SparqlParser;
use std::fs;
use std::path::Path;

#[test]
fn every_query_opens_with_its_purpose_parses_and_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: String = crate::shared::files(&root.join("src"), &[".rs"])
        .iter()
        .map(|file| fs::read_to_string(file).expect("a readable file"))
        .collect();
    let queries = crate::shared::files(&root.join("queries"), &[".rq"]);
    assert!(queries.len() > 10, "the queries were not found");
    for file in queries {
        let text = fs::read_to_string(&file).expect("a readable file");
        let name = file.strip_prefix(root).expect("below the project").to_string_lossy().into_owned();
        for word in ["# Purpose:", "# Reads:", "# Variables:"] {
            assert!(text.contains(word), "{name} lacks {word}");
        }
        SparqlParser::new().parse_query(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Examples are for people; the README's test runs them.
        let is_example = name.starts_with("queries/examples/");
        assert!(is_example || sources.contains(&format!("../../{name}")), "{name} is used nowhere");
    }
}

#[test]
fn every_shape_compiles_and_speaks_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in crate::shared::files(&root.join("shapes"), &[".ttl"]) {
        let plan = moisson::validate::Plan::compile(crate::shared::graph(&[&file]))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for shape in plan.shapes().iter().filter(|shape| shape.path.is_some() && shape.id.is_named_node()) {
            for language in ["en", "fr"] {
                let speaks = shape.messages.iter().any(|message| message.language() == Some(language));
                assert!(speaks, "{}: {} has no message in {language}", file.display(), shape.id);
            }
        }
    }
}
