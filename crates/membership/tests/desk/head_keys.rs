//! Head keys are announced before use, and retired with dates.

use ed25519_dalek::SigningKey;
use membership::HeadKeyState::{Announced, InForce, Retired};
use membership::{Change, MembershipError, head_keys};
use rules::Minute;
use verifier::UnixTime;
use verifier::trust::HeadKeys;

use super::{Desk, NOW, circuit, hex_of, key, later, plan_text, rotate};

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

fn in_hours(hours: u64) -> Minute {
    later(hours * HOUR_S).minute()
}

/// The head keys of slot 1 with their dates.
fn dates(desk: &Desk) -> HeadKeys {
    desk.root().provinces[0].head_keys.clone()
}

fn dated(keys: &[(Minute, &SigningKey)]) -> HeadKeys {
    let keys = keys.iter().map(|(from, key)| (*from, key.verifying_key()));
    HeadKeys::new(keys.collect()).unwrap()
}

fn rotated(desk: &Desk, old: &SigningKey, new: &SigningKey, from: Minute, now: UnixTime) -> Change {
    desk.ask("33", &rotate(desk, Some(from), old, new));
    desk.agree(now, &[key(1), key(2)]).remove(0)
}

#[test]
fn a_head_key_is_announced_a_day_ahead_and_the_old_one_is_retired_on_its_date() {
    let desk = Desk::founded();
    let at = in_hours(48);
    let change = rotated(&desk, &key(133), &key(233), at, NOW);
    let Change::HeadKey {
        old,
        new,
        from_minute,
        ..
    } = &change
    else {
        panic!("{change}");
    };
    assert_eq!((old, new), (&hex_of(&key(133)), &hex_of(&key(233))));
    assert_eq!(*from_minute, Some(at.get()));
    assert!(change.to_string().contains(", from "), "{change}");
    let both = dated(&[(Minute::ZERO, &key(133)), (at, &key(233))]);
    assert_eq!(dates(&desk), both);

    let states = |now: Minute| {
        let named = head_keys(&desk.root(), now);
        let slot = named.into_iter().filter(|named| named.slot == 1);
        slot.map(|named| (named.state, named.until_minute))
            .collect::<Vec<_>>()
    };
    let until = Some(at.get());
    assert_eq!(states(NOW.minute()), [(InForce, until), (Announced, None)]);
    assert_eq!(states(at), [(Retired, until), (InForce, None)]);

    // Until then the old key asks, from then on the new one; and the retired one stays named with its date.
    let third = |by: &SigningKey, now: UnixTime| {
        let from = now.minute().saturating_add_signed(2 * 1_440);
        desk.ask("33", &rotate(&desk, Some(from), by, &key(66)));
        desk.propose(now).map(drop)
    };
    assert!(third(&key(133), later(47 * HOUR_S)).is_ok());
    let nobody = |asked| matches!(asked, Err(MembershipError::NotAMember { .. }));
    assert!(nobody(third(&key(233), later(47 * HOUR_S))));
    assert!(nobody(third(&key(133), later(48 * HOUR_S))));
    let second = in_hours(100);
    rotated(&desk, &key(233), &key(66), second, later(48 * HOUR_S));
    let three = dated(&[
        (Minute::ZERO, &key(133)),
        (at, &key(233)),
        (second, &key(66)),
    ]);
    assert_eq!(dates(&desk), three);
}

