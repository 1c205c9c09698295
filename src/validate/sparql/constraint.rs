//! `sh:sparql` (SHACL 5).

use super::query::{BoundQuery, QueryForm, QuerySource, with_path};
use crate::triples::Graph;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::message;
use crate::validate::path::Path;
use crate::validate::plan::Compiler;
use crate::validate::reading::objects;
use crate::vocab::sh;
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term};
use spareval::QuerySolution;

/// A SPARQL-based constraint: each solution is a result.
#[derive(Debug)]
pub struct SparqlConstraint {
    node: Term,
    query: BoundQuery,
    messages: Vec<Literal>,
}

impl SparqlConstraint {
    #[allow(clippy::unused_self, reason = "every constraint is asked for its component")]
    pub(in crate::validate) fn component(&self) -> NamedNodeRef<'static> {
        sh::SPARQL_CONSTRAINT_COMPONENT
    }

    pub(in crate::validate) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<Self>, ShapesError> {
        let mut found = Vec::new();
        for node in objects(compiler.graph, shape.as_ref(), sh::SPARQL) {
            if compiler.boolean(&node, sh::DEACTIVATED)? == Some(true) {
                continue;
            }
            let text = match compiler.at_most_one(&node, sh::SELECT)? {
                Some(Term::Literal(text)) => text,
                None if node.is_named_node() => {
                    compiler.warn(shape, &node, "sh:select");
                    continue;
                }
                _ => return Err(compiler.wrong(shape, sh::SPARQL, &node, "a constraint with one sh:select")),
            };
            let path = path_of(compiler, shape)?;
            let id = compiler.next_query();
            let variables = ["this", "currentShape", "shapesGraph"].map(ToOwned::to_owned);
            let query = BoundQuery::parse(&QuerySource {
                graph: compiler.graph,
                shape,
                node: &node,
                text: &with_path(text.value(), path.as_ref(), &compiler.constants),
                form: QueryForm::Select,
                id,
                variables: &variables,
            })?;
            let messages = compiler.messages(&node)?;
            found.push(Self { node, query, messages });
        }
        Ok(found)
    }

    pub(in crate::validate) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        match self.query.select(focus, &[]) {
            None => {}
            Some(Err(reason)) => results.fail(focus, reason),
            Some(Ok(solutions)) => {
                for solution in solutions {
                    let source = SolutionSource {
                        component: sh::SPARQL_CONSTRAINT_COMPONENT.into_owned(),
                        constraint: Some(&self.node),
                        messages: &self.messages,
                        parameters: &[],
                    };
                    source.add(focus, &solution, results);
                }
            }
        }
    }
}

/// The compiled path of a property shape.
pub(super) fn path_of(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Option<Path>, ShapesError> {
    let Some(path) = compiler.at_most_one(shape, sh::PATH)? else { return Ok(None) };
    let graph: &Graph = compiler.graph;
    Path::read(graph, &path, shape, &mut compiler.constants).map(Some)
}

/// What turns a solution into a result (SHACL 5.3.2).
pub(super) struct SolutionSource<'s> {
    pub(super) component: NamedNode,
    pub(super) constraint: Option<&'s Term>,
    pub(super) messages: &'s [Literal],
    pub(super) parameters: &'s [(&'s str, Term)],
}

impl SolutionSource<'_> {
    pub(super) fn add(self, focus: &Focus<'_>, solution: &QuerySolution, results: &mut Results) {
        results.add_filled(focus, self.component.clone(), |result| {
            result.value = solution.get("value").cloned();
            if result.value.is_none() && result.path.is_none() {
                result.value = Some(result.focus_node.clone());
            }
            if let Some(path @ Term::NamedNode(_)) = solution.get("path") {
                result.path = Some(path.clone());
            }
            result.source_constraint = self.constraint.cloned();
            let lookup = |name: &str| {
                if matches!(name, "PATH" | "path") && solution.get(name).is_none() {
                    return focus.path_term();
                }
                if name == "this" {
                    return Some(focus.session.term(focus.node));
                }
                let parameter = self.parameters.iter().find(|(parameter, _)| *parameter == name);
                solution.get(name).cloned().or_else(|| parameter.map(|(_, term)| term.clone()))
            };
            result.messages = if let Some(Term::Literal(message)) = solution.get("message") {
                vec![message.clone()]
            } else {
                // All results of a shape with messages have exactly these (SHACL 2.1.5).
                let own = &focus.shape.messages;
                let messages = if own.is_empty() { self.messages } else { own };
                messages.iter().map(|text| message::fill(text, lookup)).collect()
            };
        });
    }
}
