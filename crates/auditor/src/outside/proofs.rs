//! snarkjs on proofs: those of the samples, and the same with inputs, points or the key changed.

use std::fs;

use anyhow::{Context, Result};
use ark_bn254::Fq;
use ark_ff::PrimeField as _;
use commitment::Fr;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Asker;
use super::report::Check;
use super::snarkjs::{OfProof, Snarkjs};
use crate::export::{KEY_JSON, ProofJson, Sample, VerifyingKeyJson, proof_file, public_file};
use crate::files;
use crate::system::system;

/// A key, a proof or public inputs of ours take a few kilobytes.
const MAX_JSON_BYTES: usize = 64 << 10;

/// A key, public inputs and a proof to ask about.
#[derive(Clone)]
struct Case {
    asked: String,
    key: VerifyingKeyJson,
    public: Vec<String>,
    proof: ProofJson,
    expected: OfProof,
}

impl Case {
    /// The same, changed, and refused for it.
    fn with(&self, what: &str, expected: OfProof, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        what.clone_into(&mut other.asked);
        other.expected = expected;
        change(&mut other);
        other
    }
}

pub(super) fn ask(asker: &mut Asker<'_>, samples: &[Sample]) -> Result<Vec<Check>> {
    let mut good = Vec::with_capacity(samples.len());
    for Sample { name, .. } in samples {
        good.push(Case {
            asked: format!("{name}: as proved"),
            key: read(asker, KEY_JSON)?,
            public: read(asker, &public_file(name))?,
            proof: read(asker, &proof_file(name))?,
            expected: OfProof::Accepted,
        });
    }
    let mut cases = Vec::new();
    for (n, (case, sample)) in good.iter().zip(samples).enumerate() {
        let other = &good[(n + 1) % good.len()];
        let other = (n != (n + 1) % good.len()).then_some(other);
        cases.push(case.clone());
        cases.extend(other_inputs(case, &sample.name)?);
        cases.extend(other_points(case, &sample.name)?);
        cases.extend(other_keys(case, &sample.name));
        if let Some(other) = other {
            let what = format!("{}: the proof of another sample", sample.name);
            cases.push(case.with(&what, OfProof::Invalid, |c| c.proof = other.proof.clone()));
            let what = format!("{}: the inputs of another sample", sample.name);
            cases.push(case.with(&what, OfProof::Invalid, |c| {
                c.public.clone_from(&other.public);
            }));
        }
    }
    asker.bar.inc_length(cases.len() as u64);
    let checks = cases.iter().map(|case| {
        let check = one(asker, case);
        asker.bar.inc(1);
        check
    });
    checks.collect()
}

fn one(asker: &Asker<'_>, case: &Case) -> Result<Check> {
    let key = write(asker, "asked.key.json", &case.key)?;
    let public = write(asker, "asked.public.json", &case.public)?;
    let proof = write(asker, "asked.proof.json", &case.proof)?;
    let (answer, elapsed) = Snarkjs(asker.tools).verify([&key, &public, &proof])?;
    Ok(Check {
        part: "proofs",
        tool: "snarkjs groth16 verify",
        asked: case.asked.clone(),
        expected: case.expected.to_string(),
        answered: answer.to_string(),
        elapsed: Some(elapsed),
    })
}

/// Each public input greater by one; one greater by the modulus, which names the same element; two exchanged; the last
/// one left out.
fn other_inputs(case: &Case, sample: &str) -> Result<Vec<Case>> {
    let names = &system().names().wires[1..];
    let mut cases = Vec::new();
    for (n, name) in names.iter().take(case.public.len()).enumerate() {
        let next = element(&case.public[n])? + Fr::from(1);
        let what = format!("{sample}: {name} plus one");
        let change = |c: &mut Case| c.public[n] = next.to_string();
        cases.push(case.with(&what, OfProof::Invalid, change));
    }
    let claim = case.public.len() - 2;
    // A claim is a small number, so the sum's digits are those of the modulus but for the last.
    let mut sum = Fr::MODULUS;
    let carry =
        ark_ff::BigInteger::add_with_carry(&mut sum, &element(&case.public[claim])?.into_bigint());
    anyhow::ensure!(!carry, "a claim that is no small number");
    let what = format!("{sample}: {} plus the modulus", names[claim]);
    let change = |c: &mut Case| c.public[claim] = sum.to_string();
    cases.push(case.with(&what, OfProof::BadInput, change));
    let what = format!("{sample}: {} and {} exchanged", names[0], names[1]);
    cases.push(case.with(&what, OfProof::Invalid, |c| c.public.swap(0, 1)));
    let what = format!("{sample}: the last input left out");
    cases.push(case.with(&what, OfProof::Invalid, |c| {
        c.public.truncate(c.public.len() - 1);
    }));
    Ok(cases)
}

