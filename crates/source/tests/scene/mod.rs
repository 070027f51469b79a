//! A federation of three provinces, and a log of one of them that can be made to say anything.
#![allow(dead_code, reason = "each suite uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};

use commitment::Fr;
use ed25519_dalek::SigningKey;
use ledger::log::{
    AddCheckpoint, CommitmentBatch, Entry, Log, LogError, LogHash, LogSigner, SignedCheckpoint,
    SignedLogKeys, TilePath, WitnessState, bundle, leaf_hash,
};
use ledger::receipt::{Batch, Commitment, Content, HeldReceipt, PROMISE_MIN, Receipt, Salt};
use ledger::{
    CosignedStatement, Epoch, HeadHash, HeadKeys, Member, Minute, ProvinceCode, RegistryStatement,
    Roster, RuleSetsDigest, Slot, TreeHead,
};
use source::{LogReader, Trust, Unread};

pub(crate) const EVENT: &[u8] = b"the bytes of an event";
const PROVINCES: [u8; 3] = [33, 35, 42];

pub(crate) fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub(crate) fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

pub(crate) fn head_key(place: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + place; 32])
}

fn signer(place: u8) -> LogSigner {
    LogSigner::derive(&[50 + place; 32])
}

pub(crate) fn trust() -> Trust {
    let members = (0..).zip(PROVINCES).map(|(place, code)| Member {
        province: province(code),
        slot: slot(place),
        head_keys: HeadKeys::single(head_key(place).verifying_key()),
    });
    Trust {
        federation: "test".to_owned(),
        roster: Roster::new(members.collect()).unwrap(),
    }
}

fn salt() -> Salt {
    Salt([3; 32])
}

pub(crate) fn receipt(accepted: u32) -> Receipt {
    Receipt {
        content: Content::Event,
        federation: "test".to_owned(),
        province: province(33),
        slot: slot(0),
        commitment: Content::Event.commit(&salt(), EVENT),
        accepted: minute(accepted),
        promised_by: minute(accepted + PROMISE_MIN),
    }
}

pub(crate) fn held(accepted: u32) -> HeldReceipt {
    HeldReceipt {
        salt: salt(),
        signed: receipt(accepted).sign(&head_key(0)),
    }
}

/// A receipt over content of its own.
pub(crate) fn held_for(accepted: u32, number: u32) -> HeldReceipt {
    let mut salt = salt();
    salt.0[..4].copy_from_slice(&number.to_be_bytes());
    let mut receipt = receipt(accepted);
    receipt.commitment = Content::Event.commit(&salt, &number.to_be_bytes());
    HeldReceipt {
        salt,
        signed: receipt.sign(&head_key(0)),
    }
}

/// What such a receipt is over.
pub(crate) fn content(held: &HeldReceipt) -> Vec<u8> {
    held.salt.0[..4].to_vec()
}

/// What a log serves, by path.
pub(crate) struct Served(pub(crate) BTreeMap<String, Vec<u8>>);

impl LogReader for Served {
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
        let found = self.0.get(path).filter(|bytes| bytes.len() <= limit_bytes);
        found.cloned().ok_or_else(|| Unread {
            path: path.to_owned(),
            what: "there is none".to_owned(),
        })
    }
}

/// The holder of a province's keys, who writes what pleases.
pub(crate) struct Forger {
    place: u8,
    pub(crate) entries: Vec<Vec<u8>>,
    batches: Vec<(CommitmentBatch, Batch)>,
    /// How many others cosign.
    pub(crate) witnesses: u8,
}

impl Default for Forger {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Forger {
    pub(crate) fn of(place: u8) -> Self {
        Self {
            place,
            entries: Vec::new(),
            batches: Vec::new(),
            witnesses: 2,
        }
    }

    pub(crate) fn keys(&self) -> SignedLogKeys {
        keys(self.place)
    }

    fn tree_head(&self, at: u32) -> ledger::SignedTreeHead {
        let head = TreeHead {
            province: province(PROVINCES[usize::from(self.place)]),
            slot: slot(self.place),
            epoch: Epoch::new(at),
            head_time: minute(at),
            state_root: Fr::from(u64::from(at)),
            leaf_count: 1,
            rule_sets: RuleSetsDigest::of(&[]),
            previous: HeadHash::NONE,
        };
        head.sign(&head_key(self.place))
    }

    pub(crate) fn head(&mut self, at: u32) {
        let head = self.tree_head(at);
        self.entries.push(Entry::TreeHead(head).to_bytes());
    }

    pub(crate) fn registry(&mut self, at: u32) {
        let digest = RuleSetsDigest::of(&[]);
        let heads = [self.tree_head(at)];
        let statement =
            RegistryStatement::new(Epoch::new(at), minute(at), Fr::from(1), digest, &heads);
        let cosigned = CosignedStatement::new(statement.unwrap(), Vec::new());
        self.entries.push(Entry::Registry(cosigned).to_bytes());
    }

