//! The ways of drawn places to the state root, and what they show.

use ark_ff::AdditiveGroup;
use commitment::layout::{LayoutError, Reader};
use commitment::{Fr, MerklePath, STATE_DEPTH, Tree, empty_subtree, fr_to_bytes};

use super::draw::{DRAWS_MAX, SAMPLE_LEAVES, SampleSeed, draw};
use crate::{Error, LeafIndex, StateTree, TreeHead};

/// Length of a way: at each level eight elements.
pub const WAY_LEN_BYTES: usize = STATE_DEPTH * 8 * 32;

/// What is shown of a tree for its sample; nothing of it is checked before [`SampleWays::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleWays {
    /// The way of the last leaf, beyond which the tree is empty; none for a tree without leaves.
    pub last: Option<MerklePath>,
    /// The ways of the drawn places, in the order in which they are drawn.
    pub drawn: Vec<MerklePath>,
}

/// A drawn place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The place.
    pub place: LeafIndex,
    /// Its leaf; none for an empty place.
    pub leaf: Option<Fr>,
}

/// What contradicts a tree's head or its draw; whoever showed the ways is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleFault {
    /// A way that is none of a state tree, or leads to another root than the head's.
    #[error("the way of place {0} does not lead to the state root of the head")]
    OtherRoot(u32),
    /// A way that is said to be the last leaf's, and behind which there are leaves, or whose leaf is empty.
    #[error("place {0} is not that of the last leaf")]
    NotLast(u32),
    /// Places that are not those drawn.
    #[error("the draw gives place {expected:?} as number {number}, shown is {shown:?}")]
    OtherPlace {
        /// Number in the order of the draw, from 0.
        number: usize,
        /// What the seed gives; none for no further place.
        expected: Option<u32>,
        /// What is shown.
        shown: Option<u32>,
    },
    /// A head that counts more leaves than there are places, or another number than all places show.
    #[error("the head counts {told} leaves, the tree has {shown}")]
    LeafCount {
        /// What the head tells.
        told: u32,
        /// What the tree has, at most or exactly.
        shown: u32,
    },
    /// Fewer occupied places than the draw asks for, though its head tells of enough.
    #[error(
        "{DRAWS_MAX} places drawn and {occupied} leaves found; the head tells of {told} leaves in {places} places"
    )]
    Thin {
        /// Leaves found.
        occupied: usize,
        /// What the head tells.
        told: u32,
        /// Places up to the last leaf.
        places: u32,
    },
}

impl SampleWays {
    /// Draws from a tree.
    pub fn of(tree: &StateTree, seed: SampleSeed) -> Self {
        let last = tree.last();
        let bound = last.map_or(0, |last| last.get() + 1);
        let drawn = draw(seed, bound, |place| tree.leaf(place) != Fr::ZERO);
        Self {
            last: last.map(|last| tree.path(last)),
            drawn: drawn.into_iter().map(|place| tree.path(place)).collect(),
        }
    }

    /// Checks the ways against a tree head and that they are those of the draw; gives the drawn places.
    ///
    /// # Errors
    /// [`SampleFault`].
    pub fn check(&self, head: &TreeHead, seed: SampleSeed) -> Result<Vec<Drawn>, SampleFault> {
        let bound = self.check_last(head)?;
        if head.leaf_count > bound {
            return Err(SampleFault::LeafCount {
                told: head.leaf_count,
                shown: bound,
            });
        }
        let mut shown = Vec::with_capacity(self.drawn.len().min(DRAWS_MAX));
        for way in self.drawn.iter().take(DRAWS_MAX + 1) {
            let place = LeafIndex::new(way.index).ok_or(SampleFault::OtherRoot(way.index))?;
            let leaf = leaf_of(way, head)?;
            let leaf = (leaf != Fr::ZERO).then_some(leaf);
            shown.push(Drawn { place, leaf });
        }
        let is_occupied = |place| shown.iter().any(|d| d.place == place && d.leaf.is_some());
        let expected = draw(seed, bound, is_occupied);
        for number in 0..expected.len().max(shown.len()) {
            let expected = expected.get(number).map(|place| place.get());
            let shown = shown.get(number).map(|drawn| drawn.place.get());
            if expected != shown {
                return Err(SampleFault::OtherPlace {
                    number,
                    expected,
                    shown,
                });
            }
        }
        check_count(&shown, bound, head.leaf_count)?;
        Ok(shown)
    }

