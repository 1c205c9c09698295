//! What would break: the stored catalogue under other profiles, as a difference from those it is judged by.

use super::document::{Group, groups_of};
use crate::catalog::{Finding, Place, SourceId, SourceKind};
use crate::harvest::{Profiles, Speaks, Subject};
use crate::store::{CatalogueRecord, GraphNames, Snapshot, SourceGraph, StoreError};
use oxrdf::{GraphNameRef, NamedNode, Triple};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Records that are gone through together.
const PORTION: usize = 1_000;

/// A comparison of profiles over a snapshot. Nothing is written.
pub struct Breaking<'b> {
    /// The store.
    pub snapshot: &'b Snapshot,
    /// The names of its graphs.
    pub names: &'b GraphNames,
    /// The profiles that hold now.
    pub present: &'b Profiles,
    /// Those that would hold.
    pub other: &'b Profiles,
}

/// What would be different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Records that were gone through.
    pub records: u64,
    /// Records in which something would be found that is not found now.
    pub broken: u64,
    /// What would be found anew.
    pub new: Vec<Group>,
    /// What would not be found any more.
    pub gone: Vec<Group>,
}

/// What a finding is about, whatever rule found it.
type About = (String, Option<String>, Option<String>);

fn about(finding: &Finding) -> About {
    (finding.focus_node.clone(), finding.property.clone(), finding.value.clone())
}

impl Breaking<'_> {
    /// Goes through all records, or those of one source.
    ///
    /// # Errors
    /// When the store fails.
    pub fn compare(&self, source: Option<&SourceId>) -> Result<Compared, StoreError> {
        let keys = CatalogueRecord::keys(&self.snapshot.store, self.names, source);
        let mut compared = Compared::default();
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        let mut speaks: HashMap<SourceId, Speaks> = HashMap::new();
        for portion in keys.chunks(PORTION) {
            let records: Vec<CatalogueRecord> = portion
                .iter()
                .filter_map(|key| CatalogueRecord::read(&self.snapshot.store, self.names, *key))
                .collect();
            for record in &records {
                speaks.entry(record.source.clone()).or_insert_with(|| self.speaks(&record.source));
            }
            let differences: Vec<(Vec<Finding>, Vec<Finding>)> = records
                .par_iter()
                .map(|record| self.of_record(record, speaks[&record.source]))
                .collect::<Result<_, _>>()?;
            compared.records += records.len() as u64;
            for (of_new, of_gone) in differences {
                compared.broken += u64::from(!of_new.is_empty());
                new.extend(of_new);
                gone.extend(of_gone);
            }
        }
        compared.new = groups_of(&new, |_| true);
        compared.gone = groups_of(&gone, |_| false);
        Ok(compared)
    }

    fn speaks(&self, source: &SourceId) -> Speaks {
        let graph = SourceGraph::read(&self.snapshot.store, self.names, source);
        match graph.and_then(|graph| SourceKind::parse(&graph.backend)) {
            None | Some(SourceKind::Dcat) => Speaks::Dcat,
            Some(kind) => Speaks::Platform(kind),
        }
    }

    /// What is found anew in a record, and what no more.
    fn of_record(
        &self,
        record: &CatalogueRecord,
        speaks: Speaks,
    ) -> Result<(Vec<Finding>, Vec<Finding>), StoreError> {
        let stated = self.triples(&self.names.record(record.key))?;
        let added = self.triples(&self.names.normalised(record.key))?;
        let page = record.node.as_str().to_owned();
        let place_of = |_: &str, _: Option<&str>, _: Option<&str>| Place::of_page(page.clone());
        let subject = Subject {
            record: &record.remote_id,
            node: record.node.as_str(),
            stated: &stated,
            place_of: &place_of,
        };
        let before = self.present.validate(&subject, &added, speaks);
        let after = self.other.validate(&subject, &added, speaks);
        let known: HashSet<About> = before.iter().map(about).collect();
        let still: HashSet<About> = after.iter().map(about).collect();
        Ok((
            after.into_iter().filter(|finding| !known.contains(&about(finding))).collect(),
            before.into_iter().filter(|finding| !still.contains(&about(finding))).collect(),
        ))
    }

    fn triples(&self, graph: &NamedNode) -> Result<Vec<Triple>, StoreError> {
        let graph = GraphNameRef::from(graph.as_ref());
        let quads = self.snapshot.store.quads_for_pattern(None, None, None, Some(graph));
        Ok(quads.map(|quad| quad.map(Triple::from)).collect::<Result<_, _>>()?)
    }
}
