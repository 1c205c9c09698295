//! A report as a person reads it on a terminal.

use super::document::{Group, Part};
use super::example::example_of;
use super::patch::patch;
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
        self.with(code, text)
    }

    fn heading(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::None => text.to_owned(),
        }
    }

    /// As the person who reads standard output wants it: none in a file, none with `NO_COLOR` (no-color.org).
    #[must_use]
    pub fn of_output() -> Self {
        use std::io::IsTerminal;
        let is_wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if std::io::stdout().is_terminal() && is_wanted { Self::Ansi } else { Self::None }
    }
}

/// The run that a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedRun<'n> {
    /// A harvest: what became of the records.
    Harvest,
    /// A dry run: what would become of them.
    DryRun,
    /// A check of what has this name; nothing is stored.
    Check(&'n str),
}

/// The report of a job, with its findings by rule: first what must be fixed.
#[must_use]
pub fn write_text(job: &JobReport, run: ReportedRun<'_>, groups: &[Group], colours: Colours) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_job(&mut out, job, run);
    let _ = write_groups(&mut out, job, groups, colours);
    let _ = write_list(&mut out, "held back", &job.held_back);
    let _ = write_list(&mut out, "errors", &job.errors);
    let _ = write_unmapped(&mut out, job);
    out
}

fn write_job(out: &mut String, job: &JobReport, run: ReportedRun<'_>) -> std::fmt::Result {
    let complete = match (job.complete, run) {
        (true, _) => "",
        (false, ReportedRun::Check(_)) => ", incomplete",
        (false, _) => ", incomplete: nothing is taken for missing",
    };
    match run {
        ReportedRun::Check(name) => writeln!(out, "{}: read as {}{complete}", harmless(name), job.kind)?,
        ReportedRun::Harvest | ReportedRun::DryRun => {
            writeln!(out, "{}: {}{complete}, {:.1} s", job.source, job.status.as_str(), job.seconds)?;
        }
    }
    if let Some(note) = &job.note {
        writeln!(out, "  {}", harmless(note))?;
    }
    let records = job.records;
    write!(out, "  {} in {}", counted(records.seen, "record"), counted(job.pages, "page"))?;
    for (name, count) in records.by_name().into_iter().filter(|(_, count)| *count > 0) {
        match (run, name) {
            // Nothing is stored, so nothing is new.
            (ReportedRun::Check(_), "added") => {}
            (ReportedRun::DryRun, "added" | "changed" | "renamed" | "restored" | "archived") => {
                write!(out, ", {count} would be {name}")?;
            }
            _ => write!(out, ", {count} {name}")?,
        }
    }
    writeln!(out)?;
    let findings = job.findings;
    writeln!(
        out,
        "  findings: {}, {}, {} for information",
        counted(findings.violation, "violation"),
        counted(findings.warning, "warning"),
        findings.info
    )
}

/// A number with its noun.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn write_unmapped(out: &mut String, job: &JobReport) -> std::fmt::Result {
    if job.unmapped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nFIELDS that no mapping query reads")?;
    for field in job.unmapped.iter().take(GROUPS) {
        let (name, example) = (harmless(&field.field), harmless(&field.example));
        let note = field.misnamed.as_ref().map_or(String::new(), |misnamed| format!(" ({misnamed})"));
        writeln!(out, "  {name}, in {}, e.g. {example}{note}", counted(field.records, "record"))?;
    }
    if job.unmapped.len() > GROUPS {
        writeln!(out, "  and {} more", job.unmapped.len() - GROUPS)?;
    }
    Ok(())
}

/// One paragraph a rule: how many records it touches, what is wrong, and one example with its place and its mend. What
/// changes neither a record nor its score is only counted.
fn write_groups(out: &mut String, job: &JobReport, groups: &[Group], colours: Colours) -> std::fmt::Result {
    let (told, rest): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.part() != Part::Rest);
    let mut part = None;
    for group in told.iter().take(GROUPS) {
        if part.replace(group.part()) != Some(group.part()) {
            writeln!(out, "\n{}", colours.heading(group.part().heading()))?;
        }
        write_group(out, job, group, colours)?;
    }
    if told.len() > GROUPS {
        let more = counted((told.len() - GROUPS) as u64, "more rule");
        writeln!(out, "\nand {more}; `--format json` lists every finding")?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", colours.heading(Part::Rest.heading()))?;
    for group in rest.iter().take(GROUPS) {
        writeln!(out, "  {} {}, {}", name(group.severity).to_lowercase(), group.rule, extent(group))?;
    }
    if rest.len() > GROUPS {
        writeln!(out, "  and {}", counted((rest.len() - GROUPS) as u64, "more rule"))?;
    }
    writeln!(out, "  `moisson check --explain RULE` says what a rule asks; `--format json` lists every finding")
}

/// How often a rule is broken, and in how many records; a node that several records use is one place.
fn extent(group: &Group) -> String {
    let records = counted(group.records, "record");
    if group.places < group.count {
        return format!("{}, used by {records}", counted(group.places, "place"));
    }
    format!("{} in {records}", group.count)
}

fn write_group(out: &mut String, job: &JobReport, group: &Group, colours: Colours) -> std::fmt::Result {
    let (heading, example) = (colours.of(group.severity, name(group.severity)), &group.example);
    let new =
        if group.new > 0 && group.new < group.count { format!(", {} new", group.new) } else { String::new() };
    writeln!(out, "\n{heading} {}, {}{new}", group.rule, extent(group))?;
    writeln!(out, "  {}", harmless(&example.message.en))?;
    if let Some(field) = &group.field {
        writeln!(out, "  affects {field} of the record")?;
    }
    let title = example.title.as_ref().filter(|title| **title != example.record);
    let title = title.map_or(String::new(), |title| format!(" ({title})"));
    let (record, place) = (format!("{}{title}", example.record), example.place.to_string());
    writeln!(out, "  e.g. {} at {}", harmless(&record), harmless(&place))?;
    let patch = job.syntax.and_then(|syntax| patch(syntax, &job.prefixes, example));
    match (patch, &example.value, &example.suggestion) {
        (Some(patch), ..) => {
            writeln!(out, "       - {}", shortened(&patch.before))?;
            writeln!(out, "       + {}", shortened(&patch.after))?;
        }
        (None, None, None) => {
            if let Some(example) = example_of(example, &job.examples, job.syntax, &job.prefixes) {
                let origin = if example.is_shared {
                    "as the other records of this source have it"
                } else {
                    "an invented example"
                };
                writeln!(out, "       + {}   ({origin})", shortened(&example.lines))?;
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

fn shortened(value: &str) -> String {
    let line: String = value.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < value.len() { format!("{line}…") } else { line }
}

/// A text of the source on one line, without what would steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
