//! The witness: what it checks before it cosigns a log, and what it must not forget (c2sp.org/tlog-witness).

use std::fmt::Write as _;

use commitment::layout::Reader;

use super::checkpoint::MAX_CHECKPOINT_LEN_BYTES;
use super::tree::{LogHash, MAX_PROOF_LEN, check_consistency};
use super::{LogError, LogSigner, NoteKey, SignedCheckpoint};

const VERSION: u8 = 1;
const STATE_LEN_BYTES: usize = 1 + 8 + 32;
/// Longest request: an old size, 63 hashes, a checkpoint.
pub const MAX_ADD_CHECKPOINT_LEN_BYTES: usize =
    32 + MAX_PROOF_LEN * 45 + 1 + MAX_CHECKPOINT_LEN_BYTES;

/// A log asks for a cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as far as the log knows.
    pub old_size: u64,
    /// That the checkpoint's tree extends the one of that size.
    pub proof: Vec<LogHash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// The body of the request: old size, proof, empty line, checkpoint.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{hash}");
        }
        text.push('\n');
        [text.as_bytes(), self.checkpoint.to_bytes()].concat()
    }

    /// Reads the body of a request; nothing is checked but its form.
    ///
    /// # Errors
    /// [`LogError::TooLong`], [`LogError::Malformed`]; what [`SignedCheckpoint::from_bytes`] gives.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        if bytes.len() > MAX_ADD_CHECKPOINT_LEN_BYTES {
            return Err(LogError::TooLong {
                what: "a request",
                len: bytes.len(),
                limit: MAX_ADD_CHECKPOINT_LEN_BYTES,
            });
        }
        let malformed = |what| LogError::Malformed(what);
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let end = end.ok_or(malformed("a request without an empty line"))?;
        let (text, checkpoint) = (&bytes[..end], &bytes[end + 2..]);
        let text = std::str::from_utf8(text).map_err(|_| malformed("a request"))?;
        let mut lines = text.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.ok_or(malformed("an old size"))?;
        let old_size: u64 = old.parse().map_err(|_| malformed("an old size"))?;
        if old_size.to_string() != old {
            return Err(malformed("an old size"));
        }
        let mut proof = Vec::new();
        for line in lines {
            proof.push(line.parse()?);
        }
        if proof.len() > MAX_PROOF_LEN {
            return Err(malformed("a proof of more than 63 lines"));
        }
        Ok(Self {
            old_size,
            proof,
            checkpoint: SignedCheckpoint::from_bytes(checkpoint)?,
        })
    }
}

/// What a witness must not forget of a log: size and root of what it cosigned last. It is stored *before* the signature
/// leaves, see [`WitnessPermit`].
///
/// Layout, big-endian: version 1 · size 8 · root 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessState {
    size: u64,
    root: LogHash,
}

impl Default for WitnessState {
    fn default() -> Self {
        Self {
            size: 0,
            root: LogHash::EMPTY,
        }
    }
}

impl WitnessState {
    /// Entries of the tree cosigned last; zero for none.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Its root.
    pub const fn root(&self) -> LogHash {
        self.root
    }

    /// Checks a request of the log whose key is `log`. The same tree again is permitted again.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the specification: [`LogError::UnknownOrigin`],
    /// [`LogError::BadSignature`], [`LogError::OldSizeAbove`], [`LogError::OldSize`], [`LogError::Inconsistent`].
    pub fn consider(
        &self,
        request: &AddCheckpoint,
        log: &NoteKey,
    ) -> Result<WitnessPermit, LogError> {
        let checkpoint = &request.checkpoint;
        checkpoint.check_log(log)?;
        let (old, size) = (request.old_size, checkpoint.size());
        if old > size {
            return Err(LogError::OldSizeAbove { old, size });
        }
        if old != self.size {
            return Err(LogError::OldSize {
                offered: old,
                known: self.size,
            });
        }
        let next = Self {
            size,
            root: checkpoint.root(),
        };
        check_consistency(&request.proof, (old, self.root), (size, next.root))
            .map_err(|_| LogError::Inconsistent { known: self.size })?;
        Ok(WitnessPermit {
            next,
            text: checkpoint.text().to_vec(),
        })
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.size.to_be_bytes());
        out.extend_from_slice(&self.root.0);
        out
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// [`LogError::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        let mut reader = Reader::new(bytes, STATE_LEN_BYTES)?;
        reader.version(VERSION)?;
        let state = Self {
            size: reader.u64()?,
            root: LogHash(reader.array()?),
        };
        reader.finish()?;
        Ok(state)
    }
}

/// Leave to cosign one checkpoint. First store [`WitnessPermit::next_state`] durably, in place of the very state that was
/// asked, then call [`WitnessPermit::sign`]: a witness that forgets what it cosigned lets a log go back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct WitnessPermit {
    next: WitnessState,
    text: Vec<u8>,
}

impl WitnessPermit {
    /// The state to store before signing.
    pub const fn next_state(&self) -> &WitnessState {
        &self.next
    }

    /// The signature line; `name` is the witness's own key, `at_s` the time, seconds since the Unix epoch.
    pub fn sign(self, name: &NoteKey, signer: &LogSigner, at_s: u64) -> Vec<u8> {
        name.cosign_note(signer.witness(), &self.text, at_s)
    }
}
