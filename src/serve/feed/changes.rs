//! What changed, as a Linked Data Event Stream (LDES 1.0, TREE; DCAT-AP Feeds): `/ldes`, its pages and its events.
//!
//! An event is an activity whose named graph, called like it, is the whole new state of the record as its source
//! states it; a removal has none. A full page never changes.

use crate::catalog::DatasetKey;
use crate::operations::{CHANGES_OF_PAGE, Change, ChangeKind, ChangePage};
use crate::serve::answer::{Conditional, not_modified, tag};
use crate::serve::dataset::graph_triples;
use crate::serve::negotiated::best_of;
use crate::serve::problem::Problem;
use crate::serve::server::{Opened, Shared, State};
use crate::store::CatalogueRecord;
use crate::triples::RdfWriter;
use crate::vocab::{activity, ldes, moisson, rdf, tree, xsd};
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use oxrdf::{GraphName, Literal, NamedNode, Quad, Triple};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use std::sync::Arc;

/// Syntaxes that can say a named graph.
const OFFERS: [&str; 3] = ["application/trig", "application/n-quads", "application/ld+json"];
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_A_MINUTE: &str = "public, max-age=60";

#[derive(Template)]
#[template(path = "stream.ttl", escape = "none")]
struct Stream<'s> {
    base: &'s str,
    pages: Vec<ChangePage>,
}

/// The root: what the stream is, and where its pages are.
pub(in crate::serve) async fn root(
    axum::extract::State(shared): State,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = best_of(&headers, &OFFERS)?;
    let last = shared.operations.last_change().await?;
    let tag = tag_of("root", last, format);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let pages = shared.operations.change_pages().await?;
    let turtle = Stream { base: &shared.settings.public_base, pages }.render()?;
    let parser = RdfParser::from_format(RdfFormat::Turtle).for_slice(&turtle);
    let quads: Vec<Quad> = parser.collect::<Result<_, _>>()?;
    sent(&quads, format, tag, FOR_A_MINUTE)
}

/// A page of events, in order.
pub(in crate::serve) async fn page(
    axum::extract::State(shared): State,
    Path(number): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = best_of(&headers, &OFFERS)?;
    let missing = || Problem::not_found(format!("the stream has no page {number}"));
    let first =
        number.checked_sub(1).and_then(|before| before.checked_mul(CHANGES_OF_PAGE)).ok_or_else(missing)? + 1;
    let changes = shared.operations.changes(first, first.saturating_add(CHANGES_OF_PAGE - 1)).await?;
    let last = changes.last().ok_or_else(missing)?.number;
    let tag = tag_of("page", last, format);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let is_full = last == number * CHANGES_OF_PAGE;
    let node = NamedNode::new_unchecked(format!("{}/ldes/{number}", shared.settings.public_base));
    let root = NamedNode::new_unchecked(format!("{}/ldes", shared.settings.public_base));
    let mut quads = vec![plain(Triple::new(node.clone(), rdf::TYPE, tree::NODE))];
    if is_full {
        quads.push(plain(Triple::new(node, ldes::IMMUTABLE, Literal::from(true))));
    }
    quads.push(plain(Triple::new(stream(&shared), rdf::TYPE, ldes::EVENT_STREAM)));
    quads.push(plain(Triple::new(stream(&shared), tree::VIEW, root)));
    let opened = shared.snapshot()?;
    for change in &changes {
        quads.extend(member(&shared, &opened, change).await?);
    }
    sent(&quads, format, tag, if is_full { FOR_EVER } else { FOR_A_MINUTE })
}

/// One event, as it stands on its page.
pub(in crate::serve) async fn event(
    axum::extract::State(shared): State,
    Path(number): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = best_of(&headers, &OFFERS)?;
    let change = shared.operations.changes(number, number).await?.pop();
    let change = change.ok_or_else(|| Problem::not_found(format!("the stream has no event {number}")))?;
    let tag = tag_of("event", number, format);
    if Conditional::of(&headers).has(&tag) {
        return Ok(not_modified(tag));
    }
    let quads = member(&shared, &shared.snapshot()?, &change).await?;
    sent(&quads, format, tag, FOR_EVER)
}