    /// How many places there are, the last of them occupied.
    fn check_last(&self, head: &TreeHead) -> Result<u32, SampleFault> {
        let Some(way) = &self.last else {
            let is_empty = head.state_root == empty_subtree(Tree::State, STATE_DEPTH);
            return if is_empty {
                Ok(0)
            } else {
                Err(SampleFault::OtherRoot(0))
            };
        };
        let leaf = leaf_of(way, head)?;
        let mut node = way.index;
        let mut is_last = leaf != Fr::ZERO;
        for (level, children) in way.levels.iter().enumerate() {
            let after = &children[(node % 8) as usize + 1..];
            let empty = empty_subtree(Tree::State, level);
            is_last &= after.iter().all(|child| *child == empty);
            node /= 8;
        }
        if is_last {
            Ok(way.index + 1)
        } else {
            Err(SampleFault::NotLast(way.index))
        }
    }
}

/// The leaf at the foot of a way, if it leads to the head's state root.
fn leaf_of(way: &MerklePath, head: &TreeHead) -> Result<Fr, SampleFault> {
    let other = SampleFault::OtherRoot(way.index);
    if way.levels.len() != STATE_DEPTH {
        return Err(other);
    }
    let leaf = way.levels[0][(way.index % 8) as usize];
    if way.root(Tree::State, leaf) == Some(head.state_root) {
        Ok(leaf)
    } else {
        Err(other)
    }
}

/// Where all places are drawn the head's number of leaves is known; else there are enough leaves among those drawn.
fn check_count(shown: &[Drawn], places: u32, told: u32) -> Result<(), SampleFault> {
    let occupied = shown.iter().filter(|drawn| drawn.leaf.is_some()).count();
    if occupied >= SAMPLE_LEAVES {
        return Ok(());
    }
    if shown.len() < places as usize {
        return Err(SampleFault::Thin {
            occupied,
            told,
            places,
        });
    }
    let shown = u32::try_from(occupied).unwrap_or(u32::MAX);
    if shown == told {
        Ok(())
    } else {
        Err(SampleFault::LeafCount { told, shown })
    }
}

/// The canonical bytes of a way, without its place: the children at each level, leaves first; [`WAY_LEN_BYTES`] for one of a state
/// tree.
pub fn way_to_bytes(way: &MerklePath) -> Vec<u8> {
    way.levels
        .iter()
        .flatten()
        .flat_map(|child| fr_to_bytes(*child))
        .collect()
}

/// Reads the way of a place; nothing of it is checked.
///
/// # Errors
/// [`Error::Layout`] for a place outside the tree, or anything but [`WAY_LEN_BYTES`] canonical bytes.
pub fn way_from_bytes(place: u32, bytes: &[u8]) -> Result<MerklePath, Error> {
    let place = LeafIndex::new(place).ok_or(LayoutError::Invalid("a place of the state tree"))?;
    let mut reader = Reader::new(bytes, WAY_LEN_BYTES)?;
    let mut levels = vec![[Fr::ZERO; 8]; STATE_DEPTH];
    for child in levels.iter_mut().flatten() {
        *child = reader.fr()?;
    }
    reader.finish()?;
    Ok(MerklePath {
        index: place.get(),
        levels,
    })
}

#[cfg(test)]
mod tests {
    use commitment::{Epoch, Minute, ProvinceCode, Slot};

    use super::*;
    use crate::{HeadHash, RuleSetsDigest, STATE_LEAVES};

    const SEED: SampleSeed = SampleSeed::from_bytes([7; 32]);

    fn tree(places: &[u32]) -> StateTree {
        let leaf = |place: &u32| {
            let at = LeafIndex::new(*place).unwrap();
            (at, Fr::from(u64::from(*place) + 1))
        };
        StateTree::build(&places.iter().map(leaf).collect::<Vec<_>>())
    }

    fn head(tree: &StateTree) -> TreeHead {
        TreeHead {
            province: ProvinceCode::new(33).unwrap(),
            slot: Slot::new(0).unwrap(),
            epoch: Epoch::new(4),
            head_time: Minute::new(1_000).unwrap(),
            state_root: tree.root(),
            leaf_count: tree.leaf_count(),
            rule_sets: RuleSetsDigest([1; 32]),
            previous: HeadHash::NONE,
        }
    }

    #[test]
    fn what_is_drawn_from_a_tree_is_what_its_head_admits() {
        let sparse: Vec<u32> = (0..200).filter(|place| place % 3 == 0).collect();
        for places in [
            &[][..],
            &[0],
            &[5],
            &[3, 9],
            &[0, 1, 2, 700],
            &[STATE_LEAVES - 2, STATE_LEAVES - 1],
            &sparse,
        ] {
            let tree = tree(places);
            let ways = SampleWays::of(&tree, SEED);
            let result = ways.check(&head(&tree), SEED);
            let far = places.last().is_some_and(|last| *last > 600);
            if far {
                // Only few of very many places are occupied: which says so itself.
                let is_thin = matches!(result, Err(SampleFault::Thin { .. }));
                assert!(is_thin, "{places:?} {result:?}");
                continue;
            }
            let drawn = result.unwrap();
            let occupied = drawn.iter().filter(|d| d.leaf.is_some()).count();
            assert_eq!(occupied, places.len().min(SAMPLE_LEAVES), "{places:?}");
            for Drawn { place, leaf } in drawn {
                let expected = places.contains(&place.get());
                assert_eq!(leaf.is_some(), expected, "{places:?}");
                assert_eq!(leaf.unwrap_or(Fr::ZERO), tree.leaf(place));
            }
        }
    }

