//! What is newer in an online document than in the list that somebody has.

use commitment::Epoch;
use commitment::layout::{Reader, put_count};
use rules::Minute;
use sha2::{Digest as _, Sha256};

use super::batch::BatchEntry;
use super::online::{read_batch, read_registry, write_registry};
use super::root::list;
use super::signatures::{ProvinceSignature, SignedOnline, put_block};
use super::{
    MAX_BATCHES, MAX_BUNDLE_LEN_BYTES, MAX_REGISTRIES, OnlineDocument, RegistryEntry, Sequence,
    TrustList,
};
use crate::{Error, UnixTime};

const VERSION: u8 = 1;
/// Longest increment: a whole online document with its signatures, less than 100 bytes more.
pub const MAX_INCREMENT_LEN_BYTES: usize = super::MAX_SIGNED_ONLINE_LEN_BYTES + 128;

/// What somebody has, as they tell a publisher: enough to know what they lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InHand {
    /// Number of the root document; 0 for none.
    pub root_sequence: u64,
    /// Number of the online document; 0 for none.
    pub online_sequence: u64,
    /// Newest epoch with a registry; 0 for none.
    pub epoch: u32,
    /// Minute of the newest batch of revocations; 0 for none.
    pub batch_minute: u32,
}

impl InHand {
    /// What a list is.
    pub fn of(list: &TrustList) -> Self {
        let online = list.online();
        Self {
            root_sequence: list.root.sequence.get(),
            online_sequence: online.sequence.get(),
            epoch: online.registries.last().map_or(0, |e| e.epoch.get()),
            batch_minute: online.batches.last().map_or(0, |e| e.at.get()),
        }
    }
}

/// The way from a list in hand to the next online document under the same root document: what comes to it, and where what
/// is too old ends. It is no document of its own and carries no belief: what it leads to is checked like any list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    root_sequence: Sequence,
    sequence: Sequence,
    issued_at: UnixTime,
    soft_stale_s: u32,
    hard_stale_s: u32,
    first_epoch: Epoch,
    registries: Vec<RegistryEntry>,
    first_batch: Minute,
    batches: Vec<BatchEntry>,
    signatures: Vec<ProvinceSignature>,
    /// SHA-256 of the signed online document that it leads to.
    digest: [u8; 32],
}

impl Increment {
    /// What `list` has beyond what is in hand; none under another root document, where the whole is needed.
    ///
    /// # Errors
    /// As [`OnlineDocument::to_bytes`].
    pub fn of(list: &TrustList, in_hand: &InHand) -> Result<Option<Self>, Error> {
        let online = list.online();
        if in_hand.root_sequence != online.root_sequence.get() || in_hand.online_sequence == 0 {
            return Ok(None);
        }
        let registries = online.registries.iter();
        let batches = online.batches.iter();
        Ok(Some(Self {
            root_sequence: online.root_sequence,
            sequence: online.sequence,
            issued_at: online.issued_at,
            soft_stale_s: online.soft_stale_s,
            hard_stale_s: online.hard_stale_s,
            first_epoch: online
                .registries
                .first()
                .map_or(Epoch::default(), |e| e.epoch),
            registries: registries
                .filter(|e| e.epoch.get() > in_hand.epoch)
                .copied()
                .collect(),
            first_batch: online.batches.first().map_or(Minute::MAX, |e| e.at),
            batches: batches
                .filter(|e| e.at.get() > in_hand.batch_minute)
                .copied()
                .collect(),
            signatures: list.online.signatures().to_vec(),
            digest: Sha256::digest(list.online.to_bytes()?).into(),
        }))
    }

    /// The bundle that it leads to from `list`: still to be judged, as any other.
    ///
    /// # Errors
    /// [`Error::IncrementMismatch`] if it does not lead from `list` to the document that it was made for.
    pub fn apply(&self, list: &TrustList) -> Result<Vec<u8>, Error> {
        let known = list.online();
        if known.root_sequence != self.root_sequence {
            return Err(Error::IncrementMismatch);
        }
        let kept = known
            .registries
            .iter()
            .filter(|e| e.epoch >= self.first_epoch);
        let batches = known.batches.iter().filter(|e| e.at >= self.first_batch);
        let document = OnlineDocument {
            root_sequence: self.root_sequence,
            sequence: self.sequence,
            issued_at: self.issued_at,
            soft_stale_s: self.soft_stale_s,
            hard_stale_s: self.hard_stale_s,
            registries: kept.chain(&self.registries).copied().collect(),
            batches: batches.chain(&self.batches).copied().collect(),
        };
        let online = SignedOnline::new(document, self.signatures.clone());
        let online = online.to_bytes().map_err(|_| Error::IncrementMismatch)?;
        if Sha256::digest(&online)[..] != self.digest {
            return Err(Error::IncrementMismatch);
        }
        let roots = list.bytes.len() - 4 - list.online.to_bytes()?.len();
        let mut bundle = list.bytes[..roots].to_vec();
        put_block(&mut bundle, &online);
        if bundle.len() > MAX_BUNDLE_LEN_BYTES {
            return Err(Error::IncrementMismatch);
        }
        Ok(bundle)
    }

    /// The canonical bytes.
    ///
    /// Layout, big-endian: version 1 · root sequence 8 · sequence 8 · issued (s) 8 · soft 4 · hard 4 · first epoch kept 4 ·
    /// registries that come (count 2; as in the online document) · minute of the first batch kept 4 · batches that come
    /// (count 2; as there) · signatures (count 2; slot 1, signature 64) · SHA-256 of the signed online document 32.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.root_sequence.get().to_be_bytes());
        out.extend_from_slice(&self.sequence.get().to_be_bytes());
        out.extend_from_slice(&self.issued_at.get_s().to_be_bytes());
        out.extend_from_slice(&self.soft_stale_s.to_be_bytes());
        out.extend_from_slice(&self.hard_stale_s.to_be_bytes());
        out.extend_from_slice(&self.first_epoch.get().to_be_bytes());
        put_count(&mut out, self.registries.len());
        for entry in &self.registries {
            write_registry(entry, &mut out);
        }
        out.extend_from_slice(&self.first_batch.get().to_be_bytes());
        put_count(&mut out, self.batches.len());
        for entry in &self.batches {
            entry.write(&mut out);
        }
        put_count(&mut out, self.signatures.len());
        for signature in &self.signatures {
            out.extend_from_slice(&signature.to_bytes());
        }
        out.extend_from_slice(&self.digest);
        out
    }

    /// Reads an increment; whether it leads anywhere shows when it is applied.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_INCREMENT_LEN_BYTES)?;
        let r = &mut reader;
        r.version(VERSION)?;
        let increment = Self {
            root_sequence: Sequence::new(r.u64()?),
            sequence: Sequence::new(r.u64()?),
            issued_at: UnixTime::from_s(r.u64()?),
            soft_stale_s: r.u32()?,
            hard_stale_s: r.u32()?,
            first_epoch: r.epoch()?,
            registries: list(r, "registries", MAX_REGISTRIES, read_registry)?,
            first_batch: r.minute()?,
            batches: list(r, "batches", MAX_BATCHES, read_batch)?,
            signatures: list(r, "province signatures", commitment::REGISTRY_SLOTS, |r| {
                Ok(ProvinceSignature {
                    slot: r.slot()?,
                    signature: r.array()?,
                })
            })?,
            digest: r.array()?,
        };
        reader.finish()?;
        Ok(increment)
    }
}
