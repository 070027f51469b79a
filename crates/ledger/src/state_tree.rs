//! A province's records as an 8-ary Poseidon tree, sparse in memory, kept by groups of eight siblings.

use std::collections::HashMap;

use ark_ff::AdditiveGroup;
use commitment::{Fr, MerklePath, STATE_DEPTH, Tree, empty_subtree, node_hash};
use rayon::prelude::*;

/// Leaves that a state tree can hold: 8⁹.
pub const STATE_LEAVES: u32 = 1 << (3 * STATE_DEPTH);

/// The place of a leaf, below [`STATE_LEAVES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u32);

impl LeafIndex {
    /// The leaf with this number, if there is one.
    pub const fn new(number: u32) -> Option<Self> {
        if number < STATE_LEAVES {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The eight children of one inner node.
type Group = [Fr; 8];

/// The tree. Equal leaves give equal trees, whatever the order and batches in which they were put in.
///
/// A change costs nine hashes; a batch hashes every touched node once, on all cores. Memory is about 290 bytes per
/// group of eight that is not empty, on every level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTree {
    /// At each level, leaves first, the groups that are not empty, by the number of the node above them.
    levels: [HashMap<u32, Box<Group>>; STATE_DEPTH],
    root: Fr,
    leaf_count: u32,
}

impl Default for StateTree {
    fn default() -> Self {
        Self::new()
    }
}

impl StateTree {
    /// A tree whose leaves are all empty (zero).
    pub fn new() -> Self {
        Self {
            levels: std::array::from_fn(|_| HashMap::new()),
            root: empty_subtree(Tree::State, STATE_DEPTH),
            leaf_count: 0,
        }
    }

    /// A tree of these leaves; of two for one place the later counts.
    pub fn build(leaves: &[(LeafIndex, Fr)]) -> Self {
        let mut tree = Self::new();
        tree.update(leaves);
        tree
    }

    /// The root.
    pub const fn root(&self) -> Fr {
        self.root
    }

    /// Leaves that are not empty.
    pub const fn leaf_count(&self) -> u32 {
        self.leaf_count
    }

    /// A leaf; zero where there is none.
    pub fn leaf(&self, index: LeafIndex) -> Fr {
        self.group(0, index.0 / 8)[(index.0 % 8) as usize]
    }

    /// The last place with a leaf; none in an empty tree.
    pub fn last(&self) -> Option<LeafIndex> {
        let above = *self.levels[0].keys().max()?;
        let within = self.group(0, above);
        let last = (0..8).rfind(|i| within[*i as usize] != Fr::ZERO)?;
        LeafIndex::new(above * 8 + last)
    }

    /// Puts leaves in; zero empties a place, and of two for one place the later counts.
    pub fn update(&mut self, leaves: &[(LeafIndex, Fr)]) {
        let mut touched = Vec::with_capacity(leaves.len());
        for (index, leaf) in leaves {
            let before = self.put(0, index.0, *leaf);
            self.leaf_count += u32::from(*leaf != Fr::ZERO);
            self.leaf_count -= u32::from(before != Fr::ZERO);
            touched.push(index.0 / 8);
        }
        for level in 0..STATE_DEPTH {
            touched.sort_unstable();
            touched.dedup();
            let hashes = self.hash_groups(level, &touched);
            if level + 1 == STATE_DEPTH {
                if let Some(root) = hashes.first() {
                    self.root = *root;
                }
                break;
            }
            for (node, hash) in touched.iter_mut().zip(hashes) {
                self.put(level + 1, *node, hash);
                *node /= 8;
            }
        }
    }

    /// The way from a leaf, empty or not, to the root.
    pub fn path(&self, index: LeafIndex) -> MerklePath {
        let mut node = index.0;
        let levels = (0..STATE_DEPTH)
            .map(|level| {
                node /= 8;
                self.group(level, node)
            })
            .collect();
        MerklePath {
            index: index.0,
            levels,
        }
    }

    fn group(&self, level: usize, above: u32) -> Group {
        self.levels[level]
            .get(&above)
            .map_or_else(|| [empty_subtree(Tree::State, level); 8], |group| **group)
    }

    /// Puts a node in its group and gives back what was there.
    fn put(&mut self, level: usize, node: u32, value: Fr) -> Fr {
        let empty = empty_subtree(Tree::State, level);
        let group = self.levels[level]
            .entry(node / 8)
            .or_insert_with(|| Box::new([empty; 8]));
        std::mem::replace(&mut group[(node % 8) as usize], value)
    }

    /// The hashes of these groups; groups that have become empty are dropped.
    fn hash_groups(&mut self, level: usize, nodes: &[u32]) -> Vec<Fr> {
        let groups = &self.levels[level];
        let empty = [empty_subtree(Tree::State, level); 8];
        let hash_of = |node: &u32| match groups.get(node) {
            Some(group) if **group != empty => (node_hash(Tree::State, group), false),
            _ => (empty_subtree(Tree::State, level + 1), true),
        };
        let hashed: Vec<(Fr, bool)> = nodes.par_iter().map(hash_of).collect();
        for (node, (_, is_empty)) in nodes.iter().zip(&hashed) {
            if *is_empty {
                self.levels[level].remove(node);
            }
        }
        hashed.into_iter().map(|(hash, _)| hash).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The root by definition: recursion over all leaves, sharing no code with the tree.
    fn root_of(leaves: &std::collections::BTreeMap<u32, Fr>, height: usize, first: u32) -> Fr {
        let width = 1u32 << (3 * height);
        if leaves.range(first..first + width).next().is_none() {
            return empty_subtree(Tree::State, height);
        }
        if height == 0 {
            return leaves[&first];
        }
        let mut children = [Fr::ZERO; 8];
        for (i, child) in (0u32..).zip(&mut children) {
            *child = root_of(leaves, height - 1, first + i * (width / 8));
        }
        node_hash(Tree::State, &children)
    }

    fn at(index: u32) -> LeafIndex {
        LeafIndex::new(index % STATE_LEAVES).unwrap()
    }

    /// Places near each other and at the far end, some of them emptied again.
    fn changes() -> impl Strategy<Value = Vec<(LeafIndex, Fr)>> {
        let place = prop_oneof![0u32..40, 500u32..600, (STATE_LEAVES - 20)..STATE_LEAVES];
        prop::collection::vec((place, 0u64..4), 0..24)
            .prop_map(|list| list.iter().map(|(i, v)| (at(*i), Fr::from(*v))).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn one_by_one_in_one_batch_and_by_definition_the_root_is_the_same(
            changes in changes(),
            cut in 0usize..24,
        ) {
            let mut one_by_one = StateTree::new();
            for change in &changes {
                one_by_one.update(std::slice::from_ref(change));
            }
            let mut in_two = StateTree::build(&changes[..cut.min(changes.len())]);
            in_two.update(&changes[cut.min(changes.len())..]);
            prop_assert_eq!(&one_by_one, &in_two);
            let mut leaves: std::collections::BTreeMap<u32, Fr> =
                changes.iter().map(|(i, v)| (i.get(), *v)).collect();
            leaves.retain(|_, v| *v != Fr::ZERO);
            prop_assert_eq!(one_by_one.root(), root_of(&leaves, STATE_DEPTH, 0));
            prop_assert_eq!(one_by_one.leaf_count() as usize, leaves.len());
            prop_assert_eq!(one_by_one.last().map(LeafIndex::get), leaves.keys().next_back().copied());
        }

        #[test]
        fn every_path_leads_to_the_root_and_a_path_of_another_place_does_not(
            changes in changes(),
            place in 0u32..600,
        ) {
            let tree = StateTree::build(&changes);
            let path = tree.path(at(place));
            prop_assert_eq!(path.root(Tree::State, tree.leaf(at(place))), Some(tree.root()));
            prop_assert_eq!(path.root(Tree::State, Fr::from(99u64)), None);
        }
    }

    #[test]
    fn each_leaf_is_read_back_from_its_place_and_nowhere_else() {
        let places = [0, 1, 7, 8, 9, 64, 600, STATE_LEAVES - 1];
        let leaves = places.map(|place| (at(place), Fr::from(u64::from(place) + 1)));
        let tree = StateTree::build(&leaves);
        for (index, leaf) in leaves {
            assert_eq!(tree.leaf(index), leaf);
        }
        for place in [2, 6, 10, 63, 65, 599, STATE_LEAVES - 2] {
            assert_eq!(tree.leaf(at(place)), Fr::ZERO);
        }
    }

    #[test]
    fn an_emptied_tree_equals_a_new_one() {
        let mut tree =
            StateTree::build(&[(at(5), Fr::from(7)), (at(STATE_LEAVES - 1), Fr::from(8))]);
        assert_ne!(tree, StateTree::new());
        tree.update(&[(at(5), Fr::ZERO), (at(STATE_LEAVES - 1), Fr::ZERO)]);
        assert_eq!(tree, StateTree::new());
    }

    #[test]
    fn a_leaf_beyond_the_last_does_not_exist() {
        assert_eq!(LeafIndex::new(STATE_LEAVES), None);
        assert_eq!(STATE_LEAVES, 134_217_728);
    }
}
