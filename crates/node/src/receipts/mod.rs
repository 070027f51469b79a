//! Receipts for what this node accepts.
//!
//! Nothing is stored of a receipt but the commitment that waits for the log. Salt and receipt follow from the node's key ring and
//! from what is stored of the event, so that the same event again has the same receipt, after a restart and after a restore.

mod commitments;
mod settings;

pub(crate) use commitments::{
    Accepting, Commitments, batch_key, forget_before, log_by_the_clock, promised_by_of,
};
pub use settings::Receipts;

use ledger::receipt::{Commitment, Content, HeldReceipt, Receipt, Salt, promised_by};
use rules::{EventId, Minute};
use wire::{CaseId, MAX_EVENTS};

use crate::node::Counts;
use crate::store::{EventRow, ResidentKey, StoreError, Table, Vault, WriteSet};
use crate::{Node, NodeError};

const SINCE_KEY: &[u8] = b"s";
const WAITING_PREFIX: &[u8] = b"w";

/// Since when this node gives receipts. What a store held before it knew of them was never promised.
pub(crate) fn given_since(
    vault: &Vault,
    counts: &Counts,
    now: Minute,
) -> Result<Minute, StoreError> {
    if let Some(since) = vault.get(Table::Promised, SINCE_KEY)? {
        return Ok(since);
    }
    // Of the minute that it is, some events may be of before.
    let since = if counts.has_events() {
        now.saturating_add_signed(1)
    } else {
        Minute::ZERO
    };
    let mut write = vault.write();
    write.put(Table::Promised, SINCE_KEY, &since);
    write.commit()?;
    Ok(since)
}

/// What a receipt for a contestation is over.
pub(crate) fn contestation(case: CaseId, event: EventId, statement: &str) -> Vec<u8> {
    [&case.0[..], &event.0, statement.as_bytes()].concat()
}

impl Node {
    fn salt_of(&self, content: Content, bytes: &[u8]) -> Salt {
        let secret = [&[content as u8], bytes].concat();
        Salt(self.vault.blinded("receipt salt", &secret))
    }

    /// The commitment to something that is accepted.
    pub(crate) fn commitment_of(&self, content: Content, bytes: &[u8]) -> Commitment {
        content.commit(&self.salt_of(content, bytes), bytes)
    }

    /// The receipt for something that was accepted, by its bytes, once that is durable, under the head key that was in force when
    /// it was accepted; none for what was accepted before this node gave receipts, or under a head key that is gone.
    pub(crate) fn receipt(
        &self,
        content: Content,
        bytes: &[u8],
        accepted: Minute,
    ) -> Option<HeldReceipt> {
        if accepted < self.commitments.given_since {
            return None;
        }
        let salt = self.salt_of(content, bytes);
        let receipt = Receipt {
            content,
            federation: self.federation.as_str().to_owned(),
            province: self.home,
            slot: self.slot,
            commitment: content.commit(&salt, bytes),
            accepted,
            promised_by: promised_by(accepted),
        };
        let charter = self.charter();
        let Ok((_, head_key)) = charter.head_key_at(accepted) else {
            let accepted = accepted.get();
            tracing::warn!(accepted, "no receipt again: the head key of then is gone");
            return None;
        };
        let signed = receipt.sign(head_key);
        Some(HeldReceipt { salt, signed })
    }

    /// Puts commitments among the changes that make durable what they are over: the log is to hold them in time.
    pub(crate) fn promise(
        &self,
        write: &mut WriteSet<'_>,
        accepted: Minute,
        commitments: &[Commitment],
    ) {
        for some in commitments.chunks(MAX_EVENTS) {
            let by = promised_by(accepted).get().to_be_bytes();
            let place: [u8; 8] = self.entropy.bytes();
            let key = [WAITING_PREFIX, &by, &place, &some[0].0[..16]].concat();
            let row: Vec<[u8; 32]> = some.iter().map(|c| c.0).collect();
            write.put_new(Table::Promised, &key, &row);
        }
    }

    /// The receipt for an event of a record that was accepted before.
    pub(crate) fn receipt_again(
        &self,
        resident: ResidentKey,
        event: EventId,
        bytes: &[u8],
    ) -> Result<Option<HeldReceipt>, NodeError> {
        let mut accepted = None;
        self.vault
            .walk::<EventRow, StoreError>(Table::Events, &resident.0, |_, row| {
                let known = rules::Event::from_bytes(&row.event);
                let known = known.map_err(|_| StoreError::Damaged(Table::Events))?;
                if known.id == event && row.event == bytes {
                    accepted = Some(row.received_at);
                }
                Ok(())
            })?;
        // Without the very same bytes there is no commitment that anything could be promised of.
        Ok(accepted.and_then(|accepted| self.receipt(Content::Event, bytes, accepted)))
    }
}
