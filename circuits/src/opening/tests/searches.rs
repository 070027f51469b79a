//! Searches that know no statement, on the whole of it: structure, uniqueness, changed wires, rows left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use commitment::Fr;
use r1cs_audit::determinism::{Index, follow};
use r1cs_audit::dropping::{noticed_by_attempt, noticed_by_uniqueness, rows_by_kind};
use r1cs_audit::mutation::{Tried, alone, brothers, exchanged, pairs_of_row};
use r1cs_audit::values::{Places, Values, broken_rows};
use r1cs_audit::{Binding, Names, Row, Structure, System, kind_of};

use crate::choice::Choice;
use crate::opening::vector::{Body, Vectors, made};
use crate::opening::{CHOICES, assign, names, shape};

static SYSTEM: LazyLock<System<Fr>> = LazyLock::new(|| {
    let (shape, names) = (shape(), names());
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
        wires: names.wires,
        rows: names.rows,
    };
    System::new(shape.instance - 1, wires, rows.collect())
        .and_then(|system| system.with_names(names))
        .and_then(|system| system.with_bindings(bindings))
        .expect("the shape is a system")
});

static MADE: LazyLock<Vectors> = LazyLock::new(made);

/// The wires that the prover chooses: those that others follow from, and those that nothing hangs on.
fn chosen() -> (Vec<usize>, BTreeSet<usize>) {
    let of = |idle| {
        let kinds: BTreeSet<String> = CHOICES
            .iter()
            .filter(|c| c.idle == idle)
            .map(Choice::name)
            .collect();
        let wires = SYSTEM.names().wires.iter().enumerate();
        wires
            .filter(move |(_, name)| kinds.contains(&kind_of(name)))
            .map(|(wire, _)| wire)
    };
    (of(false).collect(), of(true).collect())
}

#[test]
fn no_wire_and_no_row_does_nothing() {
    let found = Structure::of(&SYSTEM);
    assert!(found.is_sound(), "{found:?}");
}

#[test]
fn every_wire_follows_from_the_public_inputs_and_from_what_is_chosen() {
    let index = Index::new(&SYSTEM);
    let (given, idle) = chosen();
    assert_eq!((given.len(), idle.len()), (9 * 3 + 5, 1));
    let open: BTreeSet<usize> = follow(&SYSTEM, &index, &given, &[]).open().collect();
    let names: Vec<&String> = open
        .difference(&idle)
        .map(|w| &SYSTEM.names().wires[*w])
        .collect();
    assert_eq!(names, Vec::<&String>::new());
    // Each kind of choice is one: without it being given, it is open.
    for choice in CHOICES.iter().filter(|choice| !choice.idle) {
        let rest = given.iter().copied();
        let of_other_kinds = |wire: &usize| kind_of(&SYSTEM.names().wires[*wire]) != choice.name();
        let rest: Vec<usize> = rest.filter(of_other_kinds).collect();
        assert!(
            follow(&SYSTEM, &index, &rest, &[]).open().count() > idle.len(),
            "{}",
            choice.name()
        );
    }
}

/// The rows that each attempt breaks, of whatever making.
fn broken_by_attempts() -> BTreeMap<&'static str, Vec<usize>> {
    let values = MADE.all().iter().filter_map(|vector| {
        let values = match &vector.body {
            Body::Reject {
                public, witness, ..
            } if witness.malformed().is_none() => assign(public, witness).values,
            Body::Wires { .. } => MADE.values(vector)?,
            _ => return None,
        };
        Some((vector.name.as_str(), broken_rows(&SYSTEM, &values)))
    });
    values.collect()
}

#[test]
fn every_row_left_out_is_missed_by_uniqueness_or_by_an_attempt() {
    let index = Index::new(&SYSTEM);
    let (given, idle) = chosen();
    let attempts = broken_by_attempts();
    let mut unnoticed = Vec::new();
    for (kind, rows) in rows_by_kind(&SYSTEM) {
        let by_attempt = attempts
            .values()
            .any(|broken| noticed_by_attempt(broken, &rows));
        let missed =
            |row| noticed_by_uniqueness(&SYSTEM, &index, (&given, &idle), &[row]).is_some();
        if !by_attempt && !rows.iter().all(|row| missed(*row)) {
            unnoticed.push(kind);
        }
    }
    assert_eq!(unnoticed, Vec::<String>::new());
}

