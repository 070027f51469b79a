//! Trust lists that must not be taken, and codes that must not pass, at a real gate and at the nodes' doors.

use checkpoint::{Config, Desk};
use federation::PeerId;
use rules::{Claim, TestAge, WorstColour};
use tests::{GateFiles, Person, Plan, World, minute, peer, province, refusal, show, trust_list};
use verifier::trust::{Bundle, OnlineDocument, Sequence, SignedOnline, SignedRoot};
use verifier::{QrText, Showing, UnixTime};
use wire::federation::v1 as fed;
use wire::operator::v1 as op;

use crate::{CHECKPOINT, NODE};

const HOME: u8 = 33;
const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

fn at(world: &World, after_min: u32) -> UnixTime {
    UnixTime::from_s(u64::from(world.now().get() + after_min) * 60)
}

/// An online document like the newest, changed and signed by these provinces.
fn changed(
    world: &World,
    newest: &OnlineDocument,
    provinces: &[u8],
    change: impl FnOnce(&mut OnlineDocument),
) -> SignedOnline {
    let mut document = newest.clone();
    document.sequence = Sequence::new(newest.sequence.get() + 1);
    change(&mut document);
    world.sign_online(document, provinces)
}

/// The next root document, signed by so many of three.
fn next_root(world: &World, signers: usize) -> SignedRoot {
    let mut document = world.root_document();
    document.sequence = Sequence::new(2);
    world.sign_root(document, signers)
}

fn bundle(root: SignedRoot, online: SignedOnline) -> Vec<u8> {
    let roots = vec![root];
    Bundle { roots, online }.to_bytes().unwrap()
}

