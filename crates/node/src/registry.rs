//! The registry of an epoch: proposing it, signing it at most once, and taking it up.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use commitment::{Epoch, Fr};
use ledger::log::Entry;
use ledger::{
    Closing, CosignPolicy, Cosignature, CosignedStatement, CosignerState, Expected, Registry,
    RegistryStatement, Roster, RuleSetsDigest, SignedTreeHead,
};
use rules::Minute;
use wire::{Proposal, PublishedRegistry, Reason};

use crate::epoch::Issuing;
use crate::node::epoch_of_key;
use crate::store::{RegistryRow, StoreError, Table};
use crate::{Node, NodeError};

pub(crate) const STATE_KEY: &[u8] = b"state";

/// What is kept at hand of a registry with a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownRegistry {
    pub(crate) as_of: Minute,
    pub(crate) root: Fr,
    pub(crate) risk_root: Fr,
}

impl From<&RegistryStatement> for KnownRegistry {
    fn from(statement: &RegistryStatement) -> Self {
        Self {
            as_of: statement.as_of(),
            root: statement.registry_root(),
            risk_root: statement.risk_root(),
        }
    }
}

impl Node {
    /// The statement of a closed epoch over these heads, the own among them.
    ///
    /// # Errors
    /// [`Reason::RegistryRefused`] for two heads in one slot.
    pub fn propose(
        &self,
        epoch: Epoch,
        heads: &[SignedTreeHead],
    ) -> Result<RegistryStatement, NodeError> {
        let as_of = self
            .epoch_row(epoch)?
            .ok_or(NodeError::Refused(Reason::UnknownEpoch))?
            .as_of;
        let risk_root = self.risk.at(as_of).root();
        let rule_sets = self.charter().rules.counting_at(as_of).digest;
        RegistryStatement::new(epoch, as_of, risk_root, rule_sets, heads)
            .map_err(|error| refused_registry(&error))
    }

    /// The newest known head of each slot, which may stand in for a province that is away.
    fn known_heads(&self) -> Result<BTreeMap<u8, SignedTreeHead>, NodeError> {
        let newest = self.newest_registry_epoch();
        let Some(epoch) = newest else {
            return Ok(BTreeMap::new());
        };
        let registry = self.registry(epoch)?;
        let by_slot = registry.heads.into_iter().map(|h| (h.head.slot.get(), h));
        Ok(by_slot.collect())
    }

    /// The heads that this node proposes a registry of a closed epoch over: of each slot what was offered, or else the last
    /// one known. What it would not sign for itself it leaves out, and with it its province alone.
    pub(crate) fn heads_to_propose(
        &self,
        epoch: Epoch,
        offered: Vec<SignedTreeHead>,
    ) -> Result<Vec<SignedTreeHead>, NodeError> {
        let own = self.tree_head(epoch)?;
        let as_of = own.head.head_time;
        let charter = self.charter();
        let of = Closing {
            epoch,
            as_of,
            rule_sets: charter.rules.counting_at(as_of).digest,
        };
        let (state, policy) = (self.cosigner_state()?, self.cosign_policy());
        let is_usable = |signed: &SignedTreeHead| {
            let head = &signed.head;
            let is_its_slots = charter.roster.member(head.slot).is_ok_and(|member| {
                member.province == head.province && signed.check_signature(member).is_ok()
            });
            let refused = state.check_head(head, &of, &policy).err();
            if let Some(error) = &refused {
                let slot = head.slot.get();
                tracing::warn!(slot, epoch = epoch.get(), %error, "a head is left out of a proposal");
            }
            is_its_slots && refused.is_none()
        };
        let mut by_slot = self.known_heads()?;
        by_slot.retain(|_, head| is_usable(head));
        for head in offered.into_iter().chain([own]).filter(&is_usable) {
            by_slot.insert(head.head.slot.get(), head);
        }
        Ok(by_slot.into_values().collect())
    }

