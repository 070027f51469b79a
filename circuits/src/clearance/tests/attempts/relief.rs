//! Relief: tests counted twice, too early or out of order, runs invented or stretched, lapses, test age, the claim.

use ark_ff::Field;
use rules::{CheckInRun, Clearing, Colour, Day, Key, Offset, Row, RowTable};

use super::*;
use crate::clearance::Relief;
use crate::clearance::scene::{place, table};

/// A medium-risk stay that ended four days ago, cleared by three tests a day apart within three days of each other.
fn three_tests(negatives: &[u32]) -> (PublicInputs, Witness) {
    let stay = Stay {
        place: place(2),
        begin: ago(8 * DAY),
        end: Some(ago(4 * DAY)),
    };
    let (public, mut witness) = as_it_stands(&claimed_green(&[], &[stay], negatives));
    witness.slots[0].relief = Some(Relief::default());
    (public, witness)
}

/// All picks of three positions, set in rows and relation; how many pass, which must be as `expected` says.
fn try_all_picks(attempt: &(PublicInputs, Witness), expected: impl Fn([u32; 3]) -> bool) -> usize {
    let roles = Roles::new();
    let (public, mut witness) = (attempt.0, attempt.1.clone());
    let mut values = Values::assigned(&public, &witness);
    let mut passed = 0;
    for picks in 0..512u16 {
        values.follow_bits(roles.negatives(0), u64::from(picks));
        let positions = [0, 3, 6].map(|shift| u8::try_from(picks >> shift & 7).unwrap());
        let relief = witness.slots[0].relief.as_mut().unwrap();
        relief.negatives = positions;
        let minutes = positions.map(|p| witness.record.negatives[usize::from(p)]);
        let (broken, verdict) = if expected(minutes) {
            passed += 1;
            (None, Ok(()))
        } else {
            (Some(Heading::Clearing), Err(Refusal(Heading::Clearing)))
        };
        assert_eq!(
            values.broken_headings(),
            broken.into_iter().collect(),
            "{positions:?}"
        );
        if picks % 8 == 3 {
            assert_eq!(check(&public, &witness), verdict, "{positions:?}");
        }
    }
    passed
}

#[test]
fn of_all_picks_of_three_tests_only_those_count_that_are_three() {
    let day = 1440;
    let negatives = [
        5 * day,
        4 * day,
        4 * day - 1,
        3 * day,
        2 * day,
        2 * day - 1,
        day,
        1,
    ];
    let attempt = three_tests(&negatives);
    let anchor = ago(4 * day).get();
    let passed = try_all_picks(&attempt, |[a, b, c]| {
        a >= anchor && b >= a + day && c >= b + day && c <= a + 3 * day
    });
    assert!(passed > 5, "{passed}");
}

#[test]
fn one_test_committed_eight_times_is_one_test() {
    let gap_of_an_hour = |key: Key| {
        let row = *table().row(key);
        let way = row.clearing[0].map(|way| Clearing {
            gap_hours: 1,
            span_hours: 1023,
            ..way
        });
        Row {
            clearing: [way, None],
            ..row
        }
    };
    let lookback = table().lookback_hours();
    let least_gap = RowTable::new(table().province(), lookback, gap_of_an_hour).unwrap();
    let (mut public, mut witness) = three_tests(&[DAY]);
    witness.table = least_gap;
    public.rule_digest = commitment::rule_digest(&witness.table);
    // A record would not hold them; the home node commits them all the same.
    witness.record.negatives = [ago(DAY).get(); 8];
    recommit(&mut public, &mut witness);
    assert_eq!(try_all_picks(&(public, witness.clone()), |_| false), 0);
    // Unsorted they count as what they are: an hour between each of three.
    let hours_ago = [3, 1, 2, 3, 3, 3, 3, 3];
    witness.record.negatives = hours_ago.map(|hours| ago(hours * HOUR).get());
    recommit(&mut public, &mut witness);
    let passed = try_all_picks(&(public, witness), |[a, b, c]| {
        b >= a + HOUR && c >= b + HOUR
    });
    assert_eq!(
        passed, 6,
        "six positions hold the first, one each the others"
    );
}

