//! The vectors: each is what it says, by relation, rows and matrices; the shipped files are those that the code makes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ark_bn254::Fr;
use proptest::prelude::*;
use rules::{Grade, Key};

use crate::clearance::scene::ago;
use crate::clearance::vector::{
    Body, Fault, MAX_VECTOR_LEN_BYTES, SHIPPED, VectorError, Vectors, broken_headings, made,
};
use crate::clearance::{Heading, Refusal, assign, check, names, shape, shape_without};
use crate::rows::Terms;

static MADE: LazyLock<Vectors> = LazyLock::new(made);

fn count(is: impl Fn(&Body) -> bool) -> usize {
    MADE.all().iter().filter(|v| is(&v.body)).count()
}

#[test]
fn there_are_vectors_of_every_kind_and_heading() {
    assert!(count(|b| matches!(b, Body::Accept { .. })) >= 20);
    assert!(count(|b| matches!(b, Body::Reject { .. })) >= 90);
    assert!(count(|b| matches!(b, Body::Wires { .. })) >= 12);
    assert!(count(|b| matches!(b, Body::Shown { .. })) >= 9);
    for heading in Heading::ALL {
        let of = |b: &Body| matches!(b, Body::Reject { heading: h, .. } if *h == heading);
        // The binder has no relation to the witness: another one is another statement, which shown vectors try.
        assert_eq!(count(of) > 0, heading != Heading::Binder, "{heading}");
    }
    let names: BTreeSet<&str> = MADE.all().iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names.len(), MADE.all().len());
}

#[test]
fn every_accept_vector_fulfils_relation_and_rows() {
    for vector in MADE.all() {
        if let Body::Accept { public, witness } = &vector.body {
            assert_eq!(check(public, witness), Ok(()), "{}", vector.name);
            let assignment = assign(public, witness);
            assert_eq!(assignment.broken, [], "{}", vector.name);
            assert_eq!(
                shape().first_broken(&assignment.values),
                None,
                "{}",
                vector.name
            );
        }
    }
}

#[test]
fn accept_vectors_show_what_their_names_say() {
    let of = |name: &str| MADE.accepted(name).expect("an accept vector").1;
    let full = of("full-capacity");
    let positions = full.record.entries.iter().chain(&full.record.facts);
    assert!(positions.clone().all(|e| e.begin != 0));
    assert_eq!(positions.filter(|e| e.is_stay).count(), 12);
    assert!(full.record.negatives.iter().all(|m| *m != 0));
    assert!(full.record.runs.iter().all(|run| run.0 != 0));
    assert!(full.slots.iter().all(|slot| slot.key != 0));
    let opened: BTreeSet<u32> = full.intervals.iter().map(|i| i.opening.index).collect();
    assert_eq!(opened.len(), 4);

    let slot = |name| of(name).slots[0];
    let relief = |name| slot(name).relief.expect("relieved");
    assert!(slot("relief-lapse").lapsed);
    assert_eq!(relief("relief-second-way").alternative, 1);
    assert_eq!(relief("relief-two-negatives").negatives, [0, 1, 0]);
    assert_eq!(relief("relief-three-negatives").negatives, [0, 1, 2]);
    assert_eq!(relief("relief-check-in-days").run, 1);
    let merged = of("non-monotone-merge");
    let slots: Vec<u8> = merged.entries[12..15].iter().map(|e| e.slot).collect();
    assert_eq!(slots, [0, 0, 1]);
    let graded_down = Key::of_stay(Grade::High, Grade::Medium, true);
    assert_eq!(of("stay-downgraded").entries[0].key, graded_down.code());
    let relisted = of("stay-relisted").entries[0];
    assert_eq!(
        relisted.key,
        Key::of_stay(Grade::High, Grade::Low, false).code()
    );
    assert_eq!(
        relisted.anchor,
        ago(15 * 1440).get(),
        "the release, not the end of the stay"
    );
}

