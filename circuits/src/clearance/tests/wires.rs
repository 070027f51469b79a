//! A prover who sets every wire as it likes, not only what a `Witness` can say.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::Field;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rules::{CheckInRun, Claim, Day, Fact, FactKind, Record, Stay, TestAge, WorstColour};

use super::freedom::{Values, any_element, free, heading, is_bit, is_free, search, wires};
use crate::clearance::scene::{Scene, ago, fact, place, random_scene, supported, unrelieved};
use crate::clearance::{Heading, OpenedInterval, Witness, shape};

const HOUR: u32 = 60;
const DAY: u32 = 1440;

fn green() -> Values {
    let (public, witness) = Scene::green().witness().unwrap();
    Values::assigned(&public, &witness)
}

/// The scene's table and map with a record that is claimed green.
fn claimed_green(record: Record, test_age: TestAge) -> Values {
    let claim = Claim {
        worst: WorstColour::Green,
        test_age,
    };
    let scene = Scene {
        record,
        claim,
        ..Scene::green()
    };
    let (public, witness) = unrelieved(&scene).expect("few grounds");
    Values::assigned(&public, &witness)
}

fn record(facts: &[Fact], stays: &[Stay], negatives: &[u32], runs: &[(u16, u16)]) -> Record {
    let day = |back: u16| Day::new(ago(0).day().get() - back);
    let run = |(first, last): &(u16, u16)| CheckInRun {
        first: day(*first),
        last: day(*last),
    };
    let negatives = negatives.iter().map(|m| ago(*m)).collect();
    let runs = runs.iter().map(run).collect();
    Record::new(stays.to_vec(), facts.to_vec(), negatives, runs).unwrap()
}

#[test]
fn every_wire_follows_from_others_but_these() {
    let mut free: BTreeMap<(Heading, bool), usize> = BTreeMap::new();
    for wire in wires() {
        if is_free(wire) {
            let kind = (heading(wire), is_bit(wire));
            *free.entry(kind).or_default() += 1;
        }
    }
    let expected = [
        // Committed: held by the hashes up to a public root or digest.
        // Head time, state root, slot; two levels of eight children. The path's bits follow from the slot.
        (Heading::RegistryMembership, false, 3 + 2 * 8),
        // The leaf (it is the record's hash) and nine levels; the position is the prover's, and secret.
        (Heading::StateMembership, false, 1 + 9 * 8),
        (Heading::StateMembership, true, 9 * 3),
        // Identity, blinding; stay, kind, ended and place of wide and of narrow entries.
        (Heading::RecordOpening, false, 2),
        (Heading::RecordOpening, true, 12 * 53 + 12 * 12),
        // Times of entries, negatives and ends of runs, whose packing fixes them; begins of runs; `as_of` in day and minute.
        (Heading::RangesAndTimes, false, 24 * 2 + 8 + 4),
        (Heading::RangesAndTimes, true, 4 * 16 + 16 + 11),
        (Heading::RuleTableOpening, false, 26),
        (Heading::RuleTableOpening, true, 96 * 5 + 7 + 3 * 10),
        // The pair's other half and five levels; fields, half and position; which interval a stay lies in.
        (Heading::RiskOpening, false, 4 * (2 + 5 * 8)),
        (
            Heading::RiskOpening,
            true,
            4 * (2 * 47 + 3 * 54 + 1 + 15) + 12 * 2,
        ),
        // Chosen: the inverse of place less province; slot and whether it must agree in its anchor.
        (Heading::EntryKey, false, 24),
        (Heading::ReasonSlots, true, 24 * (3 + 1)),
        // Key, anchor, lapse and the inverse of its count.
        (Heading::AnchorPhasesLapse, false, 8),
        (Heading::AnchorPhasesLapse, true, 8 * (7 + 16 + 11 + 1)),
        // Inverse of the check-in days, first day; cleared, way out, three negatives, run.
        (Heading::Clearing, false, 8 * 2),
        (Heading::Clearing, true, 8 * (1 + 1 + 9 + 2)),
        (Heading::TestAge, true, 3),
    ];
    let expected = expected.map(|(heading, bit, count)| ((heading, bit), count));
    assert_eq!(free, BTreeMap::from(expected));
}

/// How many wires under a heading, bits or not, can be changed alone so that all rows hold.
fn survivors(mut values: Values) -> Vec<(Heading, bool, usize)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut found: BTreeMap<(Heading, bool), BTreeSet<usize>> = BTreeMap::new();
    for wire in wires().skip(shape().instance) {
        let old = values.of(wire);
        let shifted = old + commitment::pow2(rng.random_range(0..64));
        let (not, any) = (Fr::ONE - old, any_element(&mut rng));
        for value in [old + Fr::ONE, old - Fr::ONE, not, -old, shifted, any] {
            values.set(wire, value);
            if values.broken().is_empty() && value != old {
                let kind = (heading(wire), is_bit(wire));
                found.entry(kind).or_default().insert(wire);
                assert!(is_free(wire) && (!is_bit(wire) || value == not));
            }
            values.undo();
        }
    }
    let count = |((heading, bit), wires): (_, BTreeSet<usize>)| (heading, bit, wires.len());
    found.into_iter().map(count).collect()
}

