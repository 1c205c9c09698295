//! The rules by name, each drawn from its shape: what it asks, why, a wrong and a right example, the clause.

use super::fields::normal_absence;
use super::patch::short;
use crate::catalog::{Message, Severity};
use crate::harvest::{ProfileError, Profiles, built_in_profiles, rule_name};
use crate::triples::Graph;
use crate::validate::{Documents, Plan, Role, Shape, Target, path_text};
use crate::vocab::{moisson, rdf, sh};
use oxrdf::{NamedNodeRef, Term};
use serde::Serialize;
use std::collections::BTreeSet;

/// What is said of properties, and of the rules that are no shapes.
pub(super) const NOTES: &str = include_str!("../../shapes/notes.ttl");
/// What the IRIs of rules begin with.
const SHAPES: &str = "https://moisson.dev/shapes/";
/// Descriptions of constraints nest no deeper than this.
const DEEPEST: usize = 6;

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The stable name: the profile, a slash, the shape's own.
    pub name: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong where it is broken.
    pub message: Message,
    /// The property that it is about.
    pub property: Option<String>,
    /// The classes whose instances it judges.
    pub classes: Vec<String>,
    /// What it asks, as its shape says it.
    pub constraints: Vec<String>,
    /// Why it is one.
    pub why: Message,
    /// An example that keeps it.
    pub right: Option<String>,
    /// An example that breaks it.
    pub wrong: Option<String>,
    /// Where the specification says so.
    pub clauses: Vec<String>,
}

impl Rule {
    /// The rule as text, for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let severity = self.severity.as_str();
        let mut lines = vec![format!("{} ({severity})", self.name), format!("  {}", self.message.en)];
        if !self.why.en.is_empty() {
            lines.push(format!("  {}", self.why.en));
        }
        lines.extend(normal_absence(&self.name).map(|reason| format!("  {}", reason.en)));
        if !self.classes.is_empty() {
            lines.push(format!("\nof each {}", self.classes.join(", ")));
        }
        if let Some(property) = &self.property {
            lines.push(format!("property {property}"));
        }
        lines.extend(self.constraints.iter().map(|constraint| format!("  {constraint}")));
        for (heading, example) in [("wrong", &self.wrong), ("right", &self.right)] {
            lines.extend(
                example.as_ref().map(|example| format!("\n{heading}\n  {}", example.replace('\n', "\n  "))),
            );
        }
        if !self.clauses.is_empty() {
            lines.push(format!("\nspecified at {}", self.clauses.join("\n             ")));
        }
        lines.join("\n") + "\n"
    }
}

/// Names that are proposed for one that is none, and how alike they must be (Jaro and Winkler, 0 to 1).
const NEAR: usize = 5;
const ALIKE: f64 = 0.8;

/// The rules that there are.
#[derive(Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
}

impl Rules {
    /// The rules of all profiles that the program brings, and those of its conversion.
    ///
    /// # Errors
    /// When a profile cannot be compiled.
    pub fn of_program() -> Result<Self, ProfileError> {
        let names: Vec<String> = built_in_profiles().map(ToOwned::to_owned).collect();
        Ok(Self::of(&Profiles::compile(&names, &[])?))
    }

    /// The rules of some profiles, and those of conversion.
    #[must_use]
    pub fn of(profiles: &Profiles) -> Self {
        let notes = Documents::of_text(NOTES, Role::Shapes).expect("the program's own notes are valid Turtle");
        let mut all: Vec<Rule> = Vec::new();
        for profile in profiles.all() {
            let plan = profile.plan();
            let rules = plan.shapes().iter().filter(|shape| is_rule(shape));
            all.extend(rules.map(|shape| of_shape(profile.name(), plan, shape, &notes)));
        }
        all.extend(of_conversion(&notes));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all.dedup_by(|one, other| one.name == other.name);
        Self { all }
    }

    /// All rules, by their names.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.all
    }

    /// A rule by what a person wrote: its name, or an end or a part of it that no other has.
    ///
    /// # Errors
    /// The likest names, where it is none of them.
    pub fn find(&self, written: &str) -> Result<&Rule, Vec<&str>> {
        if let Some(rule) = self.named(written) {
            return Ok(rule);
        }
        let lower = written.to_lowercase();
        let matching = |is: &dyn Fn(&str) -> bool| -> Vec<&Rule> {
            self.all.iter().filter(|rule| is(&rule.name.to_lowercase())).collect()
        };
        for found in
            [matching(&|name| name.ends_with(&format!("/{lower}"))), matching(&|name| name.contains(&lower))]
        {
            match found.as_slice() {
                [] => {}
                [only] => return Ok(only),
                many => return Err(many.iter().take(NEAR).map(|rule| rule.name.as_str()).collect()),
            }
        }
        let likeness = |rule: &Rule| {
            let (_, name) = rule.name.split_once('/').unwrap_or(("", &rule.name));
            let (_, asked) = lower.split_once('/').unwrap_or(("", &lower));
            strsim::jaro_winkler(&name.to_lowercase(), asked)
        };
        let mut alike: Vec<(f64, &str)> = self
            .all
            .iter()
            .map(|rule| (likeness(rule), rule.name.as_str()))
            .filter(|(likeness, _)| *likeness > ALIKE)
            .collect();
        alike.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        Err(alike.into_iter().take(NEAR).map(|(_, name)| name).collect())
    }

    /// A rule by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Rule> {
        self.all.binary_search_by(|rule| rule.name.as_str().cmp(name)).ok().map(|at| &self.all[at])
    }
}

