//! What a report says before it lists findings: of what it is, and what to mend first.

use super::fields::spoiled_field;
use crate::catalog::{Finding, Severity};
use crate::harvest::FindingCounts;
use crate::operations::FindingGroup;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Of what a report is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Head {
    /// The source's name.
    pub source: String,
    /// Its title.
    pub title: String,
    /// The job whose report it is, as `moisson harvest --format json` prints it.
    pub report: Value,
    /// Findings by severity.
    pub counts: FindingCounts,
    /// The address behind which each rule has a page, by its name.
    #[serde(skip)]
    pub rules: String,
    /// The name of the page that was checked, as places have it, and as the person who asked wrote it.
    #[serde(skip)]
    pub written_as: Option<(String, String)>,
}

impl Head {
    /// A page as the person who asked for the report wrote it.
    #[must_use]
    pub fn page<'p>(&'p self, page: &'p str) -> &'p str {
        match &self.written_as {
            Some((name, written)) if name == page => written,
            _ => page,
        }
    }
}

/// The findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The rule.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// How many there are.
    pub count: u64,
    /// In how many records.
    pub records: u64,
    /// At how many places: a node that several records use is one.
    pub places: u64,
    /// How many of them were not there before.
    pub new: u64,
    /// Since when there has been one, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What it costs to leave them: records, weighed.
    pub cost: u64,
    /// The field of dataset records that they spoil.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One that says most.
    pub example: Finding,
}

/// What becomes of a catalogue with the findings of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The profile demands it: other catalogues may refuse the record.
    Mandatory,
    /// It changes what the record shows.
    Record,
    /// It is recommended or optional, and changes neither.
    Rest,
}

impl Part {
    /// What is said above its rules.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Mandatory => "TO FIX FIRST: the profile demands it",
            Self::Record => "THEN: it changes what the record shows",
            Self::Rest => "THE REST: recommended or optional",
        }
    }
}

impl Group {
    /// How its findings are to be taken.
    #[must_use]
    pub fn part(&self) -> Part {
        match (self.severity, &self.field) {
            (Severity::Violation, _) => Part::Mandatory,
            (Severity::Warning, Some(_)) => Part::Record,
            _ => Part::Rest,
        }
    }
}

/// What a finding costs each record that has it: a violation keeps records out of catalogues that publish valid ones
/// alone, a warning costs readers, the rest is good to know.
fn weight(severity: Severity) -> u64 {
    match severity {
        Severity::Violation => 20,
        Severity::Warning => 3,
        Severity::Info => 1,
    }
}

impl From<FindingGroup> for Group {
    fn from(group: FindingGroup) -> Self {
        Self {
            cost: weight(group.severity) * group.records,
            field: spoiled_field(&group.rule, group.example.property.as_deref()).map(ToOwned::to_owned),
            rule: group.rule,
            severity: group.severity,
            count: group.count,
            records: group.records,
            places: group.places,
            new: group.new,
            since: Some(group.since),
            example: group.example,
        }
    }
}

/// Groups in the order in which to mend them: what is mandatory, what changes the record, the rest; of each the dearest first.
#[must_use]
pub fn ordered(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by(|one, other| {
        let key = |group: &Group| (group.part(), std::cmp::Reverse(group.cost), std::cmp::Reverse(group.severity));
        key(one).cmp(&key(other)).then_with(|| one.rule.cmp(&other.rule))
    });
    groups
}

/// Lets each fault through once, with the first record that has it: for lists in which a person mends one after the other.
pub(super) fn each_fault_once() -> impl FnMut(&Finding) -> bool {
    let mut told = HashSet::new();
    let hasher = RandomState::new();
    move |finding| told.insert(hasher.hash_one(finding.fault()))
}

/// Findings by rule, in the order in which to mend them; those that a condition holds of are new.
#[must_use]
pub fn groups_of(findings: &[Finding], is_new: impl Fn(&Finding) -> bool) -> Vec<Group> {
    let mut by_rule: BTreeMap<(&str, Severity), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_rule.entry((&finding.rule, finding.severity)).or_default().push(finding);
    }
    let group = |((rule, severity), group): ((&str, Severity), Vec<&Finding>)| {
        let records: BTreeSet<&str> = group.iter().map(|finding| finding.record.as_str()).collect();
        let places: BTreeSet<_> = group.iter().map(|finding| finding.fault()).collect();
        let example = group.iter().find(|finding| finding.suggestion.is_some()).unwrap_or(&group[0]);
        Group {
            rule: rule.to_owned(),
            severity,
            count: group.len() as u64,
            records: records.len() as u64,
            places: places.len() as u64,
            new: group.iter().filter(|finding| is_new(finding)).count() as u64,
            since: group.iter().filter_map(|finding| finding.since.clone()).min(),
            cost: weight(severity) * records.len() as u64,
            field: spoiled_field(rule, example.property.as_deref()).map(ToOwned::to_owned),
            example: (*example).clone(),
        }
    };
    ordered(by_rule.into_iter().map(group).collect())
}
