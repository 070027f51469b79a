//! Founding a federation, joining, rotating, leaving – and what is refused on the way.

#[path = "desk/head_keys.rs"]
mod head_keys;
#[path = "desk/rule_sets.rs"]
mod rule_sets;

use std::fs;
use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey};
use federation::{FederationId, UnixTime as TlsTime};
use membership::{
    Change, Draft, Folder, Invitation, Joining, Known, MembershipError, Plan, Request,
    SignedInvitation, SignedRequest, replace,
};
use rules::{Minute, ProvinceCode};
use tempfile::TempDir;
use verifier::trust::{HeadKeys, RootDocument, RootSignature, SignedRoot};
use verifier::{Slot, UnixTime};

/// 27 November 2026, 08:00 in UTC+8.
const NOW: UnixTime = UnixTime::from_s(1_795_737_600);

fn later(seconds: u64) -> UnixTime {
    UnixTime::from_s(NOW.get_s() + seconds)
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn hex_of(key: &SigningKey) -> String {
    hex::encode(key.verifying_key().as_bytes())
}

fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

/// A circuit's description with the points of a key that somebody may once have made.
fn circuit() -> String {
    let key = include_str!("circuit.json");
    assert!(key.contains("verifying_key"));
    key.to_owned()
}

fn plan_text(threshold: u8) -> String {
    format!(
        r#"name = "demo"
root_keys = ["{}", "{}", "{}"]
root_threshold = {threshold}
expires_in_days = 90
grace_min = 1440
circuits = ["circuit.json"]
rule_sets = ["hz-2020-02", "fj-2022-08"]

[[profile]]
name = "green-48h"
worst = "green"
test_age_hours = 48
pass_age_max_min = 1440
card_pass_age_max_min = 10080
binders = ["device", "device-and-card"]
"#,
        hex_of(&key(1)),
        hex_of(&key(2)),
        hex_of(&key(3))
    )
}

/// A folder with a plan, and nobody in it.
struct Desk {
    dir: TempDir,
    folder: Folder,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let desk = Self { dir, folder };
        desk.plan(&plan_text(2));
        desk.write("circuit.json", &circuit());
        fs::create_dir(desk.dir.path().join("requests")).unwrap();
        desk
    }

    /// One in which Zhejiang and Fujian have founded a federation.
    fn founded() -> Self {
        let desk = Self::new();
        desk.ask("33", &joining(33, 1, &key(133)).request);
        desk.ask("35", &joining(35, 2, &key(135)).request);
        desk.agree(NOW, &[key(1), key(3)]);
        desk
    }

    fn plan(&self, text: &str) {
        self.write("plan.toml", text);
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn ask(&self, name: &str, request: &SignedRequest) {
        self.write(&format!("requests/{name}.pem"), &request.to_pem());
    }

    fn propose(&self, now: UnixTime) -> Result<Draft, MembershipError> {
        let draft = self.folder.derive(now)?;
        self.folder.write_draft(&draft)?;
        Ok(draft)
    }

    /// What a holder of a root key does: derives, signs, writes.
    fn sign(&self, key: &SigningKey, now: UnixTime) -> Result<(), MembershipError> {
        let signed = self.folder.sign(key, now)?;
        self.folder.write_next(&signed)
    }

    /// Proposes, signs with these keys, and publishes.
    fn agree(&self, now: UnixTime, keys: &[SigningKey]) -> Vec<Change> {
        self.propose(now).unwrap();
        for key in keys {
            self.sign(key, now).unwrap();
        }
        self.folder.publish(now).unwrap().changes
    }

    fn root(&self) -> RootDocument {
        self.folder.root().unwrap().unwrap().document().clone()
    }
}

fn invitation(code: u8, slot: u8, by: &SigningKey) -> SignedInvitation {
    let plan = Plan::parse(&plan_text(2), |_| Ok(circuit())).unwrap();
    let invitation = Invitation {
        federation: plan.federation,
        province: province(code),
        slot: Slot::new(slot).unwrap(),
        expires_at: later(86_400),
        nonce: [7; 16],
        root_keys: plan.root_keys,
    };
    invitation.sign(by).unwrap()
}

fn joining(code: u8, slot: u8, head: &SigningKey) -> Joining {
    let address = format!("node-{code}.example:7440");
    Joining::prepare(invitation(code, slot, &key(1)), head, address, NOW).unwrap()
}

/// A request for another head key of slot 1, 33's, from a minute on or at once.
fn rotate(desk: &Desk, from: Option<Minute>, old: &SigningKey, new: &SigningKey) -> SignedRequest {
    let request = Request::Rotate {
        federation: FederationId::new("demo").unwrap(),
        province: province(33),
        slot: Slot::new(1).unwrap(),
        root_sequence: desk.root().sequence.get(),
        old: old.verifying_key(),
        new: new.verifying_key(),
        from,
    };
    request.sign(&[old, new]).unwrap()
}

#[test]
fn two_provinces_found_a_federation_and_a_third_joins_later() {
    let desk = Desk::founded();
    let root = desk.root();
    assert_eq!(root.sequence.get(), 1);
    let places: Vec<_> = (root.provinces.iter())
        .map(|e| (e.province.get(), e.slot.get()))
        .collect();
    assert_eq!(places, [(33, 1), (35, 2)]);
    let pems = fs::read_to_string(desk.dir.path().join("federation.pem")).unwrap();
    assert_eq!(pems.matches("BEGIN CERTIFICATE").count(), 2);

    let third = joining(42, 3, &key(142));
    desk.ask("42", &third.request);
    let changed = desk.agree(later(60), &[key(2), key(3)]);
    assert_eq!(
        changed[0],
        Change::Joins {
            province: 42,
            slot: 3,
            head_key: hex_of(&key(142))
        }
    );
    assert_eq!(changed.len(), 2, "that, and the end of the document");
    assert_eq!(desk.root().sequence.get(), 2);
    assert!(desk.folder.requests().unwrap().is_empty());
    assert!(desk.folder.next().unwrap().is_none());
    // What is trusted by the certificates is what the province serves with.
    let pems = fs::read_to_string(desk.dir.path().join("federation.pem")).unwrap();
    let own = &third.node;
    let identity = federation::TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &pems).unwrap();
    identity
        .check_own(TlsTime::since_unix_epoch(std::time::Duration::from_secs(
            NOW.get_s(),
        )))
        .unwrap();
    let log = fs::read_to_string(desk.dir.path().join("changes.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
    assert!(log.lines().last().unwrap().contains("\"root_sequence\":2"));
}

#[test]
fn too_few_signatures_put_nothing_in_force() {
    let desk = Desk::founded();
    desk.ask("42", &joining(42, 3, &key(142)).request);
    desk.propose(NOW).unwrap();
    let before = desk.root();
    for signer in [None, Some(key(2)), Some(key(2))] {
        if let Some(key) = signer {
            desk.sign(&key, NOW).unwrap();
        }
        assert!(matches!(
            desk.folder.publish(NOW),
            Err(MembershipError::Trust(
                verifier::Error::TooFewRootSignatures { .. }
            ))
        ));
    }
    assert_eq!(desk.root(), before);
    let stranger = desk.sign(&key(9), NOW);
    assert!(matches!(stranger, Err(MembershipError::NotARootKey)));
    desk.sign(&key(1), NOW).unwrap();
    desk.folder.publish(NOW).unwrap();
}

#[test]
fn a_head_key_is_rotated_by_both_keys_and_replaced_by_an_invitation() {
    let desk = Desk::founded();
    let by_one = Request::Rotate {
        federation: FederationId::new("demo").unwrap(),
        province: province(33),
        slot: Slot::new(1).unwrap(),
        root_sequence: 1,
        old: key(133).verifying_key(),
        new: key(233).verifying_key(),
        from: None,
    };
    for keys in [&[&key(233), &key(233)][..], &[&key(133)], &[]] {
        assert!(matches!(
            by_one.clone().sign(keys),
            Err(MembershipError::BadSignature(_))
        ));
    }
    let at_once = rotate(&desk, None, &key(133), &key(233));
    desk.ask("33", &at_once);
    let changed = desk.agree(NOW, &[key(1), key(2)]);
    assert!(
        matches!(&changed[0], Change::HeadKey { province: 33, slot: 1, old, new, from_minute: None }
        if *old == hex_of(&key(133)) && *new == hex_of(&key(233)))
    );
    // The same request once more was made under another root document.
    desk.ask("33", &at_once);
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::OtherRoot {
            asked: 1,
            in_force: 2
        })
    ));
    // One who knows the old key cannot ask any more.
    desk.ask("33", &rotate(&desk, None, &key(133), &key(66)));
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::NotAMember {
            slot: 1,
            province: 33
        })
    ));
    // A key that others know is replaced without it, by invitation.
    desk.ask("33", &joining(33, 1, &key(77)).request);
    let changed = desk.agree(NOW, &[key(1), key(2)]);
    assert!(matches!(
        &changed[0],
        Change::HeadKey {
            province: 33,
            slot: 1,
            ..
        }
    ));
    let keys = HeadKeys::single(key(77).verifying_key());
    assert_eq!(desk.root().provinces[0].head_keys, keys);
}

