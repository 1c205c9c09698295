//! Which rules are asked of the records of a platform: what a mapping makes is not blamed on the publisher.

use crate::catalog::{Finding, Severity, SourceKind};
use std::collections::HashSet;
use std::sync::LazyLock;

/// A row of the table.
#[derive(Debug)]
struct Row {
    kind: Option<SourceKind>,
    rule: &'static str,
    is_once: bool,
}

/// The table.
pub(super) const TABLE: &str = include_str!("../../data/platform-rules.csv");

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|row| !row.starts_with('#')).skip(1);
    let row = |row: &'static str| {
        let [kind, rule, asked, _reason] = row.splitn(4, ',').collect::<Vec<_>>().try_into().ok()?;
        Some(Row { kind: SourceKind::parse(kind), rule, is_once: asked == "once" })
    };
    rows.filter_map(row).collect()
});

/// Keeps the findings that a platform's publisher can do something about: all that the profile demands, all of the record's
/// own node, and of the nodes that the mapping makes those that a field can mend, once where one field speaks for all.
pub(super) fn keep_asked(findings: &mut Vec<Finding>, kind: SourceKind, record_node: &str) {
    let mut told: HashSet<(String, Option<String>)> = HashSet::new();
    findings.retain(|finding| {
        if finding.severity == Severity::Violation || finding.focus_node == record_node {
            return true;
        }
        let (_, name) = finding.rule.split_once('/').unwrap_or(("", &finding.rule));
        let mut rows =
            ROWS.iter().filter(|row| row.kind.is_none_or(|own| own == kind) && name.starts_with(row.rule));
        rows.all(|row| row.is_once && told.insert((finding.rule.clone(), finding.value.clone())))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_field_can_mend_is_silent() {
        let finding = |rule: &str, severity, node: &str| Finding {
            rule: rule.to_owned(),
            severity,
            focus_node: node.to_owned(),
            ..Finding::default()
        };
        let all = [
            finding("dcat-ap-3/DataService-theme-required", Severity::Warning, "http://e/made"),
            finding("dcat-ap-3/DataService-theme-required", Severity::Warning, "http://e/record"),
            finding("dcat-ap-3/DataService-title-required", Severity::Violation, "http://e/made"),
            finding("dcat-ap-3/Distribution-license-required", Severity::Warning, "http://e/1"),
            finding("dcat-ap-3/Distribution-license-required", Severity::Warning, "http://e/2"),
            finding("dcat-ap-3/Distribution-description-required", Severity::Warning, "http://e/1"),
        ];
        let left = |kind| {
            let mut findings = all.to_vec();
            keep_asked(&mut findings, kind, "http://e/record");
            findings.len()
        };
        assert_eq!((left(SourceKind::Csw), left(SourceKind::Opendatasoft)), (4, 3));
    }
}
