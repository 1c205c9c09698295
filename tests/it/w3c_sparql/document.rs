//! Files of the suites, under the IRIs by which tests name them.

use oxrdf::{NamedNode, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use std::path::{Path, PathBuf};

/// Where the suites are published; their manifests name tests below it.
pub(super) const SUITES: &str = "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/";

/// A file of the suites.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) iri: NamedNode,
    path: PathBuf,
}

impl Document {
    /// Names a file by its IRI; `root` is the copy of what is below [`SUITES`].
    pub(super) fn new(root: &Path, iri: &str) -> Self {
        let relative = iri.strip_prefix(SUITES).unwrap_or_else(|| panic!("{iri} is not in the suites"));
        Self { iri: NamedNode::new_unchecked(iri), path: root.join(relative) }
    }

    pub(super) fn ending(&self) -> &str {
        self.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// The text of a query or update. Relative IRIs in it mean the suites, and the protocol has no parameter
    /// for the base.
    pub(super) fn text_with_base(&self) -> String {
        let text = String::from_utf8(self.bytes()).expect("the suites are UTF-8");
        format!("BASE {}\n{text}", self.iri)
    }

    /// The triples of an RDF file. Blank nodes are renamed: files that share a store share no nodes.
    pub(super) fn triples(&self) -> Vec<Triple> {
        let format = RdfFormat::from_extension(self.ending()).expect("an RDF file");
        RdfParser::from_format(format)
            .with_base_iri(self.iri.as_str())
            .expect("the suites' IRIs are absolute")
            .rename_blank_nodes()
            .for_slice(&self.bytes())
            .map(|quad| quad.map_or_else(|error| panic!("{}: {error}", self.path.display()), Triple::from))
            .collect()
    }
}
