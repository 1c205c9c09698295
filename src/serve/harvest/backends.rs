//! The kinds of sources.

use super::forms::Backend;
use axum::Json;
use serde_json::json;

/// The kinds of sources.
#[utoipa::path(get, path = "/api/1/harvest/backends/", responses((status = 200, body = Vec<Backend>)))]
pub(crate) async fn backends() -> Json<Vec<Backend>> {
    let filter =
        |key: &str, label: &str| json!({"key": key, "label": label, "type": "string", "description": null});
    let facets = || {
        let named = [
            ("organization", "Organization"),
            ("group", "Group"),
            ("tag", "Tag"),
            ("theme", "Theme"),
            ("license", "Licence"),
            ("format", "Format"),
        ];
        named.iter().map(|(key, label)| filter(key, label)).collect::<Vec<_>>()
    };
    let extra = |key: &str, label: &str| json!({"key": key, "label": label, "description": null, "default": null});
    let backend =
        |id, label, extra_configs| Backend { id, label, filters: facets(), features: Vec::new(), extra_configs };
    let csw = vec![
        extra("remote_url_prefix", "Prefix of the catalogue's pages"),
        extra("output_schema", "Form of the records"),
    ];
    Json(vec![
        backend("ckan", "CKAN", vec![extra("where", "Query in Solr's language")]),
        backend("csw", "CSW", csw),
        backend("dcat", "DCAT", Vec::new()),
        backend("dcat-us", "DCAT-US", Vec::new()),
        backend("opendatasoft", "Opendatasoft", vec![extra("where", "Query in ODSQL")]),
    ])
}
