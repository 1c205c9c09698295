//! What to write instead, in the syntax of the publisher's own file.

use crate::catalog::{Finding, Syntax, value_term};
use crate::lift::Prefixes;
use crate::vocab::{PREFIXES, rdf, xsd};
use oxrdf::Term;
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

/// The patch of a finding, where its mend is known. It has the file's own prefixes, and full IRIs where there is none, so
/// that the file can be read with it; and neither the subject nor what ends the statement, which stay as they are.
#[must_use]
pub fn patch(syntax: Syntax, prefixes: &Prefixes, finding: &Finding) -> Option<Patch> {
    let after = mend(finding)?;
    let before = Statement { property: finding.property.clone()?, value: value_term(finding.value.as_ref()?) };
    let patch = match syntax {
        Syntax::Turtle => Patch { before: before.in_turtle(prefixes), after: after.in_turtle(prefixes) },
        Syntax::RdfXml => Patch { before: before.in_rdf_xml(prefixes), after: after.in_rdf_xml(prefixes) },
        Syntax::JsonLd => Patch { before: before.in_json_ld(prefixes), after: after.in_json_ld(prefixes) },
        Syntax::Json => {
            let path = finding.place.path.as_ref()?;
            let operation = json!({"op": "replace", "path": path, "value": after.text()});
            Patch { before: format!("{path}: {}", json!(before.text())), after: operation.to_string() }
        }
        Syntax::Xml => Patch { before: before.text(), after: after.text() },
    };
    (patch.before != patch.after).then_some(patch)
}

