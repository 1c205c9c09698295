//! Validation (SHACL 3.4): focus nodes, value nodes, results.

use super::explain::Tally;
use super::message;
use super::plan::{ConstantId, Plan, Shape, ShapeId};
use super::report::{Failure, FailureReason, Report, ValidationResult};
use super::session::{Data, NodeId, Session};
use super::sparql::Budget;
use super::targets::focus_nodes;
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

/// Shapes that may be applied for one focus node: hand-written shapes stay far below, and shapes that
/// double the work at each level end here.
const MAX_APPLIED: u64 = 20_000_000;

/// Past this many focus nodes, a validation is spread over the processor's cores.
const PARALLEL_FROM: usize = 2_000;
const NODES_A_TASK: usize = 500;

/// Whether results say why a referred shape does not hold (`sh:detail`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// With `sh:detail`.
    Kept,
    /// Without.
    Omitted,
}

impl Plan {
    /// Validates a data graph against all shapes with targets.
    #[must_use]
    pub fn validate<'g>(&'g self, data: impl Into<Data<'g>>, details: Details) -> Report {
        self.validate_within(data, details, &Budget::default())
    }

    /// Validates as [`Plan::validate`] does, with a budget that several validations share: a query that
    /// spent its time on one graph is not tried on the next.
    #[must_use]
    pub fn validate_within<'g>(&'g self, data: impl Into<Data<'g>>, details: Details, budget: &Budget) -> Report {
        let data = data.into();
        let session = Session::new(self, data);
        let tasks = self.tasks(&session);
        let number: usize = tasks.iter().map(|(_, nodes)| nodes.len()).sum();
        if number < PARALLEL_FROM {
            return Evaluation::new(session, details, budget).run(&tasks);
        }
        drop(session);
        let parts: Vec<(ShapeId, &[NodeId])> = tasks
            .iter()
            .flat_map(|(shape, nodes)| nodes.chunks(NODES_A_TASK).map(|part| (*shape, part)))
            .collect();
        let reports: Vec<Report> = parts
            .into_par_iter()
            .map(|(shape, nodes)| {
                let session = Session::new(self, data);
                Evaluation::new(session, details, budget).run(&[(shape, nodes.to_vec())])
            })
            .collect();
        let mut whole = Report::default();
        for report in reports {
            whole.results.extend(report.results);
            whole.failures.extend(report.failures);
        }
        whole
    }

    /// Validates as [`Plan::validate`] does, on one core, and counts what each constraint cost.
    #[must_use]
    pub fn explain<'g>(&'g self, data: impl Into<Data<'g>>) -> (Report, Tally) {
        let session = Session::new(self, data.into());
        let tasks = self.tasks(&session);
        let budget = Budget::default();
        let mut evaluation = Evaluation::new(session, Details::Omitted, &budget);
        evaluation.tally = Some(Tally::default());
        let report = evaluation.run(&tasks);
        (report, evaluation.tally.unwrap_or_default())
    }

    /// The focus nodes of each active shape that has targets.
    fn tasks(&self, session: &Session<'_>) -> Vec<(ShapeId, Vec<NodeId>)> {
        let ids = (0..self.shapes.len()).map(ShapeId::at);
        ids.filter(|id| !self.shape(*id).targets.is_empty() && !self.shape(*id).deactivated)
            .map(|id| (id, focus_nodes(&self.shape(id).targets, session)))
            .filter(|(_, nodes)| !nodes.is_empty())
            .collect()
    }
}

/// One evaluation on one thread.
pub(super) struct Evaluation<'g> {
    session: Session<'g>,
    details: Details,
    budget: &'g Budget,
    tally: Option<Tally>,
    /// What could not be evaluated, wherever it was asked: a failure is one also under `sh:not`.
    failures: RefCell<Vec<Failure>>,
    /// Whether nodes conform to shapes that refer to others: without it, shapes that refer twice to the
    /// same shape would double the work at each level.
    conformance: RefCell<FxHashMap<(ShapeId, NodeId), bool>>,
    /// Shapes applied for the present focus node.
    applied: Cell<u64>,
}

