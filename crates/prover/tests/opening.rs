//! Real proofs of openings, through the verifier's keys.

use std::sync::LazyLock;

use circuits::opening::Heading;
use circuits::opening::scene::{SLOT, Scene, a_fact, a_test, registered, somebody_else, subject};
use commitment::Fr;
use commitment::opening::{Answer, OpeningError, OpeningInputs, Said, Sought};
use prover::{CircuitUse, OpeningProver, ProveError, Prover};
use rules::FactKind;
use verifier::opening::{
    Asked, EpochRegistry, OPENING_LEN_BYTES, Opening, OpeningRefusal, PreparedOpening,
    RegisteredHead,
};
use verifier::{Epoch, PassProof, PreparedCircuit, Slot, VerifyingKey};

const DAY: u32 = 1440;

static PROVER: LazyLock<OpeningProver> =
    LazyLock::new(|| OpeningProver::from_test_parameters(&[1; 32]).unwrap());

fn key() -> VerifyingKey {
    VerifyingKey::from_bytes(PROVER.verifying_key()).unwrap()
}

/// The key as whoever is shown an opening holds it.
fn openings() -> PreparedOpening {
    PreparedOpening::new(CircuitUse::Test, &PROVER.matrix_digest(), &key())
}

/// The same as a key of any proofs of six inputs.
fn circuit() -> PreparedCircuit {
    PreparedCircuit::new(CircuitUse::Test, &PROVER.matrix_digest(), &key())
}

#[test]
fn an_opening_verifies_for_its_own_public_inputs_and_for_no_others() {
    let case = a_fact(FactKind::ConfirmedCase, 33, 20 * DAY);
    let (public, witness) = Scene::new().answered(case).unwrap();
    assert_eq!(public.said.answer(), Answer::Ended);
    let bytes = PROVER.prove(&public, &witness, [3; 32]).unwrap();
    let circuit = circuit();
    assert_eq!(circuit.id(), PROVER.circuit_id());
    let proof = PassProof::from_bytes(&bytes).unwrap();
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
    for answer in Answer::ALL
        .into_iter()
        .filter(|answer| *answer != Answer::Ended)
    {
        let said = Said::new(case, answer).unwrap();
        let other = OpeningInputs { said, ..public };
        assert!(!circuit.verifies(&proof, &other.to_fields()), "{answer:?}");
    }
}

#[test]
fn an_opening_and_a_pass_are_of_two_circuits_and_neither_key_serves_the_other() {
    let (public, witness) = Scene::new().answered(a_test(60)).unwrap();
    let bytes = PROVER.prove(&public, &witness, [4; 32]).unwrap();
    let proof = PassProof::from_bytes(&bytes).unwrap();
    let passes = Prover::from_test_parameters(&[1; 32]).unwrap();
    assert_ne!(passes.circuit_id(), PROVER.circuit_id());
    let key = VerifyingKey::from_bytes(passes.verifying_key()).unwrap();
    let of_passes = PreparedCircuit::new(CircuitUse::Test, &passes.matrix_digest(), &key);
    assert!(circuit().verifies(&proof, &public.to_fields()));
    assert!(!of_passes.verifies(&proof, &public.to_fields()));
    // A key file of the one is no key of the other.
    let bytes = PROVER.to_bytes();
    let digest = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&bytes));
    let read = OpeningProver::from_pinned_bytes(&bytes, &digest.into()).unwrap();
    assert_eq!(read.circuit_id(), PROVER.circuit_id());
    assert!(Prover::from_pinned_bytes(&bytes, &digest.into()).is_err());
}

#[test]
fn what_is_not_so_gets_no_proof() {
    let (public, witness) = Scene::new().answered(a_test(60)).unwrap();
    let other = OpeningInputs {
        subject: somebody_else(),
        ..public
    };
    let refused = PROVER.prove(&other, &witness, [6; 32]);
    assert!(matches!(
        refused,
        Err(ProveError::Unsatisfied(Heading::Subject))
    ));
    let (public, witness) = Scene::new().said(a_test(60), Answer::Absent, 0);
    let refused = PROVER.prove(&public, &witness, [6; 32]);
    assert!(matches!(
        refused,
        Err(ProveError::Unsatisfied(Heading::Absence))
    ));
}

