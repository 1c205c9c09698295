//! Property paths (SHACL 2.3.1): read from a shapes graph, followed in a data graph.

use super::error::ShapesError;
use super::plan::{ConstantId, Constants};
use super::reading::{list, objects};
use super::session::{NodeId, Session};
use crate::triples::Graph;
use crate::vocab::sh;
use oxrdf::{Term, TermRef};
use rustc_hash::FxHashSet;

/// Paths nest as deep as their author writes them; past this they are taken for a loop.
const MAX_DEPTH: usize = 64;

/// A compiled property path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// `ex:p`
    Predicate(ConstantId),
    /// `[ sh:inversePath … ]`
    Inverse(Box<Path>),
    /// `( … … )`
    Sequence(Vec<Path>),
    /// `[ sh:alternativePath ( … ) ]`
    Alternative(Vec<Path>),
    /// `[ sh:zeroOrMorePath … ]`
    ZeroOrMore(Box<Path>),
    /// `[ sh:oneOrMorePath … ]`
    OneOrMore(Box<Path>),
    /// `[ sh:zeroOrOnePath … ]`
    ZeroOrOne(Box<Path>),
}

impl Path {
    /// Reads the path that a node of the shapes graph describes.
    pub(super) fn read(
        graph: &Graph,
        node: &Term,
        shape: &Term,
        constants: &mut Constants,
    ) -> Result<Self, ShapesError> {
        read(graph, node, constants, 0).map_err(|reason| ShapesError::Path {
            shape: shape.clone(),
            path: node.clone(),
            reason,
        })
    }

    /// The predicate, when the path is just one.
    #[must_use]
    pub fn as_predicate(&self) -> Option<ConstantId> {
        match self {
            Self::Predicate(predicate) => Some(*predicate),
            _ => None,
        }
    }

    /// Collects the distinct nodes that the path reaches from one node, in a stable order.
    pub(super) fn values(&self, session: &Session<'_>, from: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        if let Self::Predicate(predicate) = self {
            session.for_objects(from, session.bound(*predicate), |node| found.push(node));
            return found;
        }
        let mut seen = FxHashSet::default();
        self.follow(session, from, Direction::Forward, &mut |node| {
            if seen.insert(node) {
                found.push(node);
            }
        });
        found
    }

    fn follow(&self, session: &Session<'_>, from: NodeId, direction: Direction, reach: &mut dyn FnMut(NodeId)) {
        match (self, direction) {
            (Self::Predicate(predicate), Direction::Forward) => {
                session.for_objects(from, session.bound(*predicate), reach);
            }
            (Self::Predicate(predicate), Direction::Backward) => {
                session.for_subjects(session.bound(*predicate), from, reach);
            }
            (Self::Inverse(path), _) => path.follow(session, from, direction.reversed(), reach),
            (Self::Sequence(paths), Direction::Forward) => {
                follow_sequence(paths.iter().collect(), session, from, direction, reach);
            }
            (Self::Sequence(paths), Direction::Backward) => {
                follow_sequence(paths.iter().rev().collect(), session, from, direction, reach);
            }
            (Self::Alternative(paths), _) => {
                for path in paths {
                    path.follow(session, from, direction, reach);
                }
            }
            (Self::ZeroOrOne(path), _) => {
                reach(from);
                path.follow(session, from, direction, reach);
            }
            (Self::ZeroOrMore(path), _) => {
                reach(from);
                follow_closure(path, session, from, direction, reach);
            }
            (Self::OneOrMore(path), _) => follow_closure(path, session, from, direction, reach),
        }
    }

    /// Writes the path in SPARQL's syntax, for `$PATH` in SPARQL constraints and for messages.
    #[must_use]
    pub fn to_sparql(&self, constants: &Constants) -> String {
        let join = |paths: &[Self], separator: &str| {
            let parts: Vec<String> = paths.iter().map(|path| path.to_sparql(constants)).collect();
            format!("({})", parts.join(separator))
        };
        match self {
            Self::Predicate(predicate) => constants.term(*predicate).to_string(),
            Self::Inverse(path) => format!("^{}", path.to_sparql(constants)),
            Self::Sequence(paths) => join(paths, "/"),
            Self::Alternative(paths) => join(paths, "|"),
            Self::ZeroOrMore(path) => format!("({})*", path.to_sparql(constants)),
            Self::OneOrMore(path) => format!("({})+", path.to_sparql(constants)),
            Self::ZeroOrOne(path) => format!("({})?", path.to_sparql(constants)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

fn follow_sequence(
    steps: Vec<&Path>,
    session: &Session<'_>,
    from: NodeId,
    direction: Direction,
    reach: &mut dyn FnMut(NodeId),
) {
    let mut frontier = vec![from];
    for step in steps {
        let mut seen = FxHashSet::default();
        let mut next = Vec::new();
        for node in frontier {
            step.follow(session, node, direction, &mut |node| {
                if seen.insert(node) {
                    next.push(node);
                }
            });
        }
        frontier = next;
    }
    frontier.into_iter().for_each(reach);
}

/// Reaches every node that one or more steps lead to; loops in the data end because nodes count once.
fn follow_closure(
    path: &Path,
    session: &Session<'_>,
    from: NodeId,
    direction: Direction,
    reach: &mut dyn FnMut(NodeId),
) {
    let mut seen = FxHashSet::default();
    let mut frontier = vec![from];
    while let Some(node) = frontier.pop() {
        path.follow(session, node, direction, &mut |next| {
            if seen.insert(next) {
                reach(next);
                frontier.push(next);
            }
        });
    }
}

fn read(graph: &Graph, node: &Term, constants: &mut Constants, depth: usize) -> Result<Path, &'static str> {
    if depth > MAX_DEPTH {
        return Err("it refers to itself, or nests deeper than 64 levels");
    }
    if let Term::NamedNode(_) = node {
        return Ok(Path::Predicate(constants.add(node)));
    }
    let many = |head: &Term, constants: &mut Constants| -> Result<Vec<Path>, &'static str> {
        let members = list(graph, head).ok_or("its list is not well formed")?;
        if members.len() < 2 {
            return Err("a sequence or an alternative needs at least two members");
        }
        members.iter().map(|member| read(graph, member, constants, depth + 1)).collect()
    };
    if graph.object_of(node.as_ref(), crate::vocab::rdf::FIRST).is_some() {
        return Ok(Path::Sequence(many(node, constants)?));
    }
    if let Some(head) = only(graph, node.as_ref(), sh::ALTERNATIVE_PATH)? {
        return Ok(Path::Alternative(many(&head, constants)?));
    }
    let wrapped: [(_, fn(Box<Path>) -> Path); 4] = [
        (sh::INVERSE_PATH, Path::Inverse),
        (sh::ZERO_OR_MORE_PATH, Path::ZeroOrMore),
        (sh::ONE_OR_MORE_PATH, Path::OneOrMore),
        (sh::ZERO_OR_ONE_PATH, Path::ZeroOrOne),
    ];
    for (predicate, wrap) in wrapped {
        if let Some(inner) = only(graph, node.as_ref(), predicate)? {
            return Ok(wrap(Box::new(read(graph, &inner, constants, depth + 1)?)));
        }
    }
    Err("it is neither an IRI nor one of the path forms of SHACL 2.3.1")
}

fn only(
    graph: &Graph,
    node: TermRef<'_>,
    predicate: oxrdf::NamedNodeRef<'_>,
) -> Result<Option<Term>, &'static str> {
    let mut found = objects(graph, node, predicate);
    match (found.pop(), found.is_empty()) {
        (value, true) => Ok(value),
        (_, false) => Err("it has the same path property twice"),
    }
}
