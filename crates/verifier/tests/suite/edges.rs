//! The last second, half minute and place of a memory that serve, and the first that do not.

use commitment::layout::LayoutError;
use commitment::{BinderKind, CircuitUse};
use verifier::trust::{OnlineDocument, RootDocument, TrustList};
use verifier::{
    AcceptanceRule, BinderKinds, Code, Error, Gate, GateMemory, MEMORY_LIMIT, Presented,
    RevocationHash, ShowingSlot, UnixTime, VerifyingKey, verify,
};

use crate::bench::{Bench, later};
use crate::fixture::*;

#[test]
fn a_list_is_taken_to_the_last_second_of_its_time() {
    let world = World::new();
    let accept = |expires: UnixTime, issued: i64, hard: u32| {
        let root = RootDocument {
            expires_at: expires,
            ..world.root()
        };
        let online = OnlineDocument {
            issued_at: later(issued),
            soft_stale_s: 1,
            hard_stale_s: hard,
            ..world.online()
        };
        let bytes = bundle(&[sign_root(root, &[1, 2])], online, &[1, 2]);
        let list = TrustList::accept(&bytes, None, &root_keys(&[1, 2, 3], 2), NOW);
        list.map(|_| ())
    };
    let far = later(1_000_000);
    let now_s = NOW.get_s();
    let ended = |ended_s| Err(Error::Expired { ended_s, now_s });
    assert_eq!(accept(far, 60, 3_600), Ok(()));
    assert_eq!(
        accept(far, 61, 3_600),
        Err(Error::FromTheFuture {
            issued_s: now_s + 61,
            now_s
        })
    );
    assert_eq!(accept(far, -3_599, 3_600), Ok(()));
    assert_eq!(accept(far, -3_600, 3_600), ended(now_s));
    assert_eq!(accept(later(1), -60, 3_600), Ok(()));
    assert_eq!(accept(later(0), -60, 3_600), ended(now_s));
}

#[test]
fn a_clock_may_be_a_minute_behind_what_is_known_to_have_happened() {
    let mut bench = Bench::new();
    let showing = bench.world.showing(&Wish::default());
    let code = |list: &TrustList, latest: UnixTime| {
        let mut memory = GateMemory::starting_at(latest);
        let presented = Presented::plain(&showing);
        verify(&presented, list, &gate(), NOW, &mut memory).code()
    };
    assert_eq!(code(&bench.list, later(60)), Code::Accepted);
    assert_eq!(code(&bench.list, later(61)), Code::ClockSetBack);
    let issued = |seconds| {
        let online = OnlineDocument {
            issued_at: later(seconds),
            ..bench.world.online()
        };
        let bytes = bundle(&[sign_root(bench.world.root(), &[1, 2])], online, &[1, 2]);
        TrustList::restore(&bytes, &root_keys(&[1, 2, 3], 2))
            .unwrap()
            .complete()
            .unwrap()
    };
    assert_eq!(code(&issued(60), NOW), Code::Accepted);
    assert_eq!(code(&issued(61), NOW), Code::ClockSetBack);
}

#[test]
fn a_list_serves_to_the_last_second_before_its_hard_age_and_its_end() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let gate = Gate {
        rule: AcceptanceRule {
            pass_age_max_min: 20_160,
            ..rule()
        },
        ..gate()
    };
    let code = |list: &TrustList, seconds: i64| {
        let now = later(seconds);
        let showing = show(pass.clone(), &secret, now, None);
        let presented = Presented::plain(&showing);
        verify(&presented, list, &gate, now, &mut GateMemory::default()).code()
    };
    // Issued five minutes before; hard after six hours.
    assert_eq!(code(&bench.list, 6 * 3_600 - 301), Code::Accepted);
    assert_eq!(code(&bench.list, 6 * 3_600 - 300), Code::ListStale);
    let root = RootDocument {
        expires_at: later(600),
        ..bench.world.root()
    };
    let bytes = bundle(&[sign_root(root, &[1, 2])], bench.world.online(), &[1, 2]);
    let list = TrustList::restore(&bytes, &root_keys(&[1, 2, 3], 2))
        .unwrap()
        .complete()
        .unwrap();
    assert_eq!(code(&list, 599), Code::Accepted);
    assert_eq!(code(&list, 600), Code::ListExpired);
}

#[test]
fn a_rule_set_serves_from_its_first_minute_to_the_last_before_its_grace_ends() {
    let mut bench = Bench::new();
    let showing = bench.world.showing(&Wish::default());
    let code = |valid_from: u32, superseded_at: Option<u32>| {
        let mut root = bench.world.root();
        let entry = root.rule_sets.iter_mut().find(|e| e.short_id == ZHEJIANG);
        let entry = entry.unwrap();
        entry.valid_from = minute(valid_from);
        entry.superseded_at = superseded_at.map(minute);
        let bytes = bundle(&[sign_root(root, &[1, 2])], bench.world.online(), &[1, 2]);
        let list = TrustList::restore(&bytes, &root_keys(&[1, 2, 3], 2))
            .unwrap()
            .complete()
            .unwrap();
        let presented = Presented::plain(&showing);
        verify(&presented, &list, &gate(), NOW, &mut GateMemory::default()).code()
    };
    let closed = close(12).get();
    assert_eq!(code(closed, None), Code::Accepted);
    assert_eq!(code(closed + 1, None), Code::RuleSetNotYetValid);
    // With two hours of grace.
    assert_eq!(code(closed - 200, Some(closed - 119)), Code::Accepted);
    assert_eq!(
        code(closed - 200, Some(closed - 120)),
        Code::RuleSetSuperseded
    );
}

