//! Whether two answers are the same but for the names of blank nodes.

use super::answer::{Answer, Cells, Row, Solutions};
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::vocab::xsd;
use oxrdf::{BlankNode, Graph, Literal, Term, Triple};
use oxsdatatypes::{Decimal, Double, Float, Integer};
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

/// Whether the order of solutions matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Kept,
    Any,
}

/// Says how an answer differs from the expected one, if it does.
pub(super) fn difference(expected: &Answer, found: &Answer, order: Order) -> Option<String> {
    let is_same = match (expected, found) {
        (Answer::Boolean(expected), Answer::Boolean(found)) => expected == found,
        (Answer::Graph(expected), Answer::Graph(found)) => canonical(expected) == canonical(found),
        (Answer::Solutions(expected), Answer::Solutions(found)) => are_same_solutions(expected, found, order),
        _ => false,
    };
    (!is_same).then(|| format!("\n  expected {expected:?}\n  found    {found:?}"))
}

fn canonical(triples: &[Triple]) -> BTreeSet<String> {
    let by_value = |triple: &Triple| Triple { object: by_value(triple.object.clone()), ..triple.clone() };
    let mut graph: Graph = triples.iter().map(by_value).collect();
    graph
        .canonicalize(CanonicalizationAlgorithm::Rdfc10 { hash_algorithm: CanonicalizationHashAlgorithm::Sha256 });
    graph.iter().map(|triple| triple.to_string()).collect()
}

/// A number in the one form of its value: the store keeps values, so that `1.0` comes back as `1`.
fn by_value(term: Term) -> Term {
    fn of<T: FromStr + ToString>(text: &str) -> Option<String> {
        Some(text.parse::<T>().ok()?.to_string())
    }
    let Term::Literal(literal) = &term else { return term };
    let (text, datatype) = (literal.value(), literal.datatype());
    let form = if datatype == xsd::INTEGER {
        of::<Integer>(text)
    } else if datatype == xsd::DECIMAL {
        of::<Decimal>(text)
    } else if datatype == xsd::DOUBLE {
        of::<Double>(text)
    } else if datatype == xsd::FLOAT {
        of::<Float>(text)
    } else {
        None
    };
    match form {
        Some(form) => Literal::new_typed_literal(form, datatype).into(),
        None => term,
    }
}

fn are_same_solutions(expected: &Solutions, found: &Solutions, order: Order) -> bool {
    if expected.variables != found.variables || expected.rows.len() != found.rows.len() {
        return false;
    }
    let are_texts = [expected.cells, found.cells].contains(&Cells::Texts);
    let cell = |term: &Option<Term>| {
        let term = term.clone().map(by_value);
        if are_texts { Some(as_text(term)) } else { term }
    };
    let rows = |rows: &[Row]| -> Vec<Row> { rows.iter().map(|row| row.iter().map(cell).collect()).collect() };
    let (expected, found) = (rows(&expected.rows), rows(&found.rows));
    match order {
        Order::Kept => {
            let mut pairs = expected.iter().zip(&found);
            pairs.try_fold(Pairs::default(), |pairs, (expected, found)| pairs.with(expected, found)).is_some()
        }
        Order::Any => are_matched(&expected, &found, &Pairs::default()),
    }
}

/// What CSV leaves of a cell.
fn as_text(term: Option<Term>) -> Term {
    let text = match term {
        Some(Term::BlankNode(node)) => return node.into(),
        Some(Term::NamedNode(node)) => node.into_string(),
        Some(Term::Literal(literal)) => literal.value().to_owned(),
        None => String::new(),
    };
    Literal::new_simple_literal(text).into()
}

/// Finds a row for each expected one, going back where blank nodes were paired wrongly.
fn are_matched(expected: &[Row], found: &[Row], pairs: &Pairs) -> bool {
    let Some((first, rest)) = expected.split_first() else { return found.is_empty() };
    found.iter().enumerate().any(|(at, row)| {
        // What an equal row before this one led to, this one leads to as well.
        if found[..at].contains(row) {
            return false;
        }
        let Some(pairs) = pairs.with(first, row) else { return false };
        let left = [&found[..at], &found[at + 1..]].concat();
        are_matched(rest, &left, &pairs)
    })
}

/// Which blank node of the answer stands for which expected one.
#[derive(Debug, Clone, Default)]
struct Pairs {
    there: HashMap<BlankNode, BlankNode>,
    back: HashMap<BlankNode, BlankNode>,
}

impl Pairs {
    /// The pairs with those that make two rows the same, if any do.
    fn with(&self, expected: &[Option<Term>], found: &[Option<Term>]) -> Option<Self> {
        let mut pairs = self.clone();
        let are_same = expected.iter().zip(found).all(|cells| match cells {
            (Some(Term::BlankNode(expected)), Some(Term::BlankNode(found))) => pairs.pair(expected, found),
            (expected, found) => expected == found,
        });
        are_same.then_some(pairs)
    }

    /// Pairs two nodes. False where one of them has another partner.
    fn pair(&mut self, expected: &BlankNode, found: &BlankNode) -> bool {
        let there = self.there.entry(expected.clone()).or_insert_with(|| found.clone());
        let back = self.back.entry(found.clone()).or_insert_with(|| expected.clone());
        there == found && back == expected
    }
}

#[test]
fn solutions_are_the_same_whatever_blank_nodes_are_called_and_only_then() {
    let node = |label: &str| Some(Term::from(BlankNode::new_unchecked(label)));
    let table = |rows: &[[&str; 2]]| {
        let rows: Vec<Row> = rows.iter().map(|[a, b]| vec![node(a), node(b)]).collect();
        Answer::Solutions(Solutions::new(&["a".to_owned(), "b".to_owned()], &rows, Cells::Terms))
    };
    // The first row could be either of the other side's; the last tells which.
    let expected = table(&[["1", "2"], ["3", "4"], ["4", "3"]]);
    let renamed = table(&[["x", "y"], ["y", "x"], ["v", "w"]]);
    assert_eq!(difference(&expected, &renamed, Order::Any), None);
    assert!(difference(&expected, &renamed, Order::Kept).is_some());
    for other in [[["x", "y"], ["y", "z"], ["v", "w"]], [["x", "y"], ["y", "x"], ["x", "y"]]] {
        assert!(difference(&expected, &table(&other), Order::Any).is_some(), "{other:?}");
    }
}