fn tag_of(what: &str, number: i64, format: &str) -> String {
    tag(u64::try_from(number).unwrap_or(0), &["ldes", what, format])
}

fn stream(shared: &Shared) -> NamedNode {
    NamedNode::new_unchecked(format!("{}/ldes#stream", shared.settings.public_base))
}

fn plain(triple: Triple) -> Quad {
    triple.in_graph(GraphName::DefaultGraph)
}

/// A member of the stream: first that it is one, as the TREE profile wants it, then what it says.
async fn member(shared: &Arc<Shared>, opened: &Arc<Opened>, change: &Change) -> Result<Vec<Quad>, Problem> {
    let base = &shared.settings.public_base;
    let event = NamedNode::new_unchecked(format!("{base}/event/{}", change.number));
    let kind = match change.kind {
        ChangeKind::Create => activity::CREATE,
        ChangeKind::Update => activity::UPDATE,
        ChangeKind::Delete => activity::DELETE,
    };
    let at = Literal::new_typed_literal(change.at.as_str(), xsd::DATE_TIME);
    let object = NamedNode::new_unchecked(change.node.as_str());
    let mut quads: Vec<Quad> = [
        Triple::new(stream(shared), tree::MEMBER, event.clone()),
        Triple::new(event.clone(), rdf::TYPE, kind),
        Triple::new(event.clone(), activity::OBJECT, object),
        Triple::new(event.clone(), activity::PUBLISHED, at),
        Triple::new(event.clone(), moisson::NUMBER, Literal::from(change.number)),
        Triple::new(event.clone(), moisson::RECORD, shared.names.catalogue_record(change.key)),
    ]
    .into_iter()
    .map(plain)
    .collect();
    if change.kind != ChangeKind::Delete {
        let state = state(shared, opened, change.key, &change.hash).await?;
        quads.extend(state.into_iter().map(|triple| triple.in_graph(event.clone())));
    }
    Ok(quads)
}

/// The source's statements about a record, as they had a hash: the present ones, or those of the history.
async fn state(
    shared: &Arc<Shared>,
    opened: &Arc<Opened>,
    key: DatasetKey,
    hash: &str,
) -> Result<Vec<Triple>, Problem> {
    let graph = shared.names.record(key);
    let (inner, state, wanted) = (Arc::clone(shared), Arc::clone(opened), hash.to_owned());
    let present = shared.reading(move || -> Result<Option<Vec<Triple>>, Problem> {
        let known = CatalogueRecord::read(&state.snapshot.store, &inner.names, key);
        let is_present = known.is_some_and(|record| record.hash.to_string() == wanted);
        is_present.then(|| graph_triples(&state.snapshot, &inner.names.record(key))).transpose()
    });
    if let Some(mut triples) = present.await?? {
        triples.sort_by_cached_key(ToString::to_string);
        return Ok(triples);
    }
    // What was purged is known no more: the event says that it was there.
    let kept = shared.operations.state_of(key, hash).await?.unwrap_or_default();
    let parser = RdfParser::from_format(RdfFormat::NQuads).lenient().for_slice(&kept);
    let quads: Vec<Quad> = parser.collect::<Result<_, _>>()?;
    let stated = quads.into_iter().filter(|quad| quad.graph_name == GraphName::from(graph.clone()));
    let mut triples: Vec<Triple> = stated.map(Triple::from).collect();
    triples.sort_by_cached_key(ToString::to_string);
    Ok(triples)
}

fn sent(
    quads: &[Quad],
    media_type: &'static str,
    tag: String,
    caching: &'static str,
) -> Result<Response, Problem> {
    let format =
        RdfFormat::from_media_type(media_type).unwrap_or(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() });
    let mut writer = RdfWriter::new(format, Vec::new());
    for quad in quads {
        writer.write_quad(quad)?;
    }
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::VARY, "Accept".to_owned()),
    ];
    Ok((headers, writer.finish()?.0).into_response())
}