/// An opening with the registry of its epoch.
fn made(sought: Sought) -> (Opening, EpochRegistry) {
    let (public, witness) = Scene::new().answered(sought).unwrap();
    let proof = PROVER.prove(&public, &witness, [8; 32]).unwrap();
    let (head_time, way, root) = registered(public.state_root);
    let opening = Opening {
        circuit: PROVER.circuit_id().short(),
        head: RegisteredHead {
            epoch: Epoch::new(7),
            slot: Slot::new(SLOT).unwrap(),
            head_time,
            state_root: public.state_root,
            way,
        },
        leaf: public.leaf,
        answer: public.said.answer(),
        proof: PassProof::from_bytes(&proof).unwrap(),
    };
    let registry = EpochRegistry {
        epoch: opening.head.epoch,
        as_of: head_time,
        root,
    };
    (opening, registry)
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

#[test]
fn an_opening_is_believed_under_its_registry_and_for_what_was_asked() {
    let sought = a_fact(FactKind::ScreenedPositive, 33, 3 * DAY);
    let (made, registry) = made(sought);
    let bytes = made.to_bytes();
    assert_eq!(bytes.len(), OPENING_LEN_BYTES);
    let opening = Opening::from_bytes(&bytes).unwrap();
    assert_eq!(opening, made);
    let asked = Asked {
        slot: slot(SLOT),
        subject: subject(),
        sought,
    };
    let circuit = openings();
    let opened = opening.verify(&asked, &registry, &circuit).unwrap();
    assert_eq!((opened.answer, opened.leaf), (Answer::Stands, made.leaf));
    assert_eq!(opened.head_time, made.head.head_time);
    assert_eq!(opened.circuit_use, CircuitUse::Test);

    let one = Fr::from(1u64);
    let not_registered = Err(OpeningRefusal::NotRegistered);
    let under = |change: &dyn Fn(&mut EpochRegistry)| {
        let mut other = registry;
        change(&mut other);
        opening.verify(&asked, &other, &circuit)
    };
    assert_eq!(under(&|r| r.root += one), not_registered);
    // Of another epoch, though its root were the same; and of a registry that closed before the tree did.
    let of_another = under(&|r| r.epoch = Epoch::new(8));
    assert!(matches!(of_another, Err(OpeningRefusal::OtherEpoch { .. })));
    let too_early = under(&|r| r.as_of = r.as_of.saturating_add_signed(-1));
    assert!(matches!(
        too_early,
        Err(OpeningRefusal::HeadAfterRegistry { .. })
    ));
    assert!(under(&|r| r.as_of = r.as_of.saturating_add_signed(60)).is_ok());
    // Another province may have committed the same; it is not the one that was asked.
    let elsewhere = Asked {
        slot: slot(20),
        ..asked
    };
    let refused = opening.verify(&elsewhere, &registry, &circuit);
    assert!(matches!(refused, Err(OpeningRefusal::OtherSlot { .. })));
    let changed = |change: &dyn Fn(&mut Opening)| {
        let mut other = made.clone();
        change(&mut other);
        other.verify(&asked, &registry, &circuit)
    };
    let moved = changed(&|o| o.head.slot = slot(20));
    assert!(matches!(moved, Err(OpeningRefusal::OtherSlot { .. })));
    let earlier = changed(&|o| o.head.head_time = o.head.head_time.saturating_add_signed(-1));
    assert_eq!(earlier, not_registered);
    assert_eq!(changed(&|o| o.head.state_root += one), not_registered);
    assert_eq!(changed(&|o| o.head.way[1][4] += one), not_registered);
    let no_proof = Err(OpeningRefusal::Proof);
    assert_eq!(changed(&|o| o.leaf += one), no_proof);
    for answer in [Answer::Ended, Answer::Covered, Answer::Absent] {
        assert_eq!(changed(&|o| o.answer = answer), no_proof);
    }
    let (public, witness) = Scene::new().answered(a_test(60)).unwrap();
    let other = PROVER.prove(&public, &witness, [9; 32]).unwrap();
    let other = PassProof::from_bytes(&other).unwrap();
    assert_eq!(changed(&|o| o.proof = other.clone()), no_proof);
    let another = changed(&|o| o.circuit.0[0] ^= 1);
    assert!(matches!(another, Err(OpeningRefusal::OtherCircuit { .. })));
    for asked in [
        Asked {
            subject: somebody_else(),
            ..asked
        },
        Asked {
            sought: a_fact(FactKind::ScreenedPositive, 33, 3 * DAY - 1),
            ..asked
        },
        Asked {
            sought: a_fact(FactKind::ScreenedPositive, 35, 3 * DAY),
            ..asked
        },
        Asked {
            sought: a_fact(FactKind::SuspectedCase, 33, 3 * DAY),
            ..asked
        },
    ] {
        assert_eq!(opening.verify(&asked, &registry, &circuit), no_proof);
    }
    // A bound is part of what is asked, though this answer says nothing of an end.
    let bounded = sought.ended_not_before(circuits::clearance::scene::ago(5));
    let bounded = Asked {
        sought: bounded,
        ..asked
    };
    assert_eq!(opening.verify(&bounded, &registry, &circuit), no_proof);
    let of_a_test = Asked {
        sought: a_test(60),
        ..asked
    };
    let covered = Opening {
        answer: Answer::Covered,
        ..made.clone()
    };
    let refused = covered.verify(&of_a_test, &registry, &circuit);
    assert_eq!(
        refused,
        Err(OpeningRefusal::Answer(OpeningError::TestAnswer))
    );
}

#[test]
fn damaged_openings_are_refused_before_anything_is_believed() {
    let (made, registry) = made(a_test(60));
    let bytes = made.to_bytes();
    for cut in [0, 1, 9, bytes.len() - 1] {
        assert!(Opening::from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(Opening::from_bytes(&longer).is_err());
    let asked = Asked {
        slot: slot(SLOT),
        subject: subject(),
        sought: a_test(60),
    };
    let circuit = openings();
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        if let Ok(read) = Opening::from_bytes(&other) {
            assert_eq!(read.to_bytes(), other);
            assert!(
                read.verify(&asked, &registry, &circuit).is_err(),
                "byte {at}"
            );
        }
    }
}
