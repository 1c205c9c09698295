//! The interned graph and its builder.

use hashbrown::HashTable;
use oxrdf::{NamedNodeRef, Term, TermRef, Triple, TripleRef};
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Index of a term in one graph; meaningless in any other.
pub type TermId = u32;

type Row = [TermId; 3];

/// From this many triples on, orders are sorted on two threads.
const LARGE: usize = 100_000;

/// Collects triples, interning their terms, until [`GraphBuilder::build`].
#[derive(Debug, Default)]
pub struct GraphBuilder {
    terms: Vec<Term>,
    table: HashTable<TermId>,
    rows: Vec<Row>,
}

impl GraphBuilder {
    /// Creates an empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the identifier of a term, adding the term when it is new.
    ///
    /// # Panics
    /// When more than 2³² distinct terms are added.
    pub fn intern<'t>(&mut self, term: impl Into<TermRef<'t>>) -> TermId {
        let term = term.into();
        let hash = hash_term(term);
        if let Some(id) = find(&self.table, &self.terms, term, hash) {
            return id;
        }
        let id = TermId::try_from(self.terms.len()).expect("fewer than 2^32 terms in one graph");
        self.terms.push(term.into_owned());
        self.table.insert_unique(hash, id, |id| hash_term(self.terms[*id as usize].as_ref()));
        id
    }

    /// Adds a triple; repeated triples count once.
    pub fn insert<'t>(&mut self, triple: impl Into<TripleRef<'t>>) {
        self.insert_numbered(triple);
    }

    /// Adds a triple, and returns its terms' identifiers.
    pub fn insert_numbered<'t>(&mut self, triple: impl Into<TripleRef<'t>>) -> [TermId; 3] {
        let triple = triple.into();
        let row = [self.intern(triple.subject), self.intern(triple.predicate), self.intern(triple.object)];
        self.rows.push(row);
        row
    }

    /// Adds a triple of interned terms: a subject, an IRI and an object.
    pub fn insert_row(&mut self, row: [TermId; 3]) {
        self.rows.push(row);
    }

    /// The number of triples inserted so far, repeated ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Forgets the triples inserted after the first `len`; their terms stay known.
    pub fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    /// Whether no triple was inserted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The terms, each at the place of its identifier, and the triples inserted.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Term>, Vec<[TermId; 3]>) {
        (self.terms, self.rows)
    }

    /// Sorts the triples into the three orders of an immutable graph.
    #[must_use]
    pub fn build(self) -> Graph {
        let mut spo = self.rows;
        spo.sort_unstable();
        spo.dedup();
        let by_predicate = || sorted(&spo, |[s, p, o]| [p, o, s]);
        let by_object = || sorted(&spo, |[s, p, o]| [o, s, p]);
        let (pos, osp) =
            if spo.len() < LARGE { (by_predicate(), by_object()) } else { rayon::join(by_predicate, by_object) };
        let starts = |rows: &[Row]| first_positions(rows, self.terms.len());
        Graph {
            spo_starts: starts(&spo),
            pos_starts: starts(&pos),
            osp_starts: starts(&osp),
            terms: self.terms,
            table: self.table,
            spo,
            pos,
            osp,
        }
    }
}

impl<'t, T: Into<TripleRef<'t>>> Extend<T> for GraphBuilder {
    fn extend<I: IntoIterator<Item = T>>(&mut self, triples: I) {
        for triple in triples {
            self.insert(triple);
        }
    }
}

/// An immutable set of triples, readable by any pattern.
#[derive(Debug, Default)]
pub struct Graph {
    terms: Vec<Term>,
    table: HashTable<TermId>,
    spo: Vec<Row>,
    pos: Vec<Row>,
    osp: Vec<Row>,
    spo_starts: Vec<u32>,
    pos_starts: Vec<u32>,
    osp_starts: Vec<u32>,
}

