//! The W3C SHACL test suite, from its manifests, with an EARL report.

use crate::shared;
use moisson::triples::Graph;
use moisson::validate::{Details, Plan, Report};
use moisson::vocab::{rdf, sh};
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::{BlankNode, NamedNode, NamedNodeRef, Term, TermRef, Triple};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const SHT: &str = "http://www.w3.org/ns/shacl-test#";

/// SPARQL cases that the engine is allowed to miss, each with its reason. Core has no such list.
const SKIPPED: &[(&str, &str)] = &[];

#[test]
fn passes_every_core_case() {
    run("core", 70, &[]);
}

#[test]
fn passes_every_sparql_case_that_is_not_skipped() {
    run("sparql", 17, SKIPPED);
}

fn run(part: &str, cases: usize, skipped: &[(&str, &str)]) {
    let Some(folder) = shared::data(&format!("w3c-shacl/w3c__data-shapes/tests/{part}")) else { return };
    let mut outcomes = BTreeMap::new();
    for file in shared::files(&folder, &[".ttl"]) {
        let manifest = shared::graph(&[&file]);
        for test in entries(&manifest) {
            let name = format!("{part}/{}", file.strip_prefix(&folder).expect("below the folder").display());
            if let Some(missing) = missing_file(&manifest, &test) {
                println!("not in the test data: {name} reads {}", missing.display());
                continue;
            }
            outcomes.insert(name, check(&manifest, &test));
        }
    }
    write_earl(part, &outcomes);
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|(name, outcome)| outcome.is_err() && !skipped.iter().any(|(skip, _)| skip == name))
        .map(|(name, outcome)| format!("{name}: {}", outcome.as_ref().unwrap_err()))
        .collect();
    println!("W3C SHACL {part}: {} of {} pass", outcomes.len() - failed.len(), outcomes.len());
    assert_eq!(outcomes.len(), cases, "the copy of the suite has another number of cases");
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

/// A graph that a case names and that the copy of the suite lacks.
fn missing_file(manifest: &Graph, test: &Term) -> Option<PathBuf> {
    let action = object(manifest, test, mf("action").as_ref())?;
    let graphs = ["dataGraph", "shapesGraph"].map(|name| object(manifest, &action, sht(name).as_ref()));
    graphs.into_iter().flatten().map(|iri| file_of(&iri)).find(|file| !file.exists())
}

fn mf(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{MF}{name}"))
}

fn sht(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{SHT}{name}"))
}

fn entries(manifest: &Graph) -> Vec<Term> {
    let validate = manifest.id(sht("Validate").as_ref());
    let ids = manifest.id(rdf::TYPE).zip(validate);
    ids.into_iter().flat_map(|(p, o)| manifest.subjects(p, o)).map(|id| manifest.term(id).clone()).collect()
}

fn object(graph: &Graph, subject: &Term, predicate: NamedNodeRef<'_>) -> Option<Term> {
    graph.object_of(subject.as_ref(), predicate).cloned()
}

fn check(manifest: &Graph, test: &Term) -> Result<(), String> {
    let action = object(manifest, test, mf("action").as_ref()).ok_or("no mf:action")?;
    let read = |name: &str| -> Result<Graph, String> {
        let iri = object(manifest, &action, sht(name).as_ref()).ok_or("no graph")?;
        Ok(shared::graph(&[&file_of(&iri)]))
    };
    let (data, shapes) = (read("dataGraph")?, read("shapesGraph")?);
    let expected = object(manifest, test, mf("result").as_ref()).ok_or("no mf:result")?;
    let plan = Plan::compile(shapes);
    if expected == Term::from(sht("Failure")) {
        return match plan {
            Err(_) => Ok(()),
            Ok(plan) if !plan.validate(&data, Details::Omitted).failures.is_empty() => Ok(()),
            Ok(_) => Err("a failure was expected".to_owned()),
        };
    }
    let plan = plan.map_err(|error| error.to_string())?;
    let report = plan.validate(&data, Details::Omitted);
    compare(manifest, &expected, &plan, report)
}

fn file_of(iri: &Term) -> PathBuf {
    let Term::NamedNode(iri) = iri else { panic!("a graph is named by an IRI") };
    url::Url::parse(iri.as_str()).expect("an IRI").to_file_path().expect("a file IRI")
}

/// Compares the reports as graphs; messages count only where the suite gives them.
fn compare(manifest: &Graph, expected: &Term, plan: &Plan, mut report: Report) -> Result<(), String> {
    let mut wanted = Vec::new();
    copy(manifest, expected.as_ref(), &mut BTreeSet::new(), &mut wanted);
    if !wanted.iter().any(|triple| triple.predicate == sh::RESULT_MESSAGE) {
        for result in &mut report.results {
            result.messages.clear();
        }
    }
    if !report.failures.is_empty() {
        return Err(format!("failures: {:?}", report.failures));
    }
    let found = report.to_triples(plan.shapes_graph());
    let (wanted, found) = (canonical(wanted), canonical(found));
    if wanted == found {
        return Ok(());
    }
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "    {line}");
            text
        })
    };
    Err(format!("\n  missing\n{}  unexpected\n{}", only(&wanted, &found), only(&found, &wanted)))
}

/// Copies the report below a node: its results and their paths, but not the shapes they name.
fn copy(graph: &Graph, node: TermRef<'_>, seen: &mut BTreeSet<String>, copied: &mut Vec<Triple>) {
    let TermRef::BlankNode(subject) = node else { return };
    if !seen.insert(node.to_string()) {
        return;
    }
    let Some(id) = graph.id(node) else { return };
    for [_, predicate, object] in graph.rows_of_subject(id) {
        let (Term::NamedNode(predicate), object) = (graph.term(*predicate), graph.term(*object)) else {
            continue;
        };
        copied.push(Triple::new(BlankNode::new_unchecked(subject.as_str()), predicate.clone(), object.clone()));
        let is_named_only =
            [sh::SOURCE_SHAPE, sh::SOURCE_CONSTRAINT, sh::FOCUS_NODE, sh::VALUE].contains(&predicate.as_ref());
        if !is_named_only {
            copy(graph, object.as_ref(), seen, copied);
        }
    }
}

fn canonical(triples: Vec<Triple>) -> BTreeSet<String> {
    let mut graph: oxrdf::Graph = triples.into_iter().collect();
    graph
        .canonicalize(CanonicalizationAlgorithm::Rdfc10 { hash_algorithm: CanonicalizationHashAlgorithm::Sha256 });
    graph.iter().map(|triple| triple.to_string()).collect()
}

/// Writes the outcomes as EARL into the build folder.
fn write_earl(part: &str, outcomes: &BTreeMap<String, Result<(), String>>) {
    let mut text = String::from(
        "@prefix earl: <http://www.w3.org/ns/earl#> .\n@prefix doap: <http://usefulinc.com/ns/doap#> .\n\n\
         <https://moisson.dev/> a doap:Project, earl:Software, earl:TestSubject ; doap:name \"Moisson\" .\n\n",
    );
    for (name, outcome) in outcomes {
        let verdict = if outcome.is_ok() { "passed" } else { "failed" };
        let _ = writeln!(
            text,
            "[] a earl:Assertion ; earl:subject <https://moisson.dev/> ; earl:mode earl:automatic ;\n  \
             earl:test <https://w3c.github.io/data-shapes/data-shapes-test-suite/tests/{name}> ;\n  \
             earl:result [ a earl:TestResult ; earl:outcome earl:{verdict} ] .\n"
        );
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(format!("earl-shacl-{part}.ttl")), text).expect("a writable build folder");
}
