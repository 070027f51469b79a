//! 8-ary paths in rows; the native twin is [`commitment::MerklePath`].

use ark_bn254::Fr;
use commitment::{MerklePath, Tree};

use crate::gadget::{bits, mux, poseidon};
use crate::rows::{Rows, Wire};

/// The root that `path` leads to from `leaf`, and the position's bits, lowest first.
///
/// At each level the eight children are free, and the one at the position's three bits must be the node below.
/// Eleven rows and one hash a level.
pub fn root<H: Copy + PartialEq>(
    rows: &mut Rows<H>,
    tree: Tree,
    leaf: &Wire,
    path: &MerklePath,
) -> (Wire, Vec<Wire>) {
    let mut node = leaf.clone();
    let mut position = Vec::with_capacity(3 * path.levels.len());
    let mut index = path.index;
    for level in &path.levels {
        let digit = bits::free_bits(rows, Fr::from(index % 8), 3);
        index /= 8;
        let children: Vec<Wire> = level.iter().map(|child| rows.witness(*child)).collect();
        let own = mux::select(rows, &digit, &children);
        rows.equal(&own, &node);
        node = poseidon::hash(rows, tree.domain(), &children);
        position.extend(digit);
    }
    (node, position)
}
