//! Which records of a source are wanted: filters, said once and pushed to the platform where it can filter.

use jiff::civil::DateTime;
use std::fmt::Write;

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// Who publishes it: CKAN's name or identifier of the organisation, elsewhere its name or IRI.
    Organization,
    /// CKAN's group, by its name; in DCAT the series or whole it is part of.
    Group,
    /// A keyword.
    Tag,
    /// A theme, by its IRI, its code or its label.
    Theme,
    /// A licence, by its identifier or IRI.
    License,
    /// A distribution's format, as the platform writes it; in DCAT its IRI, its code or its label.
    Format,
}

impl Facet {
    /// Every facet.
    pub const ALL: [Self; 6] =
        [Self::Organization, Self::Group, Self::Tag, Self::Theme, Self::License, Self::Format];

    /// The name that settings, and the queries of `queries/filter`, use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Group => "group",
            Self::Tag => "tag",
            Self::Theme => "theme",
            Self::License => "license",
            Self::Format => "format",
        }
    }

    /// The facet of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.as_str() == name)
    }
}

/// A value of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The facet.
    pub facet: Facet,
    /// The value, compared as it is.
    pub value: String,
}

/// Which records of a source are wanted.
///
/// A record is wanted when for each facet that is included it has one of the values, when it has none of those
/// excluded, and when it was modified since the date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Values of which a record has one for each facet.
    pub include: Vec<Condition>,
    /// Values that a record has none of.
    pub exclude: Vec<Condition>,
    /// The date since which it was modified.
    pub modified_since: Option<DateTime>,
    /// A query in the platform's own language, which it alone can answer: CKAN's `fq`, Opendatasoft's `where`.
    pub platform_query: Option<String>,
}

/// A filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No facet and value.
    #[error(
        "the filter {text:?} is not FACET=VALUE; the facets are organization, group, tag, theme, license and format"
    )]
    Condition {
        /// What was given.
        text: String,
    },
    /// No date.
    #[error("{text:?} is no date: write 2024-03-01, or 2024-03-01T12:00:00")]
    Date {
        /// What was given.
        text: String,
    },
    /// A platform without a query language.
    #[error("a source of kind {kind} answers no query of its own: leave out `where`, and use the other filters")]
    PlatformQuery {
        /// The kind of source.
        kind: &'static str,
    },
}

impl Condition {
    /// Reads `FACET=VALUE`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let error = || FilterError::Condition { text: text.to_owned() };
        let (facet, value) = text.split_once('=').ok_or_else(error)?;
        let facet = Facet::parse(facet.trim()).ok_or_else(error)?;
        let value = value.trim().to_owned();
        if value.is_empty() { Err(error()) } else { Ok(Self { facet, value }) }
    }
}

/// Reads a date, with or without a time.
pub fn parse_date(text: &str) -> Result<DateTime, FilterError> {
    let text = text.trim();
    let date = text.trim_end_matches('Z').parse::<DateTime>();
    date.map_err(|_| FilterError::Date { text: text.to_owned() })
}

impl Filters {
    /// Whether every record is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The part of the filters that looks at some facets, and at dates where asked for.
    #[must_use]
    pub fn over(&self, facets: &[Facet], dates: bool) -> Self {
        let of = |conditions: &[Condition]| {
            conditions.iter().filter(|condition| facets.contains(&condition.facet)).cloned().collect()
        };
        Self {
            include: of(&self.include),
            exclude: of(&self.exclude),
            modified_since: self.modified_since.filter(|_| dates),
            platform_query: None,
        }
    }

    /// Whether a record with these values and this date of modification is wanted.
    pub fn wants<'v>(&self, values: &dyn Fn(Facet) -> Vec<&'v str>, modified: Option<DateTime>) -> bool {
        let has = |condition: &Condition| values(condition.facet).contains(&condition.value.as_str());
        let is_included = Facet::ALL.into_iter().all(|facet| {
            let mut of_facet = self.include.iter().filter(|condition| condition.facet == facet).peekable();
            of_facet.peek().is_none() || of_facet.any(has)
        });
        let is_recent = self.modified_since.is_none_or(|since| modified.is_some_and(|modified| modified >= since));
        is_included && !self.exclude.iter().any(has) && is_recent
    }

    /// What changes when the filters do.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        if self.is_empty() { String::new() } else { format!("{self:?}") }
    }
}

