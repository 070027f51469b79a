//! `vectors/request-auth.json`: what is signed for calls, for the wallet's page and for other clients.

use rules::{Minute, ProvinceCode};

use crate::{DeviceKeyId, Method, Nonce, RequestAuth};

/// One vector: the fields, the canonical bytes and what is signed, hexadecimal.
fn vector(method: Method, home: u8, minute: u32, fill: u8) -> serde_json::Value {
    let auth = RequestAuth {
        method,
        home: ProvinceCode::new(home).unwrap(),
        device_key_id: DeviceKeyId([fill; 32]),
        at: Minute::new(minute).unwrap(),
        nonce: Nonce([fill.wrapping_add(1); 16]),
        body_sha256: [fill.wrapping_add(2); 32],
    };
    serde_json::json!({
        "path": method.path(),
        "home": home,
        "device_key_id": hex::encode(auth.device_key_id.0),
        "minute": minute,
        "nonce": hex::encode(auth.nonce.0),
        "body_sha256": hex::encode(auth.body_sha256),
        "auth": hex::encode(auth.to_bytes()),
        "signing_bytes": hex::encode(auth.signing_bytes()),
    })
}

/// `VIRIDIAN_WRITE_VECTORS=1` writes the file.
#[test]
fn the_vectors_are_what_this_crate_makes() {
    let calls = Method::ALL.iter().copied();
    let calls = calls.filter(|m| m.path().contains(".ResidentService/") && *m != Method::GetHome);
    let vectors: Vec<_> = calls
        .zip(0_u8..)
        .map(|(method, n)| {
            vector(
                method,
                33 + n % 4,
                27_000_000 + u32::from(n) * 257,
                250 + n % 6,
            )
        })
        .collect();
    assert_eq!(vectors.len(), 10);
    let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/request-auth.json");
    if std::env::var_os("VIRIDIAN_WRITE_VECTORS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == text,
        "VIRIDIAN_WRITE_VECTORS=1 cargo test -p wire vectors"
    );
}
