//! `auditor export`: the circuit, sample witnesses and sample proofs as files that other tools read.

mod compare;
mod folder;
mod manifest;
mod sample;
mod snarkjs;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use ark_serialize::CanonicalDeserialize;
use circuits::clearance::assign;
use circuits::vector::{Tried, Vectors};
use prover::Prover;
use r1cs_audit::format::{r1cs, sym, wtns};
use sha2::{Digest as _, Sha256};

use crate::test_key::{self, Seed};
use crate::{Outcome, files, vectors};

use crate::system::{CircuitName, accepted, attempted, system};
pub(crate) use folder::Folder;
use manifest::AttemptFile;
pub(crate) use manifest::Manifest;
pub(crate) use sample::{Attempt, Sample, attempts, proof_file, public_file, samples};
pub(crate) use snarkjs::{
    CURVE, G1Json, G2Json, PROTOCOL, ProofJson, VerifyingKeyJson, public_json,
};

/// The circuit's rows.
pub(crate) const R1CS: &str = "clearance.r1cs";
/// The names of its wires.
const SYM: &str = "clearance.sym";
/// The verifying key as snarkjs writes it.
pub(crate) const KEY_JSON: &str = "verification_key.json";
/// The verifying key in arkworks' compressed form, which a circuit's identity covers.
const KEY_BYTES: &str = "verification_key.bin";

/// Write the circuit, sample witnesses, the test key and sample proofs in the forms that other tools read; or read an
/// .r1cs file back and compare it with the source.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor export out                                   all files, with a manifest and a README
  auditor export out --all                             also attempts that rows refuse, 1 MB each
  auditor export out --force --seed sample --json      into a folder that has files; the test key of another seed
  auditor export --read out/clearance.r1cs             is it the circuit that this program was built from?
  auditor export out --circuit opening --all           opening.r1cs, .sym and witnesses of its vectors; no key, no proofs

  circuits/tools/install npm
  circuits/tools/node_modules/.bin/snarkjs wtns check out/clearance.r1cs out/green.wtns
  circuits/tools/node_modules/.bin/snarkjs groth16 verify out/verification_key.json out/green.public.json out/green.proof.json

The samples are made up. Proofs are under a test key, which whoever knows its seed can forge, and made with randomness from
the seed too, so that two exports are the same. With --read, exit code 1 if the file is another system, 3 if it is damaged.")]
pub(crate) struct Args {
    /// Folder to write; made if it is not there
    #[arg(required_unless_present = "read", conflicts_with = "read")]
    dir: Option<PathBuf>,
    /// Also write the witnesses of the reject and wire vectors, to the folder refused in it: which row each of them breaks
    /// first, the manifest says
    #[arg(long, conflicts_with = "read")]
    all: bool,
    /// Which circuit; of others than that of passes there are rows, names and witnesses
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        default_value = "clearance",
        conflicts_with = "read"
    )]
    circuit: CircuitName,
    /// Write into a folder that is not empty
    #[arg(long, conflicts_with = "read")]
    force: bool,
    /// The seed of the test key: demo, sample, or 64 hexadecimal digits
    #[arg(
        long,
        value_name = "HEX|NAME",
        default_value = "demo",
        conflicts_with = "read"
    )]
    seed: Seed,
    /// Compare this file with the circuit as built from source
    #[arg(long, value_name = "FILE.r1cs")]
    read: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match (&args.dir, &args.read) {
        (_, Some(file)) => compare::run(file, args.json),
        (Some(dir), None) => {
            let mut folder = Folder::open(dir, args.force)?;
            match args.circuit {
                CircuitName::Clearance => {}
                CircuitName::Opening => {
                    return export_rows(&mut folder, &vectors::shipped_openings()?, args);
                }
                CircuitName::Pseudonym => {
                    return export_rows(&mut folder, &vectors::shipped_pseudonyms()?, args);
                }
            }
            let refused = if args.all {
                write_attempts(&mut folder)?
            } else {
                Vec::new()
            };
            let manifest = export(&mut folder, &args.seed, samples()?, refused)?;
            let text = if args.json {
                serde_json::to_string_pretty(&manifest)? + "\n"
            } else {
                manifest.text(dir)
            };
            files::print(&text)?;
            Ok(Outcome::Agrees)
        }
        (None, None) => bail!("a folder to write, or --read with a file to compare"),
    }
}

