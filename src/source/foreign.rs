//! Answers of interfaces that are not harvested, and the address to give instead.

use super::json_stream::Envelope;
use serde_json::Value;

/// Words that tell such answers by their beginning.
const SIGNS: [&str; 4] = ["\"resultSetSize\"", "\"nextStart\"", "\"page_views_last_week\"", "\"hubType\""];

/// Whether a JSON document begins as an answer that [`advice`] knows.
pub(super) fn is_foreign(start: &str) -> bool {
    SIGNS.iter().any(|sign| start.contains(sign))
}

/// What an answer without datasets is, and which address has them: Socrata's and `ArcGIS`'s own interfaces know less
/// than the `data.json` that both publish.
pub(super) fn advice(envelope: &Envelope) -> Option<String> {
    let first = envelope.get("results").and_then(|results| results.get(0));
    if let Some(domain) = first.and_then(|first| first.pointer("/metadata/domain")).and_then(Value::as_str) {
        return Some(format!(
            "this is an answer of Socrata's Discovery API: harvest the portal's file, https://{domain}/data.json"
        ));
    }
    if envelope.contains_key("nextStart") {
        return Some(
            "this is a search of an ArcGIS portal: harvest the file of the ArcGIS Hub site that shows these datasets, \
             its address followed by /api/feed/dcat-us/1.1.json"
                .to_owned(),
        );
    }
    envelope.get("properties").is_some_and(|properties| properties.get("hubType").is_some()).then(|| {
        "this is one item of an ArcGIS Hub site: harvest the site's file, its address followed by \
         /api/feed/dcat-us/1.1.json"
            .to_owned()
    })
}
