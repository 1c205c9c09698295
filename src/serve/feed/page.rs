//! A page of a feed.

use super::asked::{Asked, Scope};
use crate::catalog::{DatasetKey, RecordKind};
use crate::derive::published;
use crate::serve::dataset::graph_triples;
use crate::serve::negotiated::ending_of;
use crate::serve::problem::Problem;
use crate::serve::server::{Opened, Shared};
use crate::store::{CatalogueRecord, catalogue_quads, organization, platform};
use crate::triples::RdfWriter;
use crate::vocab::{dcat, dct, foaf, hydra, rdf, xsd};
use oxrdf::{GraphName, Literal, NamedNode, Quad, Triple};
use oxrdfio::RdfFormat;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// What a page is made of.
pub(super) struct Page<'p> {
    pub(super) shared: &'p Shared,
    pub(super) scope: &'p Scope,
    pub(super) asked: &'p Asked,
    pub(super) opened: &'p Opened,
}

impl Page<'_> {
    /// The page in a syntax, of all the keys that the feed has.
    pub(super) fn written(&self, keys: &[DatasetKey], media_type: &'static str) -> Result<Vec<u8>, Problem> {
        let format = RdfFormat::from_media_type(media_type).unwrap_or(RdfFormat::Turtle);
        let start = self.asked.after.map_or(0, |after| keys.partition_point(|key| *key <= after));
        let end = keys.len().min(start + self.asked.size);
        let of_page = &keys[start..end];
        let ending = ending_of(media_type);
        let mut writer =
            Distinct { writer: RdfWriter::new(format, Vec::new()), seen: FxHashSet::default(), format };
        let next = of_page.last().filter(|_| end < keys.len());
        for triple in self.head(keys.len(), next.copied(), ending)? {
            writer.write(triple.in_graph(GraphName::DefaultGraph))?;
        }
        // Reading is most of the work, and all cores can do it. Where others read, too, each page goes on by itself:
        // in one queue of parts, those of newer pages would hold up the older ones.
        let record = |key: &DatasetKey| self.record(*key);
        let records: Vec<Vec<Quad>> = if self.shared.reads_alone() {
            of_page.par_iter().map(record).collect::<Result<_, Problem>>()?
        } else {
            of_page.iter().map(record).collect::<Result<_, Problem>>()?
        };
        for quad in records.into_iter().flatten() {
            writer.write(quad)?;
        }
        let (bytes, left_out) = writer.writer.finish()?;
        if left_out > 0 {
            tracing::info!(left_out, "RDF/XML cannot name some properties");
        }
        Ok(bytes)
    }

    fn named(&self, path: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("{}{path}", self.shared.settings.public_base))
    }

    /// The catalogue's node: the store has it too, but for that of an organization, which is chosen when it is asked for.
    fn catalogue(&self) -> NamedNode {
        match self.scope {
            Scope::Whole => self.shared.names.platform(),
            Scope::Source(row) => self.shared.names.catalogue(&row.slug),
            Scope::Organization(_) => self.named(&self.scope.path()),
        }
    }

    /// The address of a page, which stays on the reader's state behind the first.
    fn address(&self, after: Option<DatasetKey>, ending: &str) -> NamedNode {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.asked.kept {
            query.append_pair(name, value);
        }
        query.append_pair("page_size", &self.asked.size.to_string());
        if let Some(after) = after {
            query.append_pair("after", &after.to_string());
            query.append_pair("snapshot", &self.opened.number().to_string());
        }
        self.named(&format!("{}.{ending}?{}", self.scope.path(), query.finish()))
    }

    /// The catalogue and its Hydra view.
    fn head(&self, total: usize, next: Option<DatasetKey>, ending: &str) -> Result<Vec<Triple>, Problem> {
        let catalogue = self.catalogue();
        let view = self.address(self.asked.after, ending);
        let total = Literal::new_typed_literal(total.to_string(), xsd::INTEGER);
        let mut triples = self.described()?;
        triples.extend([
            Triple::new(catalogue.clone(), rdf::TYPE, hydra::COLLECTION),
            Triple::new(catalogue.clone(), hydra::TOTAL_ITEMS, total),
            Triple::new(catalogue, hydra::VIEW, view.clone()),
            Triple::new(view.clone(), rdf::TYPE, hydra::PARTIAL_COLLECTION_VIEW),
            Triple::new(view.clone(), hydra::FIRST, self.address(None, ending)),
        ]);
        if let Some(next) = next {
            triples.push(Triple::new(view, hydra::NEXT, self.address(Some(next), ending)));
        }
        Ok(triples)
    }

    /// What is said of the catalogue: of a source's by the source itself.
    fn described(&self) -> Result<Vec<Triple>, Problem> {
        let names = &self.shared.names;
        match self.scope {
            Scope::Whole => Ok(platform(names)),
            Scope::Source(row) => {
                let stored = graph_triples(&self.opened.snapshot, &names.catalogue(&row.slug))?;
                let is_own = |triple: &Triple| triple.predicate != dcat::HAS_CATALOG;
                let own: Vec<Triple> = stored.into_iter().filter(is_own).collect();
                if !own.is_empty() {
                    return Ok(own);
                }
                let quads = catalogue_quads(names, &row.slug, row.title(), Vec::new());
                Ok(quads.into_iter().map(Triple::from).filter(is_own).collect())
            }
            Scope::Organization(_) => Ok(organization(names, &self.catalogue())),
        }
    }

    /// A record's place in the catalogue, and its statements.
    fn record(&self, key: DatasetKey) -> Result<Vec<Quad>, Problem> {
        let (store, names) = (&self.opened.snapshot.store, &self.shared.names);
        let Some(about) = CatalogueRecord::read(store, names, key) else { return Ok(Vec::new()) };
        let link = match about.kind {
            RecordKind::Dataset | RecordKind::Series => dcat::HAS_DATASET,
            RecordKind::Service => dcat::SERVICE,
        };
        let record = names.catalogue_record(key);
        // DCAT-AP, CatalogRecord: the source is the record that ours was made of.
        let original = NamedNode::new_unchecked(format!("{}#source", record.as_str()));
        let time = |text: &str| Literal::new_typed_literal(text, xsd::DATE_TIME);
        let ours = [
            Triple::new(self.catalogue(), link, about.node.clone()),
            Triple::new(self.catalogue(), dcat::RECORD, record.clone()),
            Triple::new(record.clone(), rdf::TYPE, dcat::CATALOG_RECORD),
            Triple::new(record.clone(), foaf::PRIMARY_TOPIC, about.node.clone()),
            Triple::new(record.clone(), dct::ISSUED, time(&about.first_seen)),
            Triple::new(record.clone(), dct::MODIFIED, time(&about.modified)),
            Triple::new(record, dct::SOURCE, original.clone()),
            Triple::new(original.clone(), rdf::TYPE, dcat::CATALOG_RECORD),
            Triple::new(original.clone(), foaf::PRIMARY_TOPIC, about.node.clone()),
            // A dataset is a resource, which no reader of one file infers.
            Triple::new(about.node.clone(), rdf::TYPE, dcat::RESOURCE),
            Triple::new(original.clone(), dct::MODIFIED, time(&about.modified)),
            Triple::new(original.clone(), dct::IDENTIFIER, Literal::new_simple_literal(about.remote_id.clone())),
            Triple::new(original, dct::IS_PART_OF, names.source(&about.source)),
        ];
        let mut quads: Vec<Quad> =
            ours.into_iter().map(|triple| triple.in_graph(GraphName::DefaultGraph)).collect();
        let graph = names.record(key);
        let stated = graph_triples(&self.opened.snapshot, &graph)?;
        let normalised = graph_triples(&self.opened.snapshot, &names.normalised(key))?;
        let told = published(&about.node, &about.remote_id, stated, &normalised);
        quads.extend(told.into_iter().map(|triple| triple.in_graph(graph.clone())));
        Ok(quads)
    }
}

/// Publishers and concepts are described by many records: once is enough.
struct Distinct {
    writer: RdfWriter<Vec<u8>>,
    seen: FxHashSet<Quad>,
    format: RdfFormat,
}

impl Distinct {
    fn write(&mut self, mut quad: Quad) -> Result<(), Problem> {
        // JSON-LD has graphs, but few readers of feeds look into them.
        if !matches!(self.format, RdfFormat::TriG | RdfFormat::NQuads) {
            quad.graph_name = GraphName::DefaultGraph;
        }
        if self.seen.contains(&quad) {
            return Ok(());
        }
        self.writer.write_quad(&quad)?;
        self.seen.insert(quad);
        Ok(())
    }
}
