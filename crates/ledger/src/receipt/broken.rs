//! The evidence of a broken promise.

use commitment::Minute;
use commitment::layout::{LayoutError, Reader};

use super::{Absence, Commitment, Neighbour, ReceiptError, SignedReceipt};
use crate::Roster;
use crate::log::{
    CommitmentBatch, Entry, LogError, LogHash, MAX_CHECKPOINT_LEN_BYTES, MAX_PROOF_LEN,
    SIGNED_LOG_KEYS_LEN_BYTES, SignedCheckpoint, SignedLogKeys, check_inclusion, leaf_hash,
};

const VERSION: u8 = 1;
/// Most entries that are shown, as many as the layout can count: twenty times what a province with 20,000 events a second logs
/// between a promise and its end.
const ENTRIES_MAX: usize = 65_535;
/// Longest evidence that is read.
pub const BROKEN_PROMISE_LEN_MAX_BYTES: usize = 64 << 20;

/// An entry of the log with its way to the checkpoint's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownEntry {
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Its way to the root.
    pub proof: Vec<LogHash>,
    /// Of a batch that could have held the commitment: that it does not.
    pub absence: Option<Absence>,
}

/// A receipt, and the piece of the log that shows that it was not honoured: all entries from a batch made before the
/// commitment was accepted (or from the log's beginning) to one that tells of a time later than the promise, and of each
/// batch between them that it lacks the commitment.
///
/// It shows that the holder of a slot's head key promised, and that the log announced under that key shows a later time
/// without having kept the promise. It does not show what the commitment is over, nor whether malice or a fault is to blame.
///
/// Layout, big-endian: version 1 · receipt (length 1, then the bytes) · log keys 139 · checkpoint (length 4, then the
/// bytes) · index of the first entry 8 · entries (count 2; each: length 2, bytes, proof, absence). A proof: count 1, then
/// 32 bytes each. An absence: 0 for none; 1, 2 or 3 for the one below, the one above, or both; then of each position 4,
/// commitment 32, proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPromise {
    /// The promise.
    pub receipt: SignedReceipt,
    /// The log's keys.
    pub keys: SignedLogKeys,
    /// What the log signed.
    pub checkpoint: SignedCheckpoint,
    /// Index of the first entry shown.
    pub first: u64,
    /// The entries, one after the other.
    pub entries: Vec<ShownEntry>,
}

/// What is shown of a broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// When it was promised for.
    pub promised_by: Minute,
    /// The later time that the log tells.
    pub told: Minute,
    /// The index of the entry that tells it.
    pub index: u64,
    /// Batches that lack the commitment.
    pub batches: usize,
}

impl BrokenPromise {
    /// Checks all of it against a federation's name and members; nothing in it is taken on trust.
    ///
    /// # Errors
    /// The first thing that is wrong: as [`SignedReceipt::check`]; [`ReceiptError::Log`] for keys, a checkpoint or a proof
    /// that is not the log's; [`ReceiptError::NotAbsent`]; [`ReceiptError::NotShown`].
    pub fn check(&self, federation: &str, roster: &Roster) -> Result<Broken, ReceiptError> {
        let receipt = &self.receipt.receipt;
        self.receipt.check(federation, roster)?;
        self.keys.check(roster)?;
        if self.keys.keys.slot != receipt.slot {
            return Err(ReceiptError::NotShown("the log is another slot's"));
        }
        self.checkpoint
            .check_log(&self.keys.keys.log_key(federation)?)?;
        let mut batches = 0;
        let last = self.entries.len().saturating_sub(1);
        for (place, (index, shown)) in (self.first..).zip(&self.entries).enumerate() {
            self.check_entry(index, shown)?;
            let entry = Entry::from_bytes(&shown.entry).ok();
            if place == last {
                let told = entry.as_ref().and_then(Entry::told_time);
                let told = told.filter(|told| *told > receipt.promised_by);
                let told = told.ok_or(ReceiptError::NotShown(
                    "the last entry tells of no time after the promise",
                ))?;
                return Ok(Broken {
                    promised_by: receipt.promised_by,
                    told,
                    index,
                    batches,
                });
            }
            let Some(Entry::Commitments(batch)) = entry else {
                continue;
            };
            // A batch made before the commitment was accepted cannot hold it, nor can those before it.
            if place == 0 && batch.at < receipt.accepted {
                continue;
            }
            let absence = shown.absence.as_ref().ok_or(ReceiptError::NotAbsent)?;
            absence.check(receipt.commitment, &batch)?;
            batches += 1;
        }
        Err(ReceiptError::NotShown("no entry"))
    }

