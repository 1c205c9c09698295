//! How loud reports are: the findings of all real catalogues by severity, and the rules that are broken most.
//!
//! `tests/review/noise.md` has the table. What grows in it without a reason in the rules is noise.

use crate::rules::Checker;
use crate::shared::{self, review};
use moisson::catalog::{Finding, Severity};
use moisson::harvest::Profiles;
use moisson::report::{Part, groups_of};
use moisson::source::Target;
use std::fmt::Write;
use std::path::Path;

/// The folders of catalogues with the endings of their files.
const COLLECTIONS: [(&str, &[&str]); 5] = [
    ("dcat-rdf", &[".rdf", ".xml", ".ttl", ".jsonld"]),
    ("ckan-json", &[".json"]),
    ("data-json", &[".json"]),
    ("ods-json", &[".json"]),
    ("iso", &[".xml"]),
];

/// Rules that each collection names.
const LOUDEST: usize = 10;

/// What was found in a collection.
#[derive(Default)]
struct Collection {
    files: usize,
    records: u64,
    findings: Vec<Finding>,
}

fn collect(checker: &Checker, profiles: &Profiles, folder: &str, endings: &[&str]) -> Option<Collection> {
    let root = shared::data(folder)?;
    let mut found = Collection::default();
    for file in shared::files(&root, endings) {
        let target = Target::parse(file.to_str().expect("a path")).expect("a file");
        let Ok(checked) = checker.check(&target, profiles) else { continue };
        found.files += 1;
        found.records += checked.report.records.seen;
        found.findings.extend(checked.findings);
    }
    Some(found)
}

/// A share of the whole, in hundredths.
fn percent(part: usize, whole: usize) -> String {
    format!("{} %", (part * 100 + whole / 2) / whole.max(1))
}

fn per_record(count: usize, records: u64) -> String {
    let tenths = (count as u64 * 10 + records / 2) / records.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn table(name: &str, found: &Collection) -> (String, String) {
    let of = |severity| found.findings.iter().filter(|finding| finding.severity == severity).count();
    let all = found.findings.len();
    let official = found.findings.iter().filter(|finding| finding.rule.starts_with("dcat-ap-3/")).count();
    let groups = groups_of(&found.findings, |_| false);
    let told: u64 = groups.iter().filter(|group| group.part() != Part::Rest).map(|group| group.count).sum();
    let told = usize::try_from(told).expect("a count");
    let line = format!(
        "{name} | {} | {} | {} | {} | {} | {} | {} | {}",
        found.files,
        found.records,
        per_record(of(Severity::Violation), found.records),
        per_record(of(Severity::Warning), found.records),
        per_record(of(Severity::Info), found.records),
        per_record(all, found.records),
        percent(official, all),
        percent(told, all),
    );
    let mut loudest: Vec<_> = groups.iter().collect();
    loudest.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.rule.cmp(&other.rule)));
    let mut rules = String::new();
    for group in loudest.iter().take(LOUDEST) {
        let (severity, places, records) = (group.severity.as_str(), group.places, group.records);
        let _ = writeln!(rules, "{name} | {} | {severity} | {} | {places} | {records}", group.rule, group.count);
    }
    (line, rules)
}

#[test]
fn reports_are_no_louder_than_the_table_says() {
    let checker = Checker::new();
    let profiles = Profiles::compile(&[], &[]).expect("the default profiles");
    let mut text = "collection | files | records | violations a record | warnings | information | findings | of the profile | not folded\n\
        --- | --- | --- | --- | --- | --- | --- | --- | ---\n"
        .to_owned();
    let mut rules =
        "\ncollection | rule | severity | findings | places | records\n--- | --- | --- | --- | --- | ---\n"
            .to_owned();
    for (name, endings) in COLLECTIONS {
        let Some(found) = collect(&checker, &profiles, name, endings) else { return };
        let (line, loudest) = table(name, &found);
        let _ = writeln!(text, "{line}");
        rules.push_str(&loudest);
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/noise.md");
    assert_eq!(review(&kept, &(text + &rules)), None);
}
