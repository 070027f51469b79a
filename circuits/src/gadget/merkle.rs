//! 8-ary paths in rows; the native twin is [`commitment::MerklePath`].

use std::fmt::Display;

use ark_bn254::Fr;
use commitment::{MerklePath, Tree};

use crate::gadget::{bits, mux, poseidon};
use crate::rows::{Rows, Wire};

/// The root that `path` leads to from `leaf`, and the position's bits, lowest first.
///
/// At each level the eight children are free, and the one at the position's three bits must be the node below.
/// Eleven rows and one hash a level.
pub fn root<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    tree: Tree,
    leaf: &Wire,
    path: &MerklePath,
) -> (Wire, Vec<Wire>) {
    let mut node = leaf.clone();
    let mut position = Vec::with_capacity(3 * path.levels.len());
    let mut index = path.index;
    for (number, level) in path.levels.iter().enumerate() {
        rows.within(("level", number), |rows| {
            let digit = bits::free_bits(rows, "position", Fr::from(index % 8), 3);
            let children = level.iter().enumerate();
            let children: Vec<Wire> = children
                .map(|(i, child)| rows.witness(("child", i), *child))
                .collect();
            let own = mux::select(rows, "own", &digit, &children);
            rows.equal("own", &own, &node);
            node = poseidon::hash(rows, "hash", tree.domain(), &children);
            position.extend(digit);
        });
        index /= 8;
    }
    (node, position)
}
