//! 8-ary Poseidon trees: node hashes, empty subtrees, and paths.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rules::Minute;

use crate::poseidon::{Domain, hash3, hash8};

/// Levels of a province's state tree: 8⁹ = 134,217,728 leaves.
pub const STATE_DEPTH: usize = 9;
/// Levels of the registry.
pub const REGISTRY_DEPTH: usize = 2;
/// Slots of the registry, one fixed per province (a very large province takes two).
pub const REGISTRY_SLOTS: usize = 64;

/// Which tree a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tree {
    /// A province's records.
    State,
    /// The federation's tree heads of an epoch.
    Registry,
    /// The risk map, above its pairs.
    Risk,
}

impl Tree {
    /// The domain of the tree's inner nodes.
    pub const fn domain(self) -> Domain {
        match self {
            Self::State => Domain::StateNode,
            Self::Registry => Domain::RegistryNode,
            Self::Risk => Domain::RiskNode,
        }
    }
}

/// The hash of an inner node.
pub fn node_hash(tree: Tree, children: &[Fr; 8]) -> Fr {
    hash8(tree.domain(), children)
}

/// The root of a subtree of `height` levels all of whose leaves are empty (zero), for state and registry.
///
/// # Panics
/// Above [`STATE_DEPTH`] levels, or for the risk tree, whose empty places are padded pairs instead.
pub fn empty_subtree(tree: Tree, height: usize) -> Fr {
    static STATE: LazyLock<[Fr; STATE_DEPTH + 1]> = LazyLock::new(|| ladder(Tree::State, Fr::ZERO));
    static REGISTRY: LazyLock<[Fr; REGISTRY_DEPTH + 1]> =
        LazyLock::new(|| ladder(Tree::Registry, Fr::ZERO));
    match tree {
        Tree::State => STATE[height],
        Tree::Registry => REGISTRY[height],
        Tree::Risk => panic!("the risk tree has no empty leaves"),
    }
}

/// The roots of uniform subtrees of height 0, 1, …, all of whose leaves are `leaf`.
pub(crate) fn ladder<const N: usize>(tree: Tree, leaf: Fr) -> [Fr; N] {
    let mut now = leaf;
    std::array::from_fn(|height| {
        if height > 0 {
            now = node_hash(tree, &[now; 8]);
        }
        now
    })
}

/// A province's leaf in the registry: its slot, the time of its tree head, and its state root.
pub fn registry_leaf(slot: u8, head_time: Minute, state_root: Fr) -> Fr {
    hash3(
        Domain::RegistryLeaf,
        &[Fr::from(slot), Fr::from(head_time.get()), state_root],
    )
}

/// The way from a leaf to the root: at each level all eight children of the node above, leaves first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerklePath {
    /// Position of the leaf; its base-8 digits, lowest first, are the positions on the way up.
    pub index: u32,
    /// The children at each level, the own node among them.
    pub levels: Vec<[Fr; 8]>,
}

impl MerklePath {
    /// Whether this is a path in a tree of so many levels: it has as many, and its position is one there.
    pub fn fits(&self, levels: usize) -> bool {
        self.levels.len() == levels && u64::from(self.index) >> (3 * levels) == 0
    }

    /// The root that this path leads to from `leaf`, if each level holds the node below at its place.
    pub fn root(&self, tree: Tree, leaf: Fr) -> Option<Fr> {
        let mut node = leaf;
        let mut index = self.index;
        for children in &self.levels {
            if children[(index % 8) as usize] != node {
                return None;
            }
            node = node_hash(tree, children);
            index /= 8;
        }
        (index == 0).then_some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_root_only_from_its_own_leaf_and_place() {
        let leaf = Fr::from(7);
        let mut children = [Fr::ZERO; 8];
        children[3] = leaf;
        let mid = node_hash(Tree::Registry, &children);
        let mut upper = [empty_subtree(Tree::Registry, 1); 8];
        upper[2] = mid;
        let path = MerklePath {
            index: 2 * 8 + 3,
            levels: vec![children, upper],
        };
        assert_eq!(
            path.root(Tree::Registry, leaf),
            Some(node_hash(Tree::Registry, &upper))
        );
        assert_eq!(path.root(Tree::Registry, Fr::from(8)), None);
        assert!(path.fits(2) && !path.fits(1) && !path.fits(3));
        let beyond = MerklePath {
            index: 64,
            ..path.clone()
        };
        assert!(!beyond.fits(2));
        assert_eq!(
            MerklePath {
                index: 2 * 8 + 4,
                ..path.clone()
            }
            .root(Tree::Registry, leaf),
            None
        );
        assert_eq!(
            MerklePath {
                index: 64 + 19,
                ..path
            }
            .root(Tree::Registry, leaf),
            None
        );
    }
}
