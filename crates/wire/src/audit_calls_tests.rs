use ed25519_dalek::SigningKey;
use ledger::sample::SampleSeed;
use ledger::{
    CosignedStatement, HeadHash, LeafIndex, RegistryStatement, RuleSetsDigest, Slot, StateTree,
    TreeHead,
};

use super::*;

fn at(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

fn sample() -> OpenedSample {
    let leaves = [(0, 5), (7, 6), (9, 7)];
    let leaves = leaves.map(|(place, leaf)| (LeafIndex::new(place).unwrap(), leaf_of(leaf)));
    let tree = StateTree::build(&leaves);
    let head = TreeHead {
        province: ProvinceCode::new(33).unwrap(),
        slot: Slot::new(2).unwrap(),
        epoch: Epoch::new(4),
        head_time: at(1_000),
        state_root: tree.root(),
        leaf_count: 3,
        rule_sets: RuleSetsDigest([1; 32]),
        previous: HeadHash::NONE,
    }
    .sign(&SigningKey::from_bytes(&[1; 32]));
    let rules = RuleSetsDigest([1; 32]);
    let root = tree.root();
    let statement = RegistryStatement::new(Epoch::new(4), at(1_000), root, rules, &[head]).unwrap();
    OpenedSample {
        registry: PublishedRegistry {
            cosigned: CosignedStatement::new(statement, Vec::new()),
            heads: vec![head],
        },
        ways: SampleWays::of(&tree, SampleSeed::from_bytes([3; 32])),
        horizon_days: 60,
    }
}

fn leaf_of(number: u64) -> commitment::Fr {
    commitment::Fr::from(number)
}

fn leaf() -> OpenedLeaf {
    let fact = Fact {
        kind: FactKind::CloseContact,
        province: ProvinceCode::NATION,
        begin: at(900),
        end: Some(at(950)),
    };
    let stay = Stay {
        place: "330102001/17".parse().unwrap(),
        begin: at(800),
        end: None,
    };
    let run = CheckInRun {
        first: Day::new(3),
        last: Day::new(9),
    };
    let record = Record::new(vec![stay], vec![fact], vec![at(700)], vec![run]).unwrap();
    let source = |confirmation, known| OpenedEvidence::Source {
        signature: [1; 64],
        known,
        confirmation,
    };
    let event = |evidence| OpenedEvent {
        event: vec![1; 50],
        received_at: at(960),
        evidence,
    };
    let device = |key| OpenedEvidence::Device {
        auth: vec![2; MAX_AUTH_BYTES],
        signature: vec![3; 64],
        body: vec![4; MAX_BODY_BYTES],
        key,
    };
    let content = LeafContent {
        resident: IdentityNumber::from_bytes(b"11010519491231002X").unwrap(),
        salt: [5; 32],
        record,
        blinding: [6; 32],
    };
    OpenedLeaf {
        content: Some(content),
        events: vec![
            event(source(Some([7; 64]), Some(([8; 32], at(1), Minute::MAX)))),
            event(source(None, None)),
            event(device(Some([9; KEY_BYTES]))),
            event(device(None)),
        ],
        events_total: 4,
    }
}

fn erased() -> OpenedLeaf {
    OpenedLeaf {
        content: None,
        events: Vec::new(),
        events_total: 0,
    }
}

#[test]
fn samples_leaves_and_what_is_kept_of_them_travel_unchanged() {
    let sample = sample();
    let message = proto::OpenSampleResponse::from(&sample);
    assert_eq!(OpenedSample::try_from(&message), Ok(sample.clone()));
    for leaf in [leaf(), erased()] {
        let message = proto::OpenLeafResponse::from(&leaf);
        assert!(OpenedLeaf::try_from(&message) == Ok(leaf));
    }
    let asked = LeafRequest {
        epoch: Epoch::new(4),
        place: 9,
        first_event: 40,
    };
    assert_eq!(
        LeafRequest::from(proto::OpenLeafRequest::from(asked)),
        asked
    );
    let kept = ShownSample {
        sample,
        leaves: [(0, leaf()), (9, erased())].into(),
        at: at(1_010),
    };
    let bytes = kept.to_bytes();
    assert!(ShownSample::from_bytes(&bytes) == Ok(kept));
    assert!(ShownSample::from_bytes(&bytes[1..]).is_err());
    assert!(ShownSample::from_bytes(&[]).is_err());
}

#[test]
fn nothing_of_a_leaf_is_printed() {
    let (leaf, message) = (leaf(), proto::OpenLeafResponse::from(&leaf()));
    let printed = format!(
        "{leaf:?} {:?} {:?} {message:?}",
        leaf.content, leaf.events[0]
    );
    let silent = "OpenedLeaf(..) Some(LeafContent(..)) OpenedEvent(..) OpenLeafResponse(..)";
    assert_eq!(printed, silent);
}

#[test]
fn damaged_and_oversized_fields_are_named() {
    let refusal = |damage: &dyn Fn(&mut proto::OpenLeafResponse)| {
        let mut message = proto::OpenLeafResponse::from(&leaf());
        damage(&mut message);
        OpenedLeaf::try_from(&message).err()
    };
    let malformed = |field| Some(WireError::Malformed { field });
    assert_eq!(refusal(&|_| {}), None);
    let missing = |field| Some(WireError::Missing { field });
    assert_eq!(refusal(&|m| m.record = None), missing("record"));
    assert_eq!(refusal(&|m| m.resident = None), missing("resident"));
    assert_eq!(
        refusal(&|m| m.events[0].evidence = None),
        missing("evidence")
    );
    let in_record = |damage: &dyn Fn(&mut proto::OpenedRecord)| {
        refusal(&|m| damage(m.record.as_mut().unwrap()))
    };
    assert_eq!(in_record(&|r| r.facts[0].kind = 16), malformed("kind"));
    assert_eq!(
        in_record(&|r| r.facts[0].province = 99),
        malformed("province")
    );
    assert_eq!(
        in_record(&|r| r.stays[0].area = 1 << 47),
        Some(WireError::AreaCode)
    );
    assert_eq!(
        in_record(&|r| r.runs[0].first_day = 1 << 16),
        malformed("day")
    );
    assert_eq!(
        in_record(&|r| r.runs[0].first_day = 10),
        malformed("record")
    );
    assert_eq!(
        in_record(&|r| r.negative_minutes[0] = 1 << 26),
        malformed("minute")
    );
    let many = in_record(&|r| r.negative_minutes = vec![1; 9]);
    assert!(matches!(many, Some(WireError::WrongCount { .. })));
    let short = in_record(&|r| r.blinding.truncate(31));
    assert!(matches!(short, Some(WireError::WrongLength { .. })));
    let number = refusal(&|m| m.resident.as_mut().unwrap().identity_number[3] ^= 1);
    assert_eq!(number, Some(WireError::IdentityNumber));
    let many = refusal(&|m| m.events = vec![m.events[0].clone(); MAX_OPENED_EVENTS + 1]);
    assert!(matches!(many, Some(WireError::WrongCount { .. })));
    let long = refusal(&|m| m.events[0].event = vec![1; 67]);
    assert!(matches!(long, Some(WireError::TooLong { .. })));

    let mut message = proto::OpenSampleResponse::from(&sample());
    message.drawn[0].path.pop();
    assert_eq!(OpenedSample::try_from(&message).err(), malformed("way"));
    let mut message = proto::OpenSampleResponse::from(&sample());
    message.drawn = vec![message.drawn[0].clone(); DRAWS_MAX + 1];
    let many = OpenedSample::try_from(&message).err();
    assert!(matches!(many, Some(WireError::WrongCount { .. })));
}

#[test]
fn an_event_takes_in_a_message_no_more_than_is_said() {
    for event in &leaf().events {
        let written = write_event(event).encoded_len();
        assert!(written + 8 <= event.weight_bytes(), "{written}");
        assert!(event.weight_bytes() <= MAX_OPENED_EVENT_BYTES);
    }
}
