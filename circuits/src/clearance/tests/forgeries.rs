//! One attempt and more for each heading: the relation names the heading, the rows break under it alone, and without
//! its rows the attempt would pass.

use commitment::{Fr, PublicInputs};
use rules::{
    CheckInRun, Claim, Day, Fact, FactKind, Key, Record, RowTable, Stay, TestAge, WorstColour,
};

use crate::clearance::scene::{Scene, ago, fact, green_record, place, table};
use crate::clearance::{
    EntryClaim, Heading, Refusal, Relief, SlotClaim, Witness, assign, check, entry_facts, shape,
    shape_without,
};

const DAY: u32 = 1440;

/// The attempt is refused under `heading`, by relation and rows, and only those rows stand in its way.
fn refused_under(heading: Heading, public: &PublicInputs, witness: &Witness) {
    assert_eq!(check(public, witness), Err(Refusal(heading)));
    refused_by_rows_alone_under(heading, public, witness);
}

fn refused_by_rows_alone_under(heading: Heading, public: &PublicInputs, witness: &Witness) {
    let assignment = assign(public, witness);
    assert_eq!(assignment.broken, [heading]);
    let row = shape()
        .first_broken(&assignment.values)
        .expect("the matrices refuse too");
    assert_eq!(shape().headings[row], heading);
    assert_eq!(
        shape_without(heading).first_broken(&assignment.values),
        None
    );
}

fn green() -> (PublicInputs, Witness) {
    Scene::green().witness().unwrap()
}

/// A record with one more fact, planned as if that fact were not there, then put back: the prover's position who
/// must get round a committed ground. `claim` says what is made of it.
fn with_ground(extra: Fact, claim: impl FnOnce(&mut Witness, usize)) -> (PublicInputs, Witness) {
    let base = green_record();
    let mut facts = base.facts().to_vec();
    facts.push(extra);
    let position = 12 + facts.len() - 1;
    let record = Record::new(
        base.stays().to_vec(),
        facts,
        base.negatives().to_vec(),
        base.runs().to_vec(),
    )
    .unwrap();
    // Under the inert table anything can be planned; the slots are then taken from the scene without the ground.
    let inert = RowTable::new(table().province(), table().lookback_hours(), |_| {
        rules::Row::INERT
    })
    .unwrap();
    let scene = Scene {
        record,
        table: inert,
        ..Scene::green()
    };
    let (mut public, mut witness) = scene.witness().unwrap();
    let (without_public, without) = green();
    public.rule_digest = without_public.rule_digest;
    witness.table = without.table;
    witness.slots = without.slots;
    for (entry, planned) in witness.entries.iter_mut().zip(without.entries) {
        *entry = EntryClaim {
            interval: entry.interval,
            ..planned
        };
    }
    let facts = entry_facts(&witness, position, public.as_of);
    let entry = &mut witness.entries[position];
    (entry.key, entry.anchor, entry.is_ground) = (facts.key, facts.anchor, facts.is_ground);
    claim(&mut witness, position);
    (public, witness)
}

fn free_slot(witness: &Witness) -> usize {
    witness
        .slots
        .iter()
        .position(|s| s.key == 0)
        .expect("the scene leaves a slot free")
}

fn case() -> Fact {
    fact(FactKind::ConfirmedCase, 33, 3 * DAY)
}

/// The ground in a free slot of its own, with what is claimed of that slot.
fn in_own_slot(extra: Fact, claimed: impl FnOnce(&mut SlotClaim)) -> (PublicInputs, Witness) {
    with_ground(extra, |witness, position| {
        let slot = free_slot(witness);
        let entry = witness.entries[position];
        witness.slots[slot] = SlotClaim {
            key: entry.key,
            anchor: entry.anchor,
            ..SlotClaim::default()
        };
        claimed(&mut witness.slots[slot]);
        witness.entries[position].slot = u8::try_from(slot).unwrap();
    })
}

#[test]
fn a_registry_that_does_not_hold_the_province_is_refused() {
    let (public, mut witness) = green();
    witness.registry_path.levels[0][1] += Fr::from(1u64);
    refused_under(Heading::RegistryMembership, &public, &witness);

    let (mut public, witness) = green();
    public.registry_root += Fr::from(1u64);
    refused_under(Heading::RegistryMembership, &public, &witness);
}

