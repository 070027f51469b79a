//! Groth16 over BN254: verifying keys read with suspicion, one proof, and many proofs at once.

use ark_bn254::{Bn254, G1Affine, G1Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, One};
use ark_groth16::{Groth16, PreparedVerifyingKey, prepare_verifying_key};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use commitment::{CircuitId, CircuitUse, Fr, PUBLIC_INPUTS, fr_to_bytes};
use sha2::{Digest, Sha256};

use crate::{Error, PassProof};

const G1_LEN_BYTES: usize = 32;
const G2_LEN_BYTES: usize = 64;
/// Where the number of points of the last list stands: after one point of G1 and three of G2.
const COUNT_AT: usize = G1_LEN_BYTES + 3 * G2_LEN_BYTES;
/// Length of a verifying key for six public inputs in arkworks' compressed form.
pub const VERIFYING_KEY_LEN_BYTES: usize = COUNT_AT + 8 + (PUBLIC_INPUTS + 1) * G1_LEN_BYTES;
/// Most proofs that are combined at once; more are taken in turn. Measured gains end well below.
pub const MAX_BATCH: usize = 1024;

const BATCH_DOMAIN: &[u8] = b"viridian/batch/v1\0";

type G2Prepared = <Bn254 as Pairing>::G2Prepared;

/// A verifying key for six public inputs, all of whose points were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKey(ark_groth16::VerifyingKey<Bn254>);

impl VerifyingKey {
    /// Reads a key from arkworks' compressed form.
    ///
    /// # Errors
    /// [`Error::KeyLength`] or [`Error::KeyArity`] unless it is one for six public inputs; [`Error::BadPoint`] for a point
    /// off its curve, outside its group, at infinity or not canonically written (a public input whose point is at
    /// infinity would not count); [`Error::GammaEqualsDelta`] for a key without a second phase.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != VERIFYING_KEY_LEN_BYTES {
            return Err(Error::KeyLength {
                len: bytes.len(),
                expected: VERIFYING_KEY_LEN_BYTES,
            });
        }
        let mut count = [0; 8];
        count.copy_from_slice(&bytes[COUNT_AT..COUNT_AT + 8]);
        let count = u64::from_le_bytes(count);
        if count != PUBLIC_INPUTS as u64 + 1 {
            return Err(Error::KeyArity {
                inputs: count.wrapping_sub(1),
            });
        }
        let key = ark_groth16::VerifyingKey::<Bn254>::deserialize_compressed(bytes)
            .map_err(|_| Error::BadPoint("the verifying key"))?;
        let key = Self::new(key)?;
        if key.to_bytes() != *bytes {
            return Err(Error::BadPoint("the verifying key"));
        }
        Ok(key)
    }

    /// Takes a key from a prover in the same process.
    ///
    /// # Errors
    /// As [`VerifyingKey::from_bytes`].
    pub fn new(key: ark_groth16::VerifyingKey<Bn254>) -> Result<Self, Error> {
        if key.gamma_abc_g1.len() != PUBLIC_INPUTS + 1 {
            return Err(Error::KeyArity {
                inputs: (key.gamma_abc_g1.len() as u64).wrapping_sub(1),
            });
        }
        let at_infinity = key.alpha_g1.is_zero()
            || [key.beta_g2, key.gamma_g2, key.delta_g2]
                .iter()
                .any(AffineRepr::is_zero)
            || key.gamma_abc_g1.iter().any(AffineRepr::is_zero);
        if at_infinity {
            return Err(Error::BadPoint("the verifying key"));
        }
        if key.gamma_g2 == key.delta_g2 {
            return Err(Error::GammaEqualsDelta);
        }
        Ok(Self(key))
    }

    /// The compressed form, [`VERIFYING_KEY_LEN_BYTES`] long.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(VERIFYING_KEY_LEN_BYTES);
        self.0
            .serialize_compressed(&mut out)
            .expect("writing to a vector does not fail");
        out
    }

    /// The identity of a circuit under this key.
    pub fn circuit_id(&self, circuit_use: CircuitUse, matrix_digest: &[u8; 32]) -> CircuitId {
        CircuitId::new(circuit_use, matrix_digest, &self.to_bytes())
    }
}

/// A verifying key with its pairings prepared, under the identity of its circuit.
#[derive(Clone, Debug)]
pub struct PreparedCircuit {
    id: CircuitId,
    key: PreparedVerifyingKey<Bn254>,
    beta_g2: G2Prepared,
}

impl PreparedCircuit {
    /// Prepares a key.
    pub fn new(circuit_use: CircuitUse, matrix_digest: &[u8; 32], key: &VerifyingKey) -> Self {
        Self {
            id: key.circuit_id(circuit_use, matrix_digest),
            key: prepare_verifying_key(&key.0),
            beta_g2: key.0.beta_g2.into(),
        }
    }

    /// The circuit's identity.
    pub const fn id(&self) -> CircuitId {
        self.id
    }

    /// Whether `proof` holds for these public inputs.
    pub fn verifies(&self, proof: &PassProof, inputs: &[Fr; PUBLIC_INPUTS]) -> bool {
        // The library takes a slice and does not compare lengths; the array and the key's checked arity do.
        Groth16::<Bn254>::verify_proof(&self.key, proof.proof(), inputs).unwrap_or(false)
    }
}

/// 32 bytes that nobody who makes proofs can predict, fresh for each batch.
#[derive(Clone)]
pub struct BatchSeed([u8; 32]);

