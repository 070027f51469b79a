//! Canonical bytes and QR texts: one way to write each showing, and nothing else decodes.

use std::sync::LazyLock;

use commitment::BinderKind;
use proptest::prelude::*;
use qrcode::{EcLevel, QrCode, Version};
use rules::Claim;
use verifier::{
    GateChallenge, GateId, GateNonce, MAX_SHOWING_LEN_BYTES, Pass, QrText, Showing, UnixTime,
};

use crate::fixture::*;

/// Showings of every kind, with and without a challenge, made once.
static SAMPLES: LazyLock<Vec<Showing>> = LazyLock::new(|| {
    let mut world = World::new();
    let challenge = Some(GateChallenge {
        gate: GateId([7; 8]),
        nonce: GateNonce([9; 16]),
    });
    let mut samples = Vec::new();
    for code in 0..8 {
        let claim = Claim::from_code(code).unwrap();
        for kind in [BinderKind::Device, BinderKind::DeviceAndCard] {
            let (pass, secret) = world.pass(&Wish {
                claim,
                kind,
                ..Wish::default()
            });
            samples.push(show(pass.clone(), &secret, NOW, None));
            samples.push(show(pass, &secret, NOW, challenge));
        }
    }
    samples.push(world.showing(&Wish {
        kind: BinderKind::Card,
        ..Wish::default()
    }));
    samples
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes_that_decode_are_the_bytes_that_are_written(
        sample in 0usize..33,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let good = SAMPLES[sample].to_bytes();
        let mut bytes = good.clone();
        for (index, value) in &flips {
            let at = index.index(bytes.len());
            bytes[at] = *value;
        }
        if let Ok(showing) = Showing::from_bytes(&bytes) {
            prop_assert_eq!(&showing.to_bytes(), &bytes);
            let text = QrText::from_showing(&showing);
            prop_assert_eq!(QrText::parse(text.as_str()).unwrap().showing().unwrap(), showing);
        }
    }

    #[test]
    fn arbitrary_bytes_and_texts_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        text in "(VIR1:)?[0-9A-Z $%*+./:-]{0,500}",
    ) {
        if let Ok(showing) = Showing::from_bytes(&bytes) {
            prop_assert_eq!(showing.to_bytes(), bytes);
        }
        if let Ok(parsed) = QrText::parse(&text) {
            prop_assert_eq!(parsed.as_str(), text.as_str());
            let _ = parsed.showing();
        }
    }
}

#[test]
fn every_sample_survives_its_bytes_and_its_text() {
    for showing in SAMPLES.iter() {
        let bytes = showing.to_bytes();
        assert_eq!(&Showing::from_bytes(&bytes).unwrap(), showing);
        let text = QrText::from_showing(showing);
        assert_eq!(
            &QrText::parse(text.as_str()).unwrap().showing().unwrap(),
            showing
        );
    }
}

