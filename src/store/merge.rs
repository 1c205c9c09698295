//! The default graph of a query as the RDF merge of graphs: a statement that several graphs have is one statement.
//!
//! Oxigraph's own union gives such a statement once for each graph, so that joins and counts multiply. In the quad
//! orders that a pattern without a graph is read in (SPOG, POSG, OSPG) the copies of a statement are neighbours, so
//! passing over them costs one comparison a row. Patterns of named graphs stay as they are.
//! (SPARQL 1.1 Query, 13.1 and 13.2; RDF 1.1 Semantics, 4.1.)

use oxigraph::sparql::PreparedSparqlQuery;
use oxigraph::store::Store;
use oxrdf::{GraphName, Term};
use rustc_hash::FxHashSet;
use spareval::{ExpressionTerm, InternalQuad, QueryEvaluationError, QueryResults, QueryableDataset};
use std::vec;

/// Evaluates a query on a store. Its default graph is the merge of all graphs, or of those that the query or its
/// request names.
pub fn evaluate_on_merge(
    mut query: PreparedSparqlQuery,
    store: &Store,
) -> Result<QueryResults<'static>, QueryEvaluationError> {
    let dataset = store.queryable_dataset();
    let graphs = match query.dataset().default_graph_graphs() {
        Some(graphs) if !query.dataset().is_default_dataset() => {
            let graphs: Result<Vec<_>, _> = graphs.iter().map(|graph| internal_name(&dataset, graph)).collect();
            Some(graphs.map_err(|error| QueryEvaluationError::Dataset(Box::new(error)))?)
        }
        _ => None,
    };
    // The evaluator then asks for the default graph as for a single graph.
    query.dataset_mut().set_default_graph(vec![GraphName::DefaultGraph]);
    query.on_queryable_dataset(Merge { dataset, graphs }).execute()
}

fn internal_name<'a, D: QueryableDataset<'a>>(
    dataset: &D,
    graph: &GraphName,
) -> Result<Option<D::InternalTerm>, D::Error> {
    let name = match graph {
        GraphName::NamedNode(name) => Term::from(name.clone()),
        GraphName::BlankNode(name) => Term::from(name.clone()),
        GraphName::DefaultGraph => return Ok(None),
    };
    dataset.internalize_term(name).map(Some)
}

/// A dataset whose default graph is the merge of some of its graphs.
struct Merge<D, T> {
    dataset: D,
    /// The graphs that are merged: all where there is no list. `None` in the list is the dataset's own default graph.
    graphs: Option<Vec<Option<T>>>,
}

impl<'a, D: QueryableDataset<'a>> QueryableDataset<'a> for Merge<D, D::InternalTerm> {
    type InternalTerm = D::InternalTerm;
    type Error = D::Error;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&D::InternalTerm>,
        predicate: Option<&D::InternalTerm>,
        object: Option<&D::InternalTerm>,
        graph_name: Option<Option<&D::InternalTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<D::InternalTerm>, D::Error>> + use<'a, D> {
        let quads = |graph| self.dataset.internal_quads_for_pattern(subject, predicate, object, graph);
        match (graph_name, &self.graphs) {
            (Some(None), None) => MergedQuads::new(quads(None), Vec::new(), Repetitions::Neighbours(None)),
            (Some(None), Some(graphs)) => match graphs.split_first() {
                Some((first, rest)) if !rest.is_empty() => MergedQuads::new(
                    quads(Some(first.as_ref())),
                    rest.iter().map(|graph| quads(Some(graph.as_ref()))).collect(),
                    Repetitions::Anywhere(FxHashSet::default()),
                ),
                Some((only, _)) => MergedQuads::new(quads(Some(only.as_ref())), Vec::new(), Repetitions::None),
                None => {
                    MergedQuads { current: None, rest: Vec::new().into_iter(), repetitions: Repetitions::None }
                }
            },
            (named, _) => MergedQuads::new(quads(named), Vec::new(), Repetitions::None),
        }
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<D::InternalTerm, D::Error>> + use<'a, D> {
        self.dataset.internal_named_graphs()
    }

    fn contains_internal_graph_name(&self, graph_name: &D::InternalTerm) -> Result<bool, D::Error> {
        self.dataset.contains_internal_graph_name(graph_name)
    }

    fn internalize_term(&self, term: Term) -> Result<D::InternalTerm, D::Error> {
        self.dataset.internalize_term(term)
    }

    fn externalize_term(&self, term: D::InternalTerm) -> Result<Term, D::Error> {
        self.dataset.externalize_term(term)
    }

    fn externalize_expression_term(&self, term: D::InternalTerm) -> Result<ExpressionTerm, D::Error> {
        self.dataset.externalize_expression_term(term)
    }

    fn internalize_expression_term(&self, term: ExpressionTerm) -> Result<D::InternalTerm, D::Error> {
        self.dataset.internalize_expression_term(term)
    }

    fn internal_term_effective_boolean_value(&self, term: D::InternalTerm) -> Result<Option<bool>, D::Error> {
        self.dataset.internal_term_effective_boolean_value(term)
    }
}

/// Where the copies of a statement may be among the quads of a pattern.
enum Repetitions<T> {
    /// There are none, or each is wanted with its graph.
    None,
    /// Next to each other.
    Neighbours(Option<[T; 3]>),
    /// In one of the graphs that were read before.
    Anywhere(FxHashSet<[T; 3]>),
}

/// The quads of one pattern, graph after graph.
struct MergedQuads<I, T> {
    current: Option<I>,
    rest: vec::IntoIter<I>,
    repetitions: Repetitions<T>,
}

