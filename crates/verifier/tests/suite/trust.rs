//! Trust lists: what is taken, and everything that must not be.

use commitment::layout::LayoutError;
use commitment::{Epoch, Fr, Slot};
use proptest::prelude::*;
use verifier::trust::{
    BatchDigest, BatchEntry, Bundle, Candidate, HeadKeys, MAX_BUNDLE_LEN_BYTES, OnlineDocument,
    ProvinceEntry, ProvinceSignature, RegistryEntry, RootDocument, RootKeys, Sequence,
    SignedOnline, SignedRoot, TrustList,
};
use verifier::{Error, UnixTime};

use crate::fixture::*;

fn pinned() -> RootKeys {
    root_keys(&[1, 2, 3], 2)
}

fn accept(bytes: &[u8]) -> Result<TrustList, Error> {
    TrustList::accept(bytes, None, &pinned(), NOW)
}

fn consider(bytes: &[u8]) -> Result<Candidate, Error> {
    TrustList::consider(bytes, None, &pinned(), NOW)
}

/// As many batches as end right before the document.
fn entries(count: u32) -> Vec<BatchEntry> {
    let first = close(12).get() - 15 * count;
    let entry = |n| BatchEntry {
        at: minute(first + 15 * n),
        digest: BatchDigest([7; 32]),
    };
    (0..count).map(entry).collect()
}

fn after(bytes: &[u8], previous: &TrustList) -> Result<TrustList, Error> {
    TrustList::accept(bytes, Some(previous), &pinned(), NOW)
}

fn online_with(world: &World, change: impl FnOnce(&mut OnlineDocument)) -> Vec<u8> {
    let mut online = world.online();
    change(&mut online);
    bundle(&[sign_root(world.root(), &[1, 2])], online, &[1, 2])
}

/// The root document with this sequence and these root keys.
fn root(world: &World, sequence: u64, keys: &[u8]) -> RootDocument {
    RootDocument {
        sequence: Sequence::new(sequence),
        root_keys: root_keys(keys, 2),
        ..world.root()
    }
}

fn online_for(world: &World, root: u64, sequence: u64) -> OnlineDocument {
    OnlineDocument {
        root_sequence: Sequence::new(root),
        sequence: Sequence::new(sequence),
        ..world.online()
    }
}

#[test]
fn a_good_list_is_taken_and_survives_its_bytes() {
    let world = World::new();
    let list = world.trust_list();
    assert_eq!(list.root(), &world.root());
    assert_eq!(list.online(), &world.online());
    assert_eq!(
        list.circuit(world.test.short()).unwrap().id(),
        world.test.entry.id()
    );
    assert_eq!(list.profile("gate"), Some(&rule()));
    assert_eq!(list.profile("other"), None);
    let restored = TrustList::restore(list.to_bytes(), &pinned())
        .unwrap()
        .complete()
        .unwrap();
    assert_eq!(restored.online(), list.online());
    assert!(after(list.to_bytes(), &list).is_ok(), "the same again");
}

#[test]
fn too_few_root_signatures_and_unknown_signers_are_refused() {
    let world = World::new();
    let online = world.online();
    let of = |seeds: &[u8]| {
        accept(&bundle(
            &[sign_root(world.root(), seeds)],
            online.clone(),
            &[1, 2],
        ))
    };
    assert!(of(&[1, 3]).is_ok() && of(&[1, 2, 3]).is_ok());
    for seeds in [&[1][..], &[], &[1, 1], &[1, 9]] {
        assert_eq!(
            of(seeds).unwrap_err(),
            Error::TooFewRootSignatures {
                of: "the pinned or earlier",
                have: usize::from(!seeds.is_empty()),
                need: 2
            }
        );
    }
}

