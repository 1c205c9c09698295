//! A record's description with the mends that are known: what a publisher may put in place of his own.

use crate::catalog::{DatasetKey, Finding};
use crate::report::{Statement, mend};
use crate::serve::dataset::{graph_triples, write};
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use oxrdf::{NamedNode, Triple};

/// The source's statements about a record, mended, in an RDF syntax.
pub(super) async fn corrected(shared: &Shared, key: DatasetKey, suffix: &str) -> Result<Response, Problem> {
    let media_type = match suffix {
        "" | "ttl" => "text/turtle",
        "rdf" | "xml" => "application/rdf+xml",
        "jsonld" => "application/ld+json",
        "nt" => "application/n-triples",
        other => return Err(Problem::not_found(format!("no form is called .{other}"))),
    };
    let opened = shared.snapshot()?;
    let stated = graph_triples(&opened.snapshot, &shared.names.record(key))?;
    if stated.is_empty() {
        return Err(crate::serve::api::absent(shared, key).await?);
    }
    let findings = shared.operations.findings(key).await?;
    let body = write(&mended(stated, &findings), media_type)?;
    Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
}

/// Statements with each offending value replaced by what is suggested for it.
fn mended(stated: Vec<Triple>, findings: &[Finding]) -> Vec<Triple> {
    stated.into_iter().map(|triple| mended_triple(triple, findings)).collect()
}

fn mended_triple(mut triple: Triple, findings: &[Finding]) -> Triple {
    let subject = match &triple.subject {
        oxrdf::NamedOrBlankNode::NamedNode(node) => node.as_str().to_owned(),
        oxrdf::NamedOrBlankNode::BlankNode(node) => node.to_string(),
    };
    for finding in findings.iter().filter(|finding| finding.focus_node == subject) {
        let is_it = finding.property.as_deref() == Some(triple.predicate.as_str())
            && finding.value.as_ref() == Some(&triple.object.to_string());
        if let Some(Statement { property, value }) = mend(finding).filter(|_| is_it) {
            triple = Triple::new(triple.subject, NamedNode::new_unchecked(property), value);
        }
    }
    triple
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::Literal;

    #[test]
    fn a_known_mend_takes_the_place_of_what_was_found() {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e.example/{name}"));
        let triples = vec![
            Triple::new(node("d"), node("frequency"), Literal::new_simple_literal("Mensuel")),
            Triple::new(node("d"), node("titel"), Literal::new_simple_literal("x")),
            Triple::new(node("e"), node("frequency"), Literal::new_simple_literal("Mensuel")),
        ];
        let finding = |property: &str, value: &str, rule: &str, suggestion: &str| Finding {
            focus_node: "http://e.example/d".to_owned(),
            property: Some(format!("http://e.example/{property}")),
            value: Some(value.to_owned()),
            rule: rule.to_owned(),
            suggestion: Some(suggestion.to_owned()),
            ..Finding::default()
        };
        let findings = [
            finding("frequency", "\"Mensuel\"", "r", "http://e.example/MONTHLY"),
            finding("titel", "\"x\"", "convert/misspelt-property", "http://e.example/title"),
        ];
        let mended: Vec<String> = mended(triples, &findings).iter().map(ToString::to_string).collect();
        assert_eq!(mended[0], "<http://e.example/d> <http://e.example/frequency> <http://e.example/MONTHLY>");
        assert_eq!(mended[1], "<http://e.example/d> <http://e.example/title> \"x\"");
        assert!(mended[2].ends_with("\"Mensuel\""), "another node's value stays: {}", mended[2]);
    }
}
