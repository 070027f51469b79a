//! `explain --prove`: the record in a made-up federation, a proof of a claim about it, and what an accepted proof says.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use circuits::clearance::scene::Scene;
use circuits::clearance::{Heading, PUBLIC_INPUT_NAMES, PlanError, check, shape};
use commitment::{Fr, PUBLIC_INPUTS, PublicInputs, fr_to_bytes};
use rand::RngCore as _;
use rules::{Claim, Evaluation, Minute, Record, RiskMap, RuleSet, TestAge, WorstColour};
use serde::Serialize;
use verifier::{MAX_PASS_LEN_BYTES, PassProof, PreparedCircuit, VerifyingKey};

use super::report::{self, word};
use crate::files;
use crate::test_key::{self, Seed};

/// Minutes between the made-up province's tree head and the epoch's close.
const HEAD_BEFORE_CLOSE_MIN: i64 = 3;

/// What is to be proved.
#[derive(clap::Args)]
#[command(next_help_heading = "A proof of it")]
pub(super) struct ProveArgs {
    /// Prove a claim about the record under a test key, verify the proof, and say what it says
    #[arg(long)]
    pub(super) prove: bool,
    /// The worst colour admitted: yellow means "not red"
    #[arg(long, value_enum, default_value = "green", requires = "prove")]
    claim: Worst,
    /// Hours that the youngest negative test may be old; 0 asks for none
    #[arg(long, value_name = "HOURS", value_parser = test_age, default_value = "0", requires = "prove")]
    test_age: TestAge,
    /// The seed of the test key: demo, sample, or 64 hexadecimal digits
    #[arg(
        long,
        value_name = "HEX|NAME",
        default_value = "demo",
        requires = "prove"
    )]
    test_seed: Seed,
    /// Keep the test key in this folder, and take it from there
    #[arg(long, value_name = "DIR", requires = "prove")]
    key_cache: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Worst {
    Green,
    Yellow,
}

fn test_age(text: &str) -> Result<TestAge, &'static str> {
    let age = TestAge::MENU
        .into_iter()
        .find(|age| age.hours().to_string() == text);
    age.ok_or("0, 24, 48 or 72")
}

impl ProveArgs {
    fn claim(&self) -> Claim {
        let worst = match self.claim {
            Worst::Green => WorstColour::Green,
            Worst::Yellow => WorstColour::Yellow,
        };
        Claim {
            worst,
            test_age: self.test_age,
        }
    }
}

/// What became of the proof.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Attempt {
    /// The record does not support the claim: there is nothing to prove.
    Refused(Refused),
    /// A proof was made and verified.
    Made(Box<Specimen>),
}

#[derive(Serialize)]
pub(super) struct Refused {
    claim: Claim,
    error: String,
    /// What stands against the claim.
    because: Vec<String>,
}

/// A proof under a test key, with what it says.
#[derive(Serialize)]
pub(super) struct Specimen {
    claim: Claim,
    /// Whether the verifier that gates embed accepts the proof for its public inputs.
    accepted: bool,
    /// The public inputs of which another value would be accepted, too; there must be none.
    accepted_with_another: Vec<&'static str>,
    public_inputs: Vec<Input>,
    headings: Vec<HeadingLine>,
    constraints: usize,
    witnesses: usize,
    proof_hex: String,
    proof_bytes: usize,
    pass_bytes: usize,
    proved_in_ms: u64,
    seed: String,
    circuit_id: String,
    says: Vec<String>,
    does_not_say: Vec<&'static str>,
}

#[derive(Serialize)]
struct Input {
    name: &'static str,
    value: String,
    hex: String,
    means: String,
}

#[derive(Serialize)]
struct HeadingLine {
    heading: &'static str,
    rows: usize,
}

/// Everything that a proof is to be about.
pub(super) struct Subject<'a> {
    pub(super) record: &'a Record,
    pub(super) rule_set: &'a RuleSet,
    pub(super) map: &'a RiskMap,
    pub(super) at: Minute,
    pub(super) evaluation: &'a Evaluation,
}

