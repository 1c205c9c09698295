//! A report as a person reads it on a terminal.

use super::document::Group;
use super::patch::{example_of, patch};
use crate::catalog::{ItemError, Severity};
use crate::harvest::JobReport;
use std::fmt::Write;

/// Groups shown before the rest is only counted.
const GROUPS: usize = 25;
const ERRORS: usize = 20;

/// Whether a report is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// By ANSI escapes.
    Ansi,
    /// Not.
    None,
}

impl Colours {
    fn of(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Violation => "31;1",
            Severity::Warning => "33;1",
            Severity::Info => "36",
        };
        match self {
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::None => text.to_owned(),
        }
    }
}

/// The report of a job, with its findings by rule, the dearest first.
#[must_use]
pub fn write_text(job: &JobReport, groups: &[Group], colours: Colours) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_job(&mut out, job);
    let _ = write_groups(&mut out, job, groups, colours);
    let _ = write_list(&mut out, "held back", &job.held_back);
    let _ = write_list(&mut out, "errors", &job.errors);
    let _ = write_unmapped(&mut out, job);
    out
}

fn write_job(out: &mut String, job: &JobReport) -> std::fmt::Result {
    let complete = if job.complete { "" } else { ", incomplete: nothing is taken for missing" };
    writeln!(out, "{}: {}{complete}, {:.1} s", job.source, job.status.as_str(), job.seconds)?;
    if let Some(note) = &job.note {
        writeln!(out, "  {note}")?;
    }
    let records = job.records;
    write!(out, "  {} records in {} {}", records.seen, job.pages, if job.pages == 1 { "page" } else { "pages" })?;
    for (name, count) in records.by_name().into_iter().filter(|(_, count)| *count > 0) {
        write!(out, ", {count} {name}")?;
    }
    writeln!(out)?;
    let findings = job.findings;
    writeln!(
        out,
        "  findings: {} violations, {} warnings, {} for information",
        findings.violation, findings.warning, findings.info
    )
}

fn write_unmapped(out: &mut String, job: &JobReport) -> std::fmt::Result {
    if job.unmapped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nFIELDS that no mapping query reads")?;
    for field in job.unmapped.iter().take(GROUPS) {
        let records = usize::try_from(field.records).unwrap_or(usize::MAX);
        let (name, example) = (harmless(&field.field), harmless(&field.example));
        writeln!(out, "  {name}, in {} {}, e.g. {example}", field.records, plural(records))?;
    }
    if job.unmapped.len() > GROUPS {
        writeln!(out, "  and {} more", job.unmapped.len() - GROUPS)?;
    }
    Ok(())
}

/// One paragraph a rule: how many records it touches, what is wrong, and one example with its place and its mend.
fn write_groups(out: &mut String, job: &JobReport, groups: &[Group], colours: Colours) -> std::fmt::Result {
    for group in groups.iter().take(GROUPS) {
        let records = usize::try_from(group.records).unwrap_or(usize::MAX);
        let (heading, example) = (colours.of(group.severity, name(group.severity)), &group.example);
        let new =
            if group.new > 0 && group.new < group.count { format!(", {} new", group.new) } else { String::new() };
        writeln!(out, "\n{heading} {}, {} in {records} {}{new}", group.rule, group.count, plural(records))?;
        writeln!(out, "  {}", harmless(&example.message.en))?;
        if let Some(field) = &group.field {
            writeln!(out, "  spoils the field {field}")?;
        }
        let title = example.title.as_ref().filter(|title| **title != example.record);
        let title = title.map_or(String::new(), |title| format!(" ({title})"));
        writeln!(
            out,
            "  e.g. {} at {}",
            harmless(&format!("{}{title}", example.record)),
            harmless(&example.place.to_string())
        )?;
        let patch = job.syntax.and_then(|syntax| patch(syntax, example));
        match (patch, &example.value, &example.suggestion) {
            (Some(patch), ..) => {
                writeln!(out, "       - {}", shortened(&patch.before))?;
                writeln!(out, "       + {}", shortened(&patch.after))?;
            }
            (None, None, None) => {
                if let Some(lines) = example_of(example, &job.examples, job.syntax) {
                    writeln!(out, "       + {}   (as another record of this source has it)", shortened(&lines))?;
                }
            }
            (None, value, suggestion) => {
                if let Some(value) = value {
                    writeln!(out, "       {}", shortened(value))?;
                }
                if let Some(suggestion) = suggestion {
                    writeln!(out, "       write {}", harmless(suggestion))?;
                }
            }
        }
    }
    if groups.len() > GROUPS {
        writeln!(out, "\nand {} more rules; `--format json` lists every finding", groups.len() - GROUPS)?;
    }
    Ok(())
}

/// What could not be taken in, or is not published: the first ones.
fn write_list(out: &mut String, title: &str, list: &[ItemError]) -> std::fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", list.len())?;
    for error in list.iter().take(ERRORS) {
        let record = error.record.as_ref().map_or(String::new(), |record| format!("{record}: "));
        let place = error.place.to_string();
        let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
        writeln!(out, "  {}", harmless(&format!("{record}{}{place}", error.message)))?;
    }
    if list.len() > ERRORS {
        writeln!(out, "  and {} more", list.len() - ERRORS)?;
    }
    Ok(())
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Violation => "VIOLATION",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

fn plural(number: usize) -> &'static str {
    if number == 1 { "record" } else { "records" }
}

fn shortened(value: &str) -> String {
    let line: String = value.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < value.len() { format!("{line}…") } else { line }
}

/// A text of the source on one line, without what would steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
