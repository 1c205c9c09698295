//! Reads an RDF file with sophia and prints its canonical N-Quads (RDFC-1.0): `moisson-against-sophia FILE`.

use anyhow::{Context, anyhow, bail};
use sophia::api::prelude::*;
use sophia::api::quad::Spog;
use sophia::api::term::SimpleTerm;
use sophia::c14n::rdfc10;
use sophia::jsonld::JsonLdParser;
use sophia::turtle::parser::{nq::NQuadsParser, nt::NTriplesParser, trig::TriGParser, turtle::TurtleParser};
use sophia::xml::parser::RdfXmlParser;
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;

type Dataset = HashSet<Spog<SimpleTerm<'static>>>;

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("a file")?;
    let file = BufReader::new(File::open(&path)?);
    let dataset = match path.rsplit('.').next().unwrap_or_default() {
        "ttl" => triples(file, TurtleParser::new()),
        "rdf" => triples(file, RdfXmlParser::default()),
        "nt" => triples(file, NTriplesParser::new()),
        "nq" => quads(file, NQuadsParser::new()),
        "trig" => quads(file, TriGParser::new()),
        "jsonld" => quads(file, JsonLdParser::new()),
        other => bail!("no syntax ends in {other}"),
    }?;
    rdfc10::normalize(&dataset, std::io::stdout().lock())?;
    Ok(())
}

fn triples<P: TripleParser<BufReader<File>>>(file: BufReader<File>, parser: P) -> anyhow::Result<Dataset> {
    let quads = parser.parse(file).to_quads().collect_quads();
    quads.map_err(|error| anyhow!("{error}"))
}

fn quads<P: QuadParser<BufReader<File>>>(file: BufReader<File>, parser: P) -> anyhow::Result<Dataset> {
    parser.parse(file).collect_quads().map_err(|error| anyhow!("{error}"))
}