#[test]
fn a_tree_head_after_as_of_is_refused() {
    let scene = Scene {
        head_time: rules::Minute::new(ago(0).get() + 1).unwrap(),
        ..Scene::green()
    };
    let (public, witness) = scene.witness().unwrap();
    refused_under(Heading::HeadTime, &public, &witness);
}

#[test]
fn a_leaf_that_is_not_in_the_state_tree_is_refused() {
    let (public, mut witness) = green();
    witness.state_path.levels[8][0] += Fr::from(1u64);
    refused_under(Heading::StateMembership, &public, &witness);

    let (public, mut witness) = green();
    witness.state_path.index ^= 1;
    refused_under(Heading::StateMembership, &public, &witness);
}

#[test]
fn a_record_with_a_ground_left_out_is_refused() {
    let (public, mut witness) = with_ground(case(), |_, _| {});
    witness.record.facts[6] = commitment::record::EntryBits::default();
    witness.entries[12 + 6] = EntryClaim::default();
    refused_under(Heading::RecordOpening, &public, &witness);
}

#[test]
fn a_record_with_a_test_or_a_check_in_run_added_is_refused() {
    let (public, mut witness) = green();
    witness.record.negatives[4] = ago(1).get();
    refused_under(Heading::RecordOpening, &public, &witness);
    let (public, mut witness) = green();
    witness.record.runs[1].1 += 1;
    refused_under(Heading::RecordOpening, &public, &witness);
    let (public, mut witness) = green();
    witness.blinding.0 += Fr::from(1u64);
    refused_under(Heading::RecordOpening, &public, &witness);
}

#[test]
fn a_ground_dated_after_as_of_is_refused() {
    // Elsewhere-entries are green for eight days, so a date ahead would colour nothing.
    let mut record = green_record();
    let mut facts = record.facts().to_vec();
    let later = rules::Minute::new(ago(0).get() + 5).unwrap();
    facts.push(Fact {
        begin: later,
        ..fact(FactKind::Entry, 35, 0)
    });
    record = Record::new(
        record.stays().to_vec(),
        facts,
        record.negatives().to_vec(),
        record.runs().to_vec(),
    )
    .unwrap();
    let scene = Scene {
        record,
        as_of: later,
        ..Scene::green()
    };
    let (_, mut witness) = scene.witness().unwrap();
    let (now_public, now_witness) = green();
    let public = PublicInputs {
        registry_root: registry_of(&witness, ago(3).get()),
        ..now_public
    };
    for (slot, now) in witness.slots.iter_mut().zip(now_witness.slots) {
        (slot.lapsed, slot.relief) = (now.lapsed, now.relief);
    }
    refused_under(Heading::RangesAndTimes, &public, &witness);
}

/// The registry root that a witness's own paths lead to.
fn registry_of(witness: &Witness, head_time: u32) -> Fr {
    let slot = u8::try_from(witness.registry_path.index).unwrap();
    let leaf = commitment::registry_leaf(
        slot,
        rules::Minute::new(head_time).unwrap(),
        witness.state_root,
    );
    witness
        .registry_path
        .root(commitment::Tree::Registry, leaf)
        .unwrap()
}

#[test]
fn another_rule_table_than_the_public_one_is_refused() {
    let (public, mut witness) = in_own_slot(case(), |_| {});
    let lenient = RowTable::new(table().province(), table().lookback_hours(), |key| {
        if key == Key::of_fact(FactKind::ConfirmedCase, false, true) {
            rules::Row::INERT
        } else {
            *table().row(key)
        }
    });
    witness.table = lenient.unwrap();
    refused_under(Heading::RuleTableOpening, &public, &witness);
}

