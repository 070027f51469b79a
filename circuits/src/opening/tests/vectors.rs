//! The vectors: each is what it says, by relation, rows and matrices; the shipped files are those that the code makes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use commitment::opening::Answer;
use proptest::prelude::*;

use crate::Opening;
use crate::opening::vector::{Body, SHIPPED, Vectors, made};
use crate::opening::{Heading, shape_without};
use crate::vector::{Fault, trials};

static MADE: LazyLock<Vectors> = LazyLock::new(made);

fn count(is: impl Fn(&Body) -> bool) -> usize {
    trials::count(&MADE, is)
}

#[test]
fn there_are_vectors_of_every_kind_heading_and_answer() {
    assert!(count(|b| matches!(b, Body::Accept { .. })) >= 20);
    assert!(count(|b| matches!(b, Body::Reject { .. })) >= 45);
    assert!(count(|b| matches!(b, Body::Wires { .. })) >= 12);
    assert!(count(|b| matches!(b, Body::Shown { .. })) >= 10);
    for heading in Heading::ALL {
        let [rejects, wires] = trials::attempts_under(&MADE, heading);
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
    trials::accepted_ones_are_fulfilled(&MADE);
}

#[test]
fn every_reject_vector_is_refused_under_its_heading_alone() {
    trials::rejected_ones_are_refused_under_their_heading_alone(&MADE);
}

#[test]
fn every_wire_vector_breaks_rows_of_its_heading_alone() {
    trials::set_wires_break_rows_of_their_heading_alone(&MADE);
}

#[test]
fn without_the_rows_of_a_heading_its_attempts_get_through() {
    trials::without_a_headings_rows_its_attempts_get_through(&MADE, shape_without);
}

#[test]
fn the_shipped_files_are_those_that_the_code_makes() {
    trials::shipped_files_are_those_made(&MADE, SHIPPED);
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    trials::what_is_written_reads_back(&MADE, SHIPPED);
}

/// What is wrong with an accept vector in which something is written otherwise.
fn fault(from: &str, to: &str) -> Fault {
    trials::fault::<Opening>(SHIPPED, "accept/fact-ended.json", (from, to))
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
        trials::damaged::<Opening>(SHIPPED, (&which, &at), byte);
    }
}
