//! The registry of an epoch: the provinces' tree heads in their fixed slots, under one root.

use ark_ff::AdditiveGroup;
use commitment::{Fr, MerklePath, Minute, REGISTRY_SLOTS, Slot, Tree, node_hash, registry_leaf};

use crate::{Error, TreeHead};

/// What the registry holds of a province.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Its slot.
    pub slot: Slot,
    /// The time of its tree head.
    pub head_time: Minute,
    /// The root of its state tree.
    pub state_root: Fr,
}

impl From<&TreeHead> for RegistryEntry {
    fn from(head: &TreeHead) -> Self {
        Self {
            slot: head.slot,
            head_time: head.head_time,
            state_root: head.state_root,
        }
    }
}

/// The registry: 64 leaves, those of absent provinces zero, in two levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    groups: [[Fr; 8]; 8],
    upper: [Fr; 8],
    root: Fr,
}

impl Registry {
    /// The registry of these entries, in any order.
    ///
    /// # Errors
    /// [`Error::SlotTwice`] for two entries in one slot.
    pub fn new(entries: impl IntoIterator<Item = RegistryEntry>) -> Result<Self, Error> {
        let mut taken = [false; REGISTRY_SLOTS];
        let mut groups = [[Fr::ZERO; 8]; 8];
        for entry in entries {
            let place = usize::from(entry.slot.get());
            if std::mem::replace(&mut taken[place], true) {
                return Err(Error::SlotTwice(entry.slot));
            }
            groups[place / 8][place % 8] =
                registry_leaf(entry.slot.get(), entry.head_time, entry.state_root);
        }
        let upper = groups.map(|group| node_hash(Tree::Registry, &group));
        Ok(Self {
            groups,
            upper,
            root: node_hash(Tree::Registry, &upper),
        })
    }

    /// The root.
    pub const fn root(&self) -> Fr {
        self.root
    }

    /// The leaf of a slot; zero for an absent province.
    pub fn leaf(&self, slot: Slot) -> Fr {
        let place = usize::from(slot.get());
        self.groups[place / 8][place % 8]
    }

    /// The way from a slot's leaf to the root.
    pub fn path(&self, slot: Slot) -> MerklePath {
        MerklePath {
            index: u32::from(slot.get()),
            levels: vec![self.groups[usize::from(slot.get()) / 8], self.upper],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(slot: u8) -> RegistryEntry {
        RegistryEntry {
            slot: Slot::new(slot).unwrap(),
            head_time: Minute::new(1000).unwrap(),
            state_root: Fr::from(u64::from(slot) + 5),
        }
    }

    #[test]
    fn every_slot_has_its_path_and_the_order_of_entries_does_not_matter() {
        let registry = Registry::new([entry(3), entry(63), entry(8)]).unwrap();
        assert_eq!(
            registry,
            Registry::new([entry(8), entry(3), entry(63)]).unwrap()
        );
        for number in 0..64 {
            let slot = Slot::new(number).unwrap();
            let leaf = registry.leaf(slot);
            let present = [3, 8, 63].contains(&number);
            assert_eq!(leaf != Fr::ZERO, present);
            assert_eq!(
                registry.path(slot).root(Tree::Registry, leaf),
                Some(registry.root())
            );
        }
    }

    #[test]
    fn slot_time_and_state_each_change_the_root() {
        let root = |e: RegistryEntry| Registry::new([e]).unwrap().root();
        let base = root(entry(3));
        let later = Minute::new(1001).unwrap();
        assert_ne!(
            base,
            root(RegistryEntry {
                slot: Slot::new(4).unwrap(),
                ..entry(3)
            })
        );
        assert_ne!(
            base,
            root(RegistryEntry {
                head_time: later,
                ..entry(3)
            })
        );
        assert_ne!(
            base,
            root(RegistryEntry {
                state_root: Fr::from(9),
                ..entry(3)
            })
        );
        assert_eq!(
            Registry::new([entry(3), entry(3)]),
            Err(Error::SlotTwice(Slot::new(3).unwrap()))
        );
    }
}
