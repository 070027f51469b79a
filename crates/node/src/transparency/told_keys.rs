//! What a log tells of its slot's head keys.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use ledger::log::{Entry, KeyChange, KeyRole};
use rules::Minute;
use sha2::{Digest as _, Sha256};

/// What was told of a key.
struct Told {
    /// Its first minute, as it was told last.
    from: Minute,
    /// The number that it was told under first.
    number: u32,
    /// Whether the keys before it were said not to be believed.
    is_alone: bool,
}

/// The head keys that a log tells of.
#[derive(Default)]
pub(super) struct HeadKeysTold {
    keys: BTreeMap<[u8; 32], Told>,
    /// The number of the last change.
    number: u32,
}

impl HeadKeysTold {
    pub(super) fn take(&mut self, change: &KeyChange) {
        let known = self.keys.entry(change.sha256).or_insert(Told {
            from: change.from,
            number: change.number,
            is_alone: false,
        });
        known.from = change.from;
        known.is_alone |= change.is_compromised;
        self.number = change.number;
    }

    /// The head keys of the root document, by first minute, that the log does not tell of, or tells of otherwise.
    ///
    /// A key that is announced can be moved: it is told again with its new minute. A key without a date, where others were told
    /// before it, means that those are not to be believed; a date means nothing of the kind, nor does one that takes the place of an
    /// announced key.
    pub(super) fn untold(&self, own: &[(Minute, VerifyingKey)], now: Minute) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (from, key) in own {
            let sha256 = <[u8; 32]>::from(Sha256::digest(key.as_bytes()));
            let told = self.keys.get(&sha256);
            let is_after = |other: &Told| told.is_none_or(|told| other.number < told.number);
            let is_alone = *from == Minute::ZERO && self.keys.values().any(is_after);
            // A key of before now was told with the minute of then, which is no other for that.
            let is_as_told = told.is_some_and(|told| {
                (told.is_alone || !is_alone)
                    && (told.from == *from || (told.from <= now && *from <= told.from))
            });
            if !is_as_told {
                let more = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                entries.push(Entry::KeyChange(KeyChange {
                    role: KeyRole::Head,
                    is_compromised: is_alone,
                    number: self.number.saturating_add(more).saturating_add(1),
                    from: now.max(*from),
                    sha256,
                }));
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    fn minute(number: u32) -> Minute {
        Minute::new(number).unwrap()
    }

    /// What a log tells when its node takes up a document with these keys: of each the seed, the minute, and whether those before it
    /// are not to be believed. A second time it tells nothing.
    fn tells(told: &mut HeadKeysTold, own: &[(u32, u8)], now: u32) -> Vec<(u8, u32, bool)> {
        let own: Vec<_> = own
            .iter()
            .map(|(from, seed)| (minute(*from), key(*seed)))
            .collect();
        let (mut seen, first) = (Vec::new(), told.number + 1);
        for (entry, number) in told.untold(&own, minute(now)).iter().zip(first..) {
            let Entry::KeyChange(change) = entry else {
                panic!("{entry:?}")
            };
            assert_eq!((change.role, change.number), (KeyRole::Head, number));
            let is_it = |seed: &u8| {
                <[u8; 32]>::from(Sha256::digest(key(*seed).as_bytes())) == change.sha256
            };
            let seed = (0..=9).find(is_it).unwrap();
            seen.push((seed, change.from.get(), change.is_compromised));
            told.take(change);
        }
        assert_eq!(told.untold(&own, minute(now)), []);
        assert_eq!(told.untold(&own, minute(now + 5_000_000)), []);
        seen
    }

    #[test]
    fn a_key_is_told_when_it_is_announced_and_not_again_when_it_is_in_force() {
        let mut told = HeadKeysTold::default();
        assert_eq!(tells(&mut told, &[(0, 1)], 50), [(1, 50, false)]);
        let both = [(0, 1), (200, 2)];
        assert_eq!(tells(&mut told, &both, 100), [(2, 200, false)]);
        assert_eq!(tells(&mut told, &both, 300), []);
        let three = [(0, 1), (200, 2), (400, 3)];
        assert_eq!(tells(&mut told, &three, 310), [(3, 400, false)]);
        // The oldest leaves the document.
        assert_eq!(tells(&mut told, &three[1..], 900), []);
    }

    #[test]
    fn an_announcement_that_is_moved_is_told_as_moved() {
        let mut told = HeadKeysTold::default();
        tells(&mut told, &[(0, 1), (200, 2)], 50);
        for moved in [300, 250] {
            let own = [(0, 1), (moved, 2)];
            assert_eq!(tells(&mut told, &own, 100), [(2, moved, false)]);
        }
        // To the past, which is now.
        assert_eq!(tells(&mut told, &[(0, 1), (90, 2)], 100), [(2, 100, false)]);
    }

    #[test]
    fn an_announced_key_that_gives_way_makes_no_other_one_compromised() {
        let mut told = HeadKeysTold::default();
        tells(&mut told, &[(0, 1), (200, 2)], 50);
        let other = [(0, 1), (300, 3)];
        assert_eq!(tells(&mut told, &other, 100), [(3, 300, false)]);
        assert_eq!(tells(&mut told, &[(0, 1)], 110), []);
        // And the first again.
        assert_eq!(tells(&mut told, &[(0, 1), (200, 2)], 120), []);
    }

    #[test]
    fn a_key_that_stands_alone_means_that_those_before_it_are_not_to_be_believed() {
        let mut told = HeadKeysTold::default();
        tells(&mut told, &[(0, 1)], 50);
        assert_eq!(tells(&mut told, &[(0, 4)], 60), [(4, 60, true)]);
        assert_eq!(tells(&mut told, &[(0, 4), (100, 5)], 70), [(5, 100, false)]);
        // Also one that was announced, before its date or after.
        assert_eq!(tells(&mut told, &[(0, 5)], 80), [(5, 80, true)]);
        tells(&mut told, &[(0, 5), (100, 6)], 90);
        assert_eq!(tells(&mut told, &[(0, 6)], 500), [(6, 500, true)]);
        assert_eq!(
            tells(&mut told, &[(0, 6), (700, 7)], 600),
            [(7, 700, false)]
        );
    }
}