/// Whether a shape is one that reports name: a property's, or one that says itself what is wrong.
fn is_rule(shape: &Shape) -> bool {
    shape.id.is_named_node() && (shape.path.is_some() || !shape.messages.is_empty())
}

fn of_shape(profile: &str, plan: &Plan, shape: &Shape, notes: &Graph) -> Rule {
    let graph = plan.shapes_graph();
    let path = shape.path.as_ref().map(|(node, _)| node);
    let property = path.map(|path| path_text(graph, path));
    let mut rule = Rule {
        name: rule_name(profile, &shape.id, &shape.severity),
        severity: Severity::of_shacl(shape.severity.as_ref()),
        message: message(shape.messages.iter()),
        classes: classes(plan, shape),
        constraints: constraints(graph, &shape.id),
        property,
        ..Rule::default()
    };
    rule.clauses = texts(graph, &shape.id, moisson::CLAUSE);
    // A rule's own notes say more than those of its property.
    let about = path.into_iter().flat_map(|path| properties(graph, path)).collect::<Vec<_>>();
    for node in [&shape.id].into_iter().chain(&about) {
        add_notes(&mut rule, notes, node);
    }
    rule
}

/// What is noted of a rule or of its property, where nothing was noted before.
fn add_notes(rule: &mut Rule, notes: &Graph, node: &Term) {
    if rule.why.en.is_empty() {
        rule.why = message(literals(notes, node, moisson::WHY));
    }
    rule.right = rule.right.take().or_else(|| texts(notes, node, moisson::RIGHT).into_iter().next());
    rule.wrong = rule.wrong.take().or_else(|| texts(notes, node, moisson::WRONG).into_iter().next());
    if rule.clauses.is_empty() {
        let clauses = texts(notes, node, moisson::CLAUSE);
        rule.clauses = clauses_of(&rule.name, clauses);
    }
}

/// Of the clauses about a property those of the rule's own profile and class; else those that are nearest.
fn clauses_of(rule: &str, clauses: Vec<String>) -> Vec<String> {
    let (profile, name) = rule.split_once('/').unwrap_or(("", rule));
    let class = format!("#{}.", name.split('-').next().unwrap_or_default());
    let specification = match profile {
        "dcat-ap-hvd" => "-hvd/",
        "geodcat-ap-3" => "/GeoDCAT-AP/",
        _ => "/DCAT-AP/releases/3.0.1/",
    };
    let such = |is_one: &dyn Fn(&String) -> bool| -> Vec<String> {
        clauses.iter().filter(|clause| is_one(clause)).cloned().collect()
    };
    let own = |clause: &String| clause.contains(specification);
    let of_class = |clause: &String| clause.contains(&class);
    [
        such(&|clause| own(clause) && of_class(clause)),
        such(&|clause| clause.contains("/releases/3.0.1/") && of_class(clause)),
        such(&own),
    ]
    .into_iter()
    .find(|found| !found.is_empty())
    .unwrap_or(clauses)
}

/// Rules that no shape can say: what conversion reads, what identity needs, what lifting mends.
fn of_conversion(notes: &Graph) -> Vec<Rule> {
    let (Some(kind), Some(class)) = (notes.id(rdf::TYPE), notes.id(moisson::RULE)) else { return Vec::new() };
    let nodes: Vec<Term> = notes.subjects(kind, class).map(|node| notes.term(node).clone()).collect();
    let rule = |node: &Term| {
        let name = match node {
            Term::NamedNode(node) => node.as_str().strip_prefix(SHAPES)?.replacen('#', "/", 1),
            Term::BlankNode(_) | Term::Literal(_) => return None,
        };
        let severity = notes.object_of(node.as_ref(), sh::SEVERITY).map_or(Severity::Info, severity_of_term);
        let mut rule =
            Rule { name, severity, message: message(literals(notes, node, sh::MESSAGE)), ..Rule::default() };
        add_notes(&mut rule, notes, node);
        Some(rule)
    };
    nodes.iter().filter_map(rule).collect()
}

fn literals<'g>(
    graph: &'g Graph,
    node: &'g Term,
    predicate: NamedNodeRef<'g>,
) -> impl Iterator<Item = &'g oxrdf::Literal> {
    graph.objects_of(node.as_ref(), predicate).filter_map(|term| match term {
        Term::Literal(literal) => Some(literal),
        Term::NamedNode(_) | Term::BlankNode(_) => None,
    })
}