/// Points exchanged, negated, or off their curves.
fn other_points(case: &Case, sample: &str) -> Result<Vec<Case>> {
    let proof = &case.proof;
    let minus_a = negated(&proof.pi_a[1])?;
    let minus_b = [negated(&proof.pi_b[1][0])?, negated(&proof.pi_b[1][1])?];
    let minus_c = negated(&proof.pi_c[1])?;
    let off_curve = (coordinate(&proof.pi_a[0])? + Fq::from(1)).to_string();
    let with = |what: &str, expected, change: &dyn Fn(&mut ProofJson)| {
        case.with(&format!("{sample}: {what}"), expected, |c| {
            change(&mut c.proof);
        })
    };
    let (invalid, bad_point) = (OfProof::Invalid, OfProof::BadPoint);
    Ok(vec![
        with("A and C exchanged", invalid, &|p| {
            std::mem::swap(&mut p.pi_a, &mut p.pi_c);
        }),
        with("A negated", invalid, &|p| p.pi_a[1].clone_from(&minus_a)),
        with("B negated", invalid, &|p| p.pi_b[1].clone_from(&minus_b)),
        with("C negated", invalid, &|p| p.pi_c[1].clone_from(&minus_c)),
        // The equation has both in one pairing: whoever has a proof can make others of the same statement from it.
        with("A and B negated", OfProof::Accepted, &|p| {
            p.pi_a[1].clone_from(&minus_a);
            p.pi_b[1].clone_from(&minus_b);
        }),
        with("A off its curve", bad_point, &|p| {
            p.pi_a[0].clone_from(&off_curve);
        }),
        with("B's coordinates exchanged", bad_point, &|p| {
            p.pi_b.iter_mut().take(2).for_each(|pair| pair.swap(0, 1));
        }),
    ])
}

/// Keys that are not the one proved under.
fn other_keys(case: &Case, sample: &str) -> Vec<Case> {
    let with = |what: &str, change: &dyn Fn(&mut VerifyingKeyJson)| {
        case.with(&format!("{sample}: {what}"), OfProof::Invalid, |c| {
            change(&mut c.key);
        })
    };
    vec![
        with("a key with two inputs' points exchanged", &|k| {
            k.ic.swap(1, 2);
        }),
        with(
            "a key with the last input's point for the constant's",
            &|k| {
                k.ic[0] = k.ic[k.ic.len() - 1].clone();
            },
        ),
        with("a key with gamma and delta exchanged", &|k| {
            std::mem::swap(&mut k.vk_gamma_2, &mut k.vk_delta_2);
        }),
    ]
}

fn negated(y: &str) -> Result<String> {
    Ok((-coordinate(y)?).to_string())
}

fn coordinate(digits: &str) -> Result<Fq> {
    let read = digits.parse::<Fq>();
    read.map_err(|()| anyhow::anyhow!("{digits} is no coordinate"))
}

fn element(digits: &str) -> Result<Fr> {
    let read = digits.parse::<Fr>();
    read.map_err(|()| anyhow::anyhow!("{digits} is no element"))
}

fn read<T: DeserializeOwned>(asker: &Asker<'_>, name: &str) -> Result<T> {
    let path = asker.folder.file(name);
    let bytes = files::read(&path, MAX_JSON_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is refused", path.display()))
}

fn write(asker: &Asker<'_>, name: &str, value: &impl Serialize) -> Result<std::path::PathBuf> {
    let path = asker.folder.file(name);
    fs::write(&path, serde_json::to_string(value)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
