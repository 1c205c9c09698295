//! Which field of the platform's dataset record a finding spoils.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Fields by class and property.
static FIELDS: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
    let rows = include_str!("../../data/record-fields.csv").lines().skip(1);
    rows.filter_map(|row| {
        let (class, rest) = row.split_once(',')?;
        let (property, field) = rest.split_once(',')?;
        Some(((class, property), field))
    })
    .collect()
});

/// The names of rules about what is normally absent.
static NORMAL_ABSENCES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let rows = include_str!("../../data/normal-absences.csv").lines().filter(|row| !row.starts_with('#')).skip(1);
    rows.filter_map(|row| Some(row.split_once(',')?.0)).collect()
});

/// The field, by the class that the rule's name begins with (`dcat-ap-3/Distribution-byteSize-datatype`) and the
/// property; where the rule names no class that the table has, by the property of a dataset.
#[must_use]
pub fn spoiled_field(rule: &str, property: Option<&str>) -> Option<&'static str> {
    let property = property?;
    let (_, name) = rule.split_once('/').unwrap_or(("", rule));
    if NORMAL_ABSENCES.contains(name) {
        return None;
    }
    let class = name.split('-').next().unwrap_or_default();
    if let Some(field) = FIELDS.get(&(class, property)) {
        return Some(field);
    }
    let is_class = class.starts_with(|c: char| c.is_ascii_uppercase());
    if is_class { None } else { FIELDS.get(&("Dataset", property)).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_spoils_the_field_of_its_class() {
        let title = Some("http://purl.org/dc/terms/title");
        assert_eq!(spoiled_field("dcat-ap-3/Dataset-title-required", title), Some("title"));
        assert_eq!(spoiled_field("dcat-ap-3/Distribution-title-required", title), Some("resources.title"));
        assert_eq!(spoiled_field("moisson/title-language", title), Some("title"));
        assert_eq!(spoiled_field("dcat-ap-3/Agent-title", title), None);
        let centroid = Some("http://www.w3.org/ns/dcat#centroid");
        assert_eq!(spoiled_field("dcat-ap-3/Location-centroid-required", centroid), None);
        assert_eq!(spoiled_field("moisson/title-language", None), None);
    }
}
