//! What a record's findings say together: what may be written instead, and each fault once.

use super::profiles::Speaks;
use crate::catalog::{Finding, Severity, value_term};
use crate::convert::is_read_as;
use oxrdf::{NamedOrBlankNode, Term, Triple};
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// What conversion read a value as is what the publisher may write in its place. A property with several values has
/// several readings: each value gets its own.
pub(super) fn suggest(findings: &mut [Finding], added: &[Triple]) {
    let mut values: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
    for finding in findings.iter() {
        if let (Some(property), Some(value)) = (&finding.property, &finding.value) {
            let key = (finding.focus_node.clone(), property.clone());
            values.entry(key).or_default().insert(value.clone());
        }
    }
    for finding in findings.iter_mut().filter(|finding| finding.suggestion.is_none()) {
        let (Some(property), Some(value)) = (&finding.property, &finding.value) else { continue };
        let readings: Vec<&Term> = added
            .iter()
            .filter(|triple| {
                property == triple.predicate.as_str()
                    && matches!(&triple.subject, NamedOrBlankNode::NamedNode(node) if *node.as_str() == *finding.focus_node)
            })
            .map(|triple| &triple.object)
            .collect();
        let is_alone = values[&(finding.focus_node.clone(), property.clone())].len() == 1;
        let reading = match (readings.as_slice(), is_alone) {
            ([reading], true) => Some(*reading),
            (readings, _) => readings.iter().copied().find(|reading| is_read_as(&value_term(value), reading)),
        };
        finding.suggestion = reading.and_then(written);
    }
}

/// A reading as a publisher writes it: nodes of ours are none.
fn written(reading: &Term) -> Option<String> {
    match reading {
        Term::NamedNode(node) if !node.as_str().contains('#') => Some(node.as_str().to_owned()),
        Term::Literal(literal) => Some(literal.to_string()),
        Term::NamedNode(_) | Term::BlankNode(_) => None,
    }
}

/// The table.
pub(super) const TABLE: &str = include_str!("../../data/same-rules.csv");

/// Rules of profiles, by the end of their names, that say the same as one of ours.
static SAME: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|row| !row.starts_with('#')).skip(1);
    rows.filter_map(|row| row.split_once(',')).collect()
});

/// One finding for each fault: of two rules that say the same of a value, the one that weighs more stays, the profile's
/// where they weigh alike, with what either says to write instead. Of a platform's records ours stays: how its values are
/// written in DCAT is not its publisher's choice.
pub(super) fn once(findings: Vec<Finding>, speaks: Speaks) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match kept.iter_mut().find(|other| is_same_fault(other, &finding)) {
            Some(other) => *other = merged(std::mem::take(other), finding, speaks),
            None => kept.push(finding),
        }
    }
    kept
}

fn merged(one: Finding, other: Finding, speaks: Speaks) -> Finding {
    let is_ours = |finding: &Finding| SAME.iter().any(|(ours, _)| *ours == finding.rule);
    let weight = |finding: &Finding| match speaks {
        Speaks::Dcat => (finding.severity, !is_ours(finding)),
        Speaks::Platform(_) => (Severity::Info, is_ours(finding)),
    };
    let (mut stays, goes) = if weight(&one) >= weight(&other) { (one, other) } else { (other, one) };
    if stays.suggestion.is_none() && stays.property == goes.property {
        stays.suggestion = goes.suggestion;
    }
    stays
}

/// Whether two findings say the same of the same value.
fn is_same_fault(one: &Finding, other: &Finding) -> bool {
    let is_pair = |ours: &Finding, profile: &Finding| {
        SAME.iter().any(|(rule, same)| *rule == ours.rule && profile.rule.ends_with(same))
    };
    let is_of_value = || match (&one.value, &other.value) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    (is_pair(one, other) || is_pair(other, one)) && one.focus_node == other.focus_node && is_of_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SourceKind;
    use oxrdf::NamedNode;

    fn finding(rule: &str, severity: Severity, value: Option<&str>, suggestion: Option<&str>) -> Finding {
        Finding {
            rule: rule.to_owned(),
            severity,
            focus_node: "http://e/d".to_owned(),
            property: Some("http://purl.org/dc/terms/language".to_owned()),
            value: value.map(ToOwned::to_owned),
            suggestion: suggestion.map(ToOwned::to_owned),
            ..Finding::default()
        }
    }

    #[test]
    fn a_fault_that_two_rules_tell_is_one() {
        let theme = |value| finding("convert/text-theme", Severity::Info, Some(value), Some("http://theme"));
        let kind = |value| finding("dcat-ap-3/Dataset-theme-kind", Severity::Violation, Some(value), None);
        let left = once(vec![theme("\"a\""), kind("\"a\""), kind("\"b\"")], Speaks::Dcat);
        let told: Vec<_> = left.iter().map(|one| (one.rule.as_str(), one.suggestion.as_deref())).collect();
        let rule = "dcat-ap-3/Dataset-theme-kind";
        assert_eq!(told, [(rule, Some("http://theme")), (rule, None)]);
        let missing = [
            finding("dcat-ap-3/Distribution-license-required", Severity::Warning, None, None),
            finding("moisson/licence-missing", Severity::Warning, None, None),
        ];
        let left = once(missing.to_vec(), Speaks::Dcat);
        assert!(left.len() == 1 && left[0].rule.starts_with("dcat-ap-3/"), "{left:?}");
        let left = once(vec![theme("\"a\""), kind("\"a\"")], Speaks::Platform(SourceKind::Ckan));
        assert_eq!((left.len(), left[0].severity), (1, Severity::Info));
    }

    #[test]
    fn each_of_several_values_has_its_own_reading() {
        let language = |code: &str| format!("http://publications.europa.eu/resource/authority/language/{code}");
        let read = |code: &str| {
            Triple::new(
                NamedNode::new_unchecked("http://e/d"),
                NamedNode::new_unchecked("http://purl.org/dc/terms/language"),
                NamedNode::new_unchecked(language(code)),
            )
        };
        let kind = |value| finding("dcat-ap-3/Dataset-language-kind", Severity::Violation, Some(value), None);
        let mut findings = [kind("\"de\""), kind("\"fr\""), kind("\"??\"")];
        suggest(&mut findings, &[read("DEU"), read("FRA")]);
        let told: Vec<_> = findings.iter().map(|one| one.suggestion.clone()).collect();
        assert_eq!(told, [Some(language("DEU")), Some(language("FRA")), None]);
    }
}
