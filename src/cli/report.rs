//! The text of reports: what a person reads on a terminal.

use crate::catalog::{Finding, ItemError, Severity};
use crate::harvest::JobReport;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Groups shown before the rest is only counted.
const GROUPS: usize = 25;
const ERRORS: usize = 20;

/// The report of a job, with its findings grouped by rule, the heaviest first.
pub(super) fn text(job: &JobReport, findings: &[Finding]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_job(&mut out, job);
    let _ = write_findings(&mut out, findings);
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

/// One line a rule: how many records it touches, what is wrong, and one example with its place.
pub(super) fn write_findings(out: &mut String, findings: &[Finding]) -> std::fmt::Result {
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry((std::cmp::Reverse(finding.severity), &finding.rule)).or_default().push(finding);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((severity, _), group)| (*severity, std::cmp::Reverse(group.len())));
    for ((severity, rule), group) in groups.iter().take(GROUPS) {
        let records: std::collections::BTreeSet<&str> =
            group.iter().map(|finding| finding.record.as_str()).collect();
        // The example that says most: one whose mend is known.
        let first = group.iter().find(|finding| finding.suggestion.is_some()).unwrap_or(&group[0]);
        writeln!(
            out,
            "\n{} {rule}, {} in {} {}",
            name(severity.0),
            group.len(),
            records.len(),
            plural(records.len())
        )?;
        writeln!(out, "  {}", harmless(&first.message.en))?;
        writeln!(out, "  e.g. {} at {}", harmless(&first.record), harmless(&first.place.to_string()))?;
        if let Some(value) = &first.value {
            writeln!(out, "       {}", shortened(value))?;
        }
        if let Some(suggestion) = &first.suggestion {
            writeln!(out, "       write {}", harmless(suggestion))?;
        }
    }
    if groups.len() > GROUPS {
        writeln!(
            out,
            "\nand {} more rules; `moisson check --format json` lists every finding",
            groups.len() - GROUPS
        )?;
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

/// Findings as a SHACL validation report, with their places.
pub(super) fn turtle(findings: &[Finding]) -> String {
    use crate::vocab::{moisson, rdf, sh, xsd};
    use oxrdf::{BlankNode, Literal, NamedNode, Term, Triple};
    let report = BlankNode::default();
    let conforms = Literal::new_typed_literal(if findings.is_empty() { "true" } else { "false" }, xsd::BOOLEAN);
    let mut triples = vec![
        Triple::new(report.clone(), rdf::TYPE, sh::VALIDATION_REPORT),
        Triple::new(report.clone(), sh::CONFORMS, conforms),
    ];
    for finding in findings {
        let node = BlankNode::default();
        let severity = match finding.severity {
            Severity::Violation => sh::VIOLATION,
            Severity::Warning => sh::WARNING,
            Severity::Info => sh::INFO,
        };
        let mut add = |predicate, object: Term| triples.push(Triple::new(node.clone(), predicate, object));
        add(rdf::TYPE, sh::VALIDATION_RESULT.into_owned().into());
        add(sh::FOCUS_NODE, node_or_text(&finding.focus_node));
        add(sh::RESULT_SEVERITY, severity.into_owned().into());
        add(sh::RESULT_MESSAGE, Literal::new_language_tagged_literal_unchecked(&finding.message.en, "en").into());
        add(sh::RESULT_MESSAGE, Literal::new_language_tagged_literal_unchecked(&finding.message.fr, "fr").into());
        let rule = format!("https://moisson.dev/shapes/{}", finding.rule.replacen('/', "#", 1));
        add(sh::SOURCE_SHAPE, NamedNode::new_unchecked(rule).into());
        add(moisson::PLACE, Literal::new_simple_literal(finding.place.to_string()).into());
        if let Some(property) = finding.property.as_ref().and_then(|property| NamedNode::new(property).ok()) {
            add(sh::RESULT_PATH, property.into());
        }
        if let Some(value) = &finding.value {
            let value = value.parse::<Term>().unwrap_or_else(|_| Literal::new_simple_literal(value).into());
            add(sh::VALUE, value);
        }
        triples.push(Triple::new(report.clone(), sh::RESULT, node));
    }
    super::shacl_report::to_turtle(&triples)
}

fn node_or_text(focus_node: &str) -> oxrdf::Term {
    match oxrdf::NamedNode::new(focus_node) {
        Ok(node) => node.into(),
        Err(_) => focus_node
            .parse::<oxrdf::Term>()
            .unwrap_or_else(|_| oxrdf::Literal::new_simple_literal(focus_node).into()),
    }
}
