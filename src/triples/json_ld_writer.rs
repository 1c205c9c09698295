//! JSON-LD with the usual prefixes as its context (JSON-LD 1.1, 4.1.5), written node by node.

use super::rdf_writer::ends_in_a_name;
use crate::vocab::{PREFIXES, rdf, xsd};
use oxrdf::{GraphName, GraphNameRef, LiteralRef, NamedOrBlankNode, NamedOrBlankNodeRef, QuadRef, TermRef};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// A writer of JSON-LD: what is said of one node in a row becomes one object, graphs become objects with `@graph`.
pub(super) struct JsonLdWriter<W: Write> {
    out: W,
    graph: GraphName,
    /// The node that is written to, with what is said of it so far.
    node: Option<(NamedOrBlankNode, Map<String, Value>)>,
    has_begun: bool,
    /// Whether something stands in the present list already.
    has_before: bool,
    in_graph: bool,
}

impl<W: Write> JsonLdWriter<W> {
    pub(super) fn new(out: W) -> Self {
        let graph = GraphName::DefaultGraph;
        Self { out, graph, node: None, has_begun: false, has_before: false, in_graph: false }
    }

    pub(super) fn write(&mut self, quad: QuadRef<'_>) -> io::Result<()> {
        self.begin()?;
        if self.graph.as_ref() != quad.graph_name {
            self.end_node()?;
            self.change_graph(quad.graph_name)?;
        }
        if self.node.as_ref().is_none_or(|(node, _)| node.as_ref() != quad.subject) {
            self.end_node()?;
            let Value::Object(object) = reference(&node_text(quad.subject)) else { return Ok(()) };
            self.node = Some((quad.subject.into_owned(), object));
        }
        let Some((_, object)) = &mut self.node else { return Ok(()) };
        // A node with a context of its own has names in full.
        let is_plain = !object.contains_key("@context");
        let name = |iri: &str| if is_plain { compact(iri) } else { iri.to_owned() };
        let (name, value) = match quad.object {
            TermRef::NamedNode(class)
                if quad.predicate == rdf::TYPE && read_as_prefixed(class.as_str()).is_none() =>
            {
                ("@type".to_owned(), json!(name(class.as_str())))
            }
            other => (name(quad.predicate.as_str()), value(other)),
        };
        match object.get_mut(&name) {
            None => {
                object.insert(name, value);
            }
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = json!([one.take(), value]),
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.begin()?;
        self.end_node()?;
        self.end_graph()?;
        self.out.write_all(b"\n]}\n")?;
        Ok(self.out)
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let context: Map<String, Value> =
            PREFIXES.iter().map(|(prefix, namespace)| ((*prefix).to_owned(), json!(namespace))).collect();
        write!(self.out, "{{\"@context\":{},\n\"@graph\":[", Value::Object(context))
    }

    fn separate(&mut self) -> io::Result<()> {
        self.out.write_all(if std::mem::replace(&mut self.has_before, true) { b",\n" } else { b"\n" })
    }

    fn end_node(&mut self) -> io::Result<()> {
        let Some((_, object)) = self.node.take() else { return Ok(()) };
        self.separate()?;
        Ok(serde_json::to_writer(&mut self.out, &Value::Object(object))?)
    }

    fn change_graph(&mut self, graph: GraphNameRef<'_>) -> io::Result<()> {
        self.end_graph()?;
        self.graph = graph.into_owned();
        let name = match graph {
            GraphNameRef::DefaultGraph => return Ok(()),
            GraphNameRef::NamedNode(node) => node.as_str().to_owned(),
            GraphNameRef::BlankNode(node) => node.to_string(),
        };
        self.separate()?;
        write!(self.out, "{{\"@id\":{},\"@graph\":[", json!(name))?;
        (self.in_graph, self.has_before) = (true, false);
        Ok(())
    }

    fn end_graph(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.in_graph, false) {
            self.has_before = true;
            self.out.write_all(b"\n]}")?;
        }
        Ok(())
    }
}

fn node_text(node: NamedOrBlankNodeRef<'_>) -> String {
    match node {
        NamedOrBlankNodeRef::NamedNode(node) => node.as_str().to_owned(),
        NamedOrBlankNodeRef::BlankNode(node) => node.to_string(),
    }
}

