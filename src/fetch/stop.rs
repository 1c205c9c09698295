//! Ending what is under way: at the next page, or at once.

use std::sync::Arc;
use tokio::sync::watch;

/// How much longer something may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stopping {
    /// As long as it takes.
    No,
    /// To the end of its page.
    AfterThePage,
    /// No longer, and it goes on later.
    ForNow,
    /// No longer.
    AtOnce,
}

/// A word that reaches all that goes on under it; its copies say and hear the same.
#[derive(Debug, Clone)]
pub struct Stop {
    word: Arc<watch::Sender<Stopping>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { word: Arc::new(watch::Sender::new(Stopping::No)) }
    }
}

impl Stop {
    /// Says the word; it is never taken back, only hastened.
    pub fn ask(&self, stopping: Stopping) {
        self.word.send_if_modified(|word| {
            let is_news = stopping > *word;
            *word = stopping.max(*word);
            is_news
        });
    }

    /// What was said.
    #[must_use]
    pub fn asked(&self) -> Stopping {
        *self.word.borrow()
    }

    /// Waits until something must end at once.
    pub async fn at_once(&self) {
        let mut heard = self.word.subscribe();
        // The sender lives as long as `self`: the error cannot come.
        let _ = heard.wait_for(|word| *word >= Stopping::ForNow).await;
    }
}
