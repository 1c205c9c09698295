//! What a report says to write instead is pasted into the file: it can be read, the finding is gone, and nothing is new.

use crate::rules::Checker;
use crate::shared;
use moisson::catalog::Finding;
use moisson::harvest::{Harvested, Profiles};
use moisson::report::patch;
use moisson::source::Target;
use regex::Regex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How many findings there are of each kind: of one rule, node, property and value.
type Counts = BTreeMap<[String; 4], usize>;

/// What tells a finding from others, but for its place. The IRI of a blank node depends on what is said of it.
fn identity(finding: &Finding) -> [String; 4] {
    let genid =
        Regex::new("[^<\"]*/(\\.well-known/genid|dataset)/[0-9a-f-]{36}[0-9a-f/#it-]*").expect("a pattern");
    let text = |text: Option<&String>| genid.replace_all(text.map_or("", String::as_str), "_:b").into_owned();
    let (property, value) = (finding.property.as_ref(), finding.value.as_ref());
    [finding.rule.clone(), text(Some(&finding.focus_node)), text(property), text(value)]
}

fn counts<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Counts {
    let mut counts = Counts::new();
    for finding in findings {
        *counts.entry(identity(finding)).or_default() += 1;
    }
    counts
}

/// A text with the places where it stands as a statement of a file: white space may be another.
fn places(text: &str, statement: &str) -> Vec<Range<usize>> {
    let words: Vec<String> = statement.split_whitespace().map(regex::escape).collect();
    let pattern = words.join(r"\s+").replace("/>", r"\s*/>");
    let pattern = Regex::new(&pattern).expect("an escaped text");
    pattern.find_iter(text).map(|found| found.range()).collect()
}

/// Where each line begins.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The fixes of a report that can be found in the file, as what to put where, with their findings.
fn fixes<'f>(text: &str, checked: &'f Harvested) -> Vec<(Range<usize>, String, &'f Finding)> {
    let Some(syntax) = checked.report.syntax else { return Vec::new() };
    let starts = line_starts(text);
    let mut found: Vec<(Range<usize>, String, &Finding)> = Vec::new();
    for finding in &checked.findings {
        let Some(patch) = patch(syntax, &checked.report.prefixes, finding) else { continue };
        let Some(line) = finding.place.line else { continue };
        let Some(start) = starts.get(line as usize - 1) else { continue };
        let end = starts.get(line as usize).copied().unwrap_or(text.len());
        let touches = |range: &Range<usize>| range.start < end && range.end > *start;
        let Some(range) = places(text, &patch.before).into_iter().find(touches) else { continue };
        if found.iter().all(|(other, ..)| other.end <= range.start || range.end <= other.start) {
            found.push((range, patch.after, finding));
        }
    }
    found.sort_by_key(|(range, ..)| std::cmp::Reverse(range.start));
    found
}

/// Pastes the fixes of a file and checks it again: how many were pasted, and what is wrong.
fn paste(checker: &Checker, profiles: &Profiles, file: &Path, scratch: &Path) -> (usize, Vec<String>) {
    let check = |file: &Path| {
        let target = Target::parse(file.to_str().expect("a path")).expect("a file");
        checker.check(&target, profiles).ok()
    };
    let (Some(before), Ok(text)) = (check(file), std::fs::read_to_string(file)) else { return (0, Vec::new()) };
    let fixes = fixes(&text, &before);
    if fixes.is_empty() {
        return (0, Vec::new());
    }
    let mut mended = text;
    for (range, after, _) in &fixes {
        mended.replace_range(range.clone(), after);
    }
    // The name is part of what relative addresses become.
    let copy = scratch.join(file.file_name().expect("a name"));
    std::fs::write(&copy, mended).expect("a copy");
    let Some(after) = check(&copy) else { return (fixes.len(), vec!["it cannot be read any more".to_owned()]) };
    let mut wrong = Vec::new();
    if after.report.errors.len() > before.report.errors.len() {
        wrong.push(format!("new errors: {:?}", after.report.errors.first()));
    }
    let (known, left) = (counts(&before.findings), counts(&after.findings));
    let cured = counts(fixes.iter().map(|(.., finding)| *finding));
    for (what, count) in &left {
        let expected = known.get(what).copied().unwrap_or(0) - cured.get(what).copied().unwrap_or(0);
        if *count > expected {
            let word = if cured.contains_key(what) { "still there" } else { "new" };
            wrong.push(format!("{word}, {count} instead of {expected}: {what:?}"));
        }
    }
    (fixes.len(), wrong)
}

fn paste_all(files: &[PathBuf], base: &Path) -> (usize, String) {
    let checker = Checker::new();
    let profiles = Profiles::compile(&[], &[]).expect("the default profiles");
    let (mut pasted, mut wrong) = (0, String::new());
    for file in files {
        let scratch = tempfile::tempdir().expect("a folder");
        let (count, faults) = paste(&checker, &profiles, file, scratch.path());
        pasted += count;
        for fault in faults {
            let _ = writeln!(wrong, "{}: {fault}", file.strip_prefix(base).unwrap_or(file).display());
        }
    }
    (pasted, wrong)
}

#[test]
fn what_the_samples_report_says_to_write_cures_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (pasted, wrong) = paste_all(&[root.join("data/sample/catalogue.ttl")], root);
    assert!(pasted >= 4, "only {pasted} fixes were found in the file");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_fix_has_the_prefixes_of_its_file() {
    let scratch = tempfile::tempdir().expect("a folder");
    let turtle = "@prefix d: <http://www.w3.org/ns/dcat#> .\n@prefix dcterms: <http://purl.org/dc/terms/> .\n\
        <http://e.example/d> a d:Dataset ;\n  dcterms:title \"D\"@en ;\n  dcterms:accrualPeriodicity \"monthly\" .\n";
    let rdf_xml = "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:d='http://www.w3.org/ns/dcat#' \
        xmlns:dc='http://purl.org/dc/terms/'>\n<d:Dataset r:about='http://e.example/d'>\n<dc:title xml:lang=\"en\">D</dc:title>\n\
        <dc:accrualPeriodicity>monthly</dc:accrualPeriodicity>\n</d:Dataset></r:RDF>";
    let json_ld = "{\"@context\": {\"d\": \"http://www.w3.org/ns/dcat#\", \"terms\": \"http://purl.org/dc/terms/\"},\n\
        \"@id\": \"http://e.example/d\", \"@type\": \"d:Dataset\",\n\"terms:title\": \"D\",\n\"terms:accrualPeriodicity\": \"monthly\"}";
    for (name, text) in [("c.ttl", turtle), ("c.rdf", rdf_xml), ("c.jsonld", json_ld)] {
        let file = scratch.path().join(name);
        std::fs::write(&file, text).expect("a file");
        let (pasted, wrong) = paste_all(&[file], scratch.path());
        assert!(pasted == 1 && wrong.is_empty(), "{name}: {pasted} {wrong}");
    }
}

#[test]
fn what_the_reports_of_real_catalogues_say_to_write_cures_them() {
    let Some(folder) = shared::data("dcat-rdf") else { return };
    let files = shared::files(&folder, &[".rdf", ".xml", ".ttl", ".jsonld"]);
    let (pasted, wrong) = paste_all(&files, &folder);
    println!("{pasted} fixes were pasted into {} files", files.len());
    assert!(pasted >= 50, "only {pasted} fixes were found in their files");
    assert!(wrong.is_empty(), "{pasted} pasted; {} wrong:\n{wrong}", wrong.lines().count());
}
