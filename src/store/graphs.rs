//! The names of graphs, and the graphs that Moisson writes itself.

use crate::catalog::{DatasetKey, GraphHash, RecordKind, SourceId};
use crate::vocab::{dcat, dct, foaf, moisson, rdf, xsd};
use oxigraph::store::Store;
use oxrdf::{GraphNameRef, Literal, NamedNode, NamedNodeRef, Quad, Term};

/// Names graphs under a base.
#[derive(Debug, Clone)]
pub struct GraphNames {
    base: String,
}

impl GraphNames {
    /// The base is the platform's address without a slash at its end.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned() }
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The graph of a record: the source's own statements.
    #[must_use]
    pub fn record(&self, key: DatasetKey) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/dataset/{key}", self.base))
    }

    /// The graph of what conversion read into a record.
    #[must_use]
    pub fn normalised(&self, key: DatasetKey) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/dataset/{key}/normalised", self.base))
    }

    /// The graph of a record's catalogue record, which is also its node.
    #[must_use]
    pub fn catalogue_record(&self, key: DatasetKey) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/record/{key}", self.base))
    }

    /// The graph of what was found in a record.
    #[must_use]
    pub fn findings(&self, key: DatasetKey) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/dataset/{key}/findings", self.base))
    }

    /// The graph of a record's quality.
    #[must_use]
    pub fn quality(&self, key: DatasetKey) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/dataset/{key}/quality", self.base))
    }

    /// The graph of the quality of a source.
    #[must_use]
    pub fn source_quality(&self, source: &SourceId) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/source/{source}/quality", self.base))
    }

    /// The graph of a source, which is also its node.
    #[must_use]
    pub fn source(&self, source: &SourceId) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/source/{source}", self.base))
    }

    /// The platform's catalogue, which is also its graph.
    #[must_use]
    pub fn platform(&self) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/catalog", self.base))
    }

    /// The catalogue of a source, which is also its graph.
    #[must_use]
    pub fn catalogue(&self, source: &SourceId) -> NamedNode {
        NamedNode::new_unchecked(format!("{}/source/{source}/catalog", self.base))
    }

    /// A node's IRI where a publisher gave it; nothing where it is one of ours.
    #[must_use]
    pub fn published<'n>(&self, node: &'n NamedNode) -> &'n str {
        if node.as_str().strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/')) {
            ""
        } else {
            node.as_str()
        }
    }

    /// The key of a record's graph or catalogue record.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<DatasetKey> {
        let path = name.strip_prefix(&self.base)?;
        let rest = path.strip_prefix("/dataset/").or_else(|| path.strip_prefix("/record/"))?;
        DatasetKey::parse(rest.split('/').next()?)
    }
}

/// What Moisson says of a record (DCAT 3, 6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueRecord {
    /// The key.
    pub key: DatasetKey,
    /// The record's node.
    pub node: NamedNode,
    /// What it describes.
    pub kind: RecordKind,
    /// The source.
    pub source: SourceId,
    /// What the platform calls it.
    pub remote_id: String,
    /// The hash of the source's statements.
    pub hash: GraphHash,
    /// The fingerprint of the mapping that made the normalised graph.
    pub mapping: String,
    /// When it was first seen, as `xsd:dateTime`.
    pub first_seen: String,
    /// When its statements last changed, as `xsd:dateTime`.
    pub modified: String,
    /// Since when the source lacks it, as `xsd:dateTime`.
    pub missing_since: Option<String>,
}

impl CatalogueRecord {
    /// The record as the quads of its graph.
    #[must_use]
    pub fn to_quads(&self, names: &GraphNames) -> Vec<Quad> {
        let node = names.catalogue_record(self.key);
        let time = |text: &str| Term::from(Literal::new_typed_literal(text, xsd::DATE_TIME));
        let text = |text: &str| Term::from(Literal::new_simple_literal(text));
        let mut statements: Vec<(NamedNodeRef<'_>, Term)> = vec![
            (rdf::TYPE, dcat::CATALOG_RECORD.into_owned().into()),
            (foaf::PRIMARY_TOPIC, self.node.clone().into()),
            (dct::IDENTIFIER, text(&self.key.to_string())),
            (dct::SOURCE, names.source(&self.source).into()),
            (dct::ISSUED, time(&self.first_seen)),
            (dct::MODIFIED, time(&self.modified)),
            (moisson::REMOTE_ID, text(&self.remote_id)),
            (moisson::KIND, text(kind_name(self.kind))),
            (moisson::HASH, text(&self.hash.to_string())),
            (moisson::MAPPING, text(&self.mapping)),
        ];
        if let Some(since) = &self.missing_since {
            statements.push((moisson::MISSING_SINCE, time(since)));
        }
        let mut quads: Vec<Quad> = statements
            .into_iter()
            .map(|(predicate, object)| Quad::new(node.clone(), predicate, object, node.clone()))
            .collect();
        let lead = match self.kind {
            RecordKind::Dataset | RecordKind::Series => dcat::HAS_DATASET,
            RecordKind::Service => dcat::SERVICE,
        };
        for catalogue in [names.platform(), names.catalogue(&self.source)] {
            quads.push(Quad::new(catalogue.clone(), lead, self.node.clone(), node.clone()));
            quads.push(Quad::new(catalogue, dcat::RECORD, node.clone(), node.clone()));
        }
        quads
    }