fn texts(graph: &Graph, node: &Term, predicate: NamedNodeRef<'_>) -> Vec<String> {
    let mut texts: Vec<String> = graph
        .objects_of(node.as_ref(), predicate)
        .map(|term| match term {
            Term::NamedNode(node) => node.as_str().to_owned(),
            Term::Literal(literal) => literal.value().to_owned(),
            Term::BlankNode(node) => node.to_string(),
        })
        .collect();
    texts.sort();
    texts
}

fn message<'l>(texts: impl Iterator<Item = &'l oxrdf::Literal>) -> Message {
    let texts: Vec<_> = texts.collect();
    let of = |tag: &str| {
        let own = texts.iter().find(|text| text.language().is_some_and(|language| language.starts_with(tag)));
        own.or(texts.first()).map_or_else(String::new, |text| text.value().to_owned())
    };
    Message { en: of("en"), fr: of("fr") }
}

/// The properties that a path is made of.
fn properties(graph: &Graph, path: &Term) -> Vec<Term> {
    let text = path_text(graph, path);
    let parts = text.split(['(', ')', '|', '^', '*', '+', '?']).filter(|part| part.contains("://"));
    // A sequence is written with slashes, which IRIs have too: its members are told apart by their schemes.
    let members = parts.flat_map(|part| {
        part.split("/http")
            .enumerate()
            .map(|(number, member)| if number == 0 { member.to_owned() } else { format!("http{member}") })
    });
    members.map(|iri| oxrdf::NamedNode::new_unchecked(iri).into()).collect()
}

/// The classes whose instances a property shape judges: those of the node shapes that have it.
fn classes(plan: &Plan, shape: &Shape) -> Vec<String> {
    let graph = plan.shapes_graph();
    let owners = plan.shapes().iter().filter(|owner| {
        owner.id == shape.id || graph.objects_of(owner.id.as_ref(), sh::PROPERTY).any(|one| *one == shape.id)
    });
    let names: BTreeSet<String> = owners
        .flat_map(|owner| &owner.targets)
        .filter_map(|target| match target {
            Target::Class(id) | Target::ImplicitClass(id) => Some(plan.constants().term(*id)),
            Target::Node(_) | Target::SubjectsOf(_) | Target::ObjectsOf(_) => None,
        })
        .map(shown)
        .collect();
    names.into_iter().collect()
}

/// What a shape asks, a line a parameter.
fn constraints(graph: &Graph, shape: &Term) -> Vec<String> {
    let left_out =
        [rdf::TYPE, sh::PATH, sh::MESSAGE, sh::SEVERITY, sh::NAME, sh::DESCRIPTION, sh::ORDER, sh::GROUP];
    let mut lines: Vec<String> = Vec::new();
    for (predicate, value) in statements(graph, shape) {
        // A custom component has parameters of its own; what Moisson notes of a rule is no constraint.
        let is_ours = predicate.starts_with(moisson::NAMESPACE);
        if !is_ours && !left_out.iter().any(|one| one.as_str() == predicate) {
            lines.push(format!("{} {}", short(&predicate), described(graph, &value, DEEPEST)));
        }
    }
    lines.sort();
    lines
}

fn statements(graph: &Graph, node: &Term) -> Vec<(String, Term)> {
    let Some(id) = graph.id(node.as_ref()) else { return Vec::new() };
    let statement = |row: &[crate::triples::TermId; 3]| {
        let Term::NamedNode(predicate) = graph.term(row[1]) else { return None };
        Some((predicate.as_str().to_owned(), graph.term(row[2]).clone()))
    };
    graph.rows_of_subject(id).iter().filter_map(statement).collect()
}

/// A node of the shapes graph, with what stands below it.
fn described(graph: &Graph, node: &Term, depth: usize) -> String {
    if !node.is_blank_node() || depth == 0 {
        return shown(node);
    }
    if graph.object_of(node.as_ref(), rdf::FIRST).is_some() {
        return format!("( {} )", members(graph, node, depth).join(" "));
    }
    let mut parts: Vec<String> = statements(graph, node)
        .iter()
        .map(|(predicate, value)| format!("{} {}", short(predicate), described(graph, value, depth - 1)))
        .collect();
    parts.sort();
    format!("[ {} ]", parts.join(" ; "))
}

fn members(graph: &Graph, list: &Term, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = Some(list.clone());
    while let Some(cell) = rest.filter(|_| found.len() < 100) {
        let Some(first) = graph.object_of(cell.as_ref(), rdf::FIRST) else { break };
        found.push(described(graph, first, depth - 1));
        rest = graph.object_of(cell.as_ref(), rdf::REST).cloned();
    }
    found
}

fn shown(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => short(node.as_str()),
        other => other.to_string(),
    }
}

fn severity_of_term(term: &Term) -> Severity {
    match term {
        Term::NamedNode(node) => Severity::of_shacl(node.as_ref()),
        Term::BlankNode(_) | Term::Literal(_) => Severity::Info,
    }
}
