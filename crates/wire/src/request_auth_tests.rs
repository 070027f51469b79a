use p256::ecdsa::SigningKey;
use proptest::prelude::*;
use rules::{Minute, ProvinceCode};

use super::*;

const SKEW_MIN: u16 = 5;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn home(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

fn at(minute: u32) -> Minute {
    Minute::new(minute).unwrap()
}

fn query() -> proto::QueryRequest {
    let body = proto::Query {
        rule_set_id: "fj-2022-08".into(),
        ..Default::default()
    };
    sign_call(&body, &key(7), home(33), at(27_000_000), Nonce([9; 16]))
}

fn check(request: &proto::QueryRequest) -> Result<proto::Query, WireError> {
    check_with(request, 7, 33, 27_000_003)
}

fn check_with(
    request: &proto::QueryRequest,
    seed: u8,
    province: u8,
    now: u32,
) -> Result<proto::Query, WireError> {
    let call = UnverifiedCall::parse(request)?;
    let key = DeviceKey::of(&key(seed));
    Ok(call.verify(&key, home(province), at(now), SKEW_MIN)?.body)
}

#[test]
fn a_signed_call_opens_with_its_body() {
    assert_eq!(check(&query()).unwrap().rule_set_id, "fj-2022-08");
}

#[test]
fn another_body_is_refused() {
    let mut request = query();
    request.body[3] ^= 1;
    assert_eq!(check(&request), Err(WireError::OtherBody));
}

#[test]
fn another_home_is_refused() {
    assert_eq!(
        check_with(&query(), 7, 35, 27_000_000),
        Err(WireError::OtherHome)
    );
}

#[test]
fn another_key_is_refused() {
    assert_eq!(
        check_with(&query(), 8, 33, 27_000_000),
        Err(WireError::OtherKey)
    );
}

#[test]
fn a_call_is_stale_just_beyond_the_skew_on_either_side() {
    for now in [26_999_995, 27_000_005] {
        assert!(check_with(&query(), 7, 33, now).is_ok());
    }
    for now in [26_999_994, 27_000_006] {
        let refused = check_with(&query(), 7, 33, now);
        assert!(
            matches!(refused, Err(WireError::Stale { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_call_signed_for_one_method_does_not_pass_as_another() {
    let request = query();
    let other = proto::CorrectRequest {
        body: request.body,
        auth: request.auth,
    };
    let refused = UnverifiedCall::parse(&other).err();
    assert_eq!(
        refused,
        Some(WireError::OtherMethod {
            expected: Method::Correct
        })
    );
}

#[test]
fn a_changed_authorisation_is_refused() {
    let genuine = query().auth.unwrap();
    for index in 0..genuine.auth.len() {
        let mut request = query();
        request.auth.as_mut().unwrap().auth[index] ^= 1;
        assert!(check(&request).is_err(), "byte {index}");
    }
    for index in 0..genuine.signature.len() {
        let mut request = query();
        request.auth.as_mut().unwrap().signature[index] ^= 1;
        assert!(check(&request).is_err(), "byte {index}");
    }
}

#[test]
fn the_other_half_of_s_is_refused() {
    let mut request = query();
    let auth = request.auth.as_mut().unwrap();
    let signature = Signature::from_slice(&auth.signature).unwrap();
    let (r, s) = signature.split_scalars();
    let other = Signature::from_scalars(r, -s).unwrap();
    auth.signature = other.to_bytes().to_vec();
    assert_eq!(
        check(&request),
        Err(WireError::Malformed {
            field: "auth.signature"
        })
    );
}

#[test]
fn a_missing_or_oversized_part_is_refused() {
    let mut request = query();
    request.auth = None;
    assert_eq!(check(&request), Err(WireError::Missing { field: "auth" }));

    let mut request = query();
    request
        .auth
        .as_mut()
        .unwrap()
        .auth
        .resize(MAX_AUTH_BYTES + 1, 0);
    assert!(matches!(
        check(&request),
        Err(WireError::TooLong { field: "auth", .. })
    ));

    let mut request = query();
    request.auth.as_mut().unwrap().auth.push(0);
    assert_eq!(check(&request), Err(WireError::Malformed { field: "auth" }));

    let mut request = query();
    request.auth.as_mut().unwrap().signature.pop();
    assert!(matches!(
        check(&request),
        Err(WireError::WrongLength { got: 63, .. })
    ));

    let mut request = query();
    request.body.resize(MAX_BODY_BYTES + 1, 0);
    assert!(matches!(
        check(&request),
        Err(WireError::TooLong { field: "body", .. })
    ));
}

#[test]
fn a_registration_proves_possession_of_the_key_that_it_binds() {
    let body = |seed| proto::Register {
        device_key: DeviceKey::of(&key(seed)).to_bytes().to_vec(),
        identity_number: "11010519491231002X".into(),
        name: "无名".into(),
        real_name_evidence: Vec::new(),
        forget_other_devices: false,
    };
    let sign = |body: &proto::Register, seed| -> proto::RegisterRequest {
        sign_call(body, &key(seed), home(33), at(27_000_000), Nonce([1; 16]))
    };
    let own = sign(&body(7), 7);
    let opened = UnverifiedCall::parse(&own).unwrap();
    let (bound, _) = opened
        .verify_with_own_key(home(33), at(27_000_000), SKEW_MIN)
        .unwrap();
    assert_eq!(bound, DeviceKey::of(&key(7)));

    let foreign = sign(&body(8), 7);
    let opened = UnverifiedCall::parse(&foreign).unwrap();
    let refused = opened
        .verify_with_own_key(home(33), at(27_000_000), SKEW_MIN)
        .err();
    assert_eq!(refused, Some(WireError::OtherKey));
}

#[test]
fn debug_output_holds_nothing_that_a_resident_sent() {
    let register = proto::Register {
        device_key: vec![2; 33],
        identity_number: "11010519491231002X".into(),
        name: "SENTINEL".into(),
        real_name_evidence: b"SENTINEL".to_vec(),
        forget_other_devices: false,
    };
    assert_eq!(format!("{register:?}"), "Register(..)");
    assert_eq!(format!("{:?}", query()), "QueryRequest(..)");
    let mut id = DeviceKeyId([0xee; 32]);
    id.0[..2].copy_from_slice(&[1, 2]);
    assert_eq!(format!("{id:?}"), "DeviceKeyId(0102..)");
    let key = DeviceKey::of(&key(7));
    assert_eq!(format!("{key:?}"), format!("DeviceKey({:?})", key.id()));
}

#[test]
fn a_body_of_the_greatest_length_is_taken() {
    let sign = |text: usize| -> proto::QueryRequest {
        let rule_set_id = "x".repeat(text);
        let body = proto::Query {
            rule_set_id,
            ..Default::default()
        };
        sign_call(&body, &key(7), home(33), at(27_000_000), Nonce([9; 16]))
    };
    let frame = sign(MAX_BODY_BYTES / 2).body.len() - MAX_BODY_BYTES / 2;
    let text = MAX_BODY_BYTES - frame;
    assert_eq!(check(&sign(text)).unwrap().rule_set_id.len(), text);
    assert_eq!(
        check(&sign(text + 1)),
        Err(WireError::TooLong {
            field: "body",
            limit: 4_096,
            got: 4_097,
        })
    );
}

#[test]
fn a_key_and_a_nonce_are_known_by_what_was_signed() {
    let request = query();
    let call = UnverifiedCall::parse(&request).unwrap();
    let key = DeviceKey::of(&key(7));
    let name: [u8; 32] = Sha256::digest(key.to_bytes()).into();
    assert_eq!(call.device_key_id(), DeviceKeyId(name));
    let verified = call.verify(&key, home(33), at(27_000_000), 0).unwrap();
    assert_eq!(verified.auth.nonce, Nonce([9; 16]));
    assert_eq!(verified.auth.device_key_id, key.id());
}

#[test]
fn the_layout_is_pinned() {
    let auth = RequestAuth {
        method: Method::Query,
        home: home(33),
        device_key_id: DeviceKeyId([1; 32]),
        at: at(27_000_000),
        nonce: Nonce([2; 16]),
        body_sha256: [3; 32],
    };
    let path = b"/viridian.resident.v1.ResidentService/Query";
    let mut expected = vec![1, 43];
    expected.extend_from_slice(path);
    expected.push(33);
    expected.extend_from_slice(&[1; 32]);
    expected.extend_from_slice(&27_000_000_u32.to_be_bytes());
    expected.extend_from_slice(&[2; 16]);
    expected.extend_from_slice(&[3; 32]);
    assert_eq!(auth.to_bytes(), expected);
    assert_eq!(RequestAuth::from_bytes(&expected), Ok(auth));
    assert!(
        auth.signing_bytes()
            .starts_with(b"viridian/request-auth/v1\0\x01")
    );
}

proptest! {
    #[test]
    fn whatever_parses_is_written_again_to_the_same_bytes(
        cut in 0_usize..160, index in 0_usize..160, value: u8,
    ) {
        let mut bytes = query().auth.unwrap().auth;
        bytes.truncate(cut);
        if let Some(byte) = bytes.get_mut(index) {
            *byte = value;
        }
        if let Ok(auth) = RequestAuth::from_bytes(&bytes) {
            prop_assert_eq!(auth.to_bytes(), bytes);
        }
    }
}
