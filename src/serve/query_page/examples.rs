//! The example queries of `queries/examples/`, whose heads have their titles.

/// An example.
#[derive(Debug)]
pub(in crate::serve) struct Example {
    /// Its name, which is that of its file.
    pub(in crate::serve) id: &'static str,
    /// Its text, with the head.
    pub(in crate::serve) query: &'static str,
}

impl Example {
    /// Its title, as its head says it in a language.
    pub(in crate::serve) fn title(&self, language: &str) -> &'static str {
        let start = format!("# Title ({language}): ");
        self.query.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or(self.id)
    }
}

macro_rules! examples {
    ($($name:literal),* $(,)?) => {
        /// All examples, in the order in which the page shows them.
        pub(in crate::serve) const EXAMPLES: &[Example] = &[
            $(Example { id: $name, query: include_str!(concat!("../../../queries/examples/", $name, ".rq")) }),*
        ];
    };
}

examples! {
    "changes-of-the-week",
    "data-services",
    "dataset-series",
    "datasets-by-source",
    "datasets-by-theme",
    "datasets-of-a-publisher",
    "datasets-within-a-box",
    "datasets-without-temporal-coverage",
    "dead-links",
    "dead-or-missing-links",
    "description-of-a-dataset",
    "distributions-by-format",
    "findings-by-rule",
    "full-text-search",
    "high-value-datasets-by-publisher",
    "licences-by-theme",
    "newest-datasets",
    "open-format-and-licence",
    "quality-by-source",
    "shared-files",
    "stale-datasets",
}
