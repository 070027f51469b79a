//! Times: committed ones beyond `as_of`, second days of one moment, both ends of the range, and empty positions.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rules::{
    AreaCode, CheckInRun, Clearing, Colour, Day, Grade, Interval, Key, LookbackHours, Minute,
    Offset, Period, ProvinceCode, RiskMap, Row,
};

use super::*;
use crate::clearance::PlanError;
use crate::clearance::Relief;
use crate::clearance::scene::supported;
use crate::clearance::tests::freedom::search;

#[test]
fn no_committed_time_is_after_as_of_and_no_run_ends_after_today() {
    let roles = Roles::new();
    let (public, witness) = Scene::green().witness().unwrap();
    let mut values = Values::assigned(&public, &witness);
    let as_of = Fr::from(public.as_of.get());
    let today = Fr::from(public.as_of.day().get());
    let one = Fr::from(1u64);
    for (i, wire) in roles.times.iter().enumerate() {
        let (now, width) = if i < 56 { (as_of, 26) } else { (today, 16) };
        let span = commitment::pow2(width);
        for (value, in_range) in [
            (now, true),
            (now + one, false),
            (now + span, false),
            (now - span + one, true),
            (now - span, false),
            (-now - span, false),
        ] {
            values.follow(*wire, value);
            let broken = values.broken_headings();
            assert_eq!(
                !broken.contains(&Heading::RangesAndTimes),
                in_range,
                "time {i}"
            );
            values.undo_to(0);
        }
    }
}

#[test]
fn a_test_of_tomorrow_is_refused_wherever_it_stands() {
    for position in 0..8 {
        let (mut public, mut witness) = as_it_stands(&claimed_green(&[], &[], &[]));
        public.claim = Claim::from_code(2).unwrap();
        witness.fresh_negative = u8::try_from(position).unwrap();
        for (minute, heading) in [(0, None), (1, Some(Heading::RangesAndTimes))] {
            witness.record.negatives[position] = public.as_of.get() + minute;
            recommit(&mut public, &mut witness);
            match heading {
                None => accepted(&(public, witness.clone())),
                Some(heading) => refused_under(heading, &(public, witness.clone())),
            }
        }
    }
}

/// A scene without a record at some moment.
fn nobody_at(as_of: Minute) -> Scene {
    Scene {
        as_of,
        head_time: as_of,
        ..claimed_green(&[], &[], &[])
    }
}

#[test]
fn a_moment_has_one_day_at_both_ends_of_time() {
    let roles = Roles::new();
    let (day_bits, minute_bits) = roles.as_of();
    let minutes = [
        0,
        1,
        959,
        960,
        961,
        1440,
        2399,
        2400,
        (1 << 26) - 1,
        (1 << 26) - 320,
    ];
    for minute in minutes {
        let as_of = Minute::new(minute).unwrap();
        let (public, witness) = nobody_at(as_of).witness().unwrap();
        let mut values = Values::assigned(&public, &witness);
        assert_eq!(values.broken_headings(), [].into());
        let (day, rest) = (as_of.day().get(), as_of.minute_of_day());
        // A day more leaves a negative minute; a day less one that has eleven bits, but lies beyond the day.
        for (day, rest) in [
            (day.checked_sub(1), rest.checked_add(1440)),
            (day.checked_add(1), rest.checked_sub(1440)),
            (day.checked_sub(1), Some(rest)),
            (day.checked_add(1), Some(rest)),
            (Some(day), Some(rest ^ 1024)),
        ] {
            let (Some(day), Some(rest)) = (day, rest.filter(|m| *m < 2048)) else {
                continue;
            };
            values.follow_bits(day_bits, u64::from(day));
            values.follow_bits(minute_bits, u64::from(rest));
            assert!(values.broken_headings().contains(&Heading::RangesAndTimes));
            values.undo_to(0);
        }
    }
}

