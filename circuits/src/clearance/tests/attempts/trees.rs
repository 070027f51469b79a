//! Trees, tree heads and hashes: nodes for leaves, one tree's leaves in another, other slots and other epochs.

use commitment::RiskTree;
use commitment::risk_tree::pair_hash;

use super::*;
use crate::clearance::OpenedInterval;

const TREES: [Tree; 3] = [Tree::State, Tree::Registry, Tree::Risk];

#[test]
fn an_inner_node_an_empty_place_or_another_use_of_the_hash_is_no_record() {
    let (public, truth) = Scene::green().witness().unwrap();
    let zero = Fr::from(0u64);
    let siblings = truth.state_path.levels[0];
    let mut leaves = vec![zero, truth.state_root, siblings[7]];
    leaves.extend(TREES.map(|tree| node_hash(tree, &siblings)));
    leaves.extend(TREES.map(|tree| node_hash(tree, &[zero; 8])));
    // The record's own last eight elements under any other tag.
    let e = truth.record.elements();
    let first = hash8(Domain::RecordFirst, &std::array::from_fn(|i| e[i]));
    let (identity, blinding) = (truth.identity.element(), truth.blinding.0);
    let rest = [first, e[8], e[9], e[10], e[11], identity, blinding, zero];
    assert_eq!(hash8(Domain::RecordRest, &rest), truth.leaf);
    leaves.push(first);
    for domain in [Domain::RecordFirst, Domain::RuleTable, Domain::StateNode] {
        leaves.push(hash8(domain, &rest));
    }
    for leaf in leaves {
        let (mut public, mut witness) = (public, truth.clone());
        recommit_as(leaf, &mut public, &mut witness);
        refused_under(Heading::RecordOpening, &(public, witness));
    }
    let (mut public, mut witness) = (public, truth);
    recommit(&mut public, &mut witness);
    accepted(&(public, witness));
}

#[test]
fn no_tree_stands_for_another() {
    let (public, truth) = Scene::green().witness().unwrap();
    for tree in [Tree::Registry, Tree::Risk] {
        let (mut public, mut witness) = (public, truth.clone());
        witness.state_root = replace(&mut witness.state_path, tree, truth.leaf);
        let head = [
            19u64.into(),
            Fr::from(witness.head_time),
            witness.state_root,
        ];
        register(&head, &mut public, &mut witness);
        refused_under(Heading::StateMembership, &(public, witness));
    }
    for tree in [Tree::State, Tree::Risk] {
        let (mut public, mut witness) = (public, truth.clone());
        let head = [
            19u64.into(),
            Fr::from(witness.head_time),
            witness.state_root,
        ];
        let leaf = hash3(Domain::RegistryLeaf, &head);
        public.registry_root = replace(&mut witness.registry_path, tree, leaf);
        refused_under(Heading::RegistryMembership, &(public, witness));
    }
    for domain in [Domain::Identity, Domain::Binder] {
        let (mut public, mut witness) = (public, truth.clone());
        let head = [
            19u64.into(),
            Fr::from(witness.head_time),
            witness.state_root,
        ];
        let leaf = hash3(domain, &head);
        public.registry_root = replace(&mut witness.registry_path, Tree::Registry, leaf);
        refused_under(Heading::RegistryMembership, &(public, witness));
    }
    for tree in [Tree::State, Tree::Registry] {
        let scene = claimed_green(&[], &[], &[]);
        let (mut public, mut witness) = as_it_stands(&scene);
        // All four intervals are the first; its pair stands in a tree of another kind.
        let opening = &witness.intervals[0].opening;
        let mut path = opening.path.clone();
        public.risk_root = replace(&mut path, tree, pair_hash(&opening.pair));
        for interval in &mut witness.intervals {
            interval.opening.path = path.clone();
        }
        refused_under(Heading::RiskOpening, &(public, witness.clone()));
        public.risk_root = replace(&mut path, Tree::Risk, pair_hash(&opening_pair(&witness)));
        for interval in &mut witness.intervals {
            interval.opening.path = path.clone();
        }
        accepted(&(public, witness));
    }
}

fn opening_pair(witness: &Witness) -> [[Fr; 2]; 2] {
    witness.intervals[0].opening.pair
}

#[test]
fn roots_do_not_stand_in_for_one_another() {
    let (public, witness) = Scene::green().witness().unwrap();
    let (registry, risk, rules) = (public.registry_root, public.risk_root, public.rule_digest);
    let as_registry = |registry_root| PublicInputs {
        registry_root,
        ..public
    };
    for root in [risk, rules, witness.state_root, witness.leaf] {
        refused_under(
            Heading::RegistryMembership,
            &(as_registry(root), witness.clone()),
        );
    }
    for risk_root in [registry, rules, public.binder] {
        let public = PublicInputs {
            risk_root,
            ..public
        };
        refused_under(Heading::RiskOpening, &(public, witness.clone()));
    }
    for rule_digest in [registry, risk, public.binder] {
        let public = PublicInputs {
            rule_digest,
            ..public
        };
        refused_under(Heading::RuleTableOpening, &(public, witness.clone()));
    }
}

