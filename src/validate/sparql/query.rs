//! Queries with pre-bound variables (SHACL 5.2.1, 5.3, appendix A).

use super::budget::QueryId;
use super::ordering::chained;
use super::prebinding::{Prebinding, project, projection};
use crate::triples::{Graph, is_too_deep};
use crate::validate::error::ShapesError;
use crate::validate::evaluation::Focus;
use crate::validate::path::Path;
use crate::validate::plan::Constants;
use crate::validate::reading::{is_true, literals, objects};
use crate::validate::report::FailureReason;
use crate::vocab::{owl, sh};
use oxrdf::{NamedNode, Term, Variable};
use regex::Regex;
use rustc_hash::FxHashSet;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults, QuerySolution};
use spargebra::algebra::GraphPattern;
use spargebra::{Query, SparqlParser};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The name by which queries reach the shapes graph.
static SHAPES_GRAPH: LazyLock<Term> =
    LazyLock::new(|| NamedNode::new_unchecked("urn:x-moisson:shapes-graph").into());

/// More solutions than this for one focus node are a failure, not a report.
const MAX_SOLUTIONS: usize = 10_000;

/// A parsed query, run with variables bound beforehand.
#[derive(Debug)]
pub(super) struct BoundQuery {
    query: Query,
    id: QueryId,
}

/// What a query must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryForm {
    Ask,
    Select,
}

/// Where a query stands, for its errors and its prefixes.
pub(super) struct QuerySource<'s> {
    pub(super) graph: &'s Graph,
    pub(super) shape: &'s Term,
    /// The node with `sh:select` or `sh:ask`, and `sh:prefixes`.
    pub(super) node: &'s Term,
    pub(super) text: &'s str,
    pub(super) form: QueryForm,
    /// Its number in the plan.
    pub(super) id: QueryId,
    /// The variables that are bound beforehand, without their sign.
    pub(super) variables: &'s [String],
}

impl BoundQuery {
    /// Parses a query and refuses what pre-binding forbids.
    pub(super) fn parse(source: &QuerySource<'_>) -> Result<Self, ShapesError> {
        let wrong = |cause: AnyError| ShapesError::Query {
            shape: source.shape.clone(),
            what: "its SPARQL query",
            source: cause,
        };
        if is_too_deep(source.text) {
            return Err(wrong("it nests too deep".into()));
        }
        let declared = prefixes(source.graph, source.shape, source.node)?;
        let query = match parse(source.text, &declared) {
            Ok(query) => query,
            // Validators that take over the prefixes of the file have taught authors to declare none.
            Err(error) if declared.is_empty() => {
                parse(source.text, &usual_prefixes()).map_err(|_| wrong(error))?
            }
            Err(error) => return Err(wrong(error)),
        };
        let query = Self::bind(query, source).map_err(|construct| match construct {
            Refusal::Form(expected) => wrong(expected.into()),
            Refusal::Construct(construct) => ShapesError::Forbidden { shape: source.shape.clone(), construct },
        })?;
        Ok(Self { query, id: source.id })
    }

    /// Checks the form of a query and prepares its pattern for bound variables.
    fn bind(query: Query, source: &QuerySource<'_>) -> Result<Query, Refusal> {
        let variables: Vec<Variable> =
            source.variables.iter().filter_map(|name| Variable::new(name).ok()).collect();
        let prepare = |mut pattern: GraphPattern| {
            let returned: Vec<Variable> = variables
                .iter()
                .filter(|variable| !matches!(variable.as_str(), "shapesGraph" | "currentShape"))
                .cloned()
                .collect();
            Prebinding { variables: &variables, returned: &returned }
                .refuse_forbidden(&pattern)
                .map_err(Refusal::Construct)?;
            if source.form == QueryForm::Select {
                let has_this = |variables: &mut Vec<Variable>| variables.iter().any(|v| v.as_str() == "this");
                if !projection(&mut pattern).is_some_and(has_this) {
                    return Err(Refusal::Construct("a SELECT that does not return $this"));
                }
            }
            project(&mut pattern, &variables);
            Ok(chained(pattern, &variables))
        };
        match (query, source.form) {
            (Query::Select { pattern, dataset, base_iri }, QueryForm::Select) => {
                Ok(Query::Select { pattern: prepare(pattern)?, dataset, base_iri })
            }
            (Query::Ask { pattern, dataset, base_iri }, QueryForm::Ask) => {
                Ok(Query::Ask { pattern: prepare(pattern)?, dataset, base_iri })
            }
            (_, QueryForm::Select) => Err(Refusal::Form("it is no SELECT query")),
            (_, QueryForm::Ask) => Err(Refusal::Form("it is no ASK query")),
        }
    }