/// Writes rows, names and witnesses of another circuit: accepted ones, and in `refused/` attempts if all are asked for.
fn export_rows<C: Tried>(
    folder: &mut Folder,
    vectors: &Vectors<C>,
    args: &Args,
) -> Result<Outcome> {
    let (system, circuit) = (args.circuit.system(), C::NAME);
    folder.write(&format!("{circuit}.r1cs"), &r1cs::write(system)?)?;
    folder.write(&format!("{circuit}.sym"), sym::write(system).as_bytes())?;
    let refused = if args.all {
        attempted(vectors)
    } else {
        Vec::new()
    };
    let of = |folder: &'static str| move |(name, values)| (format!("{folder}{name}.wtns"), values);
    let accepted = accepted(vectors, None).into_iter().map(of(""));
    let refused = refused.into_iter().map(of("refused/"));
    let mut written = 0;
    for (name, values) in accepted.chain(refused) {
        folder.write(&name, &wtns::write(&values)?)?;
        written += 1;
    }
    files::print(&if args.json {
        let said = serde_json::json!({ "circuit": circuit, "witnesses": written });
        serde_json::to_string_pretty(&said)? + "\n"
    } else {
        format!("{circuit}.r1cs, {circuit}.sym and {written} witnesses written\n")
    })?;
    Ok(Outcome::Agrees)
}

/// Writes everything; the manifest comes last, so a folder without one is not whole.
pub(crate) fn export(
    folder: &mut Folder,
    seed: &Seed,
    samples: Vec<Sample>,
    refused: Vec<AttemptFile>,
) -> Result<Manifest> {
    let system = system();
    folder.write(R1CS, &r1cs::write(system)?)?;
    folder.write(SYM, sym::write(system).as_bytes())?;
    let prover = test_key::make(seed, None)?;
    let key = prover.verifying_key();
    folder.write(KEY_BYTES, key)?;
    let read = ark_groth16::VerifyingKey::deserialize_compressed(key);
    let read = read.context("the test key's verifying key cannot be read back")?;
    folder.write_json(KEY_JSON, &VerifyingKeyJson::from(&read))?;
    let bar = files::progress(samples.len() as u64, "proving samples");
    let mut names = Vec::with_capacity(samples.len());
    for sample in samples {
        write_sample(folder, &prover, seed, &sample)?;
        names.push(sample.name);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let manifest = Manifest::new(&prover, seed.name(), names, refused, folder.written());
    folder.write("README.txt", manifest.readme().as_bytes())?;
    let manifest = manifest.with_files(folder.written());
    folder.write_json(manifest::NAME, &manifest)?;
    Ok(manifest)
}

/// Writes the witness of every attempt, and gives what the manifest says of them.
fn write_attempts(folder: &mut Folder) -> Result<Vec<AttemptFile>> {
    let vectors = vectors::shipped()?;
    let bar = files::progress(vectors.all().len() as u64, "writing attempts");
    let refused = bar.wrap_iter(attempts(&vectors)).map(|attempt| {
        let refused = AttemptFile::new(&attempt)?;
        folder.write(&refused.file, &wtns::write(&attempt.values)?)?;
        Ok(refused)
    });
    let refused = refused.collect();
    bar.finish_and_clear();
    refused
}

fn write_sample(folder: &mut Folder, prover: &Prover, seed: &Seed, sample: &Sample) -> Result<()> {
    let Sample {
        name,
        public,
        witness,
    } = sample;
    let values = assign(public, witness).values;
    folder.write(&sample::witness_file(name), &wtns::write(&values)?)?;
    // The witness is published beside the proof: there is nothing to hide, and the same proof each time is worth more.
    let randomness = Sha256::new_with_prefix(b"viridian/export/v1\0")
        .chain_update(seed.name())
        .chain_update([0])
        .chain_update(name)
        .finalize();
    let proof = prover
        .prove(public, witness, randomness.into())
        .with_context(|| format!("the sample {name} cannot be proved"))?;
    folder.write_json(&sample::proof_file(name), &ProofJson::read(&proof)?)?;
    folder.write_json(&sample::public_file(name), &public_json(public))
}
