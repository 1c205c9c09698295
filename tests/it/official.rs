//! What the official shapes of DCAT-AP 3 find in real catalogues, beside what a check of each tells.
//!
//! `tests/review/official.md` has the table, by catalogue and by class of node. Where a check tells less, the catalogue
//! has records that cannot be read, or that are repeated; where it tells more, a node stands in several records.

use crate::rules::Checker;
use crate::shared::{self, review};
use moisson::catalog::Severity;
use moisson::harvest::Profiles;
use moisson::source::Target;
use moisson::triples::Graph;
use moisson::validate::{Details, Plan};
use oxrdf::{NamedNodeRef, Term};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

const SHAPES: &str = "shapes/SEMICeu__DCAT-AP/3.0.1/html/shacl/shapes.ttl";
const TYPE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#type");
const VIOLATION: &str = "http://www.w3.org/ns/shacl#Violation";

/// The classes that shapes have, the narrower before the wider.
const CLASSES: [&str; 12] = [
    "DatasetSeries",
    "Dataset",
    "Distribution",
    "DataService",
    "CatalogRecord",
    "Catalog",
    "Agent",
    "Checksum",
    "Location",
    "PeriodOfTime",
    "Relationship",
    "Concept",
];

/// Nodes and properties that are violated, by the class of the node.
type Violated = BTreeMap<String, BTreeSet<(String, String)>>;

fn class_of(data: &Graph, node: &Term) -> String {
    let classes: Vec<String> = data.objects_of(node.as_ref(), TYPE).map(ToString::to_string).collect();
    let is_of = |class: &str| {
        classes.iter().any(|iri| iri.ends_with(&format!("#{class}>")) || iri.ends_with(&format!("/{class}>")))
    };
    CLASSES.into_iter().find(|class| is_of(class)).unwrap_or("other").to_owned()
}

fn by_official(plan: &Plan, data: &Graph) -> Violated {
    let mut found = Violated::new();
    for result in plan.validate(data, Details::Omitted).results {
        if result.severity.as_str() == VIOLATION {
            let path = result.path.map_or(String::new(), |path| path.to_string());
            let about = (result.focus_node.to_string(), path);
            found.entry(class_of(data, &result.focus_node)).or_default().insert(about);
        }
    }
    found
}

fn by_check(checker: &Checker, profiles: &Profiles, file: &Path) -> Option<Violated> {
    let target = Target::parse(file.to_str().expect("a path")).expect("a file");
    let checked = checker.check(&target, profiles).ok()?;
    let mut found = Violated::new();
    for finding in checked.findings {
        let Some(name) = finding.rule.strip_prefix("dcat-ap-3/") else { continue };
        if finding.severity == Severity::Violation {
            let class = name.split('-').next().unwrap_or_default();
            let class = if CLASSES.contains(&class) { class } else { "other" };
            let about = (finding.focus_node, finding.property.unwrap_or_default());
            found.entry(class.to_owned()).or_default().insert(about);
        }
    }
    Some(found)
}

#[test]
fn a_check_tells_what_the_official_shapes_find() {
    let (Some(shapes), Some(folder)) = (shared::data(SHAPES), shared::data("dcat-rdf")) else { return };
    let plan = Plan::compile(shared::graph(&[&shapes])).expect("the official shapes");
    let checker = Checker::new();
    let profiles = Profiles::compile(&["dcat-ap-3".to_owned()], &[]).expect("a profile");
    let (mut lines, mut totals) = (String::new(), BTreeMap::<String, (usize, usize)>::new());
    for file in shared::files(&folder, &[".ttl", ".rdf"]) {
        let (Some(data), Some(ours)) = (shared::try_graph(&file), by_check(&checker, &profiles, &file)) else {
            continue;
        };
        let official = by_official(&plan, &data);
        let classes: BTreeSet<&String> = official.keys().chain(ours.keys()).collect();
        for class in classes {
            let count = |found: &Violated| found.get(class).map_or(0, BTreeSet::len);
            let (wanted, told) = (count(&official), count(&ours));
            let total = totals.entry(class.clone()).or_default();
            *total = (total.0 + wanted, total.1 + told);
            if wanted != told {
                let name = file.strip_prefix(&folder).unwrap_or(&file).display();
                let _ = writeln!(lines, "{name} | {class} | {wanted} | {told}");
            }
        }
    }
    let mut text =
        "class of the node | violations of the official shapes | told by a check\n--- | --- | ---\n".to_owned();
    for (class, (wanted, told)) in &totals {
        let _ = writeln!(text, "{class} | {wanted} | {told}");
    }
    text.push_str("\ncatalogue that differs | class | official | told\n--- | --- | --- | ---\n");
    text.push_str(&lines);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/official.md");
    assert_eq!(review(&kept, &text), None);
}
