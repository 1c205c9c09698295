//! A shapes graph compiled once: shapes, their targets and constraints, with every constant numbered.

use super::components::{self, Constraint};
use super::error::ShapesError;
use super::path::Path;
use super::reading::{iris, is_true, objects};
use super::sparql::{CustomComponent, QueryId};
use super::targets::{self, Target};
use crate::triples::Graph;
use crate::vocab::{rdf, sh, xsd};
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term, TermRef};
use rustc_hash::{FxHashMap, FxHashSet};
use std::time::Duration;

/// Shapes may nest this deep; an author writes five levels, a machine perhaps twenty.
const MAX_DEPTH: usize = 100;

/// As long as a query of the public may take.
const QUERY_TIME: Duration = Duration::from_secs(30);

/// Position of a constant of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConstantId(u32);

impl ConstantId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The terms that a plan speaks of, each once, so that an evaluation looks each up once.
#[derive(Debug, Default)]
pub struct Constants {
    terms: Vec<Term>,
    ids: FxHashMap<Term, ConstantId>,
}

impl Constants {
    pub(super) fn add(&mut self, term: &Term) -> ConstantId {
        if let Some(id) = self.ids.get(term) {
            return *id;
        }
        let id = ConstantId(u32::try_from(self.terms.len()).expect("fewer than 2^32 constants in a plan"));
        self.terms.push(term.clone());
        self.ids.insert(term.clone(), id);
        id
    }

    /// The term of a constant.
    #[must_use]
    pub fn term(&self, id: ConstantId) -> &Term {
        &self.terms[id.index()]
    }

    pub(super) fn terms(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter()
    }
}

/// Position of a shape in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId(u32);

impl ShapeId {
    /// # Panics
    /// When there are 2³² shapes.
    pub(super) fn at(position: usize) -> Self {
        Self(u32::try_from(position).expect("fewer than 2^32 shapes in a plan"))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether a shape judges nodes or the values of a property (SHACL 2.2, 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShapeForm {
    Node,
    Property,
}

/// A compiled shape (SHACL 2).
#[derive(Debug)]
pub struct Shape {
    /// The shape's node in the shapes graph.
    pub id: Term,
    /// The path of a property shape, with its node in the shapes graph; `None` for a node shape.
    pub path: Option<(Term, Path)>,
    /// What the shape is applied to by itself.
    pub targets: Vec<Target>,
    /// What the shape asks.
    pub constraints: Vec<Constraint>,
    /// `sh:severity`, else `sh:Violation`.
    pub severity: NamedNode,
    /// `sh:message`, each in its language.
    pub messages: Vec<Literal>,
    /// `sh:deactivated true`: every node conforms.
    pub deactivated: bool,
    /// Whether a constraint refers to other shapes.
    pub(super) refers_to_shapes: bool,
}

/// A shapes graph, ready to be evaluated any number of times, by any number of threads.
#[derive(Debug)]
pub struct Plan {
    pub(super) shapes: Vec<Shape>,
    pub(super) constants: Constants,
    pub(super) shapes_graph: Graph,
    /// What one evaluation of a SPARQL constraint may take.
    pub(super) query_time: Duration,
    warnings: Vec<ShapesWarning>,
}

/// Something in a shapes graph that says nothing: a reference to what stands in a file that is not there.
/// Official shapes have them; the rest of their rules are still of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapesWarning {
    /// The shape that refers.
    pub shape: Term,
    /// What it refers to.
    pub refers_to: Term,
    /// What is missing there.
    pub missing: &'static str,
}

impl Plan {
    /// Compiles a shapes graph.
    ///
    /// # Errors
    /// When the graph is ill-formed: the error names the shape and what it should be (SHACL 3.4.1).
    pub fn compile(shapes_graph: Graph) -> Result<Self, ShapesError> {
        let custom = CustomComponent::read_all(&shapes_graph)?;
        let mut compiler = Compiler {
            graph: &shapes_graph,
            custom: &custom,
            shapes: Vec::new(),
            ids: FxHashMap::default(),
            constants: Constants::default(),
            warnings: Vec::new(),
            depth: 0,
            queries: 0,
        };
        compiler.warn_of_entailment();
        for shape in root_shapes(&shapes_graph) {
            compiler.shape(&shape)?;
        }
        let shapes = compiler.shapes.into_iter().flatten().collect();
        let (constants, warnings) = (compiler.constants, compiler.warnings);
        let plan = Self { shapes, constants, shapes_graph, query_time: QUERY_TIME, warnings };
        plan.refuse_recursion()?;
        Ok(plan)
    }

    /// The shapes, in the order in which they were met.
    #[must_use]
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The references that lead nowhere.
    #[must_use]
    pub fn warnings(&self) -> &[ShapesWarning] {
        &self.warnings
    }

    /// Sets what one evaluation of a SPARQL constraint may take; more is a failure of its shape.
    pub fn limit_query_time(&mut self, limit: Duration) {
        self.query_time = limit;
    }

    /// The constants that paths and constraints refer to.
    #[must_use]
    pub fn constants(&self) -> &Constants {
        &self.constants
    }

    /// The shapes graph that the plan was compiled from.
    #[must_use]
    pub fn shapes_graph(&self) -> &Graph {
        &self.shapes_graph
    }

    pub(super) fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.index()]
    }

