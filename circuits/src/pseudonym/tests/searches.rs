//! Searches that know no statement, on the whole of it: structure, uniqueness, changed wires, rows left out.

use std::sync::LazyLock;

use crate::Pseudonym;
use crate::pseudonym::CHOICES;
use crate::pseudonym::vector::made;
use crate::vector::searches::Searched;

static SEARCHED: LazyLock<Searched<Pseudonym>> = LazyLock::new(|| Searched::new(&CHOICES, made()));

#[test]
fn no_wire_and_no_row_does_nothing() {
    SEARCHED.no_wire_and_no_row_does_nothing();
}

#[test]
fn every_wire_follows_from_the_public_inputs_and_from_what_is_chosen() {
    SEARCHED.every_wire_follows_from_what_is_chosen((2 * 3 + 9 * 3, 0));
}

#[test]
fn every_row_left_out_is_missed_by_uniqueness_or_by_an_attempt() {
    SEARCHED.every_row_left_out_is_missed();
}

#[test]
fn some_attempts_break_a_single_row() {
    SEARCHED.these_attempts_break_a_single_row(&[
        (
            "wire-registry-position-beyond-two",
            "Registry membership/level[0]/position/bit[0]",
        ),
        (
            "wire-registry-head-of-another-slot",
            "Registry membership/slot",
        ),
        (
            "wire-registry-head-never-registered",
            "Registry membership/level[0]/own/split[4]",
        ),
        ("registry-earlier-head", "Registry membership/level[0]/own"),
        ("registry-another-root", "Registry membership/root"),
        (
            "wire-position-between-siblings",
            "State membership/level[0]/position/bit[0]",
        ),
        (
            "wire-leaf-at-another-position",
            "State membership/level[0]/own/split[4]",
        ),
        (
            "state-leaf-not-in-the-tree",
            "State membership/level[0]/own",
        ),
        ("state-of-another-province", "State membership/root"),
        ("record-an-identity-of-ones-own", "Record opening/leaf"),
        ("pseudonym-of-another-scope", "Pseudonym/pseudonym"),
        ("wire-binder-unused", "Binder/square"),
    ]);
}

#[test]
fn a_changed_wire_breaks_a_row() {
    let free: [(&str, &[&str]); 3] = [
        ("at-a-hospital", &[]),
        ("empty-record-first-places", &[]),
        ("full-record-last-places", &[]),
    ];
    SEARCHED.a_changed_wire_breaks_a_row(&free, 100_000);
}

#[test]
fn wires_changed_in_pairs_or_exchanged_with_brothers_break_a_row() {
    let scopes = [("element", 12), ("level", 2), ("child", 8)];
    let names = ["at-a-hospital", "full-record-last-places"];
    SEARCHED.changed_pairs_break_a_row(&names, &scopes);
}