#[test]
fn a_date_that_is_too_near_or_too_far_is_refused_to_whoever_proposes_and_whoever_signs() {
    let desk = Desk::founded();
    let propose = |from: Minute, now: UnixTime| {
        desk.ask("33", &rotate(&desk, Some(from), &key(133), &key(233)));
        desk.propose(now).map(drop)
    };
    let least = in_hours(24);
    let most = in_hours(90 * 24);
    for from in [
        least.saturating_add_signed(-1),
        most.saturating_add_signed(1),
        NOW.minute(),
    ] {
        match propose(from, NOW) {
            Err(MembershipError::HeadKeyDate {
                earliest, latest, ..
            }) => {
                assert_eq!((earliest, latest), (least, most));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(propose(most, NOW).is_ok());
    assert!(propose(least, NOW).is_ok());
    // Who signs, or publishes, too late for the date refuses by the own clock.
    let late = |what: Result<(), MembershipError>| {
        assert!(
            matches!(what, Err(MembershipError::HeadKeyDate { .. })),
            "{what:?}"
        );
    };
    late(desk.sign(&key(1), later(60)).map(drop));
    desk.sign(&key(1), NOW).unwrap();
    desk.sign(&key(2), NOW).unwrap();
    late(desk.folder.publish(later(60)).map(drop));
    desk.folder.publish(NOW).unwrap();
}

#[test]
fn a_slot_has_three_keys_at_most_and_a_retired_one_is_named_for_two_weeks() {
    let desk = Desk::founded();
    let (at, second) = (in_hours(24), in_hours(3 * 24));
    rotated(&desk, &key(133), &key(201), at, NOW);
    rotated(&desk, &key(201), &key(202), second, later(DAY_S));
    // The one announced gives way to another while it is not in force.
    let other = in_hours(4 * 24);
    let now = later(2 * DAY_S);
    rotated(&desk, &key(201), &key(203), other, now);
    let three = dated(&[
        (Minute::ZERO, &key(133)),
        (at, &key(201)),
        (other, &key(203)),
    ]);
    assert_eq!(dates(&desk), three);

    let propose = |days: u64| {
        let now = later(days * DAY_S);
        let from = now.minute().saturating_add_signed(1_440);
        desk.ask("33", &rotate(&desk, Some(from), &key(203), &key(204)));
        desk.propose(now).map(|draft| draft.document().clone())
    };
    match propose(14) {
        Err(MembershipError::HeadKeyKept { kept_until }) => {
            assert_eq!(kept_until, in_hours(15 * 24));
        }
        other => panic!("{other:?}"),
    }
    let next = propose(15).unwrap();
    let from = in_hours(16 * 24);
    let left = dated(&[(at, &key(201)), (other, &key(203)), (from, &key(204))]);
    assert_eq!(next.provinces[0].head_keys, left);
    // A key does not come back, unless the whole is replaced.
    let again = |from| {
        desk.ask("33", &rotate(&desk, from, &key(203), &key(201)));
        desk.propose(later(15 * DAY_S))
            .map(|draft| draft.document().clone())
    };
    assert!(matches!(again(Some(from)), Err(MembershipError::BadKey(_))));
    let replaced = again(None).unwrap();
    assert_eq!(
        replaced.provinces[0].head_keys,
        HeadKeys::single(key(201).verifying_key())
    );
}

#[test]
fn circuits_of_openings_come_from_files_that_say_so_and_stand_in_a_list_of_their_own() {
    let desk = Desk::founded();
    let opening = circuit()
        .replacen('{', "{\"circuit\": \"opening\",", 1)
        .replacen(&digest_of_circuit(), &"ab".repeat(32), 1);
    desk.write("opening.json", &opening);
    let plan = |circuits: &str, openings: &str| {
        let lines = format!("circuits = [{circuits}]\nopenings = [{openings}]");
        desk.plan(&plan_text(2).replace("circuits = [\"circuit.json\"]", &lines));
        desk.propose(NOW)
    };
    // The key is that of passes: neither list may have what the other has.
    match plan("\"circuit.json\"", "\"opening.json\"") {
        Err(MembershipError::Trust(verifier::Error::TrustContent(what))) => {
            assert!(what.contains("passes and openings"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    for (circuits, openings, why) in [
        ("\"opening.json\"", "", "openings among those of passes"),
        (
            "\"circuit.json\"",
            "\"circuit.json\"",
            "passes among those of openings",
        ),
    ] {
        match plan(circuits, openings) {
            Err(MembershipError::Plan(what)) => assert!(what.contains(why), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The matrix digest in the description of the circuit.
fn digest_of_circuit() -> String {
    let read: serde_json::Value = serde_json::from_str(&circuit()).unwrap();
    read["matrix_digest"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_replaced_key_leaves_behind_is_told() {
    let desk = Desk::founded();
    rotated(&desk, &key(133), &key(201), in_hours(24), NOW);
    desk.ask("33", &rotate(&desk, None, &key(133), &key(202)));
    let told: Vec<String> = desk
        .agree(later(HOUR_S), &[key(1), key(2)])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(told[0].ends_with("AT ONCE"), "{told:?}");
    let gone = told
        .iter()
        .filter(|told| told.contains("not named any more"));
    assert_eq!(gone.count(), 1, "{told:?}");
    assert_eq!(dates(&desk), HeadKeys::single(key(202).verifying_key()));
}