    fn cosigner_state(&self) -> Result<CosignerState, NodeError> {
        match self.vault.get::<Vec<u8>>(Table::Cosigned, STATE_KEY)? {
            Some(bytes) => CosignerState::from_bytes(&bytes)
                .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Cosigned))),
            None => Ok(CosignerState::default()),
        }
    }

    fn cosign_policy(&self) -> CosignPolicy {
        let epochs = &self.settings.epochs;
        CosignPolicy {
            fresh_provinces_min: epochs.fresh_provinces_min,
            stale_head_max_min: epochs.stale_head_max_min,
            delay_max_min: epochs.delay_max_min,
        }
    }

    /// Signs a registry's statement, after checking all of it against what this node knows by itself. The decision is
    /// durable before the signature exists, and of an epoch at most one statement is ever signed.
    ///
    /// # Errors
    /// [`Reason::AlreadySigned`], [`Reason::HeadRefused`], [`Reason::RegistryRefused`].
    pub fn cosign(
        &self,
        statement: &RegistryStatement,
        heads: &[SignedTreeHead],
    ) -> Result<Cosignature, NodeError> {
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, policy) = (self.cosigner_state()?, self.cosign_policy());
        let as_of = statement.as_of();
        let expected = Expected {
            risk_root: self.risk.at(as_of).root(),
            rule_sets: self.charter().rules.counting_at(as_of).digest,
            now: self.clock.now(),
        };
        let charter = self.charter();
        let permit = state
            .consider(statement, heads, &charter.roster, &policy, &expected)
            .map_err(|error| refused_registry(&error))?;
        let (_, head_key) = charter.head_key_at(as_of)?;
        let mut write = self.vault.write();
        write.put(Table::Cosigned, STATE_KEY, &permit.next_state().to_bytes());
        Self::keep_statement(&mut write, statement, heads);
        write.commit()?;
        Ok(permit.sign(self.slot, head_key))
    }

    /// Takes up a registry that has its quorum; the same again changes nothing.
    ///
    /// # Errors
    /// [`Reason::RegistryRefused`] without a quorum, over other maps or rules than this node's, or beside another
    /// registry of that epoch.
    pub fn take_registry(&self, registry: &PublishedRegistry) -> Result<(), NodeError> {
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let statement = registry.cosigned.statement();
        let epoch = statement.epoch();
        if let Some(known) = self.known_registry(epoch) {
            return if known == statement.into() {
                Ok(())
            } else {
                tracing::error!(
                    epoch = epoch.get(),
                    "a second registry of an epoch is offered"
                );
                Err(NodeError::Refused(Reason::RegistryRefused))
            };
        }
        let tree = self.judge_registry(registry)?;
        // One that was recovered with the log stands in it already, and no other of that epoch comes beside it.
        let told = self.told_registry(epoch)?;
        if told
            .as_ref()
            .is_some_and(|told| told.statement() != statement)
        {
            tracing::error!(
                epoch = epoch.get(),
                "another registry of an epoch is offered than the one that this node's log tells of"
            );
            return Err(NodeError::Refused(Reason::RegistryRefused));
        }
        let untold = told
            .is_none()
            .then(|| Entry::Registry(registry.cosigned.clone()));
        let row = RegistryRow {
            cosigned: told.as_ref().unwrap_or(&registry.cosigned).to_bytes(),
            heads: registry
                .heads
                .iter()
                .map(SignedTreeHead::to_bytes)
                .collect(),
        };
        let mut write = self.vault.write();
        write.put_large(Table::Registries, &epoch.get().to_be_bytes(), &row);
        self.append(write, untold.as_slice())?;
        self.sign_checkpoint_later();
        tracing::info!(epoch = epoch.get(), "a registry has its quorum");
        self.adopt(registry, tree)
    }

    /// Checks a registry by the root document in use or, where it is of before, by the one that was in use then; its tree. It
    /// closed between its neighbours; and whoever has keys of before signs for no time to come.
    fn judge_registry(&self, registry: &PublishedRegistry) -> Result<Registry, NodeError> {
        let statement = registry.cosigned.statement();
        let (epoch, as_of) = (statement.epoch(), statement.as_of());
        let tolerance_min = i64::from(self.limits.request_skew_min);
        let latest = self.clock.now().saturating_add_signed(tolerance_min);
        if !self.is_between_neighbours(epoch, as_of) {
            tracing::error!(
                epoch = epoch.get(),
                as_of = as_of.get(),
                "a registry is of a time that its epoch cannot have closed at"
            );
            return Err(NodeError::Refused(Reason::RegistryRefused));
        }
        let refused = |error: ledger::Error| refused_registry(&error);
        let judge = |roster: &Roster, rule_sets: RuleSetsDigest| {
            registry.cosigned.check_quorum(roster).map_err(refused)?;
            let tree = statement.check_heads(&registry.heads, roster);
            let tree = tree.map_err(refused)?;
            if statement.risk_root() != self.risk.at(as_of).root()
                || statement.rule_sets() != rule_sets
            {
                tracing::error!(
                    epoch = epoch.get(),
                    "a registry rests on another risk map or other rule sets than this node has"
                );
                return Err(NodeError::Refused(Reason::RegistryRefused));
            }
            Ok(tree)
        };
        let charter = self.charter();
        let mut refusal = None;
        for (roster, rule_sets) in charter.judging(as_of, latest) {
            match judge(roster, rule_sets) {
                Ok(tree) => return Ok(tree),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(NodeError::Fault("a charter without a root document")))
    }

    /// Whether the registries known of the epochs before and after closed before and after.
    fn is_between_neighbours(&self, epoch: Epoch, as_of: Minute) -> bool {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        let before = ledger.registries.range(..epoch).next_back();
        let mut after = ledger.registries.range(epoch..);
        let after = after.find(|(known, _)| **known != epoch);
        before.is_none_or(|(_, known)| known.as_of < as_of)
            && after.is_none_or(|(_, known)| as_of < known.as_of)
    }

    /// The registry of an epoch.
    ///
    /// # Errors
    /// [`Reason::UnknownEpoch`].
    pub fn registry(&self, epoch: Epoch) -> Result<PublishedRegistry, NodeError> {
        let row: RegistryRow = self
            .vault
            .get_large(Table::Registries, &epoch.get().to_be_bytes())?
            .ok_or(NodeError::Refused(Reason::UnknownEpoch))?;
        let damaged = |_| NodeError::Store(StoreError::Damaged(Table::Registries));
        let heads = row
            .heads
            .iter()
            .map(|bytes| SignedTreeHead::from_bytes(bytes));
        Ok(PublishedRegistry {
            cosigned: CosignedStatement::from_bytes(&row.cosigned).map_err(damaged)?,
            heads: heads.collect::<Result<_, _>>().map_err(damaged)?,
        })
    }

    /// The newest epoch whose registry has a quorum.
    pub fn newest_registry_epoch(&self) -> Option<Epoch> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.registries.keys().next_back().copied()
    }

    pub(crate) fn knows_registry(&self, epoch: Epoch) -> bool {
        self.known_registry(epoch).is_some()
    }

    /// Whether the heads beside a statement are those that it names, each signed by its province.
    pub(crate) fn is_valid_proposal(&self, proposal: &Proposal) -> bool {
        let Proposal { statement, heads } = proposal;
        let charter = self.charter();
        statement.check_heads(heads, &charter.roster).is_ok()
    }

    pub(crate) fn is_valid_cosignature(
        &self,
        cosignature: &Cosignature,
        statement: &RegistryStatement,
    ) -> bool {
        cosignature.check(statement, &self.charter().roster).is_ok()
    }

    pub(crate) fn known_registry(&self, epoch: Epoch) -> Option<KnownRegistry> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.registries.get(&epoch).copied()
    }

    /// Remembers a registry, and makes passes under it if it is the newest that holds a head of this node.
    fn adopt(&self, registry: &PublishedRegistry, tree: Registry) -> Result<(), NodeError> {
        let statement = registry.cosigned.statement();
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        ledger
            .registries
            .insert(statement.epoch(), statement.into());
        let is_newer = ledger
            .issuing
            .as_ref()
            .is_none_or(|i| i.statement.epoch() < statement.epoch());
        let own = registry
            .heads
            .iter()
            .find(|h| h.head.slot == self.slot)
            .and_then(|h| {
                let closed = ledger.closed.get(&h.head.epoch)?;
                (closed.head.head == h.head).then(|| Arc::clone(closed))
            });
        let (true, Some(own)) = (is_newer, own) else {
            return Ok(());
        };
        let oldest = own.head.head.epoch;
        ledger.issuing = Some(Arc::new(Issuing {
            statement: statement.clone(),
            registry: tree,
            own,
            risk: self.risk.at(statement.as_of()),
        }));
        drop(ledger);
        self.forget_before(oldest)
    }

    /// Brings epochs, registries and the trust list to where the store says they were.
    pub(crate) fn restore_ledger(&self) -> Result<(), NodeError> {
        let keys = self.vault.keys(Table::Registries, b"", usize::MAX)?;
        let mut epochs: Vec<Epoch> = keys
            .iter()
            .filter_map(|key| epoch_of_key(key))
            .map(Epoch::new)
            .collect();
        epochs.dedup();
        let mut registries = Vec::with_capacity(epochs.len());
        for epoch in epochs {
            registries.push(self.registry(epoch)?);
        }
        let own_epoch = |registry: &PublishedRegistry| {
            let own = registry.heads.iter().find(|h| h.head.slot == self.slot);
            own.map(|h| h.head.epoch)
        };
        let oldest = registries.iter().rev().find_map(own_epoch);
        self.restore_closed(oldest.unwrap_or_default())?;
        for registry in &registries {
            let heads = registry.heads.iter().map(|h| (&h.head).into());
            let tree = Registry::new(heads).map_err(|error| refused_registry(&error))?;
            self.adopt(registry, tree)?;
        }
        self.restore_trust()
    }
}

/// The stable reason of what the ledger refuses. What is wrong names provinces and epochs, nobody's data.
pub(crate) fn refused_registry(error: &ledger::Error) -> NodeError {
    use ledger::Error as E;
    tracing::warn!(%error, "a registry or head is refused");
    NodeError::Refused(match error {
        E::Layout(_) => Reason::Malformed,
        E::SecondStatement(_) => Reason::AlreadySigned,
        E::HeadForked(_)
        | E::HeadFromTheFuture(_)
        | E::HeadTooOld { .. }
        | E::WrongProvince(_)
        | E::UnknownSlot(_)
        | E::NoHeadKey { .. }
        | E::BadSignature(_) => Reason::HeadRefused,
        E::NoQuorum { .. } => Reason::NoQuorum,
        _ => Reason::RegistryRefused,
    })
}
