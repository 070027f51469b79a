//! What a mirror takes, holds and lets go.

use std::sync::Arc;

use ledger::log::LogSigner;

use super::*;
use crate::Entropy;
use crate::store::{KeyRing, MemoryStore, StoreIdentity};

fn vault() -> Vault {
    let identity = StoreIdentity {
        federation: "test".to_owned(),
        province: rules::ProvinceCode::new(33).unwrap(),
    };
    let entropy = Arc::new(Entropy::from_seed([1; 32]));
    let store = Arc::new(MemoryStore::default());
    Vault::open(store, &identity, KeyRing::from_secret([2; 32]), entropy).unwrap()
}

fn slot() -> Slot {
    Slot::new(4).unwrap()
}

fn entry(number: u64) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[7; 92]].concat()
}

/// A log and its checkpoint.
fn log_of(count: u64) -> (Log, SignedCheckpoint) {
    let mut log = Log::default();
    (0..count).for_each(|number| log.append(&entry(number)).unwrap());
    signed(&log)
}

fn signed(log: &Log) -> (Log, SignedCheckpoint) {
    let signer = LogSigner::derive(&[3; 32]);
    let public = signer.public(rules::ProvinceCode::new(35).unwrap(), slot(), 1);
    let name = public.log_key("test").unwrap();
    let checkpoint = signer.sign(log.size(), log.root().unwrap(), &name);
    (log.clone(), checkpoint.unwrap())
}

fn part(log: &Log, first: u64, end: u64) -> LogPart {
    let read = |bundle: u64| -> Result<Vec<LogHash>, ()> {
        let first = bundle * u64::from(BUNDLE_LEN);
        Ok((first..first + u64::from(BUNDLE_LEN))
            .map(|number| leaf_hash(&entry(number)))
            .collect())
    };
    LogPart {
        entries: (first..end).map(entry).collect(),
        proof: log.prove_consistency(end, log.size(), &read).unwrap(),
    }
}

fn filled(vault: &Vault, count: u64, kept_max_bytes: u64) -> Mirror {
    let (log, checkpoint) = log_of(count);
    let mut mirror = Mirror::default();
    while mirror.row.end < count {
        let end = count.min(mirror.row.end + 100);
        let part = part(&log, mirror.row.end, end);
        let mut write = vault.write();
        let at = (vault, slot());
        mirror = mirror
            .with(at, &part, &checkpoint, &mut write, kept_max_bytes)
            .unwrap();
        write.commit().unwrap();
    }
    assert_eq!(mirror.checkpoint(), Some(checkpoint));
    mirror
}

#[test]
fn a_mirror_comes_back_from_its_bundles_roots_and_the_last_bundles_entries() {
    for count in [1, 255, 256, 257, 700] {
        let vault = vault();
        let mirror = filled(&vault, count, KEPT_MAX_BYTES);
        let again = Mirror::restore(&vault, slot()).unwrap().unwrap();
        assert_eq!(again.row, mirror.row);
        assert_eq!(again.log.root(), mirror.log.root());
    }
}

#[test]
fn a_log_beyond_the_limit_loses_its_oldest_bundles_and_goes_on() {
    let vault = vault();
    // 100 bytes an entry, and what it takes beside them.
    let limit = 600 * (100 + ENTRY_COST_BYTES);
    let mirror = filled(&vault, 2_000, limit);
    assert!(mirror.row.len_bytes <= limit && mirror.row.first >= 1_280);
    assert_eq!(mirror.row.first % u64::from(BUNDLE_LEN), 0);
    let rows = vault.keys(Table::Mirrored, &[4], usize::MAX).unwrap();
    assert_eq!(rows.len() as u64, 2_000 - mirror.row.first);
    let again = Mirror::restore(&vault, slot()).unwrap().unwrap();
    assert_eq!(again.row, mirror.row);
    let (log, _) = log_of(2_000);
    let read = |bundle| leaves_of(&vault, slot(), bundle);
    let proof = again.log.prove_consistency(1_900, 2_000, &read).unwrap();
    assert_eq!(proof, part(&log, 1_899, 1_900).proof);
}

#[test]
fn an_entry_counts_with_what_it_takes_beside_its_bytes_and_an_empty_one_is_refused() {
    let vault = vault();
    let mirror = filled(&vault, 300, KEPT_MAX_BYTES);
    assert_eq!(mirror.row.len_bytes, 300 * (100 + ENTRY_COST_BYTES));
    let mut log = Log::default();
    log.append(b"").unwrap();
    let (_, checkpoint) = signed(&log);
    let part = LogPart {
        entries: vec![Vec::new()],
        proof: Vec::new(),
    };
    let mut write = vault.write();
    let taken = Mirror::default().with(
        (&vault, slot()),
        &part,
        &checkpoint,
        &mut write,
        KEPT_MAX_BYTES,
    );
    assert_eq!(
        taken.err(),
        Some(NodeError::Refused(Reason::CheckpointRefused))
    );
}

