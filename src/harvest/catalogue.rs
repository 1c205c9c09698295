//! The catalogue of a source itself: what it says of itself is stored, and validated as a group of its own.

use super::job::Job;
use super::outcome::HarvestError;
use super::profiles::{Speaks, Subject};
use super::report::FindingCounts;
use crate::catalog::{DatasetKey, Finding, Place};
use crate::operations::RecordFindings;
use crate::source::{CatalogueDescription, PageNotes};
use crate::store::{StoreError, catalogue_quads};
use crate::vocab::{dcat, dct};
use oxrdf::{GraphNameRef, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A catalogue as the first page that describes it does.
#[derive(Clone)]
pub(super) struct OwnCatalogue {
    description: Arc<CatalogueDescription>,
    notes: PageNotes,
}

/// The properties that lead to what is in a catalogue, which is validated by itself.
fn leads(property: Option<&str>) -> bool {
    let leads = [dcat::HAS_DATASET, dcat::SERVICE, dcat::RECORD, dcat::HAS_CATALOG, dct::HAS_PART];
    leads.iter().any(|lead| property == Some(lead.as_str()))
}

impl OwnCatalogue {
    /// The description of a page's catalogue, if it has one.
    pub(super) fn of(notes: &PageNotes) -> Option<Self> {
        let description = Arc::clone(notes.catalogue.as_ref()?);
        // What the page holds beside is not needed any more.
        let notes = PageNotes {
            page: notes.page.clone(),
            text: notes.text.clone(),
            json_lines: notes.json_lines.clone(),
            ..PageNotes::default()
        };
        Some(Self { description, notes })
    }

    /// Its statements, with the catalogue's node and blank nodes under names of ours.
    pub(super) fn statements(&self, catalogue: &NamedNode, base: &str, source: &str) -> Vec<Triple> {
        let own = |label: &str| NamedNode::new_unchecked(format!("{base}/.well-known/genid/{source}/{label}"));
        let node = |node: &NamedOrBlankNode| -> NamedOrBlankNode {
            match node {
                _ if *node == self.description.node => catalogue.clone().into(),
                NamedOrBlankNode::BlankNode(node) => own(node.as_str()).into(),
                named @ NamedOrBlankNode::NamedNode(_) => named.clone(),
            }
        };
        let mut triples: Vec<Triple> = self
            .description
            .triples
            .iter()
            .map(|lifted| Triple {
                subject: node(&lifted.triple.subject),
                predicate: lifted.triple.predicate.clone(),
                object: match &lifted.triple.object {
                    Term::NamedNode(named) => match node(&named.clone().into()) {
                        NamedOrBlankNode::NamedNode(named) => named.into(),
                        NamedOrBlankNode::BlankNode(blank) => blank.into(),
                    },
                    Term::BlankNode(blank) => own(blank.as_str()).into(),
                    literal @ Term::Literal(_) => literal.clone(),
                },
            })
            .collect();
        if let NamedOrBlankNode::NamedNode(original) = &self.description.node {
            triples.push(Triple::new(catalogue.clone(), dct::SOURCE, original.clone()));
        }
        triples
    }

    /// The place of a node, or of a value of it.
    fn place_of(&self, node: &str, property: Option<&str>, value: Option<&str>) -> Place {
        let lines: HashMap<String, u32> = self
            .description
            .triples
            .iter()
            .rev()
            .map(|lifted| (name_of(&lifted.triple.subject), lifted.line))
            .collect();
        let line = self.notes.json_lines.get(node).or_else(|| lines.get(node)).copied().filter(|line| *line > 0);
        let found = line.and_then(|line| self.notes.text.as_ref()?.find(line, property, value?));
        let (line, column) = found.map_or((line, None), |(line, column)| (Some(line), Some(column)));
        Place { page: self.notes.page.clone(), line, column, ..Place::default() }
    }
}

fn name_of(node: &NamedOrBlankNode) -> String {
    match node {
        NamedOrBlankNode::NamedNode(node) => node.as_str().to_owned(),
        NamedOrBlankNode::BlankNode(node) => node.to_string(),
    }
}

impl Job<'_> {
    /// The key under which what is found in the catalogue itself is noted.
    pub(super) fn catalogue_key(&self) -> DatasetKey {
        DatasetKey::of(&self.desk.row.slug, "\0catalogue")
    }

    /// Validates what the source says of its catalogue, and notes what is found.
    pub(super) fn check_catalogue(&mut self) -> Result<(), HarvestError> {
        let Some(own) = self.state.catalogue.clone() else { return Ok(()) };
        let findings = self.findings_of_catalogue(&own);
        let key = self.catalogue_key().to_string();
        if let Some(opened) = &self.desk.opened {
            let source = self.desk.row.slug.to_string();
            let rows = [RecordFindings { source: &source, key: &key, findings: &findings }];
            return Ok(self.runtime.block_on(opened.operations().note_findings(&rows, &self.now))?);
        }
        self.state.finding_counts.add(FindingCounts::of(&findings));
        self.state.findings.extend(findings);
        Ok(())
    }

    /// Sees to it that the catalogue's graph says what the source says now: a title may change without any record.
    pub(super) fn renew_catalogue(&mut self) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let slug = &self.desk.row.slug;
        let node = self.names.catalogue(slug);
        let pattern = Some(GraphNameRef::from(node.as_ref()));
        let stored = opened.store().quads_for_pattern(None, None, None, pattern);
        let stored: HashSet<Quad> = stored.collect::<Result<_, _>>().map_err(StoreError::from)?;
        // A reading that brought no description says nothing of it.
        if self.state.catalogue.is_none() && !stored.is_empty() {
            return Ok(());
        }
        let stated = match &self.state.catalogue {
            Some(own) => own.statements(&node, self.names.base(), slug.as_str()),
            None => Vec::new(),
        };
        let quads = catalogue_quads(self.names, slug, self.desk.row.title(), stated);
        let is_new = quads.iter().cloned().collect::<HashSet<Quad>>() != stored;
        let has_written = self.turn.is_some();
        // A source without a record has no catalogue.
        if is_new && (has_written || !self.desk.known.hashes.is_empty()) {
            self.catalogue = Some(quads);
            if !has_written {
                self.begin_writing()?;
            }
        }
        Ok(())
    }

    fn findings_of_catalogue(&self, own: &OwnCatalogue) -> Vec<Finding> {
        let stated: Vec<Triple> = own.description.triples.iter().map(|lifted| lifted.triple.clone()).collect();
        let record = name_of(&own.description.node);
        let place_of =
            |node: &str, property: Option<&str>, value: Option<&str>| own.place_of(node, property, value);
        let subject = Subject { record: &record, stated: &stated, place_of: &place_of };
        let mut findings = self.profiles.validate(&subject, &[], Speaks::Dcat);
        // Whether it lists anything is told by its records.
        findings.retain(|finding| {
            !leads(finding.property.as_deref()) && !finding.rule.ends_with("/Catalog-content-recommended")
        });
        for finding in &mut findings {
            finding.title = Some("the catalogue itself".to_owned());
        }
        findings
    }
}
