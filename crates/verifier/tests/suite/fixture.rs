//! A small federation with a tiny circuit of six public inputs, in which every pass that a test needs can be made.
#![allow(dead_code, unreachable_pub)] // tests and benchmark use their own parts

use ark_bn254::Bn254;
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError,
};
use ark_std::rand::rngs::StdRng;
use ark_std::rand::{RngCore, SeedableRng};
use commitment::{
    BinderKind, CircuitShortId, CircuitUse, Epoch, Fr, PUBLIC_INPUTS, PublicInputs, Slot,
};
use ed25519_dalek::{Signer, SigningKey};
use p256::ecdsa;
use rules::{Claim, Minute, ProvinceCode, TestAge, WorstColour};
use verifier::trust::{
    BATCH_LEN, Bundle, CircuitEntry, HeadKeys, OnlineDocument, Profile, ProvinceEntry,
    ProvinceSignature, RegistryEntry, Revocation, RevocationBatch, RootDocument, RootKeys,
    RootSignature, RuleSetEntry, Sequence, SignedOnline, SignedRoot,
};
use verifier::{
    AcceptanceRule, BinderKinds, CardNumber, Gate, GateChallenge, Holder, HolderKey, Moment, Pass,
    PassProof, RevocationHash, RiskMapShortId, RuleSetShortId, Showing, TrustList, UnixTime,
    VerifyingKey,
};

/// Closing minute of epoch 0; epochs close every hour.
pub const FIRST_CLOSE: u32 = 27_700_000;
/// Ten minutes after epoch 12 closed.
pub const NOW: UnixTime = UnixTime::from_s((FIRST_CLOSE as u64 + 12 * 60 + 10) * 60);
pub const CLAIM: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::Hours48,
};
/// Zhejiang's rule set in force, Fujian's, the nation's; Zhejiang's former one and its next.
pub const ZHEJIANG: RuleSetShortId = RuleSetShortId([1, 0, 0, 1]);
pub const FUJIAN: RuleSetShortId = RuleSetShortId([1, 0, 0, 2]);
pub const NATION: RuleSetShortId = RuleSetShortId([1, 0, 0, 3]);
pub const FORMER: RuleSetShortId = RuleSetShortId([1, 0, 0, 4]);
pub const NEXT: RuleSetShortId = RuleSetShortId([1, 0, 0, 5]);
/// The risk map of epoch 9, which came back with epoch 11; the one before it, up to epoch 8; the one of epoch 10 between;
/// and one of no epoch yet.
pub const MAP: RiskMapShortId = RiskMapShortId([2, 0, 0, 1]);
pub const OLD_MAP: RiskMapShortId = RiskMapShortId([2, 0, 0, 2]);
pub const GAP_MAP: RiskMapShortId = RiskMapShortId([2, 0, 0, 3]);
pub const NEXT_MAP: RiskMapShortId = RiskMapShortId([2, 0, 0, 4]);
pub const CARD: &[u8; 18] = b"11010519491231002X";
pub const REVOKED_SECRET: [u8; 16] = [0xee; 16];
/// Code, slot and key seed of each province.
pub const PROVINCES: [(u8, u8); 3] = [(33, 1), (35, 2), (42, 3)];

pub fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

pub fn close(epoch: u32) -> Minute {
    minute(FIRST_CLOSE + 60 * epoch)
}

pub fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub fn root_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + seed; 32])
}

pub fn head_key(slot: u8) -> SigningKey {
    SigningKey::from_bytes(&[slot; 32])
}

pub fn root_keys(seeds: &[u8], threshold: u8) -> RootKeys {
    let keys = seeds.iter().map(|s| root_key(*s).verifying_key()).collect();
    RootKeys::new(keys, threshold).unwrap()
}

/// Six public inputs, each of which has its square: enough to bind them all.
pub struct Squares<const N: usize>(pub [Fr; N]);

impl<const N: usize> ConstraintSynthesizer<Fr> for Squares<N> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        for value in self.0 {
            let input = cs.new_input_variable(|| Ok(value))?;
            let square = cs.new_witness_variable(|| Ok(value * value))?;
            cs.enforce_r1cs_constraint(
                || LinearCombination::from(input),
                || LinearCombination::from(input),
                || LinearCombination::from(square),
            )?;
        }
        Ok(())
    }
}

/// A circuit with its proving key.
pub struct Kit {
    pub key: ProvingKey<Bn254>,
    pub entry: CircuitEntry,
}

impl Kit {
    fn new(circuit_use: CircuitUse, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let circuit = Squares([Fr::zero(); PUBLIC_INPUTS]);
        let key =
            Groth16::<Bn254>::generate_random_parameters_with_reduction(circuit, &mut rng).unwrap();
        let entry = CircuitEntry {
            circuit_use,
            matrix_digest: [7; 32],
            key: VerifyingKey::new(key.vk.clone()).unwrap(),
        };
        Self { key, entry }
    }

