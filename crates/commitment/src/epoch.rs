//! Epochs and registry slots: the numbers under which provinces commit together.

use crate::tree::REGISTRY_SLOTS;

/// The number of an epoch, the same in all provinces; each has one closing minute and at most one registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The epoch after this one, if there is one.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A province's fixed place in the registry, below [`REGISTRY_SLOTS`]; a very large province has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// The slot with this number, if below [`REGISTRY_SLOTS`].
    pub const fn new(number: u8) -> Option<Self> {
        if (number as usize) < REGISTRY_SLOTS {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, below [`REGISTRY_SLOTS`].
    pub const fn get(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_beyond_the_registry_does_not_exist() {
        assert_eq!(Slot::new(63).map(Slot::get), Some(63));
        assert_eq!(Slot::new(64), None);
    }

    #[test]
    fn the_last_epoch_has_no_successor() {
        assert_eq!(Epoch::new(1).next(), Some(Epoch::new(2)));
        assert_eq!(Epoch::new(u32::MAX).next(), None);
    }
}
