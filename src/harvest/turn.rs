//! Turns: one job writes at a time. What it wrote is published when it ends; where others run and something was
//! published just before, it is published together with what they write meanwhile.

use super::outcome::HarvestError;
use super::workplace::{Opened, Visible};
use crate::catalog::SourceId;
use crate::store::{Folder, GraphNames};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Who writes, and what waits to be published.
#[derive(Default)]
pub(super) struct Turns {
    turn: Mutex<()>,
    awaited: Mutex<Awaited>,
    /// What was awaited was published, or never will be.
    decided: Condvar,
}

#[derive(Default)]
struct Awaited {
    /// The sources of which changes are written and not published, each with what readers will see where it is known.
    sources: Vec<(SourceId, Option<Visible>)>,
    /// The newest snapshot that was published here, and when.
    last: Option<(u64, Instant)>,
    /// Whether a job left the store ahead of what is published: it is opened anew before anything is published.
    is_spoiled: bool,
}

impl Turns {
    fn awaited(&self) -> MutexGuard<'_, Awaited> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn are_spoiled(&self) -> bool {
        self.awaited().is_spoiled
    }

    fn take(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is published after a snapshot; nothing where that takes longer than until a time.
    fn published_after(&self, snapshot: u64, until: Instant) -> Result<Option<u64>, HarvestError> {
        let mut awaited = self.awaited();
        loop {
            if let Some((number, _)) = awaited.last.filter(|(number, _)| *number > snapshot) {
                return Ok(Some(number));
            }
            if awaited.is_spoiled {
                return Err(HarvestError::Spoiled);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            awaited = self.decided.wait_timeout(awaited, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Opened {
    /// Waits until nobody else writes. What is written from now on is undone by whoever opens the store next,
    /// unless it is published before the turn ends.
    ///
    /// # Errors
    /// When a job before left the store half written, or the mark cannot be set.
    pub fn take_turn<'o>(self: &'o Arc<Self>, folder: &'o Folder, job: &str) -> Result<Turn<'o>, HarvestError> {
        self.take_turn_if(folder, job, || Ok(()))
    }

    /// Takes a turn if there is still a reason to, when it comes.
    pub(super) fn take_turn_if<'o>(
        self: &'o Arc<Self>,
        folder: &'o Folder,
        job: &str,
        still: impl FnOnce() -> Result<(), HarvestError>,
    ) -> Result<Turn<'o>, HarvestError> {
        let guard = self.turns.take();
        still()?;
        if self.turns.are_spoiled() {
            return Err(HarvestError::Spoiled);
        }
        folder.mark_unpublished(job)?;
        Ok(Turn { opened: self, folder, is_ended: false, _guard: guard })
    }
}

/// Leave to write.
pub struct Turn<'o> {
    opened: &'o Arc<Opened>,
    folder: &'o Folder,
    /// Whether what was written is published, or will be.
    is_ended: bool,
    _guard: MutexGuard<'o, ()>,
}

impl Turn<'_> {
    /// Publishes what was written, by this turn and by those before it, which ends the turn.
    ///
    /// # Errors
    /// When the snapshot cannot be made; what was written is then undone.
    pub fn publish(mut self, names: &GraphNames, runtime: &Handle) -> Result<u64, HarvestError> {
        let number = self.folder.publish(self.opened.store())?;
        self.is_ended = true;
        let sources = std::mem::take(&mut self.opened.turns.awaited().sources);
        for (source, visible) in sources {
            let noted = match visible {
                Some(visible) => self.opened.note_changes_to(runtime, names, &source, visible),
                None => self.opened.note_changes(runtime, names, &source),
            };
            // What cannot be noted is noted with the next change.
            if let Err(error) = noted {
                tracing::warn!(%source, causes = crate::catalog::with_causes(&error), "a change was not noted");
            }
        }
        self.opened.turns.awaited().last = Some((number, Instant::now()));
        self.opened.turns.decided.notify_all();
        Ok(number)
    }

    /// Publishes what was written, and notes, while nobody else writes, what readers now see otherwise of a source.
    ///
    /// # Errors
    /// When the snapshot cannot be made; what was written is then undone.
    pub fn publish_of(self, source: &SourceId, names: &GraphNames, runtime: &Handle) -> Result<u64, HarvestError> {
        self.opened.turns.awaited().sources.push((source.clone(), None));
        self.publish(names, runtime)
    }

    /// The same where it is known what readers will see of the source, which then need not be read out of the store.
    pub(super) fn publish_known(
        self,
        source: &SourceId,
        visible: Visible,
        names: &GraphNames,
        runtime: &Handle,
    ) -> Result<u64, HarvestError> {
        self.opened.turns.awaited().sources.push((source.clone(), Some(visible)));
        self.publish(names, runtime)
    }

    /// Publishes what was written of a source: at once where nothing else runs or nothing was published for a while;
    /// else others may write first, and all of it is published together when the while is over. Returns when it is.
    ///
    /// # Errors
    /// When the snapshot cannot be made, or one of the others left the store half written; what was written is then
    /// undone.
    pub(super) fn publish_in_time(
        mut self,
        pause: Duration,
        source: &SourceId,
        names: &GraphNames,
        runtime: &Handle,
    ) -> Result<u64, HarvestError> {
        let (opened, folder) = (self.opened, self.folder);
        let last = opened.turns.awaited().last;
        let is_alone = Arc::strong_count(opened) == 1;
        let Some((before, at)) = last.filter(|(_, at)| !is_alone && at.elapsed() < pause) else {
            return self.publish_of(source, names, runtime);
        };
        opened.turns.awaited().sources.push((source.clone(), None));
        self.is_ended = true;
        drop(self);
        if let Some(number) = opened.turns.published_after(before, at + pause)? {
            return Ok(number);
        }
        let guard = opened.turns.take();
        // Somebody came before.
        if let Some(number) = opened.turns.published_after(before, Instant::now())? {
            return Ok(number);
        }
        Turn { opened, folder, is_ended: false, _guard: guard }.publish(names, runtime)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.opened.turns.awaited().is_spoiled = true;
            self.opened.turns.decided.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harvest::{Pace, Workplace};
    use oxrdf::{GraphName, NamedNode, Quad};
    use std::time::Duration;
    use tokio::runtime::Runtime;

    const LONG: Duration = Duration::from_secs(60);
    /// Long enough for three jobs to write on a busy machine.
    const SHORT: Duration = Duration::from_secs(2);

    struct Place {
        _root: tempfile::TempDir,
        folder: Folder,
        workplace: Workplace,
        names: GraphNames,
        runtime: Runtime,
    }

    impl Place {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let folder = Folder::new(root.path());
            let workplace = Workplace::new(folder.clone(), Pace::AtTheEnd { together: LONG });
            let names = GraphNames::new("https://data.example");
            Self { _root: root, folder, workplace, names, runtime: Runtime::new().unwrap() }
        }

        fn open(&self) -> Arc<Opened> {
            self.workplace.open(self.runtime.handle()).unwrap()
        }

        /// Writes one statement in a turn, and publishes it.
        fn write(&self, opened: &Arc<Opened>, job: &str, pause: Duration) -> Result<u64, HarvestError> {
            let turn = opened.take_turn(&self.folder, job)?;
            opened.store().insert(&statement(job)).unwrap();
            let source = SourceId::parse(job).unwrap();
            turn.publish_in_time(pause, &source, &self.names, self.runtime.handle())
        }

        fn published(&self) -> usize {
            self.folder.snapshot().unwrap().store.len().unwrap()
        }
    }

    fn until_one_waits(opened: &Opened) {
        while opened.turns.awaited().sources.is_empty() {
            std::thread::yield_now();
        }
    }

    fn statement(job: &str) -> Quad {
        let node = NamedNode::new_unchecked(format!("https://data.example/{job}"));
        Quad::new(node.clone(), node.clone(), node, GraphName::DefaultGraph)
    }

    #[test]
    fn a_job_that_runs_alone_is_published_at_once() {
        let place = Place::new();
        let opened = place.open();
        for number in 1..=3 {
            assert_eq!(place.write(&opened, &format!("job-{number}"), LONG).unwrap(), number);
        }
    }

    #[test]
    fn what_ends_within_the_pause_is_published_together() {
        let place = Place::new();
        let (opened, _other) = (place.open(), place.open());
        assert_eq!(place.write(&opened, "first", SHORT).unwrap(), 1);
        let numbers: Vec<u64> = std::thread::scope(|scope| {
            let threads = ["second", "third", "fourth"].map(|job| {
                let (place, opened) = (&place, &opened);
                scope.spawn(move || place.write(opened, job, SHORT).unwrap())
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(numbers, [2, 2, 2]);
        assert_eq!(place.published(), 4);
        assert_eq!(place.folder.of_job("third").map(|published| published.number), Some(2));
    }

    #[test]
    fn nobody_waits_for_what_another_publishes_at_once() {
        let place = Place::new();
        let (opened, _other) = (place.open(), place.open());
        place.write(&opened, "first", LONG).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| place.write(&opened, "second", LONG));
            until_one_waits(&opened);
            let turn = opened.take_turn(&place.folder, "hand").unwrap();
            assert_eq!(turn.publish(&place.names, place.runtime.handle()).unwrap(), 2);
            assert_eq!(waiting.join().unwrap().unwrap(), 2);
        });
        assert_eq!(place.published(), 2);
    }

    #[test]
    fn what_waits_is_undone_with_what_another_left_half_written() {
        let place = Place::new();
        let (opened, other) = (place.open(), place.open());
        place.write(&opened, "first", LONG).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| place.write(&opened, "second", LONG));
            until_one_waits(&opened);
            drop(opened.take_turn(&place.folder, "failing").unwrap());
            assert!(matches!(waiting.join().unwrap(), Err(HarvestError::Spoiled)));
        });
        drop((opened, other));
        assert_eq!(place.open().store().len().unwrap(), 1);
    }
}