    pub fn prove(&self, inputs: [Fr; PUBLIC_INPUTS], rng: &mut StdRng) -> PassProof {
        let proof =
            Groth16::<Bn254>::create_random_proof_with_reduction(Squares(inputs), &self.key, rng)
                .unwrap();
        PassProof::new(proof).unwrap()
    }

    pub fn short(&self) -> CircuitShortId {
        self.entry.id().short()
    }
}

/// What a test wants of a pass; everything else follows.
#[derive(Clone)]
pub struct Wish {
    pub specimen: bool,
    pub epoch: u32,
    pub rule_set: RuleSetShortId,
    pub risk_map: RiskMapShortId,
    pub claim: Claim,
    pub kind: BinderKind,
    pub revocation_secret: Option<[u8; 16]>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            specimen: false,
            epoch: 12,
            rule_set: ZHEJIANG,
            risk_map: MAP,
            claim: CLAIM,
            kind: BinderKind::Device,
            revocation_secret: None,
        }
    }
}

pub struct World {
    pub production: Kit,
    pub test: Kit,
    pub rng: StdRng,
}

impl World {
    pub fn new() -> Self {
        Self {
            production: Kit::new(CircuitUse::Production, 1),
            test: Kit::new(CircuitUse::Test, 2),
            rng: StdRng::seed_from_u64(3),
        }
    }

    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.rng.fill_bytes(&mut out);
        out
    }

    /// A pass with the key that can show it.
    pub fn pass(&mut self, wish: &Wish) -> (Pass, ecdsa::SigningKey) {
        let secret = ecdsa::SigningKey::from_slice(&self.random::<32>()).unwrap();
        let key = HolderKey::from(*secret.verifying_key());
        let holder = match wish.kind {
            BinderKind::Device => Holder::Device(key),
            BinderKind::DeviceAndCard => Holder::DeviceAndCard(key),
            BinderKind::Card => Holder::Card,
        };
        let r = wish.revocation_secret.unwrap_or_else(|| self.random());
        let h = RevocationHash(commitment::revocation_hash(&r));
        let tag = holder.needs_card().then(|| CardNumber::new(*CARD).tag(h));
        let inputs = PublicInputs {
            registry_root: registry_root(wish.epoch),
            risk_root: risk_root(wish.risk_map),
            rule_digest: rule_digest(wish.rule_set),
            as_of: close(wish.epoch),
            claim: wish.claim,
            binder: holder.binder(h, tag.as_ref()).unwrap(),
        };
        let kit = if wish.specimen {
            &self.test
        } else {
            &self.production
        };
        let pass = Pass {
            circuit: kit.short(),
            epoch: Epoch::new(wish.epoch),
            rule_set: wish.rule_set,
            risk_map: wish.risk_map,
            claim: wish.claim,
            holder,
            h,
            proof: kit.prove(inputs.to_fields(), &mut self.rng),
        };
        (pass, secret)
    }

    /// A pass of that wish, shown now without a challenge.
    pub fn showing(&mut self, wish: &Wish) -> Showing {
        let (pass, secret) = self.pass(wish);
        if wish.kind == BinderKind::Card {
            Showing::of_card(pass).unwrap()
        } else {
            show(pass, &secret, NOW, None)
        }
    }

    pub fn root(&self) -> RootDocument {
        let mut circuits = vec![self.production.entry.clone(), self.test.entry.clone()];
        circuits.sort_by_key(CircuitEntry::id);
        RootDocument {
            sequence: Sequence::new(1),
            expires_at: UnixTime::from_s(NOW.get_s() + 90 * 86_400),
            root_keys: root_keys(&[1, 2, 3], 2),
            grace_min: 120,
            provinces: PROVINCES.map(province_entry).to_vec(),
            circuits,
            openings: Vec::new(),
            rule_sets: rule_sets(),
            profiles: vec![Profile {
                name: "gate".to_owned(),
                rule: rule(),
            }],
        }
    }

    #[allow(clippy::unused_self)] // stands beside `root`
    pub fn online(&self) -> OnlineDocument {
        OnlineDocument {
            root_sequence: Sequence::new(1),
            sequence: Sequence::new(40),
            issued_at: UnixTime::from_s(NOW.get_s() - 300),
            soft_stale_s: 3_600,
            hard_stale_s: 6 * 3_600,
            registries: (3..=12).map(registry).collect(),
            batches: Vec::new(),
        }
    }

    pub fn bundle(&self) -> Vec<u8> {
        bundle(&[sign_root(self.root(), &[1, 2])], self.online(), &[1, 2])
    }

    pub fn trust_list(&self) -> TrustList {
        TrustList::accept(&self.bundle(), None, &root_keys(&[1, 2, 3], 2), NOW).unwrap()
    }

    /// The list with a batch that revokes [`REVOKED_SECRET`].
    pub fn revoking_list(&self) -> TrustList {
        let batch = batch(close(12), &[REVOKED_SECRET]);
        let mut online = self.online();
        online.batches = vec![batch.entry()];
        let bytes = bundle(&[sign_root(self.root(), &[1, 2])], online, &[1, 2]);
        let pinned = root_keys(&[1, 2, 3], 2);
        let mut candidate = TrustList::consider(&bytes, None, &pinned, NOW).unwrap();
        candidate.supply(&batch.to_bytes()).unwrap();
        candidate.complete().unwrap()
    }
}