#[test]
fn every_shorter_and_any_longer_showing_is_refused() {
    for showing in SAMPLES.iter().take(2).chain(SAMPLES.last()) {
        let bytes = showing.to_bytes();
        for len in 0..bytes.len() {
            assert!(Showing::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        assert!(Showing::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
    assert!(Showing::from_bytes(&[1; MAX_SHOWING_LEN_BYTES + 1]).is_err());
}

#[test]
fn sizes_and_qr_versions_stay_within_their_bounds() {
    let version = |showing: &Showing| {
        let text = QrText::from_showing(showing);
        let code = QrCode::with_error_correction_level(text.as_str(), EcLevel::M).unwrap();
        (showing.to_bytes().len(), code.version())
    };
    assert_eq!(version(&SAMPLES[0]), (265, Version::Normal(12)));
    assert_eq!(version(&SAMPLES[1]), (289, Version::Normal(13)));
    assert_eq!(version(&SAMPLES[3]), (289, Version::Normal(13)));
    assert_eq!(version(SAMPLES.last().unwrap()), (163, Version::Normal(9)));
}

#[test]
fn two_passes_of_one_epoch_and_claim_differ_in_key_hash_and_proof_only() {
    let mut world = World::new();
    let passes: Vec<Vec<u8>> = (0..24)
        .map(|_| world.pass(&Wish::default()).0.to_bytes())
        .collect();
    let differing: Vec<usize> = (0..passes[0].len())
        .filter(|i| passes.iter().any(|p| p[*i] != passes[0][*i]))
        .collect();
    // Version, circuit, epoch, rule set, risk map, claim, kind: 19 bytes, all equal. Then key 33, h 16, proof 128.
    assert_eq!(differing.first(), Some(&19));
    let equal: Vec<usize> = (19..passes[0].len())
        .filter(|i| !differing.contains(i))
        .collect();
    assert!(equal.is_empty(), "bytes {equal:?} never vary");
}

#[test]
fn a_signature_with_its_larger_half_is_taken_from_a_device_and_refused_in_bytes() {
    let mut world = World::new();
    let (pass, secret) = world.pass(&Wish::default());
    let low = show(pass, &secret, NOW, None);
    let mut bytes = low.to_bytes();
    let at = bytes.len() - 64;
    let signature = p256::ecdsa::Signature::from_slice(&bytes[at..]).unwrap();
    let (r, s) = signature.split_scalars();
    let high = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    assert_ne!(high, signature);
    bytes[at..].copy_from_slice(&high.to_bytes());
    assert!(Showing::from_bytes(&bytes).is_err());
    let taken = Showing::of_device(
        low.pass().clone(),
        *low.moment().unwrap(),
        &high.to_bytes().into(),
    );
    assert_eq!(taken.unwrap(), low);
}

#[test]
fn points_outside_their_group_at_infinity_or_written_twice_are_refused() {
    let proof_at = 19 + 33 + 16;
    let good = SAMPLES[0].pass().to_bytes();
    let with = |at: usize, point: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + point.len()].copy_from_slice(point);
        Pass::from_bytes(&bytes).is_err()
    };
    let mut infinity = [0; 64];
    infinity[63] = 0x40;
    assert!(with(proof_at, &infinity[32..]), "A at infinity");
    assert!(with(proof_at + 32, &infinity), "B at infinity");
    assert!(with(proof_at + 96, &infinity[32..]), "C at infinity");
    // The library ignores the coordinate of a point at infinity.
    let mut odd_infinity = infinity;
    odd_infinity[32] = 1;
    assert!(
        with(proof_at, &odd_infinity[32..]),
        "infinity with a coordinate"
    );
    // A coordinate of p is zero, written a second time.
    assert!(
        with(proof_at, &base_modulus()),
        "A coordinate at the modulus"
    );
    assert!(
        with(proof_at + 96, &[0x3f; 32]),
        "C coordinate above the modulus"
    );
}

#[test]
fn points_of_the_twist_outside_the_subgroup_are_refused() {
    use ark_bn254::{Fq2, G2Affine};
    use ark_ff::UniformRand;
    use ark_serialize::CanonicalSerialize;
    let mut world = World::new();
    let outside = std::iter::repeat_with(|| Fq2::rand(&mut world.rng))
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(x, false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    let mut bytes = SAMPLES[0].pass().to_bytes();
    let at = 19 + 33 + 16 + 32;
    outside
        .serialize_compressed(&mut bytes[at..at + 64])
        .unwrap();
    assert!(Pass::from_bytes(&bytes).is_err());
}

#[test]
fn every_value_of_the_small_fields_decodes_only_where_it_means_something() {
    let good = SAMPLES[0].pass().to_bytes();
    let accepted = |at: usize| {
        (0..=255u8)
            .filter(|value| {
                let mut bytes = good.clone();
                bytes[at] = *value;
                Pass::from_bytes(&bytes).is_ok()
            })
            .collect::<Vec<u8>>()
    };
    assert_eq!(accepted(0), [1], "version");
    assert_eq!(accepted(17), [0, 1, 2, 3, 4, 5, 6, 7], "claim");
    assert_eq!(accepted(18), [1, 2], "kind, with a key");
    let (flag_at, good) = (good.len() + 4, SAMPLES[0].to_bytes());
    for flag in 1..=255u8 {
        let mut bytes = good.clone();
        bytes[flag_at] = flag;
        assert!(Showing::from_bytes(&bytes).is_err(), "flag {flag}");
    }
}

#[test]
fn a_showing_is_of_the_kind_of_its_pass() {
    let mut world = World::new();
    let (device, secret) = world.pass(&Wish::default());
    let (card, _) = world.pass(&Wish {
        kind: BinderKind::Card,
        ..Wish::default()
    });
    let moment = verifier::Moment {
        slot: UnixTime::from_s(0).slot(),
        challenge: None,
    };
    let signature = sign(&device, &secret, &moment);
    assert!(Showing::of_card(device.clone()).is_err());
    assert!(Showing::of_device(card, moment, &signature).is_err());
    assert!(Showing::of_device(device, moment, &[0; 64]).is_err());
}