#[test]
fn a_head_that_names_another_slot_than_its_own_is_refused() {
    let slot_wire = free(Heading::RegistryMembership, false)[2];
    for named in [18u64, 20, 83, 0] {
        let (mut public, mut witness) = Scene::green().witness().unwrap();
        let head = [
            named.into(),
            Fr::from(witness.head_time),
            witness.state_root,
        ];
        register(&head, &mut public, &mut witness);
        refused_under(Heading::RegistryMembership, &(public, witness.clone()));
        let mut values = Values::assigned(&public, &witness);
        assert_eq!(values.of(slot_wire), Fr::from(19u64));
        values.follow(slot_wire, named.into());
        // The position's bits follow the slot named, so that another child would have to be the head.
        assert_eq!(
            values.broken_headings(),
            [Heading::RegistryMembership].into()
        );
    }
}

#[test]
fn the_head_or_the_registry_of_another_epoch_is_refused() {
    let (public, witness) = Scene::green().witness().unwrap();
    let clean = Scene {
        record: Record::default(),
        claim: claimed_green(&[], &[], &[]).claim,
        ..Scene::green()
    };
    let (clean_public, clean_witness) = clean.witness().unwrap();
    // Last epoch's record and head under this epoch's registry, and under last epoch's said to be this one's.
    let mixed = PublicInputs {
        registry_root: public.registry_root,
        ..clean_public
    };
    refused_under(Heading::RegistryMembership, &(mixed, clean_witness.clone()));
    let mut grafted = witness.clone();
    grafted.state_root = clean_witness.state_root;
    assert_eq!(
        assign(&public, &grafted).broken,
        [Heading::RegistryMembership, Heading::StateMembership]
    );
    let mut dated = witness;
    dated.head_time -= 1;
    refused_under(Heading::RegistryMembership, &(public, dated));
    accepted(&(clean_public, clean_witness));
}

#[test]
fn a_head_is_not_after_as_of_however_its_time_is_written() {
    let head_wire = free(Heading::RegistryMembership, false)[0];
    let as_of = Fr::from(ago(0).get());
    let power = commitment::pow2;
    for (time, admitted) in [
        (as_of, true),
        (Fr::from(0u64), true),
        (as_of - power(26) + Fr::from(1u64), true),
        (as_of - power(26), false),
        (as_of + Fr::from(1u64), false),
        (as_of + power(26), false),
        (as_of + power(253), false),
        (-as_of, true),
        (-as_of - as_of, false),
    ] {
        let (mut public, mut witness) = Scene::green().witness().unwrap();
        let head = [19u64.into(), time, witness.state_root];
        register(&head, &mut public, &mut witness);
        let mut values = Values::assigned(&public, &witness);
        values.follow(head_wire, time);
        let expected = (!admitted).then_some(Heading::HeadTime);
        assert_eq!(values.broken_headings(), expected.into_iter().collect());
    }
}

#[test]
fn a_pair_of_intervals_is_no_node_and_a_node_no_pair() {
    // A node of the risk map's tree presented as the pair's hash: there is no pair that hashes to it.
    let (public, mut witness) = as_it_stands(&claimed_green(&[], &[], &[]));
    let tree = RiskTree::new(&crate::clearance::scene::map());
    let opening = tree.opening(0);
    let node = node_hash(Tree::Risk, &opening.path.levels[0]);
    for interval in &mut witness.intervals {
        let levels = &mut interval.opening.path.levels;
        levels.remove(0);
        levels.push([Fr::from(1u64); 8]);
        levels[4][0] = tree.root();
        assert_eq!(levels[0][0], node);
    }
    let mut public = public;
    public.risk_root = node_hash(Tree::Risk, &witness.intervals[0].opening.path.levels[4]);
    refused_under(Heading::RiskOpening, &(public, witness));
    // A pair's two halves are ordered.
    let (public, mut witness) = as_it_stands(&claimed_green(&[], &[], &[]));
    let map = crate::clearance::scene::map();
    witness.intervals = std::array::from_fn(|_| {
        let mut opening = tree.opening(1);
        opening.pair.swap(0, 1);
        OpenedInterval::new(&map.intervals()[1], opening)
    });
    refused_under(Heading::RiskOpening, &(public, witness));
}