#[test]
fn a_quorum_counts_provinces_and_refuses_strangers() {
    let world = World::new();
    let root = sign_root(world.root(), &[1, 2]);
    let of = |slots: &[u8]| accept(&bundle(std::slice::from_ref(&root), world.online(), slots));
    assert!(of(&[1, 2]).is_ok() && of(&[1, 2, 3]).is_ok());
    assert_eq!(
        of(&[3]).unwrap_err(),
        Error::TooFewProvinces { have: 1, need: 2 }
    );
    assert_eq!(of(&[1, 2, 4]).unwrap_err(), Error::UnknownSigner);
}

#[test]
fn two_slots_of_one_province_are_one_voice() {
    let world = World::new();
    let mut document = world.root();
    document.provinces.push(ProvinceEntry {
        province: province(33),
        slot: Slot::new(9).unwrap(),
        head_keys: HeadKeys::single(head_key(9).verifying_key()),
    });
    let root = sign_root(document, &[1, 2]);
    let of = |slots: &[u8]| accept(&bundle(std::slice::from_ref(&root), world.online(), slots));
    assert_eq!(
        of(&[1, 9]).unwrap_err(),
        Error::TooFewProvinces { have: 1, need: 2 }
    );
    assert!(of(&[2, 9]).is_ok());
}

#[test]
fn a_signature_by_one_province_in_anothers_name_is_refused() {
    let world = World::new();
    let signed = sign_online(world.online(), &[1, 2]);
    let bytes = signed.to_bytes().unwrap();
    let mut swapped = bytes.clone();
    let end = bytes.len();
    swapped[end - 64..].copy_from_slice(&bytes[end - 129..end - 65]);
    let bundle = Bundle {
        roots: vec![sign_root(world.root(), &[1, 2])],
        online: SignedOnline::from_bytes(&swapped).unwrap(),
    };
    assert_eq!(
        accept(&bundle.to_bytes().unwrap()).unwrap_err(),
        Error::BadSignature
    );
}

#[test]
fn a_sequence_never_falls_and_never_names_two_documents() {
    let world = World::new();
    let list = world.trust_list();
    let newer = online_with(&world, |o| o.sequence = Sequence::new(41));
    let newer = after(&newer, &list).unwrap();
    assert_eq!(
        after(list.to_bytes(), &newer).unwrap_err(),
        Error::SequenceFell {
            offered: 40,
            known: 41
        }
    );
    let other = online_with(&world, |o| o.soft_stale_s -= 1);
    assert_eq!(after(&other, &list).unwrap_err(), Error::Forked(40));
}

#[test]
fn a_known_epoch_gets_no_other_registry_risk_map_or_time() {
    let world = World::new();
    let list = world.trust_list();
    let rewritten = |change: &dyn Fn(&mut RegistryEntry)| {
        let bytes = online_with(&world, |o| {
            o.sequence = Sequence::new(41);
            change(&mut o.registries[4]);
        });
        assert!(accept(&bytes).is_ok(), "it is sound by itself");
        after(&bytes, &list).map(|_| ())
    };
    let refused = Err(Error::EpochRewritten(Epoch::new(7)));
    assert_eq!(rewritten(&|_| {}), Ok(()));
    assert_eq!(rewritten(&|e| e.root += Fr::from(1)), refused);
    assert_eq!(rewritten(&|e| e.risk_root = risk_root(MAP)), refused);
    let later = |e: &mut RegistryEntry| e.as_of = minute(e.as_of.get() + 1);
    assert_eq!(rewritten(&later), refused);
}

