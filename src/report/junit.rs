//! A report as `JUnit`'s XML: a test for each rule, which fails where the rule is broken.

use super::document::{Head, each_fault_once};
use super::format::{Findings, Threshold};
use super::rules::Rules;
use crate::catalog::{Finding, Severity};
use quick_xml::escape::escape;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Findings of a rule that its test names.
const NAMED: usize = 20;

/// What was found against a rule.
#[derive(Default)]
struct Broken {
    severity: Severity,
    message: String,
    count: usize,
    lines: Vec<String>,
}

pub(super) fn write(
    head: &Head,
    rules: &Rules,
    threshold: Threshold,
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut tests: BTreeMap<String, Broken> =
        rules.all().iter().map(|rule| (rule.name.clone(), Broken::default())).collect();
    let mut is_new = each_fault_once();
    for finding in findings {
        let finding = finding?;
        if !is_new(&finding) {
            continue;
        }
        let test = tests.entry(finding.rule.clone()).or_default();
        test.severity = finding.severity;
        test.count += 1;
        if test.lines.len() < NAMED {
            test.lines.push(line(&finding, head));
        }
        test.message = finding.message.en;
    }
    let errors = head.report["errors"].as_array().cloned().unwrap_or_default();
    if !errors.is_empty() {
        let told = |error: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {} ({})", text(&error["record"]), text(&error["message"]), text(&error["place"]["page"]))
        };
        let lines = errors.iter().take(NAMED).map(told).collect();
        let message = "what could not be read, or was left out".to_owned();
        let broken = Broken { severity: Severity::Violation, message, count: errors.len(), lines };
        tests.insert("read/error".to_owned(), broken);
    }
    let fails = |test: &Broken| test.count > 0 && threshold.is_met_by(test.severity);
    let failures = tests.values().filter(|test| fails(test)).count();
    let (name, total) = (text(&head.source), tests.len());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"moisson\" tests=\"{total}\" failures=\"{failures}\">")?;
    writeln!(out, "<testsuite name=\"{name}\" tests=\"{total}\" failures=\"{failures}\" errors=\"0\">")?;
    for (rule, test) in &tests {
        let (profile, local) = rule.split_once('/').unwrap_or(("", rule));
        write!(out, "<testcase classname=\"{}\" name=\"{}\"", text(profile), text(local))?;
        if test.count == 0 {
            writeln!(out, "/>")?;
            continue;
        }
        let more = test.count - test.lines.len();
        let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
        let (message, kind) = (text(&test.message), test.severity.as_str());
        let body = text(&format!("{}{more}", test.lines.join("\n")));
        if fails(test) {
            writeln!(out, "><failure message=\"{message}\" type=\"{kind}\">{body}</failure></testcase>")?;
        } else {
            writeln!(out, "><system-out>{kind}: {message}\n{body}</system-out></testcase>")?;
        }
    }
    writeln!(out, "</testsuite>\n</testsuites>")
}

fn line(finding: &Finding, head: &Head) -> String {
    let place = &finding.place;
    let at = crate::catalog::Place { page: head.page(&place.page).to_owned(), ..place.clone() };
    let value = finding.value.as_ref().map_or(String::new(), |value| format!(": {value}"));
    format!("{} ({at}){value}", finding.record)
}

/// Text that XML 1.0 can hold.
fn text(text: &str) -> String {
    let kept: String =
        text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{FFFD}' } else { c }).collect();
    escape(&kept).into_owned()
}
