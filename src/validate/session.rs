//! One evaluation: a plan's constants bound to the identifiers of one data graph.

use super::plan::{ConstantId, Plan};
use crate::triples::{Graph, GraphView, TermId};
use crate::vocab::{rdf, rdfs};
use oxrdf::{NamedNodeRef, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::rc::Rc;

/// A node of the data, or a term beside it: identifiers of the data graph come first.
pub(super) type NodeId = TermId;

/// What a plan is evaluated on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'g> {
    /// The graph whose nodes are validated.
    pub graph: &'g Graph,
    /// A vocabulary read as if it were part of the data, shared between evaluations; its nodes are
    /// never focus nodes of class targets.
    pub vocabulary: Option<&'g Graph>,
}

impl<'g> From<&'g Graph> for Data<'g> {
    fn from(graph: &'g Graph) -> Self {
        Self { graph, vocabulary: None }
    }
}

/// The bound constants and caches of one evaluation. Not shared between threads.
pub(super) struct Session<'g> {
    pub(super) plan: &'g Plan,
    data: Data<'g>,
    bound: Vec<NodeId>,
    /// Terms that the data graph lacks: constants of the plan, nodes of the vocabulary.
    beside: RefCell<Beside>,
    classes: RefCell<FxHashMap<ConstantId, Rc<FxHashSet<NodeId>>>>,
    rdf_type: NodeId,
    has_subclasses: bool,
}

#[derive(Default)]
struct Beside {
    terms: Vec<Term>,
    ids: FxHashMap<Term, NodeId>,
}

impl<'g> Session<'g> {
    pub(super) fn new(plan: &'g Plan, data: Data<'g>) -> Self {
        let mut session = Self {
            plan,
            data,
            bound: Vec::new(),
            beside: RefCell::default(),
            classes: RefCell::default(),
            rdf_type: 0,
            has_subclasses: false,
        };
        session.bound = plan.constants.terms().map(|term| session.node(term)).collect();
        session.rdf_type = session.node(&rdf::TYPE.into_owned().into());
        session.has_subclasses = session
            .graphs()
            .any(|graph| graph.id(rdfs::SUB_CLASS_OF).is_some_and(|p| !graph.rows_of_predicate(p).is_empty()));
        session
    }

    /// The identifier of a constant in this evaluation.
    pub(super) fn bound(&self, constant: ConstantId) -> NodeId {
        self.bound[constant.index()]
    }

    /// The identifier of any term, which is remembered beside the graph when the graph lacks it.
    pub(super) fn node(&self, term: &Term) -> NodeId {
        if let Some(id) = self.data.graph.id(term) {
            return id;
        }
        let mut beside = self.beside.borrow_mut();
        if let Some(id) = beside.ids.get(term) {
            return *id;
        }
        let position = self.data.graph.term_count() + beside.terms.len();
        let id = NodeId::try_from(position).expect("fewer than 2^32 terms in one evaluation");
        beside.terms.push(term.clone());
        beside.ids.insert(term.clone(), id);
        id
    }

    /// Calls a function with the term of an identifier.
    pub(super) fn with_term<R>(&self, id: NodeId, read: impl FnOnce(&Term) -> R) -> R {
        match (id as usize).checked_sub(self.data.graph.term_count()) {
            None => read(self.data.graph.term(id)),
            Some(position) => {
                let term = self.beside.borrow().terms[position].clone();
                read(&term)
            }
        }
    }

    /// The term of an identifier.
    pub(super) fn term(&self, id: NodeId) -> Term {
        self.with_term(id, Clone::clone)
    }

