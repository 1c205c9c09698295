//! Printing a validation report, result by result.

use super::shacl::Format;
use crate::validate::{Plan, ReportWriter, ValidationResult, path_text};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfSerializer, WriterQuadSerializer};
use serde_json::json;
use std::io::{self, BufWriter, StdoutLock, Write};

type Out = BufWriter<StdoutLock<'static>>;

/// Prints results as they come, in the memory of one.
pub(super) struct ReportPrinter<'p> {
    plan: &'p Plan,
    form: Form<'p>,
    results: u64,
}

enum Form<'p> {
    Turtle { writer: ReportWriter<'p>, out: Box<WriterQuadSerializer<Out>> },
    Json(Out),
    Text(Out),
}

impl<'p> ReportPrinter<'p> {
    pub(super) fn start(plan: &'p Plan, format: Format) -> io::Result<Self> {
        let mut out = BufWriter::new(io::stdout().lock());
        let form = match format {
            Format::Turtle => {
                let mut writer = ReportWriter::new(plan.shapes_graph());
                let mut out = Box::new(serializer().for_writer(out));
                serialize(&mut out, &writer.start())?;
                Form::Turtle { writer, out }
            }
            Format::Json => {
                out.write_all(b"{\n  \"results\": [")?;
                Form::Json(out)
            }
            Format::Text => Form::Text(out),
        };
        Ok(Self { plan, form, results: 0 })
    }

    pub(super) fn add(&mut self, result: &ValidationResult) -> io::Result<()> {
        let graph = self.plan.shapes_graph();
        let path = result.path.as_ref().map(|path| path_text(graph, path));
        match &mut self.form {
            Form::Turtle { writer, out } => serialize(out, &writer.add_result(result))?,
            Form::Json(out) => {
                let separator = if self.results == 0 { "\n" } else { ",\n" };
                write!(out, "{separator}{}", to_json(result, path.as_deref()))?;
            }
            Form::Text(out) => {
                let path = path.map_or(String::new(), |path| format!(" {path}"));
                let value = result.value.as_ref().map_or(String::new(), |value| format!(" {value}"));
                let message = result.messages.first().map_or("", |message| message.value());
                let severity = result.severity.as_str().rsplit('#').next().unwrap_or_default();
                writeln!(out, "{severity}: {}{path}{value}: {message}", result.focus_node)?;
            }
        }
        self.results += 1;
        Ok(())
    }

    /// Ends the report; one that lacks what could not be evaluated says nothing of conformance.
    pub(super) fn finish(self, is_whole: bool) -> io::Result<()> {
        let conforms = self.results == 0;
        match self.form {
            Form::Turtle { mut writer, mut out } => {
                if is_whole {
                    serialize(&mut out, &writer.end(conforms))?;
                }
                out.finish()?.flush()
            }
            Form::Json(mut out) => {
                let conforms = if is_whole { json!(conforms) } else { json!(null) };
                writeln!(out, "\n  ],\n  \"conforms\": {conforms}\n}}")?;
                out.flush()
            }
            Form::Text(mut out) => {
                writeln!(out, "{} results", self.results)?;
                out.flush()
            }
        }
    }
}

fn to_json(result: &ValidationResult, path: Option<&str>) -> serde_json::Value {
    let message = |text: &oxrdf::Literal| json!({"text": text.value(), "language": text.language()});
    json!({
        "focus_node": result.focus_node.to_string(),
        "path": path,
        "value": result.value.as_ref().map(ToString::to_string),
        "source_shape": result.source_shape.to_string(),
        "component": result.component.as_str(),
        "severity": result.severity.as_str(),
        "messages": result.messages.iter().map(message).collect::<Vec<_>>(),
    })
}

fn serialize<W: Write>(out: &mut WriterQuadSerializer<W>, triples: &[Triple]) -> io::Result<()> {
    triples.iter().try_for_each(|triple| out.serialize_triple(triple))
}

/// Turtle with the prefixes of reports.
fn serializer() -> RdfSerializer {
    [("sh", crate::vocab::sh::NAMESPACE), ("xsd", crate::vocab::xsd::NAMESPACE)]
        .into_iter()
        .fold(RdfSerializer::from_format(RdfFormat::Turtle), |serializer, (prefix, iri)| {
            serializer.with_prefix(prefix, iri).expect("a namespace of ours is an IRI")
        })
}
