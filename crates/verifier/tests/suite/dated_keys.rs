//! Root documents that name head keys with dates, and circuits of openings beside those of passes.

use commitment::DatedKeysError;
use commitment::layout::LayoutError;
use ed25519_dalek::{Signer as _, SigningKey};
use rules::Minute;
use verifier::trust::{
    Bundle, CircuitEntry, HeadKeys, OnlineDocument, OpeningEntry, ProvinceSignature, RootDocument,
    SignedOnline,
};

use verifier::{Error, Slot, TrustList, UnixTime};

use crate::fixture::{NOW, World, head_key, root_keys, sign_root};

fn accept(bytes: &[u8]) -> Result<TrustList, Error> {
    TrustList::accept(bytes, None, &root_keys(&[1, 2, 3], 2), NOW)
}

/// The key that follows that of slot 1.
fn next_key() -> SigningKey {
    SigningKey::from_bytes(&[141; 32])
}

/// The world's root document with another key of slot 1 from a minute on, as seen from [`NOW`].
fn rotating(world: &World, minutes: i64) -> RootDocument {
    let at = NOW.minute().saturating_add_signed(minutes);
    let dates = vec![
        (Minute::ZERO, head_key(1).verifying_key()),
        (at, next_key().verifying_key()),
    ];
    let mut root = world.root();
    root.provinces[0].head_keys = HeadKeys::new(dates).unwrap();
    root
}

/// What a gate says of a list issued so many minutes from [`NOW`], signed by slots 1 and 2, slot 1's with this key.
fn judged(root: &RootDocument, issued: i64, by: &SigningKey) -> Result<(), Error> {
    let second = NOW.get_s().saturating_add_signed(issued * 60);
    let document = OnlineDocument {
        issued_at: UnixTime::from_s(second),
        ..World::new().online()
    };
    let message = document.signing_bytes().unwrap();
    let sign = |(slot, key): (u8, &SigningKey)| ProvinceSignature {
        slot: Slot::new(slot).unwrap(),
        signature: key.sign(&message).to_bytes(),
    };
    let signatures = [(1, by), (2, &head_key(2))].map(sign).to_vec();
    let bundle = Bundle {
        roots: vec![sign_root(root.clone(), &[1, 2])],
        online: SignedOnline::new(document, signatures),
    };
    accept(&bundle.to_bytes().unwrap()).map(drop)
}

#[test]
fn a_list_is_believed_by_the_head_key_in_force_when_it_was_issued_on_either_side_of_a_switch() {
    let world = World::new();
    let root = rotating(&world, -3);
    for (issued, good, bad) in [
        (-8, head_key(1), next_key()),
        (-4, head_key(1), next_key()),
        (-3, next_key(), head_key(1)),
        (0, next_key(), head_key(1)),
    ] {
        assert_eq!(judged(&root, issued, &good), Ok(()), "{issued}");
        let refused = judged(&root, issued, &bad);
        assert_eq!(refused, Err(Error::BadSignature), "{issued}");
    }
}

#[test]
fn a_key_that_is_announced_signs_nothing_before_its_date() {
    let world = World::new();
    let root = rotating(&world, 1_440);
    assert_eq!(judged(&root, 0, &head_key(1)), Ok(()));
    assert_eq!(judged(&root, 0, &next_key()), Err(Error::BadSignature));
    // Nor is anything signed for a slot that has no key yet.
    let mut later = root;
    let first = NOW.minute().saturating_add_signed(1);
    let keys = HeadKeys::new(vec![(first, head_key(1).verifying_key())]);
    later.provinces[0].head_keys = keys.unwrap();
    let refused = judged(&later, 0, &head_key(1));
    let minute = NOW.minute();
    let slot = Slot::new(1).unwrap();
    assert_eq!(refused, Err(Error::NoHeadKey { slot, minute }));
}

