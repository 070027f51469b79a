//! What must hold whatever happens, looked at from outside and remembered over everybody's restarts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use commitment::Epoch;
use ledger::SignedTreeHead;
use node::Node;
use sha2::{Digest as _, Sha256};
use verifier::RevocationHash;
use verifier::trust::OnlineDocument;
use wire::PublishedRegistry;

use crate::world::World;

type Digest = [u8; 32];

/// What was seen.
#[derive(Default)]
pub(crate) struct Look {
    /// Of each epoch, the one registry that found a quorum.
    registries: BTreeMap<u32, Digest>,
    /// Of each epoch, what each slot signed, with a quorum or without.
    signed: BTreeMap<(u32, u8), Digest>,
    /// Of each epoch, each slot's head.
    heads: BTreeMap<(u32, u8), Digest>,
    /// Of each number, the one online document.
    documents: BTreeMap<u64, Digest>,
    /// Of each number, what it revokes.
    revoked: BTreeMap<u64, BTreeSet<RevocationHash>>,
    /// Of each house, the newest number in hand.
    numbers: BTreeMap<u8, u64>,
    /// Of each house, the newest epoch with a registry.
    newest: BTreeMap<u8, u32>,
    /// Houses that were put back to an older copy: they may sign twice, and are to be caught.
    pub(crate) put_back: BTreeSet<u8>,
    /// What each house's log was known to hold by its witnesses.
    pub(crate) looks: u64,
}

impl Look {
    /// Registries seen.
    pub(crate) fn registries(&self) -> usize {
        self.registries.len()
    }

    /// Online documents seen.
    pub(crate) fn documents(&self) -> usize {
        self.documents.len()
    }

    /// What the document of a number revokes, if it was seen.
    pub(crate) fn revoked_by(&self, number: u64) -> Option<&BTreeSet<RevocationHash>> {
        self.revoked.get(&number)
    }

    /// Looks at every running node.
    pub(crate) fn at(&mut self, world: &World) -> Result<()> {
        self.looks += 1;
        for house in world.houses.values() {
            let Some(node) = house.node().filter(|_| !house.is_dead()) else {
                continue;
            };
            self.at_list(house.home, &node)?;
            if let Some(epoch) = node.newest_registry_epoch() {
                let known = self.newest.insert(house.home, epoch.get());
                if known != Some(epoch.get()) {
                    // A machine that dies meanwhile says nothing.
                    if let Ok(registry) = node.registry(epoch) {
                        self.at_registry(&registry)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn at_list(&mut self, home: u8, node: &Node) -> Result<()> {
        let Some(list) = node.trust_list() else {
            return Ok(());
        };
        let number = list.online().sequence.get();
        let before = self.numbers.insert(home, number);
        if before == Some(number) {
            return Ok(());
        }
        if let Some(before) = before
            && !self.put_back.contains(&home)
        {
            ensure!(
                before < number,
                "the list of {home} fell from {before} to {number}"
            );
        }
        let digest = digest_of(list.online())?;
        let known = self.documents.entry(number).or_insert(digest);
        ensure!(
            *known == digest,
            "two online documents have the number {number}"
        );
        if let Entry::Vacant(place) = self.revoked.entry(number) {
            let mut revoked = BTreeSet::new();
            for entry in &list.online().batches {
                let Ok(bytes) = node.batch(entry.digest) else {
                    return Ok(());
                };
                let batch = verifier::trust::RevocationBatch::from_bytes(&bytes)?;
                let hash = |r: &verifier::trust::Revocation| commitment::revocation_hash(&r.0);
                revoked.extend(batch.revocations().iter().map(hash).map(RevocationHash));
            }
            place.insert(revoked);
        }
        Ok(())
    }

    fn at_registry(&mut self, registry: &PublishedRegistry) -> Result<()> {
        let statement = registry.cosigned.statement();
        let epoch = statement.epoch();
        let digest = statement.hash().0;
        let known = self.registries.entry(epoch.get()).or_insert(digest);
        ensure!(
            *known == digest,
            "two registries of epoch {} have a quorum",
            epoch.get()
        );
        for cosignature in registry.cosigned.cosignatures() {
            self.at_signature(epoch, cosignature.slot.get(), digest)?;
        }
        for head in &registry.heads {
            self.at_head(head)?;
        }
        Ok(())
    }

    /// Notes that a slot has signed a statement of an epoch.
    pub(crate) fn at_signature(&mut self, epoch: Epoch, slot: u8, statement: Digest) -> Result<()> {
        let known = *self.signed.entry((epoch.get(), slot)).or_insert(statement);
        if known != statement && !self.is_put_back(slot) {
            bail!(
                "slot {slot} has signed two registries of epoch {}",
                epoch.get()
            );
        }
        Ok(())
    }

    fn at_head(&mut self, head: &SignedTreeHead) -> Result<()> {
        let (epoch, slot) = (head.head.epoch.get(), head.head.slot.get());
        let hash = head.head.hash().0;
        let known = *self.heads.entry((epoch, slot)).or_insert(hash);
        if known != hash && !self.is_put_back(slot) {
            bail!("slot {slot} has two heads of epoch {epoch} in registries");
        }
        Ok(())
    }

    fn is_put_back(&self, slot: u8) -> bool {
        let code = crate::realm::DIVISIONS.get(usize::from(slot));
        code.is_some_and(|code| self.put_back.contains(code))
    }

    /// Looks at every registry that the nodes keep, those among them that were never the newest.
    pub(crate) fn at_all_registries(&mut self, world: &World) -> Result<u64> {
        let mut seen = 0;
        let epochs: Vec<u32> = self.registries.keys().copied().collect();
        let Some((first, last)) = epochs.first().zip(epochs.last()) else {
            return Ok(0);
        };
        for house in world.houses.values() {
            let Some(node) = house.node() else { continue };
            for epoch in *first..=*last {
                if let Ok(registry) = node.registry(Epoch::new(epoch)) {
                    self.at_registry(&registry)?;
                    seen += 1;
                }
                if let Ok(head) = node.tree_head(Epoch::new(epoch)) {
                    self.at_head(&head)?;
                }
            }
        }
        Ok(seen)
    }
}

fn digest_of(document: &OnlineDocument) -> Result<Digest> {
    Ok(Sha256::digest(document.signing_bytes()?).into())
}
