//! Why a fetch failed, in words that say what to do.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A failed fetch.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither http nor https.
    #[error("{url}: only http and https addresses are fetched")]
    Scheme {
        /// The address.
        url: String,
    },
    /// An address that is not on the public internet.
    #[error("{url}: {host} is {address}, which is not a public address{hint}", hint = hint(.address))]
    Private {
        /// The address asked for.
        url: String,
        /// Its host.
        host: String,
        /// What the host resolved to.
        address: IpAddr,
    },
    /// A host without an address.
    #[error("{url}: the host {host} has no address; check its spelling")]
    Unresolved {
        /// The address asked for.
        url: String,
        /// Its host.
        host: String,
        /// The resolver's error.
        #[source]
        source: Option<std::io::Error>,
    },
    /// Too many redirects.
    #[error("{url}: more than {limit} redirects")]
    Redirects {
        /// The first address.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// A redirect without a usable target.
    #[error("{url}: a redirect leads to {location:?}, which is not an address")]
    Location {
        /// The redirecting address.
        url: String,
        /// The Location header.
        location: String,
    },
    /// A status other than success.
    #[error("{url}: the server answered {status}{detail}{}", quoted(.said))]
    Status {
        /// The address.
        url: String,
        /// The HTTP status code.
        status: u16,
        /// What it means for the user.
        detail: &'static str,
        /// What the server itself says, or nothing.
        said: String,
    },
    /// A body past its cap.
    #[error("{url}: the answer is longer than {limit} bytes after decompression")]
    TooLong {
        /// The address.
        url: String,
        /// The cap, in bytes.
        limit: u64,
    },
    /// A body that ended early.
    #[error("{url}: the answer ended before its announced length")]
    Truncated {
        /// The address.
        url: String,
        /// The transport's error.
        #[source]
        source: reqwest::Error,
    },
    /// Time ran out.
    #[error("{url}: no complete answer after {} s", limit.as_secs())]
    Timeout {
        /// The address.
        url: String,
        /// The limit that passed.
        limit: Duration,
    },
    /// An answer without content.
    #[error("{url}: the answer is empty")]
    Empty {
        /// The address.
        url: String,
    },
    /// Anything else of the transport.
    #[error("{url}: the request failed")]
    Transport {
        /// The address.
        url: String,
        /// The transport's error.
        #[source]
        source: reqwest::Error,
    },
    /// Somebody ended it.
    #[error("{url}: the request was ended before its answer came")]
    Cancelled {
        /// The address.
        url: String,
    },
    /// What a job was answered is run again, and this was not asked then, or not answered.
    #[error("{url}: the pages that were kept have no answer to this request")]
    NotOnTape {
        /// The address.
        url: String,
    },
    /// The pages of a job cannot be kept, or read again.
    #[error("{url}: the page cannot be kept on disk, or read from it")]
    Tape {
        /// The address.
        url: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A local file.
    #[error("{}: the file cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it says {said:?}") }
}

fn hint(address: &IpAddr) -> &'static str {
    if address.is_loopback() { "; --allow-loopback allows it for local use" } else { "" }
}
