//! Batches of revocations, increments, and the attacks on a trust list, each by its name.

use std::time::Instant;

use commitment::Epoch;
use verifier::trust::{
    BATCH_LEN_BYTES, Bundle, InHand, Increment, OnlineDocument, Profile, RegistryEntry,
    RevocationBatch, RootDocument, RootKeys, Sequence, TrustList,
};
use verifier::{AcceptanceRule, BinderKinds, Error, RevocationHash, UnixTime};

use crate::bench::later;
use crate::fixture::*;

fn pinned() -> RootKeys {
    root_keys(&[1, 2, 3], 2)
}

fn hash(r: [u8; 16]) -> RevocationHash {
    RevocationHash(commitment::revocation_hash(&r))
}

/// A list with these batches and this number, after another.
fn listed(
    world: &World,
    batches: &[RevocationBatch],
    sequence: u64,
    previous: Option<&TrustList>,
) -> Result<TrustList, Error> {
    let online = OnlineDocument {
        sequence: Sequence::new(sequence),
        batches: batches.iter().map(RevocationBatch::entry).collect(),
        ..world.online()
    };
    let bytes = bundle(&[sign_root(world.root(), &[1, 2])], online, &[1, 2]);
    let mut candidate = TrustList::consider(&bytes, previous, &pinned(), NOW)?;
    for entry in candidate.missing().to_vec() {
        let batch = batches.iter().find(|b| b.entry() == entry).unwrap();
        candidate.supply(&batch.to_bytes())?;
    }
    candidate.complete()
}

#[test]
fn every_member_of_every_batch_is_revoked_and_nobody_else() {
    let world = World::new();
    let batches = [batch(close(11), &[[1; 16]]), batch(close(12), &[[2; 16]])];
    let list = listed(&world, &batches, 40, None).unwrap();
    assert_eq!(list.revocations(), 2_000);
    for revocation in batches.iter().flat_map(RevocationBatch::revocations) {
        assert!(list.is_revoked(revocation.hash()));
        // What stands on the list is r: an h that somebody has seen in a pass revokes nothing.
        assert!(!list.is_revoked(RevocationHash(revocation.0)));
    }
    for n in 0..100_000_u128 {
        assert!(!list.is_revoked(hash((n | 1 << 127).to_be_bytes())));
    }
}

#[test]
fn a_list_is_none_until_every_batch_is_there_and_takes_no_other() {
    let world = World::new();
    let own = batch(close(12), &[[1; 16]]);
    let online = OnlineDocument {
        batches: vec![own.entry()],
        ..world.online()
    };
    let bytes = bundle(&[sign_root(world.root(), &[1, 2])], online, &[1, 2]);
    let mut candidate = TrustList::consider(&bytes, None, &pinned(), NOW).unwrap();
    let refused = candidate.clone().complete().map(|_| ());
    assert_eq!(refused, Err(Error::MissingBatches(1)));
    let other = batch(close(12), &[[2; 16]]).to_bytes();
    assert_eq!(candidate.supply(&other), Err(Error::UnknownBatch));
    assert!(candidate.supply(&own.to_bytes()[..100]).is_err());
    candidate.supply(&own.to_bytes()).unwrap();
    assert_eq!(candidate.supply(&own.to_bytes()), Err(Error::UnknownBatch));
    let list = candidate.complete().unwrap();
    assert!(list.is_revoked(hash([1; 16])));
    // The next list has it in hand.
    let next = listed(&world, &[own], 41, Some(&list)).unwrap();
    assert!(next.is_revoked(hash([1; 16])));
}

#[test]
fn attack_dropping_a_revocation_before_its_time_is_refused_and_after_it_is_not() {
    let world = World::new();
    // Profiles admit passes of at most 14 days, and clocks may differ by a minute.
    let ended = minute(NOW.minute().get() - 5 - 14 * 1_440 - 2);
    let (older, newer) = (batch(ended, &[[1; 16]]), batch(close(12), &[[2; 16]]));
    let list = listed(&world, &[older, newer.clone()], 40, None).unwrap();
    assert!(listed(&world, &[newer], 41, Some(&list)).is_ok());
    let dropped = listed(&world, &[], 41, Some(&list)).map(|_| ());
    assert_eq!(dropped, Err(Error::RevocationsDropped(close(12))));
    let exchanged = batch(close(12), &[[3; 16]]);
    let dropped = listed(&world, &[exchanged], 41, Some(&list)).map(|_| ());
    assert_eq!(dropped, Err(Error::RevocationsDropped(close(12))));
}

#[test]
fn attack_rollback_to_an_older_list_does_not_bring_a_revoked_pass_back() {
    let world = World::new();
    let before = world.trust_list();
    let list = listed(&world, &[batch(close(12), &[[1; 16]])], 41, Some(&before)).unwrap();
    let back = TrustList::accept(before.to_bytes(), Some(&list), &pinned(), NOW);
    let (offered, known) = (40, 41);
    assert_eq!(back.unwrap_err(), Error::SequenceFell { offered, known });
}