/// How a platform's query language says what filters say.
pub(super) struct Dialect {
    /// Its field for a facet; `None` where it cannot filter by it.
    pub(super) field: fn(Facet) -> Option<&'static [&'static str]>,
    /// One of several values, quoted already, of a field.
    pub(super) one_of: fn(&str, &str) -> String,
    /// What stands between the values.
    pub(super) between: &'static str,
    /// A date of modification since which.
    pub(super) since: fn(DateTime) -> String,
    /// What negates.
    pub(super) not: &'static str,
}

impl Dialect {
    /// The query for what the platform can filter by; `None` when that is nothing. What changed since a
    /// date is part of it when asked for.
    pub(super) fn query(&self, filters: &Filters, changed_since: Option<DateTime>) -> Option<String> {
        let mut clauses: Vec<String> = filters.platform_query.iter().map(|own| format!("({own})")).collect();
        for facet in Facet::ALL {
            clauses.extend(self.clause(&filters.include, facet));
            clauses.extend(self.clause(&filters.exclude, facet).map(|clause| format!("{}{clause}", self.not)));
        }
        clauses.extend(filters.modified_since.into_iter().chain(changed_since).map(self.since));
        (!clauses.is_empty()).then(|| clauses.join(" AND "))
    }

    fn clause(&self, conditions: &[Condition], facet: Facet) -> Option<String> {
        let mut values = String::new();
        for condition in conditions.iter().filter(|condition| condition.facet == facet) {
            let quoted = condition.value.replace('\\', "\\\\").replace('"', "\\\"");
            let between = if values.is_empty() { "" } else { self.between };
            // Writing to a string does not fail.
            let _ = write!(values, "{between}\"{quoted}\"");
        }
        let fields = (self.field)(facet).filter(|_| !values.is_empty())?;
        let clauses: Vec<String> = fields.iter().map(|field| (self.one_of)(field, &values)).collect();
        Some(format!("({})", clauses.join(" OR ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked_before_anything_is_fetched() {
        assert_eq!(
            Condition::parse("tag = eau").unwrap(),
            Condition { facet: Facet::Tag, value: "eau".to_owned() }
        );
        for wrong in ["tag", "colour=red", "tag="] {
            assert!(Condition::parse(wrong).unwrap_err().to_string().contains("organization"), "{wrong}");
        }
        assert_eq!(parse_date("2024-03-01").unwrap(), parse_date("2024-03-01T00:00:00Z").unwrap());
        assert!(parse_date("01/03/2024").is_err());
    }

    #[test]
    fn a_record_has_one_value_of_each_included_facet_and_none_excluded() {
        let filters = Filters {
            include: ["tag=a", "tag=b", "organization=o"].map(|text| Condition::parse(text).unwrap()).to_vec(),
            exclude: vec![Condition::parse("tag=x").unwrap()],
            modified_since: Some(parse_date("2024-01-01").unwrap()),
            platform_query: None,
        };
        let wants = |tags: &[&'static str], organization: &'static str, modified: Option<&str>| {
            let values = |facet| match facet {
                Facet::Tag => tags.to_vec(),
                Facet::Organization => vec![organization],
                _ => Vec::new(),
            };
            filters.wants(&values, modified.map(|text| parse_date(text).unwrap()))
        };
        assert!(wants(&["b", "c"], "o", Some("2024-01-01")));
        assert!(!wants(&["c"], "o", Some("2025-01-01")), "no tag");
        assert!(!wants(&["a"], "p", Some("2025-01-01")), "another organisation");
        assert!(!wants(&["a", "x"], "o", Some("2025-01-01")), "excluded");
        assert!(!wants(&["a"], "o", Some("2023-12-31")), "before");
        assert!(!wants(&["a"], "o", None), "no date");
    }
}
