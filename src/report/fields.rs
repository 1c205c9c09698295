//! Which field of the platform's dataset record a finding spoils.

use crate::catalog::Message;
use std::collections::HashMap;
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

/// Rules about what is normally absent, with the reason.
static NORMAL_ABSENCES: LazyLock<HashMap<&str, Message>> = LazyLock::new(|| {
    let rows = include_str!("../../data/normal-absences.csv").lines().filter(|row| !row.starts_with('#')).skip(1);
    let reason = |row: &'static str| {
        let [rule, en, fr] = row.split(',').collect::<Vec<_>>().try_into().ok()?;
        Some((rule, Message::new(en, fr)))
    };
    rows.filter_map(reason).collect()
});

/// Why reports tell a rule last, where what it asks for is normally absent.
#[must_use]
pub fn normal_absence(rule: &str) -> Option<&'static Message> {
    let (_, name) = rule.split_once('/').unwrap_or(("", rule));
    NORMAL_ABSENCES.get(name)
}

/// The field, by the class that the rule's name begins with (`dcat-ap-3/Distribution-byteSize-datatype`) and the
/// property; where the rule names no class that the table has, by the property of a dataset.
#[must_use]
pub fn spoiled_field(rule: &str, property: Option<&str>) -> Option<&'static str> {
    let property = property?;
    if normal_absence(rule).is_some() {
        return None;
    }
    let (_, name) = rule.split_once('/').unwrap_or(("", rule));
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
        assert!(
            normal_absence("dcat-ap-2.1.1/Location-centroid-required").is_some_and(|why| why.fr.contains("lieu"))
        );
        assert_eq!(spoiled_field("moisson/title-language", None), None);
    }
}
