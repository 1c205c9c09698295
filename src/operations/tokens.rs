//! Tokens: who may change what. The secret part is shown once and kept as a hash alone.

use super::database::{Operations, OperationsError};
use sqlx::Row;

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Administrator,
    /// The sources of one organisation.
    Organization(String),
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The part that is no secret.
    pub id: String,
    /// What it is for, for people.
    pub name: String,
    /// The Argon2id hash of its secret part.
    pub hash: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: String,
    /// When it was last used, to the minute.
    pub last_used_at: Option<String>,
    /// Since when it opens nothing.
    pub revoked_at: Option<String>,
}

impl Operations {
    /// Keeps a new token.
    pub async fn keep_token(&self, token: &TokenRow) -> Result<(), OperationsError> {
        let (role, organization) = match &token.role {
            Role::Administrator => ("admin", None),
            Role::Organization(organization) => ("organization", Some(organization.clone())),
        };
        let query = sqlx::query(
            "INSERT INTO tokens (id, name, hash, role, organization, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(token.id.clone()).bind(token.name.clone()).bind(token.hash.clone());
        self.run(query.bind(role).bind(organization).bind(token.created_at.clone())).await?;
        Ok(())
    }

    /// A token by the part that is no secret.
    pub async fn token(&self, id: &str) -> Result<Option<TokenRow>, OperationsError> {
        let query = sqlx::query("SELECT * FROM tokens WHERE id = ?");
        Ok(self.row(query.bind(id.to_owned())).await?.as_ref().map(token_row))
    }

    /// All tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, OperationsError> {
        let rows = self.rows(sqlx::query("SELECT * FROM tokens ORDER BY created_at DESC, id")).await?;
        Ok(rows.iter().map(token_row).collect())
    }

    /// Notes that a token was used.
    pub async fn note_use(&self, id: &str, now: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE tokens SET last_used_at = ? WHERE id = ?");
        self.run(query.bind(now.to_owned()).bind(id.to_owned())).await?;
        Ok(())
    }

    /// Ends a token. Returns whether there was one that opened anything.
    pub async fn revoke_token(&self, id: &str, now: &str) -> Result<bool, OperationsError> {
        let query = sqlx::query("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        Ok(self.run(query.bind(now.to_owned()).bind(id.to_owned())).await? > 0)
    }
}

fn token_row(row: &sqlx::sqlite::SqliteRow) -> TokenRow {
    let organization: Option<String> = row.get("organization");
    TokenRow {
        id: row.get("id"),
        name: row.get("name"),
        hash: row.get("hash"),
        role: organization.map_or(Role::Administrator, Role::Organization),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
        revoked_at: row.get("revoked_at"),
    }
}
