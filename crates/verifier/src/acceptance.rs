//! What a gate asks for.

use commitment::{BinderKind, ProvinceCode};
use rules::{Claim, TestAge};

/// Oldest pass that any rule may admit, in minutes: 14 days, as long as a trust list remembers epochs.
pub const PASS_AGE_LIMIT_MIN: u32 = 14 * 1440;
/// Oldest pass bound to a card alone that any rule may admit, in minutes: 14 days.
pub const CARD_PASS_AGE_LIMIT_MIN: u32 = 14 * 1440;

/// A set of binder kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BinderKinds(u8);

impl BinderKinds {
    /// All three kinds.
    pub const ALL: BinderKinds = BinderKinds(0b111);

    /// The set of these kinds.
    pub fn of(kinds: &[BinderKind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | bit(*kind)))
    }

    /// Whether a kind is among them.
    pub const fn contains(self, kind: BinderKind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// Those of them that `other` has, too.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether none of them is missing in `other`.
    pub const fn are_among(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Bit 0 device, bit 1 device and card, bit 2 card.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with these bits, if there are no others.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits <= 0b111 {
            Some(Self(bits))
        } else {
            None
        }
    }
}

const fn bit(kind: BinderKind) -> u8 {
    1 << (kind.code() - 1)
}

/// What a pass must claim, how old it may be, and what it may be bound to. Gates take theirs from the profiles of the
/// trust list: a free choice would be an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AcceptanceRule {
    /// The claim asked for; a stronger one satisfies it.
    pub asked: Claim,
    /// Most minutes from the epoch's close to now, for passes of a device; at most [`PASS_AGE_LIMIT_MIN`].
    pub pass_age_max_min: u32,
    /// The same for passes of a card alone; at most [`CARD_PASS_AGE_LIMIT_MIN`].
    pub card_pass_age_max_min: u32,
    /// Kinds of binding admitted.
    pub binders: BinderKinds,
}

impl AcceptanceRule {
    /// Whether `claimed` is at least as strong in colour.
    pub fn colour_suffices(&self, claimed: Claim) -> bool {
        claimed.worst <= self.asked.worst
    }

    /// Whether `claimed` is at least as strong in test age.
    pub fn test_age_suffices(&self, claimed: Claim) -> bool {
        match (self.asked.test_age, claimed.test_age) {
            (TestAge::NotAsked, _) => true,
            (_, TestAge::NotAsked) => false,
            (asked, claimed) => claimed.hours() <= asked.hours(),
        }
    }

    /// Most minutes from the epoch's close to now for a pass of this kind.
    pub const fn age_max_min(&self, kind: BinderKind) -> u32 {
        match kind {
            BinderKind::Device | BinderKind::DeviceAndCard => self.pass_age_max_min,
            BinderKind::Card => self.card_pass_age_max_min,
        }
    }

    /// The longest of these over the kinds admitted.
    pub fn longest_age_min(&self) -> u32 {
        self.admitted()
            .map(|kind| self.age_max_min(kind))
            .max()
            .unwrap_or(0)
    }

    /// The kinds of binding admitted.
    pub fn admitted(&self) -> impl Iterator<Item = BinderKind> {
        [
            BinderKind::Device,
            BinderKind::DeviceAndCard,
            BinderKind::Card,
        ]
        .into_iter()
        .filter(|kind| self.binders.contains(*kind))
    }

    /// The same for whoever shows an identity card: of the kinds admitted only those that are bound to one. Where there are
    /// none, nobody is admitted.
    #[must_use]
    pub fn with_card(self) -> Self {
        let bound = BinderKinds::of(&[BinderKind::DeviceAndCard, BinderKind::Card]);
        Self {
            binders: self.binders.and(bound),
            ..self
        }
    }

    /// Whether every pass that it admits `other` admits, too: no weaker colour, no older test, no other kind of binding and,
    /// of each kind, no older pass.
    pub fn asks_no_less_than(&self, other: &Self) -> bool {
        other.colour_suffices(self.asked)
            && other.test_age_suffices(self.asked)
            && self.binders.are_among(other.binders)
            && self
                .admitted()
                .all(|kind| self.age_max_min(kind) <= other.age_max_min(kind))
    }
}

/// Whether passes under test circuits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Specimens {
    /// They are rejected: the only choice in production.
    Refused,
    /// They are accepted, and marked as specimens: for demonstrations and training.
    Admitted,
}