/// Bundles that must not be taken after the newest, each with a word of why.
fn bad_lists(world: &World, newest: &OnlineDocument, older: &[u8]) -> [(&'static str, Vec<u8>); 9] {
    let root = world.signed_root();
    let all = [33, 35, 42];
    let with = |online| bundle(root.clone(), online);
    // Ten minutes ago; a document cannot be older than the batches that it names.
    let short_lived = |d: &mut OnlineDocument| (d.soft_stale_s, d.hard_stale_s) = (60, 60);
    let future =
        |d: &mut OnlineDocument| d.issued_at = UnixTime::from_s(d.issued_at.get_s() + 3600);
    let same_number = |d: &mut OnlineDocument| {
        d.sequence = newest.sequence;
        d.soft_stale_s -= 1;
    };
    let other_registry = |d: &mut OnlineDocument| d.registries[0].root = d.registries[1].root;
    let other_map = |d: &mut OnlineDocument| d.registries[0].risk_root = d.registries[0].root;
    let by_next_root = || changed(world, newest, &all, |d| d.root_sequence = Sequence::new(2));
    [
        ("sequence", older.to_vec()),
        (
            "another document",
            with(changed(world, newest, &all, same_number)),
        ),
        ("ended", with(changed(world, newest, &all, short_lived))),
        ("issued", with(changed(world, newest, &all, future))),
        (
            "signed by 1 provinces",
            with(changed(world, newest, &[35], |_| {})),
        ),
        (
            "signed by 0 provinces",
            with(changed(world, newest, &[], |_| {})),
        ),
        (
            "another registry",
            with(changed(world, newest, &all, other_registry)),
        ),
        (
            "or risk map than before",
            with(changed(world, newest, &all, other_map)),
        ),
        (
            "1 root signatures",
            bundle(next_root(world, 1), by_next_root()),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_lists_that_fell_ended_are_empty_or_lack_signatures_are_refused_and_the_last_good_one_stays()
 {
    let mut world = World::start(Plan::new(NODE, 1));
    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let (older, _) = trust_list(&world, HOME).await;
    world.advance(minute("2022-08-28 12:20")).await;
    world.commit(2).await;
    let (newer, list) = trust_list(&world, HOME).await;
    let newest = list.online();
    let bad = bad_lists(&world, newest, &older);
    world.advance(minute("2022-08-28 12:30")).await;

    let files = GateFiles::new(CHECKPOINT, &world, "not-red", 1);
    assert_eq!(files.run(&["refresh"]).status.code(), Some(0));
    let kept = files.dir().join("state/trust-list.bin");
    let before = std::fs::read(&kept).unwrap();
    assert_eq!(before, newer);
    let config = Config::read(&files.dir().join("checkpoint.toml")).unwrap();
    let mut desk = Desk::open(config).unwrap();
    for (why, bytes) in &bad {
        let refused = desk
            .take_list(bytes, at(&world, 1))
            .unwrap_err()
            .to_string();
        assert!(refused.contains(why), "{why}: {refused}");
        assert_eq!(std::fs::read(&kept).unwrap(), before, "{why}");
    }
    for bytes in [
        Vec::new(),
        vec![1, 0, 0],
        vec![2; 500],
        newer[..newer.len() - 1].to_vec(),
        vec![1; 300_000],
    ] {
        assert!(desk.take_list(&bytes, at(&world, 1)).is_err());
        assert_eq!(std::fs::read(&kept).unwrap(), before);
    }
    // What was wrong with them was only that: the same with nothing wrong is taken.
    let all = [33, 35, 42];
    let by_next_root = changed(&world, newest, &all, |d| d.root_sequence = Sequence::new(2));
    let good = bundle(next_root(&world, 2), by_next_root);
    assert!(desk.take_list(&good, at(&world, 1)).unwrap());
    drop(desk);

    // The nodes take no such document from one of them either, and go on with the next number.
    let identity = PeerId::node(&world.federation, province(35));
    let channel = peer::channel(&world, world.credentials(&identity), HOME);
    let mut node = wire::client::federation(channel);
    for (_, bytes) in &bad[..8] {
        let online = Bundle::from_bytes(bytes)
            .unwrap()
            .online
            .to_bytes()
            .unwrap();
        let answer = node
            .publish_online(fed::PublishOnlineRequest { online })
            .await;
        assert_eq!(refusal(answer), "TRUST_REFUSED");
    }
    let status = world
        .operator(HOME)
        .get_status(op::GetStatusRequest {})
        .await;
    assert_eq!(
        status.unwrap().get_ref().online_sequence,
        newest.sequence.get()
    );
    world.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_codes_and_a_clock_set_back_get_their_verdicts_and_leave_the_gate_as_it_was() {
    let mut world = World::start(Plan::new(NODE, 1));
    let mut device = world.device(&Person::of(HOME, 1));
    device.register(world.now()).await.unwrap();
    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let issued = device.pass(NOT_RED, "", world.now()).await.unwrap();
    let files = GateFiles::new(CHECKPOINT, &world, "not-red", 10);
    assert_eq!(files.run(&["refresh"]).status.code(), Some(0));
    let now = world.now().saturating_add_signed(10);
    let good = show(&issued, now, 0);
    world.stop();

    let bytes = good.showing().unwrap().to_bytes();
    let reject = |code: &str| (Some(1), code.to_owned());
    for (expected, at, bits) in [
        ("UNKNOWN_VERSION", 0, 3),
        ("MALFORMED", 17, 8),
        ("PROOF_INVALID", 0, 0),
    ] {
        let mut changed = issued.pass.clone();
        changed[at] ^= bits;
        let text = match verifier::Pass::from_bytes(&changed) {
            // A pass whose hash was changed, signed again by its holder: only the proof can tell.
            Ok(mut pass) => {
                pass.h.0[0] ^= 1;
                let pass = pass.to_bytes();
                let forged = tests::Issued {
                    pass,
                    ..issued.clone()
                };
                show(&forged, now, 0).as_str().to_owned()
            }
            Err(_) => base45_of(&[&changed[..], &bytes[196..]].concat()),
        };
        assert_eq!(files.verdict_of(&text), reject(expected));
    }
    for (expected, text) in [
        ("MALFORMED", "VIR1:".to_owned()),
        ("MALFORMED", "VIR1:hello".to_owned()),
        ("UNKNOWN_VERSION", format!("VIR1:{}", "A".repeat(300))),
        ("TOO_LONG", format!("VIR1:{}", "A".repeat(600))),
    ] {
        assert_eq!(files.verdict_of(&text), reject(expected), "{text}");
    }
    let late = show(&issued, now, 120);
    assert_eq!(files.verdict(&late), reject("SLOT_NOT_CURRENT"));
    let mut other_key = issued.clone();
    other_key.holder = tests::Holder::new();
    assert_eq!(
        files.verdict(&show(&other_key, now, 0)),
        reject("WRONG_HOLDER")
    );
    // None of it was remembered: the good one passes, once.
    assert_eq!(files.verdict(&good), (Some(0), "ACCEPTED".to_owned()));
    assert_eq!(files.verdict(&good), reject("REPLAYED"));

    files.write("back.toml", &files.config(&world, "not-red", 5));
    let back = files.run(&["--config", "back.toml", "verify", good.as_str(), "--json"]);
    assert_eq!(back.status.code(), Some(2), "{back:?}");
    assert!(String::from_utf8_lossy(&back.stdout).contains("CLOCK_SET_BACK"));
    let later = files.config(&world, "not-red", 73 * 60);
    files.write("later.toml", &later);
    let stale = files.run(&["--config", "later.toml", "verify", good.as_str(), "--json"]);
    assert_eq!(stale.status.code(), Some(2), "{stale:?}");
    assert!(String::from_utf8_lossy(&stale.stdout).contains("LIST_STALE"));
}

/// The text of bytes that need not be a showing.
fn base45_of(bytes: &[u8]) -> String {
    assert!(Showing::from_bytes(bytes).is_err());
    let text = format!("VIR1:{}", base45::encode(bytes));
    assert!(QrText::parse(&text).is_ok());
    text
}
