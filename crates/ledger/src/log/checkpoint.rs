//! Checkpoints: what a log signs of its tree, and its witnesses with it.

use ed25519_dalek::SigningKey;
use signed_note::{Note, NoteError, Verifier, VerifierList};
use tlog_tiles::Checkpoint;

use super::tree::{LogHash, MAX_LOG_SIZE};
use super::{LogError, NoteKey};

/// Longest signed checkpoint that is read: a text of three lines with a signature of each of 64 slots, and room.
pub const MAX_CHECKPOINT_LEN_BYTES: usize = 32 * 1024;
/// Most signature lines; c2sp.org/signed-note asks for at least 16.
const MAX_SIGNATURES: usize = 100;

/// A checkpoint with signatures, which may or may not fit.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: Vec<u8>,
    text_len: usize,
    origin: String,
    size: u64,
    root: LogHash,
}

impl std::fmt::Debug for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.note))
    }
}

impl SignedCheckpoint {
    /// The checkpoint of a log, signed by it.
    ///
    /// # Errors
    /// [`LogError::TooLarge`] above [`MAX_LOG_SIZE`].
    pub fn sign(
        size: u64,
        root: LogHash,
        log: &NoteKey,
        key: &SigningKey,
    ) -> Result<Self, LogError> {
        let checkpoint = Checkpoint::new(log.name(), size, root.into(), "")
            .map_err(|_| LogError::Malformed("an origin"))?;
        let text = checkpoint.to_bytes();
        let line = log.sign_note(key, &text);
        Self::from_bytes(&[&text[..], b"\n", &line].concat())
    }

    /// Reads a signed checkpoint; no signature is checked.
    ///
    /// # Errors
    /// [`LogError::TooLong`], [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        let malformed = LogError::Malformed("a signed checkpoint");
        if bytes.len() > MAX_CHECKPOINT_LEN_BYTES {
            return Err(LogError::TooLong {
                what: "a signed checkpoint",
                len: bytes.len(),
                limit: MAX_CHECKPOINT_LEN_BYTES,
            });
        }
        let Ok(note) = Note::from_bytes(bytes) else {
            return Err(malformed);
        };
        let Ok(checkpoint) = Checkpoint::from_bytes(note.text()) else {
            return Err(malformed);
        };
        // What is read must be what is written: the library takes some texts that its writer would not make.
        if note.to_bytes() != bytes || checkpoint.to_bytes() != note.text() {
            return Err(malformed);
        }
        if checkpoint.size() > MAX_LOG_SIZE {
            return Err(LogError::TooLarge(checkpoint.size()));
        }
        Ok(Self {
            note: bytes.to_vec(),
            text_len: note.text().len(),
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: (*checkpoint.hash()).into(),
        })
    }

    /// The note: text, empty line, signature lines.
    pub fn to_bytes(&self) -> &[u8] {
        &self.note
    }

    /// What is signed.
    pub fn text(&self) -> &[u8] {
        &self.note[..self.text_len]
    }

    /// The signature lines, each with its newline.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.note[self.text_len + 1..].split_inclusive(|b| *b == b'\n')
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Entries in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    pub const fn root(&self) -> LogHash {
        self.root
    }

    /// Checks that the log of `key` signed it.
    ///
    /// # Errors
    /// [`LogError::UnknownOrigin`] for another log's, [`LogError::BadSignature`] without a fitting signature, or with one
    /// of this key that does not fit.
    pub fn check_log(&self, key: &NoteKey) -> Result<(), LogError> {
        if key.is_cosigner() || self.origin != key.name() {
            return Err(LogError::UnknownOrigin(self.origin.clone()));
        }
        match self.signers(std::slice::from_ref(key)) {
            Ok(signers) if signers == [0] => Ok(()),
            _ => Err(LogError::BadSignature(key.name().to_owned())),
        }
    }

    /// Which of `keys` signed it, by position.
    ///
    /// # Errors
    /// [`LogError::BadSignature`] if a signature of one of them does not fit: then the note as a whole is not to be trusted.
    pub fn signers(&self, keys: &[NoteKey]) -> Result<Vec<usize>, LogError> {
        let note =
            Note::from_bytes(&self.note).map_err(|_| LogError::Malformed("a signed note"))?;
        let boxed = keys.iter().cloned();
        let known = VerifierList::new(
            boxed
                .map(|key| Box::new(key) as Box<dyn Verifier>)
                .collect(),
        );
        let signed = match note.verify(&known) {
            Ok((signed, _)) => signed,
            Err(NoteError::UnverifiedNote) => Vec::new(),
            Err(NoteError::InvalidSignature { name, .. }) => {
                return Err(LogError::BadSignature(name));
            }
            Err(_) => return Err(LogError::Malformed("keys of one name and id")),
        };
        let of = |key: &NoteKey| {
            let id = (key.name(), Verifier::key_id(key));
            signed.iter().any(|s| (s.name(), s.id()) == id)
        };
        let found = (0..).zip(keys).filter(|(_, key)| of(key));
        Ok(found.map(|(position, _)| position).collect())
    }

    /// This checkpoint with a cosigner's line more, in place of an earlier one of the same key. Other lines of `lines`
    /// are left out (c2sp.org/tlog-witness: unknown cosignatures are ignored).
    ///
    /// # Errors
    /// [`LogError::BadSignature`] if no line of `lines` is a fitting cosignature of `cosigner`; what reading gives.
    pub fn with_cosignature(&self, lines: &[u8], cosigner: &NoteKey) -> Result<Self, LogError> {
        if lines.len() > MAX_CHECKPOINT_LEN_BYTES {
            return Err(LogError::TooLong {
                what: "cosignatures",
                len: lines.len(),
                limit: MAX_CHECKPOINT_LEN_BYTES,
            });
        }
        let alone = |line: &[u8]| [self.text(), b"\n", line].concat();
        let is_theirs = |line: &&[u8]| {
            let note = Self::from_bytes(&alone(line));
            note.is_ok_and(|note| note.signers(std::slice::from_ref(cosigner)) == Ok(vec![0]))
        };
        let added = lines.split_inclusive(|b| *b == b'\n').find(is_theirs);
        let Some(added) = added.filter(|_| cosigner.is_cosigner()) else {
            return Err(LogError::BadSignature(cosigner.name().to_owned()));
        };
        let mut kept: Vec<&[u8]> = self.lines().filter(|line| !is_theirs(line)).collect();
        kept.push(added);
        if kept.len() > MAX_SIGNATURES {
            return Err(LogError::Malformed("more signatures than a note holds"));
        }
        Self::from_bytes(&alone(&kept.concat()))
    }
}
