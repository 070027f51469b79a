//! Attempts on what surrounds the rows: keys under which anybody forges, other binders, other inputs, proofs made over.

use std::sync::LazyLock;

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_groth16::{Groth16, Proof, VerifyingKey as RawKey, prepare_verifying_key};
use ark_serialize::CanonicalDeserialize;
use circuits::clearance::scene::Scene;
use circuits::clearance::{Heading, assign, shape, shape_without};
use commitment::{
    BinderKind, CircuitId, CircuitUse, Fr, PUBLIC_INPUTS, PublicInputs, binder, fr_from_bytes,
    fr_to_bytes,
};
use prover::Prover;
use verifier::{
    BatchSeed, CardNumber, Error, Holder, HolderKey, PassProof, PreparedCircuit, RevocationHash,
    VerifyingKey, verify_proofs,
};

static PROVER: LazyLock<Prover> = LazyLock::new(|| Prover::from_test_parameters(&[1; 32]).unwrap());

fn raw_key() -> RawKey<Bn254> {
    RawKey::deserialize_compressed(PROVER.verifying_key()).unwrap()
}

fn circuit() -> PreparedCircuit {
    let key = VerifyingKey::new(raw_key()).unwrap();
    PreparedCircuit::new(CircuitUse::Test, &PROVER.matrix_digest(), &key)
}

/// A claim that nobody proved.
fn any_inputs() -> [Fr; PUBLIC_INPUTS] {
    std::array::from_fn(|i| Fr::from(1000 + i as u64))
}

/// `X`, the point that stands for public inputs.
fn input_point(key: &RawKey<Bn254>, inputs: &[Fr]) -> G1Affine {
    let first = key.gamma_abc_g1[0].into_group();
    let rest = key.gamma_abc_g1[1..].iter().zip(inputs);
    rest.fold(first, |sum, (point, input)| sum + *point * input)
        .into_affine()
}

/// A proof without a witness, where `delta = factor · gamma`: A and B from the key, C takes the inputs back.
fn forged(key: &RawKey<Bn254>, factor: Fr, inputs: &[Fr]) -> Proof<Bn254> {
    let share = -factor.inverse().unwrap();
    Proof {
        a: key.alpha_g1,
        b: key.beta_g2,
        c: (input_point(key, inputs) * share).into_affine(),
    }
}

fn with_delta(factor: Fr) -> RawKey<Bn254> {
    let key = raw_key();
    RawKey {
        delta_g2: (key.gamma_g2 * factor).into_affine(),
        ..key
    }
}

#[test]
fn under_a_key_without_a_second_phase_anybody_forges_and_so_it_is_refused() {
    let key = with_delta(Fr::ONE);
    let proof = forged(&key, Fr::ONE, &any_inputs());
    let prepared = prepare_verifying_key(&key);
    let holds = Groth16::<Bn254>::verify_proof(&prepared, &proof, &any_inputs());
    assert!(holds.unwrap(), "the library takes it");
    assert_eq!(VerifyingKey::new(key), Err(Error::GammaEqualsDelta));
    // Under a key with one the same proof says nothing.
    let proof = PassProof::new(forged(&raw_key(), Fr::ONE, &any_inputs())).unwrap();
    assert!(!circuit().verifies(&proof, &any_inputs()));
}

#[test]
fn a_delta_in_any_known_ratio_to_gamma_forges_and_only_its_maker_can_know() {
    // The refusal of gamma = delta finds a phase that was left out. It cannot find a maker who kept the ratio, be it −1
    // or any other: against that stand the ceremony, the pinned key and the list that names it.
    for factor in [-Fr::ONE, Fr::from(7u64)] {
        let key = with_delta(factor);
        let proof = forged(&key, factor, &any_inputs());
        let prepared = prepare_verifying_key(&key);
        let holds = Groth16::<Bn254>::verify_proof(&prepared, &proof, &any_inputs());
        assert!(holds.unwrap());
        let id = |key: RawKey<Bn254>| {
            let key = VerifyingKey::new(key).unwrap();
            key.circuit_id(CircuitUse::Test, &PROVER.matrix_digest())
        };
        assert_ne!(id(key), PROVER.circuit_id(), "a key is known by its bytes");
    }
}

