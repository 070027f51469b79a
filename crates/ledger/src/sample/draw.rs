//! The seed, and the places that it gives.

use commitment::{Epoch, Slot, fr_to_bytes};
use sha2::{Digest, Sha256};

use crate::{
    Cosignature, CosignedStatement, Error, LeafIndex, Roster, STATE_LEAVES, SignedTreeHead,
};

const SEED_DOMAIN: &[u8] = b"viridian/sample-seed/v1\0";
const ORDER_DOMAIN: &[u8] = b"viridian/sample-order/v1\0";
const DRAW_DOMAIN: &[u8] = b"viridian/sample-draw/v1\0";

/// Leaves that are opened of each registry and province. Each shows one person's health and places to an auditor, so it is small; who
/// leaves one of a hundred records wrong is found within a month of hourly epochs all the same: 1 − 0.99^1440.
pub const SAMPLE_LEAVES: usize = 2;

/// Most places that are drawn. Places whose residents have left stay empty for ever and are drawn as well; where half of all are, two
/// leaves are missed once in 2.8 · 10¹⁷.
pub const DRAWS_MAX: usize = 64;

/// What the places are drawn from: known to nobody before the registry is cosigned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SampleSeed([u8; 32]);

impl std::fmt::Debug for SampleSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SampleSeed(..)")
    }
}

impl SampleSeed {
    /// The seed for the leaves of `slot`: SHA-256 over a domain string, the statement's hash, its root, the slot, and one cosignature
    /// with its slot: of those by other provinces the one whose slot comes first in the order of this epoch and slot. Cosignatures
    /// are not checked here.
    ///
    /// # Errors
    /// [`Error::UnknownSlot`] for a slot that the roster does not have; [`Error::NoOtherCosigner`] where nobody else signed.
    pub fn new(cosigned: &CosignedStatement, slot: Slot, roster: &Roster) -> Result<Self, Error> {
        let cosignature = drawing(cosigned, slot, roster)?;
        let statement = cosigned.statement();
        let hash = Sha256::new_with_prefix(SEED_DOMAIN)
            .chain_update(statement.hash().0)
            .chain_update(fr_to_bytes(statement.registry_root()))
            .chain_update([slot.get()])
            .chain_update(cosignature.to_bytes());
        Ok(Self(hash.finalize().into()))
    }

    /// A seed that was computed elsewhere, for tests and vectors.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Numbers without end, each of 32 random bits: the big-endian words of SHA-256 over a domain string, the seed and a
    /// counter.
    fn words(self) -> impl Iterator<Item = u32> {
        (0_u32..).flat_map(move |counter| {
            let digest: [u8; 32] = Sha256::new_with_prefix(DRAW_DOMAIN)
                .chain_update(self.0)
                .chain_update(counter.to_be_bytes())
                .finalize()
                .into();
            let (words, _) = digest.as_chunks::<4>();
            let words: [u32; 8] = std::array::from_fn(|i| u32::from_be_bytes(words[i]));
            words
        })
    }
}

/// Where a cosigner's slot stands in the order in which cosignatures draw the leaves of `slot`: by SHA-256 over a domain string, the epoch
/// and both slots, the least first. Nobody has a say in it, and in each epoch another comes first: one who helps to cheat, or
/// is away, does so once in as many epochs as there are provinces.
fn rank(epoch: Epoch, slot: Slot, cosigner: Slot) -> [u8; 32] {
    Sha256::new_with_prefix(ORDER_DOMAIN)
        .chain_update(epoch.get().to_be_bytes())
        .chain_update([slot.get(), cosigner.get()])
        .finalize()
        .into()
}

/// The cosignature that draws the leaves of `slot`.
fn drawing<'a>(
    cosigned: &'a CosignedStatement,
    slot: Slot,
    roster: &Roster,
) -> Result<&'a Cosignature, Error> {
    let own = roster.member(slot)?.province;
    let mut others = Vec::new();
    for cosignature in cosigned.cosignatures() {
        if roster.member(cosignature.slot)?.province != own {
            others.push(cosignature);
        }
    }
    let epoch = cosigned.statement().epoch();
    let first = others
        .into_iter()
        .min_by_key(|cosignature| rank(epoch, slot, cosignature.slot));
    first.ok_or(Error::NoOtherCosigner(slot))
}

