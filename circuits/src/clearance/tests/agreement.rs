//! Relation, rows and `rules::evaluate` agree: on honest plans, and on witnesses with something changed.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::random::scene;
use crate::clearance::scene::Scene;
use crate::clearance::{PlanError, Relief, Witness, assign, check};

/// What the rules say of a scene: whether its record supports its claim.
pub(super) fn supported(scene: &Scene) -> bool {
    let evaluation = rules::evaluate(&scene.record, &scene.table, &scene.map, scene.as_of).unwrap();
    let hours = scene.claim.test_age.hours();
    let fresh = |m: &rules::Minute| m.get() + 60 * hours >= scene.as_of.get();
    evaluation.colour <= scene.claim.worst.colour()
        && (hours == 0 || scene.record.negatives().iter().any(fresh))
}

/// Changes one thing that the prover chooses or was given.
fn change(witness: &mut Witness, rng: &mut ChaCha8Rng) {
    let entry = rng.random_range(0..24);
    let slot = rng.random_range(0..8);
    let minute = |rng: &mut ChaCha8Rng, m: &mut u32| {
        *m = m.wrapping_add_signed(rng.random_range(-2..3) * 720);
    };
    match rng.random_range(0..16) {
        0 => witness.entries[entry].is_ground ^= true,
        1 => witness.entries[entry].key = rng.random_range(0..96),
        2 => minute(rng, &mut witness.entries[entry].anchor),
        3 => witness.entries[entry].slot = rng.random_range(0..8),
        4 => witness.entries[entry % 12].interval = rng.random_range(0..4),
        5 => witness.slots[slot].key = rng.random_range(0..128),
        6 | 7 => minute(rng, &mut witness.slots[slot].anchor),
        8 => witness.slots[slot].lapsed ^= true,
        9 | 10 => witness.slots[slot].relief = None,
        11..14 => {
            let relief = witness.slots[slot]
                .relief
                .get_or_insert_with(Relief::default);
            relief.alternative = rng.random_range(0..2);
            relief.negatives = std::array::from_fn(|_| rng.random_range(0..8));
            relief.run = rng.random_range(0..4);
            relief.first_day = relief
                .first_day
                .wrapping_add_signed(rng.random_range(-3..4));
        }
        14 => witness.fresh_negative = rng.random_range(0..8),
        _ => {
            witness.head_time = witness
                .head_time
                .wrapping_add_signed(rng.random_range(-1..2) * 100);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_found_exactly_where_the_rules_support_the_claim(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scene = scene(&mut rng);
        match scene.witness() {
            Ok((public, witness)) => {
                prop_assert!(supported(&scene));
                prop_assert_eq!(check(&public, &witness), Ok(()));
                prop_assert_eq!(assign(&public, &witness).broken, vec![]);
            }
            Err(PlanError::Slots(_) | PlanError::Intervals(_)) => {}
            Err(_) => prop_assert!(!supported(&scene)),
        }
    }

    #[test]
    fn relation_and_rows_agree_on_changed_witnesses(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut made = scene(&mut rng).witness();
        while made.is_err() {
            made = scene(&mut rng).witness();
        }
        let (mut public, mut witness) = made.unwrap();
        for _ in 0..rng.random_range(1..4) {
            change(&mut witness, &mut rng);
        }
        if rng.random_bool(0.2) {
            public.claim = rules::Claim::from_code(rng.random_range(0..8)).unwrap();
        }
        let broken = assign(&public, &witness).broken;
        match check(&public, &witness) {
            Ok(()) => prop_assert_eq!(broken, vec![]),
            Err(refusal) => prop_assert!(broken.contains(&refusal.0), "{:?} not in {:?}", refusal, broken),
        }
    }

    #[test]
    fn no_choice_of_the_prover_supports_a_claim_that_the_rules_do_not(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scene = scene(&mut rng);
        let lenient = Scene { claim: rules::Claim::from_code(1).unwrap(), ..scene.clone() };
        if let (false, Ok((public, mut witness))) = (supported(&scene), lenient.witness()) {
            let public = commitment::PublicInputs { claim: scene.claim, ..public };
            for _ in 0..8 {
                prop_assert!(!assign(&public, &witness).broken.is_empty());
                change(&mut witness, &mut rng);
            }
        }
    }
}
