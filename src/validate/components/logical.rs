//! 4.6 Logical: `sh:not`, `sh:and`, `sh:or`, `sh:xone`.

use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::{Compiler, ShapeId};
use crate::validate::reading::{list, objects};
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};

/// A combination of shapes that each value node must fulfil.
#[derive(Debug)]
pub struct Logical {
    kind: Kind,
    shapes: Vec<ShapeId>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Not,
    And,
    Or,
    Xone,
}

impl Logical {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self.kind {
            Kind::Not => sh::NOT_CONSTRAINT_COMPONENT,
            Kind::And => sh::AND_CONSTRAINT_COMPONENT,
            Kind::Or => sh::OR_CONSTRAINT_COMPONENT,
            Kind::Xone => sh::XONE_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn shapes(&self) -> Vec<ShapeId> {
        self.shapes.clone()
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        for value in focus.values {
            let mut conforming = self.shapes.iter().filter(|shape| focus.conforms(**shape, *value));
            let holds = match self.kind {
                Kind::Not => conforming.next().is_none(),
                Kind::And => self.shapes.iter().all(|shape| focus.conforms(*shape, *value)),
                Kind::Or => conforming.next().is_some(),
                Kind::Xone => conforming.next().is_some() && conforming.next().is_none(),
            };
            if !holds {
                results.add(focus, self.component(), Some(*value), || self.message());
            }
        }
    }

    fn message(&self) -> String {
        let shapes = self.shapes.len();
        match self.kind {
            Kind::Not => "Value conforms to a shape that is excluded".to_owned(),
            Kind::And => format!("Value does not conform to all of {shapes} shapes"),
            Kind::Or => format!("Value conforms to none of {shapes} shapes"),
            Kind::Xone => format!("Value does not conform to exactly one of {shapes} shapes"),
        }
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<Logical>, ShapesError> {
    let mut found = Vec::new();
    for negated in objects(compiler.graph, shape.as_ref(), sh::NOT) {
        found.push(Logical { kind: Kind::Not, shapes: vec![compiler.shape(&negated)?] });
    }
    for (parameter, kind) in [(sh::AND, Kind::And), (sh::OR, Kind::Or), (sh::XONE, Kind::Xone)] {
        for head in objects(compiler.graph, shape.as_ref(), parameter) {
            let members = list(compiler.graph, &head)
                .ok_or_else(|| compiler.wrong(shape, parameter, &head, "a list of shapes"))?;
            let shapes = members.iter().map(|member| compiler.shape(member)).collect::<Result<_, _>>()?;
            found.push(Logical { kind, shapes });
        }
    }
    Ok(found)
}
