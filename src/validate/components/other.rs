//! 4.8 Other: `sh:closed`, `sh:hasValue`, `sh:in`.

use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::plan::{Compiler, ConstantId};
use crate::validate::reading::{is_true, list, objects};
use crate::vocab::sh;
use oxrdf::{NamedNodeRef, Term};

/// One of the remaining constraints.
#[derive(Debug)]
pub enum Other {
    /// 4.8.1, with the predicates that are allowed
    Closed(Vec<ConstantId>),
    /// 4.8.2
    HasValue(ConstantId),
    /// 4.8.3
    In(Vec<ConstantId>),
}

impl Other {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::Closed(_) => sh::CLOSED_CONSTRAINT_COMPONENT,
            Self::HasValue(_) => sh::HAS_VALUE_CONSTRAINT_COMPONENT,
            Self::In(_) => sh::IN_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        match self {
            Self::Closed(allowed) => self.check_closed(allowed, focus, results),
            Self::HasValue(wanted) => {
                if !focus.values.contains(&focus.session.bound(*wanted)) {
                    results.add(focus, self.component(), None, || {
                        format!("Missing the value {}", focus.constant(*wanted))
                    });
                }
            }
            Self::In(allowed) => {
                for value in focus.values {
                    if !allowed.iter().any(|constant| focus.session.bound(*constant) == *value) {
                        results.add(focus, self.component(), Some(*value), || {
                            format!("Value is not one of the {} that are allowed", allowed.len())
                        });
                    }
                }
            }
        }
    }

    fn check_closed(&self, allowed: &[ConstantId], focus: &Focus<'_>, results: &mut Results) {
        for value in focus.values {
            for [_, predicate, object] in focus.session.graph().rows_of_subject(*value) {
                if !allowed.iter().any(|constant| focus.session.bound(*constant) == *predicate) {
                    results.add_at(focus, self.component(), (*predicate, *object), || {
                        "This property is not allowed here".to_owned()
                    });
                }
            }
        }
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<Other>, ShapesError> {
    let mut found = Vec::new();
    if let Some(value) = compiler.at_most_one(shape, sh::CLOSED)? {
        let expected = || compiler.wrong(shape, sh::CLOSED, &value, "true or false");
        if is_true(&value).ok_or_else(expected)? {
            found.push(Other::Closed(read_allowed(compiler, shape)?));
        }
    }
    for value in objects(compiler.graph, shape.as_ref(), sh::HAS_VALUE) {
        found.push(Other::HasValue(compiler.constants.add(&value)));
    }
    if let Some(head) = compiler.at_most_one(shape, sh::IN)? {
        let members = list(compiler.graph, &head).ok_or_else(|| compiler.wrong(shape, sh::IN, &head, "a list"))?;
        found.push(Other::In(members.iter().map(|member| compiler.constants.add(member)).collect()));
    }
    Ok(found)
}

/// The predicates of the shape's own property shapes, and the ignored ones.
fn read_allowed(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<ConstantId>, ShapesError> {
    let mut allowed = Vec::new();
    for property in objects(compiler.graph, shape.as_ref(), sh::PROPERTY) {
        let paths = objects(compiler.graph, property.as_ref(), sh::PATH);
        allowed.extend(paths.iter().filter(|path| path.is_named_node()).map(|path| compiler.constants.add(path)));
    }
    if let Some(head) = compiler.at_most_one(shape, sh::IGNORED_PROPERTIES)? {
        let members = list(compiler.graph, &head)
            .ok_or_else(|| compiler.wrong(shape, sh::IGNORED_PROPERTIES, &head, "a list of IRIs"))?;
        if let Some(wrong) = members.iter().find(|member| !member.is_named_node()) {
            return Err(compiler.wrong(shape, sh::IGNORED_PROPERTIES, wrong, "an IRI"));
        }
        allowed.extend(members.iter().map(|member| compiler.constants.add(member)));
    }
    Ok(allowed)
}
