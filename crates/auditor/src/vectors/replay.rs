//! Each vector before each of its judges.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use circuits::vector::{Body, Tried, Vector, Vectors, broken_headings};
use commitment::{Fr, PUBLIC_INPUTS};
use prover::{CircuitUse, ProveError, ProverOf};
use serde::Serialize;
use verifier::{PassProof, PreparedCircuit, VerifyingKey};

use crate::files;

/// What the test key is made from; a key for tests only, under which whoever reads this can forge.
const TEST_KEY_SEED: [u8; 32] = *b"viridian: vectors, test key, v1.";

/// Proofs of vectors need no fresh randomness: the witness that it would hide is printed in a file.
const PROOF_SEED: u8 = 1;

/// Who judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Judge {
    /// The native relation.
    Relation,
    /// The constraint system: the assignment and the matrices.
    Constraints,
    /// Who makes proofs.
    Prover,
    /// Who checks them.
    Verifier,
}

/// A judge who says something else than the vector.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    /// The vector.
    pub vector: String,
    /// Who.
    pub judge: Judge,
    /// What the vector says.
    pub expected: String,
    /// What the judge says.
    pub said: String,
}

/// What came of all vectors.
pub(super) struct Replayed {
    /// Judgements by judge.
    pub judged: BTreeMap<Judge, usize>,
    /// Those that differ.
    pub differences: Vec<Difference>,
    /// Time for the key and for one proof, if any were made.
    pub proving: Option<Proving>,
}

/// What proving took.
pub(super) struct Proving {
    /// Making the key.
    pub key: Duration,
    /// Making all proofs, one after the other.
    pub proofs: Duration,
    /// How many.
    pub count: u32,
}

/// A key, its verifying side, and the proofs of accept vectors so far.
struct Bench<C: Tried> {
    prover: ProverOf<C>,
    circuit: PreparedCircuit,
    proofs: BTreeMap<String, PassProof>,
    proving: Proving,
}

impl<C: Tried> Bench<C> {
    fn new() -> Result<Self> {
        let begun = Instant::now();
        let prover = ProverOf::from_test_parameters(&TEST_KEY_SEED).context("no test key")?;
        let key = VerifyingKey::from_bytes(prover.verifying_key())
            .map_err(|error| anyhow!("the test key is refused: {error}"))?;
        Ok(Self {
            circuit: PreparedCircuit::new(CircuitUse::Test, &prover.matrix_digest(), &key),
            prover,
            proofs: BTreeMap::new(),
            proving: Proving {
                key: begun.elapsed(),
                proofs: Duration::ZERO,
                count: 0,
            },
        })
    }
}

/// Judgements under way.
struct Court<C: Tried> {
    replayed: Replayed,
    bench: Option<Bench<C>>,
}

/// Replays vectors; without key and proofs if `quick`.
pub(super) fn replay<C: Tried>(vectors: &Vectors<C>, quick: bool) -> Result<Replayed> {
    let bar = files::progress(
        vectors.all().len() as u64 + u64::from(!quick),
        "making the key",
    );
    let bench = if quick { None } else { Some(Bench::new()?) };
    bar.inc(u64::from(!quick));
    bar.set_message("replaying vectors");
    let mut court: Court<C> = Court {
        replayed: Replayed {
            judged: BTreeMap::new(),
            differences: Vec::new(),
            proving: None,
        },
        bench,
    };
    for vector in vectors.all() {
        court.hear(vectors, vector);
        bar.inc(1);
    }
    bar.finish_and_clear();
    court.replayed.proving = court.bench.map(|bench| bench.proving);
    Ok(court.replayed)
}

impl<C: Tried> Court<C> {
    fn hear(&mut self, vectors: &Vectors<C>, vector: &Vector<C>) {
        match &vector.body {
            Body::Accept { public, witness } => {
                self.relation_and_rows(vector, public, witness, None);
                self.prove(vector, public, witness);
            }
            Body::Reject {
                heading,
                base,
                public,
                witness,
            } => {
                self.relation_and_rows(vector, public, witness, Some(*heading));
                self.prove_nothing(vector, public, witness, *heading);
                if vectors.accepted(base).is_some_and(|(own, _)| own != public) {
                    self.show(vector, base, public);
                }
            }
            Body::Wires { heading, .. } => {
                let broken = vectors
                    .values(vector)
                    .map(|values| broken_headings::<C>(&values));
                let said = broken.map_or_else(|| "no values".to_owned(), |b| outcome(&b));
                self.judge(vector, Judge::Constraints, outcome(&[*heading]), said);
            }
            Body::Shown { base, public } => self.show(vector, base, public),
        }
    }

