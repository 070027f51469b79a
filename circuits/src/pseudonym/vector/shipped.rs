//! The files under `circuits/vectors/pseudonym/`, inside the program. A test compares this list with what the source makes.

use super::Vectors;
use crate::vector::VectorError;

macro_rules! files {
    ($($path:literal)*) => {
        &[$((
            concat!($path, ".json"),
            include_str!(concat!("../../../vectors/pseudonym/", $path, ".json")),
        )),*]
    };
}

/// The shipped files: folder and name, and what stands in it.
#[rustfmt::skip] // one file a line
pub const SHIPPED: &[(&str, &str)] = files! {
    "accept/after-coming-back"
    "accept/at-a-hospital"
    "accept/at-a-hospital-a-month-later"
    "accept/at-a-pharmacy"
    "accept/empty-record-first-places"
    "accept/full-record-last-places"
    "accept/in-the-last-period"
    "accept/of-somebody-else"
    "accept/registry-of-made-up-leaves"
    "reject/form-position-beyond-the-tree"
    "reject/form-registry-way-shortened"
    "reject/form-slot-beyond-the-registry"
    "reject/form-state-way-shortened"
    "reject/head-a-minute-after-the-close"
    "reject/head-from-the-end-of-time"
    "reject/pseudonym-of-another-period"
    "reject/pseudonym-of-another-scope"
    "reject/pseudonym-of-somebody-else"
    "reject/pseudonym-that-is-the-identity"
    "reject/pseudonym-that-is-zero"
    "reject/pseudonym-under-another-domain"
    "reject/record-an-empty-place"
    "reject/record-an-identity-of-ones-own"
    "reject/record-an-inner-node"
    "reject/record-another-blinding"
    "reject/record-another-record"
    "reject/record-elements-exchanged"
    "reject/record-somebody-elses-identity"
    "reject/registry-another-root"
    "reject/registry-another-slot"
    "reject/registry-earlier-head"
    "reject/registry-head-never-registered"
    "reject/registry-sibling-changed"
    "reject/state-another-position"
    "reject/state-leaf-not-in-the-tree"
    "reject/state-of-another-province"
    "reject/state-sibling-changed"
    "shown/shown-a-minute-later"
    "shown/shown-at-another-scope"
    "shown/shown-at-another-scope-with-its-pseudonym"
    "shown/shown-in-another-epoch"
    "shown/shown-in-another-period"
    "shown/shown-under-somebody-elses-pseudonym"
    "shown/shown-with-scope-and-pseudonym-exchanged"
    "shown/shown-with-somebody-elses-pass"
    "wires/wire-binder-unused"
    "wires/wire-element-changed"
    "wires/wire-hash-that-is-none"
    "wires/wire-head-time-bit-of-two"
    "wires/wire-leaf-at-another-position"
    "wires/wire-position-between-siblings"
    "wires/wire-pseudonym-balanced"
    "wires/wire-pseudonym-of-no-identity"
    "wires/wire-registry-head-never-registered"
    "wires/wire-registry-head-of-another-slot"
    "wires/wire-registry-position-beyond-two"
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