fn value(term: TermRef<'_>) -> Value {
    match term {
        TermRef::NamedNode(node) => reference(node.as_str()),
        TermRef::BlankNode(node) => json!({"@id": node.to_string()}),
        TermRef::Literal(literal) => literal_value(literal),
    }
}

/// A node by its IRI. One whose scheme is a prefix of the context, as in `geo:48.2,16.4`, is kept from being read by it.
fn reference(iri: &str) -> Value {
    match read_as_prefixed(iri) {
        Some(prefix) => json!({"@context": {prefix: null}, "@id": iri}),
        None => json!({"@id": iri}),
    }
}

/// The prefix by which a reader would take an IRI for a short one (JSON-LD 1.1, 4.1.5).
fn read_as_prefixed(iri: &str) -> Option<&'static str> {
    let (scheme, rest) = iri.split_once(':')?;
    let (prefix, _) = PREFIXES.iter().find(|(prefix, _)| *prefix == scheme)?;
    (!rest.starts_with("//")).then_some(*prefix)
}

/// Texts are plain; numbers and truth values keep their form as text, since JSON has another one for many.
fn literal_value(literal: LiteralRef<'_>) -> Value {
    match literal.language() {
        Some(language) => json!({"@language": language, "@value": literal.value()}),
        None if literal.datatype() == xsd::STRING => json!(literal.value()),
        None => json!({"@type": compact(literal.datatype().as_str()), "@value": literal.value()}),
    }
}

/// An IRI of the vocabulary by its prefix.
fn compact(iri: &str) -> String {
    let prefixed = PREFIXES.iter().find_map(|(prefix, namespace)| {
        let local = iri.strip_prefix(namespace)?;
        (!local.is_empty() && !local.starts_with("//") && ends_in_a_name(iri)).then(|| format!("{prefix}:{local}"))
    });
    prefixed.unwrap_or_else(|| iri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::{Dataset, Quad};
    use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};

    #[test]
    fn what_is_written_is_compact_and_reads_as_it_was() {
        let quads = r#"<http://a/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .
<http://a/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> _:c .
<http://a/1> <http://purl.org/dc/terms/title> "A"@fr .
<http://a/1> <http://purl.org/dc/terms/title> "dct:title" .
<http://a/1> <http://purl.org/dc/terms/> <http://b/> .
<http://a/1> <http://www.w3.org/ns/dcat#byteSize> "01"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger> .
<http://a/1> <http://b/p> _:c .
_:c <http://b/p> "x"^^<http://b/type> .
_:c <http://purl.org/dc/terms/spatial> <geo:48.2,16.4> .
<dct:odd> <http://purl.org/dc/terms/title> "odd" .
<dct:odd> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <dcat:Dataset> .
<http://a/2> <http://b/p> "2" <http://g/1> .
<http://a/2> <http://b/p> "3" <http://g/2> .
<http://a/3> <http://b/p> "4" .
"#;
        let mut quads: Vec<Quad> = RdfParser::from_format(RdfFormat::NQuads)
            .for_slice(quads.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let mut writer = JsonLdWriter::new(Vec::new());
        for quad in &quads {
            writer.write(quad.as_ref()).unwrap();
        }
        let written = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert!(written.contains(r#""@type":"dcat:Dataset""#) || written.contains(r#""@type":["dcat:Dataset""#));
        assert!(written.contains(r#""dct:title":[{"@language":"fr","@value":"A"},"dct:title"]"#), "{written}");
        let format = RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() };
        let mut read: Dataset =
            RdfParser::from_format(format).for_slice(written.as_bytes()).collect::<Result<_, _>>().unwrap();
        let mut expected: Dataset = quads.drain(..).collect();
        read.canonicalize(oxrdf::dataset::CanonicalizationAlgorithm::Unstable);
        expected.canonicalize(oxrdf::dataset::CanonicalizationAlgorithm::Unstable);
        assert_eq!(read, expected, "{written}");
        let empty = String::from_utf8(JsonLdWriter::new(Vec::new()).finish().unwrap()).unwrap();
        assert!(serde_json::from_str::<Value>(&empty).unwrap()["@graph"].as_array().unwrap().is_empty());
    }
}