/// A gate: where it stands and what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// The province it stands in; it admits that province's rule sets and the nation's.
    pub place: ProvinceCode,
    /// What it asks for.
    pub rule: AcceptanceRule,
    /// Whether passes under test circuits count.
    pub specimens: Specimens,
    /// Half minutes by which a showing may lie before or behind the gate's clock, at most 10.
    pub slot_skew: u8,
}

impl Gate {
    /// Largest admitted skew, in half minutes.
    pub const SLOT_SKEW_LIMIT: u8 = 10;

    /// A production gate with a skew of one half minute.
    pub const fn new(place: ProvinceCode, rule: AcceptanceRule) -> Self {
        Self {
            place,
            rule,
            specimens: Specimens::Refused,
            slot_skew: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::WorstColour;

    fn rule(worst: WorstColour, test_age: TestAge) -> AcceptanceRule {
        AcceptanceRule {
            asked: Claim { worst, test_age },
            pass_age_max_min: 60,
            card_pass_age_max_min: 1440,
            binders: BinderKinds::ALL,
        }
    }

    #[test]
    fn a_stronger_claim_satisfies_and_a_weaker_one_does_not() {
        let claims = (0..8).filter_map(Claim::from_code);
        let satisfied = |rule: AcceptanceRule| -> Vec<u8> {
            claims
                .clone()
                .filter(|c| rule.colour_suffices(*c) && rule.test_age_suffices(*c))
                .map(Claim::code)
                .collect()
        };
        // Even codes claim green; codes 2 and 3 claim 24 hours, 4 and 5 48, 6 and 7 72.
        assert_eq!(
            satisfied(rule(WorstColour::Yellow, TestAge::NotAsked)),
            [0, 1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(
            satisfied(rule(WorstColour::Green, TestAge::NotAsked)),
            [0, 2, 4, 6]
        );
        assert_eq!(
            satisfied(rule(WorstColour::Green, TestAge::Hours48)),
            [2, 4]
        );
        assert_eq!(
            satisfied(rule(WorstColour::Yellow, TestAge::Hours24)),
            [2, 3]
        );
    }

    #[test]
    fn a_rule_asks_no_less_where_each_of_its_parts_asks_no_less() {
        let strict = rule(WorstColour::Green, TestAge::Hours48);
        assert!(strict.asks_no_less_than(&strict));
        let kinds = BinderKinds::of(&[BinderKind::Device]);
        #[rustfmt::skip]
        let stricter = [
            AcceptanceRule { asked: Claim { test_age: TestAge::Hours24, ..strict.asked }, ..strict },
            AcceptanceRule { pass_age_max_min: 59, ..strict },
            AcceptanceRule { card_pass_age_max_min: 1439, ..strict },
            AcceptanceRule { binders: kinds, ..strict },
            // How old a pass may be of a kind that is not admitted says nothing.
            AcceptanceRule { binders: kinds, card_pass_age_max_min: 9999, ..strict },
            strict.with_card(),
        ];
        for other in stricter {
            assert!(other.asks_no_less_than(&strict), "{other:?}");
            assert!(!strict.asks_no_less_than(&other), "{other:?}");
        }
        let weaker = rule(WorstColour::Yellow, TestAge::NotAsked);
        assert!(strict.asks_no_less_than(&weaker));
        for other in [
            rule(WorstColour::Yellow, TestAge::Hours48),
            rule(WorstColour::Green, TestAge::Hours72),
            rule(WorstColour::Green, TestAge::NotAsked),
            weaker,
        ] {
            assert!(!other.asks_no_less_than(&strict), "{other:?}");
        }
    }

    #[test]
    fn for_whoever_shows_a_card_only_bindings_with_one_are_left() {
        let all = rule(WorstColour::Green, TestAge::NotAsked).with_card();
        assert!(!all.binders.contains(BinderKind::Device));
        assert!(all.binders.contains(BinderKind::DeviceAndCard));
        assert!(all.binders.contains(BinderKind::Card));
        let binders = BinderKinds::of(&[BinderKind::Device]);
        let none = AcceptanceRule { binders, ..all }.with_card();
        assert_eq!(none.binders.bits(), 0);
    }

    #[test]
    fn a_set_of_binder_kinds_holds_what_was_put_in() {
        let set = BinderKinds::of(&[BinderKind::Device, BinderKind::Card]);
        assert!(set.contains(BinderKind::Device) && set.contains(BinderKind::Card));
        assert!(!set.contains(BinderKind::DeviceAndCard));
        assert_eq!(BinderKinds::from_bits(set.bits()), Some(set));
        assert_eq!(BinderKinds::from_bits(8), None);
    }
}
