//! What the shipped vectors try, in code: their files are written from here and never by hand.

mod accept;
mod grounds;
mod openings;
mod record;
mod relief;
mod set_wires;
mod shown;

use commitment::PublicInputs;
use rules::{CheckInRun, Claim, Day, Fact, FactKind, Record, Stay, TestAge, WorstColour};

use super::{Body, Vector, Vectors};
use crate::Clearance;
use crate::clearance::Witness;
use crate::clearance::scene::{Scene, ago, fact, place, unrelieved};
use crate::vector::rejected;

const HOUR: u32 = 60;
const DAY: u32 = 1440;

type Statement = (PublicInputs, Witness);

/// A witness that does not fulfil the statement.
type Attempt = crate::vector::Attempt<Clearance>;

/// The vectors that the project ships.
///
/// # Panics
/// If a scene that should be accepted cannot be planned: a fault of this module, which its tests find.
pub fn made() -> Vectors {
    let accept = |accepted: accept::Accepted| {
        let (public, witness) = accepted.statement();
        let witness = Box::new(witness);
        Vector {
            name: accepted.name.to_owned(),
            tries: accepted.tries.to_owned(),
            body: Body::Accept { public, witness },
        }
    };
    let mut accepted: Vec<Vector> = accept::all().into_iter().map(accept).collect();
    accepted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut vectors = Vectors { all: accepted };
    let attempts = [
        record::attempts(),
        openings::attempts(),
        grounds::attempts(),
        relief::attempts(),
    ];
    let mut others = rejected(&vectors, attempts.into_iter().flatten());
    others.extend(set_wires::vectors());
    others.extend(shown::vectors(&vectors));
    others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    vectors.all.extend(others);
    vectors
}

/// A record from facts, stays, tests so many minutes ago, and runs from so many days ago until so many.
fn record(facts: &[Fact], stays: &[Stay], negatives: &[u32], runs: &[(u16, u16)]) -> Record {
    let negatives = negatives.iter().map(|m| ago(*m)).collect();
    let runs = runs
        .iter()
        .map(|(first, last)| CheckInRun {
            first: day(*first),
            last: day(*last),
        })
        .collect();
    Record::new(stays.to_vec(), facts.to_vec(), negatives, runs).expect("within capacities")
}

/// The day so many days ago.
fn day(back: u16) -> Day {
    Day::new(ago(0).day().get() - back)
}

/// A stay in a site of the scenes' map, from so many minutes ago until so many.
fn stay(site: u32, from: u32, to: Option<u32>) -> Stay {
    Stay {
        place: place(site),
        begin: ago(from),
        end: to.map(ago),
    }
}

/// A fact of province 33, so many minutes ago.
fn local(kind: FactKind, minutes_ago: u32) -> Fact {
    fact(kind, 33, minutes_ago)
}

const GREEN: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::NotAsked,
};
const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

/// The scenes' surroundings with another record and claim.
fn scene(record: Record, claim: Claim) -> Scene {
    Scene {
        record,
        claim,
        ..Scene::green()
    }
}

/// What the prover of a true claim states.
fn honest(scene: &Scene) -> Statement {
    scene.witness().expect("the record supports the claim")
}

/// A record as it stands, each ground in a slot of its own and nothing relieved, whatever is claimed of it.
fn as_it_stands(record: Record, claim: Claim) -> Statement {
    unrelieved(&scene(record, claim)).expect("few grounds")
}

/// A statement with something changed.
fn with(
    mut statement: Statement,
    change: impl FnOnce(&mut PublicInputs, &mut Witness),
) -> Statement {
    let (public, witness) = &mut statement;
    change(public, witness);
    statement
}

/// What is said of `said` by the holder of another record: its own leaf, and the ways from there up, stay as committed.
fn said_of_another(committed: &Record, said: &Scene) -> Statement {
    let of_holder = Scene {
        record: committed.clone(),
        ..said.clone()
    };
    let (own_public, own) = honest(&of_holder.inert());
    with(honest(said), |public, witness| {
        public.registry_root = own_public.registry_root;
        witness.leaf = own.leaf;
        witness.state_path = own.state_path;
        witness.state_root = own.state_root;
        witness.registry_path = own.registry_path;
    })
}
