//! Accepted assignments with wires changed: what no row notices must be the prover's to choose.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use commitment::{Fr, pow2};
use r1cs_audit::mutation::{Tried, alone, brothers, exchanged, pairs_of_row};
use r1cs_audit::values::{Places, Values};
use r1cs_audit::{System, kind_of};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::report::{Finding, Search};
use super::{Args, SearchName, uniqueness};
use crate::system::{CircuitName, accepted};
use crate::{files, vectors};

/// Wires or rows that one thread takes at a time.
const CHUNK: usize = 512;
/// Scopes whose wires are exchanged whole; how many of each there are, their names say.
const SCOPES: &[&str] = &[
    "entry",
    "interval",
    "slot",
    "negative",
    "run",
    "level",
    "child",
    "meeting",
    "row of key",
];
/// The same in an opening.
const SCOPES_OF_OPENING: &[&str] = &["entry", "negative", "level", "child"];
/// The same in a pseudonym.
const SCOPES_OF_PSEUDONYM: &[&str] = &["element", "level", "child"];
/// The accept vectors that stand for all of them in the reduced form.
const FEW: &[&str] = &["green", "full-capacity"];
/// The same of an opening.
const FEW_OPENINGS: &[&str] = &["fact-stands", "full-absent", "stay-covered-and-ended"];
/// The same of a pseudonym.
const FEW_PSEUDONYMS: &[&str] = &["at-a-hospital", "full-record-last-places"];

pub(super) fn search(args: &Args) -> Result<Search> {
    let mut search = Search::new(SearchName::Mutants);
    let system = args.circuit.system();
    let named = |few: &'static [&'static str]| if args.full { None } else { Some(few) };
    let (assigned, scopes) = match args.circuit {
        CircuitName::Clearance => (accepted(&vectors::shipped()?, named(FEW)), SCOPES),
        CircuitName::Opening => {
            let vectors = vectors::shipped_openings()?;
            (accepted(&vectors, named(FEW_OPENINGS)), SCOPES_OF_OPENING)
        }
        CircuitName::Pseudonym => {
            let vectors = vectors::shipped_pseudonyms()?;
            let few = accepted(&vectors, named(FEW_PSEUDONYMS));
            (few, SCOPES_OF_PSEUDONYM)
        }
    };
    let scopes: Vec<(&str, usize)> = scopes.iter().map(|at| (*at, count(system, at))).collect();
    for (at, _) in scopes.iter().filter(|(_, count)| *count < 2) {
        search.finding(Finding::fault(at, "no two such scopes to exchange"));
    }
    let places = Places::of(system);
    let mut kinds = Kinds::new(args.circuit);
    let bar = files::progress(3 * assigned.len() as u64, "mutants");
    let count = assigned.len();
    for (_, values) in assigned {
        let values = Values::new(system, &places, values);
        kinds.add("changed alone", single(system, &values, args.seed));
        bar.inc(1);
        kinds.add(
            "changed in pairs of a row",
            pairs(system, &values, args.full),
        );
        bar.inc(1);
        kinds.add(
            "exchanged with a brother",
            exchanges(system, &values, &scopes),
        );
        bar.inc(1);
    }
    bar.finish_and_clear();
    search.figure("accepted assignments", count);
    kinds.report(&mut search);
    Ok(search)
}

/// Survivors by the kinds of wires that they change.
struct Kinds {
    circuit: CircuitName,
    tried: BTreeMap<&'static str, u64>,
    survivors: BTreeMap<BTreeSet<String>, u64>,
}

impl Kinds {
    fn new(circuit: CircuitName) -> Self {
        Self {
            circuit,
            tried: BTreeMap::new(),
            survivors: BTreeMap::new(),
        }
    }

    fn add(&mut self, how: &'static str, tried: Tried<Fr>) {
        *self.tried.entry(how).or_default() += tried.count;
        for survivor in tried.survivors {
            let wires = survivor.wires.iter();
            let names = &self.circuit.system().names().wires;
            let kinds = wires.map(|(wire, _)| kind_of(&names[*wire]));
            *self.survivors.entry(kinds.collect()).or_default() += 1;
        }
    }

