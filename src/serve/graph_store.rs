//! `/rdf-graph-store`: reading graphs by the SPARQL 1.1 Graph Store HTTP Protocol, 5.2, indirectly named (4.2).

use super::answer::{Conditional, respond};
use super::client::ClientAddress;
use super::moment::Moment;
use super::negotiated::accept;
use super::problem::Problem;
use super::server::State;
use crate::sparql::Question;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::Response;
use oxrdf::NamedNode;
use std::sync::Arc;

/// A graph that is named, or the default graph, which is all graphs together.
pub(super) async fn get(
    axum::extract::State(shared): State,
    ClientAddress(client): ClientAddress,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (mut named, mut is_default, mut as_of) = (None, false, None);
    for (name, value) in url::form_urlencoded::parse(parameters.as_deref().unwrap_or_default().as_bytes()) {
        match &*name {
            "graph" => named = Some(value.into_owned()),
            "default" => is_default = true,
            "as-of" => as_of = Some(value.into_owned()),
            _ => {}
        }
    }
    if named.is_some() == is_default {
        return Err(Problem::bad_request("name one graph by graph=IRI, or all together by default"));
    }
    let moment = Moment::asked(&shared, as_of.as_deref())?;
    let mut default_graphs = Vec::new();
    if let Some(text) = named {
        let graph = NamedNode::new(&text)
            .map_err(|error| Problem::invalid("graph", format!("{text:?} is not an IRI: {error}")))?;
        let inner = Arc::clone(&shared);
        let number = moment.number();
        let is_there = shared.reading(move || -> Result<bool, Problem> {
            let opened = inner.readers.go_on(&inner, number)?;
            Ok(opened.snapshot.store.contains_named_graph(&graph)?)
        });
        if !is_there.await?? {
            return Err(Problem::not_found(format!("no graph is called {text}")));
        }
        default_graphs.push(text);
    }
    let question = Question {
        query: include_str!("../../queries/endpoint/graph.rq").to_owned(),
        default_graphs,
        accept: accept(&headers).map(ToOwned::to_owned),
        base: shared.settings.public_base.clone(),
        snapshot: moment.number(),
        ..shared.bounds()
    };
    respond(&shared, client, question, &moment, &Conditional::of(&headers)).await
}