    /// Finds a circle of references; SHACL 3.4.3 leaves its meaning to implementations, ours is an error.
    fn refuse_recursion(&self) -> Result<(), ShapesError> {
        let mut finished = FxHashSet::default();
        let mut way = Vec::new();
        for index in 0..self.shapes.len() {
            self.walk(ShapeId::at(index), &mut finished, &mut way)?;
        }
        Ok(())
    }

    fn walk(
        &self,
        id: ShapeId,
        finished: &mut FxHashSet<ShapeId>,
        way: &mut Vec<ShapeId>,
    ) -> Result<(), ShapesError> {
        if finished.contains(&id) {
            return Ok(());
        }
        if let Some(start) = way.iter().position(|on_way| *on_way == id) {
            let through = way[start..].iter().map(|id| self.shape(*id).id.clone()).collect();
            return Err(ShapesError::Recursive { shape: self.shape(id).id.clone(), through });
        }
        if way.len() > MAX_DEPTH {
            return Err(ShapesError::TooDeep { shape: self.shape(id).id.clone(), limit: MAX_DEPTH });
        }
        way.push(id);
        for constraint in &self.shape(id).constraints {
            for next in constraint.shapes() {
                self.walk(next, finished, way)?;
            }
        }
        way.pop();
        finished.insert(id);
        Ok(())
    }
}

/// Reads shapes one by one, each once.
pub(super) struct Compiler<'g> {
    pub(super) graph: &'g Graph,
    pub(super) custom: &'g [CustomComponent],
    shapes: Vec<Option<Shape>>,
    ids: FxHashMap<Term, ShapeId>,
    pub(super) constants: Constants,
    warnings: Vec<ShapesWarning>,
    depth: usize,
    queries: QueryId,
}