/// The statement to write in place of the one that was found fault with, where that is known.
#[must_use]
pub fn mend(finding: &Finding) -> Option<Statement> {
    let (value, suggestion) = (finding.value.as_ref()?, finding.suggestion.as_ref()?);
    let property = finding.property.clone()?;
    Some(if matches!(finding.rule.as_str(), "convert/misspelt-property" | "convert/elements-property") {
        Statement { property: suggestion.clone(), value: value_term(value) }
    } else {
        Statement { property, value: value_term(suggestion) }
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

impl Statement {
    pub(super) fn in_turtle(&self, prefixes: &Prefixes) -> String {
        let named = |iri: &str| prefixed(iri, prefixes).unwrap_or_else(|| format!("<{iri}>"));
        let value = match &self.value {
            Term::NamedNode(node) => format!("<{}>", node.as_str()),
            Term::Literal(literal) if literal.datatype() != xsd::STRING && literal.language().is_none() => {
                let plain = oxrdf::Literal::new_simple_literal(literal.value());
                format!("{plain}^^{}", named(literal.datatype().as_str()))
            }
            other => other.to_string(),
        };
        format!("{} {value}", named(&self.property))
    }

    pub(super) fn in_rdf_xml(&self, prefixes: &Prefixes) -> String {
        let rdf_name =
            |name: &str| prefixed(&format!("{RDF}{name}"), prefixes).unwrap_or_else(|| format!("rdf:{name}"));
        let (name, declaration) = element_name(&self.property, prefixes);
        match &self.value {
            Term::Literal(literal) => {
                let attribute = match literal.language() {
                    Some(language) => format!(" xml:lang=\"{language}\""),
                    None if literal.datatype() == xsd::STRING => String::new(),
                    None => format!(" {}=\"{}\"", rdf_name("datatype"), literal.datatype().as_str()),
                };
                format!("<{name}{declaration}{attribute}>{}</{name}>", escape(literal.value()))
            }
            Term::NamedNode(node) => {
                format!("<{name}{declaration} {}=\"{}\"/>", rdf_name("resource"), escape(node.as_str()))
            }
            Term::BlankNode(node) => {
                format!("<{name}{declaration} {}=\"{}\"/>", rdf_name("nodeID"), node.as_str())
            }
        }
    }

    pub(super) fn in_json_ld(&self, prefixes: &Prefixes) -> String {
        let named = |iri: &str| prefixed(iri, prefixes).unwrap_or_else(|| iri.to_owned());
        let value: Value = match &self.value {
            Term::NamedNode(node) => json!({"@id": node.as_str()}),
            Term::BlankNode(node) => json!({"@id": node.to_string()}),
            Term::Literal(literal) => match literal.language() {
                Some(language) => json!({"@value": literal.value(), "@language": language}),
                None if literal.datatype() == xsd::STRING => json!(literal.value()),
                None => json!({"@value": literal.value(), "@type": named(literal.datatype().as_str())}),
            },
        };
        let name = if self.property == rdf::TYPE.as_str() { "@type".to_owned() } else { named(&self.property) };
        format!("{}: {value}", json!(name))
    }

    fn text(&self) -> String {
        match &self.value {
            Term::NamedNode(node) => node.as_str().to_owned(),
            Term::Literal(literal) => literal.value().to_owned(),
            Term::BlankNode(node) => node.to_string(),
        }
    }
}

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// An IRI by a prefix of a file, where it has one; the longest namespace wins.
fn prefixed(iri: &str, prefixes: &Prefixes) -> Option<String> {
    let (prefix, namespace) = prefixes
        .iter()
        .filter(|(_, namespace)| !namespace.is_empty() && is_local_name(iri.strip_prefix(namespace.as_str())))
        .max_by_key(|(_, namespace)| namespace.len())?;
    Some(format!("{prefix}:{}", &iri[namespace.len()..]))
}

fn is_local_name(local: Option<&str>) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    local.is_some_and(|local| {
        local.starts_with(|c: char| c.is_alphabetic() || c == '_') && local.chars().all(is_of_name)
    })
}

/// The name of an element, and the declaration of its prefix where the file has none.
fn element_name(property: &str, prefixes: &Prefixes) -> (String, String) {
    if let Some(name) = prefixed(property, prefixes) {
        return (name.trim_start_matches(':').to_owned(), String::new());
    }
    let at = property.rfind(['#', '/']).map_or(0, |at| at + 1);
    let (namespace, local) = property.split_at(at);
    let usual = PREFIXES.iter().find(|(_, known)| *known == namespace).map(|(prefix, _)| *prefix);
    // A prefix that the file has for something else is another one.
    let prefix = usual.filter(|prefix| !prefixes.contains_key(*prefix)).unwrap_or("ns1");
    (format!("{prefix}:{local}"), format!(" xmlns:{prefix}=\"{}\"", escape(namespace)))
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
        let own = |prefixes: &[(&str, &str)]| -> Prefixes {
            prefixes.iter().map(|(prefix, namespace)| ((*prefix).to_owned(), (*namespace).to_owned())).collect()
        };
        let none = Prefixes::new();
        let dcterms = own(&[("dcterms", "http://purl.org/dc/terms/"), ("dct", "http://other.example/")]);
        let turtle = patch(Syntax::Turtle, &dcterms, &date).unwrap();
        let xsd_date = "<http://www.w3.org/2001/XMLSchema#date>";
        assert_eq!(turtle.before, format!("dcterms:issued \"12/06/2021\"^^{xsd_date}"));
        assert_eq!(turtle.after, format!("dcterms:issued \"2021-06-12\"^^{xsd_date}"));
        let bare = patch(Syntax::Turtle, &none, &date).unwrap();
        assert_eq!(bare.after, format!("<http://purl.org/dc/terms/issued> \"2021-06-12\"^^{xsd_date}"));
        let code = finding("\"a & b\"", "http://codes.example/A");
        assert_eq!(
            patch(Syntax::RdfXml, &dcterms, &code).unwrap().before,
            "<dcterms:issued>a &amp; b</dcterms:issued>"
        );
        let after = patch(Syntax::RdfXml, &none, &code).unwrap().after;
        let declared =
            "<dct:issued xmlns:dct=\"http://purl.org/dc/terms/\" rdf:resource=\"http://codes.example/A\"/>";
        assert_eq!(after, declared);
        let other = own(&[("dct", "http://other.example/"), ("r", RDF)]);
        let after = patch(Syntax::RdfXml, &other, &code).unwrap().after;
        assert!(after.starts_with("<ns1:issued xmlns:ns1=\"http://purl.org/dc/terms/\" r:resource="), "{after}");
        let json_ld = patch(Syntax::JsonLd, &none, &code).unwrap();
        assert_eq!(json_ld.after, "\"http://purl.org/dc/terms/issued\": {\"@id\":\"http://codes.example/A\"}");
        let mut of_platform = code;
        of_platform.place.path = Some("/frequency".to_owned());
        let json = patch(Syntax::Json, &none, &of_platform).unwrap();
        assert_eq!(
            json.after,
            "{\"op\":\"replace\",\"path\":\"/frequency\",\"value\":\"http://codes.example/A\"}"
        );
        assert_eq!(patch(Syntax::Turtle, &none, &finding("\"x\"", "\"x\"")), None);
    }
}
