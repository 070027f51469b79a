//! The Poseidon tree over a risk map: 8-ary depth 5 above pairs of intervals.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rayon::prelude::*;
use rules::{Interval, MAX_PERIODS, RiskMap};

use crate::field::pack;
use crate::poseidon::{Domain, hash4};
use crate::tree::{MerklePath, Tree, ladder, node_hash};

/// Levels above the pairs: 8⁵ = 32,768 pairs.
pub const RISK_DEPTH: usize = 5;

/// An interval's two elements: `from 47 · last 47 · period`, `period · period`; a period is
/// `grade 2 · since 26 · until 26`. Missing periods are zero and come first, so that `until` ascends.
pub fn interval_elements(interval: &Interval) -> [Fr; 2] {
    let mut periods = [[(0u64, 2usize), (0, 26), (0, 26)]; MAX_PERIODS];
    let missing = MAX_PERIODS - interval.periods.len();
    for (slot, p) in periods[missing..].iter_mut().zip(&interval.periods) {
        *slot = [
            (u64::from(p.grade.code()), 2),
            (u64::from(p.since.get()), 26),
            (u64::from(p.until.get()), 26),
        ];
    }
    let range = [(interval.from.packed(), 47), (interval.last.packed(), 47)];
    [
        pack(&[&range[..], &periods[0]].concat()),
        pack(&[periods[1], periods[2]].concat()),
    ]
}

/// The elements of an interval that holds no place (from 1 to 0), which pads the tree.
pub fn padding_elements() -> [Fr; 2] {
    [pack(&[(1, 47), (0, 47)]), Fr::ZERO]
}

/// What shows that an interval stands in a risk map's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskOpening {
    /// Index of the interval; its lowest bit is its place in the pair.
    pub index: u32,
    /// The elements of the pair.
    pub pair: [[Fr; 2]; 2],
    /// From the pair to the root.
    pub path: MerklePath,
}

/// The tree over a risk map.
pub struct RiskTree {
    elements: Vec<[Fr; 2]>,
    /// Nodes by level, pairs first; what lies beyond each vector's end is padding.
    levels: Vec<Vec<Fr>>,
    padding: [Fr; RISK_DEPTH + 1],
}

impl RiskTree {
    /// Builds the tree, on all cores.
    ///
    /// # Panics
    /// Never: a [`RiskMap`] holds at most as many intervals as the tree.
    pub fn new(map: &RiskMap) -> Self {
        static PADDING: LazyLock<[Fr; RISK_DEPTH + 1]> = LazyLock::new(|| {
            let pad = padding_elements();
            ladder(Tree::Risk, pair_hash(&[pad, pad]))
        });
        let pad = padding_elements();
        let mut elements: Vec<_> = map.intervals().par_iter().map(interval_elements).collect();
        if elements.len() % 2 == 1 {
            elements.push(pad);
        }
        let padding = *PADDING;
        let pairs: Vec<Fr> = elements
            .par_chunks_exact(2)
            .map(|p| pair_hash(&[p[0], p[1]]))
            .collect();
        let mut levels = vec![pairs];
        for pad in &padding[..RISK_DEPTH] {
            let below = levels.last().expect("begins with the pairs");
            let above = below
                .par_chunks(8)
                .map(|chunk| {
                    let mut children = [*pad; 8];
                    children[..chunk.len()].copy_from_slice(chunk);
                    node_hash(Tree::Risk, &children)
                })
                .collect();
            levels.push(above);
        }
        Self {
            elements,
            levels,
            padding,
        }
    }

    /// The root.
    pub fn root(&self) -> Fr {
        self.levels[RISK_DEPTH][0]
    }

    /// The opening of the interval at `index`.
    ///
    /// # Panics
    /// If the map has no such interval.
    pub fn opening(&self, index: usize) -> RiskOpening {
        let pair = index / 2;
        let mut levels = Vec::with_capacity(RISK_DEPTH);
        let mut at = pair;
        for height in 0..RISK_DEPTH {
            let base = at / 8 * 8;
            let node = |i: usize| {
                self.levels[height]
                    .get(base + i)
                    .copied()
                    .unwrap_or(self.padding[height])
            };
            levels.push(std::array::from_fn(node));
            at /= 8;
        }
        let narrow = |i: usize| u32::try_from(i).expect("at most 65,536 intervals");
        RiskOpening {
            index: narrow(index),
            pair: [self.elements[2 * pair], self.elements[2 * pair + 1]],
            path: MerklePath {
                index: narrow(pair),
                levels,
            },
        }
    }
}

/// The hash of a pair of intervals.
pub fn pair_hash(pair: &[[Fr; 2]; 2]) -> Fr {
    hash4(
        Domain::RiskPair,
        &[pair[0][0], pair[0][1], pair[1][0], pair[1][1]],
    )
}

#[cfg(test)]
mod tests {
    use rules::{AreaCode, Grade, Minute, Period};

    use super::*;

    fn map_of(count: u64) -> RiskMap {
        let code = |c| AreaCode::from_packed(c).unwrap();
        let intervals = (0..count)
            .map(|i| Interval {
                from: code(i),
                last: if i + 1 == count {
                    AreaCode::LAST
                } else {
                    code(i)
                },
                periods: (i % 2 == 1)
                    .then_some(Period {
                        grade: Grade::High,
                        since: Minute::new(5).unwrap(),
                        until: Minute::MAX,
                    })
                    .into_iter()
                    .collect(),
            })
            .collect();
        RiskMap::new(intervals).unwrap()
    }

    #[test]
    fn every_interval_opens_to_the_root() {
        for count in [1, 2, 3, 17, 130] {
            let map = map_of(count);
            let tree = RiskTree::new(&map);
            for (index, interval) in map.intervals().iter().enumerate() {
                let opening = tree.opening(index);
                assert_eq!(opening.pair[index % 2], interval_elements(interval));
                assert_eq!(
                    opening.path.root(Tree::Risk, pair_hash(&opening.pair)),
                    Some(tree.root())
                );
            }
        }
        assert_ne!(
            RiskTree::new(&map_of(2)).root(),
            RiskTree::new(&map_of(3)).root()
        );
    }
}
