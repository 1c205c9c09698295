//! What an evaluation did: how often each constraint was checked, and for how long.

use super::components::Constraint;
use super::plan::{Plan, ShapeId};
use super::reading::list;
use super::report::path_text;
use super::targets::Target;
use crate::vocab::sh;
use oxrdf::{NamedNode, Term};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

/// Counts and times by shape and position of the constraint. Times include the shapes referred to.
#[derive(Debug, Default)]
pub struct Tally {
    counted: RefCell<FxHashMap<(ShapeId, usize), (u64, Duration)>>,
}

impl Tally {
    pub(super) fn measure<R>(&self, place: (ShapeId, usize), check: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let outcome = check();
        let elapsed = start.elapsed();
        let mut counted = self.counted.borrow_mut();
        let (times, duration) = counted.entry(place).or_default();
        *times += 1;
        *duration += elapsed;
        outcome
    }
}

impl Plan {
    /// Describes the plan and what an evaluation of it did, one shape a paragraph.
    #[must_use]
    pub fn describe(&self, tally: &Tally) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_description(tally, &mut text);
        text
    }

    fn write_description(&self, tally: &Tally, out: &mut impl Write) -> fmt::Result {
        let counted = tally.counted.borrow();
        for (index, shape) in self.shapes.iter().enumerate() {
            let path = shape.path.as_ref().map(|(node, _)| path_text(&self.shapes_graph, node));
            writeln!(out, "{}{}", shape.id, path.map_or(String::new(), |path| format!(" on {path}")))?;
            if shape.deactivated {
                writeln!(out, "  deactivated")?;
            }
            for target in &shape.targets {
                writeln!(out, "  target {}", self.target_text(*target))?;
            }
            for (position, constraint) in shape.constraints.iter().enumerate() {
                let (times, duration) = counted.get(&(ShapeId::at(index), position)).copied().unwrap_or_default();
                let before = &shape.constraints[..position];
                let same = before.iter().filter(|other| other.component() == constraint.component()).count();
                let what = self.parameter_text(&shape.id, constraint, same);
                let micros = duration.as_micros();
                writeln!(out, "  {times:>9} × {micros:>9} µs  {what}")?;
            }
        }
        Ok(())
    }

    /// A constraint by its parameter and the value of it: `sh:minCount 1`. Of several constraints of one
    /// component, the one after as many others.
    fn parameter_text(&self, shape: &Term, constraint: &Constraint, others: usize) -> String {
        let component = constraint.component().as_str();
        let local =
            component.strip_prefix(sh::NAMESPACE).and_then(|name| name.strip_suffix("ConstraintComponent"));
        let Some(local) = local else { return component.to_owned() };
        let (first, rest) = local.split_at(1);
        let parameter = match local {
            "SPARQL" => sh::SPARQL.into_owned(),
            _ => NamedNode::new_unchecked(format!("{}{}{rest}", sh::NAMESPACE, first.to_ascii_lowercase())),
        };
        let graph = &self.shapes_graph;
        let values: Vec<&Term> = graph.objects_of(shape.as_ref(), parameter.as_ref()).collect();
        let value = values.get(others).map_or(String::new(), |value| match list(graph, value) {
            Some(members) => members.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            None => value.to_string(),
        });
        format!("sh:{} {value}", &parameter.as_str()[sh::NAMESPACE.len()..])
    }

    fn target_text(&self, target: Target) -> String {
        let term = |id| self.constants().term(id);
        match target {
            Target::Node(id) => format!("node {}", term(id)),
            Target::Class(id) => format!("class {}", term(id)),
            Target::ImplicitClass(id) => format!("class {}, implicitly", term(id)),
            Target::SubjectsOf(id) => format!("subjects of {}", term(id)),
            Target::ObjectsOf(id) => format!("objects of {}", term(id)),
        }
    }
}