impl Graph {
    /// The graph of some triples.
    #[must_use]
    pub fn of<'t>(triples: impl IntoIterator<Item = &'t Triple>) -> Self {
        let mut builder = GraphBuilder::new();
        builder.extend(triples);
        builder.build()
    }

    /// The number of distinct triples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spo.len()
    }

    /// Whether the graph holds no triple.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spo.is_empty()
    }

    /// The number of distinct terms; identifiers are below it.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.terms.len()
    }

    /// The identifier of a term, if any triple uses it.
    pub fn id<'t>(&self, term: impl Into<TermRef<'t>>) -> Option<TermId> {
        let term = term.into();
        find(&self.table, &self.terms, term, hash_term(term))
    }

    /// The term of an identifier of this graph.
    ///
    /// # Panics
    /// When the identifier comes from another graph.
    #[must_use]
    pub fn term(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// All triples as identifiers, by subject.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.spo
    }

    /// All triples, by subject.
    pub fn triples(&self) -> impl Iterator<Item = Triple> + '_ {
        self.spo.iter().map(|row| self.triple(*row))
    }

    /// The triples of one subject, as `[subject, predicate, object]`.
    #[must_use]
    pub fn rows_of_subject(&self, subject: TermId) -> &[Row] {
        range(&self.spo, &self.spo_starts, subject)
    }

    /// The triples that have this object, as `[object, subject, predicate]`.
    #[must_use]
    pub fn rows_of_object(&self, object: TermId) -> &[Row] {
        range(&self.osp, &self.osp_starts, object)
    }

    /// The triples of one predicate, as `[predicate, object, subject]`.
    #[must_use]
    pub fn rows_of_predicate(&self, predicate: TermId) -> &[Row] {
        range(&self.pos, &self.pos_starts, predicate)
    }

    /// The objects of a subject and predicate.
    #[must_use]
    pub fn objects(&self, subject: TermId, predicate: TermId) -> impl ExactSizeIterator<Item = TermId> + '_ {
        narrow(self.rows_of_subject(subject), predicate).iter().map(|row| row[2])
    }

    /// The subjects of a predicate and object.
    #[must_use]
    pub fn subjects(&self, predicate: TermId, object: TermId) -> impl ExactSizeIterator<Item = TermId> + '_ {
        narrow(self.rows_of_predicate(predicate), object).iter().map(|row| row[2])
    }

    /// Whether the graph holds this triple.
    #[must_use]
    pub fn contains(&self, subject: TermId, predicate: TermId, object: TermId) -> bool {
        self.rows_of_subject(subject).binary_search(&[subject, predicate, object]).is_ok()
    }

    /// The objects of a subject and predicate, as terms; none when either is unknown.
    pub fn objects_of<'g>(
        &'g self,
        subject: TermRef<'_>,
        predicate: NamedNodeRef<'_>,
    ) -> impl Iterator<Item = &'g Term> + use<'g> {
        let ids = self.id(subject).zip(self.id(predicate));
        ids.into_iter().flat_map(|(s, p)| self.objects(s, p)).map(|id| self.term(id))
    }

    /// The first object of a subject and predicate.
    #[must_use]
    pub fn object_of(&self, subject: TermRef<'_>, predicate: NamedNodeRef<'_>) -> Option<&Term> {
        self.objects_of(subject, predicate).next()
    }

    /// The triples that match a pattern, as `[subject, predicate, object]`.
    #[must_use]
    pub fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
    ) -> Matches<'_> {
        let (rows, order): (&[Row], Order) = match (subject, predicate, object) {
            (Some(s), Some(p), Some(o)) => (find_row(self.rows_of_subject(s), [s, p, o]), Order::Spo),
            (Some(s), Some(p), None) => (narrow(self.rows_of_subject(s), p), Order::Spo),
            (Some(s), None, Some(o)) => (narrow(self.rows_of_object(o), s), Order::Osp),
            (Some(s), None, None) => (self.rows_of_subject(s), Order::Spo),
            (None, Some(p), Some(o)) => (narrow(self.rows_of_predicate(p), o), Order::Pos),
            (None, Some(p), None) => (self.rows_of_predicate(p), Order::Pos),
            (None, None, Some(o)) => (self.rows_of_object(o), Order::Osp),
            (None, None, None) => (&self.spo, Order::Spo),
        };
        Matches { rows: rows.iter(), order }
    }

    fn triple(&self, [s, p, o]: Row) -> Triple {
        let subject = match self.term(s) {
            Term::NamedNode(node) => node.clone().into(),
            Term::BlankNode(node) => node.clone().into(),
            Term::Literal(_) => unreachable!("only `insert` makes rows, and a triple has no literal subject"),
        };
        let Term::NamedNode(predicate) = self.term(p) else {
            unreachable!("only `insert` makes rows, and a predicate is an IRI")
        };
        Triple { subject, predicate: predicate.clone(), object: self.term(o).clone() }
    }
}

