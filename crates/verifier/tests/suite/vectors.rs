//! `vectors/showings.json`: codes with the verdicts on them, for other builds of this verifier and for other verifiers.

use commitment::{BinderKind, Epoch};
use rules::{TestAge, WorstColour};
use serde_json::{Value, json};
use verifier::{
    CardNumber, GateChallenge, GateId, GateMemory, GateNonce, Outcome, QrText, Showing, TrustList,
    UnixTime, verify_text,
};

use crate::bench::{claim, later};
use crate::fixture::*;

const GATE_ID: GateId = GateId(*b"GATE0001");
const NONCE: [u8; 16] = [9; 16];
const OTHER_NONCE: [u8; 16] = [8; 16];

/// One code at the gate.
struct Case {
    name: &'static str,
    text: String,
    now: UnixTime,
    nonce: Option<[u8; 16]>,
    card: Option<[u8; 18]>,
}

impl Case {
    fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            text: text.into(),
            now: NOW,
            nonce: None,
            card: None,
        }
    }

    fn shown(name: &'static str, showing: &Showing) -> Self {
        Self::new(name, QrText::from_showing(showing).as_str())
    }
}

/// The showing of a pass as if its bytes were others at one place.
fn altered(showing: &Showing, at: usize) -> String {
    let mut bytes = showing.to_bytes();
    bytes[at] ^= 1;
    format!("VIR1:{}", base45::encode(&bytes))
}

fn of(epoch: u32) -> Wish {
    Wish {
        epoch,
        ..Wish::default()
    }
}

fn bound_to(kind: BinderKind) -> Wish {
    Wish {
        kind,
        ..Wish::default()
    }
}

/// In their order: the gate remembers.
fn cases(world: &mut World) -> Vec<Case> {
    let good = world.showing(&Wish::default());
    let mut all = vec![
        Case::shown("a good pass", &good),
        Case::shown("the same code once more", &good),
    ];
    all.extend(passes(world));
    all.extend(moments(world));
    all.extend(bytes(world));
    all
}

fn passes(world: &mut World) -> Vec<Case> {
    let specimen = Wish {
        specimen: true,
        ..Wish::default()
    };
    let yellow = Wish {
        claim: claim(WorstColour::Yellow, TestAge::Hours48),
        ..Wish::default()
    };
    let revoked = Wish {
        revocation_secret: Some(REVOKED_SECRET),
        ..Wish::default()
    };
    let of_rules = |rule_set| Wish {
        rule_set,
        ..Wish::default()
    };
    let mut all: Vec<Case> = [
        ("a specimen", specimen),
        ("a weaker colour", yellow),
        ("a revoked pass", revoked),
        ("an old pass", of(7)),
        ("an epoch that the list does not know", of(13)),
        ("rules of the nation", of_rules(NATION)),
        ("rules of another province", of_rules(FUJIAN)),
        ("rules that were superseded", of_rules(FORMER)),
        ("rules that are not in force yet", of_rules(NEXT)),
    ]
    .into_iter()
    .map(|(name, wish)| Case::shown(name, &world.showing(&wish)))
    .collect();
    let showing = world.showing(&bound_to(BinderKind::DeviceAndCard));
    all.push(Case::shown("a card is asked for", &showing));
    all.push(Case {
        card: Some(*b"110105194912310021"),
        ..Case::shown("another card", &showing)
    });
    all.push(Case {
        card: Some(*CARD),
        ..Case::shown("device and card", &showing)
    });
    let showing = world.showing(&bound_to(BinderKind::Card));
    all.push(Case {
        card: Some(*CARD),
        ..Case::shown("a card alone", &showing)
    });
    all
}

fn moments(world: &mut World) -> Vec<Case> {
    let (pass, secret) = world.pass(&Wish::default());
    let challenge = GateChallenge {
        gate: GATE_ID,
        nonce: GateNonce(NONCE),
    };
    let answered = show(pass.clone(), &secret, NOW, Some(challenge));
    let early = show(pass.clone(), &secret, later(-90), None);
    let plain = show(pass, &secret, NOW, None);
    vec![
        Case {
            nonce: Some(OTHER_NONCE),
            ..Case::shown("the answer to another challenge", &answered)
        },
        Case {
            nonce: Some(NONCE),
            ..Case::shown("no answer to a challenge", &plain)
        },
        Case::shown("an answer that nobody asked for", &answered),
        Case::shown("a screenshot of 90 seconds ago", &early),
        Case {
            nonce: Some(NONCE),
            ..Case::shown("the answer to the challenge", &answered)
        },
    ]
}

