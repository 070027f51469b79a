//! A verifying key in snarkjs' JSON: decimal coordinates, projective with the last one 1.

use anyhow::{Context, Result, bail};
use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use commitment::PUBLIC_INPUTS;
use serde::Deserialize;
use verifier::VerifyingKey;

use super::points::{BadPoint, input_name, of_point};

/// Digits of the largest coordinate.
const MAX_DIGITS: usize = 78;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    inputs: usize,
    vk_alpha_1: G1,
    vk_beta_2: G2,
    vk_gamma_2: G2,
    vk_delta_2: G2,
    /// The pairing of alpha and beta: follows from both, and is not looked at.
    #[serde(rename = "vk_alphabeta_12", default)]
    _alphabeta: serde::de::IgnoredAny,
    #[serde(rename = "IC")]
    ic: Vec<G1>,
}

type G1 = [String; 3];
type G2 = [[String; 2]; 3];

/// The same key in arkworks' compressed form, once the verifier takes it.
pub(super) fn verifying_key(json: &[u8]) -> Result<Vec<u8>> {
    let key: Key = serde_json::from_slice(json).context("no verifying key of snarkjs")?;
    if (key.protocol.as_str(), key.curve.as_str()) != ("groth16", "bn128") {
        bail!(
            "a key for {} over {}, always groth16 over bn128",
            short(&key.protocol),
            short(&key.curve)
        );
    }
    if key.inputs != PUBLIC_INPUTS || key.ic.len() != PUBLIC_INPUTS + 1 {
        bail!(
            "a verifying key for {} public inputs with {} points for them, always {PUBLIC_INPUTS} and {}",
            key.inputs,
            key.ic.len(),
            PUBLIC_INPUTS + 1
        );
    }
    let ic = key.ic.iter().enumerate();
    let key = ark_groth16::VerifyingKey::<Bn254> {
        alpha_g1: g1("alpha".to_owned(), &key.vk_alpha_1)?,
        beta_g2: g2("beta", &key.vk_beta_2)?,
        gamma_g2: g2("gamma", &key.vk_gamma_2)?,
        delta_g2: g2("delta", &key.vk_delta_2)?,
        gamma_abc_g1: ic
            .map(|(i, point)| g1(input_name(i), point))
            .collect::<Result<_>>()?,
    };
    Ok(VerifyingKey::new(key)?.to_bytes())
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

fn g1(name: String, [x, y, z]: &G1) -> Result<G1Affine> {
    let infinity = coordinate(&name, z)? == Fq::from(0);
    if !infinity && z != "1" {
        bail!("the point {name} is not written with a last coordinate of 1");
    }
    let [x, y] = [coordinate(&name, x)?, coordinate(&name, y)?];
    let point = if infinity {
        G1Affine::identity()
    } else {
        G1Affine::new_unchecked(x, y) // checked just below
    };
    match of_point(&point) {
        None => Ok(point),
        Some(fault) => Err(BadPoint { point: name, fault }.into()),
    }
}

fn g2(name: &str, [x, y, z]: &G2) -> Result<G2Affine> {
    let pair = |[c0, c1]: &[String; 2]| -> Result<Fq2> {
        Ok(Fq2::new(coordinate(name, c0)?, coordinate(name, c1)?))
    };
    let infinity = pair(z)? == Fq2::from(0u64);
    if !infinity && z != &["1", "0"] {
        bail!("the point {name} is not written with a last coordinate of 1");
    }
    let [x, y] = [pair(x)?, pair(y)?];
    let point = if infinity {
        G2Affine::identity()
    } else {
        G2Affine::new_unchecked(x, y) // checked just below
    };
    let point_name = name.to_owned();
    match of_point(&point) {
        None => Ok(point),
        Some(fault) => Err(BadPoint {
            point: point_name,
            fault,
        }
        .into()),
    }
}

/// A coordinate, written in the one way: decimal digits below the field's modulus.
fn coordinate(point: &str, text: &str) -> Result<Fq> {
    let read = (text.len() <= MAX_DIGITS).then(|| text.parse::<Fq>());
    match read {
        // The parser reduces; what is written back as it came was below the modulus.
        Some(Ok(value)) if value.to_string() == text => Ok(value),
        _ => {
            bail!("the point {point} has a coordinate that is no number below the field's modulus")
        }
    }
}
