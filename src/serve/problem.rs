//! The one form of errors (RFC 9457).

use crate::catalog::with_causes;
use crate::harvest::{HandError, HarvestError};
use crate::jobs::WorkflowError;
use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error as the client sees it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    /// The field that is wrong, where it is one.
    field: Option<&'static str>,
    /// When to come again, where it is known.
    after_seconds: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), field: None, after_seconds: None }
    }

    /// Says when to come again (RFC 9110, 10.2.3).
    pub(super) fn after_seconds(self, seconds: u32) -> Self {
        Self { after_seconds: Some(seconds), ..self }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable", detail)
    }

    /// A field that is not what it should be.
    pub(super) fn invalid(field: &'static str, fault: String) -> Self {
        Self { field: Some(field), ..Self::bad_request(fault) }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    pub(super) fn not_acceptable(offers: &[&str]) -> Self {
        let detail = format!("this address has: {}", offers.join(", "));
        Self::new(StatusCode::NOT_ACCEPTABLE, "Not acceptable", detail)
    }

    /// A fault of our own: logged with its causes, told without them.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(causes = with_causes(error), "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "the server has a fault; it was logged")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // `message` and `errors` are where clients of udata look.
        let mut body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "message": self.detail,
        });
        if let Some(field) = self.field {
            body["errors"] = json!({field: self.detail});
        }
        let json = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, json, body.to_string()).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Moisson\""));
        }
        if let Some(seconds) = self.after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl<E: std::error::Error + 'static> From<E> for Problem {
    fn from(error: E) -> Self {
        let any: &(dyn std::error::Error + 'static) = &error;
        let known = any
            .downcast_ref::<WorkflowError>()
            .and_then(of_workflow)
            .or_else(|| any.downcast_ref::<HandError>().and_then(of_hand));
        known.unwrap_or_else(|| Self::internal(&error))
    }
}

/// What a client did that the workflow of sources does not allow.
fn of_workflow(error: &WorkflowError) -> Option<Problem> {
    Some(match error {
        WorkflowError::Unknown(_) => Problem::not_found(error.to_string()),
        WorkflowError::Taken(_) => Problem::invalid("slug", error.to_string()),
        WorkflowError::Setting { field, fault } => Problem::invalid(udata_field(field), fault.clone()),
        WorkflowError::State(_) => Problem::bad_request(error.to_string()),
        WorkflowError::Operations(_) => return None,
    })
}

/// The fields of the API that settings of `moisson.toml` are.
fn udata_field(setting: &'static str) -> &'static str {
    match setting {
        "kind" => "backend",
        "title" => "name",
        "name" => "slug",
        "url" | "description" | "organization" | "owner" | "comment" | "schedule" => setting,
        _ => "config",
    }
}

/// What a client did to a record that cannot be done.
fn of_hand(error: &HandError) -> Option<Problem> {
    Some(match error {
        HandError::Unknown(_) => Problem::not_found(error.to_string()),
        HandError::State(_) => Problem::new(StatusCode::CONFLICT, "Conflict", error.to_string()),
        HandError::Harvest(HarvestError::Store(StoreError::Locked { .. }) | HarvestError::Spoiled) => {
            Problem::unavailable("another process writes to the store; try again in a moment")
        }
        HandError::Harvest(_) => return None,
    })
}