#[test]
fn a_proof_for_one_holder_serves_no_other_kind_key_hash_or_card() {
    let (public, witness) = Scene::green().witness().unwrap();
    let holder_key = |which| HolderKey::from_bytes(&p256_key(which)).unwrap();
    let h = RevocationHash([3; 16]);
    let tag = CardNumber::new(*b"11010519491231002X").tag(h);
    let other_tag = CardNumber::new(*b"440524188001010014").tag(h);
    let own = Holder::DeviceAndCard(holder_key(0));
    let bound = |holder: Holder, h, card: Option<&verifier::CardTag>| PublicInputs {
        binder: holder.binder(h, card).unwrap(),
        ..public
    };
    let mine = bound(own, h, Some(&tag));
    let proof = PROVER.prove(&mine, &witness, [8; 32]).unwrap();
    let proof = PassProof::from_bytes(&proof).unwrap();
    let circuit = circuit();
    assert!(circuit.verifies(&proof, &mine.to_fields()));
    for other in [
        bound(own, h, Some(&other_tag)),
        bound(Holder::Card, h, Some(&tag)),
        bound(Holder::Device(holder_key(0)), h, None),
        bound(Holder::DeviceAndCard(holder_key(1)), h, Some(&tag)),
        bound(own, RevocationHash([4; 16]), Some(&tag)),
    ] {
        assert!(!circuit.verifies(&proof, &other.to_fields()));
    }
    // A card's share of the binder shown as a device's own hash: the kind keeps them apart.
    let forged = PublicInputs {
        binder: binder(BinderKind::Device, &holder_key(0).to_bytes(), &[3; 16]),
        ..public
    };
    assert!(!circuit.verifies(&proof, &forged.to_fields()));
}

/// Two points of P-256 in compressed form: the generator, and its negative.
fn p256_key(which: u8) -> [u8; 33] {
    let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let mut out = [3 - which; 33];
    hex::decode_to_slice(x, &mut out[1..]).unwrap();
    out
}

