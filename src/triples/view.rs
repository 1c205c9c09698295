//! SPARQL's view of a graph, alone or layered over a shared vocabulary.

use super::{Graph, TermId};
use oxrdf::Term;
use spareval::{InternalQuad, QueryableDataset};
use std::convert::Infallible;
use std::sync::Arc;

/// What SPARQL queries: the default graph is the union of the layers, and `named` adds one named graph.
#[derive(Debug, Clone, Copy)]
pub struct GraphView<'g> {
    layers: [Option<&'g Graph>; 2],
    named: Option<(&'g Term, &'g Graph)>,
}

impl<'g> GraphView<'g> {
    /// Views one graph.
    #[must_use]
    pub fn of(graph: &'g Graph) -> Self {
        Self { layers: [Some(graph), None], named: None }
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

    fn graphs(&self) -> [Option<&'g Graph>; 3] {
        [self.layers[0], self.layers[1], self.named.map(|(_, graph)| graph)]
    }

    /// The smallest layer's identifier, so that one term has one internal form.
    fn internal(&self, term: Term) -> ViewTerm {
        for (layer, graph) in (0_u8..).zip(self.graphs()) {
            if let Some(id) = graph.and_then(|graph| graph.id(term.as_ref())) {
                return ViewTerm::Known { layer, id };
            }
        }
        ViewTerm::Other(Arc::new(term))
    }

    fn external(&self, term: &ViewTerm) -> Term {
        match term {
            ViewTerm::Known { layer, id } => {
                let graph = self.graphs()[usize::from(*layer)].expect("the layer that gave this term");
                graph.term(*id).clone()
            }
            ViewTerm::Other(term) => Term::clone(term),
        }
    }

    /// A term as one layer knows it: `Err` when that layer lacks it, so that nothing can match.
    fn in_layer(&self, wanted: u8, term: Option<&ViewTerm>) -> Result<Option<TermId>, Absent> {
        match term {
            None => Ok(None),
            Some(ViewTerm::Known { layer, id }) if *layer == wanted => Ok(Some(*id)),
            Some(term) => {
                let graph = self.graphs()[usize::from(wanted)].ok_or(Absent)?;
                graph.id(self.external(term).as_ref()).map(Some).ok_or(Absent)
            }
        }
    }

    fn term_of_layer(&self, layer: u8, id: TermId) -> ViewTerm {
        if layer == 0 {
            return ViewTerm::Known { layer, id };
        }
        let graph = self.graphs()[usize::from(layer)].expect("the layer being read");
        self.internal(graph.term(id).clone())
    }

    fn quads_of_layer(
        self,
        layer: u8,
        pattern: [Option<&ViewTerm>; 3],
        name: Option<ViewTerm>,
    ) -> impl Iterator<Item = Result<InternalQuad<ViewTerm>, Infallible>> + use<'g> {
        let ids = pattern.map(|term| self.in_layer(layer, term));
        let rows = match (self.graphs()[usize::from(layer)], ids) {
            (Some(graph), [Ok(s), Ok(p), Ok(o)]) => Some(graph.matching(s, p, o)),
            _ => None,
        };
        rows.into_iter().flatten().map(move |[s, p, o]| {
            Ok(InternalQuad {
                subject: self.term_of_layer(layer, s),
                predicate: self.term_of_layer(layer, p),
                object: self.term_of_layer(layer, o),
                graph_name: name.clone(),
            })
        })
    }
}

struct Absent;

/// A term inside a SPARQL evaluation over a [`GraphView`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ViewTerm {
    /// A term of one of the layers; always the first layer that has it.
    Known {
        /// Which graph.
        layer: u8,
        /// The identifier there.
        id: TermId,
    },
    /// A term that the query made.
    Other(Arc<Term>),
}

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
        let view = *self;
        let pattern = [subject, predicate, object];
        let layers: &[u8] = match graph_name {
            Some(None) => &[0, 1],
            None => &[2],
            Some(Some(name)) => {
                let asked = view.external(name);
                if view.named.is_some_and(|(name, _)| *name == asked) { &[2] } else { &[] }
            }
        };
        let name = |layer: u8| match view.named {
            Some((name, _)) if layer == 2 => Some(view.internal(name.clone())),
            _ => None,
        };
        let mut parts: Vec<_> =
            layers.iter().map(|layer| view.quads_of_layer(*layer, pattern, name(*layer))).collect();
        // A triple that both layers hold would otherwise be two solutions.
        let second = if parts.len() == 2 { parts.pop() } else { None };
        let first = parts.pop();
        let base = view.layers[0];
        let in_base = move |quad: &InternalQuad<ViewTerm>| match (base, quad) {
            (
                Some(graph),
                InternalQuad {
                    subject: ViewTerm::Known { layer: 0, id: s },
                    predicate: ViewTerm::Known { layer: 0, id: p },
                    object: ViewTerm::Known { layer: 0, id: o },
                    ..
                },
            ) => graph.contains(*s, *p, *o),
            _ => false,
        };
        let second = second.into_iter().flatten().filter(move |quad| !quad.as_ref().is_ok_and(in_base));
        first.into_iter().flatten().chain(second)
    }

    fn internalize_term(&self, term: Term) -> Result<ViewTerm, Infallible> {
        Ok(self.internal(term))
    }

    fn externalize_term(&self, term: ViewTerm) -> Result<Term, Infallible> {
        Ok(self.external(&term))
    }
}
