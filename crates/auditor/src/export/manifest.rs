//! What was exported, with digests, and how to check it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use circuits::clearance::shape;
use prover::Prover;
use serde::Serialize;

use super::folder::Written;
use super::{Attempt, KEY_JSON, R1CS, sample};
use crate::system::{CIRCUIT, system};

/// The manifest's file.
pub(super) const NAME: &str = "manifest.json";

/// What `manifest.json` says.
#[derive(Serialize)]
pub(crate) struct Manifest {
    circuit: &'static str,
    version: u32,
    /// SHA-256 over sizes and coefficients, as the registry of circuits has it.
    matrix_sha256: String,
    constraints: usize,
    wires: usize,
    public_inputs: Vec<String>,
    key: Key,
    samples: Vec<String>,
    /// Attempts that rows refuse.
    refused: Vec<AttemptFile>,
    files: Vec<Written>,
    checks: Vec<String>,
}

#[derive(Serialize)]
struct Key {
    seed: String,
    circuit_id: String,
    /// Who can forge under it.
    warning: &'static str,
}

/// A witness that the rows refuse.
#[derive(Serialize)]
pub(crate) struct AttemptFile {
    name: String,
    pub(super) file: String,
    /// What it tries.
    tries: String,
    heading: &'static str,
    /// The first row that it breaks, as `snarkjs wtns check` counts them.
    breaks_row: usize,
    /// That row's name.
    row: String,
}

impl AttemptFile {
    pub(super) fn new(attempt: &Attempt) -> Result<Self> {
        let name = attempt.name.clone();
        let row = shape().first_broken(&attempt.values);
        let row = row.with_context(|| format!("the rows do not refuse {name}"))?;
        Ok(Self {
            file: format!("refused/{}", sample::witness_file(&name)),
            name,
            tries: attempt.tries.clone(),
            heading: attempt.heading.title(),
            breaks_row: row,
            row: system().names().rows[row].clone(),
        })
    }
}

impl Manifest {
    pub(super) fn new(
        prover: &Prover,
        seed: &str,
        samples: Vec<String>,
        refused: Vec<AttemptFile>,
        files: &[Written],
    ) -> Self {
        let system = system();
        let (circuit, version) = CIRCUIT;
        Self {
            circuit,
            version,
            matrix_sha256: hex::encode(shape().digest()),
            constraints: system.rows().len(),
            wires: system.wires(),
            public_inputs: system.names().wires[1..=system.public()].to_vec(),
            key: Key {
                seed: seed.to_owned(),
                circuit_id: prover.circuit_id().to_string(),
                warning: "a test key: whoever knows the seed can forge proofs under it",
            },
            checks: checks(&samples),
            samples,
            refused,
            files: files.to_vec(),
        }
    }

    pub(super) fn with_files(self, files: &[Written]) -> Self {
        let files = files.to_vec();
        Self { files, ..self }
    }

    /// What is printed when it is done.
    pub(super) fn text(&self, dir: &Path) -> String {
        let bytes: usize = self.files.iter().map(|f| f.bytes).sum();
        let mut out = format!(
            "{} version {}: {} rows, {} wires, {} public inputs\nmatrices {}\n\
             {} files and {NAME}, {bytes} bytes, in {}\n\nIn that folder, with snarkjs at hand:\n",
            self.circuit,
            self.version,
            self.constraints,
            self.wires,
            self.public_inputs.len(),
            self.matrix_sha256,
            self.files.len(),
            dir.display(),
        );
        for check in &self.checks {
            let _ = writeln!(out, "  {check}");
        }
        out
    }

    /// The folder's `README.txt`.
    pub(super) fn readme(&self) -> String {
        let mut out = format!(
            "The circuit \"{}\", version {}, for tools that its authors did not write.\n\n\
             rows         {}\nwires        {} (the constant one, {} public inputs, the rest)\n\
             matrices     SHA-256 {}\npublic       {}\n\n\
             clearance.r1cs          rows (iden3 binary format, version 1)\n\
             clearance.sym           names of the wires (circom's form)\n\
             verification_key.json   verifying key (snarkjs' form)\n\
             verification_key.bin    the same (arkworks, compressed)\n\
             NAME.wtns               values of all wires for a sample (snarkjs' form, version 2)\n\
             NAME.public.json        its public inputs in their order\n\
             NAME.proof.json         a proof of it\n\
             refused/NAME.wtns       with --all: attempts; manifest.json says what each tries and which row refuses it\n\
             manifest.json           this, with the SHA-256 of each file\n\n\
             All samples are made up: {}.\n\
             The key is {} (seed {}).\n\
             That the key belongs to these rows is checked by making it again from the seed: auditor digest.\n\n\
             Check, in this folder:\n\n  npm install snarkjs@0.7.6\n",
            self.circuit,
            self.version,
            self.constraints,
            self.wires,
            self.public_inputs.len(),
            self.matrix_sha256,
            self.public_inputs.join(", "),
            self.samples.join(", "),
            self.key.warning,
            self.key.seed,
        );
        for check in &self.checks {
            let _ = writeln!(out, "  {check}");
        }
        out.push_str("  auditor export --read clearance.r1cs\n");
        out
    }
}

/// The commands that check the files, from within their folder.
fn checks(samples: &[String]) -> Vec<String> {
    let mut checks = vec![format!("npx snarkjs r1cs info {R1CS}")];
    for name in samples {
        let witness = sample::witness_file(name);
        checks.push(format!("npx snarkjs wtns check {R1CS} {witness}"));
    }
    for name in samples {
        let (public, proof) = (sample::public_file(name), sample::proof_file(name));
        checks.push(format!(
            "npx snarkjs groth16 verify {KEY_JSON} {public} {proof}"
        ));
    }
    checks
}
