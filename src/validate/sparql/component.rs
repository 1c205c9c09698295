//! SPARQL-based constraint components (SHACL 6).

use super::constraint::{SolutionSource, path_of};
use super::query::{BoundQuery, QueryForm, QuerySource, with_path};
use crate::triples::Graph;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::{Compiler, ShapeForm};
use crate::validate::reading::{is_true, literals, objects};
use crate::vocab::sh;
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term};

/// A declared component: its parameters and validators (SHACL 6.2).
#[derive(Debug)]
pub(crate) struct CustomComponent {
    iri: NamedNode,
    parameters: Vec<Parameter>,
    ask: Option<Validator>,
    node_select: Option<Validator>,
    property_select: Option<Validator>,
}

#[derive(Debug)]
struct Parameter {
    path: NamedNode,
    name: String,
    optional: bool,
}

#[derive(Debug, Clone)]
struct Validator {
    node: Term,
    text: String,
    messages: Vec<Literal>,
}

impl CustomComponent {
    /// Reads all components that a shapes graph declares, but for those of SHACL itself.
    pub(in crate::validate) fn read_all(graph: &Graph) -> Result<Vec<Self>, ShapesError> {
        let mut found: Vec<Self> = Vec::new();
        let Some(parameter) = graph.id(sh::HAS_PARAMETER) else { return Ok(found) };
        for row in graph.rows_of_predicate(parameter) {
            let Term::NamedNode(iri) = graph.term(row[2]) else { continue };
            let is_known = found.iter().any(|component| component.iri == *iri);
            if !is_known && !iri.as_str().starts_with(sh::NAMESPACE) {
                found.extend(Self::read(graph, iri)?);
            }
        }
        Ok(found)
    }

    fn read(graph: &Graph, iri: &NamedNode) -> Result<Option<Self>, ShapesError> {
        let node = Term::from(iri.clone());
        let validator = |predicate, text| read_validator(graph, &node, predicate, text);
        let component = Self {
            iri: iri.clone(),
            parameters: read_parameters(graph, &node)?,
            ask: validator(sh::VALIDATOR, sh::ASK),
            node_select: validator(sh::NODE_VALIDATOR, sh::SELECT),
            property_select: validator(sh::PROPERTY_VALIDATOR, sh::SELECT),
        };
        let has_validator =
            component.ask.is_some() || component.node_select.is_some() || component.property_select.is_some();
        Ok(has_validator.then_some(component))
    }
}

fn read_parameters(graph: &Graph, component: &Term) -> Result<Vec<Parameter>, ShapesError> {
    let mut parameters = Vec::new();
    for node in objects(graph, component.as_ref(), sh::HAS_PARAMETER) {
        let Some(Term::NamedNode(path)) = graph.object_of(node.as_ref(), sh::PATH) else {
            return Err(ShapesError::Parameter {
                shape: component.clone(),
                parameter: sh::HAS_PARAMETER.to_string(),
                value: node,
                expected: "a parameter whose sh:path is an IRI",
            });
        };
        let name = variable_name(path.as_str()).to_owned();
        let is_reserved =
            matches!(name.as_str(), "this" | "value" | "path" | "PATH" | "shapesGraph" | "currentShape");
        if name.is_empty() || is_reserved {
            return Err(ShapesError::Parameter {
                shape: component.clone(),
                parameter: sh::HAS_PARAMETER.to_string(),
                value: node,
                expected: "a parameter whose local name is a variable that SHACL has no use for",
            });
        }
        let optional = graph.object_of(node.as_ref(), sh::OPTIONAL).and_then(is_true) == Some(true);
        parameters.push(Parameter { path: path.clone(), name, optional });
    }
    Ok(parameters)
}

/// The local name of a parameter (SHACL 6.2.1): the longest end of its IRI that SPARQL takes as a variable.
fn variable_name(iri: &str) -> &str {
    let start = iri
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || *c == '_')
        .last()
        .map_or(iri.len(), |(at, _)| at);
    iri[start..].trim_start_matches(|c: char| c.is_ascii_digit())
}

fn read_validator(
    graph: &Graph,
    component: &Term,
    predicate: NamedNodeRef<'_>,
    text: NamedNodeRef<'_>,
) -> Option<Validator> {
    objects(graph, component.as_ref(), predicate).into_iter().find_map(|node| {
        let text = literals(graph, node.as_ref(), text).pop()?.value().to_owned();
        let mut messages = literals(graph, node.as_ref(), sh::MESSAGE);
        if messages.is_empty() {
            // The component's own, where its validator has none (SHACL 5.3.2).
            messages = literals(graph, component.as_ref(), sh::MESSAGE);
        }
        Some(Validator { node, text, messages })
    })
}

/// A component applied to a shape, with the values of its parameters.
#[derive(Debug)]
pub struct CustomConstraint {
    component: NamedNode,
    query: BoundQuery,
    form: QueryForm,
    messages: Vec<Literal>,
    values: Vec<(String, Term)>,
}

