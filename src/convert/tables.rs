//! The alias tables of `data/`: what publishers write, and what it stands for.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A row of a format table.
#[derive(Debug, Clone, Copy)]
pub(super) struct FormatRow {
    pub(super) file_type: &'static str,
    pub(super) media_type: &'static str,
}

pub(super) static FREQUENCIES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/frequencies.csv")));
pub(super) static THEMES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/themes.csv")));
pub(super) static LANGUAGES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/languages.csv")));
pub(super) static LICENCE_ALIASES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/licence-aliases.csv")));
/// Addresses of the versions that a name of a licence leaves open.
pub(super) static LICENCE_READINGS: LazyLock<HashMap<&str, [&str; 2]>> = LazyLock::new(|| {
    rows(include_str!("../../data/licence-readings.csv"))
        .filter_map(|row| match row.as_slice() {
            [alias, former, latest] => Some((*alias, [*former, *latest])),
            _ => None,
        })
        .collect()
});
/// Licence IRIs by the platform's identifier.
pub(super) static LICENCES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/licences.csv")));
pub(super) static FORMATS: LazyLock<HashMap<&str, FormatRow>> = LazyLock::new(|| {
    rows(include_str!("../../data/formats.csv"))
        .filter_map(|row| match row.as_slice() {
            [alias, file_type, media_type] => Some((*alias, FormatRow { file_type, media_type })),
            _ => None,
        })
        .collect()
});

/// INSPIRE themes by their labels.
pub(super) static INSPIRE_THEMES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/inspire-themes.csv")));
/// INSPIRE's limitations of access and conditions of use by their wordings.
pub(super) static LIMITATIONS: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/limitations.csv")));
/// IRIs of coordinate reference systems by their names.
pub(super) static REFERENCE_SYSTEMS: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../../data/reference-systems.csv")));
/// Metres by the units of distance.
pub(super) static UNITS: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
    let metres = |(unit, metres): (_, &str)| Some((unit, metres.parse().ok()?));
    pairs(include_str!("../../data/units.csv")).into_iter().filter_map(metres).collect()
});
/// The English and French labels of the EU's themes, by their codes.
pub(super) static THEME_LABELS: LazyLock<HashMap<&str, [&str; 2]>> = LazyLock::new(|| {
    rows(include_str!("../../data/theme-labels.csv"))
        .filter_map(|row| match row.as_slice() {
            [code, en, fr] => Some((*code, [*en, *fr])),
            _ => None,
        })
        .collect()
});
/// What protocols stand for: a kind of online resource, and the standard of a service.
pub(super) static PROTOCOLS: LazyLock<HashMap<&str, (&str, &str)>> = LazyLock::new(|| {
    rows(include_str!("../../data/protocols.csv"))
        .filter_map(|row| match row.as_slice() {
            [written, kind, standard] => Some((*written, (*kind, *standard))),
            _ => None,
        })
        .collect()
});
/// Expressions over addresses, in the order in which they are tried, with the same.
pub(super) static PROTOCOL_ADDRESSES: LazyLock<Vec<Vec<&str>>> =
    LazyLock::new(|| rows(include_str!("../../data/protocol-addresses.csv")).collect());

/// The texts of all tables, for the fingerprint of the mapping.
pub(super) const TABLES: &[&str] = &[
    include_str!("../../data/formats.csv"),
    include_str!("../../data/frequencies.csv"),
    include_str!("../../data/inspire-themes.csv"),
    include_str!("../../data/limitations.csv"),
    include_str!("../../data/protocol-addresses.csv"),
    include_str!("../../data/protocols.csv"),
    include_str!("../../data/languages.csv"),
    include_str!("../../data/licence-aliases.csv"),
    include_str!("../../data/licence-readings.csv"),
    include_str!("../../data/licences.csv"),
    include_str!("../../data/reference-systems.csv"),
    include_str!("../../data/theme-labels.csv"),
    include_str!("../../data/themes.csv"),
    include_str!("../../data/units.csv"),
];

fn pairs(text: &'static str) -> HashMap<&'static str, &'static str> {
    rows(text).filter_map(|row| Some((*row.first()?, *row.get(1)?))).collect()
}

/// The rows of a table: comment lines and the heading are left out; a cell may stand in quotes.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1).map(cells)
}

fn cells(line: &'static str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some(end) = quoted.find('"')
        {
            found.push(&quoted[..end]);
            match quoted[end + 1..].strip_prefix(',') {
                Some(next) => rest = next,
                None => return found,
            }
            continue;
        }
        if let Some((cell, next)) = rest.split_once(',') {
            found.push(cell);
            rest = next;
        } else {
            found.push(rest);
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_table() {
        assert_eq!(FREQUENCIES["mensuel"], "MONTHLY");
        assert_eq!(THEMES["agriculture, fisheries, forestry and food"], "AGRI");
        assert!(INSPIRE_THEMES.len() > 200 && LIMITATIONS.len() > 100);
        assert_eq!(THEME_LABELS["HEAL"], ["Health", "Santé"]);
        assert_eq!(PROTOCOLS["ogc:wms"].0, "service");
        assert!(PROTOCOL_ADDRESSES.iter().all(|row| row.len() == 3));
        assert_eq!(FORMATS["geojson"].media_type, "application/geo+json");
        for id in LICENCE_ALIASES.values() {
            assert!(LICENCES.contains_key(id), "{id} has no IRI");
        }
        for alias in LICENCE_READINGS.keys() {
            assert!(!LICENCE_ALIASES.contains_key(alias), "{alias} is taken for a version and leaves it open");
        }
    }
}
