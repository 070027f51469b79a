//! The commitments on their way into the log.
//!
//! A commitment waits in a row that is written with its event. Each quarter of an hour all that waits, filled up with random
//! values, becomes a batch, whether or not anything came; the batch, its log entry and the removal of what waited are one commit.
//! Before the log tells of a time by which something was promised, that is logged first, whatever the quarter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ledger::log::{CommitmentBatch, Entry, LogHash};
use ledger::receipt::{Batch, Commitment, PROMISE_MIN};
use rules::Minute;

use super::WAITING_PREFIX;
use crate::store::{StoreError, Table};
use crate::{Node, NodeError};

/// Minutes between two batches.
const SPACING_MIN: u32 = 15;
/// How long the commitments of a batch are kept, minutes: 30 days. The log keeps its root.
const KEPT_MIN: u32 = 30 * 1_440;
/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time after a batch that failed.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// Rows read or removed at a time.
const ROWS_LEN: usize = 1_024;

/// What a node keeps in memory of commitments.
pub(crate) struct Commitments {
    /// Since when there are any.
    pub(super) given_since: Minute,
    pub(super) batch_len: usize,
    /// The time in the last batch; it never falls.
    last: Mutex<Option<Minute>>,
    /// When the last batch was made, by this node's clock, which may have been set back since.
    made: Mutex<Option<Minute>>,
    /// Held by whoever makes batches.
    making: Mutex<()>,
    /// The latest time that the log tells, or is about to tell. Read from the moment at which something is accepted until
    /// that is durable.
    told: RwLock<Minute>,
}

/// Held while something is accepted.
pub(crate) struct Accepting<'a> {
    at: Minute,
    _told: RwLockReadGuard<'a, Minute>,
}

impl Accepting<'_> {
    /// When it is accepted.
    pub(crate) const fn at(&self) -> Minute {
        self.at
    }
}

impl Commitments {
    pub(crate) fn new(given_since: Minute, batch_len: usize) -> Self {
        Self {
            given_since,
            batch_len,
            last: Mutex::new(None),
            made: Mutex::new(None),
            making: Mutex::new(()),
            told: RwLock::new(Minute::ZERO),
        }
    }

    /// Takes an entry of the log as it is read back.
    pub(crate) fn restore(&self, entry: &Entry) {
        if let Entry::Commitments(batch) = entry {
            self.set_last(batch.at);
        }
        if let Some(told) = entry.told_time() {
            self.raise(told);
        }
    }

    /// Says what time the log is about to tell, once all that was accepted before is durable: what is accepted from now on
    /// is promised for later.
    fn raise(&self, told: Minute) {
        let mut latest = self.told.write().unwrap_or_else(PoisonError::into_inner);
        *latest = told.max(*latest);
    }

    fn set_last(&self, at: Minute) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(Some(at));
    }

    /// The time in the last batch.
    pub(crate) fn last_batch(&self) -> Option<Minute> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_made(&self, now: Minute) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When the last batch was made by a clock that shows `now`; after a start the time in it, if that is not ahead.
    pub(crate) fn made_at(&self, now: Minute) -> Option<Minute> {
        let made = *self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.or_else(|| self.last_batch().map(|last| last.min(now)))
    }

    /// Whether the quarter of an hour is another than that of the last batch. It follows the clock and not what stands in
    /// batches: otherwise, while those are ahead of a clock that was set back, only what is owed would make any, and so show.
    fn is_due(&self, now: Minute) -> bool {
        let made = self.made_at(now);
        made.is_none_or(|made| made.get() / SPACING_MIN != now.get() / SPACING_MIN)
    }
}

/// From when on the commitments of batches are kept, where the last was made at `now`.
pub(crate) fn forget_before(now: Minute) -> Minute {
    now.saturating_add_signed(-i64::from(KEPT_MIN))
}

/// Where the commitments of a batch lie.
pub(crate) fn batch_key(at: Minute, root: LogHash) -> Vec<u8> {
    [&at.get().to_be_bytes()[..], &root.0].concat()
}

/// What goes into one batch.
struct Gathered {
    rows: Vec<Vec<u8>>,
    commitments: BTreeSet<Commitment>,
    /// The latest moment at which any of it was accepted.
    accepted: Minute,
    /// Whether more waits.
    is_full: bool,
}

