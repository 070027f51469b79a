//! Relation, rows and `rules::evaluate` agree: on honest plans, and on witnesses with something changed.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rules::{MAX_ENTRIES, MAX_NEGATIVES, Minute};

use crate::clearance::scene::{Depth, Support, differential, random_scene, supported};

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_plan_relation_and_rows_agree_on_random_scenes(seed: u64) {
        if let Err(disagreement) = differential(seed, Depth::Rows) {
            prop_assert!(false, "{disagreement}");
        }
    }
}

#[test]
fn random_scenes_are_of_every_sort() {
    let (mut planned, mut large, mut unsupported) = (0, 0, 0);
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..600 {
        let compared = differential(seed, Depth::Relation).unwrap();
        match compared.support {
            Support::Planned => planned += 1,
            Support::TooLarge => large += 1,
            Support::Unsupported => unsupported += 1,
        }
        accepted += compared.accepted;
        refused += compared.refused;
        assert_eq!(compared.through_rows, 0);
    }
    let seen = format!("{planned} {large} {unsupported} scenes, {accepted} {refused} witnesses");
    assert!(planned > 120 && large > 0 && unsupported > 120, "{seen}");
    assert!(accepted > 120 && refused > 600, "{seen}");
}

#[test]
fn random_scenes_fill_a_record_and_stand_at_midnights_and_at_both_ends_of_time() {
    let mut seen = [0; 6];
    for seed in 0..3000 {
        let scene = random_scene(&mut ChaCha8Rng::seed_from_u64(seed));
        let entries = scene.record.stays().len() + scene.record.facts().len();
        let minute = scene.as_of.minute_of_day();
        let is = [
            entries == MAX_ENTRIES,
            entries == MAX_ENTRIES && supported(&scene),
            scene.record.negatives().len() == MAX_NEGATIVES,
            [1439, 0, 1].contains(&minute),
            scene.as_of.day().get() < 100,
            scene.as_of.day().get() + 2 > Minute::MAX.day().get(),
        ];
        for (count, is) in seen.iter_mut().zip(is) {
            *count += usize::from(is);
        }
    }
    assert!(seen.iter().all(|count| *count >= 30), "{seen:?}");
}
