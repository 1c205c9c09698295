//! A report as SARIF 2.1.0 (OASIS), which code scanning reads.

use super::document::{Group, Head};
use super::format::Findings;
use super::rules::{Rule, Rules};
use crate::catalog::{Finding, Severity};
use crate::harvest::fingerprint;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn write(
    head: &Head,
    groups: &[Group],
    rules: &Rules,
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(b"{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": [{\n\"columnKind\": \"unicodeCodePoints\",\n\"tool\": ")?;
    let mut described: Vec<Value> = groups.iter().map(|group| rule(group, head, rules)).collect();
    let errors = head.report["errors"].as_array().cloned().unwrap_or_default();
    if !errors.is_empty() {
        let text = json!({"text": "What could not be read, or was left out."});
        described.push(json!({"id": UNREAD, "shortDescription": text, "fullDescription": text, "help": text,
            "defaultConfiguration": {"level": "error"}}));
    }
    let driver = json!({"driver": {
        "name": "moisson",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": "https://moisson.dev/",
        "rules": described,
    }});
    serde_json::to_writer(&mut *out, &driver)?;
    out.write_all(b",\n\"results\": [")?;
    let unread = errors.iter().map(|error| Ok(unread(error, head)));
    for (number, result) in
        findings.map(|finding| -> io::Result<Value> { Ok(result(&finding?, head)) }).chain(unread).enumerate()
    {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &result?)?;
    }
    out.write_all(b"\n]\n}]\n}\n")
}

/// The rule of what could not be read at all.
const UNREAD: &str = "read/error";

/// A record or a page that could not be read.
fn unread(error: &Value, head: &Head) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = &error["place"];
    let line = place["line"].as_u64().unwrap_or(1);
    let (page, message) = (text(&place["page"]), text(&error["message"]));
    json!({
        "ruleId": UNREAD,
        "level": "error",
        "message": {"text": format!("{} {message}", text(&error["record"])).trim()},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": address(head.page(&page))},
            "region": {"startLine": line, "startColumn": 1},
        }}],
    })
}

/// A rule, once for all its findings; their weight is in the rule's name alone where it differs.
fn rule(group: &Group, head: &Head, rules: &Rules) -> Value {
    let known = rules.named(&group.rule);
    let message = known.map_or(&group.example.message, |rule| &rule.message);
    let mut described = json!({
        "id": group.rule,
        "shortDescription": {"text": message.en},
        "defaultConfiguration": {"level": level(group.severity)},
        "properties": {"precision": "very-high", "tags": ["dcat", "shacl"], "message_fr": message.fr},
    });
    let why = known.map(|rule| rule.why.en.as_str()).filter(|why| !why.is_empty()).unwrap_or(&message.en);
    described["fullDescription"] = json!({"text": why.chars().take(1_000).collect::<String>()});
    described["help"] = json!({"text": known.map_or_else(|| message.en.clone(), Rule::to_text)});
    if !head.rules.is_empty() {
        described["helpUri"] = json!(format!("{}{}", head.rules, group.rule));
    }
    described
}

fn result(finding: &Finding, head: &Head) -> Value {
    let told = |word: &str, text: &Option<String>| {
        text.as_ref().map_or_else(String::new, |text| format!(" {word}: {text}."))
    };
    let text =
        [finding.message.en.clone(), told("Found", &finding.value), told("Write", &finding.suggestion)].concat();
    let place = &finding.place;
    let mut physical = json!({"artifactLocation": {"uri": address(head.page(&place.page))}});
    let mut fingerprints = json!({"moissonFinding/v1": fingerprint(finding)});
    match place.line {
        Some(line) => {
            physical["region"] = json!({"startLine": line, "startColumn": place.column.unwrap_or(1)});
        }
        // Without a line, code scanning would take all results of a rule for one.
        None => fingerprints["primaryLocationLineHash"] = json!(fingerprint(finding)),
    }
    let mut logical = json!({"fullyQualifiedName": finding.focus_node, "kind": "resource"});
    if let Some(path) = &place.path {
        logical["decoratedName"] = json!(path);
    }
    json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": physical, "logicalLocations": [logical]}],
        "partialFingerprints": fingerprints,
    })
}

/// A page as a URI reference: characters that it may not have are encoded.
fn address(page: &str) -> String {
    page.replace(' ', "%20")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Violation => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}
