//! What left the store on a day: written in the commits in which it leaves, so that a job that is cut off, or a crash, loses nothing
//! of the number.

use std::sync::PoisonError;

use ledger::log::{RetentionCounts, Rounded};
use rules::Day;
use serde::{Deserialize, Serialize};

use crate::store::{StoreError, Table, WriteSet};
use crate::{Node, NodeError};

/// Begins the key of a day's row among those of jobs; the day follows.
const LEFT: &[u8] = b"left-on-";

/// A day's row.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct LeftRow {
    /// The horizon that the job went by which ran to its end on the day; none where none did.
    horizon_days: Option<u16>,
    events: u64,
    erased: u64,
}

/// What leaves in one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// So many events.
    Events(u64),
    /// A resident's record.
    Record,
    /// Nothing more: the job has run to its end by this horizon.
    Done {
        /// Days.
        horizon_days: u32,
    },
}

impl Node {
    /// Commits what leaves, and that it has left, together or not at all.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub(crate) fn commit_leaving(
        &self,
        mut write: WriteSet<'_>,
        left: Left,
    ) -> Result<(), NodeError> {
        let leaving = &self.count_book.leaving;
        let _held = leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key_of(self.clock.now().day());
        let known: Option<LeftRow> = self.vault.get(Table::Jobs, &key)?;
        let mut row = known.unwrap_or_default();
        match left {
            Left::Events(events) => row.events += events,
            Left::Record => row.erased += 1,
            Left::Done { horizon_days } => {
                row.horizon_days = Some(u16::try_from(horizon_days).unwrap_or(u16::MAX));
            }
        }
        write.put(Table::Jobs, &key, &row);
        Ok(write.commit()?)
    }

    /// What left on a day, as it is published; none where the job did not run.
    pub(super) fn retained_on(&self, day: Day) -> Result<Option<RetentionCounts>, NodeError> {
        let row: Option<LeftRow> = self.vault.get(Table::Jobs, &key_of(day))?;
        let counts = row.and_then(|row| {
            Some(RetentionCounts {
                day: day.get(),
                horizon_days: row.horizon_days?,
                events: Rounded::of(row.events),
                erased: Rounded::of(row.erased),
            })
        });
        Ok(counts)
    }

    /// Removes what was noted of days up to one that is published.
    pub(super) fn forget_left(
        &self,
        write: &mut WriteSet<'_>,
        published: Day,
    ) -> Result<(), StoreError> {
        let last = key_of(published);
        let noted = self.vault.keys(Table::Jobs, LEFT, usize::MAX)?;
        let old = noted.iter().filter(|key| **key <= last);
        old.for_each(|key| write.delete(Table::Jobs, key));
        Ok(())
    }
}

fn key_of(day: Day) -> Vec<u8> {
    [LEFT, &day.get().to_be_bytes()].concat()
}
