//! snarkjs on witnesses: those of the samples, the same with wires changed, and attempts that rows refuse.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use ark_ff::{AdditiveGroup as _, Field as _, UniformRand as _};
use circuits::clearance::{assign, shape};
use commitment::Fr;
use r1cs_audit::format::wtns;
use r1cs_audit::kind_of;
use rand_chacha_03::rand_core::RngCore as _;

use super::Asker;
use super::report::Check;
use super::snarkjs::{OfWitness, Snarkjs};
use crate::export::{Attempt, R1CS, Sample, attempts};
use crate::system::system;
use crate::vectors;

const FILE: &str = "changed.wtns";
/// Most attempts to ask about; each answer takes a second or two.
const ATTEMPTS: usize = 24;

pub(super) fn ask(asker: &mut Asker<'_>, samples: &[Sample], mutants: usize) -> Result<Vec<Check>> {
    let values: Vec<Vec<Fr>> = samples
        .iter()
        .map(|sample| assign(&sample.public, &sample.witness).values)
        .collect();
    let mut cases: Vec<(String, Vec<Fr>)> = Vec::new();
    for (sample, values) in samples.iter().zip(&values) {
        cases.push((format!("{}: as proved", sample.name), values.clone()));
    }
    for (n, wire) in chosen(asker, mutants).into_iter().enumerate() {
        let (sample, values) = (&samples[n % samples.len()], &values[n % samples.len()]);
        let (how, value) = changed(asker, n, values[wire]);
        let name = &system().names().wires[wire];
        let mut values = values.clone();
        values[wire] = value;
        cases.push((format!("{}: {name} {how}", sample.name), values));
    }
    if let [first, second, ..] = samples {
        // Both fulfil the rows; together they do not, unless they happen to say the same in public.
        let inputs = ..=system().public();
        let mut mixed = values[1].clone();
        mixed[inputs].copy_from_slice(&values[0][inputs]);
        let asked = format!("{}: public inputs of {}", second.name, first.name);
        cases.push((asked, mixed));
    }
    ask_each(asker, cases)
}

/// Asks about attempts that the rows refuse, evenly spread among those that are shipped.
pub(super) fn ask_of_attempts(asker: &mut Asker<'_>) -> Result<Vec<Check>> {
    let vectors = vectors::shipped()?;
    let all: Vec<Attempt> = attempts(&vectors).collect();
    let every = all.len().div_ceil(ATTEMPTS).max(1);
    let cases = all.into_iter().step_by(every).map(|attempt| {
        let asked = format!("attempt {} ({})", attempt.name, attempt.heading);
        (asked, attempt.values)
    });
    let cases = cases.collect();
    ask_each(asker, cases)
}

fn ask_each(asker: &Asker<'_>, cases: Vec<(String, Vec<Fr>)>) -> Result<Vec<Check>> {
    asker.bar.inc_length(cases.len() as u64);
    let checks = cases.into_iter().map(|(asked, values)| {
        let check = one(asker, asked, &values);
        asker.bar.inc(1);
        check
    });
    checks.collect()
}

fn one(asker: &Asker<'_>, asked: String, values: &[Fr]) -> Result<Check> {
    let expected = shape()
        .first_broken(values)
        .map_or(OfWitness::Correct, OfWitness::Breaks);
    let file = asker.folder.file(FILE);
    fs::write(&file, wtns::write(values)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let (answer, elapsed) = Snarkjs(asker.tools).check(&asker.folder.file(R1CS), &file)?;
    Ok(Check {
        part: "witnesses",
        tool: "snarkjs wtns check",
        asked,
        expected: expected.to_string(),
        answered: answer.to_string(),
        elapsed: Some(elapsed),
    })
}

/// Wires to change: one of each kind, and if that is more than wanted, of kinds evenly spread; if it is less, more of
/// each.
fn chosen(asker: &mut Asker<'_>, count: usize) -> Vec<usize> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (wire, name) in system().names().wires.iter().enumerate().skip(1) {
        kinds.entry(kind_of(name)).or_default().push(wire);
    }
    let kinds: Vec<Vec<usize>> = kinds.into_values().collect();
    let wires = (0..count).map(|n| {
        let kind = if kinds.len() > count {
            &kinds[n * kinds.len() / count]
        } else {
            &kinds[n % kinds.len()]
        };
        kind[below(asker, kind.len())]
    });
    wires.collect()
}

/// Another value for a wire, and what it is in words.
fn changed(asker: &mut Asker<'_>, n: usize, value: Fr) -> (&'static str, Fr) {
    match n % 4 {
        0 => ("plus one", value + Fr::ONE),
        1 if value != Fr::ONE - value => ("taken from one", Fr::ONE - value),
        2 if value != Fr::ZERO => ("negated", -value),
        _ => ("plus a random element", value + nonzero(asker)),
    }
}

fn nonzero(asker: &mut Asker<'_>) -> Fr {
    let random = Fr::rand(&mut asker.rng);
    if random == Fr::ZERO { Fr::ONE } else { random }
}

/// A number below `bound`, which is far below what would make the remainder uneven.
fn below(asker: &mut Asker<'_>, bound: usize) -> usize {
    let random = asker.rng.next_u64() % bound.max(1) as u64;
    usize::try_from(random).unwrap_or_default()
}