#[test]
fn a_single_changed_wire_breaks_a_row_unless_nothing_hangs_on_it() {
    for (name, record, test_age) in not_green() {
        assert_eq!(survivors(claimed_green(record, test_age)), [], "{name}");
    }
    // In the green scene, of 24 entries eight are grounds, five of these local facts; of eight slots two are not used.
    let expected = [
        // Inverse of nothing, where an entry's place is the province.
        (Heading::EntryKey, false, 5),
        // Whether to agree in the anchor, for an entry that is no ground.
        (Heading::ReasonSlots, true, 24 - 8),
        // Inverse of nothing, for rows without a lapse.
        (Heading::AnchorPhasesLapse, false, 6),
        // First day and inverse of nothing, where no check-ins are needed or nothing is claimed cleared.
        (Heading::Clearing, false, 2 * 7),
        // Which of two ways out, where the row has none.
        (Heading::Clearing, true, 3),
    ];
    assert_eq!(survivors(green()), expected);
}

/// Records that are not green under the scene's table, whatever is claimed of them, and a test age that is asked.
fn not_green() -> Vec<(&'static str, Record, TestAge)> {
    let no = TestAge::NotAsked;
    let stay = |site, from, to: Option<u32>| Stay {
        place: place(site),
        begin: ago(from),
        end: to.map(ago),
    };
    let one = |kind, province, minutes| vec![fact(kind, province, minutes)];
    let case = one(FactKind::ConfirmedCase, 33, 3 * DAY);
    let contact = one(FactKind::CloseContact, 33, 10 * DAY);
    let entries = [
        fact(FactKind::Entry, 35, 9 * DAY),
        fact(FactKind::Entry, 35, 2 * DAY),
    ];
    let tube = one(FactKind::PooledTube, 33, 12 * HOUR - 1);
    let symptoms = one(FactKind::Symptoms, 33, 9 * DAY);
    let risk = one(FactKind::PotentialRisk, 33, 5 * DAY);
    let tests = [4 * DAY, DAY, 5 * HOUR];
    vec![
        ("a case", record(&case, &[], &tests, &[(8, 0)]), no),
        ("a contact", record(&contact, &[], &tests, &[(8, 0)]), no),
        ("entries", record(&entries, &[], &tests, &[]), no),
        ("a tube", record(&tube, &[], &tests, &[]), no),
        (
            "six days",
            record(&symptoms, &[], &tests, &[(20, 9), (6, 1)]),
            no,
        ),
        (
            "two tests in a day",
            record(&risk, &[], &[DAY, 5 * HOUR], &[]),
            no,
        ),
        (
            "a stay in a high-risk place",
            record(&[], &[stay(1, 11 * DAY, Some(5 * DAY))], &tests, &[]),
            no,
        ),
        (
            "a stay that goes on",
            record(
                &[],
                &[stay(4, 9 * DAY, None), stay(2, DAY, None)],
                &tests,
                &[],
            ),
            no,
        ),
        (
            "an old test",
            record(&[], &[], &[2 * DAY, DAY + 1], &[]),
            TestAge::Hours24,
        ),
    ]
}

#[test]
fn no_choices_mend_a_record_that_is_not_green() {
    for (name, record, test_age) in not_green() {
        let values = claimed_green(record, test_age);
        assert!(!values.broken().is_empty(), "{name}");
        assert_eq!(search(values, 10_000, 7), None, "{name}");
    }
}

#[test]
fn the_same_search_mends_records_that_are_green() {
    let no = TestAge::NotAsked;
    let contact = [fact(FactKind::CloseContact, 33, 12 * DAY)];
    let tube = [fact(FactKind::PooledTube, 33, 12 * HOUR)];
    let symptoms = [fact(FactKind::Symptoms, 33, 9 * DAY)];
    for (name, record, test_age) in [
        ("a contact", record(&contact, &[], &[5 * HOUR], &[]), no),
        ("a tube", record(&tube, &[], &[], &[]), no),
        (
            "seven days",
            record(&symptoms, &[], &[], &[(20, 9), (7, 1)]),
            no,
        ),
        (
            "a test just young enough",
            record(&[], &[], &[2 * DAY, DAY], &[]),
            TestAge::Hours24,
        ),
    ] {
        let by = |seed| search(claimed_green(record.clone(), test_age), 20_000, seed);
        let found = (0..8).find_map(by);
        assert!(found.is_some(), "{name}");
    }
}

