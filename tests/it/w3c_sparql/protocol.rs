//! Tests of the protocol: requests as the manifest spells them out, and what is expected of each answer.

use super::Failure;
use super::answer::Answer;
use super::endpoint::{Endpoint, Reply, Request};
use super::node::{CNT, HT, MF, Node};
use oxrdfio::RdfFormat;
use sparesults::QueryResultsFormat;

/// Names of classes of statuses: `StatusCode2xx`.
const STATUS: &str = "http://www.w3.org/2011/http-statusCodes#StatusCode";

/// A request, and what its answer must be.
pub(super) struct Exchange {
    request: Request,
    /// Patterns: `2xx`.
    statuses: Vec<String>,
    kind: Option<Kind>,
    boolean: Option<bool>,
}

/// A kind of answer, of which each has its formats.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Boolean,
    Table,
    Graph,
}

/// Sends the requests of a test one after the other, to the first whose answer is not as expected.
pub(super) fn converse(endpoint: &Endpoint, exchanges: &[Exchange]) -> Result<(), Failure> {
    exchanges.iter().try_for_each(|exchange| exchange.check(&endpoint.send(&exchange.request)))
}

impl Exchange {
    pub(super) fn of_action(action: Node<'_>) -> Vec<Self> {
        action.one(HT, "requests").list().into_iter().map(Self::of_request).collect()
    }

    fn of_request(node: Node<'_>) -> Self {
        let response = node.one(HT, "resp");
        Self {
            request: request(node),
            statuses: response
                .all(MF, "expectedStatus")
                .into_iter()
                .map(|status| status.name_in(STATUS).to_owned())
                .collect(),
            kind: response.any(MF, "expectedFormat").map(|kind| match kind.text() {
                "boolean" => Kind::Boolean,
                "tabular" => Kind::Table,
                "RDF" => Kind::Graph,
                other => panic!("an unknown kind of answer: {other}"),
            }),
            boolean: response.any(MF, "expectedBoolean").map(|value| value.text() == "true"),
        }
    }

    fn check(&self, reply: &Reply) -> Result<(), Failure> {
        if !self.statuses.iter().any(|pattern| is_like(reply.status, pattern)) {
            return Err(Failure::status(reply));
        }
        let Some(kind) = self.kind else { return Ok(()) };
        let is_as_expected = match (kind, answer(reply)) {
            (Kind::Boolean, Some(Answer::Boolean(found))) => self.boolean.is_none_or(|expected| expected == found),
            (Kind::Table, Some(Answer::Solutions(_))) | (Kind::Graph, Some(Answer::Graph(_))) => true,
            _ => false,
        };
        let body = String::from_utf8_lossy(&reply.body);
        let told = || format!("{kind:?} {:?} expected, not {} {body}", self.boolean, reply.content_type);
        if is_as_expected { Ok(()) } else { Err(Failure::Differs(told())) }
    }
}

fn is_like(status: u16, pattern: &str) -> bool {
    let digits = status.to_string();
    digits.len() == pattern.len()
        && digits.chars().zip(pattern.chars()).all(|(digit, like)| like == 'x' || like == digit)
}

/// Reads an answer in whatever format it says it has.
fn answer(reply: &Reply) -> Option<Answer> {
    // Both lists of formats know `application/xml` and `application/json`: they are those of tables.
    if let Some(format) = QueryResultsFormat::from_media_type(&reply.content_type) {
        return Answer::of_results(&reply.body, format).ok();
    }
    Answer::of_graph(&reply.body, RdfFormat::from_media_type(&reply.content_type)?).ok()
}

fn request(node: Node<'_>) -> Request {
    // The manifest's own word for the endpoint; those who run it put theirs there.
    let path = node.one(HT, "absolutePath").text().replacen("/sparql/", "/sparql", 1);
    let headers = node.any(HT, "headers").map_or(Vec::new(), Node::list);
    Request {
        method: node.one(HT, "methodName").text().to_owned(),
        path,
        headers: headers
            .into_iter()
            .map(|header| {
                let text = |name| header.one(HT, name).text().to_owned();
                (text("fieldName"), text("fieldValue"))
            })
            .collect(),
        body: node.any(HT, "body").map_or(Vec::new(), body),
    }
}

fn body(node: Node<'_>) -> Vec<u8> {
    let text = node.one(CNT, "chars").text();
    match node.one(CNT, "characterEncoding").text() {
        "UTF-8" => text.as_bytes().to_vec(),
        "UTF-16" => std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
        other => panic!("an unknown encoding: {other}"),
    }
}
