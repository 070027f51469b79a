//! Verifying key, proof and public inputs in snarkjs' JSON: decimal coordinates, projective with the last one 1.

use anyhow::{Context, Result};
use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr as _;
use ark_groth16::{Proof, VerifyingKey};
use ark_serialize::CanonicalDeserialize;
use commitment::PublicInputs;
use prover::ProofBytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

pub(crate) const PROTOCOL: &str = "groth16";
/// What snarkjs calls BN254.
pub(crate) const CURVE: &str = "bn128";

/// A point of the first group.
pub(crate) type G1Json = [String; 3];
/// A point of the second group.
pub(crate) type G2Json = [[String; 2]; 3];

/// `verification_key.json`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyingKeyJson {
    pub(crate) protocol: String,
    pub(crate) curve: String,
    #[serde(rename = "nPublic")]
    pub(crate) inputs: usize,
    pub(crate) vk_alpha_1: G1Json,
    pub(crate) vk_beta_2: G2Json,
    pub(crate) vk_gamma_2: G2Json,
    pub(crate) vk_delta_2: G2Json,
    /// The pairing of alpha and beta, which snarkjs writes too and never reads: it follows from both.
    #[serde(rename = "vk_alphabeta_12", default, skip_serializing)]
    _alphabeta: IgnoredAny,
    /// A point for the constant and one for each public input.
    #[serde(rename = "IC")]
    pub(crate) ic: Vec<G1Json>,
}

impl From<&VerifyingKey<Bn254>> for VerifyingKeyJson {
    fn from(key: &VerifyingKey<Bn254>) -> Self {
        Self {
            protocol: PROTOCOL.to_owned(),
            curve: CURVE.to_owned(),
            inputs: key.gamma_abc_g1.len() - 1,
            vk_alpha_1: g1(&key.alpha_g1),
            vk_beta_2: g2(&key.beta_g2),
            vk_gamma_2: g2(&key.gamma_g2),
            vk_delta_2: g2(&key.delta_g2),
            _alphabeta: IgnoredAny,
            ic: key.gamma_abc_g1.iter().map(g1).collect(),
        }
    }
}

/// `NAME.proof.json`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofJson {
    pub(crate) pi_a: G1Json,
    pub(crate) pi_b: G2Json,
    pub(crate) pi_c: G1Json,
    protocol: String,
    curve: String,
}

impl ProofJson {
    /// The proof in arkworks' compressed bytes.
    pub(crate) fn read(bytes: &ProofBytes) -> Result<Self> {
        let proof = Proof::<Bn254>::deserialize_compressed(&bytes[..]);
        let proof = proof.context("the prover's own proof cannot be read")?;
        Ok(Self {
            pi_a: g1(&proof.a),
            pi_b: g2(&proof.b),
            pi_c: g1(&proof.c),
            protocol: PROTOCOL.to_owned(),
            curve: CURVE.to_owned(),
        })
    }
}

/// `NAME.public.json`: the public inputs in their order.
pub(crate) fn public_json(public: &PublicInputs) -> Vec<String> {
    public.to_fields().iter().map(ToString::to_string).collect()
}

fn g1(point: &G1Affine) -> G1Json {
    match point.xy() {
        Some((x, y)) => [x.to_string(), y.to_string(), "1".to_owned()],
        None => ["0", "1", "0"].map(ToOwned::to_owned),
    }
}

fn g2(point: &G2Affine) -> G2Json {
    let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
    match point.xy() {
        Some((x, y)) => [
            [x.c0.to_string(), x.c1.to_string()],
            [y.c0.to_string(), y.c1.to_string()],
            pair("1", "0"),
        ],
        None => [pair("0", "0"), pair("1", "0"), pair("0", "0")],
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fq;

    use super::*;

    #[test]
    fn points_are_written_as_snarkjs_writes_them() {
        // The generators, as every verification_key.json of an unfinished ceremony shows them (gamma is the second).
        let one = g1(&G1Affine::generator());
        assert_eq!(one, ["1", "2", "1"].map(ToOwned::to_owned));
        let two = g2(&G2Affine::generator());
        assert_eq!(
            two[0],
            [
                "10857046999023057135944570762232829481370756359578518086990519993285655852781",
                "11559732032986387107991004021392285783925812861821192530917403151452391805634"
            ]
        );
        assert_eq!(two[2], ["1", "0"]);
        assert_eq!(g1(&G1Affine::identity())[2], "0");
        assert_eq!(Fq::from(0).to_string(), "0");
    }
}