#[test]
fn a_risk_interval_that_is_not_the_maps_is_refused() {
    let stay = Stay {
        place: place(1),
        begin: ago(5 * DAY),
        end: None,
    };
    let record = Record::new(vec![stay], vec![], vec![], vec![]).unwrap();
    let (public, _) = Scene::not_red(Record::default()).witness().unwrap();
    let committed = Scene {
        map: rules::RiskMap::empty(),
        ..Scene::not_red(record.clone())
    };
    let (committed_public, planned) = committed.witness().unwrap();
    let public = PublicInputs {
        registry_root: committed_public.registry_root,
        ..public
    };
    let site_1 = commitment::RiskTree::new(&crate::clearance::scene::map());
    let map = crate::clearance::scene::map();
    let opened = |index: usize| {
        crate::clearance::OpenedInterval::new(&map.intervals()[index], site_1.opening(index))
    };
    // The stay's own interval, its listing wiped.
    let mut wiped = planned.clone();
    wiped.intervals = [1, 0, 0, 0].map(opened);
    wiped.intervals[0].periods = [(0, 0, 0); 3];
    refused_under(Heading::RiskOpening, &public, &wiped);
    // A true interval of the map that does not hold the place.
    let mut witness = planned;
    witness.intervals = [0, 4, 0, 0].map(opened);
    for interval in 0..2 {
        witness.entries[0].interval = interval;
        refused_under(Heading::RiskOpening, &public, &witness);
    }
}

#[test]
fn a_ground_declared_no_ground_or_given_another_key_or_anchor_is_refused() {
    let (public, witness) = with_ground(case(), |w, p| w.entries[p].is_ground = false);
    refused_under(Heading::EntryKey, &public, &witness);

    let inert = Key::of_fact(FactKind::ConfirmedCase, true, true).code();
    let (public, witness) = with_ground(case(), |witness, position| {
        let slot = free_slot(witness);
        witness.entries[position].key = inert;
        witness.entries[position].slot = u8::try_from(slot).unwrap();
        witness.slots[slot] = SlotClaim {
            key: inert,
            anchor: ago(0).get(),
            ..SlotClaim::default()
        };
    });
    refused_under(Heading::EntryKey, &public, &witness);

    // A contact of two days ago, re-dated to join the slot of those that are closed.
    let contact = fact(FactKind::CloseContact, 33, 2 * DAY);
    let (public, witness) = with_ground(contact, |witness, position| {
        witness.entries[position].anchor = ago(13 * DAY).get();
        witness.entries[position].slot = witness.entries[12].slot;
    });
    refused_under(Heading::EntryKey, &public, &witness);
}

#[test]
fn a_ground_in_a_slot_of_another_key_or_with_an_earlier_anchor_is_refused() {
    let (public, witness) = with_ground(case(), |w, p| w.entries[p].slot = w.entries[14].slot);
    refused_under(Heading::ReasonSlots, &public, &witness);

    // Merged into the closed contacts' slot, whose anchor is earlier.
    let contact = fact(FactKind::CloseContact, 33, 2 * DAY);
    let (public, witness) = with_ground(contact, |w, p| w.entries[p].slot = w.entries[12].slot);
    refused_under(Heading::ReasonSlots, &public, &witness);

    // An entry elsewhere, yellow from its eighth day, merged into the slot of a later one that is still green.
    let entry = fact(FactKind::Entry, 35, 9 * DAY);
    let (public, witness) = with_ground(entry, |w, p| w.entries[p].slot = w.entries[14].slot);
    refused_under(Heading::ReasonSlots, &public, &witness);
}

#[test]
fn a_lapse_before_its_time_or_without_a_row_for_it_is_refused() {
    let early = fact(FactKind::PooledTube, 33, 12 * 60 - 1);
    // The scene's own tube lapsed in its slot; this one merges to its own later anchor.
    let (public, witness) = with_ground(early, |witness, position| {
        let slot = usize::from(witness.entries[15].slot);
        witness.slots[slot].anchor = witness.entries[position].anchor;
        witness.entries[position].slot = u8::try_from(slot).unwrap();
    });
    refused_under(Heading::AnchorPhasesLapse, &public, &witness);
    let (public, witness) = in_own_slot(case(), |slot| slot.lapsed = true);
    refused_under(Heading::AnchorPhasesLapse, &public, &witness);
}

