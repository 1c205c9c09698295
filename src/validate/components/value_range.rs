//! 4.3 Value range: `sh:minExclusive`, `sh:minInclusive`, `sh:maxExclusive`, `sh:maxInclusive`.

use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::literal::compare;
use crate::validate::plan::Compiler;
use crate::vocab::sh;
use oxrdf::{Literal, NamedNodeRef, Term};
use std::cmp::Ordering;

/// A bound on the value; what cannot be compared with it is a result.
#[derive(Debug)]
pub struct ValueRange {
    kind: Kind,
    bound: Literal,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    MinExclusive,
    MinInclusive,
    MaxExclusive,
    MaxInclusive,
}

impl Kind {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::MinExclusive => order.is_gt(),
            Self::MinInclusive => order.is_ge(),
            Self::MaxExclusive => order.is_lt(),
            Self::MaxInclusive => order.is_le(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::MinExclusive => ">",
            Self::MinInclusive => ">=",
            Self::MaxExclusive => "<",
            Self::MaxInclusive => "<=",
        }
    }
}

impl ValueRange {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self.kind {
            Kind::MinExclusive => sh::MIN_EXCLUSIVE_CONSTRAINT_COMPONENT,
            Kind::MinInclusive => sh::MIN_INCLUSIVE_CONSTRAINT_COMPONENT,
            Kind::MaxExclusive => sh::MAX_EXCLUSIVE_CONSTRAINT_COMPONENT,
            Kind::MaxInclusive => sh::MAX_INCLUSIVE_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        for value in focus.values {
            let order = focus.session.with_term(*value, |term| match term {
                Term::Literal(literal) => compare(literal, &self.bound),
                Term::NamedNode(_) | Term::BlankNode(_) => None,
            });
            if !order.is_some_and(|order| self.kind.allows(order)) {
                results.add(focus, self.component(), Some(*value), || {
                    format!("Value is not {} {}", self.kind.sign(), self.bound)
                });
            }
        }
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<ValueRange>, ShapesError> {
    let kinds = [
        (sh::MIN_EXCLUSIVE, Kind::MinExclusive),
        (sh::MIN_INCLUSIVE, Kind::MinInclusive),
        (sh::MAX_EXCLUSIVE, Kind::MaxExclusive),
        (sh::MAX_INCLUSIVE, Kind::MaxInclusive),
    ];
    let mut found = Vec::new();
    for (parameter, kind) in kinds {
        match compiler.at_most_one(shape, parameter)? {
            None => {}
            Some(Term::Literal(bound)) => found.push(ValueRange { kind, bound }),
            Some(value) => return Err(compiler.wrong(shape, parameter, &value, "a literal")),
        }
    }
    Ok(found)
}