#[test]
fn no_byte_of_a_binder_can_be_moved_to_its_neighbour() {
    // The parts are below 2^136: no two of them overlap, and none reaches the modulus.
    let kinds = [
        BinderKind::Device,
        BinderKind::DeviceAndCard,
        BinderKind::Card,
    ];
    let mut seen = Vec::new();
    for kind in kinds {
        for at in 0..33 {
            for byte in [1, 255] {
                let mut key = [0; 33];
                key[at] = byte;
                seen.push(binder(kind, &key, &[0; 16]));
            }
        }
        for at in 0..16 {
            for byte in [1, 255] {
                let mut h = [0; 16];
                h[at] = byte;
                seen.push(binder(kind, &[0; 33], &h));
            }
        }
        seen.push(binder(kind, &[255; 33], &[255; 16]));
        seen.push(binder(kind, &[0; 33], &[0; 16]));
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn a_number_and_the_same_number_plus_the_modulus_are_not_two_ways_to_write_one() {
    // 2^256 / r is above five: small elements would have up to six encodings if any number were read.
    let modulus = Fr::MODULUS;
    for element in [Fr::ZERO, Fr::ONE, Fr::from(27_699_359u64), -Fr::ONE] {
        let bytes = fr_to_bytes(element);
        assert_eq!(fr_from_bytes(&bytes), Ok(element));
        let mut number = element.into_bigint();
        let mut above = 0;
        while !ark_ff::BigInteger::add_with_carry(&mut number, &modulus) {
            let bytes = ark_ff::BigInteger::to_bytes_be(&number);
            let bytes: [u8; 32] = bytes.try_into().unwrap();
            assert!(fr_from_bytes(&bytes).is_err());
            above += 1;
        }
        assert!(above >= 4, "{above}");
    }
}

#[test]
fn a_proof_changed_as_anybody_can_is_the_same_pass_and_says_nothing_else() {
    let (public, witness) = Scene::green().witness().unwrap();
    let proof = PROVER.prove(&public, &witness, [9; 32]).unwrap();
    let proof = Proof::<Bn254>::deserialize_compressed(&proof[..]).unwrap();
    let circuit = circuit();
    let inputs = public.to_fields();
    let two = Fr::from(2u64);
    let half = two.inverse().unwrap();
    let key = raw_key();
    // A and B in another ratio; B moved by delta, which A takes back in C.
    let scaled = Proof {
        a: (proof.a * two).into_affine(),
        b: (proof.b * half).into_affine(),
        c: proof.c,
    };
    let moved = Proof {
        a: proof.a,
        b: (proof.b + key.delta_g2).into_affine(),
        c: (proof.c + proof.a).into_affine(),
    };
    let mut other = inputs;
    other[4] += Fr::ONE;
    for made in [scaled, moved] {
        let made = PassProof::new(made).unwrap();
        assert!(circuit.verifies(&made, &inputs));
        assert!(!circuit.verifies(&made, &other));
        let items = [(&made, other), (&made, inputs)];
        let held = verify_proofs(&circuit, &items, &BatchSeed::from_random([2; 32]));
        assert_eq!(held, [false, true]);
    }
    // Taking the inputs' difference back in C needs delta's secret; the point itself does not serve.
    let difference = key.gamma_abc_g1[5];
    let shifted = Proof {
        c: (proof.c - difference).into_affine(),
        ..proof.clone()
    };
    assert!(!circuit.verifies(&PassProof::new(shifted).unwrap(), &other));
    for at_infinity in [
        Proof {
            a: G1Affine::zero(),
            ..proof.clone()
        },
        Proof {
            b: G2Affine::zero(),
            ..proof.clone()
        },
        Proof {
            c: G1Affine::zero(),
            ..proof
        },
    ] {
        assert!(PassProof::new(at_infinity).is_err());
    }
}

#[test]
fn a_key_for_a_circuit_without_a_headings_rows_has_another_identity() {
    let whole = shape().digest();
    assert_eq!(PROVER.matrix_digest(), whole);
    let without = shape_without(Heading::WorstColour).digest();
    assert_ne!(without, whole);
    let id = |digest: &[u8; 32]| CircuitId::new(CircuitUse::Test, digest, PROVER.verifying_key());
    assert_eq!(id(&whole), PROVER.circuit_id());
    assert_ne!(id(&without), PROVER.circuit_id());
}

#[test]
fn public_inputs_stand_at_their_positions_in_assignment_key_and_struct() {
    let (public, witness) = Scene::green().witness().unwrap();
    let fields = public.to_fields();
    assert_eq!(assign(&public, &witness).values[1..=PUBLIC_INPUTS], fields);
    assert_eq!(shape().instance, PUBLIC_INPUTS + 1);
    assert_eq!(raw_key().gamma_abc_g1.len(), PUBLIC_INPUTS + 1);
    let PublicInputs {
        registry_root,
        risk_root,
        rule_digest,
        as_of,
        claim,
        binder,
    } = public;
    let expected = [
        registry_root,
        risk_root,
        rule_digest,
        as_of.get().into(),
        claim.code().into(),
        binder,
    ];
    assert_eq!(fields, expected);
    // Every one stands in a row that the witness has a part in, but the binder, which stands in its own.
    for input in 1..=PUBLIC_INPUTS {
        let in_row = |row: &usize| {
            let terms = shape().matrices.iter().flat_map(|m| &m[*row]);
            terms.clone().any(|t| t.1 == input) && terms.clone().any(|t| t.1 > PUBLIC_INPUTS)
        };
        assert!(
            (0..shape().constraints()).any(|row| in_row(&row)),
            "input {input}"
        );
    }
}