    /// Reads a record back from a store.
    #[must_use]
    pub fn read(store: &Store, names: &GraphNames, key: DatasetKey) -> Option<Self> {
        let node = names.catalogue_record(key);
        let quads: Vec<Quad> = store
            .quads_for_pattern(None, None, None, Some(GraphNameRef::from(node.as_ref())))
            .collect::<Result<_, _>>()
            .ok()?;
        let value = |predicate: NamedNodeRef<'_>| {
            quads.iter().find(|quad| quad.predicate.as_ref() == predicate).map(|quad| &quad.object)
        };
        let text = |predicate| match value(predicate) {
            Some(Term::Literal(literal)) => Some(literal.value().to_owned()),
            _ => None,
        };
        let iri = |predicate| match value(predicate) {
            Some(Term::NamedNode(node)) => Some(node.clone()),
            _ => None,
        };
        let source = iri(dct::SOURCE)?;
        let source = source.as_str().rsplit('/').next()?;
        Some(Self {
            key,
            node: iri(foaf::PRIMARY_TOPIC)?,
            kind: kind_of(&text(moisson::KIND)?)?,
            source: SourceId::parse(source).ok()?,
            remote_id: text(moisson::REMOTE_ID)?,
            hash: GraphHash::parse(&text(moisson::HASH)?)?,
            mapping: text(moisson::MAPPING).unwrap_or_default(),
            first_seen: text(dct::ISSUED)?,
            modified: text(dct::MODIFIED)?,
            missing_since: text(moisson::MISSING_SINCE),
        })
    }
}

/// What Moisson says of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGraph {
    /// Its name.
    pub source: SourceId,
    /// Its address.
    pub url: String,
    /// Its kind.
    pub backend: String,
    /// The languages that its catalogue names (`dct:language`), as tags.
    pub languages: Vec<String>,
}

impl SourceGraph {
    /// The source as the quads of its graph.
    #[must_use]
    pub fn to_quads(&self, names: &GraphNames) -> Vec<Quad> {
        let node = names.source(&self.source);
        let statements: Vec<(NamedNodeRef<'_>, Term)> = vec![
            (rdf::TYPE, moisson::SOURCE_CLASS.into_owned().into()),
            (dct::IDENTIFIER, Literal::new_simple_literal(self.source.as_str()).into()),
            (moisson::URL, Literal::new_typed_literal(self.url.as_str(), xsd::ANY_URI).into()),
            (moisson::BACKEND, Literal::new_simple_literal(self.backend.as_str()).into()),
        ];
        let languages = self.languages.iter().map(|tag| (dct::LANGUAGE, Literal::new_simple_literal(tag).into()));
        statements
            .into_iter()
            .chain(languages)
            .map(|(predicate, object)| Quad::new(node.clone(), predicate, object, node.clone()))
            .collect()
    }
}

impl SourceGraph {
    /// Reads a source back from a store.
    #[must_use]
    pub fn read(store: &Store, names: &GraphNames, source: &SourceId) -> Option<Self> {
        let node = names.source(source);
        let quads: Vec<Quad> = store
            .quads_for_pattern(None, None, None, Some(GraphNameRef::from(node.as_ref())))
            .collect::<Result<_, _>>()
            .ok()?;
        let values = |predicate: NamedNodeRef<'_>| -> Vec<String> {
            let of = quads.iter().filter(|quad| quad.predicate.as_ref() == predicate);
            let mut values: Vec<String> = of
                .filter_map(|quad| match &quad.object {
                    Term::Literal(literal) => Some(literal.value().to_owned()),
                    Term::NamedNode(_) | Term::BlankNode(_) => None,
                })
                .collect();
            values.sort();
            values
        };
        Some(Self {
            source: source.clone(),
            url: values(moisson::URL).pop()?,
            backend: values(moisson::BACKEND).pop()?,
            languages: values(dct::LANGUAGE),
        })
    }
}

fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Dataset => "dataset",
        RecordKind::Series => "series",
        RecordKind::Service => "service",
    }
}

fn kind_of(name: &str) -> Option<RecordKind> {
    [RecordKind::Dataset, RecordKind::Series, RecordKind::Service]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}
