//! Property paths (SHACL 2.3.1): read from a shapes graph, followed in a data graph.

use super::error::ShapesError;
use super::plan::{ConstantId, Constants};
use super::reading::{list, objects};
use super::session::{NodeId, Session};
use crate::triples::Graph;
use crate::vocab::{rdf, sh};
use oxrdf::{NamedNodeRef, Term};
use rustc_hash::FxHashSet;

/// Paths nest as deep as their author writes them; past this they are taken for a loop.
const MAX_DEPTH: usize = 64;
/// A path of more parts than this was made to be long.
const MAX_PARTS: usize = 1_000;

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
        let mut reader = PathReader { graph, constants, parts: 0 };
        reader.read(node, 0).map_err(|reason| ShapesError::Path {
            shape: shape.clone(),
            path: node.clone(),
            reason,
        })
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
            Self::Inverse(path) => format!("^({})", path.to_sparql(constants)),
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

/// Reads one path; counts its parts, since parts that are shared would multiply.
struct PathReader<'r> {
    graph: &'r Graph,
    constants: &'r mut Constants,
    parts: usize,
}

impl PathReader<'_> {
    fn read(&mut self, node: &Term, depth: usize) -> Result<Path, &'static str> {
        self.parts += 1;
        if depth > MAX_DEPTH {
            return Err("it refers to itself, or nests deeper than 64 levels");
        }
        if self.parts > MAX_PARTS {
            return Err("it has more than 1,000 parts");
        }
        if let Term::NamedNode(_) = node {
            return Ok(Path::Predicate(self.constants.add(node)));
        }
        // A list is a sequence whatever else it says: W3C's tests `path-strange-001` and `-002` (SHACL 2.3.1.2).
        if !objects(self.graph, node.as_ref(), rdf::FIRST).is_empty() {
            return Ok(Path::Sequence(self.members(node, depth)?));
        }
        let forms = [
            sh::ALTERNATIVE_PATH,
            sh::INVERSE_PATH,
            sh::ZERO_OR_MORE_PATH,
            sh::ONE_OR_MORE_PATH,
            sh::ZERO_OR_ONE_PATH,
        ];
        let mut found = forms
            .into_iter()
            .flat_map(|form| objects(self.graph, node.as_ref(), form).into_iter().map(move |value| (form, value)));
        let Some((form, inner)) = found.next() else {
            return Err("it is neither an IRI nor one of the path forms of SHACL 2.3.1");
        };
        if found.next().is_some() {
            return Err("it has more than one path form");
        }
        match form {
            sh::ALTERNATIVE_PATH => Ok(Path::Alternative(self.members(&inner, depth)?)),
            sh::INVERSE_PATH => Ok(Path::Inverse(Box::new(self.read(&inner, depth + 1)?))),
            form => Ok(Repetition::of(form).applied_to(self.read(&inner, depth + 1)?)),
        }
    }

    fn members(&mut self, head: &Term, depth: usize) -> Result<Vec<Path>, &'static str> {
        let members = list(self.graph, head).ok_or("its list is not well formed")?;
        if members.len() < 2 {
            return Err("a sequence or an alternative needs at least two members");
        }
        members.iter().map(|member| self.read(member, depth + 1)).collect()
    }
}

/// How often a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Repetition {
    may_be_none: bool,
    may_be_many: bool,
}

impl Repetition {
    fn of(form: NamedNodeRef<'_>) -> Self {
        Self { may_be_none: form != sh::ONE_OR_MORE_PATH, may_be_many: form != sh::ZERO_OR_ONE_PATH }
    }

    /// Repeats a path. A repetition of a repetition is one: `(p*)+` is `p*`, and following it as it is
    /// written would go through the same nodes at each level.
    fn applied_to(self, path: Path) -> Path {
        let (inner, own) = match path {
            Path::ZeroOrMore(inner) => (inner, Self { may_be_none: true, may_be_many: true }),
            Path::OneOrMore(inner) => (inner, Self { may_be_none: false, may_be_many: true }),
            Path::ZeroOrOne(inner) => (inner, Self { may_be_none: true, may_be_many: false }),
            other => (Box::new(other), Self { may_be_none: false, may_be_many: false }),
        };
        match (self.may_be_none || own.may_be_none, self.may_be_many || own.may_be_many) {
            (true, true) => Path::ZeroOrMore(inner),
            (false, _) => Path::OneOrMore(inner),
            (true, false) => Path::ZeroOrOne(inner),
        }
    }
}
