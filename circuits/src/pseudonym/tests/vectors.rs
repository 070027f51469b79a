//! The vectors: each is what it says, by relation, rows and matrices; the shipped files are those that the code makes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use crate::Pseudonym;
use crate::pseudonym::vector::{Body, SHIPPED, Vectors, made};
use crate::pseudonym::{Heading, shape_without};
use crate::vector::{Fault, trials};

static MADE: LazyLock<Vectors> = LazyLock::new(made);

#[test]
fn there_are_vectors_of_every_kind_and_heading() {
    let count = |is: fn(&Body) -> bool| trials::count(&MADE, is);
    assert!(count(|b| matches!(b, Body::Accept { .. })) >= 9);
    assert!(count(|b| matches!(b, Body::Shown { .. })) >= 8);
    for heading in Heading::ALL {
        let [rejects, wires] = trials::attempts_under(&MADE, heading);
        // The binder has no relation to the witness: another one is another statement, which shown vectors try.
        assert_eq!(rejects > 0, heading != Heading::Binder, "{heading}");
        assert!(wires > 0, "{heading}");
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
    trials::fault::<Pseudonym>(SHIPPED, "accept/at-a-hospital.json", (from, to))
}

#[test]
fn damaged_files_are_refused_by_name() {
    assert!(matches!(fault("\"scope\"", "\"scopes\""), Fault::Json(_)));
    assert!(matches!(
        fault("pseudonym-vector", "opening-vector"),
        Fault::Format { .. }
    ));
    assert!(matches!(
        fault("\"period\": 0", "\"period\": -1"),
        Fault::Json(_)
    ));
    assert!(matches!(
        fault("\"pseudonym\": \"", "\"pseudonym\": \"f"),
        Fault::Element(_)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_reader_relation_or_rows_panic(
        which: prop::sample::Index,
        at: prop::sample::Index,
        byte in any::<u8>(),
    ) {
        trials::damaged::<Pseudonym>(SHIPPED, (&which, &at), byte);
    }
}