#[test]
fn every_reject_vector_is_refused_under_its_heading_alone() {
    let mut wrong = Vec::new();
    for vector in MADE.all() {
        let Body::Reject {
            heading,
            public,
            witness,
            ..
        } = &vector.body
        else {
            continue;
        };
        let relation = check(public, witness);
        let assignment = assign(public, witness);
        let by_rows = if witness.malformed().is_some() {
            assignment.broken.first() == Some(heading)
        } else {
            assignment.broken == [*heading] && broken_headings(&assignment.values) == [*heading]
        };
        if relation != Err(Refusal(*heading)) || !by_rows {
            let name = &vector.name;
            wrong.push(format!(
                "{name}: {heading:?} {relation:?} {:?}",
                assignment.broken
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_wire_vector_breaks_rows_of_its_heading_alone() {
    let mut wrong = Vec::new();
    for vector in MADE.all() {
        if let Body::Wires { heading, wires, .. } = &vector.body {
            let broken = broken_headings(&MADE.values(vector).expect("on a base"));
            if broken != [*heading] {
                wrong.push(format!(
                    "{}: {heading:?} {broken:?} {}",
                    vector.name,
                    wires.len()
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Wire vectors that each break a single row, and which: nothing else would tell that rows of its kind were missing.
const SINGLE: [(&str, &str); 15] = [
    ("wire-anchor-at-half-a-day", "slot[0]/anchor/day/bit[0]"),
    ("wire-anchor-before-its-day", "slot[1]/anchor/minute/bit[0]"),
    ("wire-cleared-twice", "slot[1]/cleared"),
    (
        "wire-days-not-asked-for",
        "slot[0]/no check-ins/zero if not",
    ),
    ("wire-key-from-96-on", "slot[7]/key below 96"),
    ("wire-key-of-two-ends", "slot[7]/key/bit[2]"),
    ("wire-lapsed-twice", "slot[0]/lapsed"),
    ("wire-no-ground-in-no-slot", "entry[23]/slot/bit[0]"),
    (
        "wire-no-ground-that-must-equal-twice",
        "entry[23]/must equal",
    ),
    ("wire-no-stay-in-no-interval", "entry[11]/interval/bit[0]"),
    (
        "wire-padding-beyond-two",
        "interval[3]/level[0]/position/bit[0]",
    ),
    ("wire-registry-leaf-of-another-slot", "slot"),
    (
        "wire-registry-position-beyond-two",
        "level[0]/position/bit[0]",
    ),
    ("wire-run-beyond-two", "slot[0]/run/bit[0]"),
    ("wire-third-way-out", "slot[7]/alternative"),
];

#[test]
fn some_wire_vectors_break_a_single_row() {
    let (shape, names) = (shape(), names());
    let [a, b, c] = &shape.matrices;
    for (name, row) in SINGLE {
        let vector = MADE.all().iter().find(|vector| vector.name == name);
        let vector = vector.expect(name);
        let values = MADE.values(vector).expect("on a base");
        let at = |terms: &Terms| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
        let broken = |row: &usize| at(&a[*row]) * at(&b[*row]) != at(&c[*row]);
        let broken: Vec<&String> = (0..shape.constraints())
            .filter(broken)
            .map(|row| &names.rows[row])
            .collect();
        let Body::Wires { heading, .. } = vector.body else {
            panic!("{name} is no wire vector")
        };
        assert_eq!(broken, [&format!("{heading}/{row}")], "{name}");
    }
}

#[test]
fn without_the_rows_of_a_heading_its_attempts_get_through() {
    for heading in Heading::ALL {
        let shape = shape_without(heading);
        for vector in MADE.all() {
            let values = match &vector.body {
                Body::Reject {
                    heading: h,
                    public,
                    witness,
                    ..
                } if *h == heading => {
                    // What no prover can state is refused by its form, not by rows.
                    if witness.malformed().is_some() {
                        continue;
                    }
                    assign(public, witness).values
                }
                Body::Wires { heading: h, .. } if *h == heading => {
                    MADE.values(vector).expect("on a base")
                }
                _ => continue,
            };
            assert_eq!(shape.first_broken(&values), None, "{}", vector.name);
        }
    }
}

fn read(files: &[(&str, &str)]) -> Result<Vectors, VectorError> {
    Vectors::read(files.iter().map(|(path, text)| (*path, text.as_bytes())))
}

/// What is wrong with a file beside all accept vectors.
fn refused(path: &str, text: &str) -> Fault {
    let accepted = SHIPPED.iter().filter(|(p, _)| p.starts_with("accept/"));
    let files: Vec<_> = accepted.copied().chain([(path, text)]).collect();
    let fault = read(&files).map(|_| ());
    fault.expect_err("refused").fault
}

fn file(path: &str) -> &'static str {
    let found = SHIPPED.iter().find(|(p, _)| *p == path);
    found.expect("shipped").1
}

#[test]
fn the_shipped_files_are_those_that_the_code_makes() {
    let made = MADE.write();
    let shipped: BTreeSet<&str> = SHIPPED.iter().map(|(path, _)| *path).collect();
    let paths: BTreeSet<&str> = made.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(
        shipped, paths,
        "write them anew with `auditor vectors --write circuits/vectors`, and list them"
    );
    for made in &made {
        assert!(
            file(&made.path) == made.text,
            "{} is out of date: write it anew",
            made.path
        );
    }
    assert!(made.iter().all(|f| f.text.len() < MAX_VECTOR_LEN_BYTES / 2));
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let read = Vectors::shipped().unwrap();
    assert_eq!(read.write(), MADE.write());
    assert_eq!(read.all().len(), MADE.all().len());
    for (a, b) in read.all().iter().zip(MADE.all()) {
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
    }
}

#[test]
fn damaged_files_are_refused_by_name() {
    let empty = file("accept/empty-record.json");
    let other = |from: &str, to: &str| {
        assert!(empty.contains(from), "{from}");
        empty
            .replacen(from, to, 1)
            .replace("\"empty-record\"", "\"other\"")
    };
    let fault = |text: &str| refused("accept/other.json", text);
    assert!(matches!(
        fault(&" ".repeat(MAX_VECTOR_LEN_BYTES + 1)),
        Fault::TooLong(_)
    ));
    assert!(matches!(fault("{"), Fault::Json(_)));
    assert!(matches!(
        fault(&other("\"tries\"", "\"trie\"")),
        Fault::Json(_)
    ));
    assert!(matches!(
        fault(&other("\"head_time\"", "\"head\"")),
        Fault::Json(_)
    ));
    assert!(matches!(
        fault(&other("vector/v1", "vector/v2")),
        Fault::Format { .. }
    ));
    assert!(matches!(
        fault(&other("\"accept\"", "\"proof_refused\"")),
        Fault::Parts
    ));
    assert!(matches!(
        fault(&other("\"accept\"", "{\"reject\": \"Clearing\"}")),
        Fault::Parts
    ));
    assert!(matches!(fault(empty), Fault::Name(_)));
    assert!(matches!(
        refused("x/empty-record.json", empty),
        Fault::NameTwice(_)
    ));
    let blinding = "4d\"";
    assert!(matches!(fault(&other(blinding, "4D\"")), Fault::Element(_)));
    assert!(matches!(fault(&other(blinding, "4\"")), Fault::Element(_)));
    let modulus = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
    let seven = format!("{:064x}", 77);
    assert!(matches!(fault(&other(&seven, modulus)), Fault::Element(_)));
    assert!(matches!(
        fault(&other("\"medium\": 24", "\"medium\": 2400")),
        Fault::Table(_)
    ));
    assert!(matches!(
        fault(&other("\"row_of_key\": [", "\"row_of_key\": [0, ")),
        Fault::TableIndex
    ));
}

#[test]
fn changes_of_what_the_base_does_not_have_are_refused() {
    let (path, changed) = (
        "reject/slot-that-is-empty.json",
        file("reject/slot-that-is-empty.json"),
    );
    let on = |from: &str, to: &str| {
        assert!(changed.contains(from), "{from}");
        refused(path, &changed.replacen(from, to, 1))
    };
    assert!(matches!(
        on("\"Reason slots\"", "\"Reason slot\""),
        Fault::Heading(_)
    ));
    assert!(matches!(
        on("\"/witness/leaf\"", "\"/witness/leaves\""),
        Fault::Pointer(_)
    ));
    assert!(matches!(
        on("\"/witness/leaf\"", "\"/witness/state_root\""),
        Fault::ChangedTwice(_)
    ));
    let kept = changed.replacen(
        "\"changes\": {",
        "\"changes\": {\"/public/as_of\": 27699359,",
        1,
    );
    assert!(matches!(refused(path, &kept), Fault::NoChange(_)));
    let elsewhere = changed.replacen("\"base\": \"", "\"base\": \"un", 1);
    assert!(matches!(refused(path, &elsewhere), Fault::Base(_)));
    let shown = file("shown/shown-with-a-test.json");
    let of_witness = shown.replacen(
        "\"changes\": {",
        "\"changes\": {\"/witness/head_time\": 1,",
        1,
    );
    assert!(matches!(
        refused("shown/shown-with-a-test.json", &of_witness),
        Fault::Pointer(_)
    ));
}

#[test]
fn an_accept_vector_of_another_form_gives_a_wire_vector_no_values() {
    let text = file("accept/green.json");
    let mut short: serde_json::Value = serde_json::from_str(text).unwrap();
    let levels = &mut short["witness"]["state_path"]["levels"];
    levels.as_array_mut().unwrap().pop().unwrap();
    let short = short.to_string();
    let wires = file("wires/wire-bit-of-two.json");
    let read = read(&[("green.json", &short), ("wire-bit-of-two.json", wires)]).unwrap();
    let [base, wires] = read.all() else {
        panic!("two vectors")
    };
    let Body::Accept { public, witness } = &base.body else {
        panic!("an accept vector")
    };
    assert_eq!(
        check(public, witness),
        Err(Refusal(Heading::StateMembership))
    );
    assert_eq!(read.values(wires), None);
}

#[test]
fn wires_of_another_circuit_or_of_no_witness_are_refused() {
    let wires = |matrix: &str, wires: &str| {
        let text = format!(
            "{{\"format\": \"viridian/clearance-vector/v1\", \"name\": \"w\", \"tries\": \"x\", \
             \"expected\": {{\"reject\": \"Clearing\"}}, \"base\": \"empty-record\", \
             \"matrix_sha256\": \"{matrix}\", \"wires\": {wires}}}"
        );
        refused("wires/w.json", &text)
    };
    let own = hex::encode(shape().digest());
    let value = format!("{:064x}", 1);
    assert!(matches!(wires("00", "[]"), Fault::OtherCircuit(_)));
    let last = shape().instance + shape().witness;
    for none in [
        "[]".to_owned(),
        format!("[[6, \"{value}\"]]"),
        format!("[[{last}, \"{value}\"]]"),
        format!("[[9, \"{value}\"], [9, \"{value}\"]]"),
    ] {
        assert!(matches!(wires(&own, &none), Fault::Wires), "{none}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Vectors::read([("a/b.json", &bytes[..])]);
    }

    #[test]
    fn no_damage_makes_reader_relation_or_rows_panic(
        which: prop::sample::Index,
        at: prop::sample::Index,
        byte in prop::sample::select(b"0123456789\"[]{},:-.eftrue".to_vec()),
        cut: bool,
    ) {
        let (path, text) = *which.get(SHIPPED);
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let others = SHIPPED.iter().filter(|(p, _)| *p != path && p.starts_with("accept/"));
        let files = others.map(|(p, t)| (*p, t.as_bytes())).chain([(path, &bytes[..])]);
        if let Ok(read) = Vectors::read(files) {
            let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".json");
            for vector in read.all().iter().filter(|v| v.name == stem) {
                match &vector.body {
                    Body::Accept { public, witness } | Body::Reject { public, witness, .. } => {
                        let refusal = check(public, witness);
                        let broken = assign(public, witness).broken;
                        prop_assert_eq!(refusal.is_ok(), broken.is_empty());
                    }
                    Body::Wires { .. } => prop_assert!(read.values(vector).is_some()),
                    Body::Shown { .. } => {}
                }
            }
        }
    }
}
