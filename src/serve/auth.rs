//! Who asks: the token of a request, as an `X-API-KEY` or a bearer token.

use super::problem::Problem;
use super::server::Shared;
use crate::jobs::{Actor, TokenError, Tokens};
use crate::operations::{Role, SourceRow};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use ring::digest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a secret that was compared is not compared again: its comparison is slow by design.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Secrets remembered at once.
const MOST_REMEMBERED: usize = 1_000;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// The token's name.
    pub(super) name: String,
    pub(super) role: Role,
}

/// Marks a request that the program sends to itself: whoever has the store's folder may do everything. No client can
/// set it, as it is no part of HTTP.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who it is, as it is noted.
    pub name: String,
}

/// A request of anybody, or of somebody; a token that is not valid is refused, also for reading.
#[derive(Debug, Clone)]
pub(super) struct Maybe(pub(super) Option<Client>);

/// A request of somebody.
#[derive(Debug, Clone)]
pub(super) struct Known(pub(super) Client);

/// A request of an administrator.
#[derive(Debug, Clone)]
pub(super) struct Administrator(pub(super) Client);

/// Tokens that were compared a moment ago, by their hash.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    tokens: Mutex<HashMap<[u8; 32], (String, Instant)>>,
}

impl Client {
    pub(super) fn is_administrator(&self) -> bool {
        self.role == Role::Administrator
    }

    pub(super) fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), is_administrator: self.is_administrator() }
    }

    /// Whether the sources of an organisation are the client's to change.
    pub(super) fn owns(&self, source: &SourceRow) -> bool {
        match &self.role {
            Role::Administrator => true,
            Role::Organization(own) => source.settings.organization.as_ref() == Some(own),
        }
    }

    pub(super) fn must_own(&self, source: &SourceRow) -> Result<(), Problem> {
        if self.owns(source) {
            return Ok(());
        }
        Err(Problem::forbidden("this source belongs to another organisation"))
    }
}

impl FromRequestParts<Arc<Shared>> for Maybe {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        if let Some(operator) = parts.extensions.get::<Operator>() {
            return Ok(Self(Some(Client { name: operator.name.clone(), role: Role::Administrator })));
        }
        let Some(token) = token_of(&parts.headers) else { return Ok(Self(None)) };
        check(shared, &token).await.map(|client| Self(Some(client)))
    }
}

impl FromRequestParts<Arc<Shared>> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Maybe(client) = Maybe::from_request_parts(parts, shared).await?;
        client
            .map(Self)
            .ok_or_else(|| unauthorized("this needs a token, as the header X-API-KEY or Authorization: Bearer"))
    }
}

impl FromRequestParts<Arc<Shared>> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Known(client) = Known::from_request_parts(parts, shared).await?;
        if client.is_administrator() {
            Ok(Self(client))
        } else {
            Err(Problem::forbidden("this is for administrators"))
        }
    }
}

fn token_of(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
    let bearer = text(header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer ").map(ToOwned::to_owned));
    text("x-api-key").or(bearer)
}

async fn check(shared: &Shared, token: &str) -> Result<Client, Problem> {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    let tokens = Tokens { operations: &shared.operations };
    // What was compared a moment ago may have been revoked since.
    let known = match shared.remembered.of(&hash) {
        Some(id) => shared.operations.token(&id).await?.filter(|row| row.revoked_at.is_none()),
        None => None,
    };
    let row = match known {
        Some(row) => row,
        None => match tokens.check(token, Timestamp::now()).await {
            Ok(row) => {
                shared.remembered.remember(hash, &row.id);
                row
            }
            Err(TokenError::Invalid) => return Err(unauthorized("the token is not valid, or was revoked")),
            Err(error) => return Err(Problem::internal(&error)),
        },
    };
    Ok(Client { name: row.name, role: row.role })
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail)
}

impl Remembered {
    fn of(&self, hash: &[u8; 32]) -> Option<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(hash).filter(|(_, at)| at.elapsed() < REMEMBERED).map(|(id, _)| id.clone())
    }

    fn remember(&self, hash: [u8; 32], id: &str) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_REMEMBERED {
            tokens.clear();
        }
        tokens.insert(hash, (id.to_owned(), Instant::now()));
    }
}