/// Symptoms of nine days ago; cleared from the seventh day with seven days of check-in after the anchor's.
fn seven_days(runs: &[(u16, u16)]) -> (PublicInputs, Witness) {
    let symptoms = fact(FactKind::Symptoms, 33, 9 * DAY);
    let (mut public, mut witness) = as_it_stands(&claimed_green(&[symptoms], &[], &[]));
    let today = ago(0).day().get();
    for (run, (first, last)) in witness.record.runs.iter_mut().zip(runs) {
        *run = (today - first, today - last);
    }
    recommit(&mut public, &mut witness);
    witness.slots[0].relief = Some(Relief::default());
    (public, witness)
}

/// Which first days pass in which run, over all that could matter; given as days before today.
fn days_that_pass(attempt: &(PublicInputs, Witness)) -> Vec<(u8, u16)> {
    let roles = Roles::new();
    let (public, mut witness) = (attempt.0, attempt.1.clone());
    let mut values = Values::assigned(&public, &witness);
    // Of the two wires that are no bits, the second is the first day.
    let first_day = free(Heading::Clearing, false)[1];
    let today = ago(0).day().get();
    let mut passing = Vec::new();
    for run in 0..4u8 {
        values.follow_bits(roles.run(0), u64::from(run));
        let (run_first, run_last) = witness.record.runs[usize::from(run)];
        for day in today - 22..=today + 2 {
            values.follow(first_day, Fr::from(day));
            let holds = run_first <= day && day > today - 9 && day + 6 <= run_last;
            let broken = (!holds).then_some(Heading::Clearing);
            assert_eq!(values.broken_headings(), broken.into_iter().collect());
            if holds || day % 8 == 0 {
                let relief = witness.slots[0].relief.as_mut().unwrap();
                (relief.run, relief.first_day) = (run, day);
                assert_eq!(check(&public, &witness).is_ok(), holds);
            }
            if holds {
                passing.push((run, today - day));
            }
        }
        // Days that are none.
        for day in [-Fr::from(1u64), commitment::pow2(17), commitment::pow2(252)] {
            values.follow(first_day, day);
            assert_eq!(values.broken_headings(), [Heading::Clearing].into());
        }
    }
    passing
}

#[test]
fn check_in_days_are_taken_from_one_run_after_the_anchor_and_from_nowhere_else() {
    let of = |runs: &[(u16, u16)]| days_that_pass(&seven_days(runs));
    assert_eq!(of(&[(20, 10), (8, 1)]), [(1, 8), (1, 7)]);
    assert_eq!(of(&[(20, 0)]), [(0, 8), (0, 7), (0, 6)]);
    assert_eq!(of(&[(7, 2), (0, 0)]), [], "six days");
    assert_eq!(
        of(&[(8, 5), (4, 1)]),
        [],
        "two runs that no record has, side by side"
    );
    assert_eq!(of(&[(1, 8)]), [], "a run that ends before it begins");
    assert_eq!(of(&[]), [], "empty positions are day 0");
}

#[test]
fn a_run_that_is_stretched_at_either_end_is_not_the_committed_one() {
    for change in [
        |run: &mut (u16, u16)| run.0 -= 1,
        |run: &mut (u16, u16)| run.1 += 1,
    ] {
        let (public, mut witness) = seven_days(&[(7, 2)]);
        change(&mut witness.record.runs[0]);
        let relief = witness.slots[0].relief.as_mut().unwrap();
        relief.first_day = witness.record.runs[0].0;
        refused_under(Heading::RecordOpening, &(public, witness));
    }
    // An invented one beyond today.
    let (mut public, mut witness) = seven_days(&[(5, 0)]);
    let run = &mut witness.record.runs[0];
    run.1 += 1;
    witness.slots[0].relief.as_mut().unwrap().first_day = run.0;
    recommit(&mut public, &mut witness);
    refused_under(Heading::RangesAndTimes, &(public, witness));
}

