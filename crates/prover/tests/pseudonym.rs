//! Real proofs of pseudonyms, through the verifier's keys.

use std::sync::LazyLock;

use circuits::pseudonym::scene::{Scene, hospital, pass_binder, pharmacy};
use circuits::pseudonym::{Heading, Witness};
use commitment::Fr;
use commitment::pseudonym::{Pseudonym, PseudonymInputs};
use prover::{CircuitUse, OpeningProver, ProveError, PseudonymProver};
use verifier::{PassProof, PreparedCircuit, VerifyingKey};

static PROVER: LazyLock<PseudonymProver> =
    LazyLock::new(|| PseudonymProver::from_test_parameters(&[1; 32]).unwrap());

/// The key as that of any proofs of six inputs.
fn circuit() -> PreparedCircuit {
    let key = VerifyingKey::from_bytes(PROVER.verifying_key()).unwrap();
    PreparedCircuit::new(CircuitUse::Test, &PROVER.matrix_digest(), &key)
}

fn honest() -> (PseudonymInputs, Witness) {
    Scene::new().named().unwrap()
}

#[test]
fn a_pseudonym_verifies_for_its_own_public_inputs_and_for_no_others() {
    let (public, witness) = honest();
    let bytes = PROVER.prove(&public, &witness, [3; 32]).unwrap();
    let circuit = circuit();
    assert_eq!(circuit.id(), PROVER.circuit_id());
    let proof = PassProof::from_bytes(&bytes).unwrap();
    let fields = public.to_fields();
    assert!(circuit.verifies(&proof, &fields));
    for i in 0..fields.len() {
        let mut other = fields;
        other[i] += Fr::from(1u64);
        assert!(!circuit.verifies(&proof, &other), "input {i} changed");
    }
    // With another pass, and at another institution under the pseudonym that it would know.
    let binder = pass_binder(8);
    let with_another_pass = PseudonymInputs { binder, ..public };
    let elsewhere = PseudonymInputs {
        scope: pharmacy(),
        pseudonym: Pseudonym::new(witness.identity, pharmacy(), public.period),
        ..public
    };
    for other in [with_another_pass, elsewhere] {
        assert!(!circuit.verifies(&proof, &other.to_fields()));
    }
}

#[test]
fn what_is_not_ones_own_is_not_proved_and_other_circuits_have_other_keys() {
    let (mut public, witness) = honest();
    assert_eq!(public.scope, hospital());
    public.scope = pharmacy();
    let refused = PROVER.prove(&public, &witness, [3; 32]);
    assert!(matches!(
        refused,
        Err(ProveError::Unsatisfied(Heading::Pseudonym))
    ));
    let openings = OpeningProver::from_test_parameters(&[1; 32]).unwrap();
    assert_ne!(openings.circuit_id(), PROVER.circuit_id());
}
