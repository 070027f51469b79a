use ed25519_dalek::VerifyingKey;
use federation::Timeouts;
use serde_json::Value;

use super::*;
use crate::SetClock;
use crate::node::fake::{FakeNode, demo, home};

/// The verifier's vectors.
fn vectors() -> Value {
    let text = include_str!("../../verifier/vectors/showings.json");
    serde_json::from_str(text).unwrap()
}

fn bundle() -> Vec<u8> {
    hex::decode(vectors()["bundle"].as_str().unwrap()).unwrap()
}

fn taken_at_s() -> u64 {
    vectors()["list_taken_at_s"].as_u64().unwrap()
}

fn root_keys() -> RootKeys {
    let vectors = vectors();
    let keys = vectors["root_keys"].as_array().unwrap().iter().map(|key| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(key.as_str().unwrap(), &mut bytes).unwrap();
        VerifyingKey::from_bytes(&bytes).unwrap()
    });
    let threshold = vectors["root_threshold"].as_u64().unwrap();
    RootKeys::new(keys.collect(), u8::try_from(threshold).unwrap()).unwrap()
}

fn channel(node: &FakeNode, role: Role) -> Channel {
    let own = Arc::new(node.identity(role));
    let timeouts = Timeouts::default();
    let of = PeerId::node(&demo(), home());
    connect(&node.address.to_string(), of, own, timeouts).unwrap()
}

struct Desk {
    node: FakeNode,
    clock: Arc<SetClock>,
}

impl Desk {
    async fn new() -> Self {
        let node = FakeNode::start().await;
        *node.fake.bundle.lock() = bundle();
        let clock = Arc::new(SetClock::at_s(taken_at_s()));
        Self { node, clock }
    }

    fn parts(&self) -> OverviewParts {
        let operator = channel(&self.node, Role::Operator);
        OverviewParts {
            anybody: Some(operator.clone()),
            operator: Some(operator),
            root_keys: Some(root_keys()),
            certificates: vec![("33-cdc-1".to_owned(), 9)],
            clock: Arc::clone(&self.clock) as _,
        }
    }
}

#[tokio::test]
async fn node_list_and_certificates_are_told_where_all_of_it_is_there() {
    let desk = Desk::new().await;
    let told = Overview::new(desk.parts()).get().await;
    assert_eq!(told.problem, "");
    let node = told.node.unwrap();
    assert!(node.is_draining);
    assert_eq!((node.closed_epoch, node.registry_epoch), (12, 11));
    assert_eq!(
        (node.residents, node.events, node.proofs_queued),
        (40, 90, 2)
    );
    assert_eq!((node.proofs_made, node.prove_ms_median), (7, 950));
    assert_eq!((node.horizon_days, node.retained_events), (60, 17));
    assert_eq!(node.retained_erased, 1);
    assert_eq!(node.retained_at_minute, node.now_minute - 600);
    let list = told.list.unwrap();
    let known = TrustList::restore(&bundle(), &root_keys()).unwrap();
    assert_eq!(list.online_sequence, known.online().sequence.get());
    assert_eq!(list.issued_at_s, known.online().issued_at.get_s());
    assert_eq!(list.hard_stale_s, known.online().hard_stale_s);
    assert_eq!(list.root_expires_at_s, known.root().expires_at.get_s());
    let provinces = known.root().province_count();
    assert_eq!(list.provinces as usize, provinces);
    assert!(list.cosigners.len() >= commitment::quorum::quorum(provinces));
    assert!(list.cosigners.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(list.rule_sets.len(), known.root().rule_sets.len());
    assert_eq!(told.certificates[0].holder, "33-cdc-1");
    assert_eq!(told.certificates[0].ends_at_s, 9);
}

/// What is taken away.
type Change = fn(&mut OverviewParts);

#[tokio::test]
async fn a_part_that_is_missing_is_missing_and_the_reason_is_told() {
    let desk = Desk::new().await;
    let cases: [(Change, bool, bool, &str); 4] = [
        (|p| p.operator = None, false, true, "operator's certificate"),
        (|p| p.root_keys = None, true, false, "root keys"),
        (|p| p.anybody = None, true, false, "to fetch one"),
        (
            |p| {
                let stranger = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
                let keys = vec![stranger.verifying_key()];
                p.root_keys = Some(RootKeys::new(keys, 1).unwrap());
            },
            true,
            false,
            "trust list:",
        ),
    ];
    for (change, has_node, has_list, why) in cases {
        let mut parts = desk.parts();
        change(&mut parts);
        let told = Overview::new(parts).get().await;
        let has = (told.node.is_some(), told.list.is_some());
        assert_eq!(has, (has_node, has_list), "{why}");
        assert!(told.problem.contains(why), "{}", told.problem);
        assert_eq!(told.certificates.len(), 1);
    }
    *desk.node.fake.refuses.lock() = Some(wire::Reason::Draining);
    let told = Overview::new(desk.parts()).get().await;
    assert!(told.node.is_none() && told.list.is_none());
    assert!(told.problem.len() <= PROBLEM_LEN_MAX_BYTES);
    assert!(told.problem.contains("node: "), "{}", told.problem);
}

#[tokio::test]
async fn a_list_that_is_too_old_is_shown_with_its_age_and_said_to_be_so() {
    let desk = Desk::new().await;
    desk.clock.pass_s(40 * 86_400);
    let told = Overview::new(desk.parts()).get().await;
    assert!(told.list.is_some());
    assert!(told.problem.contains("trust list:"), "{}", told.problem);
}

#[tokio::test]
async fn a_list_that_was_changed_or_is_older_than_one_before_is_not_shown() {
    let desk = Desk::new().await;
    let overview = Overview::new(desk.parts());
    assert!(overview.get().await.list.is_some());
    let mut bytes = bundle();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    *desk.node.fake.bundle.lock() = bytes;
    assert!(overview.get().await.list.is_none());
    *desk.node.fake.bundle.lock() = Vec::new();
    assert!(overview.get().await.list.is_none());
    *desk.node.fake.bundle.lock() = bundle();
    assert!(overview.get().await.list.is_some());
    let (root, online) = *overview.highest.lock();
    *overview.highest.lock() = (root, Sequence::new(online.get() + 1));
    let told = overview.get().await;
    assert!(told.list.is_none());
    assert!(told.problem.contains("sequence fell"), "{}", told.problem);
}

#[tokio::test]
async fn sources_are_told_of_as_the_node_does_and_not_without_an_operators_certificate() {
    let desk = Desk::new().await;
    let overview = Overview::new(desk.parts());
    let told = overview.intake("").await.unwrap().sources;
    let names: Vec<&str> = told.iter().map(|source| &source.source[..]).collect();
    assert_eq!(names, ["33-cdc-1", "33-laboratory-7"]);
    assert_eq!((told[0].accepted, told[0].refused), (3, 1));
    let after = overview.intake("33-cdc-1").await.unwrap().sources;
    assert_eq!(after, told[1..]);
    let long = overview.intake(&"3".repeat(49)).await;
    assert!(matches!(long, Err(ConsoleError::Wire(_))), "{long:?}");
    let none = OverviewParts {
        operator: None,
        ..desk.parts()
    };
    let refused = Overview::new(none).intake("").await;
    assert!(matches!(refused, Err(ConsoleError::NodeSilent(_))));
}
