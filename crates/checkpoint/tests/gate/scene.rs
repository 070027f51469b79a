//! A federation of three provinces with keys at hand. Its verifying key has a known trapdoor, so that a proof for any
//! public inputs can be computed without a circuit.

use std::path::Path;

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use ark_groth16::Proof;
use checkpoint::{Config, Desk};
use ed25519_dalek::{Signer as _, SigningKey};
use rules::{Claim, Minute, ProvinceCode, TestAge, WorstColour};
use verifier::trust::{
    Bundle, CircuitEntry, HeadKeys, OnlineDocument, Profile, ProvinceEntry, ProvinceSignature,
    RegistryEntry, RevocationBatch, RootDocument, RootKeys, RootSignature, RuleSetEntry, Sequence,
    SignedOnline, SignedRoot,
};
use verifier::{
    AcceptanceRule, BinderKinds, CircuitUse, Epoch, Holder, HolderKey, Moment, Pass, PassProof,
    PublicInputs, QrText, RevocationHash, RiskMapShortId, RuleSetShortId, Showing, Slot, UnixTime,
    VerifyingKey,
};

/// The closing minute of the only epoch.
pub(crate) const AS_OF: u32 = 27_698_640;
const MATRIX_DIGEST: [u8; 32] = [7; 32];
const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

/// Secrets of a verifying key: alpha, beta, gamma, delta, and the discrete logarithms of the public inputs' points.
struct Trapdoor([u64; 4], [u64; 7]);

const TRAPDOOR: Trapdoor = Trapdoor([3, 5, 7, 11], [13, 17, 19, 23, 29, 31, 37]);

impl Trapdoor {
    fn key(&self) -> VerifyingKey {
        let g1 = |scalar: u64| (G1Affine::generator() * Fr::from(scalar)).into_affine();
        let g2 = |scalar: u64| (G2Affine::generator() * Fr::from(scalar)).into_affine();
        let [alpha, beta, gamma, delta] = self.0;
        VerifyingKey::new(ark_groth16::VerifyingKey {
            alpha_g1: g1(alpha),
            beta_g2: g2(beta),
            gamma_g2: g2(gamma),
            delta_g2: g2(delta),
            gamma_abc_g1: self.1.iter().map(|scalar| g1(*scalar)).collect(),
        })
        .unwrap()
    }

    /// A proof that the equation `a·b = alpha·beta + ic·gamma + c·delta` holds for these inputs.
    fn prove(&self, inputs: &[Fr; 6]) -> PassProof {
        let [alpha, beta, gamma, delta] = self.0.map(Fr::from);
        let (a, b) = (Fr::from(41), Fr::from(43));
        let ic = inputs
            .iter()
            .zip(&self.1[1..])
            .fold(Fr::from(self.1[0]), |sum, (x, point)| {
                sum + *x * Fr::from(*point)
            });
        let c = (a * b - alpha * beta - ic * gamma) * delta.inverse().unwrap();
        let proof = Proof::<Bn254> {
            a: (G1Affine::generator() * a).into_affine(),
            b: (G2Affine::generator() * b).into_affine(),
            c: (G1Affine::generator() * c).into_affine(),
        };
        PassProof::new(proof).unwrap()
    }
}

fn root_key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn head_key(province: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + province; 32])
}

/// Any fixed and ascending numbering does.
fn slot_of(province: u8) -> Slot {
    Slot::new(province - 30).unwrap()
}

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

/// The public inputs of the federation's only epoch, but for claim and binder.
fn common() -> (Fr, Fr, Fr) {
    (Fr::from(1_001), Fr::from(1_002), Fr::from(1_003))
}

fn root_document(sequence: u64) -> RootDocument {
    let (_, _, digest) = common();
    let keys = (1..=3).map(|n| root_key(n).verifying_key()).collect();
    let profile = |name: &str, worst, pass_age_max_min| Profile {
        name: name.to_owned(),
        rule: AcceptanceRule {
            asked: Claim {
                worst,
                test_age: TestAge::NotAsked,
            },
            pass_age_max_min,
            card_pass_age_max_min: 0,
            binders: BinderKinds::ALL,
        },
    };
    RootDocument {
        sequence: Sequence::new(sequence),
        expires_at: UnixTime::from_s(u64::from(AS_OF + 30 * 1440) * 60),
        root_keys: RootKeys::new(keys, 2).unwrap(),
        grace_min: 1440,
        provinces: [33, 35, 42]
            .map(|code| ProvinceEntry {
                province: province(code),
                slot: slot_of(code),
                head_keys: HeadKeys::single(head_key(code).verifying_key()),
            })
            .to_vec(),
        circuits: vec![CircuitEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: MATRIX_DIGEST,
            key: TRAPDOOR.key(),
        }],
        openings: Vec::new(),
        rule_sets: vec![RuleSetEntry {
            short_id: RuleSetShortId::of_digest(digest),
            name: "cn-test".to_owned(),
            digest,
            scope: ProvinceCode::NATION,
            valid_from: minute(AS_OF - 1440),
            superseded_at: None,
            version: 1,
            is_emergency: false,
        }],
        profiles: vec![
            profile("green", WorstColour::Green, 1440),
            profile("not-red", WorstColour::Yellow, 1440),
        ],
    }
}