#[test]
fn a_damaged_mirror_is_given_up_and_the_others_stay() {
    let vault = vault();
    filled(&vault, 300, KEPT_MAX_BYTES);
    let mut write = vault.write();
    write.put(Table::Mirrored, &key(slot(), 299), &entry(7));
    write.commit().unwrap();
    let mirrors = Mirrors::default();
    mirrors.restore(&vault).unwrap();
    assert!(mirrors.held().is_empty());
    for table in [Table::Mirrors, Table::Mirrored] {
        assert_eq!(vault.keys(table, b"", 1).unwrap(), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn other_entries_more_of_them_none_and_a_proof_of_something_else_are_refused() {
    let vault = vault();
    let (log, checkpoint) = log_of(300);
    let good = part(&log, 0, 100);
    let refused = |damage: fn(&mut LogPart)| {
        let mut bad = good.clone();
        damage(&mut bad);
        let mut write = vault.write();
        let at = (&vault, slot());
        let mirror = Mirror::default();
        mirror
            .with(at, &bad, &checkpoint, &mut write, KEPT_MAX_BYTES)
            .is_err()
    };
    assert!(!refused(|_| {}));
    assert!(refused(|part| part.entries[3][0] ^= 1));
    assert!(refused(|part| drop(part.entries.pop())));
    assert!(refused(|part| part.entries.push(entry(100))));
    assert!(refused(|part| part.entries = (0..301).map(entry).collect()));
    assert!(refused(|part| part.entries.clear()));
    assert!(refused(|part| part.entries[3].clear()));
    assert!(refused(|part| part.proof.clear()));
    assert!(refused(|part| part.proof[0].0[0] ^= 1));
}

/// A log that is another after `common` entries, its checkpoint, and the part of it from there on.
fn other_after(common: u64, count: u64) -> (SignedCheckpoint, LogPart) {
    let mut log = Log::default();
    let entries: Vec<Vec<u8>> = (0..count)
        .map(|number| entry(number + if number < common { 0 } else { 10_000 }))
        .collect();
    for entry in &entries {
        log.append(entry).unwrap();
    }
    let part = LogPart {
        entries: entries[usize::try_from(common).unwrap()..].to_vec(),
        proof: Vec::new(),
    };
    (signed(&log).1, part)
}

#[test]
fn what_is_held_beyond_what_was_cosigned_is_cut_and_another_history_goes_on_from_there() {
    for (held, cosigned) in [
        (700, 260),
        (700, 200),
        (700, 256),
        (700, 512),
        (12, 10),
        (5, 0),
    ] {
        let vault = vault();
        let mirror = filled(&vault, held, KEPT_MAX_BYTES);
        let (_, of) = log_of(cosigned);
        let of = (cosigned > 0).then_some(of);
        let (checkpoint, part) = other_after(cosigned, cosigned + 90);
        let mut write = vault.write();
        let at = (&vault, slot());
        assert!(!mirror.fits(&vault, slot(), &checkpoint));
        let stuck = mirror.with(at, &part, &checkpoint, &mut vault.write(), KEPT_MAX_BYTES);
        assert!(stuck.is_err(), "{held} {cosigned}");
        let cut = mirror.cut_to(at, of.as_ref(), &mut write).unwrap();
        write.commit().unwrap();
        assert_eq!((cut.row.end, cut.log.size()), (cosigned, cosigned));
        assert_eq!(cut.row.len_bytes, cosigned * (100 + ENTRY_COST_BYTES));
        assert_eq!(cut.checkpoint(), of);
        let rows = vault.keys(Table::Mirrored, &[4], usize::MAX).unwrap();
        assert_eq!(rows.len() as u64, cosigned);
        // As a start finds it.
        let again = Mirror::restore(&vault, slot()).unwrap().unwrap();
        assert_eq!(again.log.root(), cut.log.root());
        let mut write = vault.write();
        let on = cut.with(at, &part, &checkpoint, &mut write, KEPT_MAX_BYTES);
        write.commit().unwrap();
        assert_eq!(on.unwrap().checkpoint(), Some(checkpoint));
        assert!(Mirror::restore(&vault, slot()).unwrap().is_some());
    }
}