fn bytes(world: &mut World) -> Vec<Case> {
    let showing = world.showing(&Wish::default());
    let text = QrText::from_showing(&showing).as_str().to_owned();
    let len = showing.to_bytes().len();
    vec![
        Case::new("nothing", ""),
        Case::new("a page's address", "https://example.org/code/1"),
        Case::new("a certificate of another system", "HC1:6BFOXN*TS0BI$ZD"),
        Case::new("a code cut short", &text[..text.len() - 9]),
        Case::new(
            "a code with more behind it",
            format!("{text}{}", "0".repeat(90)),
        ),
        Case::new("small letters", text.to_lowercase()),
        Case::new("a version to come", altered_version(&showing)),
        Case::new("another epoch in the bytes", altered(&showing, 8)),
        Case::new("another signature", altered(&showing, len - 1)),
    ]
}

fn altered_version(showing: &Showing) -> String {
    let mut bytes = showing.to_bytes();
    bytes[0] = 2;
    format!("VIR1:{}", base45::encode(&bytes))
}

fn made() -> Value {
    let mut world = World::new();
    let revoking = batch(close(12), &[REVOKED_SECRET]);
    let mut online = world.online();
    online.batches = vec![revoking.entry()];
    let bundle = bundle(&[sign_root(world.root(), &[1, 2])], online, &[1, 2]);
    let pinned = root_keys(&[1, 2, 3], 2);
    let mut candidate = TrustList::consider(&bundle, None, &pinned, NOW).unwrap();
    candidate.supply(&revoking.to_bytes()).unwrap();
    let list = candidate.complete().unwrap();
    let mut memory = GateMemory::default();
    let cases: Vec<Value> = cases(&mut world)
        .into_iter()
        .map(|case| {
            let challenge = case.nonce.map(|nonce| GateChallenge {
                gate: GATE_ID,
                nonce: GateNonce(nonce),
            });
            let card = case.card.map(CardNumber::new);
            let verdict = verify_text(
                &case.text,
                challenge,
                card.as_ref(),
                &list,
                &gate(),
                case.now,
                &mut memory,
            );
            json!({
                "name": case.name,
                "text": case.text,
                "now_s": case.now.get_s(),
                "nonce": case.nonce.map(hex::encode),
                "card": case.card.map(|card| String::from_utf8(card.to_vec()).unwrap()),
                "outcome": match verdict.outcome() {
                    Outcome::Accept => "accept",
                    Outcome::Reject => "reject",
                    Outcome::Undecided => "undecided",
                },
                "code": verdict.code().as_str(),
            })
        })
        .collect();
    let root_keys = [1, 2, 3].map(|seed| hex::encode(root_key(seed).verifying_key()));
    json!({
        "format": "viridian/showing-vectors/v1",
        "province": gate().place.get(),
        "gate_id": hex::encode(GATE_ID.0),
        "slot_skew_half_min": gate().slot_skew,
        "root_keys": root_keys,
        "root_threshold": 2,
        "profile": "gate",
        "list_taken_at_s": NOW.get_s(),
        "bundle": hex::encode(&bundle),
        "batches": [hex::encode(revoking.to_bytes())],
        "newest_epoch": Epoch::new(12).get(),
        "cases": cases,
    })
}

/// `VIRIDIAN_WRITE_VECTORS=1` writes the file.
#[test]
fn the_vectors_are_what_this_verifier_says_and_each_case_says_something_else() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/showings.json");
    let made = made();
    if std::env::var_os("VIRIDIAN_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap();
        std::fs::write(path, text + "\n").unwrap();
    }
    let stored: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        stored, made,
        "VIRIDIAN_WRITE_VECTORS=1 cargo test -p verifier vectors"
    );
    let cases = made["cases"].as_array().unwrap();
    let mut codes: Vec<&str> = cases.iter().map(|c| c["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 16, "{codes:?}");
}