/// A bundle with these sequences, signed by these root keys and provinces.
pub(crate) fn bundle(root: u64, online: u64, root_signers: &[u8], provinces: &[u8]) -> Vec<u8> {
    bundle_with((root, online), root_signers, provinces, &[])
}

/// The same, with batches of revocations.
pub(crate) fn bundle_with(
    (root, online): (u64, u64),
    root_signers: &[u8],
    provinces: &[u8],
    batches: &[RevocationBatch],
) -> Vec<u8> {
    let document = root_document(root);
    let message = document.signing_bytes().unwrap();
    let signatures = root_signers
        .iter()
        .map(|n| RootSignature {
            key: root_key(*n).verifying_key(),
            signature: root_key(*n).sign(&message).to_bytes(),
        })
        .collect();
    let signed_root = SignedRoot::new(document, signatures);
    let (registry_root, risk_root, _) = common();
    let document = OnlineDocument {
        root_sequence: Sequence::new(root),
        sequence: Sequence::new(online),
        issued_at: UnixTime::from_s(u64::from(AS_OF + 5) * 60),
        soft_stale_s: 6 * 3600,
        hard_stale_s: 72 * 3600,
        registries: vec![RegistryEntry {
            epoch: Epoch::new(1),
            as_of: minute(AS_OF),
            root: registry_root,
            risk_root,
        }],
        batches: batches.iter().map(RevocationBatch::entry).collect(),
    };
    let message = document.signing_bytes().unwrap();
    let signatures = provinces
        .iter()
        .map(|code| ProvinceSignature {
            slot: slot_of(*code),
            signature: head_key(*code).sign(&message).to_bytes(),
        })
        .collect();
    let online = SignedOnline::new(document, signatures);
    Bundle {
        roots: vec![signed_root],
        online,
    }
    .to_bytes()
    .unwrap()
}

/// The keys that the gate is told of.
pub(crate) fn pinned() -> RootKeys {
    root_document(1).root_keys
}

/// A list as it should be.
pub(crate) fn good_bundle() -> Vec<u8> {
    bundle(1, 1, &[1, 2], &[33, 42])
}

/// The text of a code of the holder `n`, shown `after_min` minutes after the epoch's close.
pub(crate) fn code(n: u8, after_min: u32, challenge: Option<verifier::GateChallenge>) -> String {
    let key = p256::ecdsa::SigningKey::from_slice(&[n; 32]).unwrap();
    let h = RevocationHash([n; 16]);
    let holder = Holder::Device(HolderKey::from(*key.verifying_key()));
    let (registry_root, risk_root, rule_digest) = common();
    let inputs = PublicInputs {
        registry_root,
        risk_root,
        rule_digest,
        as_of: minute(AS_OF),
        claim: NOT_RED,
        binder: holder.binder(h, None).unwrap(),
    };
    let pass = Pass {
        circuit: root_document(1).circuits[0].id().short(),
        epoch: Epoch::new(1),
        rule_set: RuleSetShortId::of_digest(rule_digest),
        risk_map: RiskMapShortId::of_root(risk_root),
        claim: NOT_RED,
        holder,
        h,
        proof: TRAPDOOR.prove(&inputs.to_fields()),
    };
    let moment = Moment {
        slot: at(after_min).slot(),
        challenge,
    };
    let signature: p256::ecdsa::Signature = key.sign(&moment.signing_bytes(&pass));
    let showing = Showing::of_device(pass, moment, &signature.to_bytes().into()).unwrap();
    QrText::from_showing(&showing).to_string()
}

/// So many minutes after the epoch's close.
pub(crate) fn at(after_min: u32) -> UnixTime {
    UnixTime::from_s(u64::from(AS_OF + after_min) * 60)
}

/// A configuration outside production whose clock stands so many minutes after the epoch's close.
pub(crate) fn config_text(after_min: u32) -> String {
    let keys: Vec<String> = (1..=3)
        .map(|n| {
            format!(
                "\"{}\"",
                hex::encode(root_key(n).verifying_key().as_bytes())
            )
        })
        .collect();
    format!(
        "production = false\nprovince = 36\ngate_id = \"4a58303030303031\"\nstate_dir = \"state\"\n\
         profile = \"not-red\"\nadmit_specimens = true\nlisten = \"127.0.0.1:0\"\n\
         [trust]\nroot_keys = [{}]\nroot_threshold = 2\n\
         [clock]\nstart_minute = {}\nrate_min_per_s = 0\n",
        keys.join(", "),
        AS_OF + after_min
    )
}

/// An open desk over a directory.
pub(crate) fn desk(dir: &Path) -> Desk {
    Desk::open(Config::parse(&config_text(10), dir).unwrap()).unwrap()
}