#[test]
fn dates_that_contradict_each_other_and_the_layout_of_before_are_refused() {
    let world = World::new();
    let bytes = rotating(&world, -10).to_bytes().unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bad = bytes.clone();
        change(&mut bad);
        RootDocument::from_bytes(&bad).unwrap_err()
    };
    let earlier = with(&|bytes| bytes[0] = 2);
    assert_eq!(earlier, LayoutError::UnknownVersion(2).into());
    // Version, sequence, expiry, threshold, 3 root keys, grace, count of provinces, province, slot.
    let keys_at = 1 + 8 + 8 + 1 + 2 + 3 * 32 + 4 + 2 + 2;
    assert_eq!(bytes[keys_at], 2);
    let (first, second) = (keys_at + 1, keys_at + 1 + 36);
    let dates = |error| Error::HeadKeys(error);
    assert_eq!(
        with(&|bytes| bytes[second..second + 4].fill(0)),
        dates(DatedKeysError::NotAscending)
    );
    assert_eq!(
        with(&|bytes| bytes.copy_within(first + 4..first + 36, second + 4)),
        dates(DatedKeysError::Twice)
    );
    let none = with(&|bytes| {
        bytes[keys_at] = 0;
        bytes.drain(first..first + 72);
    });
    assert_eq!(none, dates(DatedKeysError::Count(0)));
    let four = with(&|bytes| bytes[keys_at] = 4);
    let limit = LayoutError::Invalid("more than 3 head keys of one slot");
    assert_eq!(four, limit.into());
}

#[test]
fn no_key_is_in_two_roles_whether_in_force_or_not() {
    let world = World::new();
    let refused = |key: &SigningKey| {
        let mut root = rotating(&world, 1_440);
        let mut dates = root.provinces[0].head_keys.entries().to_vec();
        dates[1].1 = key.verifying_key();
        root.provinces[0].head_keys = HeadKeys::new(dates).unwrap();
        root.to_bytes().unwrap_err()
    };
    let content = Error::TrustContent("one key in two roles");
    assert_eq!(refused(&head_key(2)), content);
    assert_eq!(refused(&crate::fixture::root_key(3)), content);
}

fn opening(of: &CircuitEntry, digest: [u8; 32]) -> OpeningEntry {
    OpeningEntry {
        circuit_use: of.circuit_use,
        matrix_digest: digest,
        key: of.key.clone(),
    }
}

#[test]
fn circuits_of_openings_stand_in_a_list_of_their_own_and_believe_no_pass() {
    let world = World::new();
    let mut root = world.root();
    // A key of openings is none of passes, and the other way round.
    let entry = root.circuits.pop().unwrap();
    let other = opening(&entry, [9; 32]);
    root.openings = vec![other.clone()];
    let bytes = root.to_bytes().unwrap();
    assert_eq!(RootDocument::from_bytes(&bytes), Ok(root.clone()));
    let list = crate::fixture::bundle(&[sign_root(root.clone(), &[1, 2])], world.online(), &[1, 2]);
    let list = accept(&list).unwrap();
    assert!(list.circuit(other.id().short()).is_none());
    assert!(list.circuit(root.circuits[0].id().short()).is_some());

    let shared = "one circuit or key for passes and openings";
    let refused = |openings: Vec<OpeningEntry>| {
        let openings_of = RootDocument {
            openings,
            ..root.clone()
        };
        openings_of.to_bytes().unwrap_err()
    };
    let content = Error::TrustContent;
    let known = &root.circuits[0];
    assert_eq!(refused(vec![opening(known, [9; 32])]), content(shared));
    let same_circuit = opening(&entry, known.matrix_digest);
    assert_eq!(refused(vec![same_circuit]), content(shared));
    let mut five: Vec<OpeningEntry> = (0..5).map(|n| opening(&entry, [n; 32])).collect();
    five.sort_by_key(OpeningEntry::id);
    let limit = "at most 4 circuits of openings";
    assert_eq!(refused(five.clone()), content(limit));
    let order = LayoutError::NotAscending("openings");
    assert_eq!(
        refused(vec![five[1].clone(), five[0].clone()]),
        order.into()
    );
    assert_eq!(refused(vec![other.clone(), other]), order.into());
}
