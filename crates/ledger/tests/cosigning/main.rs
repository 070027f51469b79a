//! Three provinces agree on an epoch, and everything that must keep one of them from signing.

mod edges;

use commitment::Fr;
use commitment::layout::LayoutError;
use ed25519_dalek::SigningKey;
use ledger::{
    CosignPolicy, Cosignature, CosignedStatement, CosignerState, Epoch, Error, Expected, HeadHash,
    HeadKeys, MAX_COSIGNED_LEN_BYTES, MAX_COSIGNER_STATE_LEN_BYTES, MAX_STATEMENT_LEN_BYTES,
    Member, Minute, ProvinceCode, RegistryStatement, Roster, RuleSetsDigest, SignedTreeHead, Slot,
    TreeHead,
};

const POLICY: CosignPolicy = CosignPolicy {
    fresh_provinces_min: 2,
    stale_head_max_min: 1440,
    delay_max_min: 30,
};
/// Code and slot of each province; its key is made from its slot.
const PROVINCES: [(u8, u8); 3] = [(33, 1), (35, 2), (42, 3)];

fn key(slot: u8) -> SigningKey {
    SigningKey::from_bytes(&[slot; 32])
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

fn member((province, place): (u8, u8)) -> Member {
    Member {
        province: ProvinceCode::new(province).unwrap(),
        slot: slot(place),
        head_keys: HeadKeys::single(key(place).verifying_key()),
    }
}

fn roster() -> Roster {
    Roster::new(PROVINCES.map(member).to_vec()).unwrap()
}

fn rule_sets() -> RuleSetsDigest {
    RuleSetsDigest::of(&[Fr::from(1), Fr::from(2)])
}

fn expected(now: u32) -> Expected {
    Expected {
        risk_root: Fr::from(77),
        rule_sets: rule_sets(),
        now: minute(now),
    }
}

/// Epochs close every hour; heads are made five minutes before.
fn close(epoch: u32) -> u32 {
    1_000_000 + 60 * epoch
}

fn head((province, place): (u8, u8), epoch: u32, previous: HeadHash) -> TreeHead {
    TreeHead {
        province: ProvinceCode::new(province).unwrap(),
        slot: slot(place),
        epoch: Epoch::new(epoch),
        head_time: minute(close(epoch) - 5),
        state_root: Fr::from(u64::from(place) * 1000 + u64::from(epoch)),
        leaf_count: 100,
        rule_sets: rule_sets(),
        previous,
    }
}

fn heads(epoch: u32, previous: &[HeadHash; 3]) -> Vec<SignedTreeHead> {
    PROVINCES
        .iter()
        .zip(previous)
        .map(|(p, previous)| head(*p, epoch, *previous).sign(&key(p.1)))
        .collect()
}

fn first_heads() -> Vec<SignedTreeHead> {
    heads(1, &[HeadHash::NONE; 3])
}

fn statement(epoch: u32, heads: &[SignedTreeHead]) -> RegistryStatement {
    let as_of = minute(close(epoch));
    RegistryStatement::new(Epoch::new(epoch), as_of, Fr::from(77), rule_sets(), heads).unwrap()
}

fn consider(
    state: &CosignerState,
    epoch: u32,
    heads: &[SignedTreeHead],
) -> Result<CosignerState, Error> {
    state
        .consider(
            &statement(epoch, heads),
            heads,
            &roster(),
            &POLICY,
            &expected(close(epoch) + 1),
        )
        .map(|permit| permit.next_state().clone())
}

fn cosign(statement: &RegistryStatement, heads: &[SignedTreeHead], place: u8) -> Cosignature {
    CosignerState::default()
        .consider(
            statement,
            heads,
            &roster(),
            &POLICY,
            &expected(close(1) + 1),
        )
        .unwrap()
        .sign(slot(place), &key(place))
}

#[test]
fn two_of_three_provinces_are_a_quorum_and_one_is_not() {
    let heads = first_heads();
    let statement = statement(1, &heads);
    let one = cosign(&statement, &heads, 1);
    let two = cosign(&statement, &heads, 2);
    let alone = CosignedStatement::new(statement.clone(), vec![one, one]);
    assert_eq!(
        alone.check_quorum(&roster()),
        Err(Error::NoQuorum { have: 1, need: 2 })
    );
    let both = CosignedStatement::new(statement, vec![two, one]);
    assert_eq!(both.check_quorum(&roster()), Ok(()));
    let bytes = both.to_bytes();
    assert_eq!(CosignedStatement::from_bytes(&bytes), Ok(both));
    for len in 0..bytes.len() {
        assert!(CosignedStatement::from_bytes(&bytes[..len]).is_err());
    }
}

#[test]
fn a_province_with_two_slots_is_one_voice() {
    let mut members = PROVINCES.map(member).to_vec();
    members.push(Member {
        slot: slot(9),
        head_keys: HeadKeys::single(key(9).verifying_key()),
        ..members[0].clone()
    });
    let roster = Roster::new(members).unwrap();
    let heads = first_heads();
    let statement = statement(1, &heads);
    let permit = || {
        CosignerState::default()
            .consider(&statement, &heads, &roster, &POLICY, &expected(close(1)))
            .unwrap()
    };
    let voices = vec![
        permit().sign(slot(1), &key(1)),
        permit().sign(slot(9), &key(9)),
    ];
    let cosigned = CosignedStatement::new(statement.clone(), voices);
    assert_eq!(
        cosigned.check_quorum(&roster),
        Err(Error::NoQuorum { have: 1, need: 2 })
    );
}

#[test]
fn a_cosignature_by_a_stranger_or_over_another_statement_is_refused() {
    let heads = first_heads();
    let statement = statement(1, &heads);
    let good = cosign(&statement, &heads, 1);
    let stranger = Cosignature {
        slot: slot(8),
        ..good
    };
    let other_slot = Cosignature {
        slot: slot(2),
        ..good
    };
    let check =
        |c| CosignedStatement::new(statement.clone(), vec![good, c]).check_quorum(&roster());
    assert_eq!(check(stranger), Err(Error::UnknownSlot(slot(8))));
    assert_eq!(check(other_slot), Err(Error::BadSignature(slot(2))));
}

#[test]
fn a_cosigner_signs_one_statement_of_an_epoch_and_that_one_again() {
    let heads = first_heads();
    let state = consider(&CosignerState::default(), 1, &heads).unwrap();
    assert_eq!(state.last_epoch(), Some(Epoch::new(1)));
    // Again, even later than the policy's delay: the answer may have been lost on the way.
    let again = state.consider(
        &statement(1, &heads),
        &heads,
        &roster(),
        &POLICY,
        &expected(close(1) + 500),
    );
    assert_eq!(again.unwrap().next_state(), &state);
    assert_eq!(
        consider(&state, 1, &heads[..2]),
        Err(Error::SecondStatement(Epoch::new(1)))
    );
    assert_eq!(
        consider(&state, 0, &heads),
        Err(Error::EpochFell {
            offered: Epoch::new(0),
            signed: Epoch::new(1)
        })
    );
}

#[test]
fn a_cosigner_remembers_across_a_restart() {
    let state = consider(&CosignerState::default(), 1, &first_heads()).unwrap();
    let bytes = state.to_bytes();
    let restored = CosignerState::from_bytes(&bytes).unwrap();
    assert_eq!(restored, state);
    assert_eq!(
        consider(&restored, 1, &first_heads()[..2]),
        Err(Error::SecondStatement(Epoch::new(1)))
    );
    assert_eq!(
        CosignerState::from_bytes(&[&bytes[..], &[0]].concat()),
        Err(Error::Layout(LayoutError::Trailing(1)))
    );
    let empty = CosignerState::default();
    assert_eq!(CosignerState::from_bytes(&empty.to_bytes()), Ok(empty));
}

#[test]
fn heads_must_continue_what_their_provinces_signed_before() {
    let first = first_heads();
    let state = consider(&CosignerState::default(), 1, &first).unwrap();
    let hashes = [0, 1, 2].map(|i: usize| first[i].head.hash());
    let next = heads(2, &hashes);
    assert!(consider(&state, 2, &next).is_ok());

    let mut forked = hashes;
    forked[1] = HeadHash([9; 32]);
    assert_eq!(
        consider(&state, 2, &heads(2, &forked)),
        Err(Error::HeadForked(slot(2)))
    );
    // An epoch was skipped here: the head between is unknown, so the link cannot be checked.
    assert!(consider(&state, 3, &heads(3, &forked)).is_ok());
    // A second head for an epoch that was seen.
    let mut second = next;
    second[0] = TreeHead {
        leaf_count: 99,
        ..first[0].head
    }
    .sign(&key(1));
    assert_eq!(
        consider(&state, 2, &second),
        Err(Error::HeadForked(slot(1)))
    );
}

#[test]
fn a_province_that_is_away_keeps_its_head_for_a_while() {
    let first = first_heads();
    let state = consider(&CosignerState::default(), 1, &first).unwrap();
    let hashes = [0, 1, 2].map(|i: usize| first[i].head.hash());
    let with_stale = |epoch: u32| {
        let mut now = heads(epoch, &hashes);
        now[2] = first[2];
        now
    };
    assert!(consider(&state, 24, &with_stale(24)).is_ok());
    assert_eq!(
        consider(&state, 25, &with_stale(25)),
        Err(Error::HeadTooOld {
            slot: slot(3),
            age_min: 24 * 60 + 5,
            limit_min: 1440
        })
    );
    let mut one_fresh = with_stale(2);
    one_fresh[1] = first[1];
    assert_eq!(
        consider(&state, 2, &one_fresh),
        Err(Error::TooFewFresh { have: 1, need: 2 })
    );
}

#[test]
fn heads_after_the_close_are_refused() {
    let mut late = first_heads();
    late[0] = TreeHead {
        head_time: minute(close(1) + 1),
        ..late[0].head
    }
    .sign(&key(1));
    assert_eq!(
        consider(&CosignerState::default(), 1, &late),
        Err(Error::HeadFromTheFuture(slot(1)))
    );
    late[0] = TreeHead {
        epoch: Epoch::new(2),
        ..first_heads()[0].head
    }
    .sign(&key(1));
    assert_eq!(
        consider(&CosignerState::default(), 1, &late),
        Err(Error::HeadFromTheFuture(slot(1)))
    );
}

#[test]
fn heads_by_the_wrong_key_or_province_or_beside_the_statement_are_refused() {
    let mut bad = first_heads();
    bad[1] = bad[1].head.sign(&key(1));
    assert_eq!(
        consider(&CosignerState::default(), 1, &bad),
        Err(Error::BadSignature(slot(2)))
    );
    bad[1] = TreeHead {
        province: ProvinceCode::new(44).unwrap(),
        ..bad[1].head
    }
    .sign(&key(2));
    assert_eq!(
        consider(&CosignerState::default(), 1, &bad),
        Err(Error::WrongProvince(slot(2)))
    );
    let good = first_heads();
    let beside = CosignerState::default().consider(
        &statement(1, &good),
        &good[..2],
        &roster(),
        &POLICY,
        &expected(close(1)),
    );
    assert_eq!(beside, Err(Error::HeadsMismatch));
}

#[test]
fn a_statement_names_its_heads_by_slot_whatever_the_order_in_which_they_came() {
    let heads = first_heads();
    let backwards: Vec<SignedTreeHead> = heads.iter().rev().copied().collect();
    let statement = statement(1, &backwards);
    let named: Vec<(Slot, HeadHash)> = heads.iter().map(|h| (h.head.slot, h.head.hash())).collect();
    assert_eq!(statement.heads(), named);
    let signed: Vec<Cosignature> = [3, 1].map(|place| cosign(&statement, &heads, place)).into();
    let cosigned = CosignedStatement::new(statement.clone(), signed);
    assert_eq!(cosigned.statement(), &statement);
    let slots: Vec<u8> = cosigned
        .cosignatures()
        .iter()
        .map(|c| c.slot.get())
        .collect();
    assert_eq!(slots, [1, 3]);
    for cosignature in cosigned.cosignatures() {
        let bytes = cosignature.to_bytes();
        assert_eq!(Cosignature::from_bytes(&bytes), Ok(*cosignature));
        assert_eq!(cosignature.check(&statement, &roster()), Ok(()));
    }
}

#[test]
fn a_root_that_does_not_follow_from_the_heads_is_refused() {
    let heads = first_heads();
    let mut bytes = statement(1, &heads).to_bytes();
    bytes[9 + 31] ^= 1; // the registry root's last byte
    let forged = RegistryStatement::from_bytes(&bytes).unwrap();
    let refused =
        CosignerState::default().consider(&forged, &heads, &roster(), &POLICY, &expected(close(1)));
    assert_eq!(refused, Err(Error::WrongRegistryRoot));
}

#[test]
fn another_risk_map_other_rule_sets_and_another_time_are_refused() {
    let heads = first_heads();
    let refused = |expected: Expected| {
        CosignerState::default()
            .consider(&statement(1, &heads), &heads, &roster(), &POLICY, &expected)
            .unwrap_err()
    };
    let good = expected(close(1));
    assert_eq!(
        refused(Expected {
            risk_root: Fr::from(78),
            ..good
        }),
        Error::WrongRiskRoot
    );
    assert_eq!(
        refused(Expected {
            rule_sets: RuleSetsDigest::of(&[]),
            ..good
        }),
        Error::WrongRuleSets
    );
    assert!(matches!(
        refused(expected(close(1) - 1)),
        Error::WrongAsOf { .. }
    ));
    assert!(matches!(
        refused(expected(close(1) + 31)),
        Error::WrongAsOf { .. }
    ));
}

#[test]
fn a_closing_minute_that_does_not_rise_is_refused() {
    let first = first_heads();
    let state = consider(&CosignerState::default(), 1, &first).unwrap();
    let statement = RegistryStatement::new(
        Epoch::new(2),
        minute(close(1)),
        Fr::from(77),
        rule_sets(),
        &first,
    )
    .unwrap();
    let refused = state.consider(
        &statement,
        &first,
        &roster(),
        &POLICY,
        &expected(close(1) + 1),
    );
    assert!(matches!(refused, Err(Error::WrongAsOf { .. })));
}
