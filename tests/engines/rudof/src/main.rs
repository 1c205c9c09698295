//! Validates data with rudof's engine: `moisson-against-rudof SHAPES.ttl DATA.ttl`.
//!
//! Prints a line for each result: focus node, component and severity, tab-separated.

use rudof_rdf::rdf_core::RDFFormat;
use shacl::validator::processor::{GraphValidation, ShaclProcessor};
use shacl::validator::store::ShaclDataManager;
use shacl::validator::{ShaclConfig, ShaclValidationMode};
use std::fs::File;
use std::io::BufReader;

fn main() -> anyhow::Result<()> {
    let [shapes, data] = [1, 2].map(|n| std::env::args().nth(n).expect("SHAPES and DATA"));
    let schema = ShaclDataManager::load(&mut BufReader::new(File::open(&shapes)?), &shapes, &RDFFormat::Turtle, None)?;
    let mut validation = GraphValidation::from_path(&data, RDFFormat::Turtle, None)?;
    let report = validation.validate(&schema, &ShaclValidationMode::Native, &ShaclConfig::default())?;
    for result in report.results() {
        println!("{}\t{}\t{}", result.focus_node(), result.constraint_component(), result.severity());
    }
    Ok(())
}