#[test]
fn a_province_leaves_or_is_removed_and_its_certificates_with_it() {
    let desk = Desk::founded();
    desk.ask("42", &joining(42, 3, &key(142)).request);
    desk.agree(NOW, &[key(1), key(2)]);
    let leave = |code, slot, by: &SigningKey| {
        let request = Request::Leave {
            federation: FederationId::new("demo").unwrap(),
            province: province(code),
            slot: Slot::new(slot).unwrap(),
            root_sequence: 2,
            key: by.verifying_key(),
        };
        request.sign(&[by]).unwrap()
    };
    // Nobody asks for another one.
    desk.ask("35", &leave(35, 2, &key(142)));
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::NotAMember { slot: 2, .. })
    ));
    desk.ask("35", &leave(35, 2, &key(135)));
    let changed = desk.agree(NOW, &[key(1), key(2)]);
    assert_eq!(
        changed[0],
        Change::Leaves {
            province: 35,
            slot: 2
        }
    );
    let pems = || fs::read_to_string(desk.dir.path().join("federation.pem")).unwrap();
    assert_eq!(pems().matches("BEGIN CERTIFICATE").count(), 2);
    // One that does not answer any more is removed by the plan.
    desk.plan(&plan_text(2).replace("grace_min", "removed_slots = [3]\ngrace_min"));
    desk.agree(NOW, &[key(1), key(2)]);
    assert_eq!(desk.root().provinces.len(), 1);
    // Nobody is invited into a slot that is taken away, and then left out in silence.
    desk.ask("42", &joining(42, 3, &key(142)).request);
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::SlotRemoved(3))
    ));
    fs::remove_file(desk.dir.path().join("requests/42.pem")).unwrap();
    assert_eq!(pems().matches("BEGIN CERTIFICATE").count(), 1);
}

