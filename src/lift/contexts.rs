//! JSON-LD contexts: the widely used ones whose address is dead or slow, and those fetched in a run.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Contexts shipped with the program, by the address that catalogues name.
const SHIPPED: &[(&str, &str)] = &[
    (
        "project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
        include_str!("../../data/contexts/project-open-data-1.1.jsonld"),
    ),
    ("schema.org", include_str!("../../data/contexts/schema-org.jsonld")),
];

/// Known contexts by address. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Contexts {
    fetched: Arc<BTreeMap<String, Vec<u8>>>,
    /// Those that could not be fetched, with the reason.
    given_up: Arc<BTreeMap<String, String>>,
}

impl Contexts {
    /// The content of a context, if it is known.
    #[must_use]
    pub fn get(&self, url: &str) -> Option<Vec<u8>> {
        if let Some(found) = self.fetched.get(url) {
            return Some(found.clone());
        }
        let bare = url.trim_start_matches("https://").trim_start_matches("http://");
        let bare = bare.trim_start_matches("www.").trim_end_matches('/');
        let found = SHIPPED.iter().find(|(address, _)| *address == bare);
        found.map(|(_, context)| context.as_bytes().to_vec())
    }

    /// Why a context cannot be had.
    pub(super) fn given_up(&self, url: &str) -> Option<&str> {
        self.given_up.get(url).map(String::as_str)
    }

    /// Remembers that a context cannot be had: what needs it is a broken place, and no reason to ask again.
    pub fn give_up(&mut self, url: String, why: String) {
        Arc::make_mut(&mut self.given_up).insert(url, why);
    }

    /// Remembers a fetched context.
    pub fn add(&mut self, url: String, context: Vec<u8>) {
        Arc::make_mut(&mut self.fetched).insert(url, context);
    }
}
