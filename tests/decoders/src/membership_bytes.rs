//! What provinces and holders of root keys send each other: invitations, requests, plans.

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use federation::FederationId;
use membership::{
    Invitation, Join, MembershipError, Plan, Request, SignedInvitation, SignedRequest,
};
use rules::ProvinceCode;
use verifier::trust::RootKeys;
use verifier::{Slot, UnixTime};

use crate::bytes::{canonical, says_within};

/// The certificate of an authority of province 33 in the federation `demo`, made once by `federation join`.
const AUTHORITY_PEM: &str = include_str!("authority-33.pem");

/// Everything that anybody signed here; nothing else is to be taken.
static KNOWN: LazyLock<(SignedInvitation, Vec<SignedRequest>)> = LazyLock::new(make);

pub(crate) fn check(data: &[u8]) {
    let (invitation, requests) = &*KNOWN;
    let read = SignedInvitation::from_bytes(data);
    if let Some(read) = canonical(data, read, SignedInvitation::to_bytes) {
        assert_eq!(read, *invitation, "an invitation that nobody signed");
    }
    let read = SignedRequest::from_bytes(data);
    if let Some(read) = canonical(data, read, SignedRequest::to_bytes) {
        assert!(requests.contains(&read), "a request that nobody signed");
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match SignedRequest::from_pem(text) {
        Ok(read) => assert!(requests.contains(&read), "a request that nobody signed"),
        Err(error) => says_within(&error, 1_024),
    }
    match Plan::parse(text, |_| Ok(text.to_owned())) {
        Ok(plan) => {
            let threshold = usize::from(plan.root_keys.threshold());
            assert!(threshold >= 1 && threshold <= plan.root_keys.keys().len());
        }
        // An error may show the line that it speaks of, and names every fault of a rule set.
        Err(error) => says_within(&error, 4_096 + 4 * text.len()),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let (invitation, requests) = &*KNOWN;
    let mut seeds = vec![
        invitation.to_bytes(),
        invitation.to_pem().into_bytes(),
        include_bytes!("../../../deploy/federation/plan.toml").to_vec(),
    ];
    for request in requests {
        seeds.push(request.to_bytes());
        seeds.push(request.to_pem().into_bytes());
    }
    seeds
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn make() -> (SignedInvitation, Vec<SignedRequest>) {
    try_make().expect("sound requests")
}

fn try_make() -> Result<(SignedInvitation, Vec<SignedRequest>), MembershipError> {
    let federation = FederationId::new("demo")?;
    let province = ProvinceCode::new(33).expect("a province");
    let slot = Slot::new(1).expect("a slot");
    let keys = [key(1), key(2)].map(|key| key.verifying_key());
    let invitation = Invitation {
        federation: federation.clone(),
        province,
        slot,
        expires_at: UnixTime::from_s(1_795_737_600),
        nonce: [7; 16],
        root_keys: RootKeys::new(keys.to_vec(), 2)?,
    };
    let invitation = invitation.sign(&key(1))?;
    let join = Request::Join(Box::new(Join {
        invitation: invitation.clone(),
        head_key: key(33).verifying_key(),
        authority_pem: AUTHORITY_PEM.to_owned(),
        peers_address: "node.example:7440".to_owned(),
    }));
    let rotate = Request::Rotate {
        federation: federation.clone(),
        province,
        slot,
        root_sequence: 1,
        old: key(33).verifying_key(),
        new: key(34).verifying_key(),
        from: commitment::Minute::new(29_930_400).ok(),
    };
    let leave = Request::Leave {
        federation,
        province,
        slot,
        root_sequence: 2,
        key: key(34).verifying_key(),
    };
    let requests = vec![
        join.sign(&[&key(33)])?,
        rotate.sign(&[&key(33), &key(34)])?,
        leave.sign(&[&key(34)])?,
    ];
    Ok((invitation, requests))
}
