//! From a question to the answer that is sent: what was answered before is not sent again, limits that were passed
//! are told with what to do.

use super::moment::Moment;
use super::problem::Problem;
use super::server::Shared;
use crate::catalog::hex;
use crate::sparql::{AnswerBody, Answered, Failure, Light, Question, Refusal, Reply};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Receiver;

/// Bytes of a long answer that are sent together.
const PIECE: usize = 64 << 10;
/// How often a question follows the search index, which moves on.
const FOLLOWED: usize = 5;

/// What a client has already (RFC 9110, 13.1.2).
#[derive(Debug, Default)]
pub(super) struct Conditional {
    tags: Vec<String>,
}

impl Conditional {
    /// Of a request that may be answered by what the client has: GET or HEAD.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags =
            values.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/").to_owned());
        Self { tags: tags.collect() }
    }

    /// Whether the client has what a tag names.
    pub(super) fn has(&self, tag: &str) -> bool {
        let tag = tag.trim_start_matches("W/");
        self.tags.iter().any(|known| known == tag)
    }
}

/// The tag of an answer: weak, since it is compressed on its way. Another version of the program may write it otherwise.
pub(super) fn tag(snapshot: u64, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [&[env!("CARGO_PKG_VERSION")], parts].concat() {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    format!("W/\"{snapshot}-{}\"", hex(&hash.finalize()[..12]))
}

fn tag_of(question: &Question, moment: &Moment) -> String {
    let Question { query, default_graphs, named_graphs, accept, snapshot, .. } = question;
    let graphs = [default_graphs.join(" "), named_graphs.join(" ")];
    // Numbers come again when a copy takes the place of a store, times do not.
    let at = moment.at().map_or_else(String::new, |at| at.to_string());
    tag(*snapshot, &[query, &graphs[0], &graphs[1], accept.as_deref().unwrap_or_default(), &at])
}

/// The answer that says that the client has it already.
pub(super) fn not_modified(tag: String) -> Response {
    let headers =
        [(header::ETAG, tag), (header::VARY, "Accept".to_owned()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// Answers a question.
pub(super) async fn respond(
    shared: &Shared,
    client: IpAddr,
    mut question: Question,
    moment: &Moment,
    conditional: &Conditional,
) -> Result<Response, Problem> {
    let mut tag = tag_of(&question, moment);
    if conditional.has(&tag) {
        return Ok(not_modified(tag));
    }
    if let Some(response) = light(shared, &question, moment, &tag).await? {
        return Ok(response);
    }
    let deadline = shared.pool.deadline();
    for _ in 0..FOLLOWED {
        match shared.pool.ask(client, question.clone(), deadline).await {
            Ok(answered) => return sent(shared, answered, &tag, question.snapshot),
            Err(Failure::Elsewhere(_)) if matches!(moment, Moment::Then { .. }) => {
                let detail = "searches answer for the present state only: ask without as-of";
                return Err(Problem::bad_request(detail));
            }
            // The index follows the snapshots; an answer is of one state, so the question goes where the index is.
            Err(Failure::Elsewhere(snapshot)) => {
                question.snapshot = snapshot;
                tag = tag_of(&question, moment);
                if conditional.has(&tag) {
                    return Ok(not_modified(tag));
                }
            }
            // The index speaks of a state that is gone, as after a restart: it is being brought to the newest.
            Err(Failure::Refused(Refusal::Snapshot, _)) if question.snapshot != moment.number() => break,
            Err(failure) => return Err(told(failure)),
        }
    }
    Err(Problem::unavailable("the search index is being brought up to date: ask again in a moment"))
}

/// The answer of a question that cannot take long: it waits for nobody.
async fn light(
    shared: &Shared,
    question: &Question,
    moment: &Moment,
    tag: &str,
) -> Result<Option<Response>, Problem> {
    let Moment::Now(opened) = moment else { return Ok(None) };
    let Some(light) = Light::read(question) else { return Ok(None) };
    let answered = match light.answer_at_once(&opened.snapshot.store) {
        Ok(told) => Some(told),
        Err(light) => {
            let opened = Arc::clone(opened);
            shared.quickly(move || light.answer(&opened.snapshot.store)).await?
        }
    };
    let Some((reply, bytes)) = answered else { return Ok(None) };
    match reply {
        Reply::Answer { media_type, is_volatile, bytes: length, .. } => {
            let answered = Answered { media_type, is_volatile, length, body: AnswerBody::Memory(bytes) };
            sent(shared, answered, tag, question.snapshot).map(Some)
        }
        Reply::Refused { why, detail } => Err(told(Failure::Refused(why, detail))),
        Reply::Elsewhere { .. } => Ok(None),
    }
}

fn sent(shared: &Shared, answered: Answered, tag: &str, snapshot: u64) -> Result<Response, Problem> {
    let body = match answered.body {
        AnswerBody::Memory(bytes) => Body::from(bytes),
        AnswerBody::File(file) => streamed(tokio::fs::File::from_std(file), shared.download_place()?),
    };
    let headers = [
        // Whoever gets less knows that it is less.
        (header::CONTENT_LENGTH, answered.length.to_string()),
        (header::CONTENT_TYPE, answered.media_type),
        (header::VARY, "Accept".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    let mut response = (headers, [("moisson-snapshot", snapshot.to_string())], body).into_response();
    // What asks for the time or for chance is answered anew each time.
    if !answered.is_volatile
        && let Ok(tag) = tag.parse()
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A file as a body, which keeps its place until it is sent; connections give up clients that take nothing.
fn streamed(file: tokio::fs::File, place: OwnedSemaphorePermit) -> Body {
    let next = |(mut file, place): (tokio::fs::File, OwnedSemaphorePermit)| async move {
        let mut piece = vec![0; PIECE];
        let length = file.read(&mut piece).await?;
        piece.truncate(length);
        io::Result::Ok((length > 0).then(|| (Bytes::from(piece), (file, place))))
    };
    Body::from_stream(futures_util::stream::try_unfold((file, place), next).fuse())
}

/// What a channel gives, to its end and no further: compression asks once more.
pub(super) fn pieces(receiver: Receiver<io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> {
    let next = |mut receiver: Receiver<_>| async move { receiver.recv().await.map(|piece| (piece, receiver)) };
    futures_util::stream::unfold(receiver, next).fuse()
}

fn told(failure: Failure) -> Problem {
    use StatusCode as S;
    match failure {
        Failure::Refused(why, detail) => {
            let (status, title) = match why {
                Refusal::Malformed => (S::BAD_REQUEST, "Malformed query"),
                Refusal::Length => (S::PAYLOAD_TOO_LARGE, "Query too long"),
                Refusal::Service => (S::FORBIDDEN, "SERVICE refused"),
                Refusal::NotAcceptable => (S::NOT_ACCEPTABLE, "Not acceptable"),
                Refusal::Rows | Refusal::Bytes => (S::PAYLOAD_TOO_LARGE, "Result too large"),
                Refusal::Snapshot => (S::GONE, "State not kept"),
                Refusal::NoIndex => (S::SERVICE_UNAVAILABLE, "No search index"),
                Refusal::Evaluation => (S::INTERNAL_SERVER_ERROR, "Query failed"),
            };
            Problem::new(status, title, detail)
        }
        Failure::Time(time) => {
            let detail = format!(
                "the query was not answered within {} s, the time in which it waits for its turn counted: make it \
                 more specific, ask with LIMIT, or take the dump",
                time.as_secs()
            );
            Problem::new(S::SERVICE_UNAVAILABLE, "Query too long", detail)
        }
        Failure::Wanted(time) => {
            let detail = format!(
                "the query was ended after {:.1} s: others waited who had used less. Ask again later, or less at once",
                time.as_secs_f64()
            );
            Problem::new(S::SERVICE_UNAVAILABLE, "Others waited", detail).after_seconds(10)
        }
        Failure::Memory(memory) => {
            let detail = format!(
                "the query took more than {} MB of memory: sort, group and join less of the catalogue at once",
                memory >> 20
            );
            Problem::new(S::SERVICE_UNAVAILABLE, "Query too large", detail)
        }
        Failure::Busy => {
            Problem::unavailable("as many queries wait as may: try again in some seconds").after_seconds(5)
        }
        Failure::Share => {
            let detail = "as many queries of yours wait as may: ask them one after the other";
            Problem::new(S::TOO_MANY_REQUESTS, "Too many requests", detail).after_seconds(5)
        }
        Failure::Elsewhere(_) => Problem::unavailable("the search index is being brought up to date"),
        Failure::Broken(error) => Problem::internal(&error),
    }
}
