//! Whether a receipt was honoured.

use std::collections::BTreeSet;

use ledger::log::{
    BUNDLE_LEN, ENTRY_BUNDLE_LEN_MAX_BYTES, Entry, LogError, MAX_CHECKPOINT_LEN_BYTES, ReadError,
    SIGNED_LOG_KEYS_LEN_BYTES, SignedCheckpoint, SignedLogKeys, TilePath, check_inclusion,
    leaf_hash, prove_by_tiles, read_bundle,
};
use ledger::receipt::{
    Absence, Batch, Broken, BrokenPromise, HeldReceipt, Receipt, ReceiptError, ShownEntry,
};
use ledger::{Minute, ProvinceCode, Roster};

use crate::{LogReader, Unread};

/// Keys of a federation's logs: one of each slot.
const KEYS_LEN_MAX_BYTES: usize = 64 * SIGNED_LOG_KEYS_LEN_BYTES;
/// By how much the node's clock may be ahead of the reader's, minutes.
const CLOCK_TOLERANCE_MIN: i64 = 60;
const HASH_LEN_BYTES: usize = 32;
/// For how long a node serves the commitments of a batch, minutes: 30 days (docs/adr/0016).
const SERVED_MIN: i64 = 30 * 1_440;

/// What all is judged by: who the federation's members are.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The federation's name.
    pub federation: String,
    /// Its members, as the root document names them.
    pub roster: Roster,
}

/// What became of a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The commitment stands in the log, in time.
    InLog {
        /// Index of the batch's entry.
        index: u64,
        /// When the batch was made.
        at: Minute,
        /// Position in the batch.
        position: usize,
    },
    /// It does not yet, and need not.
    Pending,
    /// It does not, and the time of the promise has passed; but the log tells of no later time, so that nothing is shown. A
    /// node that is away looks so, and one that keeps its log back.
    Overdue,
    /// The commitment may stand in a batch of the log whose commitments are not served, though their time is not over: nothing
    /// is shown, and only whoever serves the log can say more. A node that lost its store and has its log back looks so, and
    /// one that hides what a batch lacks.
    Unserved {
        /// Index of the batch's entry.
        index: u64,
        /// When the batch was made.
        at: Minute,
        /// Why its commitments were not read.
        what: String,
    },
    /// The log tells of a later time, and the commitment does not stand before it.
    Broken {
        /// What is shown.
        shown: Broken,
        /// What anybody can check it by.
        evidence: Box<BrokenPromise>,
    },
}

/// A judgement, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What became of the promise.
    pub state: State,
    /// Entries of the log, as the checkpoint says.
    pub checkpoint_size: u64,
    /// Provinces, other than the log's, that have cosigned the checkpoint.
    pub witnesses: usize,
    /// How many make a quorum with the log's own.
    pub witnesses_needed: usize,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The receipt is not what it is said to be.
    #[error("the receipt is not good: {0}")]
    Receipt(ReceiptError),
    /// Something could not be read.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// What was read of the log contradicts what the log signed, or is not the log's.
    #[error("what is served is not the log: {0}")]
    NotTheLog(ReceiptError),
    /// No signed keys of the receipt's slot.
    #[error("the log serves no keys of the receipt's slot")]
    NoKeys,
    /// Too few other provinces have cosigned the checkpoint.
    #[error("{have} other provinces have cosigned the checkpoint, at least {need} are needed")]
    TooFewWitnesses {
        /// Those that have.
        have: usize,
        /// How many are needed.
        need: usize,
    },
}

impl From<LogError> for JudgeError {
    fn from(error: LogError) -> Self {
        Self::NotTheLog(error.into())
    }
}

impl From<ReadError<Unread>> for JudgeError {
    fn from(error: ReadError<Unread>) -> Self {
        match error {
            ReadError::Read(unread) => Self::Unread(unread),
            ReadError::Log(error) => error.into(),
        }
    }
}

