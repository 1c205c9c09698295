//! SPARQL 1.1 Query Results CSV, 3: every cell quoted that needs it, IRIs with commas too.

use oxrdf::{Term, Variable};
use spareval::QuerySolution;
use std::io::{self, Write};

/// Writes the names of the columns.
pub(super) fn head(out: &mut impl Write, variables: &[Variable]) -> io::Result<()> {
    line(out, variables.iter().map(|variable| variable.as_str().to_owned()))
}

/// Writes a solution.
pub(super) fn row(out: &mut impl Write, variables: &[Variable], solution: &QuerySolution) -> io::Result<()> {
    line(out, variables.iter().map(|variable| solution.get(variable).map(cell).unwrap_or_default()))
}

fn line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    for (number, cell) in cells.enumerate() {
        let comma = if number > 0 { "," } else { "" };
        if cell.contains(['"', ',', '\n', '\r']) {
            write!(out, "{comma}\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            write!(out, "{comma}{cell}")?;
        }
    }
    out.write_all(b"\r\n")
}

fn cell(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::BlankNode(node) => format!("_:{}", node.as_str()),
        Term::Literal(literal) => literal.value().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::{Literal, NamedNode};
    use std::sync::Arc;

    #[test]
    fn a_comma_in_an_address_makes_no_column() {
        let variables: Arc<[Variable]> = ["x", "y", "z"].map(Variable::new_unchecked).into();
        let values = vec![
            Some(NamedNode::new_unchecked("http://e.example/a,b").into()),
            None,
            Some(Literal::new_simple_literal("a \"b\"").into()),
        ];
        let mut out = Vec::new();
        head(&mut out, &variables).unwrap();
        row(&mut out, &variables, &QuerySolution::from((Arc::clone(&variables), values))).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "x,y,z\r\n\"http://e.example/a,b\",,\"a \"\"b\"\"\"\r\n");
    }
}
