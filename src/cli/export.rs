//! `moisson export`

use super::{Outcome, StoreArguments};
use crate::catalog::SourceId;
use crate::config::Config;
use crate::store::{CatalogueRecord, GraphNames};
use crate::triples::RdfWriter;
use clap::{Args, ValueEnum};
use oxrdf::{GraphNameRef, NamedNode};
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use std::io::{BufWriter, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Turtle,
    Rdfxml,
    Jsonld,
    Ntriples,
    Nquads,
    Trig,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Only the records of this source
    #[arg(long, value_name = "SLUG")]
    source: Option<String>,
    /// The syntax; nquads and trig keep each record's graph
    #[arg(long, value_enum, default_value = "turtle")]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<Outcome> {
    let snapshot = arguments.store.readable_folder(config)?.snapshot()?;
    let names = GraphNames::new(&config.base);
    let source = arguments.source.as_deref().map(SourceId::parse).transpose()?;
    let format = match arguments.format {
        Format::Turtle => RdfFormat::Turtle,
        Format::Rdfxml => RdfFormat::RdfXml,
        Format::Jsonld => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        Format::Ntriples => RdfFormat::NTriples,
        Format::Nquads => RdfFormat::NQuads,
        Format::Trig => RdfFormat::TriG,
    };
    let mut writer = RdfWriter::new(format, BufWriter::new(std::io::stdout().lock()));
    let mut write_graph = |graph: &NamedNode| -> anyhow::Result<()> {
        for quad in snapshot.store.quads_for_pattern(None, None, None, Some(GraphNameRef::from(graph.as_ref()))) {
            writer.write_quad(&quad?)?;
        }
        Ok(())
    };
    for key in CatalogueRecord::keys(&snapshot.store, &names, source.as_ref()) {
        write_graph(&names.record(key))?;
        write_graph(&names.normalised(key))?;
    }
    let (mut out, left_out) = writer.finish()?;
    out.flush()?;
    if left_out > 0 {
        eprintln!(
            "moisson: {left_out} statements are left out: RDF/XML cannot name their property; other syntaxes can"
        );
    }
    Ok(Outcome::Done)
}
