//! Receipts, batches of commitments, and the evidence of broken promises.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use commitment::Minute;
use ed25519_dalek::SigningKey;
use ledger::log::{CommitmentBatch, Entry, Log, LogError, LogHash, leaf_hash};
use ledger::receipt::{
    Batch, BrokenPromise, Commitment, Content, HeldReceipt, Receipt, Salt, ShownEntry,
    SignedReceipt,
};

use crate::bytes::{canonical, says};
use crate::ledger_bytes::{log_key, log_keys, log_signer};
use crate::world::FEDERATION;

const CONTENT: &[u8] = b"an event";

/// The receipt that the seeds hold, and a log of two entries that breaks its promise.
static BROKEN: LazyLock<(HeldReceipt, BrokenPromise)> = LazyLock::new(broken);

pub(crate) fn check(data: &[u8]) {
    let (held, evidence) = &*BROKEN;
    let roster = &FEDERATION.roster;
    let read = HeldReceipt::from_bytes(data);
    if let Some(read) = canonical(data, read, HeldReceipt::to_bytes) {
        let fits = read.check_content(CONTENT).is_ok();
        let is_known = read.salt == held.salt
            && read.signed.receipt.commitment == held.signed.receipt.commitment
            && read.signed.receipt.content == Content::Event;
        assert_eq!(fits, is_known, "a receipt over something else");
    }
    let read = SignedReceipt::from_bytes(data);
    if let Some(read) = canonical(data, read, SignedReceipt::to_bytes) {
        assert!(read.check("test", roster).is_err(), "a receipt that no member gave");
    }
    if let Some(read) = canonical(data, Batch::from_bytes(data), Batch::to_bytes) {
        let commitment = held.signed.receipt.commitment;
        match read.absence(commitment) {
            Ok(None) => assert!(read.position(commitment).is_some()),
            Ok(Some(absence)) => {
                let Entry::Commitments(entry) = entry_of(&read) else {
                    return;
                };
                assert_eq!(absence.check(commitment, &entry), Ok(()));
            }
            Err(error) => says(&error),
        }
    }
    let read = BrokenPromise::from_bytes(data);
    let written = |evidence: &BrokenPromise| evidence.to_bytes().expect("what was read");
    if let Some(read) = canonical(data, read, written) {
        // Nobody of the federation gave this receipt.
        match read.check("test", roster) {
            Ok(_) => panic!("evidence against nobody's promise"),
            Err(error) => says(&error),
        }
        drop(evidence.check("test", roster));
    }
}

pub(crate) fn entry() -> Entry {
    entry_of(&batch())
}

fn entry_of(batch: &Batch) -> Entry {
    Entry::Commitments(CommitmentBatch {
        at: minute(8),
        len: u32::try_from(batch.commitments().len()).expect("short"),
        root: batch.root().expect("a batch"),
    })
}

fn minute(number: u32) -> Minute {
    Minute::new(number).expect("a minute")
}

fn batch() -> Batch {
    let all: BTreeSet<Commitment> = (0..=u8::MAX).map(|n| Commitment([n; 32])).collect();
    Batch::new(all).expect("256 of them")
}

fn broken() -> (HeldReceipt, BrokenPromise) {
    let member = &FEDERATION.roster.members()[0];
    let salt = Salt([4; 32]);
    let receipt = Receipt {
        content: Content::Event,
        federation: "test".to_owned(),
        province: member.province,
        slot: member.slot,
        commitment: Content::Event.commit(&salt, CONTENT),
        accepted: minute(7),
        promised_by: minute(67),
    };
    let signed = receipt.sign(&SigningKey::from_bytes(&[6; 32]));
    let entries = [entry().to_bytes(), Entry::TreeHead(FEDERATION.heads[0]).to_bytes()];
    let mut log = Log::default();
    for entry in &entries {
        log.append(entry).expect("room");
    }
    let root = log.root().expect("a root");
    let absence = batch().absence(signed.receipt.commitment).expect("a batch");
    let shown = |place: usize| ShownEntry {
        entry: entries[place].clone(),
        proof: vec![leaf_hash(&entries[1 - place])],
        absence: if place == 0 { absence.clone() } else { None },
    };
    let evidence = BrokenPromise {
        receipt: signed.clone(),
        keys: log_keys(),
        checkpoint: sign(root).expect("the log's own key"),
        first: 0,
        entries: vec![shown(0), shown(1)],
    };
    (HeldReceipt { salt, signed }, evidence)
}

fn sign(root: LogHash) -> Result<ledger::log::SignedCheckpoint, LogError> {
    log_signer().sign(2, root, &log_key())
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let (held, evidence) = &*BROKEN;
    vec![
        held.to_bytes(),
        held.signed.to_bytes(),
        batch().to_bytes(),
        evidence.to_bytes().expect("short"),
    ]
}