/// The contact's slot cleared with some relief.
fn contact_cleared(days_ago: u32, relief: Relief) -> (PublicInputs, Witness) {
    with_ground(
        fact(FactKind::CloseContact, 33, days_ago * DAY),
        |witness, position| {
            let slot = usize::from(witness.entries[12].slot);
            witness.slots[slot].anchor = witness.entries[position].anchor;
            witness.slots[slot].relief = Some(relief);
            witness.entries[position].slot = u8::try_from(slot).unwrap();
        },
    )
}

#[test]
fn a_clearing_before_its_time_or_by_a_way_that_is_not_there_is_refused() {
    let fresh = Relief {
        negatives: [3, 0, 0],
        ..Relief::default()
    };
    let (public, witness) = contact_cleared(10, fresh);
    refused_under(Heading::Clearing, &public, &witness);
    let (public, witness) = contact_cleared(
        12,
        Relief {
            alternative: 1,
            ..fresh
        },
    );
    refused_under(Heading::Clearing, &public, &witness);
    let (public, witness) = in_own_slot(case(), |slot| slot.relief = Some(fresh));
    refused_under(Heading::Clearing, &public, &witness);
    // The same with its time come passes, so the refusals above are for the reasons named.
    let (public, witness) = contact_cleared(12, fresh);
    assert_eq!(
        (check(&public, &witness), assign(&public, &witness).broken),
        (Ok(()), vec![])
    );
}

/// The potential-risk slot (two negatives, 24 hours apart, within 72) with other picks.
fn potential_risk_cleared(negatives: [u8; 3], record: Record) -> (PublicInputs, Witness) {
    let scene = Scene {
        record: green_record(),
        ..Scene::green()
    };
    let (_, planned) = scene.witness().unwrap();
    let slot = usize::from(planned.entries[16].slot);
    let lenient = Scene {
        claim: Claim {
            worst: WorstColour::Yellow,
            ..Scene::green().claim
        },
        record,
        ..Scene::green()
    };
    let (public, mut witness) = lenient.witness().unwrap();
    witness.slots[slot].relief = Some(Relief {
        negatives,
        ..Relief::default()
    });
    (
        PublicInputs {
            claim: Scene::green().claim,
            ..public
        },
        witness,
    )
}

#[test]
fn one_negative_counted_twice_is_refused() {
    let (public, witness) = potential_risk_cleared([1, 1, 0], green_record());
    refused_under(Heading::Clearing, &public, &witness);
}

#[test]
fn negatives_too_close_too_far_apart_out_of_order_or_too_early_are_refused() {
    let with = |negatives: Vec<u32>| {
        let base = green_record();
        let negatives = negatives.into_iter().map(ago).collect();
        Record::new(
            base.stays().to_vec(),
            base.facts().to_vec(),
            negatives,
            base.runs().to_vec(),
        )
        .unwrap()
    };
    let hour = 60;
    for (name, negatives, picks, passes) in [
        (
            "as needed",
            vec![100 * hour, 76 * hour, hour],
            [0, 1, 0],
            true,
        ),
        (
            "a minute too close",
            vec![100 * hour, 76 * hour + 1, hour],
            [0, 1, 0],
            false,
        ),
        ("span just reached", vec![73 * hour, hour], [0, 1, 0], true),
        (
            "a minute too far apart",
            vec![73 * hour + 1, hour],
            [0, 1, 0],
            false,
        ),
        (
            "out of order",
            vec![100 * hour, 76 * hour, hour],
            [1, 0, 0],
            false,
        ),
        (
            "at the anchor",
            vec![120 * hour, 76 * hour, hour],
            [0, 1, 0],
            true,
        ),
        (
            "a minute before the anchor",
            vec![120 * hour + 1, 76 * hour, hour],
            [0, 1, 0],
            false,
        ),
        (
            "an empty position",
            vec![100 * hour, 76 * hour, hour],
            [7, 1, 0],
            false,
        ),
    ] {
        let (public, witness) = potential_risk_cleared(picks, with(negatives));
        if passes {
            assert_eq!(check(&public, &witness), Ok(()), "{name}");
            assert_eq!(assign(&public, &witness).broken, [], "{name}");
        } else {
            assert_eq!(
                check(&public, &witness),
                Err(Refusal(Heading::Clearing)),
                "{name}"
            );
            assert_eq!(
                assign(&public, &witness).broken,
                [Heading::Clearing],
                "{name}"
            );
        }
    }
}

