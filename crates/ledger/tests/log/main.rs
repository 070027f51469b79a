//! The transparency log: what C2SP publishes of it, a tree that shares no code, and what a witness must not be led to.

mod published;
mod tree;
mod witness;

use ed25519_dalek::SigningKey;
use ledger::log::{Log, LogHash, LogSigner, NoteKey, SignedCheckpoint, leaf_hash};
use ledger::{ProvinceCode, Slot};

/// The secret keys that a number makes.
fn signer(number: u8) -> LogSigner {
    LogSigner::derive(&[number; 32])
}

/// The log key and witness key of such a signer.
fn names(number: u8) -> (NoteKey, NoteKey) {
    let province = ProvinceCode::new(33).unwrap();
    let slot = Slot::new(number).unwrap();
    let keys = signer(number).public(province, slot, 1);
    (
        keys.log_key("test").unwrap(),
        keys.witness_key("test").unwrap(),
    )
}

fn head_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// A log with what is stored of it.
#[derive(Clone, Default)]
struct Kept {
    log: Log,
    entries: Vec<Vec<u8>>,
}

impl Kept {
    /// Entries that differ with `seed`.
    fn of(seed: u8, count: usize) -> Self {
        let mut kept = Self::default();
        for number in 0..count {
            kept.add([&[seed][..], &number.to_be_bytes()].concat());
        }
        kept
    }

    fn add(&mut self, entry: Vec<u8>) {
        self.log.append(&entry).unwrap();
        self.entries.push(entry);
    }

    fn size(&self) -> u64 {
        self.log.size()
    }

    /// Leaf hashes of a full bundle, from the entries.
    fn read(&self, bundle: u64) -> Result<Vec<LogHash>, ()> {
        let from = usize::try_from(bundle * 256).unwrap();
        let entries = self.entries.get(from..from + 256).ok_or(())?;
        Ok(entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    fn consistency(&self, old: u64, size: u64) -> Vec<LogHash> {
        let read = |bundle| self.read(bundle);
        self.log.prove_consistency(old, size, &read).unwrap()
    }

    fn root_at(&self, size: u64) -> LogHash {
        self.log.root_at(size, &|bundle| self.read(bundle)).unwrap()
    }

    fn checkpoint(&self, number: u8) -> SignedCheckpoint {
        let root = self.log.root().unwrap();
        signer(number)
            .sign(self.size(), root, &names(number).0)
            .unwrap()
    }
}