impl Node {
    /// Makes batches of all that waits, one at least, if a new quarter of an hour has begun; gives how many.
    ///
    /// # Errors
    /// [`NodeError::Store`]; what is not logged waits on.
    pub fn log_commitments(&self) -> Result<usize, NodeError> {
        if !self.commitments.is_due(self.clock.now()) {
            return Ok(0);
        }
        let made = self.log_waiting(|| Ok(self.commitments.is_due(self.clock.now())))?;
        self.sign_checkpoint_later();
        if let Err(error) = self.forget_commitments() {
            let error = error.for_operator();
            tracing::error!(%error, "commitments of old batches could not be removed");
        }
        Ok(made)
    }

    /// Begins to accept something. Where the node's clock lies behind what the log tells, since other provinces signed for a
    /// later time, it is accepted at that: nothing is promised for a time that has been told already.
    ///
    /// Once at a time for each thread, and until what is accepted is durable.
    pub(crate) fn accepting(&self) -> Accepting<'_> {
        let told = &self.commitments.told;
        let told = told.read().unwrap_or_else(PoisonError::into_inner);
        Accepting {
            at: self.clock.now().max(*told),
            _told: told,
        }
    }

    /// Logs what waits if any of it was promised for before `told`: the log is about to tell of that time.
    pub(crate) fn keep_promises(&self, told: Minute) -> Result<(), NodeError> {
        self.commitments.raise(told);
        let is_owed = || {
            let first = self.vault.keys(Table::Promised, WAITING_PREFIX, 1)?;
            let first = first.first().and_then(|key| promised_by_of(key));
            Ok(first.is_some_and(|by| by < told))
        };
        self.log_waiting(is_owed).map(drop)
    }

    fn log_waiting(
        &self,
        is_wanted: impl FnOnce() -> Result<bool, NodeError>,
    ) -> Result<usize, NodeError> {
        let making = &self.commitments.making;
        let _held = making.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_wanted()? {
            return Ok(0);
        }
        let mut made = 0;
        loop {
            let gathered = self.gather()?;
            let is_full = gathered.is_full;
            let now = self.clock.now().max(gathered.accepted);
            let last = self.commitments.last_batch();
            let at = last.map_or(now, |last| last.max(now));
            self.log_batch(at, gathered)?;
            self.commitments.set_last(at);
            self.commitments.set_made(self.clock.now());
            made += 1;
            // What comes in meanwhile is for the next quarter.
            if !is_full {
                return Ok(made);
            }
        }
    }

    /// The rows that have waited longest, as many as fit into a batch.
    fn gather(&self) -> Result<Gathered, NodeError> {
        let mut gathered = Gathered {
            rows: Vec::new(),
            commitments: BTreeSet::new(),
            accepted: Minute::ZERO,
            is_full: false,
        };
        // Each row has one commitment at least.
        let most = self.commitments.batch_len;
        for key in self.vault.keys(Table::Promised, WAITING_PREFIX, most + 1)? {
            let damaged = || NodeError::Store(StoreError::Damaged(Table::Promised));
            let row: Option<Vec<[u8; 32]>> = self.vault.get(Table::Promised, &key)?;
            let row = row.ok_or_else(damaged)?;
            if row.len() > most {
                return Err(damaged());
            }
            if gathered.commitments.len() + row.len() > most {
                gathered.is_full = true;
                return Ok(gathered);
            }
            let by = promised_by_of(&key).ok_or_else(damaged)?;
            let accepted = by.saturating_add_signed(-i64::from(PROMISE_MIN));
            gathered.accepted = gathered.accepted.max(accepted);
            gathered.commitments.extend(row.into_iter().map(Commitment));
            gathered.rows.push(key);
        }
        Ok(gathered)
    }

    /// Fills a batch up, and commits it with its entry in the log and the end of what waited.
    fn log_batch(&self, at: Minute, gathered: Gathered) -> Result<(), NodeError> {
        let Gathered {
            rows,
            mut commitments,
            ..
        } = gathered;
        while commitments.len() < self.commitments.batch_len {
            commitments.insert(Commitment(self.entropy.bytes()));
        }
        let fault = |_| NodeError::Fault("commitments that make no batch");
        let batch = Batch::new(commitments).map_err(fault)?;
        let entry = CommitmentBatch {
            at,
            len: u32::try_from(batch.commitments().len()).unwrap_or(u32::MAX),
            root: batch.root().map_err(fault)?,
        };
        let mut write = self.vault.write();
        let key = batch_key(at, entry.root);
        write.put_large(Table::Commitments, &key, &batch.to_bytes());
        for row in rows {
            write.delete(Table::Promised, &row);
        }
        self.append(write, &[Entry::Commitments(entry)])
    }

    /// Removes the commitments of batches whose time is over; the log keeps their roots.
    fn forget_commitments(&self) -> Result<(), NodeError> {
        let last = self.commitments.last_batch();
        // As old as the last batch, so that who looks at the store without a clock knows what may be gone.
        let oldest = last.map_or(Minute::ZERO, forget_before);
        let oldest = oldest.get().to_be_bytes();
        loop {
            let mut old = self.vault.keys(Table::Commitments, b"", ROWS_LEN)?;
            old.retain(|key| key[..] < oldest[..]);
            if old.is_empty() {
                return Ok(());
            }
            let mut write = self.vault.write();
            for key in &old {
                write.delete(Table::Commitments, key);
            }
            write.commit()?;
        }
    }

    /// The commitments of a batch in the log; none where there is none such, or its time is over.
    pub(crate) fn commitments_of(
        &self,
        at: Minute,
        root: LogHash,
    ) -> Result<Option<Vec<u8>>, NodeError> {
        let key = batch_key(at, root);
        Ok(self.vault.get_large(Table::Commitments, &key)?)
    }

    /// Rows of commitments that wait for the log.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn commitments_waiting(&self) -> Result<usize, NodeError> {
        let keys = self
            .vault
            .keys(Table::Promised, WAITING_PREFIX, usize::MAX)?;
        Ok(keys.len())
    }
}

