//! 4.1 Value type: `sh:class`, `sh:datatype`, `sh:nodeKind`.

use crate::validate::error::ShapesError;
use crate::validate::evaluation::{Focus, Results};
use crate::validate::literal::is_well_formed;
use crate::validate::plan::{Compiler, ConstantId};
use crate::validate::reading::objects;
use crate::vocab::sh;
use oxrdf::{NamedNode, NamedNodeRef, Term};

/// A value type constraint.
#[derive(Debug)]
pub enum ValueType {
    /// 4.1.1
    Class(ConstantId),
    /// 4.1.2
    Datatype(NamedNode),
    /// 4.1.3
    NodeKind(NodeKind),
}

/// The six values of `sh:nodeKind`, as what they allow.
#[derive(Debug, Clone, Copy)]
pub struct NodeKind {
    iri: bool,
    blank_node: bool,
    literal: bool,
    name: NamedNodeRef<'static>,
}

impl NodeKind {
    fn read(value: &Term) -> Option<Self> {
        let kind = |iri, blank_node, literal, name| Self { iri, blank_node, literal, name };
        let kinds = [
            kind(true, false, false, sh::IRI),
            kind(false, true, false, sh::BLANK_NODE),
            kind(false, false, true, sh::LITERAL),
            kind(true, true, false, sh::BLANK_NODE_OR_IRI),
            kind(false, true, true, sh::BLANK_NODE_OR_LITERAL),
            kind(true, false, true, sh::IRI_OR_LITERAL),
        ];
        kinds.into_iter().find(|kind| value.as_ref() == kind.name.into())
    }

    fn allows(self, term: &Term) -> bool {
        match term {
            Term::NamedNode(_) => self.iri,
            Term::BlankNode(_) => self.blank_node,
            Term::Literal(_) => self.literal,
        }
    }
}

impl ValueType {
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::Class(_) => sh::CLASS_CONSTRAINT_COMPONENT,
            Self::Datatype(_) => sh::DATATYPE_CONSTRAINT_COMPONENT,
            Self::NodeKind(_) => sh::NODE_KIND_CONSTRAINT_COMPONENT,
        }
    }

    pub(super) fn check(&self, focus: &Focus<'_>, results: &mut Results) {
        for value in focus.values {
            let conforms = match self {
                Self::Class(class) => focus.session.is_instance(*value, *class),
                Self::Datatype(datatype) => focus.session.with_term(*value, |term| has_datatype(term, datatype)),
                Self::NodeKind(kind) => focus.session.with_term(*value, |term| kind.allows(term)),
            };
            if !conforms {
                results.add(focus, self.component(), Some(*value), || self.message(focus));
            }
        }
    }

    fn message(&self, focus: &Focus<'_>) -> String {
        match self {
            Self::Class(class) => format!("Value is not an instance of {}", focus.constant(*class)),
            Self::Datatype(datatype) => format!("Value is not a valid {datatype}"),
            Self::NodeKind(kind) => format!("Value is not of node kind {}", kind.name),
        }
    }
}

fn has_datatype(term: &Term, datatype: &NamedNode) -> bool {
    match term {
        Term::Literal(literal) => literal.datatype() == datatype.as_ref() && is_well_formed(literal),
        Term::NamedNode(_) | Term::BlankNode(_) => false,
    }
}

pub(super) fn read(compiler: &mut Compiler<'_>, shape: &Term) -> Result<Vec<ValueType>, ShapesError> {
    let mut found = Vec::new();
    for class in objects(compiler.graph, shape.as_ref(), sh::CLASS) {
        if !class.is_named_node() {
            return Err(compiler.wrong(shape, sh::CLASS, &class, "an IRI"));
        }
        found.push(ValueType::Class(compiler.constants.add(&class)));
    }
    match compiler.at_most_one(shape, sh::DATATYPE)? {
        None => {}
        Some(Term::NamedNode(datatype)) => found.push(ValueType::Datatype(datatype)),
        Some(value) => return Err(compiler.wrong(shape, sh::DATATYPE, &value, "an IRI")),
    }
    if let Some(value) = compiler.at_most_one(shape, sh::NODE_KIND)? {
        let kind = NodeKind::read(&value).ok_or_else(|| {
            compiler.wrong(shape, sh::NODE_KIND, &value, "one of the six node kinds of SHACL 4.1.3")
        })?;
        found.push(ValueType::NodeKind(kind));
    }
    Ok(found)
}