    /// Notes what a judge says beside what the vector says.
    fn judge(&mut self, vector: &Vector<C>, judge: Judge, expected: String, said: String) {
        *self.replayed.judged.entry(judge).or_default() += 1;
        if expected != said {
            self.replayed.differences.push(Difference {
                vector: vector.name.clone(),
                judge,
                expected,
                said,
            });
        }
    }

    fn relation_and_rows(
        &mut self,
        vector: &Vector<C>,
        public: &C::Public,
        witness: &C::Witness,
        heading: Option<C::Heading>,
    ) {
        let expected = outcome(heading.as_slice());
        let relation = C::refuses(public, witness);
        self.judge(
            vector,
            Judge::Relation,
            expected.clone(),
            outcome(relation.as_slice()),
        );
        let assignment = C::assign(public, witness);
        let assigned = assignment.broken.first().copied();
        let matrices = if C::malformed(witness).is_some() {
            // What no prover could state has not even as many values as there are variables: its form is refused.
            assigned
        } else {
            let row = C::shape().first_broken(&assignment.values);
            row.map(|row| C::shape().headings[row])
        };
        let said = if matrices == assigned {
            outcome(assigned.as_slice())
        } else {
            format!(
                "{} by the assignment, {} by the matrices",
                outcome(assigned.as_slice()),
                outcome(matrices.as_slice())
            )
        };
        self.judge(vector, Judge::Constraints, expected, said);
    }

    /// Proves an accept vector, and has its proof verified.
    fn prove(&mut self, vector: &Vector<C>, public: &C::Public, witness: &C::Witness) {
        let Some(bench) = &mut self.bench else {
            return;
        };
        let begun = Instant::now();
        let made = bench.prover.prove(public, witness, [PROOF_SEED; 32]);
        bench.proving.proofs += begun.elapsed();
        bench.proving.count += 1;
        let proof = made.map_err(|error| error.to_string()).and_then(|bytes| {
            PassProof::from_bytes(&bytes).map_err(|error| format!("no proof: {error}"))
        });
        let (proved, verified) = match proof {
            Err(error) => (error, None),
            Ok(proof) => {
                let holds = bench.circuit.verifies(&proof, &inputs::<C>(public));
                bench.proofs.insert(vector.name.clone(), proof);
                (PROVED.to_owned(), Some(verdict(holds)))
            }
        };
        self.judge(vector, Judge::Prover, PROVED.to_owned(), proved);
        if let Some(verified) = verified {
            self.judge(vector, Judge::Verifier, verdict(true), verified);
        }
    }

    /// Asks for a proof of a reject vector, which must be refused.
    fn prove_nothing(
        &mut self,
        vector: &Vector<C>,
        public: &C::Public,
        witness: &C::Witness,
        heading: C::Heading,
    ) {
        let Some(bench) = &self.bench else {
            return;
        };
        let said = match bench.prover.prove(public, witness, [PROOF_SEED; 32]) {
            Ok(_) => PROVED.to_owned(),
            Err(ProveError::Unsatisfied(heading)) => outcome(&[heading]),
            Err(error) => error.to_string(),
        };
        self.judge(vector, Judge::Prover, outcome(&[heading]), said);
    }

    /// Shows the base's proof under other public inputs, which must be refused.
    fn show(&mut self, vector: &Vector<C>, base: &str, public: &C::Public) {
        let Some(bench) = &self.bench else {
            return;
        };
        let said = bench.proofs.get(base).map_or_else(
            || "no proof of the base".to_owned(),
            |proof| verdict(bench.circuit.verifies(proof, &inputs::<C>(public))),
        );
        self.judge(vector, Judge::Verifier, verdict(false), said);
    }
}

const PROVED: &str = "proved";

fn verdict(holds: bool) -> String {
    if holds {
        "the proof holds"
    } else {
        "the proof is refused"
    }
    .to_owned()
}

/// The public inputs as elements; the verifier's keys are for six.
fn inputs<C: Tried>(public: &C::Public) -> [Fr; PUBLIC_INPUTS] {
    let fields = C::inputs(public);
    fields
        .try_into()
        .expect("both circuits have six public inputs")
}

fn outcome<H: std::fmt::Display>(broken: &[H]) -> String {
    if broken.is_empty() {
        return "accepted".to_owned();
    }
    let titles: Vec<String> = broken.iter().map(ToString::to_string).collect();
    format!("refused under {}", titles.join(" and "))
}
