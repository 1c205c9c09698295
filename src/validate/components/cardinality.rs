//! 4.2 Cardinality: `sh:minCount`, `sh:maxCount`.

use super::needs_path;
use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::Compiler;
use crate::validate::reading::count;
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};

/// A bound on the number of value nodes.
#[derive(Debug, Clone, Copy)]
pub enum Cardinality {
    /// 4.2.1
    Min(usize),
    /// 4.2.2
    Max(usize),
}

impl Cardinality {
    pub(super) fn component(self) -> NamedNodeRef<'static> {
        match self {
            Self::Min(_) => sh::MIN_COUNT_CONSTRAINT_COMPONENT,
            Self::Max(_) => sh::MAX_COUNT_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(self, focus: &Focus<'_>, results: &mut Results) {
        let number = focus.values.len();
        match self {
            Self::Min(least) if number < least => {
                results.add(focus, self.component(), None, || format!("Less than {least} values: {number}"));
            }
            Self::Max(most) if number > most => {
                results.add(focus, self.component(), None, || format!("More than {most} values: {number}"));
            }
            Self::Min(_) | Self::Max(_) => {}
        }
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<Cardinality>, ShapesError> {
    let mut found = Vec::new();
    let bounds: [(NamedNodeRef<'_>, fn(usize) -> Cardinality); 2] =
        [(sh::MIN_COUNT, Cardinality::Min), (sh::MAX_COUNT, Cardinality::Max)];
    for (parameter, bound) in bounds {
        let Some(value) = compiler.at_most_one(shape, parameter)? else { continue };
        needs_path(compiler, shape, parameter)?;
        let number =
            count(&value).ok_or_else(|| compiler.wrong(shape, parameter, &value, "a non-negative integer"))?;
        found.push(bound(number));
    }
    Ok(found)
}
