//! What is wrong with a shapes graph.

use oxrdf::Term;

/// Why a shapes graph is not used: each variant names the shape at fault (SHACL 3.4.1, failures).
#[derive(Debug, thiserror::Error)]
pub enum ShapesError {
    /// A `sh:path` that is not one (SHACL 2.3.1).
    #[error("shape {shape}: the path {path} is not well formed: {reason}")]
    Path {
        /// The property shape.
        shape: Term,
        /// The path node.
        path: Term,
        /// What is wrong.
        reason: &'static str,
    },
    /// A parameter whose value has the wrong form (SHACL 4).
    #[error("shape {shape}: {parameter} has the value {value}, and should be {expected}")]
    Parameter {
        /// The shape.
        shape: Term,
        /// The parameter's IRI.
        parameter: String,
        /// The value that was found.
        value: Term,
        /// What it should be.
        expected: &'static str,
    },
    /// A parameter that may be given once only.
    #[error("shape {shape}: {parameter} may be given only once")]
    Repeated {
        /// The shape.
        shape: Term,
        /// The parameter's IRI.
        parameter: String,
    },
    /// A property shape's parameter on a node shape.
    #[error("shape {shape}: {parameter} needs a property shape, with sh:path")]
    NeedsPath {
        /// The node shape.
        shape: Term,
        /// The parameter's IRI.
        parameter: String,
    },
    /// A shape that refers to itself; SHACL 3.4.3 leaves recursion undefined.
    #[error("shape {shape} refers to itself, through {}: recursive shapes are not supported", names(.through))]
    Recursive {
        /// The shape at which the circle closes.
        shape: Term,
        /// The shapes on the way.
        through: Vec<Term>,
    },
    /// Shapes that nest deeper than any author would write.
    #[error("shape {shape} nests deeper than {limit} levels")]
    TooDeep {
        /// The shape past the limit.
        shape: Term,
        /// The limit.
        limit: usize,
    },
    /// A SPARQL query or regular expression that does not parse.
    #[error("shape {shape}: {what} does not parse")]
    Query {
        /// The shape or component.
        shape: Term,
        /// Which text.
        what: &'static str,
        /// The parser's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A SPARQL construct that pre-binding forbids (SHACL 5.2.1).
    #[error("shape {shape}: its SPARQL query uses {construct}, which SHACL forbids where variables are pre-bound")]
    Forbidden {
        /// The shape or component.
        shape: Term,
        /// The forbidden construct.
        construct: &'static str,
    },
}

fn names(shapes: &[Term]) -> String {
    shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
