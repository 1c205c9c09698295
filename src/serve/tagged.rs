//! Entity tags of what is not tagged where it is made: a client that has a page or a record already gets it no second time.

use super::answer::Conditional;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Bytes of an answer that is tagged: pages, records, lists and Atom are shorter.
const MOST: u64 = 4 << 20;

/// Tags an answer that is there as a whole, by its content, and says where a client has it (RFC 9110, 13.1.2).
pub(super) async fn tagged(request: Request, next: Next) -> Response {
    let is_get = *request.method() == Method::GET;
    let conditional = Conditional::of(request.headers());
    let response = next.run(request).await;
    let length = response.body().size_hint().exact();
    let is_tagged =
        is_get && response.status() == StatusCode::OK && !response.headers().contains_key(header::ETAG);
    if !is_tagged || length.is_none_or(|length| length > MOST) || is_volatile(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // Weak, since it is compressed on its way.
    let tag = format!("W/\"{}\"", crate::catalog::hex(&Sha256::digest(&bytes)[..12]));
    let is_known = conditional.has(&tag);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::empty())
}

/// Whether an answer is said to be another each time.
fn is_volatile(response: &Response) -> bool {
    let cached = response.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    cached.is_some_and(|value| value.contains("no-store")) || response.headers().contains_key("moisson-snapshot")
}
