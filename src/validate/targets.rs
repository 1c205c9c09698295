//! Targets (SHACL 2.1.3): which nodes of the data a shape is applied to.

use super::error::ShapesError;
use super::plan::{Compiler, ConstantId};
use super::reading::{iris, objects};
use super::session::{NodeId, Session};
use crate::vocab::{owl, rdf, rdfs, sh};
use oxrdf::{NamedNode, NamedNodeRef, Term};
use rustc_hash::FxHashSet;

/// One target declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `sh:targetNode`, 2.1.3.1
    Node(ConstantId),
    /// `sh:targetClass`, 2.1.3.2
    Class(ConstantId),
    /// Implicit class target, 2.1.3.3: the shape is the class, and its subclasses may stand beside it
    /// in the shapes graph
    ImplicitClass(ConstantId),
    /// `sh:targetSubjectsOf`, 2.1.3.4
    SubjectsOf(ConstantId),
    /// `sh:targetObjectsOf`, 2.1.3.5
    ObjectsOf(ConstantId),
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<Target>, ShapesError> {
    let mut targets = Vec::new();
    for node in objects(compiler.graph, shape.as_ref(), sh::TARGET_NODE) {
        if let Term::BlankNode(_) = node {
            return Err(compiler.wrong(shape, sh::TARGET_NODE, &node, "an IRI or a literal"));
        }
        targets.push(Target::Node(compiler.constants.add(&node)));
    }
    let declared: [(NamedNodeRef<'_>, fn(ConstantId) -> Target); 3] = [
        (sh::TARGET_CLASS, Target::Class),
        (sh::TARGET_SUBJECTS_OF, Target::SubjectsOf),
        (sh::TARGET_OBJECTS_OF, Target::ObjectsOf),
    ];
    for (predicate, target) in declared {
        for value in objects(compiler.graph, shape.as_ref(), predicate) {
            if !value.is_named_node() {
                return Err(compiler.wrong(shape, predicate, &value, "an IRI"));
            }
            targets.push(target(compiler.constants.add(&value)));
        }
    }
    if is_class_and_shape(compiler, shape) {
        targets.push(Target::ImplicitClass(compiler.constants.add(shape)));
    }
    Ok(targets)
}

fn is_class_and_shape(compiler: &Compiler<'_>, shape: &Term) -> bool {
    let types = superclasses(compiler, iris(compiler.graph, shape.as_ref(), rdf::TYPE));
    let has = |class: NamedNodeRef<'_>| types.contains(&class.into_owned());
    shape.is_named_node()
        && (has(rdfs::CLASS) || has(owl::CLASS))
        && (has(sh::NODE_SHAPE) || has(sh::PROPERTY_SHAPE))
}

/// Classes with all that they are subclasses of, in the shapes graph.
fn superclasses(compiler: &Compiler<'_>, classes: Vec<NamedNode>) -> FxHashSet<NamedNode> {
    let mut found = FxHashSet::default();
    let mut frontier = classes;
    while let Some(class) = frontier.pop() {
        if found.insert(class.clone()) {
            frontier.extend(iris(compiler.graph, class.as_ref().into(), rdfs::SUB_CLASS_OF));
        }
    }
    found
}

/// The distinct focus nodes of a set of targets.
pub(super) fn focus_nodes(targets: &[Target], session: &Session<'_>) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let graph = session.graph();
    for target in targets {
        match target {
            Target::Node(node) => nodes.push(session.bound(*node)),
            Target::Class(class) => nodes.extend(session.instances(*class)),
            Target::ImplicitClass(class) => nodes.extend(session.instances_of_shape(*class)),
            Target::SubjectsOf(predicate) => {
                nodes.extend(graph.rows_of_predicate(session.bound(*predicate)).iter().map(|row| row[2]));
            }
            Target::ObjectsOf(predicate) => {
                nodes.extend(graph.rows_of_predicate(session.bound(*predicate)).iter().map(|row| row[1]));
            }
        }
    }
    let mut seen = FxHashSet::default();
    nodes.retain(|node| seen.insert(*node));
    nodes
}
