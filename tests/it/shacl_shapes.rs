//! Official and national shapes: they load, count what the reference engines count, and ours cover them.

use crate::generated::generator;
use crate::moisson::{Bench, text};
use crate::shared;
use moisson::triples::Graph;
use moisson::validate::{Details, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const OFFICIAL: &str = "shapes/SEMICeu__DCAT-AP/3.0.1/html/shacl/shapes.ttl";

#[test]
fn every_official_and_national_shapes_file_loads() {
    let Some(folder) = shared::data("shapes") else { return };
    let mut failed = Vec::new();
    let mut loaded = 0;
    for file in shared::files(&folder, &[".ttl"]) {
        match Plan::compile(shared::graph(&[&file])) {
            Ok(_) => loaded += 1,
            Err(error) => failed.push(format!("{}: {error}", file.display())),
        }
    }
    println!("{loaded} files of shapes load");
    assert!(loaded > 30 && failed.is_empty(), "{}", failed.join("\n"));
}

fn results_by_path(plan: &Plan, data: &Graph) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for result in plan.validate(data, Details::Omitted).results {
        let last = |iri: &str| iri.rsplit(['#', '/']).next().unwrap_or(iri).to_owned();
        let path = result.path.map_or(String::new(), |path| last(&path.to_string()));
        let component = last(result.component.as_str()).replace("ConstraintComponent", "");
        *counts.entry(format!("{} {component}", path.trim_end_matches('>'))).or_default() += 1;
    }
    counts
}

#[test]
fn the_generated_catalogue_gives_the_results_that_the_reference_engines_give() {
    let (Some(generator), Some(shapes)) = (generator(), shared::data(OFFICIAL)) else { return };
    let plan = Plan::compile(shared::graph(&[&shapes])).expect("the official shapes");
    let bench = Bench::new();
    let cases = [("1000", [29, 17, 35, 9, 138, 48, 207]), ("10000", [317, 209, 316, 110, 1_362, 503, 2_157])];
    for (number, expected) in cases {
        let out = bench.path(number);
        let output = Command::new("python3")
            .arg(&generator)
            .args(["write", "--n", number, "--single", "--formats", "ttl", "--out", text(&out)])
            .output()
            .expect("python3 starts");
        assert!(output.status.success());
        let data = shared::graph(&[&out.join("catalog.ttl")]);
        let found = results_by_path(&plan, &data);
        let names = [
            "byteSize Datatype",
            "accessURL MinCount",
            "description MinCount",
            "title MinCount",
            "issued Node",
            "theme NodeKind",
            "license NodeKind",
        ];
        let wanted: BTreeMap<String, usize> = names.iter().map(|name| (*name).to_owned()).zip(expected).collect();
        assert_eq!(found, wanted, "{number} datasets");
    }
}

fn reported(plan: &Plan, data: &Graph) -> BTreeSet<(String, String)> {
    plan.validate(data, Details::Omitted)
        .results
        .into_iter()
        .map(|result| (result.focus_node.to_string(), result.path.map_or(String::new(), |path| path.to_string())))
        .collect()
}

/// On every real catalogue, our shapes report each node and property that the official ones report.
#[test]
fn our_shapes_report_every_node_and_property_that_the_official_ones_report() {
    let profiles = [
        ("dcat-ap-3.ttl", OFFICIAL, "shapes/SEMICeu__DCAT-AP/3.0.1/html/shacl/shapes_recommended.ttl"),
        (
            "dcat-ap-2.1.1.ttl",
            "shapes/SEMICeu__DCAT-AP/2.1.1/dcat-ap_2.1.1_shacl_shapes.ttl",
            "shapes/SEMICeu__DCAT-AP/2.1.1/dcat-ap_2.1.1_shacl_shapes_recommended.ttl",
        ),
    ];
    let folders = ["dcat-rdf", "dcat-rdf-big", "shacl-cases"];
    for (ours, required, recommended) in profiles {
        let (Some(required), Some(recommended)) = (shared::data(required), shared::data(recommended)) else {
            return;
        };
        let official = Plan::compile(shared::graph(&[&required, &recommended])).expect("the official shapes");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shapes").join(ours);
        let own = Plan::compile(shared::graph(&[&root])).expect("our shapes");
        let (mut files, mut both, mut beyond) = (0, 0, BTreeMap::<String, usize>::new());
        for folder in folders {
            let Some(folder) = shared::data(folder) else { return };
            for file in shared::files(&folder, &[".ttl", ".rdf"]) {
                let Some(data) = shared::try_graph(&file) else { continue };
                let (wanted, found) = (reported(&official, &data), reported(&own, &data));
                // The one rule with a path that is no IRI: a series has a member, which says so in a record of its own.
                // Ours are asked of each record alone.
                let missed: Vec<_> =
                    wanted.difference(&found).filter(|(_, path)| !path.starts_with("_:")).collect();
                assert!(missed.is_empty(), "{ours} misses in {}: {missed:?}", file.display());
                files += 1;
                both += wanted.len();
                for (_, path) in found.difference(&wanted) {
                    *beyond.entry(path.clone()).or_default() += 1;
                }
            }
        }
        println!("{ours}: {files} files, {both} nodes and properties reported by both; beyond: {beyond:?}");
        assert!(files > 100, "only {files} files were read");
    }
}