#[test]
fn an_invitation_binds_province_slot_federation_and_time() {
    let desk = Desk::founded();
    // Into a slot of somebody else.
    desk.ask("42", &joining(42, 2, &key(142)).request);
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::SlotTaken {
            slot: 2,
            taken_by: 35
        })
    ));
    // Too late.
    desk.ask("42", &joining(42, 3, &key(142)).request);
    assert!(matches!(
        desk.propose(later(86_400)),
        Err(MembershipError::InvitationEnded { .. })
    ));
    assert!(desk.propose(later(86_399)).is_ok());
    // Two for one slot.
    desk.ask("43", &joining(43, 3, &key(143)).request);
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::SlotTwice(3))
    ));
    // A key that is no root key signs no invitation.
    let plan = desk.folder.plan().unwrap();
    let own = Invitation {
        federation: plan.federation.clone(),
        province: province(42),
        slot: Slot::new(3).unwrap(),
        expires_at: later(60),
        nonce: [0; 16],
        root_keys: plan.root_keys,
    };
    assert!(matches!(
        own.clone().sign(&key(9)),
        Err(MembershipError::NotARootKey)
    ));
    // Nor do root keys that it names itself.
    let strange = verifier::trust::RootKeys::new(vec![key(9).verifying_key()], 1).unwrap();
    let strange = Invitation {
        root_keys: strange,
        ..own
    };
    let strange = strange.sign(&key(9)).unwrap();
    let address = "node.example:1".to_owned();
    let strange = Joining::prepare(strange, &key(142), address, NOW).unwrap();
    fs::remove_file(desk.dir.path().join("requests/43.pem")).unwrap();
    desk.ask("42", &strange.request);
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::NotARootKey)
    ));
}