/// Attempts that each break a single row, and which: nothing else would tell that rows of its kind were missing.
#[test]
fn some_attempts_break_a_single_row() {
    let attempts = broken_by_attempts();
    let names = &SYSTEM.names().rows;
    for (attempt, row) in [
        (
            "wire-leaf-at-another-position",
            "State membership/level[0]/own/split[4]",
        ),
        (
            "wire-position-between-siblings",
            "State membership/level[0]/position/bit[0]",
        ),
        (
            "state-leaf-not-in-the-tree",
            "State membership/level[0]/own",
        ),
        ("wire-position-beyond-two", "Entry/position/bit[0]"),
        (
            "wire-condition-put-off-to-another",
            "Sought and answer/answer/bit[0]",
        ),
        ("entry-of-another-kind", "Entry/same key"),
        ("entry-ended-said-to-stand", "Entry/ended or not"),
        ("entry-a-minute-later", "Entry/same begin"),
        ("entry-covered-by-an-earlier-fact", "Entry/begin not before"),
        ("entry-covered-by-a-later-stay", "Entry/begin not after"),
        (
            "entry-ended-a-minute-before-the-bound",
            "Entry/end not before",
        ),
        ("absent-fact-that-stands", "Absence/none of them"),
        ("subject-of-another-record", "Subject/identity"),
        ("record-another-leaf", "Record opening and count/leaf"),
        ("state-another-root", "State membership/root"),
    ] {
        let broken = attempts[attempt].iter().map(|row| &names[*row]);
        assert_eq!(broken.collect::<Vec<_>>(), [row], "{attempt}");
    }
}

fn assigned(name: &str) -> Vec<Fr> {
    let (public, witness) = MADE.accepted(name).expect("an accept vector");
    assign(public, witness).values
}

/// The kinds of wires that survivors change.
fn survivors(tried: &Tried<Fr>) -> BTreeSet<String> {
    let wires = tried.survivors.iter().flat_map(|s| &s.wires);
    wires
        .map(|(wire, _)| kind_of(&SYSTEM.names().wires[*wire]))
        .collect()
}

#[test]
fn a_changed_wire_breaks_a_row_unless_nothing_hangs_on_it() {
    let places = Places::of(&SYSTEM);
    for (name, free) in [
        // The position may be any where absence is answered.
        ("fact-absent", vec!["Entry/position/bit[]"]),
        ("fact-stands", vec!["Absence/inverse"]),
        ("fact-covered", vec![]),
        ("stay-ended", vec!["Absence/inverse"]),
        ("full-last-test", vec!["Absence/inverse"]),
    ] {
        let mut values = Values::new(&SYSTEM, &places, assigned(name));
        let mut tried = Tried::default();
        for wire in SYSTEM.public() + 1..SYSTEM.wires() {
            let other = commitment::pow2(200) + Fr::from(wire as u64);
            tried.add(alone(&mut values, wire, other));
        }
        let found = survivors(&tried);
        let free: BTreeSet<String> = free.into_iter().map(str::to_owned).collect();
        assert!(found.is_subset(&free), "{name}: {found:?}");
        assert!(tried.count > 200_000);
    }
}

#[test]
fn wires_changed_in_pairs_or_exchanged_with_brothers_break_a_row() {
    let places = Places::of(&SYSTEM);
    for name in ["fact-stands", "full-absent"] {
        let mut values = Values::new(&SYSTEM, &places, assigned(name));
        let mut tried = Tried::default();
        for row in SYSTEM.rows() {
            tried.add(pairs_of_row(&mut values, row, 2));
        }
        for (at, count) in [("entry", 24), ("negative", 8), ("level", 9), ("child", 8)] {
            for i in 0..count {
                for j in i + 1..count {
                    let pairs = brothers(&SYSTEM, at, i, j);
                    assert!(!pairs.is_empty(), "{at} {i} {j}");
                    tried.add(exchanged(&mut values, &pairs));
                    for pair in pairs {
                        tried.add(exchanged(&mut values, &[pair]));
                    }
                }
            }
        }
        // Another public input is another statement, not a mutant of this one.
        let public = ..=SYSTEM.public();
        tried
            .survivors
            .retain(|s| s.wires.iter().all(|(wire, _)| !public.contains(wire)));
        let found = survivors(&tried);
        let choices: BTreeSet<String> = CHOICES.iter().map(Choice::name).collect();
        assert!(found.is_subset(&choices), "{name}: {found:?}");
    }
}
