//! A report as SARIF 2.1.0 (OASIS), which code scanning reads.

use super::document::{Group, Head, each_fault_once};
use super::format::Findings;
use super::patch::mend;
use super::rules::{Rule, Rules};
use crate::catalog::{Finding, Severity};
use crate::harvest::fingerprint;
use oxrdf::Term;
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
    let mut is_new = each_fault_once();
    let results = findings.filter_map(|finding| match finding {
        Ok(finding) => is_new(&finding).then(|| Ok(result(&finding, head))),
        Err(error) => Some(Err(error)),
    });
    for (number, result) in results.chain(unread).enumerate() {
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
    let (line, column) = (place.line.unwrap_or(1), place.column.unwrap_or(1));
    physical["region"] = json!({"startLine": line, "startColumn": column});
    if place.line.is_none() {
        // Without a line of its own, code scanning would take all results of a rule for one.
        fingerprints["primaryLocationLineHash"] = json!(fingerprint(finding));
    }
    let mut logical = json!({"fullyQualifiedName": finding.focus_node, "kind": "resource"});
    if let Some(path) = &place.path {
        logical["decoratedName"] = json!(path);
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": physical, "logicalLocations": [logical]}],
        "partialFingerprints": fingerprints,
    });
    if let Some(fix) = fix(finding, head) {
        result["fixes"] = json!([fix]);
    }
    result
}

/// What to write in the place of a text (SARIF 2.1.0, 3.55): where only the text is to change, and where it stands in the
/// file just as it was read.
fn fix(finding: &Finding, head: &Head) -> Option<Value> {
    let is_rdf = ["turtle", "rdf-xml", "json-ld"].contains(&head.report["syntax"].as_str()?);
    let place = &finding.place;
    let (line, column) = (place.line?, place.column?);
    let mended = mend(finding).filter(|mended| is_rdf && Some(&mended.property) == finding.property.as_ref())?;
    let (Ok(Term::Literal(before)), Term::Literal(after)) =
        (finding.value.as_ref()?.parse::<Term>(), &mended.value)
    else {
        return None;
    };
    let is_alike = before.datatype() == after.datatype() && before.language() == after.language();
    let is_plain = |text: &str| !text.contains(['&', '<', '>', '"', '\'', '\\', '/', '\n', '\r', '\t']);
    if !is_alike || !is_plain(before.value()) || !is_plain(after.value()) {
        return None;
    }
    let end = column.saturating_add(u32::try_from(before.value().chars().count()).ok()?);
    Some(json!({
        "description": {"text": format!("Write {}", after.value())},
        "artifactChanges": [{
            "artifactLocation": {"uri": address(head.page(&place.page))},
            "replacements": [{
                "deletedRegion": {"startLine": line, "startColumn": column, "endColumn": end},
                "insertedContent": {"text": after.value()},
            }],
        }],
    }))
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
