//! Tables in CSV (SPARQL 1.1 Query Results CSV and TSV Formats, 3; RFC 4180).

use super::answer::{Cells, Row, Solutions};
use oxrdf::{BlankNode, Literal, Term};
use std::iter::Peekable;
use std::mem::take;
use std::str::Chars;

pub(super) fn solutions(bytes: &[u8]) -> Result<Solutions, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut lines = lines(text)?.into_iter().map(|mut line| {
        // Without variables there are no cells, and an empty line looks like one empty cell.
        if line == [""] && text.starts_with(['\r', '\n']) {
            line.clear();
        }
        line
    });
    let variables = lines.next().ok_or("no line with the variables")?;
    let rows: Vec<Row> = lines.map(|line| line.into_iter().map(|cell| Some(term(cell))).collect()).collect();
    if let Some(row) = rows.iter().find(|row| row.len() != variables.len()) {
        return Err(format!("{} cells, and {} variables: {row:?}", row.len(), variables.len()));
    }
    Ok(Solutions::new(&variables, &rows, Cells::Texts))
}

fn term(cell: String) -> Term {
    match cell.strip_prefix("_:") {
        Some(label) => BlankNode::new_unchecked(label).into(),
        None => Literal::new_simple_literal(cell).into(),
    }
}

fn lines(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '"' if cell.is_empty() => cell = quoted(&mut rest)?,
            '"' => return Err(format!("a quotation mark after {cell:?}")),
            ',' => line.push(take(&mut cell)),
            '\r' | '\n' => {
                rest.next_if(|after| next == '\r' && *after == '\n');
                line.push(take(&mut cell));
                lines.push(take(&mut line));
            }
            other => cell.push(other),
        }
    }
    if !(line.is_empty() && cell.is_empty()) {
        line.push(cell);
        lines.push(line);
    }
    Ok(lines)
}

/// Reads to the end of a quoted cell, in which two quotation marks are one.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut cell = String::new();
    while let Some(next) = rest.next() {
        if next != '"' {
            cell.push(next);
        } else if rest.next_if_eq(&'"').is_some() {
            cell.push('"');
        } else {
            return Ok(cell);
        }
    }
    Err("a quoted cell does not end".to_owned())
}