/// By when what waits under a key has to be logged.
pub(crate) fn promised_by_of(key: &[u8]) -> Option<Minute> {
    let minute = key.strip_prefix(WAITING_PREFIX)?.first_chunk::<4>()?;
    Minute::new(u32::from_be_bytes(*minute)).ok()
}

/// Logs what waits each quarter of an hour; never ends.
pub(crate) async fn log_by_the_clock(node: Arc<Node>) {
    loop {
        let at = Arc::clone(&node);
        let pause = match tokio::task::spawn_blocking(move || at.log_commitments()).await {
            Ok(Ok(_)) => LOOK_EVERY,
            Ok(Err(error)) => {
                let error = error.for_operator();
                tracing::error!(%error, "commitments could not be logged: promises are at stake");
                RETRY_AFTER
            }
            Err(_) => {
                tracing::error!("the job that logs commitments died");
                RETRY_AFTER
            }
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u32) -> Minute {
        Minute::new(number).unwrap()
    }

    #[test]
    fn a_batch_is_due_once_in_each_quarter_of_an_hour() {
        let commitments = Commitments::new(Minute::ZERO, 256);
        assert!(commitments.is_due(minute(0)));
        // A clock that was set back behind the batches goes on to make one in each of its quarters.
        let ahead = Commitments::new(Minute::ZERO, 256);
        ahead.set_last(minute(900));
        ahead.set_made(minute(100));
        assert!(!ahead.is_due(minute(104)) && ahead.is_due(minute(105)));
        for (at, due) in [(31, 45), (44, 45), (45, 60)] {
            commitments.restore(&Entry::Commitments(CommitmentBatch {
                at: minute(at),
                len: 256,
                root: LogHash::EMPTY,
            }));
            assert!(!commitments.is_due(minute(due - 1)) && commitments.is_due(minute(due)));
        }
    }

    #[test]
    fn the_minute_of_a_promise_is_read_from_its_key_alone() {
        let key = [WAITING_PREFIX, &77_u32.to_be_bytes(), &[9; 16]].concat();
        assert_eq!(promised_by_of(&key), Some(minute(77)));
        for bad in [&b"s"[..], b"", b"w\0\0"] {
            assert_eq!(promised_by_of(bad), None);
        }
    }
}