#[test]
fn no_gate_is_wider_than_ten_half_minutes() {
    let mut bench = Bench::new();
    let showing = bench.world.showing(&Wish::default());
    for skew in [10, 11, 255] {
        let wide = Gate {
            slot_skew: skew,
            ..gate()
        };
        let code = |seconds| bench.of(&showing, &wide, later(seconds)).code();
        assert_eq!(code(10 * 30), Code::Accepted);
        assert_eq!(code(11 * 30), Code::SlotNotCurrent);
    }
    let narrow = Gate {
        slot_skew: 0,
        ..gate()
    };
    assert!(bench.of(&showing, &narrow, NOW).is_accept());
    let next = bench.of(&showing, &narrow, later(30));
    assert_eq!(next.code(), Code::SlotNotCurrent);
}

#[test]
fn a_full_memory_is_read_again_and_an_overfull_one_is_not() {
    let limit = u32::try_from(MEMORY_LIMIT).unwrap();
    let entries = (0..limit).flat_map(|number| {
        let slot = ShowingSlot::new(number).get().to_be_bytes();
        [&slot[..], &[7; 32]].concat()
    });
    let head = |count: u32| {
        let latest = NOW.get_s().to_be_bytes();
        [&[1][..], &latest, &count.to_be_bytes()].concat()
    };
    let entries: Vec<u8> = entries.collect();
    let full = [head(limit), entries.clone()].concat();
    let memory = GateMemory::from_bytes(&full).unwrap();
    assert_eq!((memory.len(), memory.latest()), (MEMORY_LIMIT, NOW));
    assert!(!memory.is_empty());
    assert_eq!(memory.to_bytes(), full);
    let longer = [&full[..], &[0]].concat();
    let error = LayoutError::TooLong {
        len: longer.len(),
        limit: full.len(),
    };
    assert_eq!(GateMemory::from_bytes(&longer), Err(error.into()));
    let more = [head(limit + 1), entries].concat();
    let error = LayoutError::TooMany {
        what: "showings",
        count: MEMORY_LIMIT + 1,
        limit: MEMORY_LIMIT,
    };
    assert_eq!(GateMemory::from_bytes(&more), Err(error.into()));
}

#[test]
fn what_was_seen_and_what_finds_no_room_is_refused_before_its_proof_is_looked_at() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let (other, _) = bench.world.pass(&Wish::default());
    let mut forged = pass.clone();
    forged.proof = other.proof;
    let [good, forged] = [pass, forged].map(|pass| show(pass, &secret, NOW, None));
    let code = |showing, memory: &mut GateMemory| {
        verify(
            &Presented::plain(showing),
            &bench.list,
            &gate(),
            NOW,
            memory,
        )
        .code()
    };
    let memory = &mut GateMemory::default();
    assert_eq!(code(&forged, memory), Code::ProofInvalid);
    assert_eq!(code(&good, memory), Code::Accepted);
    assert_eq!(code(&forged, memory), Code::Replayed);
    // A memory of as many showings of this half minute as it can hold.
    let limit = u32::try_from(MEMORY_LIMIT).unwrap();
    let mut bytes = vec![1];
    bytes.extend_from_slice(&NOW.get_s().to_be_bytes());
    bytes.extend_from_slice(&limit.to_be_bytes());
    for number in 0..limit {
        bytes.extend_from_slice(&NOW.slot().get().to_be_bytes());
        bytes.extend_from_slice(&[0; 28]);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    let full = &mut GateMemory::from_bytes(&bytes).unwrap();
    assert_eq!(code(&forged, full), Code::MemoryFull);
    assert_eq!(code(&good, full), Code::MemoryFull);
    assert_eq!(full.len(), MEMORY_LIMIT);
}

#[test]
fn a_key_with_any_point_at_infinity_is_refused() {
    let good = World::new().production.key.vk;
    assert!(VerifyingKey::new(good.clone()).is_ok());
    let mut keys = vec![good; 4];
    keys[0].alpha_g1 = ark_bn254::G1Affine::identity();
    keys[1].beta_g2 = ark_bn254::G2Affine::identity();
    keys[2].gamma_g2 = ark_bn254::G2Affine::identity();
    keys[3].delta_g2 = ark_bn254::G2Affine::identity();
    for key in keys {
        let refused = Error::BadPoint("the verifying key");
        assert_eq!(VerifyingKey::new(key), Err(refused));
    }
}

#[test]
fn a_set_of_binder_kinds_holds_each_once_however_often_it_was_put_in() {
    let twice = BinderKinds::of(&[BinderKind::Card, BinderKind::Card]);
    assert_eq!(twice, BinderKinds::of(&[BinderKind::Card]));
    assert!(twice.contains(BinderKind::Card) && !twice.contains(BinderKind::Device));
    assert_eq!(twice.bits(), 0b100);
    assert_eq!(BinderKinds::from_bits(0b111), Some(BinderKinds::ALL));
    assert_eq!(BinderKinds::from_bits(0b1000), None);
}

#[test]
fn short_names_are_shown_in_hexadecimal_and_secrets_not_at_all() {
    assert_eq!(NATION.to_string(), "01000003");
    assert_eq!(MAP.to_string(), "02000001");
    let card = verifier::CardNumber::new(*CARD);
    assert_eq!(format!("{card:?}"), "CardNumber(..)");
    let tag = card.tag(RevocationHash([1; 16]));
    assert_eq!(format!("{tag:?}"), "CardTag(..)");
    let seed = verifier::BatchSeed::from_random([5; 32]);
    assert_eq!(format!("{seed:?}"), "BatchSeed(..)");
    let id = World::new().production.entry.id();
    assert_eq!(id.circuit_use(), CircuitUse::Production);
}
