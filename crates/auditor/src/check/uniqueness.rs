//! What the prover can choose, and that all else follows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use commitment::Fr;
use r1cs_audit::determinism::{Follows, Index, Rule, follow, follow_with_premises};
use r1cs_audit::{System, kind_of};

use super::report::{Finding, Search};
use super::{Args, SearchName, solver};
use crate::files;
use crate::system::CircuitName;

/// The wires that the prover chooses, by kind.
pub(super) fn choices(circuit: CircuitName) -> BTreeMap<String, Vec<usize>> {
    let kinds = circuit.choices().into_iter();
    let mut wires: BTreeMap<String, Vec<usize>> =
        kinds.map(|choice| (choice.name, Vec::new())).collect();
    for (wire, name) in circuit.system().names().wires.iter().enumerate() {
        if let Some(of_kind) = wires.get_mut(&kind_of(name)) {
            of_kind.push(wire);
        }
    }
    wires
}

/// Those that others follow from, or those that are idle.
fn wires_of(circuit: CircuitName, idle: bool) -> Vec<usize> {
    let wires = choices(circuit);
    let kinds = circuit.choices().into_iter();
    kinds
        .filter(|choice| choice.idle == idle)
        .flat_map(|choice| wires[&choice.name].clone())
        .collect()
}

/// The wires from which all others follow.
pub(super) fn given(circuit: CircuitName) -> Vec<usize> {
    wires_of(circuit, false)
}

/// The wires that do not follow, and that nothing hangs on.
pub(super) fn idle(circuit: CircuitName) -> BTreeSet<usize> {
    wires_of(circuit, true).into_iter().collect()
}

pub(super) fn search(args: &Args) -> Result<Search> {
    let system = args.circuit.system();
    let index = Index::new(system);
    let given = given(args.circuit);
    let mut search = Search::new(SearchName::Uniqueness);
    let follows = follow_with_premises(system, &index, &given);
    let witness = system.wires() - 1 - system.public();
    search.figure("witness wires", witness);
    search.figure("hashes assumed to bind", system.bindings().len());
    search.figure("chosen by the prover", given.len());
    for rule in Rule::ALL.into_iter().filter(|rule| *rule != Rule::Given) {
        search.figure(
            &format!("unique by rule: {}", rule.word()),
            follows.by(rule),
        );
    }
    let idle = idle(args.circuit);
    let (idle, open): (Vec<usize>, Vec<usize>) = follows.open().partition(|w| idle.contains(w));
    search.figure("not unique, nothing hangs on them", idle.len());
    search.figure("undecided", open.len());
    for (kind, wires) in by_kind(system, open.iter().copied()) {
        let what = format!("{} wires do not follow", wires.len());
        search.finding(Finding::fault(&kind, what));
    }
    chosen(&mut search, args.circuit, &index, &given);
    if args.full {
        let asked = solver::confirm(&steps(system, &follows), args)?;
        solver::report(&mut search, asked);
    } else {
        search.not_asked("cvc5, about the steps of this search: in the full form only");
    }
    Ok(search)
}

/// Lists what is chosen with the reason; a kind that is not there, or that follows from the others, is a fault of the list.
fn chosen(search: &mut Search, circuit: CircuitName, index: &Index<Fr>, given: &[usize]) {
    let wires = choices(circuit);
    let all = circuit.choices();
    let bar = files::progress(all.len() as u64, "choices");
    for choice in all {
        let name = choice.name;
        let own: BTreeSet<usize> = wires[&name].iter().copied().collect();
        let rest: Vec<usize> = given.iter().copied().filter(|w| !own.contains(w)).collect();
        let follows = follow(circuit.system(), index, &rest, &[]);
        let free = own.iter().any(|wire| follows.rule[*wire].is_none());
        search.finding(if own.is_empty() {
            Finding::fault(&name, "listed as chosen, but there is no such wire")
        } else if free {
            Finding::explained(
                &name,
                format!("{} wires, chosen: {}", own.len(), choice.why),
            )
        } else {
            Finding::fault(
                &name,
                "listed as chosen, but follows from the other choices",
            )
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
}

fn by_kind(
    system: &System<Fr>,
    wires: impl Iterator<Item = usize>,
) -> BTreeMap<String, Vec<usize>> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for wire in wires {
        let kind = kind_of(&system.names().wires[wire]);
        kinds.entry(kind).or_default().push(wire);
    }
    kinds
}

/// Steps for a solver to confirm: of each kind of wire and rule the first, a middle and the last.
fn steps(system: &System<Fr>, follows: &Follows<Fr>) -> Vec<solver::Step> {
    let mut kinds: BTreeMap<(Rule, String), Vec<usize>> = BTreeMap::new();
    for (wire, name) in system.names().wires.iter().enumerate() {
        if let (Some(rule), Some(_)) = (follows.rule[wire], &follows.premise[wire]) {
            kinds.entry((rule, kind_of(name))).or_default().push(wire);
        }
    }
    let mut steps = Vec::new();
    for ((rule, kind), wires) in kinds {
        let places = [0, wires.len() / 2, wires.len() - 1];
        let places: BTreeSet<usize> = places.into();
        for place in places {
            let wire = wires[place];
            let premise = follows.premise[wire].clone().unwrap_or_default();
            steps.push(solver::Step {
                rule,
                kind: kind.clone(),
                wire,
                premise,
            });
        }
    }
    steps
}