    #[test]
    fn a_leaf_behind_the_one_that_is_said_to_be_last_shows_itself() {
        let tree = tree(&[0, 1, 2, 3, 40]);
        let mut ways = SampleWays::of(&tree, SEED);
        assert_eq!(tree.last().unwrap().get(), 40);
        for (place, fault) in [
            (3, SampleFault::NotLast(3)),
            (39, SampleFault::NotLast(39)),
            (41, SampleFault::NotLast(41)),
        ] {
            ways.last = Some(tree.path(LeafIndex::new(place).unwrap()));
            assert_eq!(ways.check(&head(&tree), SEED), Err(fault));
        }
        ways.last = None;
        let result = ways.check(&head(&tree), SEED);
        assert_eq!(result, Err(SampleFault::OtherRoot(0)));
    }

    #[test]
    fn another_place_another_order_one_more_and_one_less_are_not_the_draw() {
        let tree = tree(&(0..100).collect::<Vec<_>>());
        let right = SampleWays::of(&tree, SEED);
        let is_other = |ways: &SampleWays| {
            matches!(
                ways.check(&head(&tree), SEED),
                Err(SampleFault::OtherPlace { .. })
            )
        };
        assert!(!is_other(&right));
        let mut ways = right.clone();
        ways.drawn.swap(0, 1);
        assert!(is_other(&ways));
        let mut ways = right.clone();
        ways.drawn.pop();
        assert!(is_other(&ways));
        let mut ways = right.clone();
        ways.drawn.push(tree.path(LeafIndex::new(99).unwrap()));
        assert!(is_other(&ways));
        let mut ways = right.clone();
        let other = (ways.drawn[0].index + 1) % 100;
        ways.drawn[0] = tree.path(LeafIndex::new(other).unwrap());
        assert!(is_other(&ways));
        assert!(is_other(&SampleWays::of(
            &tree,
            SampleSeed::from_bytes([8; 32])
        )));
    }

    #[test]
    fn a_way_to_another_root_and_another_places_leaf_are_refused() {
        let tree = tree(&(0..100).collect::<Vec<_>>());
        let right = SampleWays::of(&tree, SEED);
        let place = right.drawn[0].index;
        let mut ways = right.clone();
        ways.drawn[0].levels[0][(place % 8) as usize] += Fr::from(1);
        assert_eq!(
            ways.check(&head(&tree), SEED),
            Err(SampleFault::OtherRoot(place))
        );
        let mut ways = right.clone();
        ways.drawn[0].levels.pop();
        assert_eq!(
            ways.check(&head(&tree), SEED),
            Err(SampleFault::OtherRoot(place))
        );
        // The way of a neighbour under this place's number.
        let mut ways = right;
        ways.drawn[0] = MerklePath {
            index: place,
            levels: tree.path(LeafIndex::new((place + 8) % 100).unwrap()).levels,
        };
        assert_eq!(
            ways.check(&head(&tree), SEED),
            Err(SampleFault::OtherRoot(place))
        );
    }

    #[test]
    fn a_wrong_number_of_leaves_in_a_head_shows_where_all_places_are_drawn_or_there_are_fewer() {
        let small = tree(&[4]);
        let ways = SampleWays::of(&small, SEED);
        let told = |leaf_count| TreeHead {
            leaf_count,
            ..head(&small)
        };
        assert!(ways.check(&told(1), SEED).is_ok());
        for (wrong, shown) in [(0, 1), (2, 1), (5, 1), (6, 5)] {
            let fault = SampleFault::LeafCount { told: wrong, shown };
            assert_eq!(ways.check(&told(wrong), SEED), Err(fault));
        }
    }

    #[test]
    fn a_way_survives_its_bytes_and_others_are_refused() {
        let tree = tree(&[3, 9, 70]);
        let way = tree.path(LeafIndex::new(9).unwrap());
        let bytes = way_to_bytes(&way);
        assert_eq!(bytes.len(), WAY_LEN_BYTES);
        assert_eq!(way_from_bytes(9, &bytes), Ok(way));
        assert!(way_from_bytes(STATE_LEAVES, &bytes).is_err());
        assert!(way_from_bytes(9, &bytes[1..]).is_err());
        assert!(way_from_bytes(9, &[&bytes[..], &[0]].concat()).is_err());
        let mut high = bytes;
        high[..32].fill(0xff);
        assert!(way_from_bytes(9, &high).is_err(), "an element in one form");
    }
}
