//! What of all proposals lies in memory, so that none has to be searched for.

use std::collections::{BTreeMap, BTreeSet};

use rules::{EventId, Minute};
use store::{StoreError, Table, Vault};
use wire::AppealId;

use super::row::{ProposalId, ProposalRow, State, event_id};
use crate::{ConsoleError, StaffId};

/// Numbers of proposals by what is asked for. It follows from the stored rows.
#[derive(Default)]
pub(super) struct Index {
    /// The newest number; 0 for none.
    pub(super) newest: u64,
    /// Those that wait to be judged or confirmed, with who proposed them.
    pub(super) waiting: BTreeMap<u64, StaffId>,
    /// Those that are to be handed in.
    pub(super) sending: BTreeSet<u64>,
    /// Those that the node has to be asked about.
    pub(super) following: BTreeSet<u64>,
    /// Those that are over and not forgotten, by when that was.
    pub(super) over: BTreeSet<(Minute, u64)>,
    /// Appeals that are to be decided by one which waits or is to be handed in.
    pub(super) appeals: BTreeMap<AppealId, ProposalId>,
    /// Events that the node took, as long as their content is kept.
    pub(super) events: BTreeMap<EventId, u64>,
}

impl Index {
    pub(super) fn read(vault: &Vault) -> Result<Self, ConsoleError> {
        let mut index = Self::default();
        vault.walk(Table::Proposals, &[], |key, row: ProposalRow| {
            let number = key.try_into().map(u64::from_be_bytes);
            let number = number.map_err(|_| StoreError::Damaged(Table::Proposals))?;
            index.put(number, &row);
            Ok::<(), ConsoleError>(())
        })?;
        Ok(index)
    }

    /// Takes a row over whatever stood there of it.
    pub(super) fn put(&mut self, number: u64, row: &ProposalRow) {
        self.newest = self.newest.max(number);
        self.waiting.remove(&number);
        self.sending.remove(&number);
        self.following.remove(&number);
        if matches!(row.state, State::Waiting | State::Contested { .. }) {
            self.waiting.insert(number, row.by.id);
        }
        if row.state.is_to_be_handed_in() {
            self.sending.insert(number);
        }
        if row.state.is_followed() {
            self.following.insert(number);
        }
        if let Some(over_at) = row.over_at {
            if row.content.is_some() {
                self.over.insert((over_at, number));
            } else {
                self.over.remove(&(over_at, number));
                self.events.remove(&event_id(&row.id, row.source));
            }
        }
        if let Some(appeal) = row.appeal() {
            if !row.state.is_over() {
                self.appeals.insert(appeal, row.id);
            } else if self.appeals.get(&appeal) == Some(&row.id) {
                // A newer one may be about to decide it: forgetting this one frees nothing.
                self.appeals.remove(&appeal);
            }
        }
        if let Some(event) = row.taken_event() {
            self.events.insert(event.id, number);
        }
    }
}
