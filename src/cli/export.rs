//! `moisson export`

use super::{Outcome, StoreArguments};
use crate::catalog::SourceId;
use crate::config::Config;
use crate::derive::published;
use crate::store::{CatalogueRecord, GraphNames, graph_quads};
use crate::triples::RdfWriter;
use clap::{Args, ValueEnum};
use oxigraph::store::StorageError;
use oxrdf::{NamedNode, Triple};
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
    /// Write what the source said and what was read into it as they are stored, side by side, and not as the feeds have it
    #[arg(long)]
    as_stored: bool,
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
    let read = |graph: &NamedNode| -> Result<Vec<Triple>, StorageError> {
        Ok(graph_quads(&snapshot.store, graph)?.into_iter().map(Triple::from).collect())
    };
    for key in CatalogueRecord::keys(&snapshot.store, &names, source.as_ref()) {
        let (graph, normalised) = (names.record(key), names.normalised(key));
        let (stated, added) = (read(&graph)?, read(&normalised)?);
        let about = CatalogueRecord::read(&snapshot.store, &names, key).filter(|_| !arguments.as_stored);
        let (told, added) = match about {
            Some(about) => (published(&about.node, &about.remote_id, stated, &added), Vec::new()),
            None => (stated, added),
        };
        for (graph, triples) in [(graph, told), (normalised, added)] {
            for triple in triples {
                writer.write_quad(&triple.in_graph(graph.clone()))?;
            }
        }
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
