//! What to write instead, in the syntax of the publisher's own file.

use crate::catalog::{Finding, Syntax};
use crate::harvest::Examples;
use crate::vocab::{PREFIXES, rdf, xsd};
use oxrdf::{NamedNode, Term};
use quick_xml::escape::escape;
use serde::Serialize;
use serde_json::{Value, json};

/// What stands there, and what to write in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// What stands there.
    pub before: String,
    /// What to write.
    pub after: String,
}

/// The patch of a finding, where its mend is known.
#[must_use]
pub fn patch(syntax: Syntax, finding: &Finding) -> Option<Patch> {
    let after = mend(finding)?;
    let before = Statement { property: finding.property.clone()?, value: term(finding.value.as_ref()?) };
    let patch = match syntax {
        Syntax::Turtle => Patch { before: before.in_turtle(), after: after.in_turtle() },
        Syntax::RdfXml => Patch { before: before.in_rdf_xml(), after: after.in_rdf_xml() },
        Syntax::JsonLd => Patch { before: before.in_json_ld(), after: after.in_json_ld() },
        Syntax::Json => {
            let path = finding.place.path.as_ref()?;
            let operation = json!({"op": "replace", "path": path, "value": after.text()});
            Patch { before: format!("{path}: {}", json!(before.text())), after: operation.to_string() }
        }
        Syntax::Xml => Patch { before: before.text(), after: after.text() },
    };
    (patch.before != patch.after).then_some(patch)
}

/// What a record that lacks a property could say: as another record of the same source says it.
#[must_use]
pub fn example_of(finding: &Finding, examples: &Examples, syntax: Option<Syntax>) -> Option<String> {
    let property = finding.property.as_ref().filter(|_| finding.value.is_none())?;
    let class = finding.rule.rsplit('/').next()?.split('-').next()?;
    let example = examples.get(class)?.get(property)?;
    let statement = Statement { property: property.clone(), value: term(example) };
    match syntax? {
        Syntax::Turtle => Some(statement.in_turtle()),
        Syntax::RdfXml => Some(statement.in_rdf_xml()),
        Syntax::JsonLd => Some(statement.in_json_ld()),
        // What a platform's fields became is not what its publisher writes.
        Syntax::Json | Syntax::Xml => None,
    }
}

/// The statement to write in place of the one that was found fault with, where that is known.
#[must_use]
pub fn mend(finding: &Finding) -> Option<Statement> {
    let (value, suggestion) = (finding.value.as_ref()?, finding.suggestion.as_ref()?);
    let property = finding.property.clone()?;
    Some(if matches!(finding.rule.as_str(), "convert/misspelt-property" | "convert/elements-property") {
        Statement { property: suggestion.clone(), value: term(value) }
    } else {
        Statement { property, value: term(suggestion) }
    })
}

/// A property with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The property's IRI.
    pub property: String,
    /// Its value.
    pub value: Term,
}

/// A value as findings write it: N-Triples, or the text of an IRI that may not be one.
fn term(text: &str) -> Term {
    text.parse().unwrap_or_else(|_| NamedNode::new_unchecked(text).into())
}

impl Statement {
    fn in_turtle(&self) -> String {
        let value = match &self.value {
            Term::NamedNode(node) => format!("<{}>", node.as_str()),
            Term::Literal(literal) if literal.datatype() != xsd::STRING && literal.language().is_none() => {
                let plain = oxrdf::Literal::new_simple_literal(literal.value());
                format!("{plain}^^{}", short(literal.datatype().as_str()))
            }
            other => other.to_string(),
        };
        format!("{} {value} ;", short(&self.property))
    }

    fn in_rdf_xml(&self) -> String {
        let name = short(&self.property);
        let name = name.trim_start_matches('<').trim_end_matches('>');
        match &self.value {
            Term::Literal(literal) => {
                let attribute = match literal.language() {
                    Some(language) => format!(" xml:lang=\"{language}\""),
                    None if literal.datatype() == xsd::STRING => String::new(),
                    None => format!(" rdf:datatype=\"{}\"", literal.datatype().as_str()),
                };
                format!("<{name}{attribute}>{}</{name}>", escape(literal.value()))
            }
            Term::NamedNode(node) => format!("<{name} rdf:resource=\"{}\"/>", escape(node.as_str())),
            Term::BlankNode(node) => format!("<{name} rdf:nodeID=\"{}\"/>", node.as_str()),
        }
    }

    fn in_json_ld(&self) -> String {
        let value: Value = match &self.value {
            Term::NamedNode(node) => json!({"@id": node.as_str()}),
            Term::BlankNode(node) => json!({"@id": node.to_string()}),
            Term::Literal(literal) => match literal.language() {
                Some(language) => json!({"@value": literal.value(), "@language": language}),
                None if literal.datatype() == xsd::STRING => json!(literal.value()),
                None => json!({"@value": literal.value(), "@type": short(literal.datatype().as_str())}),
            },
        };
        let name = if self.property == rdf::TYPE.as_str() { "@type".to_owned() } else { short(&self.property) };
        format!("{}: {value}", json!(name.trim_start_matches('<').trim_end_matches('>')))
    }

    fn text(&self) -> String {
        match &self.value {
            Term::NamedNode(node) => node.as_str().to_owned(),
            Term::Literal(literal) => literal.value().to_owned(),
            Term::BlankNode(node) => node.to_string(),
        }
    }
}

/// An IRI by its usual prefix, else in brackets.
#[must_use]
pub fn short(iri: &str) -> String {
    let prefixed = PREFIXES.iter().find_map(|(prefix, namespace)| {
        let local = iri.strip_prefix(namespace)?;
        let is_name = !local.is_empty() && local.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        is_name.then(|| format!("{prefix}:{local}"))
    });
    prefixed.unwrap_or_else(|| format!("<{iri}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(value: &str, suggestion: &str) -> Finding {
        Finding {
            property: Some("http://purl.org/dc/terms/issued".to_owned()),
            value: Some(value.to_owned()),
            suggestion: Some(suggestion.to_owned()),
            ..Finding::default()
        }
    }

    #[test]
    fn a_mend_is_written_as_the_publisher_writes() {
        let date = finding(
            "\"12/06/2021\"^^<http://www.w3.org/2001/XMLSchema#date>",
            "\"2021-06-12\"^^<http://www.w3.org/2001/XMLSchema#date>",
        );
        let turtle = patch(Syntax::Turtle, &date).unwrap();
        assert_eq!(turtle.before, "dct:issued \"12/06/2021\"^^xsd:date ;");
        assert_eq!(turtle.after, "dct:issued \"2021-06-12\"^^xsd:date ;");
        let code = finding("\"a & b\"", "http://codes.example/A");
        assert_eq!(patch(Syntax::RdfXml, &code).unwrap().before, "<dct:issued>a &amp; b</dct:issued>");
        let after = patch(Syntax::RdfXml, &code).unwrap().after;
        assert_eq!(after, "<dct:issued rdf:resource=\"http://codes.example/A\"/>");
        let json_ld = patch(Syntax::JsonLd, &code).unwrap();
        assert_eq!(json_ld.after, "\"dct:issued\": {\"@id\":\"http://codes.example/A\"}");
        let mut of_platform = code;
        of_platform.place.path = Some("/frequency".to_owned());
        let json = patch(Syntax::Json, &of_platform).unwrap();
        assert_eq!(
            json.after,
            "{\"op\":\"replace\",\"path\":\"/frequency\",\"value\":\"http://codes.example/A\"}"
        );
        assert_eq!(patch(Syntax::Turtle, &finding("\"x\"", "\"x\"")), None);
    }
}
