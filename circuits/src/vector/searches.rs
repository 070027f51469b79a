//! Searches that know no statement, on the whole of a circuit and its vectors.

use std::collections::{BTreeMap, BTreeSet};

use commitment::Fr;
use r1cs_audit::determinism::{Index, follow};
use r1cs_audit::dropping::{noticed_by_attempt, noticed_by_uniqueness, rows_by_kind};
use r1cs_audit::mutation::{Tried as Mutants, alone, brothers, exchanged, pairs_of_row};
use r1cs_audit::values::{Places, Values, broken_rows};
use r1cs_audit::{Binding, Names, Row, Structure, System, kind_of};

use super::{Body, Tried, Vectors};
use crate::choice::Choice;

/// A circuit as data, with what its prover chooses and its vectors.
pub(crate) struct Searched<C: Tried> {
    system: System<Fr>,
    choices: &'static [Choice<C::Heading>],
    vectors: Vectors<C>,
}

impl<C: Tried> Searched<C> {
    pub(crate) fn new(choices: &'static [Choice<C::Heading>], vectors: Vectors<C>) -> Self {
        let (shape, names) = (C::shape(), C::names());
        let [a, b, c] = &shape.matrices;
        let rows = a.iter().zip(b).zip(c).map(|((a, b), c)| Row {
            a: a.clone(),
            b: b.clone(),
            c: c.clone(),
        });
        let bindings = shape.hashes.iter().map(|hash| Binding {
            name: names.rows[hash.rows.0].clone(),
            rows: hash.rows,
            inputs: hash.inputs.clone(),
            output: hash.output.clone(),
        });
        let bindings = bindings.collect();
        let wires = shape.instance + shape.witness;
        let names = Names {
            wires: names.wires.clone(),
            rows: names.rows.clone(),
        };
        let system = System::new(shape.instance - 1, wires, rows.collect())
            .and_then(|system| system.with_names(names))
            .and_then(|system| system.with_bindings(bindings))
            .expect("the shape is a system");
        Self {
            system,
            choices,
            vectors,
        }
    }

    fn name(&self, wire: usize) -> &str {
        &self.system.names().wires[wire]
    }

    /// The wires that the prover chooses: those that others follow from, and those that nothing hangs on.
    fn chosen(&self) -> (Vec<usize>, BTreeSet<usize>) {
        let of = |idle| {
            let choices = self.choices.iter().filter(move |c| c.idle == idle);
            let kinds: BTreeSet<String> = choices.map(Choice::name).collect();
            let wires = self.system.names().wires.iter().enumerate();
            wires
                .filter(move |(_, name)| kinds.contains(&kind_of(name)))
                .map(|(wire, _)| wire)
        };
        (of(false).collect(), of(true).collect())
    }

    pub(crate) fn no_wire_and_no_row_does_nothing(&self) {
        let found = Structure::of(&self.system);
        assert!(found.is_sound(), "{found:?}");
    }

    /// Every wire follows from what is chosen, so many wires and so many idle ones; and each kind of choice is one.
    pub(crate) fn every_wire_follows_from_what_is_chosen(&self, counts: (usize, usize)) {
        let index = Index::new(&self.system);
        let (given, idle) = self.chosen();
        assert_eq!((given.len(), idle.len()), counts);
        let open: BTreeSet<usize> = follow(&self.system, &index, &given, &[]).open().collect();
        let names: Vec<&str> = open.difference(&idle).map(|w| self.name(*w)).collect();
        assert_eq!(names, Vec::<&str>::new());
        // Each kind of choice is one: without it being given, it is open.
        for choice in self.choices.iter().filter(|choice| !choice.idle) {
            let rest = given.iter().copied();
            let of_other_kinds = |wire: &usize| kind_of(self.name(*wire)) != choice.name();
            let rest: Vec<usize> = rest.filter(of_other_kinds).collect();
            assert!(
                follow(&self.system, &index, &rest, &[]).open().count() > idle.len(),
                "{}",
                choice.name()
            );
        }
    }

