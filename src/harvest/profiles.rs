//! Profiles: named sets of shapes, and what a result of theirs says to a publisher.

use super::asked::{self, keep_asked};
use super::findings;
use crate::catalog::{Finding, Message, Place, Severity, SourceKind};
use crate::convert::plain;
use crate::fetch::{Answer, Client, FetchError, Request, Wanted};
use crate::triples::Graph;
use crate::validate::{
    Budget, Data, Details, DocumentError, Documents, Failure, FetchImport, Fetched, Plan, Role, ShapesError,
    ValidationResult, path_text,
};
use crate::vocab::moisson;
use oxrdf::{Literal, NamedNode, Term, Triple};
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;
use url::Url;

/// The profiles that the program brings, each with the triples it judges.
const BUILT_IN: &[(&str, &str, Scope)] = &[
    ("dcat-ap-3", include_str!("../../shapes/dcat-ap-3.ttl"), Scope::Stated),
    // The shapes that it adds to those of DCAT-AP 3, some of which it relaxes: one plan.
    (
        "geodcat-ap-3",
        concat!(include_str!("../../shapes/dcat-ap-3.ttl"), "\n", include_str!("../../shapes/geodcat-ap-3.ttl")),
        Scope::Stated,
    ),
    (
        "dcat-ap-hvd",
        concat!(include_str!("../../shapes/dcat-ap-3.ttl"), "\n", include_str!("../../shapes/dcat-ap-hvd.ttl")),
        Scope::Stated,
    ),
    ("dcat-ap-2.1.1", include_str!("../../shapes/dcat-ap-2.1.1.ttl"), Scope::Stated),
    ("moisson", include_str!("../../shapes/moisson.ttl"), Scope::Whole),
];

/// The names of the profiles that the program brings.
pub fn built_in_profiles() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, ..)| *name)
}

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
    #[error("{name} cannot be read")]
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
    /// The rules about how DCAT is written.
    of_stated_dcat: FxHashSet<Term>,
    /// What the queries of its rules may take in a whole job.
    budget: Budget,
}

/// What a source speaks: some rules are asked of those alone that write their DCAT themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// DCAT.
    Dcat,
    /// Its platform's own JSON or XML.
    Platform(SourceKind),
}

/// A record that is validated.
pub struct Subject<'s> {
    /// What its platform calls it.
    pub record: &'s str,
    /// Its own node.
    pub node: &'s str,
    /// Its statements.
    pub stated: &'s [Triple],
    /// Where a value of a property of a node stands; the record itself where nothing is named.
    pub place_of: &'s dyn Fn(&str, Option<&str>, Option<&str>) -> Place,
}

/// The profiles of a job.
#[derive(Debug, Default)]
pub struct Profiles {
    compiled: Vec<Profile>,
    /// What `sh:class` of code lists looks into, loaded once.
    vocabulary: Option<Graph>,
    fingerprint: String,
}

impl Profiles {
    /// Compiles profiles by name or file; none means `dcat-ap-3` and `moisson`. Vocabularies are files that
    /// are read as if they were part of each record.
    pub fn compile(names: &[String], vocabularies: &[PathBuf]) -> Result<Self, ProfileError> {
        Self::compile_fetching(names, vocabularies, None)
    }