    /// Runs an ASK query; `None` when it was given up before.
    pub(super) fn ask(&self, focus: &Focus<'_>, bindings: &[(&str, Term)]) -> Option<Result<bool, FailureReason>> {
        self.within_limits(focus, |evaluator| match self.run(evaluator, focus, bindings)? {
            QueryResults::Boolean(answer) => Ok(answer),
            QueryResults::Solutions(_) | QueryResults::Graph(_) => unreachable!("`parse` takes ASK queries only"),
        })
    }

    /// Runs a SELECT query; `None` when it was given up before.
    pub(super) fn select(
        &self,
        focus: &Focus<'_>,
        bindings: &[(&str, Term)],
    ) -> Option<Result<Vec<QuerySolution>, FailureReason>> {
        self.within_limits(focus, |evaluator| match self.run(evaluator, focus, bindings)? {
            QueryResults::Solutions(solutions) => {
                let found: Vec<_> = solutions.take(MAX_SOLUTIONS + 1).collect::<Result<_, _>>()?;
                if found.len() > MAX_SOLUTIONS {
                    return Err(FailureReason::Solutions { limit: MAX_SOLUTIONS });
                }
                if found.iter().any(says_failure) {
                    return Err(FailureReason::Stated);
                }
                Ok(found)
            }
            QueryResults::Boolean(_) | QueryResults::Graph(_) => {
                unreachable!("`parse` takes SELECT queries only")
            }
        })
    }

    fn run<'f>(
        &self,
        evaluator: &QueryEvaluator,
        focus: &'f Focus<'_>,
        bindings: &[(&str, Term)],
    ) -> Result<QueryResults<'f>, QueryEvaluationError> {
        let mut prepared = evaluator.prepare(&self.query);
        let always = [
            ("this", focus.session.term(focus.node)),
            ("currentShape", focus.shape.id.clone()),
            ("shapesGraph", SHAPES_GRAPH.clone()),
        ];
        for (name, term) in always.iter().chain(bindings) {
            prepared = prepared.substitute_variable(Variable::new_unchecked(*name), term.clone());
        }
        let plan = focus.session.plan;
        prepared.execute(focus.session.view().with_named(&SHAPES_GRAPH, &plan.shapes_graph))
    }

    fn within_limits<R>(
        &self,
        focus: &Focus<'_>,
        run: impl FnOnce(&QueryEvaluator) -> Result<R, FailureReason>,
    ) -> Option<Result<R, FailureReason>> {
        let limit = focus.session.plan.query_time;
        focus.budget().run(self.id, limit, |token| run(&evaluator().with_cancellation_token(token)))
    }
}

/// Whether a solution says that validation failed (SHACL 5.3.1).
fn says_failure(solution: &QuerySolution) -> bool {
    solution.get("failure").and_then(is_true) == Some(true)
}

