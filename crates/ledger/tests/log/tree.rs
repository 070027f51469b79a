//! Against a tree by the words of RFC 6962, section 2.1, that shares no code.

use ledger::log::{
    AddCheckpoint, BUNDLE_LEN, ENTRY_BUNDLE_LEN_MAX_BYTES, Entry, LogError, LogHash, ReadError,
    TilePath, bundle, check_consistency, check_inclusion, leaf_hash, read_bundle,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::Kept;

/// MTH(D\[n\]).
fn naive_root(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries {
        [] => Sha256::digest([]).into(),
        [one] => Sha256::new_with_prefix([0])
            .chain_update(one)
            .finalize()
            .into(),
        _ => {
            let (left, right) = entries.split_at(half(entries.len()));
            let hash = Sha256::new_with_prefix([1]).chain_update(naive_root(left));
            hash.chain_update(naive_root(right)).finalize().into()
        }
    }
}

/// The largest power of two below `n`.
fn half(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

/// PATH(m, D\[n\]).
fn naive_path(m: usize, entries: &[Vec<u8>]) -> Vec<LogHash> {
    if entries.len() < 2 {
        return Vec::new();
    }
    let (left, right) = entries.split_at(half(entries.len()));
    let (mut path, other) = if m < left.len() {
        (naive_path(m, left), right)
    } else {
        (naive_path(m - left.len(), right), left)
    };
    path.push(LogHash(naive_root(other)));
    path
}

/// SUBPROOF(m, D\[n\], b).
fn naive_subproof(m: usize, entries: &[Vec<u8>], whole: bool) -> Vec<LogHash> {
    if m == entries.len() {
        return if whole {
            Vec::new()
        } else {
            vec![LogHash(naive_root(entries))]
        };
    }
    let (left, right) = entries.split_at(half(entries.len()));
    let (mut proof, other) = if m <= left.len() {
        (naive_subproof(m, left, whole), right)
    } else {
        (naive_subproof(m - left.len(), right, false), left)
    };
    proof.push(LogHash(naive_root(other)));
    proof
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn roots_and_proofs_are_those_of_the_rfc(size in 1_usize..1_400, a in 0.0..1.0, b in 0.0..1.0) {
        let kept = Kept::of(1, size);
        let pick = |share: f64, below: usize| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
            let picked = (share * below as f64) as usize;
            picked.min(below - 1)
        };
        let now = pick(a, size) + 1; // a tree of that size, from 1
        let then = pick(b, now) + 1;
        let at = pick(b, now);
        let (now64, then64, at64) = (now as u64, then as u64, at as u64);
        let root = kept.root_at(now64);
        prop_assert_eq!(root.0, naive_root(&kept.entries[..now]));

        let read = |n| kept.read(n);
        let path = kept.log.prove_inclusion(at64, now64, &read).unwrap();
        prop_assert_eq!(&path, &naive_path(at, &kept.entries[..now]));
        let leaf = leaf_hash(&kept.entries[at]);
        prop_assert_eq!(check_inclusion(&path, (at64, leaf), (now64, root)), Ok(()));
        let other = leaf_hash(b"other");
        prop_assert_eq!(check_inclusion(&path, (at64, other), (now64, root)), Err(LogError::BadProof));
        prop_assert_eq!(check_inclusion(&path, (now64, leaf), (now64, root)), Err(LogError::BadProof));

        let proof = kept.consistency(then64, now64);
        prop_assert_eq!(&proof, &naive_subproof(then, &kept.entries[..now], true));
        let old = (then64, kept.root_at(then64));
        prop_assert_eq!(check_consistency(&proof, old, (now64, root)), Ok(()));
        let wrong = LogHash([7; 32]);
        prop_assert_eq!(check_consistency(&proof, (then64, wrong), (now64, root)), Err(LogError::BadProof));
        prop_assert_eq!(check_consistency(&proof, old, (now64, wrong)), Err(LogError::BadProof));
        let longer = [&proof[..], &[wrong]].concat();
        prop_assert_eq!(check_consistency(&longer, old, (now64, root)), Err(LogError::BadProof));
        for place in 0..proof.len() {
            let mut changed = proof.clone();
            changed[place].0[0] ^= 1;
            prop_assert_eq!(check_consistency(&changed, old, (now64, root)), Err(LogError::BadProof));
        }
    }

    #[test]
    fn any_bytes_for_a_proof_are_answered(
        bytes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        old in any::<u64>(), size in any::<u64>(), index in any::<u64>(),
    ) {
        let proof: Vec<LogHash> = bytes.into_iter().map(LogHash).collect();
        let root = LogHash([1; 32]);
        prop_assert!(check_inclusion(&proof, (index, root), (size, root)).is_err());
        let found = check_consistency(&proof, (old, LogHash([2; 32])), (size, root));
        prop_assert!(found.is_err());
    }

    #[test]
    fn any_text_for_a_request_is_answered(text in "(old )?[0-9]{0,3}\n([A-Za-z0-9+/=]{0,44}\n){0,3}\n.{0,40}") {
        prop_assert!(AddCheckpoint::from_bytes(text.as_bytes()).is_err());
        prop_assert!(Entry::from_bytes(text.as_bytes()).is_err());
    }
}

#[test]
fn tiles_hold_the_hashes_of_the_subtrees_that_the_specification_names() {
    let kept = Kept::of(3, 256 * 3 + 10);
    let read = |n| kept.read(n);
    let tile = |path: &str, size| {
        let path = TilePath::parse(path).unwrap();
        kept.log.tile(path, size, &read).unwrap()
    };
    let size = kept.size();
    let hashes = |range: std::ops::Range<usize>, step: usize| -> Vec<u8> {
        let subtrees = range.map(|n| naive_root(&kept.entries[n * step..(n + 1) * step]));
        subtrees.flatten().collect()
    };
    assert_eq!(tile("tile/0/001", size), Some(hashes(256..512, 1)));
    assert_eq!(tile("tile/0/003.p/10", size), Some(hashes(768..778, 1)));
    assert_eq!(tile("tile/1/000.p/3", size), Some(hashes(0..3, 256)));
    // Partial tiles of smaller trees stay readable; what the tree does not have is not.
    assert_eq!(tile("tile/0/001.p/7", size), Some(hashes(256..263, 1)));
    assert_eq!(tile("tile/1/000.p/1", 300), Some(hashes(0..1, 256)));
    assert_eq!(tile("tile/1/000.p/2", 300), None);
    assert_eq!(tile("tile/0/003.p/11", size), None);
    assert_eq!(tile("tile/entries/000", size), None);
    let path = TilePath::parse("tile/0/000").unwrap();
    let beyond = kept.log.tile(path, size + 1, &read);
    assert_eq!(beyond, Err(ReadError::Log(LogError::TooLarge(size + 1))));
}

#[test]
fn a_stored_bundle_that_cannot_be_read_is_said_and_needed_only_below_its_root() {
    let kept = Kept::of(4, 600);
    let broken = |n: u64| {
        if n == 0 {
            Err("gone")
        } else {
            kept.read(n).map_err(|()| "none")
        }
    };
    assert_eq!(kept.log.root().unwrap().0, naive_root(&kept.entries));
    let found = kept.log.prove_consistency(100, 600, &broken);
    assert_eq!(found, Err(ReadError::Read("gone")));
    assert!(kept.log.prove_consistency(512, 600, &broken).is_ok());
    assert!(kept.log.prove_inclusion(3, 600, &broken).is_err());
}

#[test]
fn bundles_give_back_their_entries_and_end_where_an_entry_ends() {
    let kept = Kept::of(5, 300);
    let bytes = bundle(kept.entries[..256].iter().map(Vec::as_slice)).unwrap();
    assert_eq!(read_bundle(&bytes).unwrap(), &kept.entries[..256]);
    assert_eq!(bytes[..2], 9_u16.to_be_bytes());
    assert!(read_bundle(&bytes[..bytes.len() - 1]).is_err());
    let long = bundle(kept.entries.iter().map(Vec::as_slice)).unwrap();
    assert!(read_bundle(&long).is_err());
    assert!(bundle([&vec![0; 65_536][..]]).is_err());
    let longest = vec![0; 65_535];
    let full = bundle(std::iter::repeat_n(&longest[..], BUNDLE_LEN.into())).unwrap();
    assert_eq!(full.len(), ENTRY_BUNDLE_LEN_MAX_BYTES);
}
