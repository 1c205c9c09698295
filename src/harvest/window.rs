//! From a window of a page to converted and validated records.

use super::asked::keep_asked;
use super::catalogue::OwnCatalogue;
use super::findings::{once, suggest};
use super::job::Job;
use super::outcome::HarvestError;
use super::profiles::{Profiles, Speaks, Subject};
use super::report::FindingCounts;
use super::state::FirstSeen;
use crate::catalog::{
    DatasetKey, Finding, GraphHash, ItemError, Message, Place, RecordKind, Severity, SourceKind, Syntax,
};
use crate::convert::{Conversion, Converter, Draft, NodeClaim, QueryError, language_tag};
use crate::operations::{Item, ItemMessage, ItemOutcome, StoredFindings};
use crate::source::{Appetite, PageNotes, Records, Window};
use crate::triples::{Graph, TermId, independent_batches};
use oxrdf::Term;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Records converted together: enough that planning a query costs little for each.
const BATCH: usize = 250;

/// A record that goes through conversion, with what comes of it.
pub(super) struct Processed {
    pub(super) draft: Draft,
    pub(super) conversion: Conversion,
    pub(super) findings: Vec<Finding>,
    pub(super) validated_in: Duration,
}

impl Job<'_> {
    /// Maps the records of a platform's page, and takes what comes of them.
    pub(super) fn take_records(&mut self, mut page: Records) -> Result<Appetite, HarvestError> {
        let start = Instant::now();
        let mapper = self.mapper.expect("what gives records has a mapper");
        if let Some(filter) = &self.filters.of_platform {
            self.state.counts.filtered += mapper.select(filter, &mut page)?;
        }
        let mapped = mapper.map(&page)?;
        self.clock.add("map", start.elapsed());
        self.state.unmapped.add(mapped.unmapped);
        for (record, place) in mapped.lost {
            self.state.counts.failed += 1;
            let place = Place::of_page(place);
            let message = "the mapping made no dataset of this record: has it an identifier, and a description of a resource?".to_owned();
            self.state.errors.push(ItemError::new(Some(record), place, message));
        }
        let notes = PageNotes::of_repairs(page.page, mapped.repairs);
        self.take_window(&mapped.window, &notes, Speaks::Platform(self.kind))
    }

    pub(super) fn take_window(
        &mut self,
        window: &Window,
        notes: &PageNotes,
        speaks: Speaks,
    ) -> Result<Appetite, HarvestError> {
        self.note_languages(notes);
        self.state.syntax = self.state.syntax.or(notes.syntax).or(match speaks {
            Speaks::Platform(SourceKind::Csw) => Some(Syntax::Xml),
            Speaks::Platform(_) => Some(Syntax::Json),
            Speaks::Dcat => None,
        });
        self.state.note_prefixes(notes.prefixes.as_ref());
        if self.state.catalogue.is_none() {
            self.state.catalogue = OwnCatalogue::of(notes);
        }
        let (drafts, appetite) = self.identify(window, notes)?;
        if speaks == Speaks::Dcat {
            let state = &mut self.state;
            for draft in &drafts {
                state.unread_terms.note(&draft.triples, &mut state.unmapped);
            }
        }
        let start = Instant::now();
        let fresh: Vec<Draft> = drafts.into_iter().filter_map(|draft| self.keep_unless_unchanged(draft)).collect();
        self.clock.add("compare", start.elapsed());
        let start = Instant::now();
        let batches = independent_batches(fresh, BATCH, |draft, note| draft.triples.iter().for_each(note));
        self.clock.add("convert", start.elapsed());
        let mut batches = batches.into_iter();
        loop {
            // As many as there are threads: what is done with is loaded while the next are gone through.
            let together: Vec<_> = batches.by_ref().take(rayon::current_num_threads()).collect();
            if together.is_empty() {
                return Ok(appetite);
            }
            let processed = self.process(speaks, together)?;
            let (start, derived) = (Instant::now(), self.clock.of("derive"));
            self.write(processed)?;
            let deriving = self.clock.of("derive").saturating_sub(derived);
            self.clock.add("store", start.elapsed().saturating_sub(deriving));
        }
    }

    /// Converts and validates batches of records.
    fn process(&mut self, speaks: Speaks, batches: Vec<Vec<Draft>>) -> Result<Vec<Processed>, HarvestError> {
        let start = Instant::now();
        let (converter, profiles) = (self.converter, self.profiles);
        let processed: Vec<Vec<Processed>> = batches
            .into_par_iter()
            .map(|batch| process(converter, profiles, speaks, batch))
            .collect::<Result<_, QueryError>>()?;
        let elapsed = start.elapsed();
        let processed: Vec<Processed> = processed.into_iter().flatten().collect();
        self.share_time(elapsed, &processed);
        Ok(processed)
    }

    /// The first page that names its catalogue's languages decides.
    fn note_languages(&mut self, notes: &PageNotes) {
        if self.source.languages.is_empty() {
            let mut tags: Vec<String> = notes.languages.iter().filter_map(|named| language_tag(named)).collect();
            tags.sort();
            tags.dedup();
            self.source.languages = tags;
        }
    }

    /// Splits the wall time of a parallel phase by what was measured within.
    fn share_time(&mut self, elapsed: Duration, processed: &[Processed]) {
        let validated: Duration = processed.iter().map(|record| record.validated_in).sum();
        let validate = validated.mul_f64(1.0 / rayon::current_num_threads() as f64).min(elapsed);
        self.clock.add("validate", validate);
        self.clock.add("convert", elapsed.saturating_sub(validate));
    }

    /// Gives the records of a window their identities, and sorts out those that cannot have one.
    fn identify(&mut self, window: &Window, notes: &PageNotes) -> Result<(Vec<Draft>, Appetite), HarvestError> {
        let start = Instant::now();
        let identifier = &self.identifier;
        let renames = &self.desk.known.renames;
        let drafts: Vec<(TermId, Draft)> = window
            .roots
            .par_iter()
            .map(|root| (root.node, identifier.identify(window, root, notes, NodeClaim::Free, renames)))
            .collect();
        let drafts = self.select(drafts)?;
        for (_, draft) in &drafts {
            // What is found in the others is told when they are gone through; a record that stays as it is may not be.
            let is_sound = self.desk.known.findings.get(&draft.key).is_none_or(|stored| stored.counts[0] == 0);
            if is_sound {
                self.state.note_examples(draft);
            }
        }
        self.clock.add("identify and hash", start.elapsed());
        let mut kept = Vec::new();
        for (node, draft) in drafts {
            if self.options.max_records.is_some_and(|most| self.state.counts.seen >= most) {
                return Ok((kept, Appetite::Enough));
            }
            if self.is_repeated(&draft) {
                continue;
            }
            self.state.counts.seen += 1;
            if draft.kind == RecordKind::Service {
                self.state.services += 1;
            }
            let Some(draft) = self.admit(draft) else { continue };
            let claim = self.claim(&draft);
            let draft = match (claim, window.roots.iter().find(|root| root.node == node)) {
                (NodeClaim::Taken, Some(root)) => {
                    self.identifier.identify(window, root, notes, NodeClaim::Taken, &self.desk.known.renames)
                }
                _ => draft,
            };
            kept.push(draft);
        }
        Ok((kept, Appetite::More))
    }

    /// Keeps the records that the source's filters want, as far as these look at DCAT.
    fn select(&mut self, drafts: Vec<(TermId, Draft)>) -> Result<Vec<(TermId, Draft)>, HarvestError> {
        let Some(filter) = &self.filters.of_dcat else { return Ok(drafts) };
        let graph = Graph::of(drafts.iter().flat_map(|(_, draft)| &draft.triples));
        let nodes: Vec<Term> = drafts.iter().map(|(_, draft)| draft.node.clone().into()).collect();
        let wanted = filter.wants(&graph, nodes.iter())?;
        let before = drafts.len();
        let kept: Vec<_> =
            drafts.into_iter().zip(wanted).filter_map(|(draft, is_wanted)| is_wanted.then_some(draft)).collect();
        self.state.counts.filtered += (before - kept.len()) as u64;
        Ok(kept)
    }

    /// Whether a record was met before as the same node: catalogues repeat services and series on each of
    /// their pages. What is said otherwise there is a finding; the first description stays.
    fn is_repeated(&mut self, draft: &Draft) -> bool {
        let Some(first) =
            self.state.seen.get(&draft.key).filter(|first| first.node == node_hash(&draft.source_node))
        else {
            return false;
        };
        if first.hash != draft.hash {
            let finding = described_twice(draft, &first.place);
            self.state.late_findings.push((draft.key, finding));
        }
        true
    }

    /// Refuses a second record with the same identifier, and one whose description is cut.
    fn admit(&mut self, draft: Draft) -> Option<Draft> {
        let refused = if let Some(first) = self.state.seen.get(&draft.key) {
            Some(format!(
                "the identifier {:?} was met before, at {}; the first record stays. Give each dataset an identifier of its own.",
                draft.remote_id.value, first.place
            ))
        } else {
            draft.cut.as_ref().map(|error| {
                format!("the description is cut by a syntax error ({error}); the record stays as it was")
            })
        };
        if let Some(message) = refused {
            self.state.counts.failed += 1;
            let record = Some(draft.remote_id.value.clone());
            self.state.errors.push(ItemError::new(record, draft.place.clone(), message));
            self.state.seen.entry(draft.key).or_insert_with(|| first_seen(&draft));
            return None;
        }
        self.state.seen.insert(draft.key, first_seen(&draft));
        Some(draft)
    }

    fn claim(&mut self, draft: &Draft) -> NodeClaim {
        let node = node_hash(&draft.node.clone().into());
        match self.state.nodes.insert(node, draft.key) {
            Some(other) if other != draft.key => {
                self.state.nodes.insert(node, other);
                NodeClaim::Taken
            }
            _ => NodeClaim::Free,
        }
    }

    /// A record that came is not missing, whatever becomes of it.
    pub(super) fn note_present(&mut self, key: DatasetKey) {
        let known = &self.desk.known;
        let was_missing = known.findings.get(&key).is_some_and(|stored| stored.missing_since.is_some());
        if was_missing && known.hashes.contains_key(&key) {
            self.state.present_again.push(key);
        }
    }

    fn keep_unless_unchanged(&mut self, draft: Draft) -> Option<Draft> {
        let known = &self.desk.known;
        if let Some(why) = known.findings.get(&draft.key).and_then(|stored| left_alone(stored, draft.hash)) {
            let mut item = Item::of(draft.key, &draft.remote_id.value, ItemOutcome::Skipped);
            item.messages.push(ItemMessage {
                level: "info".to_owned(),
                place: draft.place,
                message: why.to_owned(),
            });
            self.state.items.push(item);
            self.state.counts.skipped += 1;
            self.note_present(draft.key);
            return None;
        }
        if known.is_unchanged(draft.key, draft.hash) {
            self.state.counts.unchanged += 1;
            let stored = &known.findings[&draft.key];
            let [violation, warning, info] = stored.counts;
            self.state.finding_counts.add(FindingCounts { violation, warning, info });
            let came_back = stored.missing_since.is_some();
            if came_back {
                self.state.present_again.push(draft.key);
            }
            let outcome = if came_back { ItemOutcome::Restored } else { ItemOutcome::Unchanged };
            self.state.items.push(Item::of(draft.key, &draft.remote_id.value, outcome));
            return None;
        }
        Some(draft)
    }
}

