//! Which records are published at all: the program's floor, and the policy of the source.

use super::job::Job;
use super::window::Processed;
use crate::catalog::{ItemError, Severity};
use crate::config::Policy;
use crate::operations::{Item, ItemMessage, ItemOutcome};
use crate::vocab::dct;
use oxrdf::{NamedOrBlankNode, Term, Triple};

/// Records that a report names; the items of the job have all.
const NAMED: usize = 1_000;

/// Why a record is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldBack {
    /// Nobody could tell what it is.
    NoTitle,
    /// The source publishes valid records alone.
    Violations,
}

impl Job<'_> {
    /// Whether a record stays out, whatever else is right with it.
    pub(super) fn held_back(&self, record: &Processed) -> Option<HeldBack> {
        if !has_title(record) {
            return Some(HeldBack::NoTitle);
        }
        let is_violated = record.findings.iter().any(|finding| finding.severity == Severity::Violation);
        (self.options.policy == Policy::Valid && is_violated).then_some(HeldBack::Violations)
    }

    /// Leaves a record out, by name; what is stored of it stays as it was.
    pub(super) fn hold_back(&mut self, record: &Processed, why: HeldBack) {
        let draft = &record.draft;
        if self.desk.opened.is_some() {
            self.state.unstored_findings.push((draft.key, record.findings.clone()));
        }
        let messages: Vec<ItemMessage> = match why {
            HeldBack::NoTitle => vec![ItemMessage {
                level: "error".to_owned(),
                place: draft.place.clone(),
                message: "the record has no title: it is not published until it has one (dct:title)".to_owned(),
            }],
            HeldBack::Violations => {
                let violations = record.findings.iter().filter(|finding| finding.severity == Severity::Violation);
                let message = |finding: &crate::catalog::Finding| ItemMessage {
                    level: "error".to_owned(),
                    place: finding.place.clone(),
                    message: format!("{} ({})", finding.message.en, finding.rule),
                };
                violations.map(message).collect()
            }
        };
        let remote_id = draft.remote_id.value.clone();
        if self.state.held_back.len() < NAMED
            && let Some(first) = messages.first()
        {
            let more =
                if messages.len() > 1 { format!(", and {} more", messages.len() - 1) } else { String::new() };
            let said = format!("{}{more}", first.message);
            self.state.held_back.push(ItemError::new(Some(remote_id.clone()), first.place.clone(), said));
        }
        let mut item = Item::of(draft.key, &remote_id, ItemOutcome::Skipped);
        item.messages = messages;
        self.state.counts.skipped += 1;
        self.note_present(draft.key);
        self.state.items.push(item);
    }
}

fn has_title(record: &Processed) -> bool {
    let node = NamedOrBlankNode::NamedNode(record.draft.node.clone());
    let is_title = |triple: &Triple| {
        triple.subject == node
            && triple.predicate.as_ref() == dct::TITLE
            && matches!(&triple.object, Term::Literal(literal) if !literal.value().trim().is_empty())
    };
    record.draft.triples.iter().chain(&record.conversion.added).any(is_title)
}
