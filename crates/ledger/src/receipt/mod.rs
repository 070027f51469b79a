//! Receipts: what a node promises about what it accepted, and how anybody checks that it kept its word.
//!
//! A [`Receipt`] names a salted commitment and a minute. The node promises that the commitment stands in its log, in a
//! batch made not before it was accepted, *before the log tells of any time later than that minute*: before any tree head or
//! registry that is later. So a node that was away keeps its promises when it comes back, as long as it logs what waits
//! first; and what time it is, is not the node's to say, since the others hold heads and registries against their own clocks.
//!
//! A *batch* is a list of commitments and random fillings, strictly ascending, of a fixed length; the log holds the root of
//! the tree over it (RFC 6962, section 2.1). In an ascending list a commitment that is not there has two neighbours between
//! which it is missing, so that [`BrokenPromise`] is short, and needs neither event nor salt.
//!
//! Promises of version 1 are kept by entries of kind 7 and due by those of kinds 1 and 2. An entry of a log that cannot be read
//! as one tells no time and holds no promise: a node that puts in what nobody can read gains nothing by it.
//!
//! It tells nobody who or what an event is about; salts and keys are arguments.

mod batch;
mod broken;
mod held;

pub use batch::{Absence, BATCH_LEN_MAX, BATCH_LEN_MIN, Batch, Neighbour, is_batch_len};
pub use broken::{BROKEN_PROMISE_LEN_MAX_BYTES, Broken, BrokenPromise, ShownEntry};
pub use held::{
    Commitment, Content, HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt, PROMISE_MIN, Receipt, Salt,
    SignedReceipt, promised_by,
};

use commitment::layout::LayoutError;

use crate::log::LogError;

/// Why a receipt, a batch or the evidence of a broken promise is not what it is said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Bytes that break their layout; whoever supplied them is at fault.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// What is wrong with a log, or with a proof about it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A receipt of another federation.
    #[error("the receipt is of the federation {0:?}")]
    OtherFederation(String),
    /// A receipt that promises for another time than all do: later than an hour after it was accepted it would be worth nothing.
    #[error(
        "the receipt promises for another time than {PROMISE_MIN} minutes after it was accepted"
    )]
    OtherPromise,
    /// A receipt of a slot that is nobody's, or that belongs to another province.
    #[error("the receipt is of a province and slot that the root document does not name")]
    UnknownSlot,
    /// A signature that is not the slot's head key's.
    #[error("the receipt is not signed by the head key of its slot")]
    BadSignature,
    /// A receipt over something else, or with another salt.
    #[error("the receipt is not over this content with this salt")]
    OtherContent,
    /// A list that is no batch: not strictly ascending, or of a length that is none.
    #[error("not a batch: {0}")]
    NoBatch(&'static str),
    /// Commitments whose root is not the one that the log holds.
    #[error("the commitments are not those of the batch that the log holds")]
    OtherBatch,
    /// Neighbours that do not show that a commitment is missing.
    #[error("a batch is not shown to lack the commitment")]
    NotAbsent,
    /// Evidence that shows no broken promise.
    #[error("no broken promise is shown: {0}")]
    NotShown(&'static str),
}