/// Why a record is left as a person wanted it.
pub(super) fn left_alone(stored: &StoredFindings, hash: GraphHash) -> Option<&'static str> {
    if stored.withdrawn {
        return Some("a person archived this record: it stays so until it is restored");
    }
    if stored.detached {
        return Some("a person detached this record from its source: it stays as it is");
    }
    let is_undone = stored.undone_hash.as_deref() == Some(hash.to_string().as_str());
    is_undone
        .then_some("a person undid this state: the record stays as it was until the source says something else")
}

fn first_seen(draft: &Draft) -> FirstSeen {
    FirstSeen { place: draft.place.to_string(), node: node_hash(&draft.source_node), hash: draft.hash }
}

fn node_hash(node: &Term) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(node)
}

fn described_twice(draft: &Draft, first: &str) -> Finding {
    Finding {
        record: draft.remote_id.value.clone(),
        focus_node: draft.node.as_str().to_owned(),
        property: None,
        value: None,
        rule: "identity/described-twice".to_owned(),
        severity: Severity::Info,
        message: Message::new(
            format!("This record is described again, with other statements; those at {first} were taken."),
            format!(
                "Cette fiche est décrite une seconde fois, autrement ; la description retenue est celle-ci : {first}."
            ),
        ),
        place: draft.place.clone(),
        ..Finding::default()
    }
}

fn process(
    converter: &Converter,
    profiles: &Profiles,
    speaks: Speaks,
    batch: Vec<Draft>,
) -> Result<Vec<Processed>, QueryError> {
    let conversions = converter.convert(&batch.iter().collect::<Vec<_>>())?;
    let processed = batch.into_iter().zip(conversions).map(|(mut draft, mut conversion)| {
        let start = Instant::now();
        let mut findings = std::mem::take(&mut draft.findings);
        findings.append(&mut conversion.findings);
        let place_of =
            |node: &str, property: Option<&str>, value: Option<&str>| draft.place_of(node, property, value);
        let subject = Subject {
            record: &draft.remote_id.value,
            node: draft.node.as_str(),
            stated: &draft.triples,
            place_of: &place_of,
        };
        findings.extend(profiles.validate(&subject, &conversion.added, speaks));
        suggest(&mut findings, &conversion.added);
        let mut findings = once(findings, speaks);
        if let Speaks::Platform(kind) = speaks {
            keep_asked(&mut findings, kind, draft.node.as_str());
        }
        for finding in &mut findings {
            finding.title.clone_from(&draft.title);
        }
        Processed { draft, conversion, findings, validated_in: start.elapsed() }
    });
    Ok(processed.collect())
}