/// Judges a receipt over `content` by a log, at `now`. `each` is called with what is being read.
///
/// A log whose checkpoint too few other provinces have cosigned could show another to others, and is judged by only where
/// `unwitnessed`; what it signed shows a broken promise all the same.
///
/// # Errors
/// [`JudgeError`].
pub fn judge(
    held: &HeldReceipt,
    content: &[u8],
    (trust, unwitnessed): (&Trust, bool),
    log: &dyn LogReader,
    now: Minute,
    each: &mut dyn FnMut(&str),
) -> Result<Judged, JudgeError> {
    let receipt = &held.signed.receipt;
    held.signed
        .check(&trust.federation, &trust.roster)
        .and_then(|()| held.check_content(content))
        .map_err(JudgeError::Receipt)?;
    if receipt.accepted > now.saturating_add_signed(CLOCK_TOLERANCE_MIN) {
        return Err(JudgeError::Receipt(ReceiptError::OtherPromise));
    }
    each("checkpoint");
    let (keys, witnesses) = keys_of(receipt, trust, log)?;
    let checkpoint = log.read("checkpoint", MAX_CHECKPOINT_LEN_BYTES)?;
    let checkpoint = SignedCheckpoint::from_bytes(&checkpoint)?;
    checkpoint.check_log(&keys.keys.log_key(&trust.federation)?)?;
    let have = cosigners(&checkpoint, &witnesses, trust)?;
    let need = trust.roster.quorum() - 1;
    let mut reading = Reading {
        log,
        checkpoint: &checkpoint,
        each,
    };
    let window = reading.window(receipt.accepted)?;
    let mut evidence = BrokenPromise {
        receipt: held.signed.clone(),
        keys,
        checkpoint: checkpoint.clone(),
        first: window.first,
        entries: Vec::new(),
    };
    let state = reading.search(receipt, window, &mut evidence, now)?;
    let state = match state {
        None => State::Broken {
            shown: evidence
                .check(&trust.federation, &trust.roster)
                .map_err(JudgeError::NotTheLog)?,
            evidence: Box::new(evidence),
        },
        Some(state) if have >= need || unwitnessed => state,
        Some(_) => return Err(JudgeError::TooFewWitnesses { have, need }),
    };
    Ok(Judged {
        state,
        checkpoint_size: checkpoint.size(),
        witnesses: have,
        witnesses_needed: need,
    })
}

/// The keys of the receipt's log, and those of other provinces; each is signed by its slot's head key. Of others those that
/// are not count for nobody: one that has changed its head key has not told everybody its log keys anew.
fn keys_of(
    receipt: &Receipt,
    trust: &Trust,
    log: &dyn LogReader,
) -> Result<(SignedLogKeys, Vec<SignedLogKeys>), JudgeError> {
    let bytes = log.read("keys", KEYS_LEN_MAX_BYTES)?;
    let mut own = None;
    let mut others = Vec::new();
    for keys in bytes.chunks(SIGNED_LOG_KEYS_LEN_BYTES) {
        let keys = SignedLogKeys::from_bytes(keys)?;
        let checked = keys.check(&trust.roster);
        if keys.keys.slot == receipt.slot {
            checked?;
            own = Some(keys);
        } else if keys.keys.province != receipt.province && checked.is_ok() {
            others.push(keys);
        }
    }
    Ok((own.ok_or(JudgeError::NoKeys)?, others))
}

/// Other provinces that have cosigned a checkpoint.
fn cosigners(
    checkpoint: &SignedCheckpoint,
    witnesses: &[SignedLogKeys],
    trust: &Trust,
) -> Result<usize, JudgeError> {
    let keys = witnesses.iter();
    let keys = keys.map(|keys| keys.keys.witness_key(&trust.federation));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let signers = checkpoint.signers(&keys)?;
    let provinces: BTreeSet<ProvinceCode> = signers
        .into_iter()
        .map(|position| witnesses[position].keys.province)
        .collect();
    Ok(provinces.len())
}

/// Whether it is the log's fault that a batch of that time was not read as it was logged.
fn is_owed(error: &JudgeError, at: Minute, now: Minute) -> bool {
    let until = at.saturating_add_signed(SERVED_MIN);
    matches!(error, JudgeError::Unread(_) | JudgeError::NotTheLog(_)) && now <= until
}

/// The entries of a log from where a commitment can stand at the earliest.
struct Window {
    first: u64,
    entries: Vec<Vec<u8>>,
}

/// A log that is being read.
struct Reading<'a> {
    log: &'a dyn LogReader,
    checkpoint: &'a SignedCheckpoint,
    each: &'a mut dyn FnMut(&str),
}