    /// The same; a profile may be an address, where there is something to fetch it with.
    pub fn compile_fetching(
        names: &[String],
        vocabularies: &[PathBuf],
        fetch: Option<FetchImport<'_>>,
    ) -> Result<Self, ProfileError> {
        let default = ["dcat-ap-3".to_owned(), "moisson".to_owned()];
        let names = if names.is_empty() { &default[..] } else { names };
        let mut compiled = Vec::new();
        let mut rules = [env!("CARGO_PKG_VERSION"), asked::TABLE, findings::TABLE].concat();
        for name in names {
            let (graph, scope) = match BUILT_IN.iter().find(|(known, _, _)| known == name) {
                Some((_, text, scope)) => (
                    Documents::of_text(text, Role::Shapes).expect("the program's own shapes are valid Turtle"),
                    *scope,
                ),
                None => (from_afar(name, fetch).unwrap_or_else(|| from_file(name))?, Scope::Stated),
            };
            for triple in graph.triples() {
                rules.push_str(&triple.to_string());
            }
            let plan =
                Plan::compile(graph).map_err(|source| ProfileError::Shapes { name: name.clone(), source })?;
            for warning in plan.warnings() {
                tracing::warn!(profile = name, shape = %warning.shape, refers_to = %warning.refers_to, missing = warning.missing, "a rule refers to what is not there, and is left out");
            }
            let of_stated_dcat = marked(plan.shapes_graph());
            let (name, budget) = (short_name(name), Budget::default());
            compiled.push(Profile { name, plan, scope, of_stated_dcat, budget });
        }
        let vocabulary = read_vocabulary(vocabularies)?;
        for triple in vocabulary.iter().flat_map(Graph::triples) {
            rules.push_str(&triple.to_string());
        }
        let fingerprint = crate::catalog::GraphHash::of(&rules).to_string();
        Ok(Self { compiled, vocabulary, fingerprint })
    }

    /// Whether a name is that of a profile that the program brings.
    #[must_use]
    pub fn is_built_in(name: &str) -> bool {
        BUILT_IN.iter().any(|(known, _, _)| *known == name)
    }

    /// Whether DCAT-AP is among them, or what builds on it.
    #[must_use]
    pub fn has_dcat_ap(&self) -> bool {
        self.compiled.iter().any(|profile| profile.name.contains("dcat-ap"))
    }

    /// The profiles, compiled.
    #[must_use]
    pub fn all(&self) -> &[Profile] {
        &self.compiled
    }

    /// What changes when the rules do.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Validates a record, with what conversion read into it.
    #[must_use]
    pub fn validate(&self, subject: &Subject<'_>, added: &[Triple], speaks: Speaks) -> Vec<Finding> {
        let stated = Graph::of(subject.stated);
        let mut whole = None;
        let mut findings = Vec::new();
        for profile in &self.compiled {
            let graph = match profile.scope {
                Scope::Stated => &stated,
                Scope::Whole if added.is_empty() => &stated,
                Scope::Whole => whole.get_or_insert_with(|| Graph::of(subject.stated.iter().chain(added))),
            };
            let data = Data { graph, vocabulary: self.vocabulary.as_ref() };
            let report = profile.plan.validate_within(data, Details::Omitted, &profile.budget);
            let asked = report.results.iter().filter(|result| profile.is_asked_of(speaks, result));
            findings.extend(asked.map(|result| profile.finding(result, subject)));
            findings.extend(report.failures.iter().map(|failure| profile.not_evaluated(failure, subject)));
        }
        // A profile that builds on another one repeats what that one says.
        if self.compiled.len() > 1 {
            let mut said = FxHashSet::default();
            let identity = |finding: &Finding| {
                (finding.rule.clone(), finding.focus_node.clone(), finding.property.clone(), finding.value.clone())
            };
            findings.retain(|finding| said.insert(identity(finding)));
        }
        if let Speaks::Platform(kind) = speaks {
            keep_asked(&mut findings, kind, subject.node);
        }
        findings
    }
}

impl Profile {
    /// Its name, with which its rules begin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shapes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether a rule is one that the publisher can follow: how DCAT is written is not his choice where a
    /// mapping writes it (`ns:ofStatedDcat`).
    fn is_asked_of(&self, speaks: Speaks, result: &ValidationResult) -> bool {
        speaks == Speaks::Dcat || !self.of_stated_dcat.contains(&result.source_shape)
    }