    pub(crate) fn batch(&mut self, at: u32, commitments: &[Commitment]) {
        let mut all: BTreeSet<Commitment> = commitments.iter().copied().collect();
        let mut filling = [self.entries.len().to_le_bytes()[0]; 32];
        while all.len() < 256 {
            filling[..2].copy_from_slice(&u16::try_from(all.len() * 251).unwrap().to_be_bytes());
            all.insert(Commitment(filling));
        }
        self.log(at, Batch::new(all).unwrap());
    }

    /// The same with the first commitment last.
    pub(crate) fn batch_out_of_order(&mut self, at: u32, commitments: &[Commitment]) {
        let mut honest = Self::of(self.place);
        honest.batch(at, commitments);
        let mut bytes = honest.batches[0].1.to_bytes();
        bytes.rotate_left(32);
        self.log(at, Batch::from_served(&bytes).unwrap());
    }

    fn log(&mut self, at: u32, batch: Batch) {
        let entry = CommitmentBatch {
            at: minute(at),
            len: 256,
            root: batch.root().unwrap(),
        };
        self.entries.push(Entry::Commitments(entry).to_bytes());
        self.batches.push((entry, batch));
    }

    /// Logs what waits.
    pub(crate) fn flush(&mut self, at: u32, waiting: &mut Vec<HeldReceipt>) {
        let commitments: Vec<Commitment> = waiting
            .drain(..)
            .map(|held| held.signed.receipt.commitment)
            .collect();
        self.batch(at, &commitments);
    }

    fn tree(&self) -> Log {
        let mut log = Log::default();
        for entry in &self.entries {
            log.append(entry).unwrap();
        }
        log
    }

    /// All that such a log serves.
    pub(crate) fn served(&self) -> Served {
        let tree = self.tree();
        let size = tree.size();
        let mut served = BTreeMap::new();
        let leaves: Vec<LogHash> = self.entries.iter().map(|entry| leaf_hash(entry)).collect();
        let read = |bundle: u64| -> Result<Vec<LogHash>, LogError> {
            let first = usize::try_from(bundle * 256).unwrap();
            Ok(leaves[first..first + 256].to_vec())
        };
        for level in 0..2 {
            for index in 0..(size >> (8 * level)).div_ceil(256) {
                let left = (size >> (8 * level)) - index * 256;
                let path = TilePath {
                    level: Some(level),
                    index,
                    width: u16::try_from(left.min(256)).unwrap(),
                };
                let tile = tree.tile(path, size, &read).unwrap().unwrap();
                served.insert(path.to_string(), tile);
            }
        }
        for (index, entries) in (0..).zip(self.entries.chunks(256)) {
            let path = TilePath {
                level: None,
                index,
                width: u16::try_from(entries.len()).unwrap(),
            };
            let bytes = bundle(entries.iter().map(Vec::as_slice)).unwrap();
            served.insert(path.to_string(), bytes);
        }
        for (entry, batch) in &self.batches {
            let root = hex::encode(entry.root.0);
            let path = format!("commitments/{}/{root}", entry.at.get());
            served.insert(path, batch.to_bytes());
        }
        served.insert("checkpoint".to_owned(), self.checkpoint(&tree));
        let others = (0..3).filter(|place| *place != self.place);
        let all = std::iter::once(self.place).chain(others);
        served.insert(
            "keys".to_owned(),
            all.flat_map(|p| keys(p).to_bytes()).collect(),
        );
        Served(served)
    }

    fn checkpoint(&self, tree: &Log) -> Vec<u8> {
        let (size, root) = (tree.size(), tree.root().unwrap());
        let log = keys(self.place).keys.log_key("test").unwrap();
        let mut signed = signer(self.place).sign(size, root, &log).unwrap();
        let others = (0..3).filter(|place| *place != self.place);
        for other in others.take(self.witnesses.into()) {
            let name = keys(other).keys.witness_key("test").unwrap();
            let request = AddCheckpoint {
                old_size: 0,
                proof: Vec::new(),
                checkpoint: signed.clone(),
            };
            let permit = WitnessState::default().consider(&request, &log).unwrap();
            let line = permit.sign(&name, &signer(other), 60_000);
            signed = signed.with_cosignature(&line, &name).unwrap();
        }
        SignedCheckpoint::to_bytes(&signed).to_vec()
    }
}

fn keys(place: u8) -> SignedLogKeys {
    let public = signer(place).public(province(PROVINCES[usize::from(place)]), slot(place), 1);
    public.sign(Minute::ZERO, &head_key(place))
}