/// Proves the claim and verifies the proof, or says why the record does not support it.
pub(super) fn attempt(args: &ProveArgs, subject: &Subject<'_>) -> Result<Attempt> {
    let claim = args.claim();
    let scene = Scene {
        record: subject.record.clone(),
        table: subject.rule_set.table().clone(),
        map: subject.map.clone(),
        as_of: subject.at,
        head_time: subject.at.saturating_add_signed(-HEAD_BEFORE_CLOSE_MIN),
        claim,
        ..Scene::green()
    };
    let (public, witness) = match scene.witness() {
        Ok(both) => both,
        Err(error) => return Ok(Attempt::Refused(refused(claim, &error, subject))),
    };
    check(&public, &witness).context("relation and plan disagree")?;
    let prover = test_key::make(&args.test_seed, args.key_cache.as_deref())?;
    let mut randomness = [0; 32];
    rand::rng().fill_bytes(&mut randomness);
    let sign = files::spinner("proving");
    let begun = Instant::now();
    let bytes = prover.prove(&public, &witness, randomness)?;
    let proved_in_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    sign.finish_and_clear();
    let key = VerifyingKey::from_bytes(prover.verifying_key())?;
    let id = prover.circuit_id();
    let circuit = PreparedCircuit::new(id.circuit_use(), &prover.matrix_digest(), &key);
    let proof = PassProof::from_bytes(&bytes)?;
    let fields = public.to_fields();
    let shape = shape();
    Ok(Attempt::Made(Box::new(Specimen {
        claim,
        accepted: circuit.verifies(&proof, &fields),
        accepted_with_another: with_another(&public, |changed| circuit.verifies(&proof, changed)),
        public_inputs: inputs(&public, subject),
        headings: (Heading::ALL.iter())
            .map(|h| HeadingLine {
                heading: h.title(),
                rows: shape.rows_under(*h),
            })
            .collect(),
        constraints: shape.constraints(),
        witnesses: shape.witness,
        proof_hex: hex::encode(bytes),
        proof_bytes: bytes.len(),
        pass_bytes: MAX_PASS_LEN_BYTES,
        proved_in_ms,
        seed: args.test_seed.name().to_owned(),
        circuit_id: id.to_string(),
        says: says(claim, subject),
        does_not_say: DOES_NOT_SAY.to_vec(),
    })))
}

fn refused(claim: Claim, error: &PlanError, subject: &Subject<'_>) -> Refused {
    let bound = claim.worst.colour();
    let because = match error {
        PlanError::Colour => (subject.evaluation.reasons.iter())
            .filter(|reason| reason.colour > bound)
            .map(|reason| {
                let rule = report::rule_words(subject.rule_set, reason);
                format!("{rule}, {} since {}", word(reason.colour), reason.anchor)
            })
            .collect(),
        PlanError::TestAge => vec![subject.record.negatives().last().map_or_else(
            || "the record has no negative test".to_owned(),
            |youngest| {
                format!(
                    "the youngest negative is of {youngest}, the claim is about {}",
                    subject.at
                )
            },
        )],
        _ => vec![
            "a node's intake refuses such a record, so that nobody is left without a pass"
                .to_owned(),
        ],
    };
    Refused {
        claim,
        error: error.to_string(),
        because,
    }
}

/// The inputs of which the next value is accepted as well.
fn with_another(
    public: &PublicInputs,
    accepts: impl Fn(&[Fr; PUBLIC_INPUTS]) -> bool,
) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (i, name) in PUBLIC_INPUT_NAMES.into_iter().enumerate() {
        let mut changed = public.to_fields();
        changed[i] += Fr::from(1u64);
        if accepts(&changed) {
            found.push(name);
        }
    }
    found
}

fn inputs(public: &PublicInputs, subject: &Subject<'_>) -> Vec<Input> {
    let means = [
        "the root over all provinces' tree heads of an epoch; here of a made-up federation"
            .to_owned(),
        "the root of the risk map given, as `auditor risk-map` prints it".to_owned(),
        format!(
            "the digest of the rule table of {}",
            super::name(subject.rule_set)
        ),
        format!("the epoch's closing minute, {}", subject.at),
        format!("the claim: {}", claim_words(public.claim)),
        "who may show the pass; here a number that no key gives".to_owned(),
    ];
    let named = PUBLIC_INPUT_NAMES.into_iter().zip(public.to_fields());
    named
        .zip(means)
        .map(|((name, field), means)| Input {
            name,
            value: field.to_string(),
            hex: hex::encode(fr_to_bytes(field)),
            means,
        })
        .collect()
}