impl FromIterator<Triple> for Graph {
    fn from_iter<I: IntoIterator<Item = Triple>>(triples: I) -> Self {
        let mut builder = GraphBuilder::new();
        for triple in triples {
            builder.insert(&triple);
        }
        builder.build()
    }
}

/// The triples that match a pattern; see [`Graph::matching`].
#[derive(Debug, Clone)]
pub struct Matches<'g> {
    rows: std::slice::Iter<'g, Row>,
    order: Order,
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Spo,
    Pos,
    Osp,
}

impl Iterator for Matches<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let [a, b, c] = *self.rows.next()?;
        Some(match self.order {
            Order::Spo => [a, b, c],
            Order::Pos => [c, a, b],
            Order::Osp => [b, c, a],
        })
    }
}

fn hash_term(term: TermRef<'_>) -> u64 {
    FxBuildHasher.hash_one(term)
}

fn find(table: &HashTable<TermId>, terms: &[Term], term: TermRef<'_>, hash: u64) -> Option<TermId> {
    table.find(hash, |id| terms[*id as usize].as_ref() == term).copied()
}

fn sorted(rows: &[Row], order: impl Fn(Row) -> Row) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.iter().map(|row| order(*row)).collect();
    rows.sort_unstable();
    rows
}

/// For each term, where its rows start; one more entry closes the last.
fn first_positions(rows: &[Row], term_count: usize) -> Vec<u32> {
    let mut starts = vec![0_u32; term_count + 1];
    for row in rows {
        starts[row[0] as usize + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    starts
}

fn range<'g>(rows: &'g [Row], starts: &[u32], first: TermId) -> &'g [Row] {
    let first = first as usize;
    // Terms that a validation adds beside the graph have identifiers past its own: they have no rows.
    match starts.get(first..first + 2) {
        Some([start, end]) => &rows[*start as usize..*end as usize],
        _ => &[],
    }
}

fn narrow(rows: &[Row], second: TermId) -> &[Row] {
    let start = rows.partition_point(|row| row[1] < second);
    let length = rows[start..].partition_point(|row| row[1] == second);
    &rows[start..start + length]
}

fn find_row(rows: &[Row], row: Row) -> &[Row] {
    match rows.binary_search(&row) {
        Ok(index) => &rows[index..=index],
        Err(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::NamedNode;

    fn node(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://example.org/{name}"))
    }

    fn graph(triples: &[(&str, &str, &str)]) -> Graph {
        triples.iter().map(|(s, p, o)| Triple::new(node(s), node(p), node(o))).collect()
    }

    #[test]
    fn every_pattern_finds_the_same_triples_as_a_scan() {
        let graph = graph(&[("a", "p", "b"), ("a", "p", "c"), ("a", "q", "b"), ("b", "p", "a"), ("a", "p", "b")]);
        assert_eq!(graph.len(), 4);
        let ids: Vec<Option<TermId>> = std::iter::once(None).chain((0..5).map(Some)).collect();
        for s in &ids {
            for p in &ids {
                for o in &ids {
                    let mut found: Vec<Row> = graph.matching(*s, *p, *o).collect();
                    found.sort_unstable();
                    let fits = |wanted: &Option<TermId>, id| wanted.is_none_or(|wanted| wanted == id);
                    let scanned: Vec<Row> = graph
                        .rows()
                        .iter()
                        .copied()
                        .filter(|row| fits(s, row[0]) && fits(p, row[1]) && fits(o, row[2]))
                        .collect();
                    assert_eq!(found, scanned);
                }
            }
        }
    }

    #[test]
    fn an_unknown_term_has_no_identifier_and_no_rows() {
        let graph = graph(&[("a", "p", "b")]);
        assert_eq!(graph.id(node("z").as_ref()), None);
        assert!(graph.rows_of_subject(99).is_empty());
    }
}