    /// The rows that each attempt breaks, of whatever making.
    fn broken_by_attempts(&self) -> BTreeMap<&str, Vec<usize>> {
        let values = self.vectors.all().iter().filter_map(|vector| {
            let values = match &vector.body {
                Body::Reject {
                    public, witness, ..
                } if C::malformed(witness).is_none() => C::assign(public, witness).values,
                Body::Wires { .. } => self.vectors.values(vector)?,
                _ => return None,
            };
            Some((vector.name.as_str(), broken_rows(&self.system, &values)))
        });
        values.collect()
    }

    pub(crate) fn every_row_left_out_is_missed(&self) {
        let index = Index::new(&self.system);
        let (given, idle) = self.chosen();
        let attempts = self.broken_by_attempts();
        let mut unnoticed = Vec::new();
        for (kind, rows) in rows_by_kind(&self.system) {
            let by_attempt = attempts
                .values()
                .any(|broken| noticed_by_attempt(broken, &rows));
            let missed = |row| {
                noticed_by_uniqueness(&self.system, &index, (&given, &idle), &[row]).is_some()
            };
            if !by_attempt && !rows.iter().all(|row| missed(*row)) {
                unnoticed.push(kind);
            }
        }
        assert_eq!(unnoticed, Vec::<String>::new());
    }

    /// Attempts that each break a single row, and which: nothing else would tell that rows of its kind were missing.
    pub(crate) fn these_attempts_break_a_single_row(&self, single: &[(&str, &str)]) {
        let attempts = self.broken_by_attempts();
        let names = &self.system.names().rows;
        for (attempt, row) in single {
            let broken = attempts[attempt].iter().map(|row| &names[*row]);
            assert_eq!(broken.collect::<Vec<_>>(), [row], "{attempt}");
        }
    }

    fn assigned(&self, name: &str) -> Vec<Fr> {
        let (public, witness) = self.vectors.accepted(name).expect("an accept vector");
        C::assign(public, witness).values
    }

    /// The kinds of wires that survivors change.
    fn survivors(&self, tried: &Mutants<Fr>) -> BTreeSet<String> {
        let wires = tried.survivors.iter().flat_map(|s| &s.wires);
        wires.map(|(wire, _)| kind_of(self.name(*wire))).collect()
    }

    /// A wire changed alone breaks a row, in each of these accept vectors, unless it is of one of these kinds.
    pub(crate) fn a_changed_wire_breaks_a_row(&self, free: &[(&str, &[&str])], at_least: u64) {
        let system = &self.system;
        let places = Places::of(system);
        for (name, free) in free {
            let mut values = Values::new(system, &places, self.assigned(name));
            let mut tried = Mutants::default();
            for wire in system.public() + 1..system.wires() {
                let other = commitment::pow2(200) + Fr::from(wire as u64);
                tried.add(alone(&mut values, wire, other));
            }
            let found = self.survivors(&tried);
            let free: BTreeSet<String> = free.iter().map(ToString::to_string).collect();
            assert!(found.is_subset(&free), "{name}: {found:?}");
            assert!(tried.count > at_least, "{}", tried.count);
        }
    }

    /// Wires changed in pairs, or exchanged with their brothers under such scopes, break a row unless they are chosen.
    pub(crate) fn changed_pairs_break_a_row(&self, names: &[&str], scopes: &[(&str, usize)]) {
        let system = &self.system;
        let places = Places::of(system);
        for name in names {
            let mut values = Values::new(system, &places, self.assigned(name));
            let mut tried = Mutants::default();
            for row in system.rows() {
                tried.add(pairs_of_row(&mut values, row, 2));
            }
            for (at, count) in scopes {
                for (i, j) in (0..*count).flat_map(|i| (i + 1..*count).map(move |j| (i, j))) {
                    let pairs = brothers(system, at, i, j);
                    assert!(!pairs.is_empty(), "{at} {i} {j}");
                    tried.add(exchanged(&mut values, &pairs));
                    for pair in pairs {
                        tried.add(exchanged(&mut values, &[pair]));
                    }
                }
            }
            // Another public input is another statement, not a mutant of this one.
            let public = ..=system.public();
            tried
                .survivors
                .retain(|s| s.wires.iter().all(|(wire, _)| !public.contains(wire)));
            let found = self.survivors(&tried);
            let choices: BTreeSet<String> = self.choices.iter().map(Choice::name).collect();
            assert!(found.is_subset(&choices), "{name}: {found:?}");
        }
    }
}