#[test]
fn as_of_beyond_26_bits_is_left_to_the_verifiers_type() {
    // The rows take 16 bits of days. From 2^26 on an empty position lies too far back, so that nothing is proved, but
    // that is luck; the type that public inputs come from ends before.
    assert!(Minute::new(1 << 26).is_err());
    let (public, witness) = nobody_at(Minute::MAX).witness().unwrap();
    let roles = Roles::new();
    let (day_bits, minute_bits) = roles.as_of();
    let mut values = Values::assigned(&public, &witness);
    let local = (1 << 26) + 480u64;
    values.follow_bits(day_bits, local / 1440);
    values.follow_bits(minute_bits, local % 1440);
    values.follow(AS_OF_WIRE, commitment::pow2(26));
    assert!(values.broken_headings().contains(&Heading::RangesAndTimes));
}

/// A contact of so many minutes since the epoch, closed by a test that an empty position is said to be.
fn cleared_by_nothing(begin: u32) -> (PublicInputs, Witness) {
    let way = Clearing {
        after: Offset::ZERO,
        negatives: 1,
        gap_hours: 1,
        span_hours: 0,
        neg_from_hours: -256,
        check_in_days: 0,
    };
    let row = Row {
        first: Colour::Red,
        then: Colour::Red,
        clearing: [Some(way), None],
        ..Row::INERT
    };
    let row_of = |key: Key| if key.is_no_ground() { Row::INERT } else { row };
    let table = RowTable::new(ProvinceCode::NATION, LookbackHours::default(), row_of).unwrap();
    let contact = Fact {
        begin: Minute::new(begin).unwrap(),
        ..fact(FactKind::CloseContact, 33, 0)
    };
    let scene = Scene {
        table,
        ..claimed_green(&[contact], &[], &[])
    };
    let (public, mut witness) = as_it_stands(&scene);
    witness.slots[0].relief = Some(Relief::default());
    (public, witness)
}

#[test]
fn an_empty_position_is_no_test_for_anchors_after_1970_01_12_or_moments_after_1970_01_04() {
    // Intake refuses events as old as that; the border is where STATEMENT says.
    refused_under(Heading::Clearing, &cleared_by_nothing(256 * 60 + 1));
    accepted(&cleared_by_nothing(256 * 60));
    for (code, hours) in [(2, 24), (4, 48), (6, 72)] {
        for (as_of, refused) in [(hours * 60 + 1, true), (hours * 60, false)] {
            let (public, witness) = nobody_at(Minute::new(as_of).unwrap()).witness().unwrap();
            let claim = Claim::from_code(code).unwrap();
            let attempt = (PublicInputs { claim, ..public }, witness);
            if refused {
                refused_under(Heading::TestAge, &attempt);
            } else {
                accepted(&attempt);
            }
        }
    }
}

#[test]
fn a_later_anchor_clears_nothing_and_an_earlier_one_is_refused_at_any_distance() {
    // A contact of eleven days ago, cleared on this day by a test: an anchor of the same day is the latest that serves.
    let contact = fact(FactKind::CloseContact, 33, 11 * DAY);
    let (public, mut witness) = as_it_stands(&claimed_green(&[contact], &[], &[5 * HOUR]));
    witness.slots[0].relief = Some(Relief::default());
    accepted(&(public, witness.clone()));
    let roles = Roles::new();
    let (day_bits, minute_bits) = roles.anchor(0);
    let mut values = Values::assigned(&public, &witness);
    let own = u64::from(ago(11 * DAY).get());
    let now = u64::from(ago(0).get());
    let last = 65_535 * 1440 + 1439 - 480;
    for (anchor, heading) in [
        (own - 1, Heading::ReasonSlots),
        (own - 1440, Heading::ReasonSlots),
        (0, Heading::ReasonSlots),
        (own + 1440, Heading::Clearing),
        (now, Heading::Clearing),
        (now + 1, Heading::Clearing),
        (1 << 26, Heading::Clearing),
        (last, Heading::Clearing),
    ] {
        values.follow_bits(day_bits, (anchor + 480) / 1440);
        values.follow_bits(minute_bits, (anchor + 480) % 1440);
        assert_eq!(
            values.broken_headings(),
            [heading].into(),
            "anchor {anchor}"
        );
    }
    // Before the epoch, to the first minute of day 0.
    values.follow_bits(day_bits, 0);
    values.follow_bits(minute_bits, 0);
    assert_eq!(values.broken_headings(), [Heading::ReasonSlots].into());
    // The same day has 2,048 minutes in its bits and 1,440 in fact.
    let local = own + 480;
    for day_before in 1..=1 {
        values.follow_bits(day_bits, local / 1440 - day_before);
        for minute in 1440..2048 {
            values.follow_bits(minute_bits, minute);
            assert!(
                values
                    .broken_headings()
                    .contains(&Heading::AnchorPhasesLapse)
            );
        }
    }
}

