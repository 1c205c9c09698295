//! What a server does by itself while it runs: it brings the search index to the newest state.

use super::server::Shared;
use crate::catalog::with_causes;
use crate::derive::{SearchIndex, bring_index_to};
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether there is something to do.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it waits after a failure.
const RECOVERY: Duration = Duration::from_secs(30);

/// Keeps the search index up, for ever.
pub(super) async fn keep_up(shared: Arc<Shared>) {
    // While the index speaks of a state, that state stays.
    let mut _indexed = None;
    loop {
        let outcome = match shared.snapshot() {
            Ok(opened) if SearchIndex::current(&shared.settings.folder) == Some(opened.number()) => {
                _indexed = Some(opened);
                Ok(())
            }
            Ok(opened) => {
                let (shared, state) = (Arc::clone(&shared), Arc::clone(&opened));
                let work = move || bring_index_to(&shared.settings.folder, &state.snapshot, &shared.names);
                match tokio::task::spawn_blocking(work).await {
                    Ok(Ok(())) => {
                        _indexed = Some(opened);
                        continue;
                    }
                    Ok(Err(error)) => Err(with_causes(&error)),
                    Err(error) => Err(with_causes(&error)),
                }
            }
            Err(error) => Err(with_causes(&error)),
        };
        match outcome {
            Ok(()) => tokio::time::sleep(PAUSE).await,
            Err(causes) => {
                tracing::warn!(causes, "the search index stays as it is");
                tokio::time::sleep(RECOVERY).await;
            }
        }
    }
}