#[test]
fn check_ins_are_not_declared_unneeded() {
    let (public, witness) = seven_days(&[]);
    let mut values = Values::assigned(&public, &witness);
    let inverse = free(Heading::Clearing, false)[0];
    assert_eq!(values.broken_headings(), [Heading::Clearing].into());
    for said in [0u64, 1, 2, 7] {
        for sign in [Fr::from(1u64), -Fr::from(1u64)] {
            values.follow(inverse, sign * Fr::from(said));
            assert_eq!(values.broken_headings(), [Heading::Clearing].into());
        }
    }
}

#[test]
fn a_lapse_has_its_time_and_its_row_whatever_inverse_is_given() {
    let lapse_inverse = free(Heading::AnchorPhasesLapse, false)[0];
    let roles = Roles::new();
    let twelfth = Fr::from(12u64).inverse().unwrap();
    let claimed = |kind: FactKind, minutes: u32, inverse: Fr| {
        let scene = claimed_green(&[fact(kind, 33, minutes)], &[], &[]);
        let (public, witness) = as_it_stands(&scene);
        let mut values = Values::assigned(&public, &witness);
        values.follow(roles.lapsed(0), Fr::from(1u64));
        values.follow(lapse_inverse, inverse);
        values.broken_headings()
    };
    let refused = [Heading::AnchorPhasesLapse].into();
    assert_eq!(claimed(FactKind::PooledTube, 12 * HOUR, twelfth), [].into());
    assert_eq!(
        claimed(FactKind::PooledTube, 12 * HOUR - 1, twelfth),
        refused
    );
    for inverse in [
        Fr::from(0u64),
        Fr::from(1u64),
        -Fr::from(1u64),
        twelfth + twelfth,
    ] {
        assert_eq!(
            claimed(FactKind::ConfirmedCase, 900 * DAY, inverse),
            refused
        );
        assert_eq!(claimed(FactKind::PooledTube, 12 * HOUR, inverse), refused);
    }
}

#[test]
fn lapse_and_clearing_are_ones_or_zeros() {
    let (public, witness) = case();
    let roles = Roles::new();
    let mut values = Values::assigned(&public, &witness);
    let two = Fr::from(2u64);
    for (wire, heading) in [
        (roles.lapsed(0), Heading::AnchorPhasesLapse),
        (roles.relief_bits[0], Heading::Clearing),
        (roles.relief_bits[1], Heading::Clearing),
    ] {
        for value in [two, -Fr::from(1u64), two.inverse().unwrap()] {
            values.follow(wire, value);
            assert!(values.broken_headings().contains(&heading));
            values.undo_to(0);
        }
    }
    // Claimed cleared, by either way, of which a case has none.
    for alternative in 0..2 {
        values.follow(roles.relief_bits[0], Fr::from(1u64));
        values.follow(roles.relief_bits[1], Fr::from(alternative));
        assert_eq!(values.broken_headings(), [Heading::Clearing].into());
    }
}

#[test]
fn a_way_out_borrows_nothing_from_the_other() {
    // Two ways: at once with two tests, or after seven days with one. Neither holds; their halves together would.
    let risk = fact(FactKind::PotentialRisk, 33, 5 * DAY);
    let (public, mut witness) = as_it_stands(&claimed_green(&[risk], &[], &[DAY]));
    for alternative in 0..2 {
        witness.slots[0].relief = Some(Relief {
            alternative,
            ..Relief::default()
        });
        refused_under(Heading::Clearing, &(public, witness.clone()));
    }
    let roles = Roles::new();
    let mut values = Values::assigned(&public, &witness);
    for alternative in [
        Fr::from(2u64),
        -Fr::from(1u64),
        Fr::from(2u64).inverse().unwrap(),
    ] {
        values.follow(roles.relief_bits[1], alternative);
        assert!(values.broken_headings().contains(&Heading::Clearing));
    }
    let old = fact(FactKind::PotentialRisk, 33, 7 * DAY);
    let (public, mut witness) = as_it_stands(&claimed_green(&[old], &[], &[DAY]));
    witness.slots[0].relief = Some(Relief {
        alternative: 1,
        ..Relief::default()
    });
    accepted(&(public, witness));
}

