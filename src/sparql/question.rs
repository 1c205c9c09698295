//! What a worker is asked, and what it answers.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A query as a client sent it, and the bounds of its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The query's text.
    pub query: String,
    /// `default-graph-uri` of the protocol (SPARQL 1.1 Protocol, 2.1.4).
    pub default_graphs: Vec<String>,
    /// `named-graph-uri` of the protocol.
    pub named_graphs: Vec<String>,
    /// The client's Accept header.
    pub accept: Option<String>,
    /// The base of relative IRIs.
    pub base: String,
    /// The snapshot that is asked.
    pub snapshot: u64,
    /// Rows, or statements, that an answer may have.
    pub rows: u64,
    /// Bytes that an answer may have.
    pub bytes: u64,
    /// Where an answer goes that is too long for a message.
    pub spool: PathBuf,
}

/// What a worker says before the answer itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The answer follows, or stands in the spool file.
    Answer {
        /// Its media type.
        media_type: String,
        /// Whether it would be another one the next time: it asked for the time, or for chance.
        is_volatile: bool,
        /// Its length in bytes.
        bytes: u64,
        /// Whether it stands in the spool file.
        is_spooled: bool,
    },
    /// There is none.
    Refused {
        /// Why, for the program.
        why: Refusal,
        /// Why, for the client, and what to do.
        detail: String,
    },
    /// The search index speaks of another snapshot than the one that was asked.
    Elsewhere {
        /// The snapshot of the index.
        snapshot: u64,
    },
}

/// Why a query was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// It does not parse, or names something that is no IRI.
    Malformed,
    /// It is longer than queries may be.
    Length,
    /// It would leave the store.
    Service,
    /// No form of the answer is one that the client takes.
    NotAcceptable,
    /// Its answer has too many rows.
    Rows,
    /// Its answer has too many bytes.
    Bytes,
    /// The snapshot is not kept any more.
    Snapshot,
    /// There is no search index.
    NoIndex,
    /// Evaluating it failed.
    Evaluation,
}

impl Reply {
    /// A refusal.
    #[must_use]
    pub fn refused(why: Refusal, detail: impl Into<String>) -> Self {
        Self::Refused { why, detail: detail.into() }
    }
}
