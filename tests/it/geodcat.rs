//! The rules of GeoDCAT-AP 3: each is broken by one snippet and kept by another.

use crate::shared;
use moisson::triples::{Graph, GraphBuilder};
use moisson::validate::{Details, Plan};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfParser};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The local names of the rules that a snippet breaks.
fn broken(plan: &Plan, data: &Graph) -> BTreeSet<String> {
    let results = plan.validate(data, Details::Omitted).results;
    results
        .iter()
        .filter_map(|result| {
            Some(result.source_shape.to_string().rsplit_once('#')?.1.trim_end_matches('>').to_owned())
        })
        .collect()
}

/// The snippets of a file: the rule, whether it is broken, and the graph.
fn snippets(path: &str) -> Vec<(String, bool, Graph)> {
    let text = std::fs::read_to_string(file(path)).expect("a file of the project");
    let mut parts = text.split("\n## ");
    let prefixes = parts.next().expect("prefixes");
    let snippet = |part: &str| {
        let (head, turtle) = part.split_once('\n').expect("a head and a snippet");
        let (rule, what) = head.rsplit_once(' ').expect("a rule and what is done to it");
        let text = format!("{prefixes}\n{turtle}");
        let mut graph = GraphBuilder::new();
        for quad in RdfParser::from_format(RdfFormat::Turtle).for_slice(text.as_bytes()) {
            graph.insert(&Triple::from(quad.unwrap_or_else(|error| panic!("{rule}: {error}"))));
        }
        (rule.to_owned(), what == "breaks", graph.build())
    };
    parts.map(snippet).collect()
}

#[test]
fn each_rule_of_geodcat_is_broken_and_kept_as_it_should_be() {
    let shapes = [file("shapes/dcat-ap-3.ttl"), file("shapes/geodcat-ap-3.ttl")];
    let plan = Plan::compile(shared::graph(&[&shapes[0], &shapes[1]])).expect("the profile");
    let mut seen = BTreeSet::new();
    for (rule, breaks, graph) in snippets("tests/cases/geodcat-ap-3/rules.ttl") {
        let found = broken(&plan, &graph);
        assert_eq!(
            found.contains(&rule),
            breaks,
            "{rule}, which the snippet {}: {found:?}",
            if breaks { "breaks" } else { "keeps" }
        );
        seen.insert(rule);
    }
    let text = std::fs::read_to_string(&shapes[1]).expect("the shapes");
    let rules: BTreeSet<String> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix(':')?.split_once(" a sh:PropertyShape")?.0.to_owned()))
        .collect();
    let without: Vec<_> = rules.iter().filter(|rule| rule.contains('-') && !seen.contains(*rule)).collect();
    assert!(rules.len() > 80 && without.is_empty(), "rules without a snippet: {without:?}");
}

#[test]
fn what_geodcat_allows_beyond_dcat_ap_is_no_finding_of_its_profile() {
    let [base, more] = [file("shapes/dcat-ap-3.ttl"), file("shapes/geodcat-ap-3.ttl")];
    let alone = Plan::compile(shared::graph(&[&base])).expect("DCAT-AP");
    let both = Plan::compile(shared::graph(&[&base, &more])).expect("GeoDCAT-AP");
    for (rule, _, graph) in snippets("tests/cases/geodcat-ap-3/relaxed.ttl") {
        assert!(broken(&alone, &graph).contains(&rule), "{rule} is no rule of DCAT-AP");
        assert!(!broken(&both, &graph).contains(&rule), "{rule} holds in GeoDCAT-AP still");
    }
}
