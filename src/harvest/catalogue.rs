//! The catalogue of a source itself: what it says of itself is stored, and validated as a group of its own.

use super::job::Job;
use super::outcome::HarvestError;
use super::profiles::{Speaks, Subject};
use super::report::FindingCounts;
use crate::catalog::{DatasetKey, Finding, Place};
use crate::lift::PageText;
use crate::source::{CatalogueDescription, PageNotes};
use crate::store::{StoreError, catalogue_quads, graph_quads};
use crate::vocab::{dcat, dct};
use oxrdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A catalogue as the first page that describes it does.
#[derive(Clone)]
pub(super) struct OwnCatalogue {
    description: Arc<CatalogueDescription>,
    page: String,
    text: Option<Arc<PageText>>,
    /// Whether the source says it as DCAT: else it is not validated, since a mapping made it.
    is_stated: bool,
    /// Where each node is described first, by its name.
    lines: HashMap<String, u32>,
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
        let of_triples = description.triples.iter().rev();
        let mut lines: HashMap<String, u32> =
            of_triples.map(|lifted| (name_of(&lifted.triple.subject), lifted.line)).collect();
        // In JSON-LD the places of nodes say more than those of their triples.
        for (node, line) in &mut lines {
            *line = notes.json_lines.get(node).copied().unwrap_or(*line);
        }
        Some(Self { description, page: notes.page.clone(), text: notes.text.clone(), is_stated: true, lines })
    }

    /// The description that a platform's interface gives of its catalogue.
    pub(super) fn of_platform(page: String, description: Arc<CatalogueDescription>) -> Self {
        Self { description, page, text: None, is_stated: false, lines: HashMap::new() }
    }

    /// Its statements, with the catalogue's node and blank nodes under names of ours.
    pub(super) fn statements(&self, catalogue: &NamedNode, base: &str, source: &str) -> Vec<Triple> {
        let renamed = |node: &NamedOrBlankNode| -> NamedNode {
            match node {
                _ if *node == self.description.node => catalogue.clone(),
                NamedOrBlankNode::NamedNode(node) => node.clone(),
                NamedOrBlankNode::BlankNode(node) => {
                    NamedNode::new_unchecked(format!("{base}/.well-known/genid/{source}/{}", node.as_str()))
                }
            }
        };
        let object = |term: &Term| match term {
            Term::NamedNode(node) => renamed(&node.clone().into()).into(),
            Term::BlankNode(node) => renamed(&node.clone().into()).into(),
            Term::Literal(literal) => Term::from(literal.clone()),
        };
        let statements = self.description.triples.iter().map(|lifted| &lifted.triple);
        let mut triples: Vec<Triple> = statements
            .map(|said| Triple::new(renamed(&said.subject), said.predicate.clone(), object(&said.object)))
            .collect();
        if let NamedOrBlankNode::NamedNode(original) = &self.description.node {
            triples.push(Triple::new(catalogue.clone(), dct::SOURCE, original.clone()));
        }
        triples
    }

    /// The place of a node, or of a value of it.
    fn place_of(&self, node: &str, property: Option<&str>, value: Option<&str>) -> Place {
        let line = self.lines.get(node).copied().filter(|line| *line > 0);
        let found = line.and_then(|line| self.text.as_ref()?.find(line, property, value?));
        let (line, column) = found.map_or((line, None), |(line, column)| (Some(line), Some(column)));
        Place { page: self.page.clone(), line, column, ..Place::default() }
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

    /// Validates what the source says of its catalogue.
    pub(super) fn check_catalogue(&mut self) {
        let Some(own) = self.state.catalogue.as_ref().filter(|own| own.is_stated) else { return };
        let findings = self.findings_of_catalogue(own);
        if self.desk.opened.is_some() {
            self.state.unstored_findings.push((self.catalogue_key(), findings));
        } else {
            self.state.finding_counts.add(FindingCounts::of(&findings));
            self.state.findings.extend(findings);
        }
    }

    /// Sees to it that the catalogue's graph says what the source says now: a title may change without any record.
    pub(super) fn renew_catalogue(&mut self) -> Result<(), HarvestError> {
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let slug = &self.desk.row.slug;
        let node = self.names.catalogue(slug);
        let stored = graph_quads(opened.store(), &node).map_err(StoreError::from)?;
        // A reading that brought no description says nothing of it.
        if self.state.catalogue.is_none() && !stored.is_empty() {
            return Ok(());
        }
        let stated = match &self.state.catalogue {
            Some(own) => own.statements(&node, self.names.base(), slug.as_str()),
            None => Vec::new(),
        };
        let quads = catalogue_quads(self.names, slug, self.desk.row.title(), stated);
        let is_new = stored.iter().collect::<HashSet<_>>() != quads.iter().collect();
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
        let subject = Subject { record: &record, node: &record, stated: &stated, place_of: &place_of };
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
