//! The files under `circuits/vectors/opening/`, inside the program. A test compares this list with what the source makes.

use super::Vectors;
use crate::vector::VectorError;

macro_rules! files {
    ($($path:literal)*) => {
        &[$((
            concat!($path, ".json"),
            include_str!(concat!("../../../vectors/opening/", $path, ".json")),
        )),*]
    };
}

/// The shipped files: folder and name, and what stands in it.
#[rustfmt::skip] // one file a line
pub const SHIPPED: &[(&str, &str)] = files! {
    "accept/empty-record-first-leaf"
    "accept/empty-record-last-leaf"
    "accept/fact-absent"
    "accept/fact-covered"
    "accept/fact-covered-and-ended"
    "accept/fact-ended"
    "accept/fact-ended-at-the-bound"
    "accept/fact-of-another-province-absent"
    "accept/fact-stands"
    "accept/full-absent"
    "accept/full-last-narrow-position"
    "accept/full-last-test"
    "accept/full-last-wide-position"
    "accept/stay-absent"
    "accept/stay-covered"
    "accept/stay-covered-and-ended"
    "accept/stay-ended"
    "accept/stay-stands"
    "accept/test-absent"
    "accept/test-stands"
    "accept/twenty-four-of-one-kind"
    "reject/absent-entry-in-the-first-position"
    "reject/absent-entry-in-the-last-position"
    "reject/absent-fact-that-ended"
    "reject/absent-fact-that-stands"
    "reject/absent-stay-that-stands"
    "reject/absent-test-that-stands"
    "reject/entry-a-minute-earlier"
    "reject/entry-a-minute-later"
    "reject/entry-at-another-position"
    "reject/entry-covered-and-ended-by-one-that-stands"
    "reject/entry-covered-by-a-later-stay"
    "reject/entry-covered-by-an-earlier-fact"
    "reject/entry-covered-by-an-empty-one"
    "reject/entry-covered-by-one-that-ended"
    "reject/entry-covered-fact-ended-too-early"
    "reject/entry-covered-stay-begun-too-late"
    "reject/entry-covered-stay-ended-too-early"
    "reject/entry-ended-a-minute-before-the-bound"
    "reject/entry-ended-and-another-begin"
    "reject/entry-ended-said-to-stand"
    "reject/entry-fact-for-a-test"
    "reject/entry-of-another-kind"
    "reject/entry-of-another-province"
    "reject/entry-standing-said-to-have-ended"
    "reject/entry-stay-of-another-place"
    "reject/entry-test-for-a-fact"
    "reject/entry-test-that-is-empty"
    "reject/entry-that-is-empty"
    "reject/form-kind-runs-into-the-next-field"
    "reject/form-place-too-wide"
    "reject/form-position-beyond-the-record"
    "reject/form-position-beyond-the-tree"
    "reject/form-province-runs-into-the-next-entry"
    "reject/form-state-way-shortened"
    "reject/form-stay-among-facts"
    "reject/form-test-runs-into-its-guard"
    "reject/form-time-runs-into-its-guard"
    "reject/record-another-blinding"
    "reject/record-another-leaf"
    "reject/record-end-added"
    "reject/record-end-taken-away"
    "reject/record-entry-added"
    "reject/record-entry-dated-back"
    "reject/record-entry-left-out"
    "reject/record-entry-turned-into-a-stay"
    "reject/record-runs-changed"
    "reject/record-test-added"
    "reject/state-another-position"
    "reject/state-another-root"
    "reject/state-leaf-not-in-the-tree"
    "reject/state-sibling-changed"
    "reject/subject-another-salt"
    "reject/subject-of-another-record"
    "shown/shown-absent-as-standing"
    "shown/shown-as-ended"
    "shown/shown-as-standing"
    "shown/shown-for-another-fact"
    "shown/shown-for-another-person"
    "shown/shown-in-another-epoch"
    "shown/shown-of-another-leaf"
    "shown/shown-stands-as-covered"
    "shown/shown-with-a-later-bound"
    "shown/shown-with-roots-exchanged"
    "wires/wire-absence-spelt-otherwise"
    "wires/wire-absence-that-is-not-asked-for"
    "wires/wire-bit-of-two"
    "wires/wire-bound-spelt-otherwise"
    "wires/wire-condition-put-off-to-another"
    "wires/wire-end-bit-of-two"
    "wires/wire-end-borrowed-from-the-kind"
    "wires/wire-leaf-at-another-position"
    "wires/wire-minute-bit-of-two"
    "wires/wire-position-between-siblings"
    "wires/wire-position-beyond-two"
    "wires/wire-sought-spelt-otherwise"
    "wires/wire-tests-borrowed-from-a-neighbour"
    "wires/wire-times-borrowed-from-a-neighbour"
};

impl Vectors {
    /// The vectors that the project ships, as they stand in its files.
    ///
    /// # Errors
    /// [`VectorError`] if a file was damaged before this program was built.
    pub fn shipped() -> Result<Self, VectorError> {
        Self::read(SHIPPED.iter().map(|(path, text)| (*path, text.as_bytes())))
    }
}