#[test]
fn a_moment_has_no_second_day() {
    // A hundred minutes past midnight, said to be 1,540 minutes past the midnight before, or the anchor likewise.
    let as_of = ago(1339);
    let scene = Scene {
        as_of,
        head_time: as_of,
        ..Scene::not_red(record(&[], &[], &[], &[]))
    };
    let (public, witness) = scene.witness().unwrap();
    let mut values = Values::assigned(&public, &witness);
    let bits = free(Heading::RangesAndTimes, true);
    values.follow_bits(&bits[..16], u64::from(as_of.day().get()) - 1);
    assert!(values.broken_headings().len() > 1);
    values.follow_bits(&bits[16..27], 1540);
    assert_eq!(values.broken_headings(), [Heading::RangesAndTimes].into());

    let anchor = ago(5 * DAY + 1339);
    let tube = Fact {
        begin: anchor,
        ..fact(FactKind::ConfirmedCase, 33, 0)
    };
    let mut values = claimed_green(record(&[tube], &[], &[], &[]), TestAge::NotAsked);
    assert_eq!(values.broken_headings(), [Heading::WorstColour].into());
    let bits = free(Heading::AnchorPhasesLapse, true);
    values.follow_bits(&bits[7..23], u64::from(anchor.day().get()) - 1);
    values.follow_bits(&bits[23..34], 1540);
    let broken = [Heading::AnchorPhasesLapse, Heading::WorstColour];
    assert_eq!(values.broken_headings(), broken.into());
}

#[test]
fn a_committed_time_has_no_second_reading() {
    // What one time of an element gains, the next one gives back: the element and its hash stay what they are.
    let wires = free(Heading::RangesAndTimes, false);
    let carry = commitment::pow2(commitment::record::TIME_BITS);
    for first in [0, 24, 48, 54] {
        for sign in [Fr::ONE, -Fr::ONE] {
            let mut values = green();
            let [one, next] = [wires[first], wires[first + 1]];
            values.follow(one, values.of(one) + sign * carry);
            assert!(values.broken_headings().contains(&Heading::RecordOpening));
            values.follow(next, values.of(next) - sign);
            let broken = values.broken_headings();
            assert!(broken.contains(&Heading::RangesAndTimes));
            assert!(!broken.contains(&Heading::RecordOpening), "{broken:?}");
        }
    }
}

#[test]
fn a_leaf_that_pads_the_risk_map_holds_no_place() {
    let stay = Stay {
        place: place(1),
        begin: ago(5 * DAY),
        end: None,
    };
    let scene = Scene::green();
    let stays = Scene {
        map: rules::RiskMap::empty(),
        ..Scene::not_red(record(&[], &[stay], &[], &[]))
    };
    let (mut public, mut witness) = stays.witness().unwrap();
    let tree = commitment::RiskTree::new(&scene.map);
    public.risk_root = tree.root();
    // The scene's map has five intervals; the sixth leaf is padding.
    witness.intervals = std::array::from_fn(|_| OpenedInterval {
        from: 1,
        last: 0,
        periods: [(0, 0, 0); 3],
        opening: tree.opening(5),
    });
    let mut values = Values::assigned(&public, &witness);
    assert_eq!(values.broken_headings(), [Heading::RiskOpening].into());
    assert_eq!(
        values.broken().len(),
        1,
        "the padding is opened, but is not at the stay's place"
    );
    let no_stay = Scene::not_red(record(&[], &[], &[], &[]))
        .witness()
        .unwrap();
    witness = Witness {
        intervals: witness.intervals,
        ..no_stay.1
    };
    values = Values::assigned(&no_stay.0, &witness);
    assert_eq!(values.broken_headings(), [].into());
}

#[test]
fn no_choices_mend_random_scenes_that_do_not_support_their_claim() {
    let mut tried = 0;
    for seed in 0..50 {
        let scene = random_scene(&mut ChaCha8Rng::seed_from_u64(seed));
        let unsupported = Some(&scene).filter(|scene| !supported(scene));
        if let Some((public, witness)) = unsupported.and_then(unrelieved) {
            let values = Values::assigned(&public, &witness);
            assert_eq!(search(values, 3000, seed), None, "seed {seed}");
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried} scenes");
}

#[test]
fn without_the_rows_of_a_heading_the_search_gets_through() {
    for (heading, name) in [
        (Heading::RiskOpening, "a stay in a high-risk place"),
        (Heading::ReasonSlots, "a case"),
        (Heading::AnchorPhasesLapse, "entries"),
        (Heading::Clearing, "a stay that goes on"),
        (Heading::TestAge, "an old test"),
    ] {
        let of_name = |(n, _, _): &(&str, Record, TestAge)| *n == name;
        let (_, record, test_age) = not_green().into_iter().find(of_name).unwrap();
        let values = claimed_green(record, test_age).without(heading);
        assert!(search(values, 20_000, 7).is_some(), "{heading}");
    }
}
