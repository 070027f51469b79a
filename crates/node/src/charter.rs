//! What the federation has agreed on, as this node holds it: the root document, and what follows from it. A newer document
//! takes its place as a whole while the node runs.

use std::sync::{Arc, PoisonError};

use commitment::{Minute, Slot};
use ed25519_dalek::{SigningKey, VerifyingKey};
use ledger::Roster;
use rules::ProvinceCode;
use verifier::CircuitId;
use verifier::trust::{ProvinceEntry, RootDocument, RootKeys, SignedRoot};

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
    /// The head keys that it gives this node, ascending by their dates.
    pub(crate) own_keys: Vec<OwnHeadKey>,
}

/// A head key of this node with its first minute.
pub(crate) struct OwnHeadKey {
    pub(crate) from: Minute,
    pub(crate) public: VerifyingKey,
    /// The one that is retired may be gone.
    secret: Option<SigningKey>,
}

/// Who the node is that a root document has to name.
pub(crate) struct Named<'a> {
    pub(crate) home: ProvinceCode,
    pub(crate) signing_keys: &'a [SigningKey],
    pub(crate) circuit: CircuitId,
    pub(crate) now: Minute,
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
        let own = own_entry(document, named.home, named.signing_keys, named.now)?;
        let slot = own.slot;
        let own_keys = own.head_keys.entries().iter();
        let own_keys = own_keys.map(|(from, public)| OwnHeadKey {
            from: *from,
            public: *public,
            secret: held(named.signing_keys, public).cloned(),
        });
        let own_keys = own_keys.collect();
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
            own_keys,
        })
    }

    /// The head key in force at a minute with its first minute: what is of that minute is signed by it, however much later.
    ///
    /// # Errors
    /// [`NodeError::Fault`] for a minute of a key that is retired and gone, or before the first one.
    pub(crate) fn head_key_at(&self, minute: Minute) -> Result<(Minute, &SigningKey), NodeError> {
        let mut own = self.own_keys.iter().rev();
        let own = own.find(|key| key.from <= minute);
        let secret = own.and_then(|own| Some((own.from, own.secret.as_ref()?)));
        secret.ok_or(NodeError::Fault(
            "the head key that was in force then is not held any more",
        ))
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
    /// the same number, or does not name this node with its slot and circuit, or names a head key in force or announced that the
    /// node does not hold: another slot is for a start, keys are for [`Node::hold_signing_keys`].
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
        let keys = self.held_keys();
        let named = Named {
            home: self.home,
            signing_keys: &keys,
            circuit: self.prover.circuit(),
            now: self.clock.now(),
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

    /// Takes keys in the place of those held for the next root document: the one in force and, once it is made, the one that is to
    /// follow. Those that the document in use names stay with it.
    pub fn hold_signing_keys(&self, keys: Vec<SigningKey>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = keys;
    }

    fn held_keys(&self) -> Vec<SigningKey> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
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

/// The entry of this node: of its province, with a key that is in force or announced and that it holds. It must hold all of those.
pub(crate) fn own_entry<'a>(
    root: &'a RootDocument,
    home: ProvinceCode,
    keys: &[SigningKey],
    now: Minute,
) -> Result<&'a ProvinceEntry, NodeError> {
    let is_held = |(_, key): &(Minute, VerifyingKey)| held(keys, key).is_some();
    let of_home = root.provinces.iter().filter(|p| p.province == home);
    let mut own = of_home.filter(|p| p.head_keys.not_retired(now).iter().any(is_held));
    match (own.next(), own.next()) {
        (Some(entry), None) if entry.head_keys.not_retired(now).iter().all(is_held) => Ok(entry),
        (Some(_), None) => Err(NodeError::Fault(
            "the root document names a head key of this province that this node does not hold: it belongs into signing_key_next_file",
        )),
        (None, _) => Err(NodeError::Fault(
            "the root document does not name this province with this signing key",
        )),
        (Some(_), Some(_)) => Err(NodeError::Fault(
            "one signing key for two slots: each slot has a node and a key of its own",
        )),
    }
}

fn held<'a>(keys: &'a [SigningKey], public: &VerifyingKey) -> Option<&'a SigningKey> {
    keys.iter().find(|key| key.verifying_key() == *public)
}

pub(crate) fn roster_of(root: &RootDocument) -> Result<Roster, NodeError> {
    wire::roster_of(root)
        .map_err(|_| NodeError::Fault("the root document's provinces contradict each other"))
}