    fn finding(&self, result: &ValidationResult, subject: &Subject<'_>) -> Finding {
        let focus = readable(&result.focus_node);
        let value = result.value.as_ref().map(plain);
        let graph = self.plan.shapes_graph();
        let property = result.path.as_ref().map(|path| path_text(graph, path));
        Finding {
            record: subject.record.to_owned(),
            property: property.clone(),
            value: result.value.as_ref().map(ToString::to_string),
            rule: rule_name(&self.name, &result.source_shape, &result.component),
            severity: Severity::of_shacl(result.severity.as_ref()),
            message: message(&result.messages),
            place: (subject.place_of)(&focus, property.as_deref(), value.as_deref()),
            focus_node: focus,
            ..Finding::default()
        }
    }

    /// A rule that could not be evaluated is said: silence would look like conformance.
    fn not_evaluated(&self, failure: &Failure, subject: &Subject<'_>) -> Finding {
        let reason = failure.reason.to_string();
        Finding {
            record: subject.record.to_owned(),
            focus_node: readable(&failure.focus_node),
            property: None,
            value: None,
            rule: format!("{}/not-evaluated", self.name),
            severity: Severity::Warning,
            message: Message::new(
                format!("The rule {} could not be evaluated: {reason}.", failure.shape),
                format!("La règle {} n’a pas pu être évaluée : {reason}.", failure.shape),
            ),
            place: (subject.place_of)("", None, None),
            ..Finding::default()
        }
    }
}

/// The shapes that are marked as rules about how DCAT is written.
fn marked(shapes: &Graph) -> FxHashSet<Term> {
    let Some(mark) = shapes.id(moisson::OF_STATED_DCAT) else { return FxHashSet::default() };
    shapes.rows_of_predicate(mark).iter().map(|row| shapes.term(row[2]).clone()).collect()
}

fn read_vocabulary(files: &[PathBuf]) -> Result<Option<Graph>, ProfileError> {
    if files.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Documents::read(files, Role::Vocabulary)
        .map(Some)
        .map_err(|source| ProfileError::Unreadable { name: names.join(", "), source })
}

/// Whether a profile is named by its address on the web.
#[must_use]
pub fn is_address(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://")
}

/// The shapes at an address, with what they import; nothing where the name is none.
fn from_afar(name: &str, fetch: Option<FetchImport<'_>>) -> Option<Result<Graph, ProfileError>> {
    let fetch = fetch.filter(|_| is_address(name))?;
    let unreadable = |source| ProfileError::Unreadable { name: name.to_owned(), source };
    Some(Documents::fetched(name, fetch).map(|documents| documents.graph).map_err(unreadable))
}

/// A document that shapes are read from.
///
/// # Errors
/// When it cannot be fetched.
pub fn fetch_document(client: &Client, runtime: &Handle, url: &Url) -> Result<Fetched, FetchError> {
    match runtime.block_on(client.get(&Request::new(url, Wanted::Rdf)))? {
        Answer::Content { url, content_type, body, .. } => Ok(Fetched { url, content_type, body }),
        // Nothing conditional was asked.
        Answer::NotModified => Err(FetchError::Empty { url: url.to_string() }),
    }
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
    for (import, file) in &documents.taken_by_name {
        tracing::warn!(profile = name, import, file = %file.display(), "an import is taken to be this file, by its name");
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

/// What the IRIs of the program's own shapes begin with.
const SHAPES: &str = "https://moisson.dev/shapes/";

/// The stable name of a rule: of the program's own the profile that it comes of, whatever profile builds on it, and its
/// name there; of others the profile's name and the shape's, or the component's where the shape has none.
#[must_use]
pub fn rule_name(profile: &str, shape: &Term, component: &NamedNode) -> String {
    let last = |iri: &str| iri.rsplit(['#', '/']).next().unwrap_or(iri).to_owned();
    let Term::NamedNode(shape) = shape else { return format!("{profile}/{}", last(component.as_str())) };
    match shape.as_str().strip_prefix(SHAPES) {
        Some(own) => own.replacen('#', "/", 1),
        None => format!("{profile}/{}", last(shape.as_str())),
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