#[test]
fn the_fullest_list_fits_its_limits_and_one_of_another_layout_is_none() {
    let world = World::new();
    let full = OnlineDocument {
        registries: (0..1_008)
            .map(|n| RegistryEntry {
                epoch: Epoch::new(n),
                as_of: minute(FIRST_CLOSE - 2_000 + n),
                root: registry_root(n),
                risk_root: risk_root(MAP),
            })
            .collect(),
        batches: entries(1_345),
        ..world.online()
    };
    let bytes = full.to_bytes().unwrap();
    assert_eq!(bytes.len(), 33 + 2 + 1_008 * 72 + 2 + 1_345 * 36);
    assert_eq!(OnlineDocument::from_bytes(&bytes).unwrap(), full);
    let root = sign_root(world.root(), &[1, 2]);
    let list = consider(&bundle(&[root], full, &[1, 2, 3])).unwrap();
    assert_eq!(list.online().registries.len(), 1_008);
    assert_eq!(list.missing().len(), 1_345);
    for version in [0, 1, 2, 4] {
        let mut other = bytes.clone();
        other[0] = version;
        assert_eq!(
            OnlineDocument::from_bytes(&other),
            Err(Error::Layout(LayoutError::UnknownVersion(version)))
        );
    }
    // The risk root of the last registry stands right before the batches; above the field it is no element.
    let mut high = bytes;
    let at = 35 + 1_008 * 72;
    high[at - 32..at].fill(0xff);
    assert!(OnlineDocument::from_bytes(&high).is_err());
}

#[test]
fn root_documents_chain_through_changing_keys() {
    let world = World::new();
    let first = sign_root(root(&world, 1, &[1, 2, 3]), &[1, 2]);
    // Two keys leave, two come: signed by two of the old and two of the new.
    let second = sign_root(root(&world, 2, &[3, 4, 5]), &[2, 3, 4]);
    let third = sign_root(root(&world, 3, &[4, 5, 6]), &[4, 5]);
    let roots = [first.clone(), second.clone(), third.clone()];
    let whole = bundle(&roots, online_for(&world, 3, 41), &[1, 2]);

    let from_pin = accept(&whole).unwrap();
    assert_eq!(from_pin.root().sequence, Sequence::new(3));
    let from_first = after(&whole, &world.trust_list()).unwrap();
    assert_eq!(from_first.root().sequence, Sequence::new(3));
    // A verifier that was installed later pins later keys, and begins in the middle of the chain.
    let late = TrustList::accept(&whole, None, &root_keys(&[3, 4, 5], 2), NOW).unwrap();
    assert_eq!(late.root().sequence, Sequence::new(3));

    // A link is missing: the keys of the first document did not sign the third.
    let gap = bundle(&[first.clone(), third], online_for(&world, 3, 41), &[1, 2]);
    assert_eq!(
        accept(&gap).unwrap_err(),
        Error::TooFewRootSignatures {
            of: "the pinned or earlier",
            have: 0,
            need: 2
        }
    );
    // Going back.
    let back = bundle(&[first], online_for(&world, 1, 99), &[1, 2]);
    assert_eq!(
        after(&back, &from_pin).unwrap_err(),
        Error::SequenceFell {
            offered: 1,
            known: 3
        }
    );
    // Another second document than the one known.
    let known = bundle(
        std::slice::from_ref(&second),
        online_for(&world, 2, 41),
        &[1, 2],
    );
    let known = TrustList::accept(&known, None, &root_keys(&[3, 4, 5], 2), NOW).unwrap();
    let mut other = root(&world, 2, &[3, 4, 5]);
    other.grace_min = 60;
    let other = bundle(
        &[sign_root(other, &[2, 3, 4])],
        online_for(&world, 2, 42),
        &[1, 2],
    );
    assert_eq!(after(&other, &known).unwrap_err(), Error::Forked(2));
}

#[test]
fn a_new_root_needs_both_the_old_and_its_own_keys() {
    let world = World::new();
    let first = sign_root(root(&world, 1, &[1, 2, 3]), &[1, 2]);
    let of = |seeds: &[u8]| {
        let second = sign_root(root(&world, 2, &[4, 5, 6]), seeds);
        let bytes = bundle(&[first.clone(), second], online_for(&world, 2, 41), &[1, 2]);
        accept(&bytes).map(|_| ())
    };
    let few = |of, have| Err(Error::TooFewRootSignatures { of, have, need: 2 });
    assert_eq!(of(&[1, 2, 4, 5]), Ok(()));
    assert_eq!(of(&[1, 4, 5, 6]), few("the pinned or earlier", 1));
    assert_eq!(of(&[1, 2, 3, 4]), few("its own", 1));
    assert_eq!(of(&[1, 2, 4, 5, 9]), Err(Error::UnknownSigner));
}