impl Reading<'_> {
    /// Reads back from the end to the last batch that was made before `accepted`, or to the beginning.
    fn window(&mut self, accepted: Minute) -> Result<Window, JudgeError> {
        let mut newest_first: Vec<Vec<u8>> = Vec::new();
        let size = self.checkpoint.size();
        let width = u64::from(BUNDLE_LEN);
        for index in (0..size.div_ceil(width)).rev() {
            let bundle = self.bundle(index)?;
            for (place, entry) in bundle.into_iter().enumerate().rev() {
                let is_before = matches!(
                    Entry::from_bytes(&entry),
                    Ok(Entry::Commitments(batch)) if batch.at < accepted
                );
                newest_first.push(entry);
                if is_before {
                    newest_first.reverse();
                    return Ok(Window {
                        first: index * width + place as u64,
                        entries: newest_first,
                    });
                }
            }
        }
        newest_first.reverse();
        Ok(Window {
            first: 0,
            entries: newest_first,
        })
    }

    fn bundle(&mut self, index: u64) -> Result<Vec<Vec<u8>>, JudgeError> {
        let path = self.path(None, index).to_string();
        (self.each)(&path);
        let bytes = self.log.read(&path, ENTRY_BUNDLE_LEN_MAX_BYTES)?;
        let entries = read_bundle(&bytes)?;
        let width = usize::from(self.path(None, index).width);
        if entries.len() != width {
            return Err(LogError::Malformed("a bundle of another width").into());
        }
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// The path of a bundle as wide as the tree has it.
    fn path(&self, level: Option<u8>, index: u64) -> TilePath {
        let width = u64::from(BUNDLE_LEN);
        let left = self.checkpoint.size().saturating_sub(index * width);
        TilePath {
            level,
            index,
            width: u16::try_from(left.min(width)).unwrap_or(BUNDLE_LEN),
        }
    }

    /// Looks for the commitment, and notes what it finds as evidence; none if the promise is broken.
    fn search(
        &mut self,
        receipt: &Receipt,
        window: Window,
        evidence: &mut BrokenPromise,
        now: Minute,
    ) -> Result<Option<State>, JudgeError> {
        let tree = (self.checkpoint.size(), self.checkpoint.root());
        let log = self.log;
        let read = |path: TilePath| {
            let limit_bytes = usize::from(path.width) * HASH_LEN_BYTES;
            log.read(&path.to_string(), limit_bytes)
        };
        let first = window.first;
        let indexes = first..first + window.entries.len() as u64;
        let proofs = prove_by_tiles(indexes, tree, &read)?;
        let shown = (first..).zip(window.entries).zip(proofs);
        let mut unserved = None;
        for ((index, bytes), proof) in shown {
            check_inclusion(&proof, (index, leaf_hash(&bytes)), tree)?;
            // What cannot be read tells no time and holds no promise.
            let entry = Entry::from_bytes(&bytes).ok();
            let is_late = entry
                .as_ref()
                .and_then(Entry::told_time)
                .is_some_and(|told| told > receipt.promised_by);
            let mut absence = None;
            // The window begins with a batch that was made before, unless it begins with the log.
            if let Some(Entry::Commitments(batch)) = entry
                && (index > first || batch.at >= receipt.accepted)
            {
                match self.search_batch(receipt, &batch) {
                    // It may still stand in a later one.
                    Err(error) if is_owed(&error, batch.at, now) => {
                        unserved.get_or_insert(State::Unserved {
                            index,
                            at: batch.at,
                            what: error.to_string(),
                        });
                    }
                    Err(error) => return Err(error),
                    Ok(Ok(position)) => {
                        return Ok(Some(State::InLog {
                            index,
                            at: batch.at,
                            position,
                        }));
                    }
                    Ok(Err(missing)) => absence = Some(missing),
                }
            }
            evidence.entries.push(ShownEntry {
                entry: bytes,
                proof,
                absence,
            });
            if is_late {
                return Ok(unserved);
            }
        }
        if unserved.is_some() {
            return Ok(unserved);
        }
        Ok(Some(if now > receipt.promised_by {
            State::Overdue
        } else {
            State::Pending
        }))
    }

    /// Where a commitment stands in a batch, or what shows that it does not.
    fn search_batch(
        &mut self,
        receipt: &Receipt,
        batch: &ledger::log::CommitmentBatch,
    ) -> Result<Result<usize, Absence>, JudgeError> {
        let path = format!(
            "commitments/{}/{}",
            batch.at.get(),
            hex::encode(batch.root.0)
        );
        (self.each)(&path);
        let limit_bytes = batch.len as usize * HASH_LEN_BYTES;
        let bytes = self.log.read(&path, limit_bytes)?;
        let whole = Batch::from_served(&bytes);
        let whole = whole.and_then(|whole| whole.check(batch).map(|()| whole));
        let whole = whole.map_err(JudgeError::NotTheLog)?;
        if let Some(position) = whole.position(receipt.commitment) {
            return Ok(Ok(position));
        }
        let absence = whole.absence(receipt.commitment);
        let absence = absence.map_err(JudgeError::NotTheLog)?;
        let absence = absence.ok_or(JudgeError::NotTheLog(ReceiptError::NotAbsent))?;
        Ok(Err(absence))
    }
}
