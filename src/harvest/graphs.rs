//! What Moisson itself says of a record, as graphs: what was found in it, and its quality.
//!
//! A record's report is a `sh:ValidationReport` (SHACL 3.6), its quality measurements of DQV (W3C Note, 2016).

use crate::catalog::{Finding, GraphHash, Severity};
use crate::derive::Score;
use crate::vocab::{dqv, moisson, rdf, sh, xsd};
use oxrdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};
use regex::Regex;
use std::sync::LazyLock;

/// What the IRIs of rules begin with; the profile and the rule follow, apart by a number sign.
const SHAPES: &str = "https://moisson.dev/shapes/";
/// What the IRIs of metrics begin with.
const METRICS: &str = "https://moisson.dev/metrics#";

/// The report of one record as a graph whose nodes have names: the graph's own is the report's. Findings of the
/// severity and above are told, and how many there are of each.
#[must_use]
pub fn finding_graph(graph: &NamedNode, about: &NamedNode, findings: &[Finding], least: Severity) -> Vec<Quad> {
    let report = NamedOrBlankNode::from(graph.clone());
    let mut triples = report_triples(&report, findings.is_empty()).to_vec();
    triples.push(Triple::new(report.clone(), moisson::RECORD, about.clone()));
    let counts = [
        (moisson::VIOLATIONS, Severity::Violation),
        (moisson::WARNINGS, Severity::Warning),
        (moisson::INFOS, Severity::Info),
    ];
    for (predicate, severity) in counts {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        let count = Literal::new_typed_literal(count.to_string(), xsd::INTEGER);
        triples.push(Triple::new(report.clone(), predicate, count));
    }
    for (number, finding) in findings.iter().filter(|finding| finding.severity >= least).enumerate() {
        let node = NamedNode::new_unchecked(format!("{}#{}-{number}", graph.as_str(), fingerprint(finding)));
        triples.push(Triple::new(report.clone(), sh::RESULT, node.clone()));
        triples.extend(result_triples(&node.into(), finding));
    }
    triples.into_iter().map(|triple| triple.in_graph(graph.clone())).collect()
}

/// A score as measurements, one a dimension and one of all, in a graph of its own.
#[must_use]
pub fn quality_graph(graph: &NamedNode, about: &NamedNode, score: &Score) -> Vec<Quad> {
    let dimensions = score.dimensions.iter().map(|(name, points)| (name.as_str(), *points));
    let all = dimensions.chain([("total", score.total())]);
    let measured = |(name, points): (&str, crate::derive::Points)| {
        let node = NamedNode::new_unchecked(format!("{}#{name}", graph.as_str()));
        let metric = NamedNode::new_unchecked(format!("{METRICS}{name}"));
        let decimal = |number: f64| Literal::new_typed_literal(format!("{number:.1}"), xsd::DECIMAL);
        let mut statements: Vec<(NamedNodeRef<'_>, Term)> = vec![
            (dqv::COMPUTED_ON, about.clone().into()),
            (dqv::IS_MEASUREMENT_OF, metric.into()),
            (dqv::VALUE, decimal(points.reached).into()),
        ];
        if points.unknown > 0.0 {
            statements.push((moisson::UNKNOWN, decimal(points.unknown).into()));
        }
        let quad = |(predicate, object): (NamedNodeRef<'_>, Term)| {
            Quad::new(node.clone(), predicate, object, graph.clone())
        };
        statements.into_iter().map(quad).collect::<Vec<_>>()
    };
    all.flat_map(measured).collect()
}

/// The statements that open a report.
#[must_use]
pub fn report_triples(report: &NamedOrBlankNode, conforms: bool) -> [Triple; 2] {
    let conforms = Literal::new_typed_literal(if conforms { "true" } else { "false" }, xsd::BOOLEAN);
    [
        Triple::new(report.clone(), rdf::TYPE, sh::VALIDATION_REPORT),
        Triple::new(report.clone(), sh::CONFORMS, conforms),
    ]
}

/// A short name of what a finding says, whatever line it stands on and wherever the file is.
#[must_use]
pub fn fingerprint(finding: &Finding) -> String {
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
    add(rdf::TYPE, sh::VALIDATION_RESULT.into_owned().into());
    add(sh::FOCUS_NODE, node_or_text(&finding.focus_node));
    add(sh::RESULT_SEVERITY, finding.severity.to_shacl().into_owned().into());
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