    fn report(self, search: &mut Search) {
        for (how, count) in &self.tried {
            search.figure(how, *count);
        }
        search.figure("mutants", self.tried.values().sum::<u64>());
        search.figure("survivors", self.survivors.values().sum::<u64>());
        let chosen = uniqueness::choices(self.circuit);
        for (kinds, count) in self.survivors {
            let names: Vec<&str> = kinds.iter().map(String::as_str).collect();
            let names = names.join(" with ");
            let what = format!("{count} survivors");
            search.finding(if kinds.iter().all(|kind| chosen.contains_key(kind)) {
                Finding::explained(
                    &names,
                    format!("{what}; the prover's to choose (see uniqueness)"),
                )
            } else if kinds.iter().any(|kind| chosen.contains_key(kind)) {
                // Another choice of the same statement: all else is unique given what is chosen.
                Finding::explained(
                    &names,
                    format!("{what}; another choice, with what follows from it"),
                )
            } else {
                Finding::fault(&names, format!("{what} change nothing that is chosen"))
            });
        }
    }
}

fn together(parts: impl ParallelIterator<Item = Tried<Fr>>) -> Tried<Fr> {
    parts.reduce(Tried::default, |mut all, part| {
        all.add(part);
        all
    })
}

fn single(system: &System<Fr>, values: &Values<'_, Fr>, seed: u64) -> Tried<Fr> {
    let wires: Vec<usize> = (system.public() + 1..system.wires()).collect();
    let chunks = wires.par_chunks(CHUNK);
    together(chunks.map_with(values.clone(), |values, wires| {
        let mut tried = Tried::default();
        for wire in wires {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ (*wire as u64) << 20);
            let random =
                Fr::from(rng.random::<u128>()) * pow2(126) + Fr::from(rng.random::<u128>());
            tried.add(alone(values, *wire, random));
        }
        tried
    }))
}

fn pairs(system: &System<Fr>, values: &Values<'_, Fr>, full: bool) -> Tried<Fr> {
    let public = ..=system.public();
    let chunks = system.rows().par_chunks(CHUNK);
    let mut tried = together(chunks.map_with(values.clone(), |values, rows| {
        let mut tried = Tried::default();
        for row in rows {
            tried.add(pairs_of_row(values, row, if full { 6 } else { 2 }));
        }
        tried
    }));
    // Another public input is another statement, not a mutant of this one.
    tried
        .survivors
        .retain(|s| s.wires.iter().all(|(wire, _)| !public.contains(wire)));
    tried
}

/// How many scopes there are of a name, such as `entry` for `…/entry[3]/…`.
fn count(system: &System<Fr>, at: &str) -> usize {
    let names = system.names().wires.iter();
    let number = |part: &str| -> Option<usize> {
        let inner = part.strip_prefix(at)?.strip_prefix('[')?;
        inner.strip_suffix(']')?.parse().ok()
    };
    let numbers = names.flat_map(|name| name.split('/').filter_map(number));
    numbers.max().map_or(0, |last| last + 1)
}

fn exchanges(system: &System<Fr>, values: &Values<'_, Fr>, scopes: &[(&str, usize)]) -> Tried<Fr> {
    let scopes: Vec<(&str, usize, usize)> = scopes
        .iter()
        .flat_map(|(at, count)| {
            let pairs = (0..*count).flat_map(move |i| (i + 1..*count).map(move |j| (i, j)));
            pairs.map(|(i, j)| (*at, i, j))
        })
        .filter(|(at, i, j)| *at != "row of key" || j - i == 1)
        .collect();
    together(
        scopes
            .par_iter()
            .map_with(values.clone(), |values, (at, i, j)| {
                let pairs = brothers(system, at, *i, *j);
                let mut tried = exchanged(values, &pairs);
                // Also each wire with its own brother, alone.
                for pair in pairs {
                    tried.add(exchanged(values, &[pair]));
                }
                tried
            }),
    )
}
