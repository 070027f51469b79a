//! Verifying keys and proofs: what must not verify, and that a batch finds exactly the bad ones.

use ark_bn254::{Bn254, Fr as Scalar};
use ark_ff::Zero;
use ark_groth16::Groth16;
use ark_serialize::CanonicalSerialize;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use commitment::{CircuitUse, Fr, PUBLIC_INPUTS};
use proptest::prelude::*;
use verifier::{
    BatchSeed, Error, PassProof, PreparedCircuit, VERIFYING_KEY_LEN_BYTES, VerifyingKey,
    verify_proofs,
};

use crate::fixture::*;

fn prepared(kit: &Kit) -> PreparedCircuit {
    PreparedCircuit::new(CircuitUse::Production, &[7; 32], &kit.entry.key)
}

fn inputs(first: u64) -> [Fr; PUBLIC_INPUTS] {
    std::array::from_fn(|i| Fr::from(first * 10 + i as u64))
}

#[test]
fn every_public_input_counts_and_so_does_their_order() {
    let mut world = World::new();
    let circuit = prepared(&world.production);
    let good = inputs(5);
    let proof = world.production.prove(good, &mut world.rng);
    assert!(circuit.verifies(&proof, &good));
    for i in 0..PUBLIC_INPUTS {
        let mut changed = good;
        changed[i] += Fr::from(1);
        assert!(!circuit.verifies(&proof, &changed), "input {i}");
        for j in 0..i {
            let mut swapped = good;
            swapped.swap(i, j);
            assert!(!circuit.verifies(&proof, &swapped), "inputs {i} and {j}");
        }
    }
    let other = prepared(&world.test);
    assert!(!other.verifies(&proof, &good), "under another key");
}

#[test]
fn a_proof_rerandomised_is_the_same_pass_with_other_bytes() {
    let mut world = World::new();
    let circuit = prepared(&world.production);
    let proof = Groth16::<Bn254>::create_random_proof_with_reduction(
        Squares(inputs(5)),
        &world.production.key,
        &mut world.rng,
    )
    .unwrap();
    let again =
        Groth16::<Bn254>::rerandomize_proof(&world.production.key.vk, &proof, &mut world.rng);
    let (proof, again) = (
        PassProof::new(proof).unwrap(),
        PassProof::new(again).unwrap(),
    );
    assert_ne!(proof.to_bytes(), again.to_bytes());
    assert!(circuit.verifies(&proof, &inputs(5)) && circuit.verifies(&again, &inputs(5)));
}

#[test]
fn a_key_for_one_input_fewer_or_more_is_refused() {
    fn key_bytes<const N: usize>() -> (ark_groth16::VerifyingKey<Bn254>, Vec<u8>) {
        let key = Groth16::<Bn254>::generate_random_parameters_with_reduction(
            Squares([Scalar::zero(); N]),
            &mut StdRng::seed_from_u64(9),
        )
        .unwrap()
        .vk;
        let mut bytes = Vec::new();
        key.serialize_compressed(&mut bytes).unwrap();
        (key, bytes)
    }
    for (inputs, (key, bytes)) in [(5, key_bytes::<5>()), (7, key_bytes::<7>())] {
        assert_eq!(VerifyingKey::new(key), Err(Error::KeyArity { inputs }));
        assert!(matches!(
            VerifyingKey::from_bytes(&bytes),
            Err(Error::KeyLength { expected: 456, .. })
        ));
    }
    let (_, mut bytes) = key_bytes::<6>();
    assert!(VerifyingKey::from_bytes(&bytes).is_ok());
    for count in [0u64, 6, 8, u64::MAX] {
        bytes[224..232].copy_from_slice(&count.to_le_bytes());
        assert_eq!(
            VerifyingKey::from_bytes(&bytes),
            Err(Error::KeyArity {
                inputs: count.wrapping_sub(1)
            })
        );
    }
}

#[test]
fn a_key_without_a_second_phase_or_with_a_point_at_infinity_is_refused() {
    let world = World::new();
    let good = world.production.key.vk.clone();
    let mut no_second_phase = good.clone();
    no_second_phase.delta_g2 = no_second_phase.gamma_g2;
    assert_eq!(
        VerifyingKey::new(no_second_phase.clone()),
        Err(Error::GammaEqualsDelta)
    );
    let mut bytes = Vec::new();
    no_second_phase.serialize_compressed(&mut bytes).unwrap();
    assert_eq!(
        VerifyingKey::from_bytes(&bytes),
        Err(Error::GammaEqualsDelta)
    );
    for i in 0..=PUBLIC_INPUTS {
        let mut key = good.clone();
        key.gamma_abc_g1[i] = ark_bn254::G1Affine::identity();
        assert_eq!(
            VerifyingKey::new(key),
            Err(Error::BadPoint("the verifying key"))
        );
    }
}

#[test]
fn no_byte_of_a_key_can_change_unnoticed() {
    let world = World::new();
    let good = world.production.entry.key.to_bytes();
    assert_eq!(good.len(), VERIFYING_KEY_LEN_BYTES);
    let id = world.production.entry.id();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        if let Ok(key) = VerifyingKey::from_bytes(&bytes) {
            assert_eq!(key.to_bytes(), bytes);
            assert_ne!(key.circuit_id(CircuitUse::Production, &[7; 32]), id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_batch_finds_exactly_the_bad_proofs(
        bad in prop::collection::vec(prop::bool::weighted(0.2), 0..24),
        seed in any::<[u8; 32]>(),
    ) {
        let mut world = World::new();
        let circuit = prepared(&world.production);
        let made: Vec<(PassProof, [Fr; PUBLIC_INPUTS])> = bad
            .iter()
            .zip(1..)
            .map(|(bad, i)| {
                let proof = world.production.prove(inputs(i), &mut world.rng);
                (proof, inputs(if *bad { i + 1 } else { i }))
            })
            .collect();
        let items: Vec<_> = made.iter().map(|(p, x)| (p, *x)).collect();
        let found = verify_proofs(&circuit, &items, &BatchSeed::from_random(seed));
        let expected: Vec<bool> = bad.iter().map(|b| !b).collect();
        prop_assert_eq!(&found, &expected);
        let single: Vec<bool> = items.iter().map(|(p, x)| circuit.verifies(p, x)).collect();
        prop_assert_eq!(&single, &expected);
    }
}

#[test]
fn faults_that_cancel_in_a_plain_sum_are_found() {
    // Two proofs whose faults in C are opposite: an unweighted product of the two equations would hold.
    let mut world = World::new();
    let circuit = prepared(&world.production);
    let fault = world.production.key.vk.gamma_abc_g1[1];
    let mut shifted = |first: u64, negative: bool| {
        let mut proof = Groth16::<Bn254>::create_random_proof_with_reduction(
            Squares(inputs(first)),
            &world.production.key,
            &mut world.rng,
        )
        .unwrap();
        let shift = if negative { -fault } else { fault };
        proof.c = (proof.c + shift).into();
        PassProof::new(proof).unwrap()
    };
    let (one, two) = (shifted(1, false), shifted(2, true));
    let items = [(&one, inputs(1)), (&two, inputs(2))];
    let found = verify_proofs(&circuit, &items, &BatchSeed::from_random([1; 32]));
    assert_eq!(found, [false, false]);
}