/// A moment at an end of time, or where an empty position begins to count for nothing.
fn extreme_moment(rng: &mut ChaCha8Rng) -> u32 {
    let base = [
        Minute::MAX.get(),
        15_361,
        20_000,
        63_000,
        1 << 25,
        1_600_000,
    ];
    let base = base[rng.random_range(0..base.len())];
    base - rng.random_range(0..3) * [0, 1, 1440][rng.random_range(0..3)]
}

fn extreme_row(rng: &mut ChaCha8Rng) -> Row {
    let colours = [Colour::Green, Colour::Yellow, Colour::Red];
    let count = |rng: &mut ChaCha8Rng| [0, 1, 2, 1022, 1023][rng.random_range(0..5)];
    let offset = |rng: &mut ChaCha8Rng| {
        if rng.random() {
            Offset::Days(count(rng))
        } else {
            Offset::Hours(count(rng))
        }
    };
    let way = |rng: &mut ChaCha8Rng| Clearing {
        after: offset(rng),
        negatives: rng.random_range(0..4),
        gap_hours: [1, 128][rng.random_range(0..2)],
        span_hours: [0, 1, 1023][rng.random_range(0..3)],
        neg_from_hours: [-256, -1, 0, 255][rng.random_range(0..4)],
        check_in_days: [0, 1, 31][rng.random_range(0..3)],
    };
    let lapse = offset(rng);
    Row {
        first: colours[rng.random_range(0..3)],
        switch: offset(rng),
        then: colours[rng.random_range(0..3)],
        lapse: (lapse.count() > 0).then_some(lapse),
        clearing: [
            rng.random_bool(0.7).then(|| way(rng)),
            rng.random_bool(0.4).then(|| way(rng)),
        ],
    }
}