#[test]
fn attack_freeze_ends_with_the_hard_age_of_the_list() {
    let world = World::new();
    let bytes = world.bundle();
    let list = world.trust_list();
    let again = |now| TrustList::accept(&bytes, Some(&list), &pinned(), now).map(|_| ());
    assert_eq!(again(later(6 * 3_600 - 301)), Ok(()));
    let end = later(6 * 3_600 - 300);
    let (ended_s, now_s) = (end.get_s(), end.get_s());
    assert_eq!(again(end), Err(Error::Expired { ended_s, now_s }));
}

#[test]
fn attack_fast_forward_needs_a_quorum_and_a_new_root_document_is_no_way_around_it() {
    let world = World::new();
    let list = world.trust_list();
    let far = OnlineDocument {
        sequence: Sequence::new(u64::MAX),
        ..world.online()
    };
    // One province alone cannot push the number so far that no later document is newer.
    let bytes = bundle(&[sign_root(world.root(), &[1, 2])], far.clone(), &[3]);
    let refused = TrustList::accept(&bytes, Some(&list), &pinned(), NOW).map(|_| ());
    assert_eq!(refused, Err(Error::TooFewProvinces { have: 1, need: 2 }));
    // A quorum that does is found out by anybody, and ended by installing the pin anew: numbers rise over roots, too.
    let bytes = bundle(&[sign_root(world.root(), &[1, 2])], far, &[1, 2]);
    let stuck = TrustList::accept(&bytes, Some(&list), &pinned(), NOW).unwrap();
    let root = RootDocument {
        sequence: Sequence::new(2),
        ..world.root()
    };
    let roots = [sign_root(world.root(), &[1, 2]), sign_root(root, &[1, 2])];
    let online = OnlineDocument {
        root_sequence: Sequence::new(2),
        ..world.online()
    };
    let bytes = bundle(&roots, online, &[1, 2]);
    let refused = TrustList::accept(&bytes, Some(&stuck), &pinned(), NOW);
    assert!(matches!(refused, Err(Error::SequenceFell { .. })));
    assert!(TrustList::accept(&bytes, None, &pinned(), NOW).is_ok());
    // A date of tomorrow is refused whoever signed it.
    let tomorrow = OnlineDocument {
        issued_at: later(86_400),
        ..world.online()
    };
    let bytes = bundle(&[sign_root(world.root(), &[1, 2])], tomorrow, &[1, 2]);
    let refused = TrustList::accept(&bytes, None, &pinned(), NOW);
    assert!(matches!(refused, Err(Error::FromTheFuture { .. })));
}

#[test]
fn attack_mix_and_match_of_documents_signatures_and_batches_is_refused() {
    let world = World::new();
    let own = batch(close(12), &[[1; 16]]);
    let first = listed(&world, &[own], 41, None).unwrap();
    let second = listed(&world, &[batch(close(12), &[[2; 16]])], 42, None).unwrap();
    // The document of one list under the signatures of the other.
    let [a, b] = [&first, &second].map(|l| Bundle::from_bytes(l.to_bytes()).unwrap());
    let (a, b) = (a.online.to_bytes().unwrap(), b.online.to_bytes().unwrap());
    let signatures = 2 + 2 * 65;
    let mixed = [&a[..a.len() - signatures], &b[b.len() - signatures..]].concat();
    let roots = vec![sign_root(world.root(), &[1, 2])];
    let online = verifier::trust::SignedOnline::from_bytes(&mixed).unwrap();
    let bytes = Bundle { roots, online }.to_bytes().unwrap();
    let refused = TrustList::consider(&bytes, None, &pinned(), NOW).map(|_| ());
    assert_eq!(refused, Err(Error::BadSignature));
    // An online document of one root with another root.
    let other = RootDocument {
        sequence: Sequence::new(2),
        ..world.root()
    };
    let bytes = bundle(&[sign_root(other, &[1, 2])], world.online(), &[1, 2]);
    let refused = TrustList::consider(&bytes, None, &pinned(), NOW).map(|_| ());
    assert_eq!(refused, Err(Error::RootMismatch { online: 1, root: 2 }));
    // The batch of one list beside the document of the other.
    let mut candidate = TrustList::consider(second.to_bytes(), None, &pinned(), NOW).unwrap();
    let other = batch(close(12), &[[1; 16]]).to_bytes();
    assert_eq!(candidate.supply(&other), Err(Error::UnknownBatch));
}

