//! The vectors: each is what it says, by relation, rows and matrices; the shipped files are those that the code makes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use commitment::opening::Answer;
use proptest::prelude::*;

use crate::Opening;
use crate::opening::vector::{Body, SHIPPED, Vectors, made};
use crate::opening::{Heading, Refusal, assign, check, shape, shape_without};
use crate::vector::{Fault, MAX_VECTOR_LEN_BYTES, VectorError, broken_headings};

static MADE: LazyLock<Vectors> = LazyLock::new(made);

fn count(is: impl Fn(&Body) -> bool) -> usize {
    MADE.all().iter().filter(|v| is(&v.body)).count()
}

#[test]
fn there_are_vectors_of_every_kind_heading_and_answer() {
    assert!(count(|b| matches!(b, Body::Accept { .. })) >= 20);
    assert!(count(|b| matches!(b, Body::Reject { .. })) >= 45);
    assert!(count(|b| matches!(b, Body::Wires { .. })) >= 12);
    assert!(count(|b| matches!(b, Body::Shown { .. })) >= 10);
    for heading in Heading::ALL {
        let rejects = count(|b| matches!(b, Body::Reject { heading: h, .. } if *h == heading));
        let wires = count(|b| matches!(b, Body::Wires { heading: h, .. } if *h == heading));
        // No witness says what is sought and answered: only wires can spell it otherwise.
        assert_eq!(
            rejects > 0,
            heading != Heading::SoughtAndAnswer,
            "{heading}"
        );
        assert_eq!(wires > 0, heading != Heading::Subject, "{heading}");
    }
    for answer in Answer::ALL {
        let of =
            |b: &Body| matches!(b, Body::Accept { public, .. } if public.said.answer() == answer);
        assert!(count(of) > 0, "{answer:?}");
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
            let broken = shape().first_broken(&assignment.values);
            assert_eq!(broken, None, "{}", vector.name);
        }
    }
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
            let broken = broken_headings::<Opening>(&assignment.values);
            assignment.broken == [*heading] && broken == [*heading]
        };
        if relation != Err(Refusal(*heading)) || !by_rows {
            let (name, broken) = (&vector.name, &assignment.broken);
            wrong.push(format!("{name}: {heading:?} {relation:?} {broken:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_wire_vector_breaks_rows_of_its_heading_alone() {
    let mut wrong = Vec::new();
    for vector in MADE.all() {
        if let Body::Wires { heading, wires, .. } = &vector.body {
            let broken = broken_headings::<Opening>(&MADE.values(vector).expect("on a base"));
            if broken != [*heading] {
                let (name, count) = (&vector.name, wires.len());
                wrong.push(format!("{name}: {heading:?} {broken:?} {count}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn without_the_rows_of_a_heading_its_attempts_get_through() {
    for heading in Heading::ALL {
        let shape = shape_without(heading);
        for vector in MADE.all() {
            let values = match &vector.body {
                // What no prover can state is refused by its form, not by rows.
                Body::Reject {
                    heading: h,
                    public,
                    witness,
                    ..
                } if *h == heading && witness.malformed().is_none() => {
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
        "write them anew with `auditor vectors --circuit opening --write circuits/vectors/opening`, and list them"
    );
    for made in &made {
        assert!(
            file(&made.path) == made.text,
            "{} is out of date: write it anew",
            made.path
        );
    }
    assert!(made.iter().all(|f| f.text.len() < MAX_VECTOR_LEN_BYTES / 4));
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let read = Vectors::shipped().unwrap();
    assert!(read.write() == MADE.write());
    assert_eq!(read.all().len(), MADE.all().len());
    for (a, b) in read.all().iter().zip(MADE.all()) {
        assert!(format!("{a:?}") == format!("{b:?}"), "{}", b.name);
    }
}

/// What is wrong with an accept vector in which something is written otherwise.
fn fault(from: &str, to: &str) -> Fault {
    let text = file("accept/fact-ended.json");
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let read = Vectors::read([("fact-ended.json", text.as_bytes())]);
    let VectorError { fault, .. } = read.map(|_| ()).expect_err("refused");
    fault
}

#[test]
fn damaged_files_are_refused_by_name() {
    assert!(matches!(fault("\"salt\"", "\"salts\""), Fault::Json(_)));
    assert!(matches!(
        fault("opening-vector", "clearance-vector"),
        Fault::Format { .. }
    ));
    assert!(matches!(
        fault("\"answer\": \"ended\"", "\"answer\": \"stood\""),
        Fault::Json(_)
    ));
    assert!(matches!(
        fault("\"subject\": \"330102", "\"subject\": \"330103"),
        Fault::Subject(_)
    ));
    assert!(matches!(
        fault("\"end_not_before\": 27", "\"end_not_before\": 17"),
        Fault::Bound
    ));
    let fact = fault(
        "\"fact\": {",
        "\"negative_test\": {\"sampled_at\": 0}, \"x\": {",
    );
    assert!(matches!(fact, Fault::Json(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_reader_relation_or_rows_panic(
        which: prop::sample::Index,
        at: prop::sample::Index,
        byte in any::<u8>(),
    ) {
        let accepted: Vec<_> = SHIPPED.iter().filter(|(p, _)| p.starts_with("accept/")).collect();
        let (path, text) = accepted[which.index(accepted.len())];
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Vectors::read([(*path, &bytes[..])]) {
            for vector in read.all() {
                if let Body::Accept { public, witness } = &vector.body {
                    let by_relation = check(public, witness).is_ok();
                    prop_assert_eq!(by_relation, assign(public, witness).broken.is_empty());
                }
            }
        }
    }
}