/// A batch with these secrets, and others that stand for nothing.
pub fn batch(at: Minute, secrets: &[[u8; 16]]) -> RevocationBatch {
    let others = (0_u128..).map(|n| (u128::from(at.get()) << 64 | n).to_be_bytes());
    let all = secrets.iter().copied().chain(others).take(BATCH_LEN);
    RevocationBatch::new(at, all.map(Revocation).collect()).unwrap()
}

fn province_entry((code, slot): (u8, u8)) -> ProvinceEntry {
    ProvinceEntry {
        province: province(code),
        slot: Slot::new(slot).unwrap(),
        head_keys: HeadKeys::single(head_key(slot).verifying_key()),
    }
}

/// A province of a larger federation.
pub fn entry_of(code: u8, slot: u8) -> ProvinceEntry {
    let mut entry = province_entry((33, slot));
    entry.province = province(code);
    entry
}

fn registry(epoch: u32) -> RegistryEntry {
    RegistryEntry {
        epoch: Epoch::new(epoch),
        as_of: close(epoch),
        root: registry_root(epoch),
        risk_root: risk_root(map_of(epoch)),
    }
}

pub fn map_of(epoch: u32) -> RiskMapShortId {
    match epoch {
        ..=8 => OLD_MAP,
        10 => GAP_MAP,
        _ => MAP,
    }
}

fn rule_sets() -> Vec<RuleSetEntry> {
    [
        (ZHEJIANG, "zj-2022-08", 33, 0, None),
        (FUJIAN, "fj-2022-08", 35, 0, None),
        (NATION, "cn-2022-06", 0, 0, None),
        (FORMER, "zj-2022-07", 33, 0, Some(9)),
        (NEXT, "zj-2022-09", 33, 13, None),
    ]
    .map(|(short_id, name, scope, from, end)| RuleSetEntry {
        short_id,
        name: name.to_owned(),
        digest: rule_digest(short_id),
        scope: province(scope),
        valid_from: close(from),
        superseded_at: end.map(close),
        version: 1,
        is_emergency: from == 13,
    })
    .to_vec()
}

pub fn registry_root(epoch: u32) -> Fr {
    Fr::from(900_000 + u64::from(epoch))
}

pub fn risk_root(short: RiskMapShortId) -> Fr {
    Fr::from(u32::from_be_bytes(short.0))
}

pub fn rule_digest(short: RuleSetShortId) -> Fr {
    Fr::from(u32::from_be_bytes(short.0))
}

pub fn sign_root(document: RootDocument, seeds: &[u8]) -> SignedRoot {
    let message = document.signing_bytes().unwrap();
    let signatures = seeds
        .iter()
        .map(|seed| RootSignature {
            key: root_key(*seed).verifying_key(),
            signature: root_key(*seed).sign(&message).to_bytes(),
        })
        .collect();
    SignedRoot::new(document, signatures)
}

pub fn sign_online(document: OnlineDocument, slots: &[u8]) -> SignedOnline {
    let message = document.signing_bytes().unwrap();
    let signatures = slots
        .iter()
        .map(|slot| ProvinceSignature {
            slot: Slot::new(*slot).unwrap(),
            signature: head_key(*slot).sign(&message).to_bytes(),
        })
        .collect();
    SignedOnline::new(document, signatures)
}

pub fn bundle(roots: &[SignedRoot], online: OnlineDocument, slots: &[u8]) -> Vec<u8> {
    Bundle {
        roots: roots.to_vec(),
        online: sign_online(online, slots),
    }
    .to_bytes()
    .unwrap()
}

pub fn rule() -> AcceptanceRule {
    AcceptanceRule {
        asked: CLAIM,
        pass_age_max_min: 240,
        card_pass_age_max_min: 14 * 1440,
        binders: BinderKinds::ALL,
    }
}

pub fn gate() -> Gate {
    Gate::new(province(33), rule())
}

pub fn sign(pass: &Pass, secret: &ecdsa::SigningKey, moment: &Moment) -> [u8; 64] {
    let signature: ecdsa::Signature = secret.sign(&moment.signing_bytes(pass));
    signature.to_bytes().into()
}

pub fn show(
    pass: Pass,
    secret: &ecdsa::SigningKey,
    at: UnixTime,
    challenge: Option<GateChallenge>,
) -> Showing {
    let moment = Moment {
        slot: at.slot(),
        challenge,
    };
    let signature = sign(&pass, secret, &moment);
    Showing::of_device(pass, moment, &signature).unwrap()
}

/// The modulus of the base field of BN254, little-endian: the first coordinate that is none.
pub fn base_modulus() -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&ark_bn254::Fq::MODULUS.to_bytes_le());
    out
}
