//! Who belongs to the federation, with which key, in which slot.

use std::collections::BTreeSet;

use commitment::quorum::quorum;
use commitment::{DatedKeys, Minute, ProvinceCode, REGISTRY_SLOTS, Slot};
use ed25519_dalek::VerifyingKey;

use crate::Error;

/// The keys of a slot with their dates, which sign tree heads, cosignatures and all else that a node says.
pub type HeadKeys = DatedKeys<VerifyingKey>;

/// A province's slot and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The province; a very large one has two entries.
    pub province: ProvinceCode,
    /// Its slot.
    pub slot: Slot,
    /// The keys that sign its tree heads and cosignatures, with their dates.
    pub head_keys: HeadKeys,
}

impl Member {
    /// The key in force at a minute.
    ///
    /// # Errors
    /// [`Error::NoHeadKey`] before the first one's date.
    pub fn head_key_at(&self, minute: Minute) -> Result<&VerifyingKey, Error> {
        self.head_keys.at(minute).ok_or(Error::NoHeadKey {
            slot: self.slot,
            minute,
        })
    }
}

/// The federation's members, as the trust list's root document names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    members: Vec<Member>,
    provinces: usize,
}

impl Roster {
    /// A roster of these members, in any order.
    ///
    /// # Errors
    /// [`Error::SlotTwice`] for a slot with two members; [`Error::Roster`] for none at all, for the nation as a member,
    /// a weak key, or a key that two provinces share.
    pub fn new(mut members: Vec<Member>) -> Result<Self, Error> {
        members.sort_by_key(|m| m.slot);
        if let Some(pair) = members.windows(2).find(|p| p[0].slot == p[1].slot) {
            return Err(Error::SlotTwice(pair[0].slot));
        }
        if members.is_empty() || members.len() > REGISTRY_SLOTS {
            return Err(Error::Roster("1 to 64 members"));
        }
        for (i, member) in members.iter().enumerate() {
            if member.province == ProvinceCode::NATION {
                return Err(Error::Roster("the nation is no member"));
            }
            if member.head_keys.keys().any(VerifyingKey::is_weak) {
                return Err(Error::Roster("a weak key"));
            }
            let others = members[..i].iter();
            let mut others = others.filter(|m| m.province != member.province);
            let shared = others.any(|m| m.head_keys.keys().any(|k| member.head_keys.contains(k)));
            if shared {
                return Err(Error::Roster("two provinces with one key"));
            }
        }
        let provinces: BTreeSet<ProvinceCode> = members.iter().map(|m| m.province).collect();
        Ok(Self {
            provinces: provinces.len(),
            members,
        })
    }

    /// The members, ascending by slot.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member in a slot.
    ///
    /// # Errors
    /// [`Error::UnknownSlot`] if there is none.
    pub fn member(&self, slot: Slot) -> Result<&Member, Error> {
        self.members
            .iter()
            .find(|m| m.slot == slot)
            .ok_or(Error::UnknownSlot(slot))
    }

    /// Different provinces.
    pub const fn provinces(&self) -> usize {
        self.provinces
    }

    /// How many different provinces must agree.
    pub const fn quorum(&self) -> usize {
        quorum(self.provinces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn member(province: u8, slot: u8, key: u8) -> Member {
        Member {
            province: ProvinceCode::new(province).unwrap(),
            slot: Slot::new(slot).unwrap(),
            head_keys: HeadKeys::single(SigningKey::from_bytes(&[key; 32]).verifying_key()),
        }
    }

    #[test]
    fn a_province_with_two_slots_counts_once() {
        let roster =
            Roster::new(vec![member(44, 1, 1), member(44, 2, 1), member(33, 0, 3)]).unwrap();
        assert_eq!(roster.provinces(), 2);
        assert_eq!(roster.members().len(), 3);
    }

    #[test]
    fn a_roster_that_contradicts_itself_is_refused() {
        let weak = Member {
            head_keys: HeadKeys::single(VerifyingKey::from_bytes(&[0; 32]).unwrap()),
            ..member(33, 1, 1)
        };
        for (members, error) in [
            (vec![], Error::Roster("1 to 64 members")),
            (
                vec![member(33, 1, 1), member(35, 1, 2)],
                Error::SlotTwice(Slot::new(1).unwrap()),
            ),
            (
                vec![member(33, 1, 1), member(35, 2, 1)],
                Error::Roster("two provinces with one key"),
            ),
            (
                vec![member(0, 1, 1)],
                Error::Roster("the nation is no member"),
            ),
            (vec![weak], Error::Roster("a weak key")),
        ] {
            assert_eq!(Roster::new(members), Err(error));
        }
    }

    #[test]
    fn a_member_is_found_by_slot_and_the_quorum_is_of_provinces() {
        let members = vec![member(44, 9, 1), member(44, 2, 2), member(33, 0, 3)];
        let roster = Roster::new(members.clone()).unwrap();
        let slots: Vec<u8> = roster.members().iter().map(|m| m.slot.get()).collect();
        assert_eq!(slots, [0, 2, 9]);
        for member in &members {
            assert_eq!(roster.member(member.slot), Ok(member));
        }
        let stranger = Slot::new(3).unwrap();
        assert_eq!(roster.member(stranger), Err(Error::UnknownSlot(stranger)));
        assert_eq!(roster.quorum(), quorum(2));
    }
}
