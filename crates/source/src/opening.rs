//! Whether a home's answer about an event is to be believed, by the event, its receipt and a trust list.

use commitment::opening::{OpeningError as NotSought, Sought};
use commitment::{CircuitShortId, CircuitUse, Epoch, Minute};
use ledger::receipt::{HeldReceipt, ReceiptError};
use rules::Event;
use verifier::opening::{Asked, Opened, Opening, OpeningRefusal};
use verifier::trust::{Candidate, RegistryEntry};

/// What a source asks about an event that it stated.
#[derive(Clone, Debug)]
pub struct Question {
    /// The event, as it was handed in.
    pub event: Event,
    /// The receipt for it.
    pub receipt: HeldReceipt,
    /// Whether what it states has ended no earlier than this; the event's own bound for none.
    pub ended_not_before: Option<Minute>,
}

/// What an answer is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judges<'a> {
    /// The federation's name.
    pub federation: &'a str,
    /// A trust list that holds by its signatures. Which passes are revoked does not matter here, so its batches need not be there.
    pub list: &'a Candidate,
    /// Whether a key of tests is believed, under which whoever made it can forge.
    pub admits_test_key: bool,
}

/// Why an answer is not believed, or a question is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningFault {
    /// The receipt is not what it is said to be, or not over the event.
    #[error("the receipt is not good: {0}")]
    Receipt(#[from] ReceiptError),
    /// The event states nothing that could be asked about.
    #[error(transparent)]
    NotSought(#[from] NotSought),
    /// The list's provinces contradict each other.
    #[error("the trust list's provinces contradict each other: {0}")]
    Roster(ledger::Error),
    /// The trust list has no registry of the epoch.
    #[error("the trust list has no registry of epoch {}", .0.get())]
    UnknownEpoch(Epoch),
    /// The trust list has no registry at all.
    #[error("the trust list has no registry yet")]
    NoRegistry,
    /// The trust list names no key of openings that is believed: no answer could be judged by it.
    #[error("the trust list names no key of openings that is believed")]
    NoKey,
    /// What was answered is no opening: cut, longer, or with a number or point that is none.
    #[error("the answer is no opening: {0}")]
    Form(#[from] verifier::Error),
    /// It was proved under a key that the trust list does not name for openings.
    #[error("the opening is under the key {0}, which the trust list does not name for openings")]
    UnknownKey(CircuitShortId),
    /// It does not hold for what was asked.
    #[error(transparent)]
    Refused(#[from] OpeningRefusal),
    /// The key is one of tests.
    #[error("the key is one of tests, under which whoever made it can forge")]
    TestKey,
    /// The tree is older than the receipt, and says nothing of the event.
    #[error("the tree is of minute {}, before the event was accepted, {}", head.get(), accepted.get())]
    OldTree {
        /// When the tree was closed.
        head: Minute,
        /// When the event was accepted, by the receipt.
        accepted: Minute,
    },
}

impl Question {
    /// What is sought in the record.
    ///
    /// # Errors
    /// [`OpeningFault::NotSought`].
    pub fn sought(&self) -> Result<Sought, OpeningFault> {
        let sought = Sought::of_event(&self.event)?;
        let bound = self.ended_not_before;
        Ok(bound.map_or(sought, |at| sought.ended_not_before(at)))
    }

    /// Checks what can be checked without a trust list: that the receipt is over this event, and that something can be asked about it.
    ///
    /// # Errors
    /// [`OpeningFault::Receipt`], [`OpeningFault::NotSought`].
    pub fn check_content(&self) -> Result<(), OpeningFault> {
        self.receipt.check_content(&self.event.to_bytes())?;
        self.sought().map(drop)
    }

    /// Checks the question by itself: that the receipt is a home's for this event, and that something can be asked about it.
    ///
    /// # Errors
    /// As [`Question::check_content`]; [`OpeningFault::Roster`].
    pub fn check(&self, judges: &Judges<'_>) -> Result<(), OpeningFault> {
        let roster = wire::roster_of(judges.list.root()).map_err(OpeningFault::Roster)?;
        self.receipt.signed.check(judges.federation, &roster)?;
        self.check_content()
    }

    /// Judges the bytes that a home answered to this question, for the registry of `epoch`.
    ///
    /// # Errors
    /// [`OpeningFault`] with the first reason not to believe them.
    pub fn judge(
        &self,
        answer: &[u8],
        epoch: Epoch,
        judges: &Judges<'_>,
    ) -> Result<Opened, OpeningFault> {
        self.check(judges)?;
        let receipt = &self.receipt.signed.receipt;
        let registry = registry(judges.list, epoch)?;
        let opening = Opening::from_bytes(answer)?;
        let mut named = judges.list.root().openings.iter();
        let circuit = named
            .find(|entry| entry.id().short() == opening.circuit)
            .ok_or(OpeningFault::UnknownKey(opening.circuit))?
            .prepared();
        let asked = Asked {
            slot: receipt.slot,
            subject: self.event.subject,
            sought: self.sought()?,
        };
        let opened = opening.verify(&asked, &registry.into(), &circuit)?;
        if opened.circuit_use == CircuitUse::Test && !judges.admits_test_key {
            return Err(OpeningFault::TestKey);
        }
        if opened.head_time < receipt.accepted {
            return Err(OpeningFault::OldTree {
                head: opened.head_time,
                accepted: receipt.accepted,
            });
        }
        Ok(opened)
    }
}

impl Judges<'_> {
    /// Checks that an answer about the registry of `epoch` can be judged at all. Each answer stands in the resident's trail: nobody's
    /// record is opened for somebody who cannot judge what comes.
    ///
    /// # Errors
    /// [`OpeningFault::UnknownEpoch`], [`OpeningFault::NoKey`].
    pub fn check(&self, epoch: Epoch) -> Result<(), OpeningFault> {
        registry(self.list, epoch)?;
        let mut named = self.list.root().openings.iter();
        let is_believed = |circuit_use| circuit_use != CircuitUse::Test || self.admits_test_key;
        if named.any(|entry| is_believed(entry.circuit_use)) {
            Ok(())
        } else {
            Err(OpeningFault::NoKey)
        }
    }
}

/// The epoch of a list's newest registry: what is to be asked about unless something else is said. A home that may choose could answer
/// of a registry in which the event still stood.
///
/// # Errors
/// [`OpeningFault::NoRegistry`].
pub fn newest_epoch(list: &Candidate) -> Result<Epoch, OpeningFault> {
    let newest = list.online().registries.last();
    newest
        .map(|entry| entry.epoch)
        .ok_or(OpeningFault::NoRegistry)
}

fn registry(list: &Candidate, epoch: Epoch) -> Result<&RegistryEntry, OpeningFault> {
    let mut registries = list.online().registries.iter();
    registries
        .find(|entry| entry.epoch == epoch)
        .ok_or(OpeningFault::UnknownEpoch(epoch))
}
