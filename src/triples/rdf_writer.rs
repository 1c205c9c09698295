//! Writing RDF so that one value never breaks a document.
//!
//! RDF/XML cannot hold everything: characters that XML 1.0 has not (2.2), and predicates that do not end
//! in a name (RDF 1.1 XML Syntax, 5.1.4). The first are replaced, statements with the second left out;
//! both are counted, and other syntaxes have them.

use super::json_ld_writer::JsonLdWriter;
use crate::vocab::{dcat, xsd};
use oxrdf::{GraphName, GraphNameRef, Literal, LiteralRef, NamedNode, Quad, QuadRef, Term, TripleRef};
use oxrdfio::{RdfFormat, RdfSerializer, WriterQuadSerializer};
use std::io::{self, Write};

/// Writes quads in a syntax, with the usual prefixes.
pub struct RdfWriter<W: Write> {
    writer: Syntax<W>,
    format: RdfFormat,
    left_out: u64,
}

/// What writes: the serializers of Oxigraph, and for JSON-LD our own, since theirs knows no context.
enum Syntax<W: Write> {
    JsonLd(JsonLdWriter<W>),
    Other(WriterQuadSerializer<W>),
}

impl<W: Write> Syntax<W> {
    fn write<'q>(&mut self, quad: impl Into<QuadRef<'q>>) -> io::Result<()> {
        match self {
            Self::JsonLd(writer) => writer.write(quad.into()),
            Self::Other(writer) => writer.serialize_quad(quad),
        }
    }
}

impl<W: Write> RdfWriter<W> {
    /// Starts a document.
    ///
    /// # Panics
    /// When a namespace of the program is no IRI.
    #[must_use]
    pub fn new(format: RdfFormat, out: W) -> Self {
        if let RdfFormat::JsonLd { .. } = format {
            return Self { writer: Syntax::JsonLd(JsonLdWriter::new(out)), format, left_out: 0 };
        }
        let serializer =
            crate::vocab::PREFIXES.iter().fold(RdfSerializer::from_format(format), |serializer, (prefix, iri)| {
                serializer.with_prefix(*prefix, *iri).expect("a namespace of ours is an IRI")
            });
        Self { writer: Syntax::Other(serializer.for_writer(out)), format, left_out: 0 }
    }

    /// Writes a triple.
    pub fn write_triple<'t>(&mut self, triple: impl Into<TripleRef<'t>>) -> io::Result<()> {
        let triple = triple.into();
        self.write_quad(triple.in_graph(GraphNameRef::DefaultGraph))
    }

    /// Writes a quad; without its graph, where the syntax has none.
    pub fn write_quad<'q>(&mut self, quad: impl Into<QuadRef<'q>>) -> io::Result<()> {
        let mut quad = quad.into();
        if !self.format.supports_datasets() {
            quad.graph_name = GraphNameRef::DefaultGraph;
        }
        let size = byte_size(&quad);
        if let Some(size) = &size {
            quad.object = size.as_ref().into();
        }
        if self.format != RdfFormat::RdfXml {
            return self.writer.write(quad);
        }
        if !ends_in_a_name(quad.predicate.as_str()) {
            self.left_out += 1;
            return Ok(());
        }
        match quad.object {
            oxrdf::TermRef::Literal(literal) if !is_xml_text(literal.value()) => {
                let object = Term::from(with_xml_characters(literal));
                let quad = Quad {
                    subject: quad.subject.into_owned(),
                    predicate: quad.predicate.into_owned(),
                    object,
                    graph_name: GraphName::DefaultGraph,
                };
                self.writer.write(&quad)
            }
            _ => self.writer.write(quad),
        }
    }

    /// Ends the document. Returns what it was written to and how many statements it lacks.
    pub fn finish(self) -> io::Result<(W, u64)> {
        let out = match self.writer {
            Syntax::JsonLd(writer) => writer.finish()?,
            Syntax::Other(writer) => writer.finish()?,
        };
        Ok((out, self.left_out))
    }
}

/// The store keeps all integers as `xsd:integer`; DCAT 3, 6.8.12 wants sizes as `xsd:nonNegativeInteger`.
fn byte_size(quad: &QuadRef<'_>) -> Option<Literal> {
    match quad.object {
        oxrdf::TermRef::Literal(size) if quad.predicate == dcat::BYTE_SIZE && size.datatype() == xsd::INTEGER => {
            let is_natural = size.value().bytes().all(|byte| byte.is_ascii_digit());
            is_natural.then(|| Literal::new_typed_literal(size.value(), xsd::NON_NEGATIVE_INTEGER))
        }
        _ => None,
    }
}

/// Whether a predicate can be an element: a namespace and a name that starts with a letter.
#[must_use]
pub fn ends_in_a_name(predicate: &str) -> bool {
    let name_start = |c: char| c.is_alphabetic() || c == '_';
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let tail = predicate.char_indices().rev().take_while(|(_, c)| is_name(*c)).last();
    tail.is_some_and(|(at, _)| at > 0 && predicate[at..].chars().any(name_start))
}

/// The characters of XML 1.0, 2.2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether XML can hold a text.
#[must_use]
pub fn is_xml_text(text: &str) -> bool {
    // All other bytes are of characters that XML has, but for the two after U+FFFD.
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != 0xEF;
    text.as_bytes().iter().all(is_plain) || text.chars().all(is_xml)
}

/// A text with another character in the place of those that XML has not.
#[must_use]
pub fn as_xml_text(text: &str) -> String {
    text.chars().map(|c| if is_xml(c) { c } else { '\u{FFFD}' }).collect()
}

fn with_xml_characters(literal: LiteralRef<'_>) -> Literal {
    let value = as_xml_text(literal.value());
    match literal.language() {
        Some(language) => Literal::new_language_tagged_literal_unchecked(value, language),
        None => Literal::new_typed_literal(value, NamedNode::from(literal.datatype())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::Triple;
    use oxrdfio::RdfParser;

    #[test]
    fn rdf_xml_stays_well_formed() {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e.example/{name}"));
        let triples = [
            Triple::new(node("a"), node("p"), Literal::new_simple_literal("a\u{1}b")),
            Triple::new(node("a"), node("p/123"), Literal::from(1)),
            Triple::new(node("a"), node("p/1q"), Literal::from(2)),
        ];
        let mut writer = RdfWriter::new(RdfFormat::RdfXml, Vec::new());
        for triple in &triples {
            writer.write_triple(triple).unwrap();
        }
        let (bytes, left_out) = writer.finish().unwrap();
        assert_eq!(left_out, 1);
        let parser = RdfParser::from_format(RdfFormat::RdfXml).for_slice(&bytes);
        let read: Vec<String> = parser.map(|quad| quad.unwrap().object.to_string()).collect();
        let two = "\"2\"^^<http://www.w3.org/2001/XMLSchema#integer>".to_owned();
        assert_eq!(read, ["\"a\u{FFFD}b\"".to_owned(), two]);
    }
}
