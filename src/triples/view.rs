//! SPARQL's view of a graph, alone or layered over a shared vocabulary.

use super::{Graph, TermId};
use oxrdf::Term;
use rustc_hash::FxHashMap;
use spareval::{InternalQuad, QueryableDataset};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

/// What SPARQL queries: the default graph is the union of the layers, and `named` adds one named graph.
#[derive(Debug, Clone)]
pub struct GraphView<'g> {
    layers: [Option<&'g Graph>; 2],
    named: Option<(&'g Term, &'g Graph)>,
    /// Terms that the query makes; written while it is evaluated, on its one thread.
    made: Rc<RefCell<Made>>,
}

#[derive(Debug, Default)]
struct Made {
    terms: Vec<Term>,
    ids: FxHashMap<Term, u32>,
}

/// A term inside a SPARQL evaluation over a [`GraphView`]: two numbers, since an evaluator copies it
/// millions of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewTerm {
    /// The graph that has it, or [`MADE`].
    layer: u32,
    /// The identifier there.
    id: TermId,
}

/// The layer of terms that no graph has.
const MADE: u32 = 3;

impl<'g> GraphView<'g> {
    /// Views one graph.
    #[must_use]
    pub fn of(graph: &'g Graph) -> Self {
        Self { layers: [Some(graph), None], named: None, made: Rc::default() }
    }

    /// Adds a second graph, read as if its triples were in the first.
    #[must_use]
    pub fn with_vocabulary(mut self, vocabulary: Option<&'g Graph>) -> Self {
        self.layers[1] = vocabulary;
        self
    }

    /// Adds a named graph, which `GRAPH` patterns reach.
    #[must_use]
    pub fn with_named(mut self, name: &'g Term, graph: &'g Graph) -> Self {
        self.named = Some((name, graph));
        self
    }

    fn graph(&self, layer: u32) -> Option<&'g Graph> {
        match layer {
            0 => self.layers[0],
            1 => self.layers[1],
            2 => self.named.map(|(_, graph)| graph),
            _ => None,
        }
    }

    /// The term as the first layer that has it knows it, so that one term has one internal form.
    fn internal(&self, term: Term) -> ViewTerm {
        for layer in 0..MADE {
            if let Some(id) = self.graph(layer).and_then(|graph| graph.id(term.as_ref())) {
                return ViewTerm { layer, id };
            }
        }
        let mut made = self.made.borrow_mut();
        let next = u32::try_from(made.terms.len()).expect("fewer than 2^32 terms made by a query");
        let id = *made.ids.entry(term.clone()).or_insert(next);
        if id == next {
            made.terms.push(term);
        }
        ViewTerm { layer: MADE, id }
    }

    fn external(&self, term: ViewTerm) -> Term {
        match self.graph(term.layer) {
            Some(graph) => graph.term(term.id).clone(),
            None => self.made.borrow().terms[term.id as usize].clone(),
        }
    }

    /// A term as one layer knows it: `Err` when that layer lacks it, so that nothing can match.
    fn in_layer(&self, layer: u32, term: Option<&ViewTerm>) -> Result<Option<TermId>, Absent> {
        match term {
            None => Ok(None),
            Some(term) if term.layer == layer => Ok(Some(term.id)),
            // A term of the first layer has its first form there.
            Some(_) if layer == 0 => Err(Absent),
            Some(term) => {
                let graph = self.graph(layer).ok_or(Absent)?;
                graph.id(self.external(*term).as_ref()).map(Some).ok_or(Absent)
            }
        }
    }

    fn term_of_layer(&self, layer: u32, id: TermId) -> ViewTerm {
        match self.graph(layer) {
            Some(graph) if layer > 0 => self.internal(graph.term(id).clone()),
            _ => ViewTerm { layer, id },
        }
    }

    fn quads_of_layer(
        &self,
        layer: u32,
        pattern: [Option<&ViewTerm>; 3],
        name: Option<ViewTerm>,
    ) -> impl Iterator<Item = Result<InternalQuad<ViewTerm>, Infallible>> + use<'g> {
        let rows = match (self.graph(layer), pattern.map(|term| self.in_layer(layer, term))) {
            (Some(graph), [Ok(s), Ok(p), Ok(o)]) => Some(graph.matching(s, p, o)),
            _ => None,
        };
        let view = self.clone();
        rows.into_iter().flatten().map(move |[s, p, o]| {
            Ok(InternalQuad {
                subject: view.term_of_layer(layer, s),
                predicate: view.term_of_layer(layer, p),
                object: view.term_of_layer(layer, o),
                graph_name: name,
            })
        })
    }

    /// The layers that a graph name stands for.
    #[allow(clippy::option_option, reason = "it is spareval's own form: any graph, the default one, a named one")]
    fn layers_of(&self, graph_name: Option<Option<&ViewTerm>>) -> [Option<u32>; 2] {
        match graph_name {
            Some(None) => [Some(0), self.layers[1].map(|_| 1)],
            None => [self.named.map(|_| 2), None],
            Some(Some(name)) => {
                let asked = self.external(*name);
                [self.named.filter(|(name, _)| **name == asked).map(|_| 2), None]
            }
        }
    }
}

struct Absent;

impl<'g> QueryableDataset<'g> for GraphView<'g> {
    type InternalTerm = ViewTerm;
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&ViewTerm>,
        predicate: Option<&ViewTerm>,
        object: Option<&ViewTerm>,
        graph_name: Option<Option<&ViewTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<ViewTerm>, Infallible>> + use<'g> {
        let pattern = [subject, predicate, object];
        let named = self.named.map(|(name, _)| name);
        let quads = |layer: u32| {
            let name = named.filter(|_| layer == 2).map(|name| self.internal(name.clone()));
            self.quads_of_layer(layer, pattern, name)
        };
        let [first, second] = self.layers_of(graph_name);
        let base = self.layers[0];
        // A triple that both layers hold would otherwise be two solutions.
        let in_base = move |quad: &InternalQuad<ViewTerm>| {
            let terms = [quad.subject, quad.predicate, quad.object];
            terms.iter().all(|term| term.layer == 0)
                && base.is_some_and(|graph| graph.contains(terms[0].id, terms[1].id, terms[2].id))
        };
        let second = second.map(quads);
        let first = first.map(quads);
        let beyond = second.into_iter().flatten().filter(move |quad| !quad.as_ref().is_ok_and(in_base));
        first.into_iter().flatten().chain(beyond)
    }

    fn internalize_term(&self, term: Term) -> Result<ViewTerm, Infallible> {
        Ok(self.internal(term))
    }

    fn externalize_term(&self, term: ViewTerm) -> Result<Term, Infallible> {
        Ok(self.external(term))
    }
}
