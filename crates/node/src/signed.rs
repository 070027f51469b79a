//! What this node has signed at most once, kept whole: a signature whose proposer did not live to publish it is given to the
//! next one, with what it is under, and under nothing else.

use std::sync::PoisonError;

use commitment::Epoch;
use ledger::{RegistryStatement, SignedTreeHead};
use verifier::trust::{OnlineDocument, Sequence};
use wire::{Proposal, Reason, SignedNumber, SignedProposal};

use crate::store::{SignedStatementRow, StoreError, Table, WriteSet};
use crate::{Node, NodeError};

/// Under it what the last statement rests on.
const SIGNED_KEY: &[u8] = b"signed";

/// Where the document of a number lies, beside its digest.
fn document_key(sequence: Sequence) -> Vec<u8> {
    [&sequence.get().to_be_bytes()[..], b"d"].concat()
}

impl Node {
    /// Puts among the changes by which a statement is signed what it is.
    pub(crate) fn keep_statement(
        write: &mut WriteSet<'_>,
        statement: &RegistryStatement,
        heads: &[SignedTreeHead],
    ) {
        let row = SignedStatementRow {
            statement: statement.to_bytes(),
            heads: heads.iter().map(SignedTreeHead::to_bytes).collect(),
        };
        write.put_large(Table::Cosigned, SIGNED_KEY, &row);
    }

    /// The statement of an epoch that this node has signed, with its signature, which is made once more.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for an epoch that is not the last one signed.
    pub fn signed_registry(&self, epoch: Epoch) -> Result<SignedProposal, NodeError> {
        let none = NodeError::Refused(Reason::NotFound);
        let damaged = || NodeError::Store(StoreError::Damaged(Table::Cosigned));
        let row: Option<SignedStatementRow> = self.vault.get_large(Table::Cosigned, SIGNED_KEY)?;
        let row = row.ok_or(none.clone())?;
        let statement = RegistryStatement::from_bytes(&row.statement).map_err(|_| damaged())?;
        if statement.epoch() != epoch {
            return Err(none);
        }
        let heads = row
            .heads
            .iter()
            .map(|bytes| SignedTreeHead::from_bytes(bytes));
        let heads: Vec<SignedTreeHead> = heads.collect::<Result<_, _>>().map_err(|_| damaged())?;
        // What was signed before is permitted again, and nothing else is.
        let cosignature = self.cosign(&statement, &heads).map_err(|_| none)?;
        Ok(SignedProposal {
            proposal: Proposal { statement, heads },
            cosignature,
        })
    }

    /// Puts among the changes by which an online document is signed what it is.
    pub(crate) fn keep_document(
        write: &mut WriteSet<'_>,
        document: &OnlineDocument,
    ) -> Result<(), NodeError> {
        let bytes = document
            .to_bytes()
            .map_err(|_| NodeError::Fault("an online document cannot be written"))?;
        write.put_large(
            Table::OnlineSigned,
            &document_key(document.sequence),
            &bytes,
        );
        Ok(())
    }

    /// The online document that this node has signed last, with its signature, if its number is above `after`.
    ///
    /// # Errors
    /// [`Reason::NotFound`].
    pub fn signed_online(&self, after: u64) -> Result<SignedNumber, NodeError> {
        let held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.last_signed_sequence()?;
        if last <= after {
            return Err(NodeError::Refused(Reason::NotFound));
        }
        let sequence = Sequence::new(last);
        let key = document_key(sequence);
        let bytes: Option<Vec<u8>> = self.vault.get_large(Table::OnlineSigned, &key)?;
        drop(held);
        let document = bytes
            .map(|bytes| OnlineDocument::from_bytes(&bytes))
            .transpose();
        let damaged = |_| NodeError::Store(StoreError::Damaged(Table::OnlineSigned));
        let signed = match document.map_err(damaged)? {
            Some(document) => {
                // The head key of then is given up: there is no signature any more.
                let issued = document.issued_at.minute();
                if self.charter().head_key_at(issued).is_err() {
                    return Err(NodeError::Refused(Reason::NotFound));
                }
                let signature = self.cosign_online(&document)?;
                Some((document, signature))
            }
            None => None,
        };
        Ok(SignedNumber { sequence, signed })
    }
}