impl<I, T> MergedQuads<I, T> {
    fn new(first: I, rest: Vec<I>, repetitions: Repetitions<T>) -> Self {
        Self { current: Some(first), rest: rest.into_iter(), repetitions }
    }
}

impl<I, T, E> Iterator for MergedQuads<I, T>
where
    I: Iterator<Item = Result<InternalQuad<T>, E>>,
    T: Clone + Eq + std::hash::Hash,
{
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        loop {
            let Some(quad) = self.current.as_mut()?.next() else {
                self.current = self.rest.next();
                continue;
            };
            match quad {
                Ok(quad) if self.repetitions.has(&quad) => {}
                quad => return Some(quad),
            }
        }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Repetitions<T> {
    /// Whether the statement of this quad came before; notes it.
    fn has(&mut self, quad: &InternalQuad<T>) -> bool {
        let statement = || [quad.subject.clone(), quad.predicate.clone(), quad.object.clone()];
        match self {
            Self::None => false,
            Self::Neighbours(Some([subject, predicate, object]))
                if *object == quad.object && *subject == quad.subject && *predicate == quad.predicate =>
            {
                true
            }
            Self::Neighbours(before) => {
                *before = Some(statement());
                false
            }
            Self::Anywhere(before) => !before.insert(statement()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxigraph::sparql::SparqlEvaluator;
    use oxrdf::Quad;
    use oxrdfio::{RdfFormat, RdfParser};
    use std::collections::BTreeSet;

    /// A statement in three graphs, one in two, one in one; a chain of two steps over two graphs.
    const QUADS: &str = "
        GRAPH <x:g1> { <x:a> <x:name> 'A' ; <x:next> <x:b> }
        GRAPH <x:g2> { <x:a> <x:name> 'A' ; <x:next> <x:b> . <x:b> <x:next> <x:c> ; <x:name> 'B' }
        GRAPH <x:g3> { <x:a> <x:name> 'A' . <x:b> <x:name> 'B' }";

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let quads: Vec<Quad> =
            RdfParser::from_format(RdfFormat::TriG).for_slice(QUADS).map(|quad| quad.expect("a quad")).collect();
        store.extend(quads).expect("room");
        (folder, store)
    }

    fn rows(query: &str) -> usize {
        let (_folder, store) = store();
        let query = SparqlEvaluator::new().parse_query(query).expect("a query");
        match evaluate_on_merge(query, &store).expect("an answer") {
            QueryResults::Solutions(rows) => {
                let rows: Vec<_> = rows.map(|row| row.expect("a row")).collect();
                let texts: BTreeSet<String> = rows.iter().map(|row| format!("{row:?}")).collect();
                assert!(!query_is_over_the_default_graph(&rows) || texts.len() == rows.len(), "{texts:?}");
                rows.len()
            }
            QueryResults::Boolean(answer) => usize::from(answer),
            QueryResults::Graph(triples) => triples.count(),
        }
    }

    fn query_is_over_the_default_graph(rows: &[spareval::QuerySolution]) -> bool {
        rows.first().is_some_and(|row| row.get("g").is_none() && row.get("n").is_none())
    }

    #[test]
    fn counts_a_statement_once_whatever_is_bound() {
        let cases = [
            ("SELECT ?s ?p ?o { ?s ?p ?o }", 4),
            ("SELECT ?s ?o { ?s <x:name> ?o }", 2),
            ("SELECT ?p ?o { <x:a> ?p ?o }", 2),
            ("SELECT ?s ?p { ?s ?p <x:b> }", 1),
            ("SELECT ?s { ?s <x:name> \"A\" }", 1),
            ("SELECT ?p { <x:a> ?p <x:b> }", 1),
            ("SELECT ?o { <x:a> <x:name> ?o }", 1),
            ("SELECT ?x { <x:a> <x:name> \"A\" BIND(1 AS ?x) }", 1),
            ("SELECT ?s ?name ?o { ?s <x:name> ?name ; <x:next> ?o }", 2),
            ("SELECT ?s ?o { ?s <x:next>+ ?o }", 3),
            ("SELECT ?s ?o { ?s <x:next>/<x:next> ?o }", 1),
            ("SELECT ?s ?name { ?s <x:next> ?o OPTIONAL { ?o <x:name> ?name } }", 2),
        ];
        for (query, expected) in cases {
            assert_eq!(rows(query), expected, "{query}");
        }
    }

    #[test]
    fn keeps_a_statement_for_each_named_graph() {
        assert_eq!(rows("SELECT ?g ?o { GRAPH ?g { <x:a> <x:name> ?o } }"), 3);
        assert_eq!(rows("SELECT ?g { GRAPH ?g { ?s ?p ?o } }"), 8);
        assert_eq!(rows("SELECT ?n { GRAPH <x:g2> { ?n ?p ?o } }"), 4);
    }

    #[test]
    fn merges_the_graphs_that_the_query_names() {
        assert_eq!(rows("SELECT ?s ?p ?o FROM <x:g1> { ?s ?p ?o }"), 2);
        assert_eq!(rows("SELECT ?s ?p ?o FROM <x:g1> FROM <x:g3> { ?s ?p ?o }"), 3);
        assert_eq!(rows("SELECT ?s ?p ?o FROM <x:g1> FROM <x:g2> FROM <x:g3> { ?s ?p ?o }"), 4);
        assert_eq!(rows("SELECT ?s ?p ?o FROM NAMED <x:g1> { ?s ?p ?o }"), 0);
        assert_eq!(rows("SELECT ?g FROM <x:g1> FROM NAMED <x:g3> { GRAPH ?g { ?s ?p ?o } }"), 2);
    }
}
