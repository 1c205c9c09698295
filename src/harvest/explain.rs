//! One record of a source, from what its platform says to DCAT-AP: how somebody writes a mapping.

use super::crawling::crawl_source;
use super::job::{Harvest, converter_of};
use super::options::Options;
use super::outcome::HarvestError;
use crate::catalog::{Finding, SourceId, SourceKind};
use crate::convert::{
    Converter, CustomMapping, Draft, Identifier, Mapper, NodeClaim, Refusal, Renames, UnmappedField,
};
use crate::fetch::Validators;
use crate::source::{
    Appetite, Crawl, PageNotes, Portion, Record, Records, Selection, SourceError, Target, Window,
};
use oxrdf::Triple;

/// A record with what became of it.
#[derive(Debug)]
pub struct Explained {
    /// What the source calls it.
    pub record: String,
    /// Where the publisher can look at it alone.
    pub page: String,
    /// The kind of source.
    pub kind: SourceKind,
    /// What its platform says, as triples that mirror it; nothing where the source speaks DCAT.
    pub lifted: Vec<Triple>,
    /// The DCAT that the mapping made of it, or that the source states.
    pub stated: Vec<Triple>,
    /// What conversion read into that: codes, new forms.
    pub added: Vec<Triple>,
    /// Its fields that no query reads.
    pub unused: Vec<UnmappedField>,
    /// Values that a function made nothing of.
    pub refused: Vec<Refusal>,
    /// What mapping and conversion found.
    pub findings: Vec<Finding>,
}

/// What explains a record.
struct Explainer<'e> {
    kind: SourceKind,
    wanted: Option<&'e str>,
    custom: CustomMapping,
    converter: Converter,
    identifier: Identifier,
    explained: Option<Explained>,
    read: u64,
    error: Option<HarvestError>,
}

impl Harvest<'_> {
    /// Explains one record of a source: the one with an identifier, a name or a node, else the first. Writes
    /// nothing.
    ///
    /// # Errors
    /// When the source cannot be read, or has no such record.
    pub fn explain(
        &self,
        target: &Target,
        options: &Options,
        wanted: Option<&str>,
    ) -> Result<Explained, HarvestError> {
        let (kind, detected) = self.kind(target, options)?;
        let target = detected.as_ref().map_or(target, |detected| &detected.target);
        let custom = options.mapping.noting_refusals();
        let mapper = Mapper::of(kind, &custom)?;
        let source = options.source.clone().unwrap_or_else(|| SourceId::of_address(target.url().as_str()));
        let mut explainer = Explainer {
            kind,
            wanted,
            converter: converter_of(kind, &custom)?,
            custom,
            identifier: Identifier { source, base: options.base.clone() },
            explained: None,
            read: 0,
            error: None,
        };
        let (token, catalogue) = (options.token.clone(), options.catalogue.clone());
        let selection = Selection { catalogue, token, ..Selection::default() };
        let crawl = Crawl::new(self.client, self.runtime.clone(), options.limits).selecting(target, selection);
        let crawled =
            crawl_source(kind, crawl, target, &Validators::default(), &mut |portion| match (portion, &mapper) {
                (Portion::Dcat(window, notes), _) => explainer.window(&window, &notes),
                (Portion::Records(page), Some(mapper)) => explainer.records(mapper, page),
                (Portion::Records(_), None) => unreachable!("what gives records has a mapper"),
            });
        if let Some(error) = explainer.error {
            return Err(error);
        }
        if let Some(explained) = explainer.explained {
            return Ok(explained);
        }
        let outcome = crawled?;
        let Some(wanted) = wanted else {
            let (page, triples) = (target.to_string(), outcome.triples);
            return Err(SourceError::NoRecord { page, triples, hint: "" }.into());
        };
        Err(HarvestError::NoSuchRecord { record: wanted.to_owned(), read: explainer.read })
    }
}

impl Explainer<'_> {
    fn records(&mut self, mapper: &Mapper, page: Records) -> Appetite {
        self.read += page.records.len() as u64;
        let Some(record) = page.records.into_iter().find(|record| self.is_wanted_record(record)) else {
            return Appetite::More;
        };
        let mut lifted = Vec::new();
        record.lift(&mut |triple| lifted.push(triple));
        let (id, place) = (record.id.clone(), record.page.clone());
        let one = Records { records: vec![record], ..page };
        let mapped = match mapper.map(&one) {
            Ok(mapped) => mapped,
            Err(error) => return self.fail(error.into()),
        };
        let notes = PageNotes::of_repairs(place.clone(), mapped.repairs);
        let unused = mapped.unmapped.fields();
        if !mapped.lost.is_empty() {
            // The mapping made no dataset of it: what it says is all there is to see.
            let refused = self.custom.functions().refusals();
            self.explained = Some(Explained {
                record: id,
                page: place,
                kind: self.kind,
                lifted,
                stated: mapped.window.graph.triples().collect(),
                added: Vec::new(),
                unused,
                refused,
                findings: Vec::new(),
            });
            return Appetite::Enough;
        }
        self.explain(&mapped.window, &notes, lifted, unused, |_| true)
    }

    fn is_wanted_record(&self, record: &Record) -> bool {
        let Some(wanted) = self.wanted else { return true };
        let says = |name: &str| record.text(name) == Some(wanted);
        record.id == wanted
            || record.page == wanted
            || ["name", "dataset_id", "datasetid"].iter().any(|name| says(name))
    }

    fn window(&mut self, window: &Window, notes: &PageNotes) -> Appetite {
        self.read += window.roots.len() as u64;
        let wanted = self.wanted;
        self.explain(window, notes, Vec::new(), Vec::new(), |draft| {
            wanted.is_none_or(|wanted| draft.remote_id.value == wanted || draft.node.as_str() == wanted)
        })
    }

    fn explain(
        &mut self,
        window: &Window,
        notes: &PageNotes,
        lifted: Vec<Triple>,
        unused: Vec<UnmappedField>,
        is_wanted: impl Fn(&Draft) -> bool,
    ) -> Appetite {
        let renames = Renames::default();
        let draft = window
            .roots
            .iter()
            .map(|root| self.identifier.identify(window, root, notes, NodeClaim::Free, &renames))
            .find(is_wanted);
        let Some(mut draft) = draft else { return Appetite::More };
        let conversion = match self.converter.convert(&[&draft]) {
            Ok(mut conversions) => conversions.pop().unwrap_or_default(),
            Err(error) => return self.fail(error.into()),
        };
        let mut findings = std::mem::take(&mut draft.findings);
        findings.extend(conversion.findings);
        self.explained = Some(Explained {
            record: draft.remote_id.value,
            page: draft.place.page,
            kind: self.kind,
            lifted,
            stated: draft.triples,
            added: conversion.added,
            unused,
            refused: self.custom.functions().refusals(),
            findings,
        });
        Appetite::Enough
    }

    fn fail(&mut self, error: HarvestError) -> Appetite {
        self.error = Some(error);
        Appetite::Enough
    }
}
