//! What is found in records, and where: plain values that every later module passes on.

use crate::vocab::sh;
use oxrdf::{NamedNode, NamedNodeRef, Term};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The syntax of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// Turtle and its family.
    Turtle,
    /// RDF/XML.
    RdfXml,
    /// JSON-LD.
    JsonLd,
    /// The JSON of a platform.
    Json,
    /// The XML of ISO records.
    Xml,
}

/// A place in what a publisher serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct Place {
    /// The file or page.
    pub page: String,
    /// The line, from 1, where the format has lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The column in that line, in characters from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
    /// The way to the element within the page: in XML an `XPath`, in JSON a pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
}

impl Place {
    /// A page as a whole.
    #[must_use]
    pub fn of_page(page: impl Into<String>) -> Self {
        Self { page: page.into(), ..Self::default() }
    }

    /// A line of a page, where it is known.
    #[must_use]
    pub fn of_line(page: impl Into<String>, line: Option<u32>) -> Self {
        Self { page: page.into(), line, ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        self.path.iter().try_for_each(|path| write!(f, ", {path}"))
    }
}

/// How much a finding weighs: SHACL's three severities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    #[default]
    Info,
    /// Recommended by the profile.
    Warning,
    /// Required by the profile.
    Violation,
}

impl Severity {
    /// The name that reports and style sheets use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Violation => "violation",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Violation].into_iter().find(|severity| severity.as_str() == name)
    }

    /// Reads SHACL's node of a severity (SHACL 2.1.4); one of somebody's own counts as a violation.
    #[must_use]
    pub fn of_shacl(node: NamedNodeRef<'_>) -> Self {
        match node {
            sh::INFO => Self::Info,
            sh::WARNING => Self::Warning,
            _ => Self::Violation,
        }
    }

    /// SHACL's node of it.
    #[must_use]
    pub fn to_shacl(self) -> NamedNodeRef<'static> {
        match self {
            Self::Info => sh::INFO,
            Self::Warning => sh::WARNING,
            Self::Violation => sh::VIOLATION,
        }
    }
}

/// A sentence in the two languages of reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// English
    pub en: String,
    /// French
    pub fr: String,
}

impl Message {
    /// Makes a message of its English and French texts.
    pub fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }
}

/// Something a publisher should know about a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The remote identifier of the record.
    pub record: String,
    /// The record's title, in any language.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// The node the finding is about, as an IRI or a literal in N-Triples.
    pub focus_node: String,
    /// The property, as an IRI or a path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub property: Option<String>,
    /// The offending value, in N-Triples.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// The stable name of the rule.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong.
    pub message: Message,
    /// Where in the publisher's own file.
    pub place: Place,
    /// What to write instead, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suggestion: Option<String>,
    /// The time of the job that found it first, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<String>,
}

impl Finding {
    /// What is wrong, on whatever line and in whichever record: a rule, a node, a property and a value.
    #[must_use]
    pub fn fault(&self) -> (&str, &str, Option<&str>, Option<&str>) {
        (&self.rule, &self.focus_node, self.property.as_deref(), self.value.as_deref())
    }
}

/// A value as findings write it: N-Triples, or the text of an IRI that may not be one.
#[must_use]
pub fn value_term(text: &str) -> Term {
    text.parse().unwrap_or_else(|_| NamedNode::new_unchecked(text).into())
}

/// A record, or a page, that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    /// The record's identifier or node, where it is known.
    pub record: Option<String>,
    /// Where.
    pub place: Place,
    /// What happened and what to do.
    pub message: String,
    /// What the source gave, where nothing else keeps it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw: Option<String>,
}

impl ItemError {
    /// An error of a record, where it is known, at a place.
    #[must_use]
    pub fn new(record: Option<String>, place: Place, message: impl Into<String>) -> Self {
        Self { record, place, message: message.into(), raw: None }
    }
}
