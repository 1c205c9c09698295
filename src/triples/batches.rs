//! Batches of records that a query can be run over together.

use oxrdf::{NamedOrBlankNodeRef, Term, Triple};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

/// Batches that records are sorted into at the same time.
const OPEN: usize = 8;

/// What is said of each node that a record describes or mentions, as a sum of hashes; 0 is nothing.
type Sayings = FxHashMap<u64, u64>;

/// Puts records into batches of at most so many in which each sees of its nodes what it says itself, and nothing more.
///
/// A query over the union of several records must give what it gives over each alone. It does, unless
/// one record describes a node that another mentions or describes otherwise: such records are kept
/// apart. Planning a query costs as much as running it over several records, hence batches at all.
pub fn independent_batches<T>(
    records: Vec<T>,
    most: usize,
    triples_of: impl Fn(&T, &mut dyn FnMut(&Triple)),
) -> Vec<Vec<T>> {
    let mut closed = Vec::new();
    let mut open: Vec<(Vec<T>, Sayings)> = Vec::new();
    for record in records {
        let mut own = Sayings::default();
        triples_of(&record, &mut |triple| note(triple, &mut own));
        let fitting = open.iter().position(|(_, others)| agree(&own, others));
        let at = fitting.unwrap_or_else(|| {
            if open.len() == OPEN {
                closed.push(open.remove(0).0);
            }
            open.push((Vec::new(), Sayings::default()));
            open.len() - 1
        });
        let (batch, known) = &mut open[at];
        batch.push(record);
        known.extend(own);
        if batch.len() == most {
            closed.push(open.remove(at).0);
        }
    }
    closed.extend(open.into_iter().map(|(batch, _)| batch));
    closed
}

fn agree(own: &Sayings, others: &Sayings) -> bool {
    own.iter().all(|(node, said)| others.get(node).is_none_or(|other| other == said))
}

fn note(triple: &Triple, sayings: &mut Sayings) {
    let subject = match triple.subject.as_ref() {
        NamedOrBlankNodeRef::NamedNode(node) => FxBuildHasher.hash_one(node.as_str()),
        NamedOrBlankNodeRef::BlankNode(node) => FxBuildHasher.hash_one(node.as_str()),
    };
    let said = sayings.entry(subject).or_default();
    *said = said.wrapping_add(FxBuildHasher.hash_one((&triple.predicate, &triple.object)) | 1);
    if let Term::NamedNode(object) = &triple.object {
        sayings.entry(FxBuildHasher.hash_one(object.as_str())).or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::NamedNode;

    fn triple(s: &str, p: &str, o: &str) -> Triple {
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e/{name}"));
        Triple::new(node(s), node(p), node(o))
    }

    #[test]
    fn records_that_say_different_things_of_a_node_are_kept_apart() {
        let described = vec![triple("a", "publisher", "p"), triple("p", "name", "x")];
        let same = vec![triple("b", "publisher", "p"), triple("p", "name", "x")];
        let otherwise = vec![triple("c", "publisher", "p"), triple("p", "name", "y")];
        let mentioned = vec![triple("d", "publisher", "p")];
        let records = vec![described, same, otherwise, mentioned];
        let batches = independent_batches(records, 10, |record: &Vec<Triple>, note| record.iter().for_each(note));
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1]);
    }
}
