//! A verifying key in snarkjs' JSON: decimal coordinates, projective with the last one 1.

use anyhow::{Context, Result, bail};
use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use commitment::PUBLIC_INPUTS;
use verifier::VerifyingKey;

use super::points::{BadPoint, input_name, of_point};
use crate::export::{CURVE, G1Json, G2Json, PROTOCOL, VerifyingKeyJson};

/// Digits of the largest coordinate.
const MAX_DIGITS: usize = 78;

/// The same key in arkworks' compressed form, once the verifier takes it.
pub(super) fn verifying_key(json: &[u8]) -> Result<Vec<u8>> {
    let key: VerifyingKeyJson =
        serde_json::from_slice(json).context("no verifying key of snarkjs")?;
    if (key.protocol.as_str(), key.curve.as_str()) != (PROTOCOL, CURVE) {
        bail!(
            "a key for {} over {}, always {PROTOCOL} over {CURVE}",
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
        alpha_g1: g1("alpha", &key.vk_alpha_1)?,
        beta_g2: g2("beta", &key.vk_beta_2)?,
        gamma_g2: g2("gamma", &key.vk_gamma_2)?,
        delta_g2: g2("delta", &key.vk_delta_2)?,
        gamma_abc_g1: ic
            .map(|(i, point)| g1(&input_name(i), point))
            .collect::<Result<_>>()?,
    };
    Ok(VerifyingKey::new(key)?.to_bytes())
}

fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

fn g1(name: &str, [x, y, z]: &G1Json) -> Result<G1Affine> {
    let infinity = coordinate(name, z)? == Fq::from(0);
    if !infinity && z != "1" {
        bail!("the point {name} is not written with a last coordinate of 1");
    }
    let [x, y] = [coordinate(name, x)?, coordinate(name, y)?];
    let point = if infinity {
        G1Affine::identity()
    } else {
        G1Affine::new_unchecked(x, y) // checked just below
    };
    checked(point, name)
}

fn g2(name: &str, [x, y, z]: &G2Json) -> Result<G2Affine> {
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
    checked(point, name)
}

/// The point, if it is on its curve, in its group and not at infinity.
fn checked<C: SWCurveConfig>(point: Affine<C>, name: &str) -> Result<Affine<C>> {
    of_point(&point).map_or(Ok(point), |fault| {
        let point = name.to_owned();
        Err(BadPoint { point, fault }.into())
    })
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
