//! What an evaluation did: how often each constraint was checked, and for how long.

use super::plan::{Plan, ShapeId};
use super::report::path_text;
use super::targets::Target;
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
                let name = constraint.component();
                let micros = duration.as_micros();
                writeln!(out, "  {times:>9} × {micros:>9} µs  {name}")?;
            }
        }
        Ok(())
    }

    fn target_text(&self, target: Target) -> String {
        let term = |id| self.constants().term(id);
        match target {
            Target::Node(id) => format!("node {}", term(id)),
            Target::Class(id) => format!("class {}", term(id)),
            Target::SubjectsOf(id) => format!("subjects of {}", term(id)),
            Target::ObjectsOf(id) => format!("objects of {}", term(id)),
        }
    }
}
