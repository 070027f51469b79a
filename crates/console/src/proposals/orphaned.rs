//! What was agreed on for an office that the console signs for no more: nobody can hand it in, or ask what became of it.

use store::{StoreError, Table};

use super::forwarded::OUT_OF_SIGHT;
use super::{AT_ONCE_MAX, PROPOSAL_LAPSES_MIN, ProposalRow, Proposals, State, later};
use crate::{ConsoleError, What};

impl Proposals {
    /// Ends what has been under way for a day or more for an office that is no longer in the configuration; how many, at most 64 at
    /// once. An office that is put back within the day loses nothing.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn end_orphaned(&self) -> Result<usize, ConsoleError> {
        let under_way: Vec<u64> = {
            let index = self.index.lock();
            index.sending.union(&index.following).copied().collect()
        };
        let mut ended = 0;
        for number in under_way {
            if !self.is_orphaned(&self.get(number)?)? {
                continue;
            }
            self.end_one_orphaned(number)?;
            ended += 1;
            if ended == AT_ONCE_MAX {
                break;
            }
        }
        Ok(ended)
    }

    /// Whether its office is gone, and a day has passed since somebody agreed.
    fn is_orphaned(&self, row: &ProposalRow) -> Result<bool, ConsoleError> {
        if self.signs_for(row) {
            return Ok(false);
        }
        let judged = row.judged.as_ref();
        let (_, judged_at) = judged.ok_or(StoreError::Damaged(Table::Proposals))?;
        Ok(later(*judged_at, PROPOSAL_LAPSES_MIN) <= self.now())
    }

    fn end_one_orphaned(&self, number: u64) -> Result<(), ConsoleError> {
        let mut change = self.change();
        let mut row = self.get(number)?;
        let now = self.now();
        match row.state {
            // The node has all that it needs, and nobody asks it any more.
            State::Forwarded { .. } | State::Confirming { .. } => {
                OUT_OF_SIGHT.clone_into(&mut row.node_reason);
                row.end(State::Done, now);
            }
            State::Sending | State::Contested { .. } | State::Confirmed { .. } => {
                wire::Reason::UnknownOffice
                    .code()
                    .clone_into(&mut row.node_reason);
                row.end(State::LapsedOnTheWay, now);
            }
            _ => return Ok(()),
        }
        change.note(None, What::OfficeGone, &row, &row.title());
        if let Some(appeal) = row.appeal() {
            self.appeals.forget(row.source, appeal);
        }
        change.commit(number, &row)
    }

    /// Whether the console still signs for its office.
    pub(super) fn signs_for(&self, row: &ProposalRow) -> bool {
        self.offices.get(row.source).is_ok()
    }
}

#[cfg(test)]
#[path = "orphaned_tests.rs"]
mod tests;
