//! Queries with pre-bound variables (SHACL 5.2.1, 5.3, appendix A).

use super::deadline;
use crate::triples::Graph;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::Focus;
use crate::validate::path::Path;
use crate::validate::plan::Constants;
use crate::validate::reading::{literals, objects};
use crate::vocab::{owl, sh};
use oxrdf::{NamedNode, Term, Variable};
use rustc_hash::FxHashSet;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults, QuerySolution};
use spargebra::algebra::GraphPattern;
use spargebra::{Query, SparqlParser};
use std::sync::LazyLock;

/// The name by which queries reach the shapes graph.
static SHAPES_GRAPH: LazyLock<Term> =
    LazyLock::new(|| NamedNode::new_unchecked("urn:x-moisson:shapes-graph").into());

/// More solutions than this for one focus node are a failure, not a report.
const MAX_SOLUTIONS: usize = 10_000;

/// A parsed query and the variables that will be bound before it runs.
#[derive(Debug)]
pub(super) struct BoundQuery {
    query: Query,
}

/// Where a query stands, for its errors and its prefixes.
pub(super) struct QuerySource<'s> {
    pub(super) graph: &'s Graph,
    pub(super) shape: &'s Term,
    /// The node with `sh:select` or `sh:ask`, and `sh:prefixes`.
    pub(super) node: &'s Term,
    pub(super) text: &'s str,
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
        let declared = prefixes(source.graph, source.node);
        let mut query = match parse(source.text, &declared) {
            Ok(query) => query,
            // Validators that take over the prefixes of the file have taught authors to declare none.
            Err(error) if declared.is_empty() => {
                parse(source.text, &usual_prefixes()).map_err(|_| wrong(error))?
            }
            Err(error) => return Err(wrong(error)),
        };
        let variables: Vec<Variable> =
            source.variables.iter().filter_map(|name| Variable::new(name).ok()).collect();
        let pattern = match &mut query {
            Query::Select { pattern, .. } | Query::Ask { pattern, .. } => pattern,
            Query::Construct { .. } | Query::Describe { .. } => {
                return Err(wrong("it is neither SELECT nor ASK".into()));
            }
        };
        Prebinding { variables: &variables }
            .refuse_forbidden(pattern, Level::Top)
            .map_err(|construct| ShapesError::Forbidden { shape: source.shape.clone(), construct })?;
        project(pattern, &variables);
        Ok(Self { query })
    }

    /// Runs an ASK query.
    pub(super) fn ask(&self, focus: &Focus<'_>, bindings: &[(&str, Term)]) -> Result<bool, QueryEvaluationError> {
        within_limits(focus, |evaluator| match self.run(evaluator, focus, bindings)? {
            QueryResults::Boolean(answer) => Ok(answer),
            QueryResults::Solutions(mut solutions) => Ok(solutions.next().is_some()),
            QueryResults::Graph(_) => Ok(false),
        })
    }

    /// Runs a SELECT query.
    pub(super) fn select(
        &self,
        focus: &Focus<'_>,
        bindings: &[(&str, Term)],
    ) -> Result<Vec<QuerySolution>, QueryEvaluationError> {
        within_limits(focus, |evaluator| match self.run(evaluator, focus, bindings)? {
            QueryResults::Solutions(solutions) => {
                let found: Vec<_> = solutions.take(MAX_SOLUTIONS + 1).collect::<Result<_, _>>()?;
                if found.len() > MAX_SOLUTIONS {
                    return Err(QueryEvaluationError::Dataset("it has more than 10,000 solutions".into()));
                }
                Ok(found)
            }
            QueryResults::Boolean(_) | QueryResults::Graph(_) => Ok(Vec::new()),
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
}

fn within_limits<R>(
    focus: &Focus<'_>,
    run: impl FnOnce(&QueryEvaluator) -> Result<R, QueryEvaluationError>,
) -> Result<R, QueryEvaluationError> {
    let limit = focus.session.plan.query_time;
    let outcome = deadline::within(limit, |token| run(&evaluator().with_cancellation_token(token)));
    outcome.map_err(|error| match error {
        QueryEvaluationError::Cancelled => {
            QueryEvaluationError::Dataset(format!("it took more than {limit:?}").into())
        }
        other => other,
    })
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
fn prefixes(graph: &Graph, node: &Term) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut frontier = objects(graph, node.as_ref(), sh::PREFIXES);
    while let Some(ontology) = frontier.pop() {
        if !seen.insert(ontology.clone()) {
            continue;
        }
        for declaration in objects(graph, ontology.as_ref(), sh::DECLARE) {
            let text = |predicate| literals(graph, declaration.as_ref(), predicate).pop();
            if let (Some(prefix), Some(namespace)) = (text(sh::PREFIX), text(sh::NAMESPACE_TERM)) {
                found.push((prefix.value().to_owned(), namespace.value().to_owned()));
            }
        }
        frontier.extend(objects(graph, ontology.as_ref(), owl::IMPORTS));
    }
    found
}

/// Replaces `$PATH` by the path itself, as SHACL 5.3.1 asks.
pub(super) fn with_path(text: &str, path: Option<&Path>, constants: &Constants) -> String {
    match path {
        None => text.to_owned(),
        Some(path) => {
            let path = path.to_sparql(constants);
            text.replace("$PATH", &path).replace("?PATH", &path)
        }
    }
}

/// Keeps pre-bound variables through the outermost projection, without which they are not bound inside.
fn project(pattern: &mut GraphPattern, bound: &[Variable]) {
    match pattern {
        GraphPattern::Project { variables, .. } => {
            for variable in bound {
                if !variables.contains(variable) {
                    variables.push(variable.clone());
                }
            }
        }
        GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::OrderBy { inner, .. } => project(inner, bound),
        _ => {}
    }
}

struct Prebinding<'v> {
    variables: &'v [Variable],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Nested,
}

impl Prebinding<'_> {
    /// Finds a construct of appendix A that may not be used.
    fn refuse_forbidden(&self, pattern: &GraphPattern, level: Level) -> Result<(), &'static str> {
        match pattern {
            GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => Ok(()),
            GraphPattern::Minus { .. } => Err("MINUS"),
            GraphPattern::Service { .. } => Err("SERVICE"),
            GraphPattern::Values { .. } => Err("VALUES"),
            GraphPattern::Extend { variable, .. } if self.is_bound(variable) => {
                Err("AS with a pre-bound variable")
            }
            GraphPattern::Project { inner, variables } => {
                if level == Level::Nested && !variables.iter().any(|v| v.as_str() == "this") {
                    return Err("a nested SELECT that does not return $this");
                }
                self.refuse_forbidden(inner, Level::Nested)
            }
            GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. }
            | GraphPattern::OrderBy { inner, .. } => self.refuse_forbidden(inner, level),
            GraphPattern::Filter { inner, .. }
            | GraphPattern::Graph { inner, .. }
            | GraphPattern::Extend { inner, .. }
            | GraphPattern::Group { inner, .. } => self.refuse_forbidden(inner, Level::Nested),
            GraphPattern::Join { left, right }
            | GraphPattern::Union { left, right }
            | GraphPattern::LeftJoin { left, right, .. } => {
                self.refuse_forbidden(left, Level::Nested)?;
                self.refuse_forbidden(right, Level::Nested)
            }
            GraphPattern::Lateral { .. } => Err("LATERAL"),
        }
    }

    fn is_bound(&self, variable: &Variable) -> bool {
        self.variables.contains(variable)
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Data, Details, Documents, Plan};
    use std::time::{Duration, Instant};

    /// A query that pairs every triple with every triple three times over.
    const ENDLESS: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> .
        <http://e/S> a sh:NodeShape ; sh:targetNode <http://e/0> ; sh:sparql [
            sh:select \"SELECT $this WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . FILTER(?a = 1) }\" ] .";

    #[test]
    fn a_query_without_end_is_a_failure_that_names_the_shape() {
        let data: Vec<String> = (0..500).map(|n| format!("<http://e/{n}> <http://e/p> {n} .")).collect();
        let mut plan = Plan::compile(Documents::of_text(ENDLESS).unwrap()).unwrap();
        plan.limit_query_time(Duration::from_millis(300));
        let data = Documents::of_text(&data.concat()).unwrap();
        let start = Instant::now();
        let report = plan.validate(Data::from(&data), Details::Omitted);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(report.failures.len(), 1);
        assert_eq!(report.failures[0].shape.to_string(), "<http://e/S>");
        assert!(report.failures[0].reason.contains("300ms"), "{:?}", report.failures);
    }
}
