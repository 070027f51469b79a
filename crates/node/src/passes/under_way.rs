//! Passes under way: how far those of one use are, and who waits for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::store::ResidentKey;

/// Passes under way, by resident and use.
pub(crate) type InFlight = HashMap<(ResidentKey, [u8; 16]), Arc<Progress>>;

/// How far the passes of one use are.
pub(crate) struct Progress {
    /// Passes that are not done yet.
    pub(super) remaining: watch::Sender<usize>,
    /// Calls that wait for them.
    waiting: AtomicUsize,
    /// Whether somebody was told to come back for them.
    is_promised: AtomicBool,
    /// Whether one of them could not be made.
    pub(super) has_failed: AtomicBool,
}

impl Progress {
    /// Of so many passes, none of them done and nobody waiting.
    pub(super) fn of(missing: usize) -> Self {
        Self {
            remaining: watch::Sender::new(missing),
            waiting: AtomicUsize::new(0),
            is_promised: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_promised.load(Ordering::SeqCst) || self.waiting.load(Ordering::SeqCst) > 0
    }
}

/// A call's interest in passes under way; once no call is interested, what is not yet begun is not begun.
pub struct Waiting {
    pub(super) progress: Arc<Progress>,
    pub(super) resident: ResidentKey,
    pub(super) use_id: [u8; 16],
    pub(super) total: usize,
}

impl Waiting {
    pub(super) fn new(
        progress: Arc<Progress>,
        resident: ResidentKey,
        use_id: [u8; 16],
        total: usize,
    ) -> Self {
        progress.waiting.fetch_add(1, Ordering::SeqCst);
        Self {
            progress,
            resident,
            use_id,
            total,
        }
    }

    /// Waits until all is done, at most `until`; true if it is. After a false it goes on.
    pub(crate) async fn wait(&self, until: tokio::time::Instant) -> bool {
        let mut seen = self.progress.remaining.subscribe();
        let done = async { seen.wait_for(|left| *left == 0).await.is_ok() };
        let is_done = tokio::time::timeout_at(until, done).await.unwrap_or(false);
        if !is_done {
            self.progress.is_promised.store(true, Ordering::SeqCst);
        }
        is_done
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.progress.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
