//! Keys, slots and merged anchors.

use ark_ff::Field;
use rules::FactKind;

use super::*;
use crate::clearance::{Relief, SlotClaim};

#[test]
fn a_case_finds_no_key_but_its_own() {
    let roles = Roles::new();
    let (public, witness) = case();
    let own = u64::from(witness.slots[0].key);
    assert_eq!(own, 33);
    let mut values = Values::assigned(&public, &witness);
    let mut only_the_slot = 0;
    for key in 0..128 {
        values.follow_bits(roles.key(0), key);
        let broken = values.broken_headings();
        match key {
            _ if key == own => assert_eq!(broken, [Heading::WorstColour].into()),
            96.. => assert!(broken.contains(&Heading::AnchorPhasesLapse), "key {key}"),
            _ => assert!(broken.contains(&Heading::ReasonSlots), "key {key}"),
        }
        only_the_slot += usize::from(broken == [Heading::ReasonSlots].into());
    }
    assert!(only_the_slot > 40, "{only_the_slot} keys would have served");
    // A key that fits the slot and not the entry.
    for key in (0..96).filter(|key| u64::from(*key) != own).step_by(5) {
        let mut witness = witness.clone();
        (witness.entries[12].key, witness.slots[0].key) = (key, key);
        assert_eq!(check(&public, &witness), Err(Refusal(Heading::EntryKey)));
        assert!(
            assign(&public, &witness)
                .broken
                .contains(&Heading::EntryKey)
        );
    }
}

#[test]
fn the_slots_position_is_the_grounds_only_choice_and_no_other_slot_serves() {
    let roles = Roles::new();
    let (public, witness) = case();
    let mut values = Values::assigned(&public, &witness);
    for slot in 1..8 {
        values.follow_bits(roles.slot(12), slot);
        let broken = [Heading::ReasonSlots, Heading::WorstColour];
        assert_eq!(values.broken_headings(), broken.into());
    }
    // With the red slot given up, only the entry's own place in a slot stands in the way.
    values.follow_bits(roles.key(0), 0);
    assert_eq!(values.broken_headings(), [Heading::ReasonSlots].into());
}

/// A fact in a slot with another anchor, later by so many minutes.
fn with_anchor(kind: FactKind, province: u8, days: u32, later_min: i32) -> (PublicInputs, Witness) {
    let scene = claimed_green(&[fact(kind, province, days * DAY)], &[], &[]);
    let (public, mut witness) = as_it_stands(&scene);
    let anchor = &mut witness.slots[0].anchor;
    *anchor = anchor.checked_add_signed(later_min).unwrap();
    (public, witness)
}

#[test]
fn an_anchor_may_be_later_only_where_the_row_is_monotone_and_never_earlier() {
    // A tube: yellow until its lapse. With an earlier anchor it would have lapsed; a later one is to its harm alone.
    for later in [-1, -60, -1440, -20_000_000] {
        let (public, mut witness) = with_anchor(FactKind::PooledTube, 33, 0, later);
        witness.slots[0].lapsed = later <= -720;
        let heading = Heading::ReasonSlots;
        if witness.slots[0].lapsed {
            refused_under(heading, &(public, witness));
        } else {
            assert_eq!(check(&public, &witness), Err(Refusal(heading)));
        }
    }
    for later in [0, 1, 1440, 20_000_000] {
        let attempt = with_anchor(FactKind::CloseContact, 33, 9, later);
        refused_under(Heading::WorstColour, &attempt);
    }
    // An entry elsewhere: green for eight days, then yellow. Its row rises, so its anchor is exact.
    accepted(&with_anchor(FactKind::Entry, 35, 2, 0));
    for later in [-1440, -1, 1, 1440] {
        refused_under(
            Heading::ReasonSlots,
            &with_anchor(FactKind::Entry, 35, 2, later),
        );
    }
    refused_under(
        Heading::WorstColour,
        &with_anchor(FactKind::Entry, 35, 9, 0),
    );
    let renewed = i32::try_from(3 * DAY).unwrap();
    refused_under(
        Heading::ReasonSlots,
        &with_anchor(FactKind::Entry, 35, 9, renewed),
    );
}