    pub(super) fn graph(&self) -> &'g Graph {
        self.data.graph
    }

    /// The data as SPARQL sees it.
    pub(super) fn view(&self) -> GraphView<'g> {
        GraphView::of(self.data.graph).with_vocabulary(self.data.vocabulary)
    }

    pub(super) fn for_objects(&self, subject: NodeId, predicate: NodeId, mut reach: impl FnMut(NodeId)) {
        self.data.graph.objects(subject, predicate).for_each(&mut reach);
        self.in_vocabulary([Some(subject), Some(predicate), None], |[_, _, object]| reach(object));
    }

    pub(super) fn for_subjects(&self, predicate: NodeId, object: NodeId, mut reach: impl FnMut(NodeId)) {
        self.data.graph.subjects(predicate, object).for_each(&mut reach);
        self.in_vocabulary([None, Some(predicate), Some(object)], |[subject, _, _]| reach(subject));
    }

    /// Calls a function for each triple of the vocabulary that the data does not have as well.
    fn in_vocabulary(&self, pattern: [Option<NodeId>; 3], mut reach: impl FnMut([NodeId; 3])) {
        let Some(vocabulary) = self.data.vocabulary else { return };
        let mut ids = [None; 3];
        for (id, node) in ids.iter_mut().zip(pattern) {
            let Some(node) = node else { continue };
            match self.with_term(node, |term| vocabulary.id(term)) {
                Some(found) => *id = Some(found),
                None => return,
            }
        }
        for row in vocabulary.matching(ids[0], ids[1], ids[2]) {
            let row = row.map(|id| self.node(vocabulary.term(id)));
            if !self.data.graph.contains(row[0], row[1], row[2]) {
                reach(row);
            }
        }
    }

    /// Whether a node is a SHACL instance of a class (SHACL 1.1, terminology).
    pub(super) fn is_instance(&self, node: NodeId, class: ConstantId) -> bool {
        let classes = self.subclasses(class);
        let mut is_instance = false;
        self.for_objects(node, self.rdf_type, |found| is_instance |= classes.contains(&found));
        is_instance
    }

    /// The instances of a class in the data graph, without those of the vocabulary alone.
    pub(super) fn instances(&self, class: ConstantId) -> Vec<NodeId> {
        self.instances_of_any(&self.subclasses(class))
    }

    /// The instances of a class that is a shape: its subclasses may stand in the shapes graph.
    pub(super) fn instances_of_shape(&self, class: ConstantId) -> Vec<NodeId> {
        let mut classes = FxHashSet::default();
        classes.insert(self.bound(class));
        let shapes_graph = std::iter::once(&self.plan.shapes_graph);
        self.add_subclasses(&mut classes, self.bound(class), || self.graphs().chain(shapes_graph.clone()));
        self.instances_of_any(&classes)
    }

    fn instances_of_any(&self, classes: &FxHashSet<NodeId>) -> Vec<NodeId> {
        let mut found: Vec<NodeId> =
            classes.iter().flat_map(|class| self.data.graph.subjects(self.rdf_type, *class)).collect();
        if classes.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// A class and all its subclasses, as the data and the vocabulary tell.
    fn subclasses(&self, class: ConstantId) -> Rc<FxHashSet<NodeId>> {
        if let Some(known) = self.classes.borrow().get(&class) {
            return Rc::clone(known);
        }
        let mut found = FxHashSet::default();
        found.insert(self.bound(class));
        if self.has_subclasses {
            self.add_subclasses(&mut found, self.bound(class), || self.graphs());
        }
        let found = Rc::new(found);
        self.classes.borrow_mut().insert(class, Rc::clone(&found));
        found
    }

    fn add_subclasses<G: Iterator<Item = &'g Graph>>(
        &self,
        found: &mut FxHashSet<NodeId>,
        class: NodeId,
        graphs: impl Fn() -> G,
    ) {
        let mut frontier = vec![class];
        while let Some(class) = frontier.pop() {
            let term = self.term(class);
            for graph in graphs() {
                for subclass in subclasses_in(graph, &term, rdfs::SUB_CLASS_OF) {
                    let subclass = self.node(subclass);
                    if found.insert(subclass) {
                        frontier.push(subclass);
                    }
                }
            }
        }
    }

    fn graphs(&self) -> impl Iterator<Item = &'g Graph> + use<'g> {
        let graphs = [Some(self.data.graph), self.data.vocabulary];
        graphs.into_iter().flatten()
    }
}

fn subclasses_in<'g>(
    graph: &'g Graph,
    class: &Term,
    predicate: NamedNodeRef<'_>,
) -> impl Iterator<Item = &'g Term> + use<'g> {
    let ids = graph.id(predicate).zip(graph.id(class));
    ids.into_iter().flat_map(|(p, c)| graph.subjects(p, c)).map(|id| graph.term(id))
}
