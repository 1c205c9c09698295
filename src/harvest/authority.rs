//! The same thing through several sources: all records are kept, and one is the authority.

use crate::catalog::DatasetKey;
use crate::operations::{Operations, OperationsError, Twin};
use serde::Serialize;
use url::Url;

/// One of the records that describe the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Linked {
    /// Its key.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Whether it is the authority.
    pub authority: bool,
    /// Why it is, or why it is not.
    pub reason: String,
}

/// The records that describe the same as one, that one included; none where it is alone.
///
/// # Errors
/// When the operations database fails.
pub async fn linked(operations: &Operations, key: DatasetKey) -> Result<Vec<Linked>, OperationsError> {
    Ok(decide(&operations.twins(key).await?))
}

/// The authority is the source whose host the identifier names, else the one that was seen first.
fn decide(twins: &[Twin]) -> Vec<Linked> {
    let at_home = twins.iter().position(|twin| {
        let home = host(&twin.source_url);
        home.is_some() && [&twin.node, &twin.remote_id].into_iter().any(|name| host(name) == home)
    });
    let chosen = at_home.unwrap_or(0);
    let (why, why_not) = if at_home.is_some() {
        ("the identifier names the host of this source", "the identifier names its host")
    } else {
        ("this source was seen first", "it was seen first")
    };
    let told = |(number, twin): (usize, &Twin)| Linked {
        id: twin.key.clone(),
        source: twin.source.clone(),
        authority: number == chosen,
        reason: if number == chosen {
            why.to_owned()
        } else {
            format!("{} is the authority: {why_not}", twins[chosen].source)
        },
    };
    twins.iter().enumerate().map(told).collect()
}

fn host(text: &str) -> Option<String> {
    Url::parse(text).ok()?.host_str().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twin(source: &str, url: &str, node: &str) -> Twin {
        Twin {
            key: source.to_owned(),
            source: source.to_owned(),
            source_url: url.to_owned(),
            remote_id: "1".to_owned(),
            node: node.to_owned(),
        }
    }

    #[test]
    fn the_source_that_the_identifier_names_is_the_authority_else_the_first() {
        let node = "https://data.ville.example/jeux/1";
        let national = twin("national", "https://data.gouv.example/catalog", node);
        let own = twin("ville", "https://data.ville.example/catalog", node);
        let linked = decide(&[national.clone(), own]);
        assert_eq!(linked.iter().map(|one| one.authority).collect::<Vec<_>>(), [false, true]);
        assert!(linked[1].reason.contains("host"), "{linked:?}");
        let other = twin("region", "https://data.region.example/catalog", node);
        let linked = decide(&[national, other]);
        assert_eq!(linked.iter().map(|one| one.authority).collect::<Vec<_>>(), [true, false]);
        assert_eq!(linked[1].reason, "national is the authority: it was seen first");
    }
}
