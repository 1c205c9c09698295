//! What the answers of failures say.

use reqwest::{Response, StatusCode};

/// Of the body of a failure: as much as a message may have.
const SAID: usize = 16 << 10;

/// What the body of a failed answer says, when it is text or JSON with a message; web pages say nothing.
pub(super) async fn said(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk[..chunk.len().min(SAID - bytes.len())]);
        if bytes.len() >= SAID {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    message_in(text.trim()).chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The message of an error body: of JSON interfaces by their usual fields, else the text itself.
fn message_in(text: &str) -> String {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return if text.starts_with('<') { String::new() } else { text.to_owned() };
    };
    let fields = ["/error/message", "/message", "/error", "/detail", "/title"];
    let found = fields.iter().find_map(|field| value.pointer(field).filter(|value| !value.is_null()));
    match found.unwrap_or(&value) {
        serde_json::Value::String(message) => message.clone(),
        other => other.to_string(),
    }
}

pub(super) fn detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ": the catalogue is not public",
        StatusCode::NOT_FOUND | StatusCode::GONE => ": nothing is at this address; check it in a browser",
        StatusCode::TOO_MANY_REQUESTS => ": too many requests, also after waiting",
        status if status.is_server_error() => ": the server has a fault of its own",
        _ => "",
    }
}
