//! What people are still to be told: kept until it is sent, so that neither a crash nor a server that is
//! down loses it.

use super::database::{Operations, OperationsError};
use sqlx::Row;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its identifier: the same in each attempt.
    pub id: String,
    /// Where it goes.
    pub channel: String,
    /// What it says, as JSON.
    pub message: String,
    /// When it was written.
    pub created_at: String,
    /// How often it was tried.
    pub attempts: i64,
}

impl Operations {
    /// Puts a message into the outbox.
    pub async fn post(&self, channel: &str, message: &str, now: &str) -> Result<(), OperationsError> {
        let query =
            sqlx::query("INSERT INTO outbox (id, channel, message, created_at, due_at) VALUES (?, ?, ?, ?4, ?4)");
        let query = query.bind(uuid::Uuid::now_v7().to_string()).bind(channel.to_owned()).bind(message.to_owned());
        self.run(query.bind(now.to_owned())).await?;
        Ok(())
    }

    /// Messages that are to be tried now.
    pub async fn due_messages(&self, now: &str) -> Result<Vec<OutboxRow>, OperationsError> {
        let query = sqlx::query(
            "SELECT * FROM outbox WHERE sent_at IS NULL AND due_at <= ? ORDER BY created_at, id LIMIT 100",
        );
        let rows = self.rows(query.bind(now.to_owned())).await?;
        let message = |row: &sqlx::sqlite::SqliteRow| OutboxRow {
            id: row.get("id"),
            channel: row.get("channel"),
            message: row.get("message"),
            created_at: row.get("created_at"),
            attempts: row.get("attempts"),
        };
        Ok(rows.iter().map(message).collect())
    }

    /// Notes that a message was sent.
    pub async fn note_sent(&self, id: &str, now: &str) -> Result<(), OperationsError> {
        let query =
            sqlx::query("UPDATE outbox SET sent_at = ?, error = NULL, attempts = attempts + 1 WHERE id = ?");
        self.run(query.bind(now.to_owned()).bind(id.to_owned())).await?;
        Ok(())
    }

    /// Notes why a message could not be sent, and when it is tried again.
    pub async fn note_unsent(&self, id: &str, error: &str, due_at: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE outbox SET attempts = attempts + 1, error = ?, due_at = ? WHERE id = ?");
        self.run(query.bind(error.to_owned()).bind(due_at.to_owned()).bind(id.to_owned())).await?;
        Ok(())
    }

    /// Forgets messages that were written before a time.
    pub async fn forget_messages(&self, before: &str) -> Result<u64, OperationsError> {
        self.run(sqlx::query("DELETE FROM outbox WHERE created_at < ?").bind(before.to_owned())).await
    }
}
