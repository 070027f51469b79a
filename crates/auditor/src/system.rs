//! The constraint systems as the searches read them.

use std::sync::LazyLock;

use circuits::vector::{Body, Tried, Vectors};
use circuits::{Circuit, Clearance, Opening, Pseudonym, clearance, opening, pseudonym};
use commitment::Fr;
use r1cs_audit::{Binding, Names, Row, System};
use serde::Serialize;

/// The circuit of passes, with which most of this program deals: its name and its version.
pub(crate) const CIRCUIT: (&str, u32) = (Clearance::NAME, Clearance::VERSION);
/// Rows that the proof system's domain holds for it; a circuit with more would need a larger one.
pub(crate) const DOMAIN_ROWS: usize = 1 << 15;

/// A circuit to ask about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CircuitName {
    /// What a pass proves: the record supports the claim
    #[default]
    Clearance,
    /// What the source of an event can demand: the record holds it
    Opening,
    /// What a resident is called by one who asks, there and nowhere else
    Pseudonym,
}

/// A wire that the prover chooses, by kind.
pub(crate) struct Chosen {
    /// The kind, as names have it with their indices left out.
    pub(crate) name: String,
    /// Whether nothing hangs on it.
    pub(crate) idle: bool,
    /// Why it is harmless.
    pub(crate) why: &'static str,
}

/// What a report says of a circuit.
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) constraints: usize,
    pub(crate) rows: usize,
    pub(crate) witnesses: usize,
    pub(crate) instance: usize,
    pub(crate) inputs: &'static [&'static str],
    pub(crate) digest: [u8; 32],
}

/// Values for all wires under a name.
pub(crate) type Named = (String, Vec<Fr>);

impl CircuitName {
    /// Rows, names, and the hashes that are assumed to bind, rebuilt from source once.
    pub(crate) fn system(self) -> &'static System<Fr> {
        static CLEARANCE: LazyLock<System<Fr>> = LazyLock::new(build::<Clearance>);
        static OPENING: LazyLock<System<Fr>> = LazyLock::new(build::<Opening>);
        static PSEUDONYM: LazyLock<System<Fr>> = LazyLock::new(build::<Pseudonym>);
        match self {
            Self::Clearance => &CLEARANCE,
            Self::Opening => &OPENING,
            Self::Pseudonym => &PSEUDONYM,
        }
    }

    /// What the prover chooses.
    pub(crate) fn choices(self) -> Vec<Chosen> {
        match self {
            Self::Clearance => chosen(&clearance::CHOICES),
            Self::Opening => chosen(&opening::CHOICES),
            Self::Pseudonym => chosen(&pseudonym::CHOICES),
        }
    }

    /// Its counts and its digest.
    pub(crate) fn identity(self) -> Identity {
        match self {
            Self::Clearance => identity::<Clearance>(),
            Self::Opening => identity::<Opening>(),
            Self::Pseudonym => identity::<Pseudonym>(),
        }
    }

    /// Rows that the proof system's domain holds.
    pub(crate) const fn domain_rows(self) -> usize {
        match self {
            Self::Clearance => DOMAIN_ROWS,
            Self::Opening | Self::Pseudonym => 1 << 13,
        }
    }
}

/// Rows, names, and the hashes that are assumed to bind, of the circuit of passes.
pub(crate) fn system() -> &'static System<Fr> {
    CircuitName::Clearance.system()
}

fn chosen<H: std::fmt::Display>(choices: &[circuits::Choice<H>]) -> Vec<Chosen> {
    let choice = |choice: &circuits::Choice<H>| Chosen {
        name: choice.name(),
        idle: choice.idle,
        why: choice.why,
    };
    choices.iter().map(choice).collect()
}

fn identity<C: Circuit>() -> Identity {
    let shape = C::shape();
    Identity {
        name: C::NAME,
        version: C::VERSION,
        constraints: shape.constraints(),
        rows: shape.rows(),
        witnesses: shape.witness,
        instance: shape.instance,
        inputs: C::INPUT_NAMES,
        digest: shape.digest(),
    }
}

/// The values of the accept vectors among `names`, or of all.
pub(crate) fn accepted<C: Tried>(vectors: &Vectors<C>, names: Option<&[&str]>) -> Vec<Named> {
    let accepted = vectors.all().iter().filter_map(|vector| {
        let (public, witness) = vectors.accepted(&vector.name)?;
        let asked = names.is_none_or(|names| names.contains(&vector.name.as_str()));
        asked.then(|| (vector.name.clone(), C::assign(public, witness).values))
    });
    accepted.collect()
}

/// The values of reject and wire vectors, but for those of a form that no prover could state.
pub(crate) fn attempted<C: Tried>(vectors: &Vectors<C>) -> Vec<Named> {
    let attempts = vectors.all().iter().filter_map(|vector| {
        let values = match &vector.body {
            Body::Reject {
                public, witness, ..
            } if C::malformed(witness).is_none() => C::assign(public, witness).values,
            Body::Wires { .. } => vectors.values(vector)?,
            _ => return None,
        };
        Some((vector.name.clone(), values))
    });
    attempts.collect()
}

fn build<C: Tried>() -> System<Fr> {
    let (shape, names) = (C::shape(), C::names());
    let [a, b, c] = &shape.matrices;
    let rows = a.iter().zip(b).zip(c).map(|((a, b), c)| Row {
        a: a.clone(),
        b: b.clone(),
        c: c.clone(),
    });
    let bindings = shape.hashes.iter().map(|hash| Binding {
        name: scope(&names.rows[hash.rows.0]),
        rows: hash.rows,
        inputs: hash.inputs.clone(),
        output: hash.output.clone(),
    });
    let bindings = bindings.collect();
    let names = Names {
        wires: names.wires.clone(),
        rows: names.rows.clone(),
    };
    System::new(
        shape.instance - 1,
        shape.instance + shape.witness,
        rows.collect(),
    )
    .and_then(|system| system.with_names(names))
    .and_then(|system| system.with_bindings(bindings))
    .expect("the shape is a system")
}

/// The hash that a row of its first round stands in.
fn scope(row: &str) -> String {
    let end = row.find("/full round").unwrap_or(row.len());
    row[..end].to_owned()
}
