//! The risk map: other intervals, changed ones, and what would follow from a map that is no partition.

use commitment::RiskOpening;
use commitment::risk_tree::{RiskTree, interval_elements, padding_elements, pair_hash};
use rules::{AreaCode, Interval, RiskMap};

use super::*;
use crate::clearance::OpenedInterval;
use crate::clearance::scene::{map, place};

/// The scene's five intervals and the leaf that pads the last pair.
fn opened() -> Vec<OpenedInterval> {
    let (map, tree) = (map(), RiskTree::new(&map()));
    let of_map = map.intervals().iter().enumerate();
    let mut all: Vec<OpenedInterval> = of_map
        .map(|(index, interval)| OpenedInterval::new(interval, tree.opening(index)))
        .collect();
    all.push(OpenedInterval {
        from: 1,
        last: 0,
        periods: [(0, 0, 0); 3],
        opening: tree.opening(5),
    });
    all
}

#[test]
fn a_stay_is_assigned_to_no_interval_but_the_one_that_holds_its_place() {
    let all = opened();
    let mut places: Vec<u64> = all[..5].iter().flat_map(|i| [i.from, i.last]).collect();
    places.extend([1, place(0).packed(), place(5).packed()]);
    places.sort_unstable();
    places.dedup();
    let stay = Stay {
        place: place(0),
        begin: ago(5 * DAY),
        end: None,
    };
    let (mut public, mut witness) = as_it_stands(&claimed_green(&[], &[stay], &[]));
    for place in places {
        witness.record.entries[0].place = place;
        recommit(&mut public, &mut witness);
        for (index, interval) in all.iter().enumerate() {
            witness.intervals = std::array::from_fn(|_| interval.clone());
            claim_truly(&public, &mut witness);
            let holds = (interval.from..=interval.last).contains(&place);
            let broken = assign(&public, &witness).broken;
            let refused = check(&public, &witness) == Err(Refusal(Heading::RiskOpening));
            assert_eq!(
                broken.contains(&Heading::RiskOpening),
                !holds,
                "{place} {index}"
            );
            assert_eq!(refused, !holds, "{place} in interval {index}");
            if [0, 3, 4, 5].contains(&index) {
                // Not listed there now, so that nothing else stands in the way.
                assert!(broken.iter().all(|h| *h == Heading::RiskOpening));
            }
        }
    }
}

#[test]
fn a_stay_stays_with_its_own_interval_among_the_four_opened() {
    let all = opened();
    let stay = Stay {
        place: place(2),
        begin: ago(5 * DAY),
        end: None,
    };
    let (public, mut witness) = as_it_stands(&claimed_green(&[], &[stay], &[]));
    witness.intervals = [0, 2, 3, 5].map(|i: usize| all[i].clone());
    for assigned in 0..4 {
        witness.entries[0].interval = assigned;
        claim_truly(&public, &mut witness);
        let heading = if assigned == 1 {
            Heading::WorstColour
        } else {
            Heading::RiskOpening
        };
        refused_under(heading, &(public, witness.clone()));
    }
}

type Change = Box<dyn Fn(&mut OpenedInterval)>;

fn changes() -> Vec<Change> {
    let mut all: Vec<Change> = vec![
        Box::new(|i| i.from ^= 1),
        Box::new(|i| i.from ^= 1 << 46),
        Box::new(|i| i.last ^= 1),
        Box::new(|i| i.last ^= 1 << 46),
        Box::new(|i| i.opening.index ^= 1),
        Box::new(|i| i.periods.swap(1, 2)),
        Box::new(|i| i.periods = [(0, 0, 0); 3]),
    ];
    for p in 0..3 {
        all.push(Box::new(move |i| i.periods[p].0 ^= 1));
        all.push(Box::new(move |i| i.periods[p].0 ^= 2));
        all.push(Box::new(move |i| i.periods[p].1 ^= 1));
        all.push(Box::new(move |i| i.periods[p].1 ^= 1 << 25));
        all.push(Box::new(move |i| i.periods[p].2 ^= 1));
        all.push(Box::new(move |i| i.periods[p].2 ^= 1 << 25));
    }
    for element in 0..2 {
        all.push(Box::new(move |i| {
            let other = 1 - (i.opening.index % 2) as usize;
            i.opening.pair[other][element] += Fr::from(1u64);
        }));
    }
    for level in 0..5 {
        all.push(Box::new(move |i| {
            i.opening.path.levels[level][7] += Fr::from(1u64);
        }));
    }
    all
}

