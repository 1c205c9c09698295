//! The formats of reports.

use super::document::{Group, Head};
use super::rules::Rules;
use super::{csv, json, junit, rdf, sarif};
use crate::catalog::{Finding, Severity};
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use std::io::{self, Write};

/// A form of a report for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Head, groups and findings.
    Json,
    /// A line a finding.
    Csv,
    /// A `sh:ValidationReport`.
    Turtle,
    /// A `sh:ValidationReport`.
    JsonLd,
    /// SARIF 2.1.0 (OASIS), for code scanning.
    Sarif,
    /// `JUnit`'s XML, one test a rule.
    Junit,
}

impl Format {
    /// The names by which addresses and options know the formats, in the order of preference.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Json, "json", "application/json"),
        (Self::Csv, "csv", "text/csv"),
        (Self::Turtle, "ttl", "text/turtle"),
        (Self::JsonLd, "jsonld", "application/ld+json"),
        (Self::Sarif, "sarif", "application/sarif+json"),
        (Self::Junit, "xml", "application/xml"),
    ];

    /// Reads a suffix of an address.
    #[must_use]
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name, _)| *name == suffix).map(|(format, ..)| format)
    }

    /// Reads a media type.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, _, known)| *known == media_type).map(|(format, ..)| format)
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        Self::ALL.into_iter().find(|(format, ..)| *format == self).map_or("application/json", |(.., name)| name)
    }
}

/// From which severity on a finding fails a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// From this one on.
    From(Severity),
    /// None does.
    Never,
}

impl Threshold {
    /// Whether a finding of a severity fails.
    #[must_use]
    pub fn is_met_by(self, severity: Severity) -> bool {
        match self {
            Self::From(least) => severity >= least,
            Self::Never => false,
        }
    }
}

/// The findings of a report, one after the other.
pub type Findings<'f> = dyn Iterator<Item = io::Result<Finding>> + 'f;

/// Writes a report.
///
/// # Errors
/// When it cannot be written, or a finding cannot be read.
pub fn write(
    format: Format,
    head: &Head,
    groups: &[Group],
    rules: &Rules,
    threshold: Threshold,
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(head, groups, findings, out),
        Format::Csv => csv::write(head, findings, out),
        Format::Turtle => rdf::write(RdfFormat::Turtle, head, findings, out),
        Format::JsonLd => {
            rdf::write(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() }, head, findings, out)
        }
        Format::Sarif => sarif::write(head, groups, rules, findings, out),
        Format::Junit => junit::write(head, rules, threshold, findings, out),
    }
}