impl Compiler<'_> {
    /// Compiles the shape at a node, or finds it when that was done before.
    pub(super) fn shape(&mut self, node: &Term) -> Result<ShapeId, ShapesError> {
        if let Some(id) = self.ids.get(node) {
            return Ok(*id);
        }
        if self.depth > MAX_DEPTH {
            return Err(ShapesError::TooDeep { shape: node.clone(), limit: MAX_DEPTH });
        }
        let id = ShapeId::at(self.shapes.len());
        self.ids.insert(node.clone(), id);
        self.shapes.push(None);
        self.depth += 1;
        let shape = self.read_shape(node)?;
        self.depth -= 1;
        self.shapes[id.index()] = Some(shape);
        Ok(id)
    }

    fn read_shape(&mut self, node: &Term) -> Result<Shape, ShapesError> {
        if let Term::Literal(_) = node {
            return Err(self.wrong(node, sh::NODE_SHAPE, node, "an IRI or a blank node"));
        }
        let path = match self.at_most_one(node, sh::PATH)? {
            Some(path) if self.has_type(node, sh::NODE_SHAPE) => {
                return Err(self.wrong(node, sh::PATH, &path, "left out: a node shape has no path"));
            }
            Some(path) => {
                let compiled = Path::read(self.graph, &path, node, &mut self.constants)?;
                Some((path, compiled))
            }
            None if self.has_type(node, sh::PROPERTY_SHAPE) => {
                return Err(ShapesError::NeedsPath {
                    shape: node.clone(),
                    parameter: sh::PROPERTY_SHAPE.to_string(),
                });
            }
            None => None,
        };
        let form = if path.is_some() { ShapeForm::Property } else { ShapeForm::Node };
        let deactivated = self.boolean(node, sh::DEACTIVATED)?.unwrap_or(false);
        let severity = match self.at_most_one(node, sh::SEVERITY)? {
            None => sh::VIOLATION.into_owned(),
            Some(Term::NamedNode(severity)) => severity,
            Some(value) => return Err(self.wrong(node, sh::SEVERITY, &value, "an IRI")),
        };
        let constraints = components::read(self, node, form)?;
        Ok(Shape {
            id: node.clone(),
            targets: targets::read(self, node)?,
            refers_to_shapes: constraints.iter().any(|constraint| !constraint.shapes().is_empty()),
            constraints,
            path,
            severity,
            messages: self.messages(node)?,
            deactivated,
        })
    }

    /// The value of a parameter that is `true` or `false`.
    pub(super) fn boolean(&self, node: &Term, parameter: NamedNodeRef<'_>) -> Result<Option<bool>, ShapesError> {
        let Some(value) = self.at_most_one(node, parameter)? else { return Ok(None) };
        is_true(&value).map(Some).ok_or_else(|| self.wrong(node, parameter, &value, "true or false"))
    }

    /// The texts of `sh:message` (SHACL 2.1.5): plain or with a language.
    pub(super) fn messages(&self, node: &Term) -> Result<Vec<Literal>, ShapesError> {
        let texts = objects(self.graph, node.as_ref(), sh::MESSAGE).into_iter().map(|value| match value {
            Term::Literal(text) if matches!(text.datatype(), xsd::STRING | rdf::LANG_STRING) => Ok(text),
            other => Err(self.wrong(node, sh::MESSAGE, &other, "a text")),
        });
        texts.collect()
    }

    /// The number of the next query.
    pub(super) fn next_query(&mut self) -> QueryId {
        self.queries += 1;
        self.queries
    }

    /// No entailment regime is supported. SHACL 3.2 would have such shapes refused; national ones ask for
    /// RDFS, and all that they use of it is that an instance of a subclass is one of the class.
    fn warn_of_entailment(&mut self) {
        let graph = self.graph;
        let asked = graph.id(sh::ENTAILMENT).map_or(&[][..], |predicate| graph.rows_of_predicate(predicate));
        for row in asked {
            self.warn(graph.term(row[2]), graph.term(row[1]), "support here");
        }
    }

    /// Notes a reference that leads nowhere.
    pub(super) fn warn(&mut self, shape: &Term, refers_to: &Term, missing: &'static str) {
        self.warnings.push(ShapesWarning { shape: shape.clone(), refers_to: refers_to.clone(), missing });
    }

    /// The only value of a parameter that may be given once.
    pub(super) fn at_most_one(
        &self,
        node: &Term,
        parameter: NamedNodeRef<'_>,
    ) -> Result<Option<Term>, ShapesError> {
        let mut values = objects(self.graph, node.as_ref(), parameter);
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            Err(ShapesError::Repeated { shape: node.clone(), parameter: parameter.to_string() })
        }
    }

    #[allow(clippy::unused_self, reason = "every reader of a parameter has a compiler at hand")]
    pub(super) fn wrong(
        &self,
        shape: &Term,
        parameter: NamedNodeRef<'_>,
        value: &Term,
        expected: &'static str,
    ) -> ShapesError {
        ShapesError::Parameter {
            shape: shape.clone(),
            parameter: parameter.to_string(),
            value: value.clone(),
            expected,
        }
    }

    pub(super) fn has_type(&self, node: &Term, class: NamedNodeRef<'_>) -> bool {
        iris(self.graph, node.as_ref(), rdf::TYPE).iter().any(|found| found.as_ref() == class)
    }
}

/// The shapes that stand for themselves (SHACL 2.1): typed as shapes, or with a target.
/// Shapes that others refer to are compiled on the way.
fn root_shapes(graph: &Graph) -> Vec<Term> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut add = |id| {
        if seen.insert(id) {
            found.push(graph.term(id).clone());
        }
    };
    if let Some(rdf_type) = graph.id(rdf::TYPE) {
        for class in [sh::NODE_SHAPE, sh::PROPERTY_SHAPE] {
            for id in graph.id(class).into_iter().flat_map(|class| graph.subjects(rdf_type, class)) {
                add(id);
            }
        }
    }
    let targets = [sh::TARGET_NODE, sh::TARGET_CLASS, sh::TARGET_SUBJECTS_OF, sh::TARGET_OBJECTS_OF];
    for predicate in targets.into_iter().filter_map(|predicate| graph.id(TermRef::from(predicate))) {
        graph.rows_of_predicate(predicate).iter().for_each(|row| add(row[2]));
    }
    found
}