    /// Checks that an entry is in the tree, and that the first one is where the search may begin.
    fn check_entry(&self, index: u64, shown: &ShownEntry) -> Result<(), ReceiptError> {
        let leaf = leaf_hash(&shown.entry);
        let tree = (self.checkpoint.size(), self.checkpoint.root());
        check_inclusion(&shown.proof, (index, leaf), tree)?;
        if index > self.first || index == 0 {
            return Ok(());
        }
        match Entry::from_bytes(&shown.entry) {
            Ok(Entry::Commitments(CommitmentBatch { at, .. }))
                if at < self.receipt.receipt.accepted =>
            {
                Ok(())
            }
            _ => Err(ReceiptError::NotShown(
                "it begins neither with the log nor with a batch made before the event was accepted",
            )),
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`ReceiptError::Layout`] for more entries than are read, or a part that is longer than its layout admits.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        let mut out = vec![VERSION];
        let receipt = self.receipt.to_bytes();
        out.push(short(receipt.len(), "a receipt")?);
        out.extend(receipt);
        out.extend(self.keys.to_bytes());
        let checkpoint = self.checkpoint.to_bytes();
        let len = u32::try_from(checkpoint.len());
        let len = len.map_err(|_| LayoutError::Invalid("a checkpoint"))?;
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(checkpoint);
        out.extend_from_slice(&self.first.to_be_bytes());
        let count = u16::try_from(self.entries.len()).ok();
        let count = count.filter(|count| usize::from(*count) <= ENTRIES_MAX);
        let too_many = LayoutError::TooMany {
            what: "entries",
            count: self.entries.len(),
            limit: ENTRIES_MAX,
        };
        out.extend_from_slice(&count.ok_or(too_many)?.to_be_bytes());
        for shown in &self.entries {
            let len = u16::try_from(shown.entry.len());
            let len = len.map_err(|_| LayoutError::Invalid("an entry"))?;
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&shown.entry);
            put_proof(&mut out, &shown.proof)?;
            put_absence(&mut out, shown.absence.as_ref())?;
        }
        Ok(out)
    }

    /// Reads evidence; nothing is checked but its form.
    ///
    /// # Errors
    /// [`ReceiptError::Layout`] and [`ReceiptError::Log`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let mut reader = Reader::new(bytes, BROKEN_PROMISE_LEN_MAX_BYTES)?;
        reader.version(VERSION)?;
        let len = usize::from(reader.u8()?);
        let receipt = SignedReceipt::from_bytes(reader.slice(len)?)?;
        let keys = SignedLogKeys::from_bytes(reader.slice(SIGNED_LOG_KEYS_LEN_BYTES)?)?;
        let len = reader.u32()? as usize;
        if len > MAX_CHECKPOINT_LEN_BYTES {
            let limit = MAX_CHECKPOINT_LEN_BYTES;
            return Err(LayoutError::TooLong { len, limit }.into());
        }
        let checkpoint = SignedCheckpoint::from_bytes(reader.slice(len)?)?;
        let first = reader.u64()?;
        let mut entries = Vec::new();
        for _ in 0..reader.count("entries", ENTRIES_MAX)? {
            // Of any length that a bundle can give: a log may hold what is no entry.
            let len = usize::from(reader.u16()?);
            entries.push(ShownEntry {
                entry: reader.slice(len)?.to_vec(),
                proof: read_proof(&mut reader)?,
                absence: read_absence(&mut reader)?,
            });
        }
        reader.finish()?;
        Ok(Self {
            receipt,
            keys,
            checkpoint,
            first,
            entries,
        })
    }
}

fn short(len: usize, what: &'static str) -> Result<u8, LayoutError> {
    u8::try_from(len).map_err(|_| LayoutError::Invalid(what))
}

fn put_proof(out: &mut Vec<u8>, proof: &[LogHash]) -> Result<(), ReceiptError> {
    if proof.len() > MAX_PROOF_LEN {
        return Err(LogError::BadProof.into());
    }
    out.push(short(proof.len(), "a proof")?);
    for hash in proof {
        out.extend_from_slice(&hash.0);
    }
    Ok(())
}

fn read_proof(reader: &mut Reader<'_>) -> Result<Vec<LogHash>, LayoutError> {
    let count = usize::from(reader.u8()?);
    if count > MAX_PROOF_LEN {
        return Err(LayoutError::TooMany {
            what: "hashes",
            count,
            limit: MAX_PROOF_LEN,
        });
    }
    (0..count).map(|_| reader.array().map(LogHash)).collect()
}

fn put_absence(out: &mut Vec<u8>, absence: Option<&Absence>) -> Result<(), ReceiptError> {
    let Some(Absence { before, after }) = absence else {
        out.push(0);
        return Ok(());
    };
    out.push(u8::from(before.is_some()) + 2 * u8::from(after.is_some()));
    for neighbour in before.iter().chain(after) {
        out.extend_from_slice(&neighbour.position.to_be_bytes());
        out.extend_from_slice(&neighbour.commitment.0);
        put_proof(out, &neighbour.proof)?;
    }
    Ok(())
}

fn read_absence(reader: &mut Reader<'_>) -> Result<Option<Absence>, LayoutError> {
    let which = reader.u8()?;
    if which > 3 {
        return Err(LayoutError::Invalid("neighbours"));
    }
    let mut neighbour = |bit: u8| {
        (which & bit != 0)
            .then(|| {
                Ok(Neighbour {
                    position: reader.u32()?,
                    commitment: Commitment(reader.array()?),
                    proof: read_proof(reader)?,
                })
            })
            .transpose()
    };
    let (before, after) = (neighbour(1)?, neighbour(2)?);
    Ok((which > 0).then_some(Absence { before, after }))
}