#[test]
fn a_root_document_by_itself_needs_the_pinned_keys_and_its_own() {
    let world = World::new();
    let signed = |seeds: &[u8]| sign_root(root(&world, 1, &[3, 4, 5]), seeds);
    assert_eq!(signed(&[1, 2, 4, 5]).check_pinned(&pinned()), Ok(()));
    let signers: Vec<_> = (signed(&[1, 2, 4]).signatures().iter())
        .map(|s| s.key)
        .collect();
    let mut expected = [1, 2, 4].map(|seed| root_key(seed).verifying_key());
    expected.sort_by_key(ed25519_dalek::VerifyingKey::to_bytes);
    assert_eq!(signers, expected);
    // Third parties' signatures say nothing, and one key can count on both sides.
    assert_eq!(signed(&[1, 3, 4, 9]).check_pinned(&pinned()), Ok(()));
    for too_few in [&[1, 4, 5][..], &[1, 2, 4], &[4, 5, 9], &[]] {
        let refused = signed(too_few).check_pinned(&pinned());
        assert!(
            matches!(refused, Err(Error::TooFewRootSignatures { .. })),
            "{too_few:?}: {refused:?}"
        );
    }
}

#[test]
fn lists_that_ended_or_come_from_the_future_are_refused_and_can_still_be_restored() {
    let world = World::new();
    let ended = |end: UnixTime| {
        let mut document = world.root();
        document.expires_at = end;
        bundle(&[sign_root(document, &[1, 2])], world.online(), &[1, 2])
    };
    assert!(accept(&ended(UnixTime::from_s(NOW.get_s() + 1))).is_ok());
    let bytes = ended(NOW);
    assert_eq!(
        accept(&bytes).unwrap_err(),
        Error::Expired {
            ended_s: NOW.get_s(),
            now_s: NOW.get_s()
        }
    );
    assert!(TrustList::restore(&bytes, &pinned()).is_ok());
    let old = online_with(&world, |o| {
        o.issued_at = UnixTime::from_s(NOW.get_s() - 6 * 3_600);
    });
    assert!(matches!(accept(&old), Err(Error::Expired { .. })));
    let future = online_with(&world, |o| {
        o.issued_at = UnixTime::from_s(NOW.get_s() + 61);
    });
    assert!(matches!(accept(&future), Err(Error::FromTheFuture { .. })));
    let far = online_with(&world, |o| o.issued_at = UnixTime::from_s(u64::MAX));
    assert!(matches!(accept(&far), Err(Error::FromTheFuture { .. })));
}

#[test]
fn an_online_document_for_another_root_is_refused() {
    let world = World::new();
    let bytes = online_with(&world, |o| o.root_sequence = Sequence::new(2));
    assert_eq!(
        accept(&bytes).unwrap_err(),
        Error::RootMismatch { online: 2, root: 1 }
    );
}

