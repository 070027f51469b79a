//! What tells two passes apart, over many passes of several provinces: all bytes are compared.

use std::collections::BTreeSet;
use std::ops::Range;

use rules::{Claim, ContactDegree, EventBody, SourceKind, TestAge, WorstColour};
use tests::{Device, Holder, Issued, PROVINCES, Person, Plan, World, minute, province, show};
use verifier::{Pass, QrText};

use crate::NODE;

const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};
/// A pass as its layout (`crates/verifier/README.md`) divides it.
const FIELDS: [(&str, Range<usize>); 13] = [
    ("version", 0..1),
    ("circuit", 1..5),
    ("epoch", 5..9),
    ("rule set", 9..13),
    ("risk map", 13..17),
    ("claim", 17..18),
    ("binder kind", 18..19),
    ("key", 19..52),
    ("h", 52..68),
    ("proof A", 68..100),
    ("proof B", 100..164),
    ("proof C", 164..196),
    ("showing: slot, challenge flag, signature", 196..265),
];
const SHARED: Range<usize> = 0..19;
const OWN: Range<usize> = 19..196;
const MOMENT: Range<usize> = 196..201;
const SIGNATURE: Range<usize> = 201..265;

/// A showing with whose it is.
struct Shown {
    home: u8,
    resident: u16,
    bytes: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_of_one_epoch_and_claim_differ_in_key_hash_proof_and_signature_only_whoever_holds_them()
 {
    let mut world = World::start(Plan::new(NODE, 2));
    for code in PROVINCES {
        register_both(&world, code).await;
    }
    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let mut shown: Vec<Shown> = Vec::new();
    let [zhejiang, fujian, hubei] = PROVINCES.map(|home| shown_in(&world, home));
    let (zhejiang, fujian, hubei) = tokio::join!(zhejiang, fujian, hubei);
    shown.extend(zhejiang.into_iter().chain(fujian).chain(hubei));
    world.stop();
    assert_eq!(shown.len(), 9);

    let len = shown[0].bytes.len();
    assert_eq!((len, FIELDS[12].1.end), (265, 265));
    assert!(
        shown.iter().all(|s| s.bytes.len() == len),
        "lengths tell passes apart"
    );

    // Byte by byte: what is equal everywhere is the header and the moment, and everything else differs somewhere.
    let equal: BTreeSet<usize> = (0..len)
        .filter(|&at| shown.iter().all(|s| s.bytes[at] == shown[0].bytes[at]))
        .collect();
    let expected: BTreeSet<usize> = SHARED.chain(MOMENT).collect();
    assert_eq!(equal, expected);
    let differing: BTreeSet<usize> = (0..len).filter(|at| !equal.contains(at)).collect();
    assert_eq!(differing, OWN.chain(SIGNATURE).collect());

    // Field by field, over all pairs: two of one resident share what any two share, no more and no less.
    let everywhere = fields_equal(&shown[0], &shown[8]);
    let names = [
        "version",
        "circuit",
        "epoch",
        "rule set",
        "risk map",
        "claim",
        "binder kind",
    ];
    assert_eq!(everywhere, names.into());
    let (mut of_one, mut of_a_province, mut across) = (0, 0, 0);
    for (i, a) in shown.iter().enumerate() {
        for b in &shown[..i] {
            assert_eq!(fields_equal(a, b), everywhere);
            match (a.home == b.home, a.resident == b.resident) {
                (true, true) => of_one += 1,
                (true, false) => of_a_province += 1,
                (false, _) => across += 1,
            }
        }
    }
    assert_eq!((of_one, of_a_province, across), (3, 6, 27));
}

/// A green and a yellow resident of a province ask for the same: two passes and one, each for its own key.
async fn shown_in(world: &World, home: u8) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (resident, passes) in [(1, 2), (2, 1)] {
        let mut device = world.device(&Person::of(home, resident));
        for issued in passes_of(&mut device, passes, world).await {
            let text = show(&issued, world.now(), 600);
            let showing = QrText::parse(text.as_str()).unwrap().showing().unwrap();
            let bytes = showing.to_bytes();
            shown.push(Shown {
                home,
                resident,
                bytes,
            });
        }
    }
    shown
}

fn fields_equal(a: &Shown, b: &Shown) -> BTreeSet<&'static str> {
    let equal =
        |(_, range): &&(&str, Range<usize>)| a.bytes[range.clone()] == b.bytes[range.clone()];
    FIELDS.iter().filter(equal).map(|(name, _)| *name).collect()
}

/// Passes for keys of either parity, so that the first byte of a compressed key takes both its values.
async fn passes_of(device: &mut Device, count: usize, world: &World) -> Vec<Issued> {
    let holders: Vec<Holder> = (0..count)
        .map(|n| {
            let parity = u8::try_from(2 + n % 2).unwrap();
            std::iter::repeat_with(Holder::new)
                .find(|h| h.public()[0] == parity)
                .unwrap()
        })
        .collect();
    let issued = device
        .passes(NOT_RED, "", &holders, world.now())
        .await
        .unwrap();
    assert_eq!(issued.len(), count);
    for issued in &issued {
        let pass = Pass::from_bytes(&issued.pass).unwrap();
        assert_eq!(pass.to_bytes(), issued.pass);
    }
    issued
}

async fn register_both(world: &World, code: u8) {
    let now = world.now();
    for person in world.residents_of(code) {
        world.device(&person).register(now).await.unwrap();
    }
    let body = EventBody::Contact {
        degree: ContactDegree::Secondary,
        last_contact_at: now.saturating_add_signed(-2 * 1440),
        province: province(code),
    };
    let mut cdc = world.source(code, SourceKind::Cdc, code);
    cdc.state(&Person::of(code, 2), now, body).await;
}
