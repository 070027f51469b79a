//! Real proofs of the scene, through the verifier that gates embed.

use std::sync::LazyLock;

use circuits::clearance::Heading;
use circuits::clearance::scene::Scene;
use commitment::{Fr, PublicInputs};
use prover::{CircuitUse, ProofBytes, ProveError, Prover};
use rules::{Claim, Minute, TestAge, WorstColour};
use verifier::{BatchSeed, PassProof, PreparedCircuit, VerifyingKey, verify_proofs};

static PROVER: LazyLock<Prover> = LazyLock::new(|| Prover::from_test_parameters(&[1; 32]).unwrap());

fn circuit() -> PreparedCircuit {
    let key = VerifyingKey::from_bytes(PROVER.verifying_key()).unwrap();
    PreparedCircuit::new(CircuitUse::Test, &PROVER.matrix_digest(), &key)
}

fn read(bytes: &ProofBytes) -> PassProof {
    PassProof::from_bytes(bytes).unwrap()
}

#[test]
fn a_proof_verifies_for_its_own_public_inputs_and_for_no_plausible_others() {
    let (public, witness) = Scene::green().witness().unwrap();
    let bytes = PROVER.prove(&public, &witness, [3; 32]).unwrap();
    let circuit = circuit();
    assert_eq!(circuit.id(), PROVER.circuit_id());
    let proof = read(&bytes);
    let fields = public.to_fields();
    assert!(circuit.verifies(&proof, &fields));

    let one = Fr::from(1u64);
    for i in 0..fields.len() {
        let mut other = fields;
        other[i] += one;
        assert!(!circuit.verifies(&proof, &other), "input {i} changed");
        for j in i + 1..fields.len() {
            let mut swapped = fields;
            swapped.swap(i, j);
            assert!(
                !circuit.verifies(&proof, &swapped),
                "inputs {i} and {j} swapped"
            );
        }
    }
    let earlier = Minute::new(public.as_of.get() - 1).unwrap();
    let yellow = Claim {
        worst: WorstColour::Yellow,
        ..public.claim
    };
    let older = Claim {
        test_age: TestAge::Hours48,
        ..public.claim
    };
    for other in [
        PublicInputs {
            as_of: earlier,
            ..public
        },
        PublicInputs {
            claim: yellow,
            ..public
        },
        PublicInputs {
            claim: older,
            ..public
        },
        PublicInputs {
            binder: public.binder + one,
            ..public
        },
    ] {
        assert!(!circuit.verifies(&proof, &other.to_fields()));
    }
}

#[test]
fn two_proofs_of_one_statement_differ_and_both_hold_in_a_batch() {
    let (public, witness) = Scene::green().witness().unwrap();
    let first = PROVER.prove(&public, &witness, [4; 32]).unwrap();
    let second = PROVER.prove(&public, &witness, [5; 32]).unwrap();
    assert!(first.chunks(32).zip(second.chunks(32)).all(|(a, b)| a != b));
    let (first, second) = (read(&first), read(&second));
    let fields = public.to_fields();
    let mut wrong = fields;
    wrong[5] += Fr::from(1u64);
    let items = [(&first, fields), (&second, wrong), (&second, fields)];
    let held = verify_proofs(&circuit(), &items, &BatchSeed::from_random([9; 32]));
    assert_eq!(held, [true, false, true]);
}

#[test]
fn a_witness_that_does_not_fulfil_the_statement_gets_no_proof() {
    let (public, mut witness) = Scene::green().witness().unwrap();
    witness.fresh_negative = 0;
    let refused = PROVER.prove(&public, &witness, [6; 32]);
    assert!(matches!(
        refused,
        Err(ProveError::Unsatisfied(Heading::TestAge))
    ));
}