#[test]
fn what_a_request_says_cannot_be_changed() {
    let pem = joining(42, 3, &key(142)).request.to_pem();
    let bytes = pem::parse(&pem).unwrap().into_contents();
    let armoured = |bytes: Vec<u8>| pem::encode(&pem::Pem::new("VIRIDIAN REQUEST", bytes));
    SignedRequest::from_pem(&armoured(bytes.clone())).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            SignedRequest::from_pem(&armoured(changed)).is_err(),
            "byte {at}"
        );
    }
    for len in 0..bytes.len() {
        assert!(
            SignedRequest::from_pem(&armoured(bytes[..len].to_vec())).is_err(),
            "length {len}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(SignedRequest::from_pem(&armoured(longer)).is_err());
    let other_label = pem::encode(&pem::Pem::new("VIRIDIAN INVITATION", bytes));
    assert!(matches!(
        SignedRequest::from_pem(&other_label),
        Err(MembershipError::Armour("VIRIDIAN REQUEST"))
    ));
    assert!(matches!(
        SignedRequest::from_pem(&"x".repeat(100_000)),
        Err(MembershipError::TooLong { .. })
    ));
}

#[test]
fn whoever_signs_derives_the_draft_alone() {
    let desk = Desk::founded();
    desk.ask("42", &joining(42, 3, &key(142)).request);
    let draft = desk.propose(NOW).unwrap();
    let put = |document: RootDocument| {
        let bytes = SignedRoot::new(document, Vec::new()).to_bytes().unwrap();
        replace(&desk.dir.path().join("next.bin"), &bytes).unwrap();
        desk.sign(&key(1), NOW)
    };
    // Somebody's own province, a longer life, a later number.
    let mut slipped = draft.document().clone();
    slipped.provinces[0].head_keys = HeadKeys::single(key(66).verifying_key());
    assert!(matches!(put(slipped), Err(MembershipError::Draft(_))));
    let mut longer = draft.document().clone();
    longer.expires_at = later(91 * 86_400);
    assert!(matches!(put(longer), Err(MembershipError::Draft(_))));
    let mut ended = draft.document().clone();
    ended.expires_at = NOW;
    assert!(matches!(put(ended), Err(MembershipError::Draft(_))));
    let mut skipping = draft.document().clone();
    skipping.sequence = verifier::trust::Sequence::new(3);
    assert!(matches!(put(skipping), Err(MembershipError::Draft(_))));
    assert!(put(draft.document().clone()).is_ok());
    // A signature that does not fit is no signature.
    let false_one = RootSignature {
        key: key(2).verifying_key(),
        signature: key(2).sign(b"something else").to_bytes(),
    };
    let signed = draft.sign(&key(1), None, vec![false_one]).unwrap();
    assert!(desk.folder.is_complete(&signed).is_err());
}

#[test]
fn a_holder_is_not_shown_changes_of_another_root_document() {
    let desk = Desk::founded();
    let first = desk.folder.root().unwrap().unwrap();
    let holder = desk.dir.path().join("root-a.key");
    let known = Known::beside(&holder).unwrap();
    known.check(Some(&first)).unwrap(); // the first time there is nothing to compare with
    known.note(&first).unwrap();
    desk.ask("42", &joining(42, 3, &key(142)).request);
    desk.agree(NOW, &[key(1), key(2)]);
    let second = desk.folder.root().unwrap().unwrap();
    let known = Known::beside(&holder).unwrap();
    known.check(Some(&first)).unwrap();
    known.check(Some(&second)).unwrap();
    known.note(&second).unwrap();
    let known = Known::beside(&holder).unwrap();
    // An earlier one, none, and one of the attacker's own making.
    let unknown = |root: Option<&SignedRoot>| {
        assert!(matches!(
            known.check(root),
            Err(MembershipError::Unknown { known: 2, .. })
        ));
    };
    unknown(Some(&first));
    unknown(None);
    let mut own = second.document().clone();
    own.sequence = verifier::trust::Sequence::new(3);
    own.root_keys = verifier::trust::RootKeys::new(vec![key(9).verifying_key()], 1).unwrap();
    let signature = RootSignature {
        key: key(9).verifying_key(),
        signature: key(9).sign(&own.signing_bytes().unwrap()).to_bytes(),
    };
    unknown(Some(&SignedRoot::new(own, vec![signature])));
}

#[test]
fn a_plan_says_what_is_wrong_with_it() {
    let parse = |text: &str| Plan::parse(text, |_| Ok(circuit())).map(|_| ());
    parse(&plan_text(2)).unwrap();
    for (from, to, told) in [
        ("root_threshold = 2", "root_threshold = 4", "root_keys"),
        (
            "test_age_hours = 48",
            "test_age_hours = 36",
            "test_age_hours",
        ),
        (
            "expires_in_days = 90",
            "expires_in_days = 401",
            "expires_in_days",
        ),
        (
            "expires_in_days = 90",
            "expires_in_days = 0",
            "expires_in_days",
        ),
        ("grace_min", "removed_slots = [64]\ngrace_min", "slot 64"),
        ("grace_min", "colour = \"red\"\ngrace_min", "colour"),
        ("\"hz-2020-02\"", "\"hz\"", "hz"),
    ] {
        let error = parse(&plan_text(2).replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    let missing = Plan::read(Path::new("/nowhere/plan.toml")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/plan.toml"));
}