impl CustomConstraint {
    pub(in crate::validate) fn component(&self) -> NamedNodeRef<'_> {
        self.component.as_ref()
    }

    pub(in crate::validate) fn read(
        compiler: &mut Compiler<'_>,
        shape: &Term,
        shape_form: ShapeForm,
    ) -> Result<Vec<Self>, ShapesError> {
        let mut found = Vec::new();
        let components = compiler.custom;
        for component in components {
            let select = match shape_form {
                ShapeForm::Property => &component.property_select,
                ShapeForm::Node => &component.node_select,
            };
            let validator = select.as_ref().map(|validator| (validator, QueryForm::Select));
            let ask = component.ask.as_ref().map(|validator| (validator, QueryForm::Ask));
            let Some((validator, form)) = validator.or(ask) else { continue };
            for values in parameter_values(compiler.graph, shape, component)? {
                found.push(Self::compile(compiler, shape, component, (validator, form), values)?);
            }
        }
        Ok(found)
    }

    fn compile(
        compiler: &mut Compiler<'_>,
        shape: &Term,
        component: &CustomComponent,
        (validator, form): (&Validator, QueryForm),
        values: Vec<(String, Term)>,
    ) -> Result<Self, ShapesError> {
        let path = path_of(compiler, shape)?;
        let id = compiler.next_query();
        let mut variables: Vec<String> =
            ["this", "value", "currentShape", "shapesGraph"].map(ToOwned::to_owned).into();
        variables.extend(component.parameters.iter().map(|parameter| parameter.name.clone()));
        if form == QueryForm::Select {
            // A SELECT validator returns ?value itself.
            variables.retain(|name| name != "value");
        }
        let query = BoundQuery::parse(&QuerySource {
            graph: compiler.graph,
            shape,
            node: &validator.node,
            text: &with_path(&validator.text, path.as_ref(), &compiler.constants),
            form,
            id,
            variables: &variables,
        })?;
        let messages = validator.messages.clone();
        Ok(Self { component: component.iri.clone(), query, form, messages, values })
    }

    pub(in crate::validate) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        let parameters: Vec<(&str, Term)> =
            self.values.iter().map(|(name, term)| (name.as_str(), term.clone())).collect();
        match self.form {
            QueryForm::Ask => self.check_values(focus, &parameters, results),
            QueryForm::Select => match self.query.select(focus, &parameters) {
                None => {}
                Some(Err(reason)) => results.fail(focus, reason),
                Some(Ok(solutions)) => {
                    for solution in solutions {
                        self.source(&parameters).add(focus, &solution, results);
                    }
                }
            },
        }
    }

    fn check_values(&self, focus: &Focus<'_>, parameters: &[(&str, Term)], results: &mut Results) {
        for value in focus.values {
            let value = focus.session.term(*value);
            let mut bindings = parameters.to_vec();
            bindings.push(("value", value.clone()));
            match self.query.ask(focus, &bindings) {
                None => return,
                Some(Err(reason)) => results.fail(focus, reason),
                Some(Ok(true)) => {}
                Some(Ok(false)) => {
                    let names: Vec<_> =
                        bindings.iter().filter_map(|(name, _)| oxrdf::Variable::new(*name).ok()).collect();
                    let terms: Vec<_> = bindings.iter().map(|(_, term)| Some(term.clone())).collect();
                    let solution = (names, terms).into();
                    self.source(&[]).add(focus, &solution, results);
                }
            }
        }
    }

    fn source<'s>(&'s self, parameters: &'s [(&'s str, Term)]) -> SolutionSource<'s> {
        SolutionSource {
            component: self.component.clone(),
            constraint: None,
            messages: &self.messages,
            parameters,
        }
    }
}

/// The values of a component's parameters on a shape: none when a required one is missing, one set
/// for each value when there is only one parameter (SHACL 6.2.1, 2.1.2).
fn parameter_values(
    graph: &Graph,
    shape: &Term,
    component: &CustomComponent,
) -> Result<Vec<Vec<(String, Term)>>, ShapesError> {
    let values = |parameter: &Parameter| objects(graph, shape.as_ref(), parameter.path.as_ref());
    if let [parameter] = component.parameters.as_slice() {
        return Ok(values(parameter).into_iter().map(|value| vec![(parameter.name.clone(), value)]).collect());
    }
    let mut set = Vec::new();
    for parameter in &component.parameters {
        let mut values = values(parameter).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => set.push((parameter.name.clone(), value)),
            (Some(_), Some(_)) => {
                return Err(ShapesError::Repeated { shape: shape.clone(), parameter: parameter.path.to_string() });
            }
            (None, _) if parameter.optional => {}
            (None, _) => return Ok(Vec::new()),
        }
    }
    Ok(if set.is_empty() { Vec::new() } else { vec![set] })
}
