//! Events for residents of other provinces: followed at the node until the home has taken or refused them, and confirmed, by
//! somebody else than who proposed them, where the home contests them.

use store::{StoreError, Table};
use wire::Reason;

use super::judge::{beginning_after, content};
use super::{ProposalId, Proposals, State, need, read_event};
use crate::node::{Answer, Onward};
use crate::{ConsoleError, Person, Role, What};

/// What stands for the node's answer where it sent an event on and no longer knows what became of it.
pub(super) const OUT_OF_SIGHT: &str = "forwarded";

impl Proposals {
    /// Confirms what the home contests: it is signed a second time, and handed in soon.
    ///
    /// # Errors
    /// As [`Proposals::judge`].
    pub(super) fn confirm(&self, person: &Person, id: &ProposalId) -> Result<u64, ConsoleError> {
        need(person, Role::Approver)?;
        let mut change = self.change();
        let (number, mut row) = self.find(id)?;
        if row.by.may_be(person) {
            return Err(Reason::OwnProposal.into());
        }
        if !row.may_be_confirmed(self.now()) {
            return Err(Reason::NotWaiting.into());
        }
        // The office must still be one that the console signs for.
        self.offices.get(row.source)?;
        let until = row.state.until();
        let until = until.ok_or(ConsoleError::Fault("contested without an end"))?;
        row.state = State::Confirmed { until };
        row.node_reason.clear();
        change.note(Some(person), What::Confirmed, &row, &row.title());
        change.commit(number, &row)?;
        self.agreed.notify_one();
        Ok(number)
    }

    /// Stores what the node answered to a confirmation. One that it does not take may be made again, until the home's time is over.
    pub(super) fn finish_confirmation(
        &self,
        number: u64,
        answer: Answer,
    ) -> Result<(), ConsoleError> {
        let mut change = self.change();
        let mut row = self.get(number)?;
        let State::Confirmed { until } = row.state else {
            return Ok(());
        };
        match answer {
            Answer::Taken { .. } => row.state = State::Confirming { until },
            Answer::Refused(reason) => {
                let words = format!("{}: {reason}", row.title());
                row.state = State::Contested { until };
                row.node_reason = reason;
                change.note(None, What::ConfirmationRefused, &row, &words);
            }
        }
        change.commit(number, &row)?;
        self.forwarded.notify_one();
        Ok(())
    }

    /// Asks the node once what became of an event that it sends on, and stores it; whether anything is new.
    ///
    /// # Errors
    /// [`ConsoleError::NodeSilent`], [`ConsoleError::Node`] and [`ConsoleError::Store`]: it is to be asked again.
    pub(crate) async fn follow(&self, number: u64) -> Result<bool, ConsoleError> {
        let _turn = self.turn.lock().await;
        let row = self.get(number)?;
        if !row.state.is_followed() || !self.signs_for(&row) {
            return Ok(false);
        }
        let damaged = || ConsoleError::from(StoreError::Damaged(Table::Proposals));
        let signed = row.content.as_ref().and_then(|c| c.signed.as_ref());
        let bytes = signed.and_then(|signed| signed.event.as_deref());
        let bytes = bytes.ok_or_else(damaged)?;
        let event = read_event(bytes)?;
        let office = self.offices.get(row.source)?;
        let onward = office.node.onward(event.id, bytes).await?;
        self.learn(number, onward)
    }

    fn learn(&self, number: u64, onward: Onward) -> Result<bool, ConsoleError> {
        let mut change = self.change();
        let mut row = self.get(number)?;
        if !row.state.is_followed() {
            // Somebody confirmed it while the node was asked.
            return Ok(false);
        }
        let (before, now, title) = (row.state, self.now(), row.title());
        match onward {
            Onward::Queued { until } => row.state = State::Forwarded { until: Some(until) },
            Onward::Waiting { until } => {
                row.state = State::Contested { until };
                if !matches!(before, State::Contested { .. }) {
                    change.note(None, What::Contested, &row, &title);
                }
            }
            Onward::Confirming { until } => row.state = State::Confirming { until },
            Onward::Accepted { receipt } => {
                content(&mut row)?.receipt = receipt;
                row.node_reason.clear();
                row.end(State::TakenByHome, now);
                change.note(None, What::TakenByHome, &row, &title);
            }
            Onward::Refused(reason) => {
                let words = format!("{title}: {reason}");
                row.node_reason = reason;
                row.end(State::RefusedByHome, now);
                change.note(None, What::RefusedByHome, &row, &words);
            }
            Onward::Lapsed => {
                row.end(State::LapsedOnTheWay, now);
                change.note(None, What::LapsedOnTheWay, &row, &title);
            }
            Onward::Unknown => {
                OUT_OF_SIGHT.clone_into(&mut row.node_reason);
                row.end(State::Done, now);
                change.note(None, What::LostSight, &row, &title);
            }
        }
        let is_new = row.state != before;
        if is_new {
            change.commit(number, &row)?;
        }
        Ok(is_new)
    }

    /// The numbers of those that are followed, beginning after `after`.
    pub(crate) fn to_follow(&self, after: u64) -> Vec<u64> {
        beginning_after(after, &self.index.lock().following)
    }

    /// Waits until there is something to follow that was not there before.
    pub(crate) async fn until_forwarded(&self) {
        self.forwarded.notified().await;
    }
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;