fn claim_words(claim: Claim) -> String {
    let colour = match claim.worst {
        WorstColour::Green => "green",
        WorstColour::Yellow => "not red",
    };
    match claim.test_age {
        TestAge::NotAsked => format!("{colour}, no test asked for"),
        age => format!(
            "{colour}, and a negative test at most {} hours old",
            age.hours()
        ),
    }
}

fn says(claim: Claim, subject: &Subject<'_>) -> Vec<String> {
    let mut says = vec![
        "a record stands in the state tree of a province whose tree head, not later than the epoch's close, stands in the registry"
            .to_owned(),
        format!(
            "over every ground in that record, its colour under {} and this risk map at {} is {}",
            super::name(subject.rule_set),
            subject.at,
            match claim.worst {
                WorstColour::Green => "green",
                WorstColour::Yellow => "green or yellow",
            }
        ),
    ];
    if claim.test_age != TestAge::NotAsked {
        let hours = claim.test_age.hours();
        says.push(format!(
            "the record holds a negative test that was at most {hours} hours old then"
        ));
    }
    says.push("the pass is for the holder in the binder, and for nobody else".to_owned());
    says
}

const DOES_NOT_SAY: [&str; 7] = [
    "whose record it is, of which province, and where in the trees it stands",
    "which grounds it has, or that it has any; which places, tests and check-ins",
    "whether the colour is better than claimed",
    "that the events are true or complete: no source's signature is checked in the proof",
    "that the record is the holder's: the home node chose the binder",
    "that anything holds now: only at the epoch's close",
    "that registry, risk map and rules are the federation's: for that a verifier needs the trust list",
];

impl Attempt {
    /// Whether the claim was proved, and nothing else by the same proof.
    pub(super) fn holds(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Made(made) => made.accepted && made.accepted_with_another.is_empty(),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Refused(refused) => refused.text(),
            Self::Made(made) => made.text(),
        }
    }
}

impl Refused {
    fn text(&self) -> String {
        let mut out = format!(
            "\nNo proof of \"{}\": {}\n",
            claim_words(self.claim),
            self.error
        );
        for reason in &self.because {
            let _ = writeln!(out, "  {reason}");
        }
        out
    }
}

impl Specimen {
    fn text(&self) -> String {
        let mut out = format!("\nA proof of \"{}\"\n", claim_words(self.claim));
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!(
            "  proved in {} ms: {} witnesses, {} constraints under {} headings; {} bytes, in a pass of at most {}",
            self.proved_in_ms,
            self.witnesses,
            self.constraints,
            self.headings.len(),
            self.proof_bytes,
            self.pass_bytes
        ));
        let verdict = if self.accepted {
            "accepts it"
        } else {
            "REFUSES it"
        };
        let others = if self.accepted_with_another.is_empty() {
            "and refuses it with any one of them changed".to_owned()
        } else {
            format!(
                "AND ACCEPTS IT with another {}",
                self.accepted_with_another.join(", ")
            )
        };
        line(format!(
            "  the verifier {verdict} for these public inputs, {others}:"
        ));
        for input in &self.public_inputs {
            // Roots and digests as other commands print them, small numbers as numbers.
            let short = input.value.len() <= 20;
            let value = if short { &input.value } else { &input.hex };
            line(format!(
                "    {:<14} {value}\n                   {}",
                input.name, input.means
            ));
        }
        line("  headings that were checked, and their rows:".to_owned());
        for heading in &self.headings {
            line(format!("    {:>6}  {}", heading.rows, heading.heading));
        }
        line("  An accepted proof says:".to_owned());
        self.says
            .iter()
            .for_each(|says| line(format!("    + {says}")));
        line("  It does not say:".to_owned());
        self.does_not_say
            .iter()
            .for_each(|not| line(format!("    - {not}")));
        line(format!(
            "  This is a specimen, under the test key of seed {}: whoever knows the seed can forge, and no production verifier takes it.",
            self.seed
        ));
        line(format!(
            "  circuit id {}\n  proof {}",
            self.circuit_id, self.proof_hex
        ));
        out
    }
}
