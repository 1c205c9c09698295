//! What a record that lacks a property could say: as the source itself has it, else as an invented record has it.

use super::patch::Statement;
use super::rules::NOTES;
use crate::catalog::{Finding, Syntax, value_term};
use crate::harvest::Examples;
use crate::lift::Prefixes;
use crate::validate::{Documents, Role};
use crate::vocab::moisson;
use oxrdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Term};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A statement to write, by way of example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The statement, in the syntax of the publisher's file.
    pub lines: String,
    /// Whether the source's other records have it; else it is invented.
    pub is_shared: bool,
}

/// The example of a finding about a missing property. Values of another record are proposed only where all records of the
/// source share one.
#[must_use]
pub fn example_of(
    finding: &Finding,
    examples: &Examples,
    syntax: Option<Syntax>,
    prefixes: &Prefixes,
) -> Option<Example> {
    let property = finding.property.as_ref().filter(|_| finding.value.is_none())?;
    let class = finding.rule.rsplit('/').next()?.split('-').next()?;
    let shared = examples.get(class).and_then(|of_class| of_class.get(property)).map(|value| value_term(value));
    let is_shared = shared.is_some();
    let value = shared.or_else(|| INVENTED.get(property).cloned())?;
    let statement = Statement { property: property.clone(), value };
    let lines = match syntax? {
        Syntax::Turtle => format!("{} ;", statement.in_turtle(prefixes)),
        Syntax::RdfXml => statement.in_rdf_xml(prefixes),
        Syntax::JsonLd => statement.in_json_ld(prefixes),
        // What a platform's fields became is not what its publisher writes.
        Syntax::Json | Syntax::Xml => return None,
    };
    Some(Example { lines, is_shared })
}

/// The right example of each property's notes, where it is one value.
static INVENTED: LazyLock<HashMap<String, Term>> = LazyLock::new(|| {
    let notes = Documents::of_text(NOTES, Role::Shapes).expect("the program's own notes are valid Turtle");
    let head: String = NOTES.lines().filter(|line| line.starts_with("@prefix")).collect();
    let subject = NamedNodeRef::new_unchecked("https://donnees.villeneuve-exemple.fr/example");
    let invented = |property: NamedNode, right: &str| {
        let text = format!("{head}\n{subject} {right} .");
        let graph = Documents::of_text(&text, Role::Shapes).ok()?;
        let value = graph.object_of(subject.into(), property.as_ref())?;
        (!value.is_blank_node()).then(|| (property.as_str().to_owned(), value.clone()))
    };
    notes
        .triples()
        .filter(|triple| triple.predicate == moisson::RIGHT)
        .filter_map(|triple| match (triple.subject, triple.object) {
            (NamedOrBlankNode::NamedNode(property), Term::Literal(right)) => invented(property, right.value()),
            _ => None,
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_record_shares_is_invented_and_said_to_be() {
        let finding = Finding {
            rule: "dcat-ap-3/Dataset-theme-required".to_owned(),
            property: Some("http://www.w3.org/ns/dcat#theme".to_owned()),
            ..Finding::default()
        };
        let prefixes = Prefixes::from([("d".to_owned(), "http://www.w3.org/ns/dcat#".to_owned())]);
        let example = |examples| example_of(&finding, &examples, Some(Syntax::Turtle), &prefixes).unwrap();
        let invented = example(Examples::new());
        let theme = "http://publications.europa.eu/resource/authority/data-theme/ENVI";
        assert_eq!((invented.lines.as_str(), invented.is_shared), (&*format!("d:theme <{theme}> ;"), false));
        let own = [("http://www.w3.org/ns/dcat#theme".to_owned(), "<http://e/theme>".to_owned())];
        let shared = example([("Dataset".to_owned(), own.into())].into());
        assert_eq!((shared.lines.as_str(), shared.is_shared), ("d:theme <http://e/theme> ;", true));
    }
}
