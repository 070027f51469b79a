//! Searches that know no statement, on the whole of it: structure, uniqueness, changed wires, rows left out.

use std::sync::LazyLock;

use crate::Opening;
use crate::opening::CHOICES;
use crate::opening::vector::made;
use crate::vector::searches::Searched;

static SEARCHED: LazyLock<Searched<Opening>> = LazyLock::new(|| Searched::new(&CHOICES, made()));

#[test]
fn no_wire_and_no_row_does_nothing() {
    SEARCHED.no_wire_and_no_row_does_nothing();
}

#[test]
fn every_wire_follows_from_the_public_inputs_and_from_what_is_chosen() {
    SEARCHED.every_wire_follows_from_what_is_chosen((9 * 3 + 5, 1));
}

#[test]
fn every_row_left_out_is_missed_by_uniqueness_or_by_an_attempt() {
    SEARCHED.every_row_left_out_is_missed();
}

#[test]
fn some_attempts_break_a_single_row() {
    SEARCHED.these_attempts_break_a_single_row(&[
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
    ]);
}

#[test]
fn a_changed_wire_breaks_a_row_unless_nothing_hangs_on_it() {
    let free: [(&str, &[&str]); 5] = [
        // The position may be any where absence is answered.
        ("fact-absent", &["Entry/position/bit[]"]),
        ("fact-stands", &["Absence/inverse"]),
        ("fact-covered", &[]),
        ("stay-ended", &["Absence/inverse"]),
        ("full-last-test", &["Absence/inverse"]),
    ];
    SEARCHED.a_changed_wire_breaks_a_row(&free, 200_000);
}

#[test]
fn wires_changed_in_pairs_or_exchanged_with_brothers_break_a_row() {
    let scopes = [("entry", 24), ("negative", 8), ("level", 9), ("child", 8)];
    SEARCHED.changed_pairs_break_a_row(&["fact-stands", "full-absent"], &scopes);
}
