//! The online document: registries, each with its risk map, and batches of revocations, signed by a quorum of provinces.

use commitment::layout::{Reader, put_count};
use commitment::{Epoch, Fr, fr_to_bytes};
use rules::Minute;

use super::batch::{BatchDigest, BatchEntry};
use super::root::{ascending, list};
use super::{MAX_ONLINE_LEN_BYTES, Sequence};
use crate::{Error, UnixTime};

/// Version 1 listed risk maps beside the registries, each with its own time and grace; version 2 the hashes of revoked
/// passes.
const VERSION: u8 = 3;
const DOMAIN: &[u8] = b"viridian/trust-online/v3\0";
/// Most registries: 14 days of one every twenty minutes.
pub const MAX_REGISTRIES: usize = 1_008;
/// Least time between two batches of revocations, minutes.
pub const BATCH_SPACING_MIN: u32 = 15;
/// Most batches: as many as fall into 14 days, the longest age of a pass, and the minute by which clocks may differ.
pub const MAX_BATCHES: usize = 1_345;
/// Oldest hard age, in seconds: 7 days.
pub const STALE_LIMIT_S: u32 = 7 * 86_400;

/// The registry of an epoch, as far as a verifier needs it: all that its passes are judged against but their rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryEntry {
    /// The epoch.
    pub epoch: Epoch,
    /// Its closing minute.
    pub as_of: Minute,
    /// The root over the provinces' tree heads.
    pub root: Fr,
    /// The root of the one risk map of the epoch, from the same cosigned statement as `root`.
    pub risk_root: Fr,
}

/// The content of an online document, as its publishers write it and before anybody believes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineDocument {
    /// The root document that it goes with.
    pub root_sequence: Sequence,
    /// Its number; rises strictly, over root documents too.
    pub sequence: Sequence,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Age in seconds from which a gate should fetch a newer one.
    pub soft_stale_s: u32,
    /// Age in seconds from which a gate cannot tell; at most [`STALE_LIMIT_S`].
    pub hard_stale_s: u32,
    /// The registries, ascending by epoch and closing minute.
    pub registries: Vec<RegistryEntry>,
    /// The batches of revocations that still count, ascending by minute, at least [`BATCH_SPACING_MIN`] apart.
    pub batches: Vec<BatchEntry>,
}

impl OnlineDocument {
    /// The canonical bytes.
    ///
    /// Layout, big-endian: version 3 · root sequence 8 · sequence 8 · issued (s) 8 · soft 4 · hard 4 · registries
    /// (count 2; epoch 4, as-of 4, root 32, risk root 32) · batches
    /// (count 2; minute 4, digest 32).
    ///
    /// # Errors
    /// [`Error::TrustContent`] or [`Error::Layout`] for a content that a reader would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.root_sequence.get().to_be_bytes());
        out.extend_from_slice(&self.sequence.get().to_be_bytes());
        out.extend_from_slice(&self.issued_at.get_s().to_be_bytes());
        out.extend_from_slice(&self.soft_stale_s.to_be_bytes());
        out.extend_from_slice(&self.hard_stale_s.to_be_bytes());
        put_count(&mut out, self.registries.len());
        for entry in &self.registries {
            write_registry(entry, &mut out);
        }
        put_count(&mut out, self.batches.len());
        for entry in &self.batches {
            entry.write(&mut out);
        }
        Ok(out)
    }

    /// Reads a document; nothing is believed yet.
    ///
    /// # Errors
    /// [`Error::Layout`] or [`Error::TrustContent`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_ONLINE_LEN_BYTES)?;
        let r = &mut reader;
        r.version(VERSION)?;
        let document = Self {
            root_sequence: Sequence::new(r.u64()?),
            sequence: Sequence::new(r.u64()?),
            issued_at: UnixTime::from_s(r.u64()?),
            soft_stale_s: r.u32()?,
            hard_stale_s: r.u32()?,
            registries: list(r, "registries", MAX_REGISTRIES, read_registry)?,
            batches: list(r, "batches", MAX_BATCHES, read_batch)?,
        };
        reader.finish()?;
        document.check()?;
        Ok(document)
    }

    /// What the provinces sign: a domain string and the canonical bytes.
    ///
    /// # Errors
    /// As [`OnlineDocument::to_bytes`].
    pub fn signing_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok([DOMAIN, &self.to_bytes()?].concat())
    }

    fn check(&self) -> Result<(), Error> {
        if self.sequence.get() == 0 {
            return Err(Error::TrustContent("sequences begin at 1"));
        }
        if self.soft_stale_s == 0
            || self.soft_stale_s > self.hard_stale_s
            || self.hard_stale_s > STALE_LIMIT_S
        {
            return Err(Error::TrustContent(
                "a soft age from 1 s to the hard age, and that to 7 days",
            ));
        }
        if self.registries.is_empty() || self.registries.len() > MAX_REGISTRIES {
            return Err(Error::TrustContent("1 to 1,008 registries"));
        }
        ascending(&self.registries, |e| e.epoch, "registries by epoch")?;
        ascending(
            &self.registries,
            |e| e.as_of,
            "registries by closing minute",
        )?;
        self.check_batches()
    }

    fn check_batches(&self) -> Result<(), Error> {
        if self.batches.len() > MAX_BATCHES {
            return Err(Error::TrustContent("at most 1,345 batches of revocations"));
        }
        ascending(&self.batches, |e| e.at, "batches by minute")?;
        let are_spaced =
            |pair: &[BatchEntry]| pair[1].at.get() - pair[0].at.get() >= BATCH_SPACING_MIN;
        if !self.batches.windows(2).all(are_spaced) {
            return Err(Error::TrustContent("15 minutes between two batches"));
        }
        let last = self.batches.last();
        if last.is_some_and(|entry| entry.at > self.issued_at.minute()) {
            return Err(Error::TrustContent("a batch of after the document"));
        }
        Ok(())
    }
}

pub(super) fn write_registry(entry: &RegistryEntry, out: &mut Vec<u8>) {
    out.extend_from_slice(&entry.epoch.get().to_be_bytes());
    out.extend_from_slice(&entry.as_of.get().to_be_bytes());
    out.extend_from_slice(&fr_to_bytes(entry.root));
    out.extend_from_slice(&fr_to_bytes(entry.risk_root));
}

pub(super) fn read_batch(r: &mut Reader<'_>) -> Result<BatchEntry, Error> {
    Ok(BatchEntry {
        at: r.minute()?,
        digest: BatchDigest(r.array()?),
    })
}

pub(super) fn read_registry(r: &mut Reader<'_>) -> Result<RegistryEntry, Error> {
    Ok(RegistryEntry {
        epoch: r.epoch()?,
        as_of: r.minute()?,
        root: r.fr()?,
        risk_root: r.fr()?,
    })
}