impl<'g> Evaluation<'g> {
    fn new(session: Session<'g>, details: Details, budget: &'g Budget) -> Self {
        Self {
            session,
            details,
            budget,
            tally: None,
            failures: RefCell::default(),
            conformance: RefCell::default(),
            applied: Cell::new(0),
        }
    }

    fn run(&self, tasks: &[(ShapeId, Vec<NodeId>)]) -> Report {
        let mut results = Results::collecting();
        for (shape, nodes) in tasks {
            for node in nodes {
                self.applied.set(0);
                self.validate(*shape, *node, &mut results);
            }
        }
        Report { results: results.found, failures: self.failures.take() }
    }

    /// Counts the application of a shape; false when the focus node has had more than its share.
    fn has_work_left(&self, shape: &Shape, node: NodeId) -> bool {
        let applied = self.applied.get() + 1;
        self.applied.set(applied);
        if applied == MAX_APPLIED {
            self.failures.borrow_mut().push(Failure {
                shape: shape.id.clone(),
                focus_node: self.session.term(node),
                reason: FailureReason::Endless { limit: MAX_APPLIED },
            });
        }
        applied < MAX_APPLIED
    }

    fn validate(&self, shape: ShapeId, node: NodeId, results: &mut Results) {
        let id = shape;
        let shape = self.session.plan.shape(shape);
        if shape.deactivated || !self.has_work_left(shape, node) {
            return;
        }
        let path_values;
        let values = match &shape.path {
            Some((_, path)) => {
                path_values = path.values(&self.session, node);
                path_values.as_slice()
            }
            None => std::slice::from_ref(&node),
        };
        let focus = Focus { evaluation: self, session: &self.session, shape, node, values };
        for (position, constraint) in shape.constraints.iter().enumerate() {
            match &self.tally {
                None => constraint.check(&focus, results),
                Some(tally) => tally.measure((id, position), || constraint.check(&focus, results)),
            }
            if results.is_settled() {
                return;
            }
        }
    }
}

/// A focus node with its value nodes, as one shape sees them.
pub(super) struct Focus<'e> {
    evaluation: &'e Evaluation<'e>,
    pub(super) session: &'e Session<'e>,
    pub(super) shape: &'e Shape,
    pub(super) node: NodeId,
    pub(super) values: &'e [NodeId],
}

impl Focus<'_> {
    /// Whether a node conforms to a shape (SHACL 3.4.2).
    pub(super) fn conforms(&self, shape: ShapeId, node: NodeId) -> bool {
        let evaluate = || {
            let mut results = Results::seeking_one();
            self.evaluation.validate(shape, node, &mut results);
            !results.any
        };
        if !self.session.plan.shape(shape).refers_to_shapes {
            return evaluate();
        }
        let known = self.evaluation.conformance.borrow().get(&(shape, node)).copied();
        known.unwrap_or_else(|| {
            let conforms = evaluate();
            self.evaluation.conformance.borrow_mut().insert((shape, node), conforms);
            conforms
        })
    }

    /// What queries may still take.
    pub(super) fn budget(&self) -> &Budget {
        self.evaluation.budget
    }

    /// Validates a node against a shape, whose results become results of the report.
    pub(super) fn validate(&self, shape: ShapeId, node: NodeId, results: &mut Results) {
        self.evaluation.validate(shape, node, results);
    }

    /// Adds one result when a value does not conform to a shape, with that shape's results as details.
    pub(super) fn add_unless_conforms(
        &self,
        shape: ShapeId,
        value: NodeId,
        component: NamedNodeRef<'static>,
        results: &mut Results,
    ) {
        if self.conforms(shape, value) {
            return;
        }
        let name = &self.session.plan.shape(shape).id;
        results.add(self, component, Some(value), || format!("Value does not conform to the shape {name}"));
        if self.evaluation.details == Details::Kept && results.mode == Mode::All {
            let mut details = Results::collecting();
            self.evaluation.validate(shape, value, &mut details);
            if let Some(last) = results.found.last_mut() {
                last.details = details.found;
            }
        }
    }

    /// The shape's path for a message: its IRI, or its text in SPARQL's syntax.
    pub(super) fn path_term(&self) -> Option<Term> {
        self.shape.path.as_ref().map(|(node, path)| match node {
            Term::NamedNode(_) => node.clone(),
            Term::BlankNode(_) | Term::Literal(_) => {
                Literal::new_simple_literal(path.to_sparql(&self.session.plan.constants)).into()
            }
        })
    }

    /// A constant of the plan.
    pub(super) fn constant(&self, id: ConstantId) -> &Term {
        self.session.plan.constants.term(id)
    }
}