#[test]
fn a_check_in_run_stretched_or_begun_before_the_anchor_is_refused() {
    let today = ago(0).day().get();
    let with = |first: u16, last: u16, first_day: u16| {
        let base = green_record();
        let run = |back_first: u16, back_last: u16| CheckInRun {
            first: Day::new(today - back_first),
            last: Day::new(today - back_last),
        };
        let runs = vec![run(30, 29), run(first, last)];
        let record = Record::new(
            base.stays().to_vec(),
            base.facts().to_vec(),
            base.negatives().to_vec(),
            runs,
        )
        .unwrap();
        let inert = RowTable::new(table().province(), table().lookback_hours(), |_| {
            rules::Row::INERT
        })
        .unwrap();
        let (_, slots) = green();
        let (public, mut witness) = Scene {
            record,
            table: inert,
            ..Scene::green()
        }
        .witness()
        .unwrap();
        witness.table = table();
        witness.slots = slots.slots;
        let slot = usize::from(witness.entries[17].slot);
        let relief = witness.slots[slot].relief.as_mut().unwrap();
        (relief.run, relief.first_day) = (1, today - first_day);
        (
            PublicInputs {
                rule_digest: green().0.rule_digest,
                ..public
            },
            witness,
        )
    };
    // Symptoms nine days ago, seven days of check-in needed.
    for (name, first, last, first_day, passes) in [
        ("eight days", 8, 1, 8, true),
        ("the last seven", 8, 1, 7, true),
        ("beyond the run's end", 8, 1, 6, false),
        ("before the run's begin", 7, 0, 8, false),
        ("exactly seven", 7, 1, 7, true),
        ("six days", 7, 2, 7, false),
        ("the anchor's own day", 9, 0, 9, false),
    ] {
        let (public, witness) = with(first, last, first_day);
        let expected = if passes {
            vec![]
        } else {
            vec![Heading::Clearing]
        };
        assert_eq!(assign(&public, &witness).broken, expected, "{name}");
        assert_eq!(check(&public, &witness).is_ok(), passes, "{name}");
    }
}

#[test]
fn an_open_reason_that_is_worse_than_claimed_is_refused() {
    let (public, witness) = in_own_slot(case(), |_| {});
    refused_under(Heading::WorstColour, &public, &witness);
    let contact = fact(FactKind::CloseContact, 33, 9 * DAY);
    let merged = |w: &mut Witness, p: usize| {
        let slot = usize::from(w.entries[12].slot);
        w.slots[slot] = SlotClaim {
            anchor: w.entries[p].anchor,
            relief: None,
            ..w.slots[slot]
        };
        w.entries[p].slot = u8::try_from(slot).unwrap();
    };
    let (public, witness) = with_ground(contact, merged);
    refused_under(Heading::WorstColour, &public, &witness);
    // Yellow is admitted under "not red".
    let yellow = Claim {
        worst: WorstColour::Yellow,
        ..public.claim
    };
    let public = PublicInputs {
        claim: yellow,
        ..public
    };
    assert_eq!(
        (check(&public, &witness), assign(&public, &witness).broken),
        (Ok(()), vec![])
    );
}

#[test]
fn a_test_older_than_claimed_or_not_there_is_refused() {
    let (public, mut witness) = green();
    for (position, passes) in [(3, true), (2, true), (1, false), (7, false)] {
        witness.fresh_negative = position;
        if passes {
            assert_eq!(check(&public, &witness), Ok(()));
        } else {
            refused_under(Heading::TestAge, &public, &witness);
        }
    }
    // The age menu is exact: 72 hours admit the one of three days ago to the minute, 48 do not.
    witness.fresh_negative = 1;
    let age = |test_age| PublicInputs {
        claim: Claim {
            test_age,
            ..public.claim
        },
        ..public
    };
    assert_eq!(check(&age(TestAge::Hours72), &witness), Ok(()));
    assert_eq!(assign(&age(TestAge::Hours72), &witness).broken, []);
    refused_under(Heading::TestAge, &age(TestAge::Hours48), &witness);
    witness.fresh_negative = 7;
    assert_eq!(assign(&age(TestAge::NotAsked), &witness).broken, []);
}