/// The slots of other provinces that come before the one that draws, have a head of this epoch in the registry, and did not
/// cosign it. Whoever publishes a registry can leave cosignatures away, as long as there is a quorum, and so choose between draws; but only
/// by passing over provinces that were there, which shows.
///
/// # Errors
/// As [`SampleSeed::new`].
pub fn passed_over(
    cosigned: &CosignedStatement,
    heads: &[SignedTreeHead],
    slot: Slot,
    roster: &Roster,
) -> Result<Vec<Slot>, Error> {
    let drawing = drawing(cosigned, slot, roster)?.slot;
    let own = roster.member(slot)?.province;
    let epoch = cosigned.statement().epoch();
    let before = |other: &Slot| rank(epoch, slot, *other) < rank(epoch, slot, drawing);
    let fresh = heads.iter().map(|signed| &signed.head);
    let fresh = fresh.filter(|head| head.epoch == epoch && head.province != own);
    Ok(fresh.map(|head| head.slot).filter(before).collect())
}

/// The places drawn from `0..bound` until [`SAMPLE_LEAVES`] of them are occupied, [`DRAWS_MAX`] are drawn, or all are; in the order in
/// which they are drawn, each once, and each as likely as any other. A `bound` above [`STATE_LEAVES`] counts as that.
pub fn draw(
    seed: SampleSeed,
    bound: u32,
    is_occupied: impl Fn(LeafIndex) -> bool,
) -> Vec<LeafIndex> {
    let bound = bound.min(STATE_LEAVES);
    let mut drawn: Vec<LeafIndex> = Vec::new();
    if bound == 0 {
        return drawn;
    }
    // The largest multiple of the bound that 32 bits hold: what lies above it would make the first places likelier.
    let fair = u64::from(bound) * ((1 << 32) / u64::from(bound));
    let most = DRAWS_MAX.min(bound as usize);
    let mut occupied = 0;
    for word in seed.words() {
        if u64::from(word) >= fair {
            continue;
        }
        let Some(place) = LeafIndex::new(word % bound).filter(|place| !drawn.contains(place))
        else {
            continue;
        };
        drawn.push(place);
        occupied += usize::from(is_occupied(place));
        if occupied == SAMPLE_LEAVES || drawn.len() == most {
            break;
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use commitment::{Epoch, Fr, Minute, ProvinceCode};
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::*;
    use crate::{Cosignature, HeadHash, Member, RegistryStatement, RuleSetsDigest, TreeHead};

    fn seed(byte: u8) -> SampleSeed {
        SampleSeed::from_bytes([byte; 32])
    }

    fn numbers(places: &[LeafIndex]) -> Vec<u32> {
        places.iter().map(|place| place.get()).collect()
    }

    #[test]
    fn the_draw_is_that_of_the_vectors() {
        // Computed by `sha256` and integer arithmetic in another language.
        for (byte, bound, places) in VECTORS {
            assert_eq!(
                numbers(&draw(seed(byte), bound, |_| false))[..places.len()],
                places,
                "{byte} {bound}"
            );
        }
    }

    const VECTORS: [(u8, u32, [u32; 5]); 3] = [
        (0, 5, [2, 0, 3, 4, 1]),
        (1, 1_000_000, [26_211, 478_039, 243_558, 177_731, 888_026]),
        (
            2,
            STATE_LEAVES - 1,
            [71_365_404, 85_776_481, 93_766_290, 86_352_013, 117_792_469],
        ),
    ];

    proptest! {
        #[test]
        fn places_lie_below_the_bound_do_not_repeat_and_end_with_the_leaves_asked_for(
            bytes: [u8; 32],
            bound in prop_oneof![0_u32..130, Just(STATE_LEAVES), Just(u32::MAX), 0..STATE_LEAVES],
            modulus in 1_u32..12,
        ) {
            let seed = SampleSeed::from_bytes(bytes);
            let is_occupied = |place: LeafIndex| place.get().is_multiple_of(modulus);
            let drawn = draw(seed, bound, is_occupied);
            prop_assert_eq!(&drawn, &draw(seed, bound, is_occupied));
            let set: BTreeSet<LeafIndex> = drawn.iter().copied().collect();
            prop_assert_eq!(set.len(), drawn.len());
            let bound = bound.min(STATE_LEAVES);
            prop_assert!(drawn.iter().all(|place| place.get() < bound));
            let occupied = drawn.iter().filter(|place| is_occupied(**place)).count();
            prop_assert!(occupied <= SAMPLE_LEAVES);
            let all = DRAWS_MAX.min(bound as usize);
            prop_assert!(drawn.len() <= all);
            if drawn.len() < all {
                prop_assert_eq!(occupied, SAMPLE_LEAVES);
                prop_assert!(is_occupied(*drawn.last().unwrap()));
            }
        }
    }

    #[test]
    fn every_place_is_drawn_as_often_as_any_other() {
        // 12 places and two of them drawn: each is expected 4,000 times of 24,000, with a standard deviation of 58.
        const PLACES: u32 = 12;
        const DRAWS: u32 = 24_000;
        let mut times = [0_i64; PLACES as usize];
        for number in 0..DRAWS {
            let seed = SampleSeed::from_bytes(Sha256::digest(number.to_be_bytes()).into());
            for place in draw(seed, PLACES, |_| true) {
                times[place.get() as usize] += 1;
            }
        }
        let expected = i64::from(DRAWS) * 2 / i64::from(PLACES);
        assert_eq!(times.iter().sum::<i64>(), i64::from(DRAWS) * 2);
        for (place, times) in times.iter().enumerate() {
            assert!((times - expected).abs() < 5 * 58, "{place}: {times}");
        }
    }

    #[test]
    fn a_word_above_the_last_fair_one_is_passed_over() {
        // 42 times this bound is 2²⁶ short of 2³²: one word in 64 is over.
        let bound = 3 << 25;
        let fair = u64::from(bound) * ((1 << 32) / u64::from(bound));
        assert!(fair < 1 << 32);
        let (seed, word, next) = (0..1_000_u32)
            .find_map(|number| {
                let seed = SampleSeed::from_bytes(Sha256::digest(number.to_be_bytes()).into());
                let mut words = seed.words();
                let (first, second) = (words.next()?, words.next()?);
                let is_it = u64::from(first) >= fair && u64::from(second) < fair;
                is_it.then_some((seed, first, second))
            })
            .unwrap();
        assert_ne!(word % bound, next % bound);
        assert_eq!(draw(seed, bound, |_| true)[0].get(), next % bound);
    }

    fn slot(number: u8) -> Slot {
        Slot::new(number).unwrap()
    }

    /// Slots 0 and 3 are of one province, 1 and 2 of two others.
    fn roster() -> Roster {
        let member = |(number, province): (u8, u8)| Member {
            province: ProvinceCode::new(province).unwrap(),
            slot: slot(number),
            head_keys: crate::HeadKeys::single(
                SigningKey::from_bytes(&[number + 1; 32]).verifying_key(),
            ),
        };
        Roster::new([(0, 33), (1, 35), (2, 42), (3, 33)].map(member).to_vec()).unwrap()
    }

    fn head(number: u8, epoch: u32) -> SignedTreeHead {
        let province = roster().member(slot(number)).unwrap().province;
        TreeHead {
            province,
            slot: slot(number),
            epoch: Epoch::new(epoch),
            head_time: Minute::new(1_000).unwrap(),
            state_root: Fr::from(5),
            leaf_count: 2,
            rule_sets: RuleSetsDigest([1; 32]),
            previous: HeadHash::NONE,
        }
        .sign(&SigningKey::from_bytes(&[number + 1; 32]))
    }

    fn cosigned(epoch: u32, as_of: u32, by: &[u8]) -> CosignedStatement {
        let as_of = Minute::new(as_of).unwrap();
        let rules = RuleSetsDigest([1; 32]);
        let (epoch, heads) = (Epoch::new(epoch), [head(0, epoch)]);
        let statement = RegistryStatement::new(epoch, as_of, Fr::from(9), rules, &heads).unwrap();
        let sign = |number: &u8| {
            let key = SigningKey::from_bytes(&[number + 1; 32]);
            Cosignature::new(slot(*number), &statement.signing_bytes(), &key)
        };
        let cosignatures = by.iter().map(sign).collect();
        CosignedStatement::new(statement, cosignatures)
    }

    /// An epoch in which slot `first` comes before `second` for slot 0.
    fn epoch_of(first: u8, second: u8) -> u32 {
        let is_it = |epoch: &u32| {
            let rank = |other| rank(Epoch::new(*epoch), slot(0), slot(other));
            rank(first) < rank(second)
        };
        (1..100).find(is_it).unwrap()
    }

    #[test]
    fn one_cosignature_of_another_province_draws_and_the_own_ones_do_not_count() {
        for (first, second) in [(1, 2), (2, 1)] {
            let epoch = epoch_of(first, second);
            let seed =
                |by: &[u8], of| SampleSeed::new(&cosigned(epoch, 1_000, by), slot(of), &roster());
            let whole = seed(&[0, 1, 2, 3], 0).unwrap();
            // Neither its own nor that of its second slot, nor one that comes later.
            for by in [&[1, 2, 3][..], &[0, 1, 2], &[0, first], &[first]] {
                assert_eq!(seed(by, 0), Ok(whole), "{by:?}");
            }
            assert_ne!(seed(&[0, second], 0), Ok(whole));
            // Another slot has another seed, also of the same province.
            assert_ne!(seed(&[0, 1, 2, 3], 3), Ok(whole));
            assert_ne!(seed(&[0, 1, 2, 3], 1), Ok(whole));
            let later = cosigned(epoch, 1_001, &[first]);
            assert_ne!(SampleSeed::new(&later, slot(0), &roster()), Ok(whole));
        }
        let seed = |by: &[u8], of| SampleSeed::new(&cosigned(4, 1_000, by), slot(of), &roster());
        // Whoever signs alone cannot be sampled, and who is not known has no province.
        for by in [&[][..], &[0], &[0, 3]] {
            assert_eq!(seed(by, 0), Err(Error::NoOtherCosigner(slot(0))));
        }
        assert_eq!(seed(&[9], 0), Err(Error::UnknownSlot(slot(9))));
        assert_eq!(seed(&[1], 9), Err(Error::UnknownSlot(slot(9))));
    }

    #[test]
    fn each_province_comes_first_about_as_often_as_any_other() {
        let mut times = [0_u32; 34];
        for epoch in 1..=3_300 {
            let rank = |other: &u8| rank(Epoch::new(epoch), slot(7), slot(*other));
            let first = (0..34)
                .filter(|other| *other != 7)
                .min_by_key(rank)
                .unwrap();
            times[usize::from(first)] += 1;
        }
        assert_eq!(times[7], 0);
        // 100 each, with a standard deviation of 10.
        let others = (0..34).filter(|other| *other != 7);
        for other in others {
            assert!(
                (50..150).contains(&times[other]),
                "{other}: {}",
                times[other]
            );
        }
    }

    #[test]
    fn who_was_there_and_is_passed_over_is_named() {
        let epoch = epoch_of(1, 2);
        let passed = |heads: &[SignedTreeHead], by: &[u8]| {
            passed_over(&cosigned(epoch, 1_000, by), heads, slot(0), &roster()).unwrap()
        };
        let all = [
            head(0, epoch),
            head(1, epoch),
            head(2, epoch),
            head(3, epoch),
        ];
        assert_eq!(passed(&all, &[0, 1, 2]), []);
        assert_eq!(passed(&all, &[0, 1]), [], "who comes later changes nothing");
        assert_eq!(passed(&all, &[0, 2]), [slot(1)]);
        // Who was away, with an old head or none, is not passed over.
        let old = [
            head(0, epoch),
            head(1, epoch.saturating_sub(1)),
            head(2, epoch),
        ];
        assert_eq!(passed(&old, &[0, 2]), []);
        assert_eq!(passed(&all[2..], &[0, 2]), []);
    }
}