/// Collects results, or only whether there is one.
#[derive(Debug)]
pub(super) struct Results {
    found: Vec<ValidationResult>,
    any: bool,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    All,
    AnyOne,
}

impl Results {
    fn collecting() -> Self {
        Self { found: Vec::new(), any: false, mode: Mode::All }
    }

    fn seeking_one() -> Self {
        Self { mode: Mode::AnyOne, ..Self::collecting() }
    }

    /// Notes that a constraint could not be evaluated; while only conformance is asked, it counts as
    /// a result, since nothing says that the node conforms.
    pub(super) fn fail(&mut self, focus: &Focus<'_>, reason: FailureReason) {
        self.any = true;
        focus.evaluation.failures.borrow_mut().push(Failure {
            shape: focus.shape.id.clone(),
            focus_node: focus.session.term(focus.node),
            reason,
        });
    }

    /// Whether nothing more can change the outcome.
    pub(super) fn is_settled(&self) -> bool {
        self.any && self.mode == Mode::AnyOne
    }

    /// Adds a result on the shape's own path.
    pub(super) fn add(
        &mut self,
        focus: &Focus<'_>,
        component: NamedNodeRef<'_>,
        value: Option<NodeId>,
        default_message: impl FnOnce() -> String,
    ) {
        self.any = true;
        if self.mode == Mode::AnyOne {
            return;
        }
        let mut result = blank_result(focus, component.into_owned());
        result.value = value.map(|id| focus.session.term(id));
        result.messages = messages_of(focus, result.value.as_ref(), default_message);
        self.found.push(result);
    }

    /// Adds a result on another property of the focus node, as `sh:closed` does.
    pub(super) fn add_at(
        &mut self,
        focus: &Focus<'_>,
        component: NamedNodeRef<'_>,
        (path, value): (NodeId, NodeId),
        default_message: impl FnOnce() -> String,
    ) {
        self.add(focus, component, Some(value), default_message);
        if let (Mode::All, Some(last)) = (self.mode, self.found.last_mut()) {
            last.path = Some(focus.session.term(path));
        }
    }

    /// Adds a result that a SPARQL constraint filled in itself.
    pub(super) fn add_filled(
        &mut self,
        focus: &Focus<'_>,
        component: NamedNode,
        fill: impl FnOnce(&mut ValidationResult),
    ) {
        self.any = true;
        if self.mode == Mode::All {
            let mut result = blank_result(focus, component);
            fill(&mut result);
            self.found.push(result);
        }
    }
}

fn blank_result(focus: &Focus<'_>, component: NamedNode) -> ValidationResult {
    ValidationResult {
        focus_node: focus.session.term(focus.node),
        path: focus.shape.path.as_ref().map(|(node, _)| node.clone()),
        value: None,
        source_shape: focus.shape.id.clone(),
        component,
        source_constraint: None,
        severity: focus.shape.severity.clone(),
        messages: Vec::new(),
        details: Vec::new(),
    }
}

/// The shape's messages with their placeholders filled, else the component's own.
fn messages_of(focus: &Focus<'_>, value: Option<&Term>, default_message: impl FnOnce() -> String) -> Vec<Literal> {
    if focus.shape.messages.is_empty() {
        let message = default_message();
        return if message.is_empty() {
            Vec::new()
        } else {
            vec![Literal::new_language_tagged_literal_unchecked(message, "en")]
        };
    }
    let lookup = |name: &str| match name {
        "this" => Some(focus.session.term(focus.node)),
        "value" => value.cloned(),
        "PATH" | "path" => focus.path_term(),
        _ => None,
    };
    focus.shape.messages.iter().map(|message| message::fill(message, lookup)).collect()
}