enum Refusal {
    Form(&'static str),
    Construct(&'static str),
}

/// An optimiser that takes a pre-bound variable for one that nothing binds would fold filters away.
fn evaluator() -> QueryEvaluator {
    QueryEvaluator::new().without_optimizations()
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn parse(text: &str, prefixes: &[(String, String)]) -> Result<Query, AnyError> {
    let mut parser = SparqlParser::new();
    for (prefix, namespace) in prefixes {
        parser = parser.with_prefix(prefix, namespace)?;
    }
    Ok(parser.parse_query(text)?)
}

fn usual_prefixes() -> Vec<(String, String)> {
    crate::vocab::PREFIXES.iter().map(|(prefix, iri)| ((*prefix).to_owned(), (*iri).to_owned())).collect()
}

/// The prefixes of `sh:prefixes`, with those of imported ontologies (SHACL 5.2.1).
fn prefixes(graph: &Graph, shape: &Term, node: &Term) -> Result<Vec<(String, String)>, ShapesError> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = FxHashSet::default();
    let mut frontier = objects(graph, node.as_ref(), sh::PREFIXES);
    while let Some(ontology) = frontier.pop() {
        if !seen.insert(ontology.clone()) {
            continue;
        }
        for declaration in objects(graph, ontology.as_ref(), sh::DECLARE) {
            let wrong = |expected| ShapesError::Parameter {
                shape: shape.clone(),
                parameter: sh::DECLARE.to_string(),
                value: declaration.clone(),
                expected,
            };
            let text = |predicate| literals(graph, declaration.as_ref(), predicate).pop();
            let (Some(prefix), Some(namespace)) = (text(sh::PREFIX), text(sh::NAMESPACE_TERM)) else {
                return Err(wrong("a declaration with sh:prefix and sh:namespace"));
            };
            let former = found.insert(prefix.value().to_owned(), namespace.value().to_owned());
            if former.is_some_and(|former| former != namespace.value()) {
                return Err(wrong("the only namespace of its prefix"));
            }
        }
        frontier.extend(objects(graph, ontology.as_ref(), owl::IMPORTS));
    }
    Ok(found.into_iter().collect())
}

/// Replaces `$PATH` by the path itself, as SHACL 5.3.1 asks.
pub(super) fn with_path(text: &str, path: Option<&Path>, constants: &Constants) -> String {
    static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[$?]PATH\b").expect("a static expression"));
    match path {
        None => text.to_owned(),
        Some(path) => VARIABLE.replace_all(text, regex::NoExpand(&path.to_sparql(constants))).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Data, Details, Documents, Plan, Role};
    use std::time::{Duration, Instant};

    /// A query that pairs every triple with every triple three times over.
    const ENDLESS: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> .
        <http://e/S> a sh:NodeShape ; sh:targetNode <http://e/0> ; sh:sparql [
            sh:select \"SELECT $this WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . FILTER(?a = 1) }\" ] .";

    #[test]
    fn a_query_without_end_is_a_failure_that_names_the_shape() {
        let data: Vec<String> = (0..500).map(|n| format!("<http://e/{n}> <http://e/p> {n} .")).collect();
        let mut plan = Plan::compile(Documents::of_text(ENDLESS, Role::Shapes).unwrap()).unwrap();
        plan.limit_query_time(Duration::from_millis(300));
        let data = Documents::of_text(&data.concat(), Role::Data).unwrap();
        let start = Instant::now();
        let report = plan.validate(Data::from(&data), Details::Omitted);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(report.failures.len(), 1);
        assert_eq!(report.failures[0].shape.to_string(), "<http://e/S>");
        assert!(report.failures[0].reason.to_string().contains("300ms"), "{:?}", report.failures);
    }

    fn validate(shapes: &str, data: &str) -> crate::validate::Report {
        let prefixes = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .\n";
        let shapes = Documents::of_text(&format!("{prefixes}{shapes}"), Role::Shapes).unwrap();
        let plan = Plan::compile(shapes).unwrap();
        let data = Documents::of_text(&format!("{prefixes}{data}"), Role::Data).unwrap();
        plan.validate(Data::from(&data), Details::Omitted)
    }

    #[test]
    fn a_failure_stays_one_under_a_negation() {
        let data: Vec<String> = (0..200).map(|n| format!("ex:{n} ex:p {n} .")).collect();
        let shapes = "ex:S sh:targetNode ex:a ; sh:not [ sh:sparql [ sh:select \"SELECT $this WHERE { ?a ?b ?c . ?d ?e ?f }\" ] ] .";
        let report = validate(shapes, &data.concat());
        assert!(!report.conforms());
        assert_eq!(report.failures.len(), 1, "{report:?}");
        let stated = "ex:S sh:targetNode ex:a ; sh:sparql [ sh:select \"SELECT $this (true AS ?failure) WHERE { $this ex:p ?v }\" ] .";
        let with_prefix = stated.replace("ex:p ?v", "<http://e/p> ?v");
        assert_eq!(validate(&with_prefix, "ex:a ex:p 1 .").failures.len(), 1);
    }

    /// Each focus node is looked up, not searched for among all pairs: without that this takes minutes.
    #[test]
    fn joins_start_from_what_is_bound() {
        let data: Vec<String> = (0..4_000)
            .map(|n| format!("ex:d{n} a ex:D ; ex:part ex:x{n} ; ex:right ex:r . ex:x{n} a ex:X ."))
            .collect();
        let shapes = "ex:S sh:targetClass ex:X ; sh:sparql [ sh:select \"SELECT $this WHERE { \
            ?d a <http://e/D> ; <http://e/right> ?r ; <http://e/part> $this . \
            FILTER NOT EXISTS { ?other a <http://e/D> ; <http://e/part> $this } }\" ] .";
        assert!(validate(shapes, &data.concat()).conforms());
    }

    #[test]
    fn forms_that_say_nothing_are_refused() {
        let refused = [
            "ASK { FILTER(true) }",
            "SELECT ?x WHERE { ?x ?y ?z }",
            "SELECT $this WHERE { $this ?p ?o FILTER NOT EXISTS { SERVICE <http://x/> { ?a ?b ?c } } }",
            "SELECT $this WHERE { $this ?p ?o FILTER EXISTS { { SELECT ?o WHERE { ?s ?p ?o } } } }",
        ];
        for query in refused {
            let shapes = format!(
                "<http://e/S> <http://www.w3.org/ns/shacl#targetNode> <http://e/a> ; <http://www.w3.org/ns/shacl#sparql> \
                 [ <http://www.w3.org/ns/shacl#select> \"{query}\" ] ."
            );
            assert!(Plan::compile(Documents::of_text(&shapes, Role::Shapes).unwrap()).is_err(), "{query}");
        }
    }
}
