//! Profiles: named sets of shapes, and what a result of theirs says to a publisher.

use crate::catalog::{Finding, Message, Place, Severity};
use crate::convert::Draft;
use crate::triples::{Graph, GraphBuilder};
use crate::validate::{Details, DocumentError, Documents, Plan, ShapesError, ValidationResult, path_text};
use crate::vocab::sh;
use oxrdf::{Literal, Term, Triple};
use std::path::Path;

/// The profiles that the program brings, each with the triples it judges.
const BUILT_IN: &[(&str, &str, Scope)] = &[
    ("dcat-ap-3", include_str!("../../shapes/dcat-ap-3.ttl"), Scope::Stated),
    ("dcat-ap-2.1.1", include_str!("../../shapes/dcat-ap-2.1.1.ttl"), Scope::Stated),
    ("moisson", include_str!("../../shapes/moisson.ttl"), Scope::Whole),
];

/// Which statements a profile judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The source's own.
    Stated,
    /// These, and what conversion read into them.
    Whole,
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a built-in name nor a file.
    #[error("{name:?} is neither a profile ({known}) nor a file of shapes")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A file that is not RDF.
    #[error("the shapes {name} cannot be read")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// Ill-formed shapes.
    #[error("the shapes {name} are not well formed")]
    Shapes {
        /// The profile.
        name: String,
        /// What is wrong.
        #[source]
        source: ShapesError,
    },
}

/// A compiled profile.
#[derive(Debug)]
pub struct Profile {
    name: String,
    plan: Plan,
    scope: Scope,
}

/// The profiles of a job.
#[derive(Debug)]
pub struct Profiles {
    profiles: Vec<Profile>,
    fingerprint: String,
}

impl Profiles {
    /// Compiles profiles by name or file; none means `dcat-ap-3` and `moisson`.
    pub fn compile(names: &[String]) -> Result<Self, ProfileError> {
        let default = ["dcat-ap-3".to_owned(), "moisson".to_owned()];
        let names = if names.is_empty() { &default[..] } else { names };
        let mut profiles = Vec::new();
        let mut rules = env!("CARGO_PKG_VERSION").to_owned();
        for name in names {
            let (graph, scope) = match BUILT_IN.iter().find(|(known, _, _)| known == name) {
                Some((_, text, scope)) => {
                    (Documents::of_text(text).expect("the program's own shapes are valid Turtle"), *scope)
                }
                None => (from_file(name)?, Scope::Stated),
            };
            for triple in graph.triples() {
                rules.push_str(&triple.to_string());
            }
            let plan =
                Plan::compile(graph).map_err(|source| ProfileError::Shapes { name: name.clone(), source })?;
            profiles.push(Profile { name: short_name(name), plan, scope });
        }
        let fingerprint = crate::catalog::GraphHash::of(&rules).to_string();
        Ok(Self { profiles, fingerprint })
    }

    /// What changes when the rules do.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Validates a record.
    #[must_use]
    pub fn validate(&self, draft: &Draft, added: &[Triple]) -> Vec<Finding> {
        let stated = graph_of(draft.triples.iter());
        let mut whole = None;
        let mut findings = Vec::new();
        for profile in &self.profiles {
            let graph = match profile.scope {
                Scope::Stated => &stated,
                Scope::Whole => whole.get_or_insert_with(|| graph_of(draft.triples.iter().chain(added))),
            };
            let report = profile.plan.validate(graph, Details::Omitted);
            findings.extend(report.results.iter().map(|result| profile.finding(result, draft)));
        }
        findings
    }
}

impl Profile {
    fn finding(&self, result: &ValidationResult, draft: &Draft) -> Finding {
        let focus = readable(&result.focus_node);
        let line = draft.lines.get(&focus).copied().or(draft.place.line);
        let graph = self.plan.shapes_graph();
        Finding {
            record: draft.remote_id.value.clone(),
            property: result.path.as_ref().map(|path| path_text(graph, path)),
            value: result.value.as_ref().map(ToString::to_string),
            rule: format!("{}/{}", self.name, rule_name(result)),
            severity: severity(result),
            message: message(&result.messages),
            place: Place { page: draft.place.page.clone(), line },
            suggestion: None,
            focus_node: focus,
        }
    }
}

fn graph_of<'t>(triples: impl Iterator<Item = &'t Triple>) -> Graph {
    let mut builder = GraphBuilder::new();
    triples.for_each(|triple| builder.insert(triple));
    builder.build()
}

/// The shapes of a file, with the files beside it that it imports.
fn from_file(name: &str) -> Result<Graph, ProfileError> {
    if !Path::new(name).exists() {
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, _, _)| *name).collect();
        return Err(ProfileError::Unknown { name: name.to_owned(), known: known.join(", ") });
    }
    let documents = Documents::with_imports(&[name], None)
        .map_err(|source| ProfileError::Unreadable { name: name.to_owned(), source })?;
    for import in &documents.missing_imports {
        tracing::warn!(profile = name, import, "the shapes import what is not at hand, and is left out");
    }
    Ok(documents.graph)
}

fn short_name(name: &str) -> String {
    Path::new(name).file_stem().and_then(|stem| stem.to_str()).map_or_else(
        || name.to_owned(),
        |stem| {
            if BUILT_IN.iter().any(|(known, _, _)| *known == name) { name.to_owned() } else { stem.to_owned() }
        },
    )
}

/// The shape's own name, or the component's where the shape has none.
fn rule_name(result: &ValidationResult) -> String {
    let last = |iri: &str| iri.rsplit(['#', '/']).next().unwrap_or(iri).to_owned();
    match &result.source_shape {
        Term::NamedNode(shape) => last(shape.as_str()),
        Term::BlankNode(_) | Term::Literal(_) => last(result.component.as_str()),
    }
}

fn severity(result: &ValidationResult) -> Severity {
    match result.severity.as_ref() {
        sh::INFO => Severity::Info,
        sh::WARNING => Severity::Warning,
        _ => Severity::Violation,
    }
}

fn message(messages: &[Literal]) -> Message {
    let in_language = |tag: &str| {
        messages.iter().find(|message| message.language().is_some_and(|language| language.starts_with(tag)))
    };
    let any = messages.first().map_or("", |message| message.value());
    let text = |tag| in_language(tag).map_or(any, |message| message.value());
    Message::new(text("en"), text("fr"))
}

fn readable(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(_) | Term::Literal(_) => term.to_string(),
    }
}