impl BatchSeed {
    /// A seed from the caller's random number generator.
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for BatchSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BatchSeed(..)")
    }
}

/// For each proof, whether it holds for its public inputs.
///
/// A random linear combination of all of them is checked with one final exponentiation; where it fails, halves are
/// checked until the bad ones are found. A wrong answer needs a 128-bit coefficient to be guessed: they come from the
/// seed, hashed with the key and with all proofs and inputs.
pub fn verify_proofs(
    circuit: &PreparedCircuit,
    items: &[(&PassProof, [Fr; PUBLIC_INPUTS])],
    seed: &BatchSeed,
) -> Vec<bool> {
    let mut holds = Vec::with_capacity(items.len());
    for chunk in items.chunks(MAX_BATCH) {
        let combination = Combination::new(circuit, chunk, seed);
        let mut part = vec![true; chunk.len()];
        if !combination.holds(0, chunk.len()) {
            combination.bisect(0, chunk.len(), &mut part);
        }
        holds.append(&mut part);
    }
    holds
}

/// Proofs with their coefficients: `Π e(rᵢAᵢ, Bᵢ) · e(−Σrᵢ·α, β) · e(−Σrᵢ·Xᵢ, γ) · e(−Σrᵢ·Cᵢ, δ) = 1`.
struct Combination<'a> {
    circuit: &'a PreparedCircuit,
    coefficients: Vec<Fr>,
    scaled_a: Vec<G1Affine>,
    prepared_b: Vec<G2Prepared>,
    c: Vec<G1Affine>,
    inputs: Vec<[Fr; PUBLIC_INPUTS]>,
}

impl<'a> Combination<'a> {
    fn new(
        circuit: &'a PreparedCircuit,
        items: &[(&PassProof, [Fr; PUBLIC_INPUTS])],
        seed: &BatchSeed,
    ) -> Self {
        let coefficients = coefficients(circuit, items, seed);
        #[allow(clippy::cast_possible_truncation)] // the two halves of a u128
        let scaled: Vec<G1Projective> = items
            .iter()
            .zip(&coefficients)
            .map(|((proof, _), r)| {
                let limbs = [*r as u64, (*r >> 64) as u64];
                proof.proof().a.mul_bigint(limbs)
            })
            .collect();
        Self {
            circuit,
            coefficients: coefficients.into_iter().map(Fr::from).collect(),
            scaled_a: G1Projective::normalize_batch(&scaled),
            prepared_b: items.iter().map(|(p, _)| p.proof().b.into()).collect(),
            c: items.iter().map(|(p, _)| p.proof().c).collect(),
            inputs: items.iter().map(|(_, inputs)| *inputs).collect(),
        }
    }

    /// Whether the combination of the proofs from `from` (included) to `to` (excluded) holds.
    fn holds(&self, from: usize, to: usize) -> bool {
        let key = &self.circuit.key;
        let r = &self.coefficients[from..to];
        let mut weights = [Fr::ZERO; PUBLIC_INPUTS + 1];
        for (r, inputs) in r.iter().zip(&self.inputs[from..to]) {
            weights[0] += r;
            for (weight, input) in weights[1..].iter_mut().zip(inputs) {
                *weight += *r * input;
            }
        }
        let alpha = -(key.vk.alpha_g1 * weights[0]);
        let x = G1Projective::msm_unchecked(&key.vk.gamma_abc_g1, &weights);
        let c = G1Projective::msm_unchecked(&self.c[from..to], r);
        let tail = G1Projective::normalize_batch(&[alpha, x, c]);
        let left = self.scaled_a[from..to].iter().chain(&tail).copied();
        let right = self.prepared_b[from..to].iter().cloned().chain([
            self.circuit.beta_g2.clone(),
            key.gamma_g2_neg_pc.clone(),
            key.delta_g2_neg_pc.clone(),
        ]);
        let product = Bn254::multi_miller_loop(left, right);
        Bn254::final_exponentiation(product).is_some_and(|out| out.0.is_one())
    }

    /// Finds the bad ones in a range that is known to hold at least one.
    fn bisect(&self, from: usize, to: usize, out: &mut [bool]) {
        if to - from == 1 {
            out[from] = false;
            return;
        }
        let mid = from.midpoint(to);
        if self.holds(from, mid) {
            // The whole is the product of its halves: the fault lies in the other one.
            self.bisect(mid, to, out);
        } else {
            self.bisect(from, mid, out);
            if !self.holds(mid, to) {
                self.bisect(mid, to, out);
            }
        }
    }
}

fn coefficients(
    circuit: &PreparedCircuit,
    items: &[(&PassProof, [Fr; PUBLIC_INPUTS])],
    seed: &BatchSeed,
) -> Vec<u128> {
    let mut all = Sha256::new()
        .chain_update(BATCH_DOMAIN)
        .chain_update(seed.0)
        .chain_update(circuit.id.to_bytes());
    for (proof, inputs) in items {
        all.update(proof.to_bytes());
        for input in inputs {
            all.update(fr_to_bytes(*input));
        }
    }
    let all = all.finalize();
    (0..items.len() as u64)
        .map(|index| {
            let digest = Sha256::new()
                .chain_update(BATCH_DOMAIN)
                .chain_update(all)
                .chain_update(index.to_be_bytes())
                .finalize();
            let mut half = [0; 16];
            half.copy_from_slice(&digest[..16]);
            // Zero would leave its proof out.
            u128::from_be_bytes(half).max(1)
        })
        .collect()
}