fn extreme_map(rng: &mut ChaCha8Rng, as_of: u32) -> RiskMap {
    let moments = |rng: &mut ChaCha8Rng| {
        let near = as_of.saturating_sub(rng.random_range(0..3) * 720);
        let all = [0, 1, near, as_of, Minute::MAX.get() - 1, Minute::MAX.get()];
        let mut cuts: Vec<u32> = (0..6).map(|_| all[rng.random_range(0..6)]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    };
    let periods = |rng: &mut ChaCha8Rng| -> Vec<Period> {
        let cuts = moments(rng);
        let pairs = cuts.chunks_exact(2).take(3);
        pairs
            .map(|pair| Period {
                grade: Grade::ALL[rng.random_range(1..4)],
                since: Minute::new(pair[0]).unwrap(),
                until: Minute::new(pair[1]).unwrap(),
            })
            .collect()
    };
    let half = AreaCode::from_packed(1 << 46).unwrap();
    let before = AreaCode::from_packed((1 << 46) - 1).unwrap();
    let at = |from, last, periods| Interval {
        from,
        last,
        periods,
    };
    let (first, second) = (periods(rng), periods(rng));
    RiskMap::new(vec![
        at(AreaCode::FIRST, before, first),
        at(half, AreaCode::LAST, second),
    ])
    .unwrap()
}

fn extreme_scene(rng: &mut ChaCha8Rng) -> Scene {
    let as_of = extreme_moment(rng);
    let moment = |rng: &mut ChaCha8Rng| {
        let day = as_of.saturating_sub(rng.random_range(0..4) * 1440);
        let all = [1, as_of, as_of - 1, day.max(1), as_of / 2];
        Minute::new(all[rng.random_range(0..5)]).unwrap()
    };
    let span = |rng: &mut ChaCha8Rng| {
        let (a, b) = (moment(rng), moment(rng));
        (a.min(b), rng.random_bool(0.5).then(|| a.max(b)))
    };
    let places = [0, (1 << 46) - 1, 1 << 46, AreaCode::LAST.packed()];
    let stays = (0..rng.random_range(0..4))
        .map(|_| {
            let (begin, end) = span(rng);
            let place = AreaCode::from_packed(places[rng.random_range(0..4)]).unwrap();
            Stay { place, begin, end }
        })
        .collect();
    let facts = (0..rng.random_range(0..3))
        .map(|_| {
            let (begin, end) = span(rng);
            let kind = FactKind::ALL[rng.random_range(0..15)];
            Fact {
                begin,
                end,
                ..fact(kind, [0, 33][rng.random_range(0..2)], 0)
            }
        })
        .collect();
    let mut negatives: Vec<Minute> = (0..rng.random_range(0..4)).map(|_| moment(rng)).collect();
    negatives.sort_unstable();
    negatives.dedup();
    let today = Minute::new(as_of).unwrap().day().get();
    let runs = [
        (1, today),
        (today, today),
        (today.saturating_sub(30).max(1), today),
    ];
    let (first, last) = runs[rng.random_range(0..3)];
    let run = CheckInRun {
        first: Day::new(first),
        last: Day::new(last),
    };
    let hours = |rng: &mut ChaCha8Rng| [0, 1, 1023][rng.random_range(0..3)];
    let lookback = LookbackHours {
        low: hours(rng),
        medium: hours(rng),
        high: hours(rng),
    };
    let rows: Vec<Row> = (0..8).map(|_| extreme_row(rng)).collect();
    let row_of = |key: Key| {
        if key.is_no_ground() {
            Row::INERT
        } else {
            rows[usize::from(key.code()) * 5 % 8]
        }
    };
    let province = ProvinceCode::new([0, 33][rng.random_range(0..2)]).unwrap();
    Scene {
        record: Record::new(stays, facts, negatives, vec![run]).unwrap(),
        table: RowTable::new(province, lookback, row_of).unwrap(),
        map: extreme_map(rng, as_of),
        as_of: Minute::new(as_of).unwrap(),
        head_time: Minute::new(as_of).unwrap(),
        claim: Claim::from_code(rng.random_range(0..8)).unwrap(),
        leaf_index: [0, (1 << 27) - 1][rng.random_range(0..2)],
        slot: [0, 63][rng.random_range(0..2)],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_relation_and_rows_agree_at_both_ends_of_time_of_rows_and_of_maps(seed: u64) {
        let scene = extreme_scene(&mut ChaCha8Rng::seed_from_u64(seed));
        match scene.witness() {
            Ok((public, witness)) => {
                prop_assert!(supported(&scene));
                prop_assert_eq!(check(&public, &witness), Ok(()));
                prop_assert_eq!(assign(&public, &witness).broken, vec![]);
            }
            Err(PlanError::Slots(_) | PlanError::Intervals(_)) => {}
            Err(_) => {
                prop_assert!(!supported(&scene));
                let attempt = as_it_stands(&scene);
                let refusal = check(&attempt.0, &attempt.1).unwrap_err();
                prop_assert!(assign(&attempt.0, &attempt.1).broken.contains(&refusal.0));
            }
        }
    }
}

#[test]
fn no_choices_mend_a_record_at_an_end_of_time() {
    let mut tried = 0;
    for seed in 0..40 {
        let scene = extreme_scene(&mut ChaCha8Rng::seed_from_u64(seed));
        if supported(&scene) {
            continue;
        }
        let (public, witness) = as_it_stands(&scene);
        // Before 1970-01-12 an empty position can be said to be a test; the border has its own test.
        let late = |slot: &crate::clearance::SlotClaim| slot.key == 0 || slot.anchor > 256 * 60;
        if witness.slots.iter().all(late) {
            let values = Values::assigned(&public, &witness);
            assert_eq!(search(values, 1000, seed), None, "seed {seed}");
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried} scenes");
}
