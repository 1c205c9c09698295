//! What pages of reports show of a finding, in the reader's language.

use crate::catalog::{Finding, Message, Severity, Syntax};
use crate::harvest::Examples;
use crate::lift::Prefixes;
use crate::report::{Example, Patch, example_of, patch, short, spoiled_field};
use axum::http::{HeaderMap, header};
use serde_json::Value;

/// Characters of a value that a page shows.
const LONGEST: usize = 300;

/// The reader's language: French or English.
#[derive(Debug, Clone)]
pub(crate) struct Language {
    pub(crate) is_french: bool,
    /// The header by which a form is chosen.
    pub(super) accept: Option<String>,
}

impl Language {
    /// The language that is asked for, else the one that the browser prefers of the two.
    pub(crate) fn of(asked: Option<&str>, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let preferred = || {
            let wanted = text(header::ACCEPT_LANGUAGE).unwrap_or_default().to_lowercase();
            let known = |range: &str| ["fr", "en"].into_iter().find(|tag| range.trim().starts_with(tag));
            wanted.split(',').find_map(known) == Some("fr")
        };
        let is_french = asked.map_or_else(preferred, |asked| asked == "fr");
        Self { is_french, accept: text(header::ACCEPT) }
    }

    pub(crate) fn tag(&self) -> &'static str {
        if self.is_french { "fr" } else { "en" }
    }

    pub(crate) fn text<'m>(&self, message: &'m Message) -> &'m str {
        if self.is_french { &message.fr } else { &message.en }
    }

    pub(super) fn severity(&self, severity: Severity) -> &'static str {
        match (severity, self.is_french) {
            (Severity::Violation, false) => "Violation",
            (Severity::Violation, true) => "Erreur",
            (Severity::Warning, false) => "Warning",
            (Severity::Warning, true) => "Avertissement",
            (Severity::Info, _) => "Information",
        }
    }
}

/// What is known of a source's syntax and values, from its jobs.
#[derive(Debug, Default)]
pub(super) struct Habits {
    syntax: Option<Syntax>,
    prefixes: Prefixes,
    examples: Examples,
}

impl Habits {
    pub(super) fn of(report: &Value) -> Self {
        let read = |name: &str| report.get(name).cloned().unwrap_or_default();
        Self {
            syntax: serde_json::from_value(read("syntax")).ok(),
            examples: serde_json::from_value(read("examples")).unwrap_or_default(),
            prefixes: serde_json::from_value(read("prefixes")).unwrap_or_default(),
        }
    }
}

/// A finding as a page shows it.
pub(super) struct FindingView {
    pub(super) record: String,
    pub(super) title: String,
    pub(super) page: String,
    /// The address of the page, where a browser can open it.
    pub(super) link: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) path: String,
    pub(super) focus_node: String,
    pub(super) property: String,
    pub(super) value: String,
    pub(super) field: Option<&'static str>,
    pub(super) patch: Option<Patch>,
    pub(super) suggestion: String,
    /// What could be said, where nothing is.
    pub(super) example: Option<Example>,
    pub(super) since: String,
}

impl FindingView {
    pub(super) fn of(finding: &Finding, habits: &Habits) -> Self {
        let cut = |text: &Option<String>| -> String {
            let text = text.as_deref().unwrap_or_default();
            let kept: String = text.chars().take(LONGEST).collect();
            if kept.len() < text.len() { format!("{kept}…") } else { kept }
        };
        let place = &finding.place;
        let is_named = !finding.focus_node.contains("/.well-known/genid/");
        Self {
            record: finding.record.clone(),
            title: finding.title.clone().unwrap_or_default(),
            page: place.page.clone(),
            link: crate::serve::pages::is_link(&place.page.as_str()).then(|| place.page.clone()),
            line: place.line,
            column: place.column,
            path: place.path.clone().unwrap_or_default(),
            focus_node: if is_named { finding.focus_node.clone() } else { String::new() },
            property: finding.property.as_deref().map(shortened).unwrap_or_default(),
            value: cut(&finding.value),
            field: spoiled_field(&finding.rule, finding.property.as_deref()),
            patch: habits.syntax.and_then(|syntax| patch(syntax, &habits.prefixes, finding)),
            suggestion: cut(&finding.suggestion),
            example: example_of(finding, &habits.examples, habits.syntax, &habits.prefixes),
            since: finding.since.as_deref().map(day).unwrap_or_default(),
        }
    }
}

/// A property by its prefix; a path as it is.
fn shortened(property: &str) -> String {
    let is_path = property.contains(['|', '^', '(', ' ']);
    if is_path { property.to_owned() } else { short(property).trim_matches(['<', '>']).to_owned() }
}

/// A number with its noun, in the reader's language.
pub(super) fn counted(count: u64, language: &Language, en: [&str; 2], fr: [&str; 2]) -> String {
    // French has the plural from two on, English from anything but one.
    let is_plural = if language.is_french { count > 1 } else { count != 1 };
    let words = if language.is_french { fr } else { en };
    format!("{count} {}", words[usize::from(is_plural)])
}

/// The day of a time.
pub(crate) fn day(time: &str) -> String {
    time.get(..10).unwrap_or(time).to_owned()
}

/// A time to the minute.
pub(crate) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
