//! Files that are read again while the node runs, whenever they change.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

/// What came of reading files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// They are as they were.
    Unchanged,
    /// They are others, and in use.
    Swapped,
}

/// Files that are used as a whole or not at all.
pub trait Watched: Send + Sync {
    /// What they are, for the operator.
    fn what(&self) -> &'static str;

    /// Reads them, and uses them if they are good. Until files that were found wrong are changed they are not tried again,
    /// unless that is asked for. Blocks.
    ///
    /// # Errors
    /// A message saying what is wrong with them; what was in use stays in use.
    fn reload(&self, is_asked_for: bool) -> Result<Reloaded, String>;
}

/// Reads the files again in each `every`, and whenever `asked` says so; never ends.
pub async fn keep_fresh(
    watched: Vec<Arc<dyn Watched>>,
    every: Duration,
    mut asked: mpsc::Receiver<()>,
) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watched: Vec<_> = watched.into_iter().map(|files| (files, None)).collect();
    loop {
        let is_asked_for = tokio::select! {
            _ = tick.tick() => false,
            Some(()) = asked.recv() => true,
        };
        for (files, last_error) in &mut watched {
            let what = files.what();
            let reader = Arc::clone(files);
            let reload = move || reader.reload(is_asked_for);
            let reloaded = tokio::task::spawn_blocking(reload)
                .await
                .unwrap_or_else(|_| Err("the files' reader died".to_owned()));
            match reloaded {
                Ok(Reloaded::Swapped) => {
                    *last_error = None;
                    tracing::info!("{what}: read again and in use");
                }
                // A file that stays away is told once, not with each look.
                Err(error) if is_asked_for || last_error.as_ref() != Some(&error) => {
                    tracing::error!(%error, "{what}: stay as they were");
                    *last_error = Some(error);
                }
                Ok(Reloaded::Unchanged) | Err(_) => {}
            }
        }
    }
}
