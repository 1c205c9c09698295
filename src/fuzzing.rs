//! What fuzz targets call, and what must hold of any input. Compiled for `tests/fuzz` alone.

use crate::convert::every_function;
use crate::fetch::Body;
use crate::lift::{Contexts, Element, Input, XmlPart, lift_xml, open, read, read_valid, read_xml, repaired_iri};
use crate::source::Census;
use crate::sparql::best_match;
use crate::validate::{Data, Details, Documents, Plan, Role, is_well_formed};
use oxrdf::{Literal, NamedOrBlankNode, Term, Triple};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use std::fmt::Write;
use std::ops::ControlFlow;
use std::time::Duration;
use url::Url;

/// A target: any bytes may be given to it, and it panics when something does not hold.
pub type FuzzTarget = fn(&[u8]);

/// The targets by name.
pub const TARGETS: &[(&str, FuzzTarget)] = &[
    ("lift", lift),
    ("xml", xml),
    ("functions", functions),
    ("iris", iris),
    ("negotiation", negotiation),
    ("shacl", shacl),
];

fn page() -> Url {
    Url::parse("https://a.example/b/c").expect("a static address")
}

/// Any page in any format: two readings agree, what is read can be written and read again, and what is
/// read as valid is the same when it is read leniently. The first byte picks the format.
fn lift(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let formats = [
        RdfFormat::Turtle,
        RdfFormat::RdfXml,
        RdfFormat::NTriples,
        RdfFormat::NQuads,
        RdfFormat::TriG,
        RdfFormat::N3,
        RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
    ];
    let format = formats.get(usize::from(first % 9)).map(|format| format.media_type());
    let Ok(input) = open(&page(), format, Body::Memory(bytes.into())) else { return };
    let Some(triples) = read_all(&input) else { return };
    assert_eq!(Some(&triples), read_all(&input).as_ref(), "two readings agree");
    let mut census = Census::of_roles_and_lives();
    for block in triples.chunks(5) {
        for triple in block {
            census.observe(triple);
        }
        census.end_block();
    }
    census.finish().expect("a temporary file can be written");
    let mut valid = Vec::new();
    if read_valid(&input, |triple| valid.push(triple)).expect("memory can be read") {
        assert_eq!(valid.len(), triples.len(), "what is valid is read whole");
    }
    let lines: Vec<String> = triples.iter().map(|triple| format!("{triple} .\n")).collect();
    let text = lines.concat();
    for triple in RdfParser::from_format(RdfFormat::NTriples).for_slice(&text) {
        triple.unwrap_or_else(|error| panic!("what was lifted is not valid: {error}\n{text}"));
    }
}

fn read_all(input: &Input) -> Option<Vec<Triple>> {
    let mut triples = Vec::new();
    read(input, &Contexts::default(), |lifted| triples.push(lifted.triple)).ok()?;
    // Terms that RDF has and N-Triples writes.
    triples.retain(
        |triple| !matches!(&triple.subject, NamedOrBlankNode::NamedNode(node) if node.as_str().is_empty()),
    );
    Some(triples)
}

/// Any XML as records: each node leads back to its element, and what is lifted can be written and read again.
fn xml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_record = |element: &Element| element.local().starts_with('M');
    let mut lines = String::new();
    let _ = read_xml(text, &is_record, &mut |part| {
        let XmlPart::Record { element, path, .. } = part else { return ControlFlow::Continue(()) };
        lift_xml("a record", &element, &mut |triple| {
            let number = match &triple.subject {
                NamedOrBlankNode::NamedNode(node) => {
                    node.as_str().rsplit_once('#').map(|(_, number)| number.to_owned())
                }
                NamedOrBlankNode::BlankNode(_) => None,
            };
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                assert!(element.path_to(number, &path).is_some(), "{number} is no element of {element}");
            }
            let _ = writeln!(lines, "{triple} .");
        });
        ControlFlow::Continue(())
    });
    for triple in RdfParser::from_format(RdfFormat::NTriples).for_slice(&lines) {
        triple.unwrap_or_else(|error| panic!("what was lifted is not valid: {error}\n{lines}"));
    }
}

/// Any text in any extension function: a literal that comes out is well formed.
fn functions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let term = Term::from(Literal::new_simple_literal(text));
    for (name, function) in every_function() {
        match function(std::slice::from_ref(&term)) {
            Some(Term::Literal(literal)) => assert!(is_well_formed(&literal), "{name}({text:?}) = {literal}"),
            Some(Term::NamedNode(node)) => {
                // What mapping makes of an address is mended once it is mapped.
                let mended = repaired_iri(node.as_str());
                assert!(
                    mended.is_some_and(|mended| oxiri::Iri::parse(mended.as_ref()).is_ok()),
                    "{name}({text:?}) = {node}"
                );
            }
            Some(Term::BlankNode(_)) | None => {}
        }
    }
}

/// Any text as an IRI: what it is repaired to is an IRI, and needs no repair.
fn iris(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(repaired) = repaired_iri(text) {
        assert!(oxiri::Iri::parse(repaired.as_ref()).is_ok(), "{text:?} became {repaired:?}");
        assert_eq!(repaired_iri(&repaired).as_deref(), Some(repaired.as_ref()), "a repair is final");
    }
}

/// Any Accept header: the answer is one of the offers.
fn negotiation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let offers = ["text/html", "text/turtle", "application/rdf+xml", "application/ld+json", "application/json"];
    if let Some(chosen) = best_match(Some(text), &offers) {
        assert!(offers.contains(&chosen));
    }
}

/// Any shapes on any data, apart by a line of three dashes, in Turtle with the usual prefixes.
fn shacl(data: &[u8]) {
    const PREFIXES: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> . \
        @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . \
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n";
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (shapes, data) = text.split_once("\n---\n").unwrap_or((text, text));
    let read = |text: &str, role| Documents::of_text(&format!("{PREFIXES}{text}"), role);
    let (Ok(shapes), Ok(data)) = (read(shapes, Role::Shapes), read(data, Role::Data)) else { return };
    let Ok(mut plan) = Plan::compile(shapes) else { return };
    plan.limit_query_time(Duration::from_millis(500));
    let report = plan.validate(Data::from(&data), Details::Kept);
    assert!(report.to_triples(plan.shapes_graph()).len() >= 2);
}