#[test]
fn a_test_is_as_old_as_its_minute_for_every_age_on_the_menu() {
    for (code, hours) in [(2, 24), (4, 48), (6, 72)] {
        for (older_min, passes) in [(-1i64, true), (0, true), (1, false)] {
            let age = u32::try_from(i64::from(hours * HOUR) + older_min).unwrap();
            let (mut public, witness) = as_it_stands(&claimed_green(&[], &[], &[age]));
            public.claim = Claim::from_code(code).unwrap();
            if passes {
                accepted(&(public, witness.clone()));
            } else {
                refused_under(Heading::TestAge, &(public, witness.clone()));
            }
            for empty in 1..8 {
                let mut witness = witness.clone();
                witness.fresh_negative = empty;
                assert_eq!(assign(&public, &witness).broken, [Heading::TestAge]);
            }
        }
    }
}

#[test]
fn a_claim_is_three_bits() {
    let (public, witness) = Scene::green().witness().unwrap();
    let mut values = Values::assigned(&public, &witness);
    let half = Fr::from(2u64).inverse().unwrap();
    let numbers = (0..40u64).map(Fr::from);
    let others = [
        -Fr::from(1u64),
        half,
        commitment::pow2(253),
        -Fr::from(8u64),
    ];
    for (number, claim) in numbers.chain(others).enumerate() {
        values.follow(CLAIM_WIRE, claim);
        let refused = (number >= 8).then_some(Heading::WorstColour);
        let broken = values.broken_headings();
        assert!(
            broken.is_superset(&refused.into_iter().collect()),
            "{number}"
        );
        assert_eq!(broken.is_empty(), number < 8, "{number}");
    }
}

#[test]
fn yellow_is_not_green_and_red_is_not_yellow() {
    for (days, colour) in [(9, Colour::Yellow), (3, Colour::Red)] {
        let contact = fact(FactKind::CloseContact, 33, days * DAY);
        let scene = claimed_green(&[contact], &[], &[]);
        for worst in [WorstColour::Green, WorstColour::Yellow] {
            let (mut public, witness) = as_it_stands(&scene);
            public.claim.worst = worst;
            if colour > worst.colour() {
                refused_under(Heading::WorstColour, &(public, witness));
            } else {
                accepted(&(public, witness));
            }
        }
    }
}

#[test]
fn the_first_test_counts_from_its_minute_on_and_the_anchors_own_day_is_no_day() {
    for (minutes, passes) in [(12 * DAY, true), (12 * DAY + 1, false)] {
        let contact = fact(FactKind::CloseContact, 33, 12 * DAY);
        let (public, mut witness) = as_it_stands(&claimed_green(&[contact], &[], &[minutes]));
        witness.slots[0].relief = Some(Relief::default());
        if passes {
            accepted(&(public, witness));
        } else {
            refused_under(Heading::Clearing, &(public, witness));
        }
    }
    let run = CheckInRun {
        first: Day::new(ago(9 * DAY).day().get()),
        last: Day::new(ago(3 * DAY).day().get()),
    };
    assert_eq!(run.last.get() - run.first.get() + 1, 7);
    assert_eq!(
        days_that_pass(&seven_days(&[(9, 3)])),
        [],
        "seven days, the anchor's among them"
    );
    assert!(matches!(
        table()
            .row(Key::of_fact(FactKind::Symptoms, false, true))
            .clearing[0],
        Some(Clearing {
            after: Offset::Days(7),
            check_in_days: 7,
            ..
        })
    ));
}