#[test]
fn empty_oversized_and_contradictory_documents_are_refused_by_writer_and_reader() {
    let world = World::new();
    let online = |change: &dyn Fn(&mut OnlineDocument)| {
        let mut document = world.online();
        change(&mut document);
        document.to_bytes().unwrap_err()
    };
    let root = |change: &dyn Fn(&mut RootDocument)| {
        let mut document = world.root();
        change(&mut document);
        document.to_bytes().unwrap_err()
    };
    let content = |error: Error| matches!(error, Error::TrustContent(_));
    let order = |error: Error| matches!(error, Error::Layout(LayoutError::NotAscending(_)));
    assert!(content(online(&|d| d.registries.clear())));
    assert!(content(online(&|d| d.soft_stale_s = d.hard_stale_s + 1)));
    assert!(content(online(&|d| d.sequence = Sequence::new(0))));
    assert!(content(online(&|d| d.batches = entries(1_346))));
    assert!(content(online(&|d| {
        d.batches = entries(2);
        d.batches[0].at = minute(d.batches[1].at.get() - 14);
    })));
    assert!(content(online(&|d| {
        d.batches = entries(1);
        d.batches[0].at = minute(d.issued_at.minute().get() + 1);
    })));
    assert!(order(online(&|d| d.registries.swap(0, 1))));
    assert!(order(online(&|d| {
        d.batches = entries(2);
        d.batches[0].at = d.batches[1].at;
    })));
    assert!(order(online(&|d| d.registries[1].as_of = close(3))));
    assert!(content(root(&|d| d.provinces.clear())));
    assert!(content(root(&|d| d.circuits.clear())));
    assert!(content(root(&|d| d.rule_sets.clear())));
    assert!(content(root(&|d| d.profiles.clear())));
    assert!(content(root(&|d| d.grace_min = 14 * 1440 + 1)));
    assert!(content(root(&|d| d.rule_sets[0].name = "a b".to_owned())));
    assert!(content(root(
        &|d| d.rule_sets[0].superseded_at = Some(close(0))
    )));
    assert!(content(root(
        &|d| d.profiles[0].rule.pass_age_max_min = 20_161
    )));
    assert!(content(root(&|d| d.provinces[0].province = province(0))));
    assert!(content(root(&|d| {
        d.provinces[0].head_keys = d.provinces[1].head_keys.clone();
    })));
    assert!(content(root(
        &|d| d.provinces[0].head_keys = HeadKeys::single(root_key(1).verifying_key())
    )));
    assert!(order(root(&|d| d.provinces.swap(0, 1))));
    assert!(order(root(&|d| d.circuits.swap(0, 1))));
    assert!(order(root(&|d| d.rule_sets.swap(0, 1))));
    let big = vec![0; MAX_BUNDLE_LEN_BYTES + 1];
    assert!(matches!(
        accept(&big),
        Err(Error::Layout(LayoutError::TooLong { .. }))
    ));
    assert!(accept(&[]).is_err());
    assert!(RootKeys::new(vec![], 0).is_err());
    assert!(RootKeys::new(vec![root_key(1).verifying_key()], 2).is_err());
}

#[test]
fn no_bit_of_a_list_can_change_and_no_end_can_be_cut_off() {
    let world = World::new();
    let list = world.trust_list();
    let good = list.to_bytes();
    for len in (0..good.len()).step_by(7) {
        assert!(accept(&good[..len]).is_err(), "{len}");
    }
    assert!(accept(&[good, &[0]].concat()).is_err());
    for at in (0..good.len()).step_by(11) {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(accept(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn signatures_and_documents_survive_their_bytes() {
    let world = World::new();
    let root = sign_root(world.root(), &[2, 1]);
    assert_eq!(
        SignedRoot::from_bytes(&root.to_bytes().unwrap()).unwrap(),
        root
    );
    let online = sign_online(world.online(), &[3, 1]);
    assert_eq!(
        SignedOnline::from_bytes(&online.to_bytes().unwrap()).unwrap(),
        online
    );
    let signature = ProvinceSignature {
        slot: Slot::new(3).unwrap(),
        signature: [7; 64],
    };
    assert_eq!(
        ProvinceSignature::from_bytes(&signature.to_bytes()).unwrap(),
        signature
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(accept(&bytes).is_err());
        if let Ok(document) = OnlineDocument::from_bytes(&bytes) {
            prop_assert_eq!(document.to_bytes().unwrap(), bytes);
        }
    }
}
