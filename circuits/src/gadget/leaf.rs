//! A record's leaf and a province's in rows; the native twins are [`commitment::record::packed_leaf`] and
//! [`commitment::registry_leaf`].

use std::fmt::Display;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use commitment::poseidon::Domain;
use commitment::{Blinding, IdentityCommitment, MerklePath, Tree};

use crate::gadget::{merkle, poseidon};
use crate::rows::{Rows, Wire};

/// The leaf of a record with these twelve packed elements, and the identity in it. Identity and blinding are free.
pub fn record<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    elements: &[Wire],
    identity: IdentityCommitment,
    blinding: Blinding,
) -> (Wire, Wire) {
    let identity = rows.witness("identity", identity.element());
    let blinding = rows.witness("blinding", blinding.0);
    let first = poseidon::hash(rows, "first hash", Domain::RecordFirst, &elements[..8]);
    let mut rest = vec![first];
    rest.extend_from_slice(&elements[8..]);
    rest.extend([identity.clone(), blinding, Wire::constant(Fr::ZERO)]);
    let leaf = poseidon::hash(rows, "second hash", Domain::RecordRest, &rest);
    (leaf, identity)
}

/// The time and the state root of a tree head that stands in the registry with `registry_root`, in the slot of its
/// position. Both are free but for that.
pub fn registered<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    (head_time, state_root): (u32, Fr),
    path: &MerklePath,
    registry_root: &Wire,
) -> (Wire, Wire) {
    let head_time = rows.witness_u64("head time", u64::from(head_time));
    let state_root = rows.witness("state root", state_root);
    let slot = rows.witness_u64("slot", u64::from(path.index));
    let leaf = [slot.clone(), head_time.clone(), state_root.clone()];
    let leaf = poseidon::hash(rows, "leaf", Domain::RegistryLeaf, &leaf);
    let (root, position) = merkle::root(rows, Tree::Registry, &leaf, path);
    rows.equal("slot", &slot, &Wire::from_bits(&position));
    rows.equal("root", &root, registry_root);
    (head_time, state_root)
}