#[test]
fn an_increment_leads_to_the_very_list_and_from_any_other_nowhere() {
    let world = World::new();
    let first = batch(close(11), &[[1; 16]]);
    let old = listed(&world, std::slice::from_ref(&first), 40, None).unwrap();
    let mut online = world.online();
    online.sequence = Sequence::new(41);
    online.registries.remove(0);
    let newest = *online.registries.last().unwrap();
    online.registries.push(RegistryEntry {
        epoch: Epoch::new(13),
        as_of: minute(newest.as_of.get() + 5),
        ..newest
    });
    let second = batch(close(12), &[[2; 16]]);
    online.batches = vec![first.entry(), second.entry()];
    let whole = bundle(&[sign_root(world.root(), &[1, 2])], online, &[1, 2]);
    let mut candidate = TrustList::consider(&whole, Some(&old), &pinned(), NOW).unwrap();
    assert_eq!(candidate.missing(), [second.entry()]);
    candidate.supply(&second.to_bytes()).unwrap();
    let new = candidate.complete().unwrap();

    let increment = Increment::of(&new, &InHand::of(&old)).unwrap().unwrap();
    let bytes = increment.to_bytes();
    assert_eq!(Increment::from_bytes(&bytes), Ok(increment.clone()));
    assert_eq!(increment.apply(&old).unwrap(), new.to_bytes());
    // One registry, one batch, two signatures and the frame.
    assert_eq!(bytes.len(), 37 + 2 + 72 + 4 + 2 + 36 + 2 + 2 * 65 + 32);
    let elsewhere = world.trust_list();
    assert_eq!(increment.apply(&elsewhere), Err(Error::IncrementMismatch));
    let mut damaged = bytes.clone();
    damaged[60] ^= 1;
    let damaged = Increment::from_bytes(&damaged).and_then(|i| i.apply(&old));
    assert!(damaged.is_err());
    for len in 0..bytes.len() {
        assert!(Increment::from_bytes(&bytes[..len]).is_err());
    }
    // Without a list, or under another root document, only the whole serves.
    assert_eq!(Increment::of(&new, &InHand::default()), Ok(None));
    let other = InHand {
        root_sequence: 2,
        ..InHand::of(&old)
    };
    assert_eq!(Increment::of(&new, &other), Ok(None));
}

/// The list of a federation of 34 provinces with everything of 14 days, or of the given number of both.
fn large(world: &World, registries: u32, batches: u32) -> (Vec<u8>, Vec<RevocationBatch>) {
    let mut root = world.root();
    root.provinces = (0..34)
        .map(|slot| entry_of(rules::ProvinceCode::ALL[usize::from(slot)], slot))
        .collect();
    root.profiles = vec![Profile {
        name: "gate".to_owned(),
        rule: AcceptanceRule {
            pass_age_max_min: 20_160,
            card_pass_age_max_min: 20_160,
            binders: BinderKinds::ALL,
            ..rule()
        },
    }];
    let now = NOW.minute().get();
    let all: Vec<RevocationBatch> = (0..batches)
        .map(|n| batch(minute(now - 20 - 15 * (batches - n)), &[]))
        .collect();
    let template = world.online().registries[0];
    let online = OnlineDocument {
        registries: (0..registries)
            .map(|n| RegistryEntry {
                epoch: Epoch::new(5_000 + n),
                as_of: minute(now - 20 - 20 * (registries - n)),
                ..template
            })
            .collect(),
        batches: all.iter().map(RevocationBatch::entry).collect(),
        ..world.online()
    };
    let slots: Vec<u8> = (0..34).collect();
    let bytes = bundle(&[sign_root(root, &[1, 2])], online, &slots);
    (bytes, all)
}

fn taken(bytes: &[u8], batches: &[RevocationBatch], previous: Option<&TrustList>) -> TrustList {
    let now = UnixTime::from_s(NOW.get_s());
    let mut candidate = TrustList::consider(bytes, previous, &pinned(), now).unwrap();
    for entry in candidate.missing().to_vec() {
        let batch = batches.iter().find(|b| b.entry().at == entry.at).unwrap();
        candidate.supply(&batch.to_bytes()).unwrap();
    }
    candidate.complete().unwrap()
}

#[test]
fn figures_of_a_list_of_34_provinces_whole_and_in_increments() {
    let world = World::new();
    let (old_bytes, batches) = large(&world, 72, 96);
    let old = taken(&old_bytes, &batches, None);
    let (bytes, more) = large(&world, 73, 97);
    // A day of registries and batches; what was listed moves by one place, so that the increment brings one of each.
    let new = taken(&bytes, &more, None);
    let in_hand = InHand {
        epoch: 5_071,
        batch_minute: more[95].at().get(),
        ..InHand::of(&old)
    };
    let increment = Increment::of(&new, &in_hand).unwrap().unwrap();
    let increment = increment.to_bytes().len();
    println!(
        "34 provinces, a day: whole {} bytes and {} of batches; increment {increment} bytes and one batch of {BATCH_LEN_BYTES}",
        bytes.len(),
        more.len() * BATCH_LEN_BYTES,
    );
    assert!(increment < 2_500 && bytes.len() < 25_000);
    let (bytes, batches) = large(&world, 1_008, 1_345);
    let began = Instant::now();
    let list = taken(&bytes, &batches, None);
    let took = began.elapsed();
    assert_eq!(list.revocations(), 1_345_000);
    let began = Instant::now();
    let hits = (0..1_000_u128).filter(|n| list.is_revoked(hash(n.to_be_bytes())));
    assert_eq!(hits.count(), 0);
    println!(
        "34 provinces, 14 days at most: whole {} bytes and {} of batches, taken in {took:?}; a look-up {:?} with its hash",
        bytes.len(),
        batches.len() * BATCH_LEN_BYTES,
        began.elapsed() / 1_000
    );
}