#[test]
fn no_part_of_an_opened_interval_or_its_path_can_be_changed() {
    let all = opened();
    let (public, mut witness) = as_it_stands(&claimed_green(&[], &[], &[]));
    for (at, index) in [(0, 1), (3, 2)] {
        witness.intervals = std::array::from_fn(|_| all[4].clone());
        witness.intervals[at] = all[index].clone();
        accepted(&(public, witness.clone()));
        for (number, change) in changes().iter().enumerate() {
            let mut witness = witness.clone();
            change(&mut witness.intervals[at]);
            let broken = assign(&public, &witness).broken;
            assert_eq!(broken, [Heading::RiskOpening], "change {number}");
            assert_eq!(check(&public, &witness), Err(Refusal(Heading::RiskOpening)));
        }
    }
}

/// Two leaves side by side, at the beginning of a tree that holds nothing else.
fn tree_of_pair(pair: [[Fr; 2]; 2]) -> ([RiskOpening; 2], Fr) {
    let mut path = MerklePath {
        index: 0,
        levels: vec![[Fr::from(0u64); 8]; commitment::RISK_DEPTH],
    };
    let root = replace(&mut path, Tree::Risk, pair_hash(&pair));
    let opening = |index| RiskOpening {
        index,
        pair,
        path: path.clone(),
    };
    ([opening(0), opening(1)], root)
}

#[test]
fn two_leaves_for_one_code_would_be_a_choice_and_no_map_has_them() {
    let listed = map().intervals()[2].clone();
    let released = Interval {
        periods: vec![],
        ..listed.clone()
    };
    // No map with a code in two intervals, in none, or out of order can be made; a tree is made from a map.
    let code = |packed| AreaCode::from_packed(packed).unwrap();
    let (from, last) = (listed.from.packed(), listed.last.packed());
    let before = Interval {
        from: AreaCode::FIRST,
        last: code(from - 1),
        periods: vec![],
    };
    let after = Interval {
        from: code(last + 1),
        last: AreaCode::LAST,
        periods: vec![],
    };
    let good = vec![before.clone(), listed.clone(), after.clone()];
    assert!(RiskMap::new(good).is_ok());
    for bad in [
        vec![
            before.clone(),
            listed.clone(),
            released.clone(),
            after.clone(),
        ],
        vec![before.clone(), after.clone()],
        vec![listed.clone(), before.clone(), after.clone()],
        vec![before, listed.clone()],
    ] {
        assert!(RiskMap::new(bad).is_err());
    }
    // Whoever published such a root would leave the choice to the prover; the statement rests on the map's check.
    let pair = [interval_elements(&listed), interval_elements(&released)];
    let (openings, root) = tree_of_pair(pair);
    let stay = Stay {
        place: listed.from,
        begin: ago(5 * DAY),
        end: None,
    };
    let (mut public, mut witness) = as_it_stands(&claimed_green(&[], &[stay], &[]));
    public.risk_root = root;
    for (interval, opening, refused) in [
        (&listed, &openings[0], true),
        (&released, &openings[1], false),
    ] {
        witness.intervals = std::array::from_fn(|_| OpenedInterval::new(interval, opening.clone()));
        claim_truly(&public, &mut witness);
        if refused {
            refused_under(Heading::WorstColour, &(public, witness.clone()));
        } else {
            accepted(&(public, witness.clone()));
        }
    }
}

#[test]
fn the_interval_that_pads_a_tree_holds_no_place_not_even_the_first_two() {
    assert_eq!(padding_elements()[1], Fr::from(0u64));
    let (openings, root) = tree_of_pair([padding_elements(), padding_elements()]);
    let stay = Stay {
        place: place(0),
        begin: ago(5 * DAY),
        end: None,
    };
    let (mut public, mut witness) = as_it_stands(&claimed_green(&[], &[stay], &[]));
    public.risk_root = root;
    witness.intervals = std::array::from_fn(|_| OpenedInterval {
        from: 1,
        last: 0,
        periods: [(0, 0, 0); 3],
        opening: openings[1].clone(),
    });
    for place in [0, 1, 2, (1 << 47) - 1] {
        witness.record.entries[0].place = place;
        recommit(&mut public, &mut witness);
        claim_truly(&public, &mut witness);
        refused_under(Heading::RiskOpening, &(public, witness.clone()));
    }
    witness.record.entries[0].is_stay = false;
    recommit(&mut public, &mut witness);
    claim_truly(&public, &mut witness);
    accepted(&(public, witness));
}
