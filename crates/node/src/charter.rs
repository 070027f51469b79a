//! What the federation has agreed on, as this node holds it: the root document, and what follows from it. A newer document
//! takes its place as a whole while the node runs.

use std::sync::{Arc, PoisonError};

use commitment::Slot;
use ed25519_dalek::SigningKey;
use ledger::{Member, Roster};
use rules::ProvinceCode;
use verifier::CircuitId;
use verifier::trust::{RootDocument, RootKeys, SignedRoot};

use crate::past_roots::PastRoot;
use crate::{Node, NodeError, RuleBook};

/// A root document, and what follows from it.
pub(crate) struct Charter {
    /// The document.
    pub(crate) root: SignedRoot,
    /// Those that were in use before it, the newest first. As long as there is no trust list under the newer one, what the others
    /// publish under an earlier one is still taken: whoever missed a batch of revocations could not sign the next list.
    pub(crate) past: Vec<PastRoot>,
    /// Whose heads and signatures count.
    pub(crate) roster: Roster,
    /// The rule sets that it names.
    pub(crate) rules: RuleBook,
    /// The slot that it gives this node.
    pub(crate) slot: Slot,
}

/// Who the node is that a root document has to name.
pub(crate) struct Named<'a> {
    pub(crate) home: ProvinceCode,
    pub(crate) signing_key: &'a SigningKey,
    pub(crate) circuit: CircuitId,
}

/// What became of a root document that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharterTaken {
    /// It is the one in use.
    AsBefore,
    /// It is newer, and in use from now on.
    Swapped,
}

impl Charter {
    /// Checks a document by itself, and that it names this node and the circuit of its proofs.
    ///
    /// # Errors
    /// [`NodeError::Fault`].
    pub(crate) fn new(
        root: SignedRoot,
        root_keys: &RootKeys,
        rules: RuleBook,
        named: &Named<'_>,
    ) -> Result<Self, NodeError> {
        root.check_pinned(root_keys)
            .map_err(|_| NodeError::Fault("the root document is not signed by the pinned keys"))?;
        let document = root.document();
        let slot = own_slot(document, named.home, named.signing_key)?;
        let roster = roster_of(document)?;
        if !document.circuits.iter().any(|c| c.id() == named.circuit) {
            return Err(NodeError::Fault(
                "the root document does not name the prover's circuit",
            ));
        }
        Ok(Self {
            root,
            past: Vec::new(),
            roster,
            rules,
            slot,
        })
    }

    /// The document's content.
    pub(crate) fn document(&self) -> &RootDocument {
        self.root.document()
    }
}

impl Node {
    /// What is agreed on now. Whoever needs two things of it that fit each other asks once.
    pub(crate) fn charter(&self) -> Arc<Charter> {
        let charter = self.charter.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&charter)
    }

    /// Takes up a newer root document with its rule sets. The trust list under the earlier one stays until a quorum has
    /// signed the next. What is new is announced in the log, and provinces that are new get a queue in the outbox.
    ///
    /// # Errors
    /// [`NodeError::Fault`] for a document that is not signed by the pinned keys, is older than the one in use or another of
    /// the same number, or does not name this node with its key, slot and circuit: another slot or key is for a start.
    /// [`NodeError::Store`]: then the document may be in use all the same, and the same again does what is left.
    pub fn take_charter(
        &self,
        root: SignedRoot,
        rules: RuleBook,
    ) -> Result<CharterTaken, NodeError> {
        // Nothing is signed by the one while the other comes in.
        let held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.charter();
        let (now, next) = (before.document().sequence, root.document().sequence);
        if next < now {
            return Err(NodeError::Fault(
                "the root document is older than the one in use",
            ));
        }
        let is_same = root.document() == before.document();
        if next == now && !is_same {
            return Err(NodeError::Fault(
                "the root document has the number of the one in use, and says something else",
            ));
        }
        if is_same && rules.is_as(&before.rules) {
            drop(held);
            // What a store that failed kept from being done the last time.
            self.follow_charter()?;
            return Ok(CharterTaken::AsBefore);
        }
        let named = Named {
            home: self.home,
            signing_key: &self.signing_key,
            circuit: self.prover.circuit(),
        };
        let mut charter = Charter::new(root, &self.root_keys, rules, &named)?;
        if charter.slot != self.slot {
            return Err(NodeError::Fault(
                "the root document gives this node another slot",
            ));
        }
        charter.remember(&self.vault, &self.root_keys, self.clock.now())?;
        let provinces = charter.document().provinces.iter();
        let others = provinces.map(|entry| entry.province);
        self.forward
            .outbox
            .open_queues(others.filter(|province| *province != self.home));
        let mut current = self.charter.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(charter);
        drop(current);
        // A key that an earlier head key vouched for is asked for anew.
        self.forward.forget_keys();
        drop(held);
        tracing::info!(sequence = next.get(), "a root document is taken up");
        self.follow_charter()?;
        Ok(CharterTaken::Swapped)
    }

    /// What follows from a root document, each as often as it is asked for: what is new in it stands in the log and is to be
    /// counted, and passes are held against it.
    fn follow_charter(&self) -> Result<(), NodeError> {
        let announced = self.announce();
        let noted = self.note_rule_sets();
        self.sign_checkpoint_later();
        self.recheck_due.notify_one();
        announced.and(noted)
    }
}

/// The slot that a root document gives the node of this province and key.
pub(crate) fn own_slot(
    root: &RootDocument,
    home: ProvinceCode,
    key: &SigningKey,
) -> Result<Slot, NodeError> {
    let public = key.verifying_key();
    let mut own = root
        .provinces
        .iter()
        .filter(|p| p.province == home && p.head_key == public);
    match (own.next(), own.next()) {
        (Some(entry), None) => Ok(entry.slot),
        (None, _) => Err(NodeError::Fault(
            "the root document does not name this province with this signing key",
        )),
        (Some(_), Some(_)) => Err(NodeError::Fault(
            "one signing key for two slots: each slot has a node and a key of its own",
        )),
    }
}

pub(crate) fn roster_of(root: &RootDocument) -> Result<Roster, NodeError> {
    let members = root.provinces.iter().map(|p| Member {
        province: p.province,
        slot: p.slot,
        head_key: p.head_key,
    });
    Roster::new(members.collect())
        .map_err(|_| NodeError::Fault("the root document's provinces contradict each other"))
}
