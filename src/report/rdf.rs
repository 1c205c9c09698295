//! A report as a `sh:ValidationReport` (SHACL 3.6), with the places, the suggestions and the records beside it.

use super::document::Head;
use super::format::Findings;
use crate::catalog::{Finding, GraphHash, Severity};
use crate::triples::RdfWriter;
use crate::vocab::{moisson, rdf, sh, xsd};
use oxrdf::{BlankNode, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfFormat;
use regex::Regex;
use std::io::{self, Write};
use std::sync::LazyLock;

/// What the IRIs of rules begin with; the profile and the rule follow, apart by a number sign.
const SHAPES: &str = "https://moisson.dev/shapes/";

pub(super) fn write(
    format: RdfFormat,
    head: &Head,
    findings: &mut Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = RdfWriter::new(format, out);
    let report = NamedOrBlankNode::from(BlankNode::default());
    let conforms = head.counts.violation + head.counts.warning + head.counts.info == 0;
    for triple in report_triples(&report, conforms) {
        writer.write_triple(&triple)?;
    }
    for finding in findings {
        let node = NamedOrBlankNode::from(BlankNode::default());
        writer.write_triple(&Triple::new(report.clone(), sh::RESULT, Term::from(node.clone())))?;
        for triple in result_triples(&node, &finding?) {
            writer.write_triple(&triple)?;
        }
    }
    writer.finish()?;
    Ok(())
}

fn report_triples(report: &NamedOrBlankNode, conforms: bool) -> [Triple; 2] {
    let conforms = Literal::new_typed_literal(if conforms { "true" } else { "false" }, xsd::BOOLEAN);
    [
        Triple::new(report.clone(), rdf::TYPE, sh::VALIDATION_REPORT),
        Triple::new(report.clone(), sh::CONFORMS, conforms),
    ]
}

/// The report of one record as a graph whose nodes have names: the graph's own is the report's.
#[must_use]
pub fn finding_graph(graph: &NamedNode, record: &NamedNode, findings: &[Finding]) -> Vec<Triple> {
    let report = NamedOrBlankNode::from(graph.clone());
    let mut triples = report_triples(&report, findings.is_empty()).to_vec();
    triples.push(Triple::new(report.clone(), moisson::RECORD, record.clone()));
    for (number, finding) in findings.iter().enumerate() {
        let node = NamedNode::new_unchecked(format!("{}#{}-{number}", graph.as_str(), fingerprint(finding)));
        triples.push(Triple::new(report.clone(), sh::RESULT, node.clone()));
        triples.extend(result_triples(&node.into(), finding));
    }
    triples
}

/// A short name of what a finding says, whatever line it stands on and wherever the file is.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let text = |text: &Option<String>| text.as_deref().map(without_our_names).unwrap_or_default();
    let (property, value, node) =
        (text(&finding.property), text(&finding.value), without_our_names(&finding.focus_node));
    let parts = [&finding.rule, &finding.record, &node, &property, &value];
    let mut hash = GraphHash::of(&parts.map(String::as_str).join("\u{1f}")).to_string();
    hash.truncate(16);
    hash
}

/// A text without the names that we gave to nodes: these are made of the source's own name, which is that of its
/// place on somebody's machine.
fn without_our_names(text: &str) -> String {
    static OURS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"/(\.well-known/genid|dataset)/[0-9a-f-]{36}(/[^\s>]*)?").expect("a static expression")
    });
    OURS.replace_all(text, "/node").into_owned()
}

/// The statements of one result.
#[must_use]
pub fn result_triples(node: &NamedOrBlankNode, finding: &Finding) -> Vec<Triple> {
    let mut triples = Vec::with_capacity(12);
    let mut add = |predicate: NamedNodeRef<'_>, object: Term| {
        triples.push(Triple::new(node.clone(), predicate, object));
    };
    let severity = match finding.severity {
        Severity::Violation => sh::VIOLATION,
        Severity::Warning => sh::WARNING,
        Severity::Info => sh::INFO,
    };
    add(rdf::TYPE, sh::VALIDATION_RESULT.into_owned().into());
    add(sh::FOCUS_NODE, node_or_text(&finding.focus_node));
    add(sh::RESULT_SEVERITY, severity.into_owned().into());
    for (text, language) in [(&finding.message.en, "en"), (&finding.message.fr, "fr")] {
        add(sh::RESULT_MESSAGE, Literal::new_language_tagged_literal_unchecked(text, language).into());
    }
    let rule = format!("{SHAPES}{}", finding.rule.replacen('/', "#", 1));
    add(sh::SOURCE_SHAPE, NamedNode::new_unchecked(rule).into());
    add(moisson::PLACE, Literal::new_simple_literal(finding.place.to_string()).into());
    if let Some(property) = finding.property.as_ref().and_then(|property| NamedNode::new(property).ok()) {
        add(sh::RESULT_PATH, property.into());
    }
    if let Some(value) = &finding.value {
        let value = value.parse::<Term>().unwrap_or_else(|_| Literal::new_simple_literal(value).into());
        add(sh::VALUE, value);
    }
    if let Some(suggestion) = &finding.suggestion {
        add(moisson::SUGGESTION, Literal::new_simple_literal(suggestion).into());
    }
    triples
}

fn node_or_text(focus_node: &str) -> Term {
    match NamedNode::new(focus_node) {
        Ok(node) => node.into(),
        Err(_) => focus_node.parse::<Term>().unwrap_or_else(|_| Literal::new_simple_literal(focus_node).into()),
    }
}
