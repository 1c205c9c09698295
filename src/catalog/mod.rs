//! The nouns of harvesting: sources, records, places, findings. Plain values without behaviour of
//! their own, which every later module passes on.

mod findings;

pub use findings::{Finding, ItemError, Message, Place, Severity, Syntax, value_term};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// The short name of a source: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SourceId(String);

/// A source name that is not one.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a source name: use lower-case letters, digits and hyphens, at most 80")]
pub struct InvalidSourceId(String);

impl SourceId {
    /// Checks a name given by a person.
    pub fn parse(name: &str) -> Result<Self, InvalidSourceId> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 80 || !name.chars().all(fits) {
            return Err(InvalidSourceId(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }

    /// Makes a readable name of an address, ended by a piece of its hash so that two never meet.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let without_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
        let words: Vec<String> = without_scheme
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let mut name = words.join("-");
        let skip = name.len().saturating_sub(60);
        name = name[skip..].trim_start_matches('-').to_owned();
        let digest = hex(&Sha256::digest(address.as_bytes())[..3]);
        Self(if name.is_empty() { digest } else { format!("{name}-{digest}") })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a platform calls a record, and how it was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteId {
    /// The identifier itself.
    pub value: String,
    /// Where it comes from.
    pub origin: IdentifierOrigin,
}

impl RemoteId {
    /// An identifier that the source states.
    #[must_use]
    pub fn stated(value: String) -> Self {
        Self { value, origin: IdentifierOrigin::Stated }
    }
}

/// Where a remote identifier comes from, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierOrigin {
    /// `dct:identifier` or the platform's own field.
    Stated,
    /// The node's IRI.
    Node,
    /// The landing page or the title: it changes when they do.
    Derived,
}

/// The key of a record: a `UUIDv5` of its source and remote identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetKey(Uuid);

impl DatasetKey {
    /// The key of a remote identifier in a source.
    #[must_use]
    pub fn of(source: &SourceId, remote_id: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("moisson:source:{source}").as_bytes());
        Self(Uuid::new_v5(&namespace, remote_id.as_bytes()))
    }

    /// Reads a key from its hyphenated form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for DatasetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The canonical hash of a graph: SHA-256 of its sorted N-Quads (RDFC-1.0; our graphs have no blank node).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GraphHash([u8; 32]);

impl GraphHash {
    /// Hashes canonical N-Quads.
    #[must_use]
    pub fn of(canonical: &str) -> Self {
        Self(Sha256::digest(canonical.as_bytes()).into())
    }

    /// Reads the hexadecimal form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for GraphHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that a text in hexadecimal stands for.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// A DCAT catalogue in any RDF syntax.
    #[default]
    Dcat,
    /// A CKAN portal, by its action API.
    Ckan,
    /// An Opendatasoft portal, by its Explore API.
    Opendatasoft,
    /// A `data.json` file of DCAT-US.
    DcatUs,
    /// A catalogue service for the web (CSW), or a folder or listing of ISO records.
    Csw,
}

impl SourceKind {
    /// The kind's name, as people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dcat => "dcat",
            Self::Ckan => "ckan",
            Self::Opendatasoft => "opendatasoft",
            Self::DcatUs => "dcat-us",
            Self::Csw => "csw",
        }
    }

    /// Reads a kind's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let kinds = [Self::Dcat, Self::Ckan, Self::Opendatasoft, Self::DcatUs, Self::Csw];
        kinds.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What an address alone tells: that of a platform's interface is one of the platform.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let holds = |parts: &[&str]| parts.iter().any(|part| address.contains(part));
        if holds(&["/api/3/action", "/api/action"]) {
            Self::Ckan
        } else if holds(&["/api/explore/v2", "/api/datasets/1.0"]) && !holds(&["/exports/"]) {
            Self::Opendatasoft
        } else if address.split(['?', '#']).next().is_some_and(|path| path.ends_with("/data.json")) {
            Self::DcatUs
        } else if is_of_csw(address) {
            Self::Csw
        } else {
            Self::Dcat
        }
    }
}

/// Whether an address is that of a catalogue service: `/csw`, `/csw-inspire`, `?service=CSW`.
fn is_of_csw(address: &str) -> bool {
    let address = address.to_lowercase();
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last == "csw" || last.starts_with("csw-") || query.split('&').any(|pair| pair == "service=csw")
}

/// What a record describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// `dcat:Dataset`
    Dataset,
    /// `dcat:DatasetSeries`
    Series,
    /// `dcat:DataService`
    Service,
}

/// An address as everybody may see it: of a local file, its name alone, since its folder is nobody's business.
#[must_use]
pub fn public_address(url: &str) -> String {
    let file = url.strip_prefix("file://").map(|path| path.rsplit('/').next().unwrap_or(path));
    file.map_or_else(|| url.to_owned(), |name| format!("file:{name}"))
}

/// An error with its causes, in one line, each once.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_name_is_readable_and_differs_for_each_address() {
        let one = SourceId::of_address("https://data.example.org/catalog.ttl");
        let other = SourceId::of_address("http://data.example.org/catalog.ttl");
        assert!(one.as_str().starts_with("data-example-org-catalog-ttl-"), "{one}");
        assert_ne!(one, other);
        assert!(SourceId::parse(one.as_str()).is_ok());
        assert!(SourceId::parse("Bad name").is_err());
    }

    #[test]
    fn a_hash_survives_its_text() {
        let hash = GraphHash::of("a");
        assert_eq!(GraphHash::parse(&hash.to_string()), Some(hash));
        assert_eq!(GraphHash::parse("zz"), None);
    }
}