#[test]
fn whether_the_anchor_must_be_equal_is_not_the_provers_to_say() {
    let roles = Roles::new();
    for (kind, province, later) in [
        (FactKind::Entry, 35, 0),
        (FactKind::Entry, 35, 1440),
        (FactKind::PotentialRisk, 33, 0),
        (FactKind::PotentialRisk, 33, 1440),
    ] {
        let (public, witness) = with_anchor(kind, province, 2, later);
        let mut values = Values::assigned(&public, &witness);
        let wire = roles.must_equal(12);
        let said = values.of(wire);
        for other in [
            Fr::from(1u64) - said,
            Fr::from(2u64),
            -said - Fr::from(1u64),
        ] {
            values.follow(wire, other);
            assert!(values.broken_headings().contains(&Heading::ReasonSlots));
        }
    }
}

#[test]
fn two_grounds_share_a_slot_only_under_the_later_anchor() {
    let contacts = [11, 13].map(|days| fact(FactKind::CloseContact, 33, days * DAY));
    for (slot, passes) in [(0, true), (1, false)] {
        let scene = claimed_green(&contacts, &[], &[5 * HOUR]);
        let (public, mut witness) = as_it_stands(&scene);
        // The other slot is given up.
        witness.slots[1 - slot] = SlotClaim::default();
        witness.slots[slot].relief = Some(Relief::default());
        let number = u8::try_from(slot).unwrap();
        (witness.entries[12].slot, witness.entries[13].slot) = (number, number);
        if passes {
            accepted(&(public, witness));
        } else {
            refused_under(Heading::ReasonSlots, &(public, witness));
        }
    }
}

#[test]
fn a_fact_is_local_to_one_province_whatever_inverse_is_given() {
    let roles = Roles::new();
    let inverse_wire = free(Heading::EntryKey, false)[12];
    let (public, witness) = case();
    let mut values = Values::assigned(&public, &witness);
    let one = Fr::from(1u64);
    for province in 0..128u64 {
        values.follow_bits(roles.place(12), province);
        let difference = Fr::from(province) - Fr::from(33u64);
        let inverse = difference.inverse();
        let mut said_local = |inverse| {
            values.follow(inverse_wire, inverse);
            !values.broken_headings().contains(&Heading::EntryKey)
        };
        assert_eq!(said_local(Fr::from(0u64)), province == 33, "{province}");
        if let Some(inverse) = inverse {
            assert!(said_local(inverse));
            assert!(!said_local(inverse + one) && !said_local(-inverse));
        } else {
            // For the own province any number will do, to no effect.
            assert!(said_local(one) && said_local(-one));
        }
    }
}

#[test]
fn nothing_that_a_record_holds_is_local_to_the_nation() {
    let nation = rules::ProvinceCode::NATION;
    let table = crate::clearance::scene::table();
    let row_of = |key: rules::Key| *table.row(key);
    let of_nation = RowTable::new(nation, table.lookback_hours(), row_of).unwrap();
    for province in std::iter::once(0).chain(rules::ProvinceCode::ALL) {
        let scene = Scene {
            table: of_nation.clone(),
            ..claimed_green(&[fact(FactKind::ConfirmedCase, province, DAY)], &[], &[])
        };
        let (public, mut witness) = as_it_stands(&scene);
        assert_eq!(witness.entries[12].key, 1, "{province}");
        witness.entries[12].key = 33;
        witness.slots[0].key = 33;
        let broken = assign(&public, &witness).broken;
        assert_eq!(
            broken,
            [Heading::EntryKey, Heading::WorstColour],
            "{province}"
        );
    }
    // The number that stands for the nation's own table can be committed, as no record's; its case is a case.
    let scene = Scene {
        table: of_nation,
        ..claimed_green(&[fact(FactKind::ConfirmedCase, 33, DAY)], &[], &[])
    };
    let (mut public, mut witness) = as_it_stands(&scene);
    witness.record.facts[0].place = 127;
    recommit(&mut public, &mut witness);
    claim_truly(&public, &mut witness);
    assert_eq!(witness.entries[12].key, 33);
    refused_under(Heading::WorstColour, &(public, witness));
}
