//! What nodes give each other of logs that they hold, as values of the ledger. Nothing here is checked beyond its form.

use ledger::log::{
    BUNDLE_LEN, LogHash, LogPart, MAX_CHECKPOINT_LEN_BYTES, MAX_PROOF_LEN, SignedCheckpoint,
    SignedLogKeys, bundle, read_bundle,
};

use crate::federation::v1 as proto;
use crate::{MAX_MESSAGE_BYTES, WireError, bytes_within};

/// Longest bundle of one part of a log, in bytes.
pub const MAX_LOG_PART_BYTES: usize = 128 * 1024;

const _: () = assert!(MAX_LOG_PART_BYTES + MAX_PROOF_LEN * 34 + 1_024 <= MAX_MESSAGE_BYTES);
// One entry at least fits, and so every log can be read.
const _: () = assert!(ledger::log::ENTRY_LEN_MAX_BYTES + 2 <= MAX_LOG_PART_BYTES);

/// A part of a log as it travels: of `entries` as many as fit into one message.
///
/// # Errors
/// [`WireError::TooLong`] for an entry that no message holds.
pub fn fitting(entries: &[Vec<u8>]) -> Result<usize, WireError> {
    let mut len = 0;
    let mut count = 0;
    for entry in entries.iter().take(BUNDLE_LEN.into()) {
        len += 2 + entry.len();
        if len > MAX_LOG_PART_BYTES {
            break;
        }
        count += 1;
    }
    if count == 0 && !entries.is_empty() {
        return Err(WireError::TooLong {
            field: "bundle",
            limit: MAX_LOG_PART_BYTES,
            got: len,
        });
    }
    Ok(count)
}

/// Writes a part. The caller has cut it by [`fitting`].
///
/// # Errors
/// [`WireError::Malformed`] for an entry that no bundle holds.
pub fn log_part_response(part: &LogPart) -> Result<proto::GetLogPartResponse, WireError> {
    let entries = part.entries.iter().map(Vec::as_slice);
    Ok(proto::GetLogPartResponse {
        bundle: bundle(entries).map_err(|_| malformed("bundle"))?,
        proof: part.proof.iter().map(|hash| hash.0.to_vec()).collect(),
    })
}

impl TryFrom<&proto::GetLogPartResponse> for ReadPart {
    type Error = WireError;

    fn try_from(answer: &proto::GetLogPartResponse) -> Result<Self, WireError> {
        let bytes = bytes_within("bundle", &answer.bundle, MAX_LOG_PART_BYTES)?;
        let entries = read_bundle(bytes).map_err(|_| malformed("bundle"))?;
        if answer.proof.len() > MAX_PROOF_LEN {
            return Err(malformed("proof"));
        }
        let hash = |bytes: &Vec<u8>| <[u8; 32]>::try_from(&bytes[..]).ok().map(LogHash);
        let proof: Option<Vec<LogHash>> = answer.proof.iter().map(hash).collect();
        Ok(Self(LogPart {
            entries: entries.into_iter().map(<[u8]>::to_vec).collect(),
            proof: proof.ok_or(malformed("proof"))?,
        }))
    }
}

/// A part of a log that came from somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPart(pub LogPart);

/// What a witness has cosigned of a log, and holds of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessedLog {
    /// The log's keys.
    pub keys: SignedLogKeys,
    /// The checkpoint that was cosigned last.
    pub checkpoint: SignedCheckpoint,
    /// The witness's keys.
    pub witness: SignedLogKeys,
    /// The first entry that it holds.
    pub first: u64,
    /// The entry after the last one that it holds.
    pub end: u64,
}

impl From<&WitnessedLog> for proto::GetWitnessedResponse {
    fn from(witnessed: &WitnessedLog) -> Self {
        Self {
            log_keys: witnessed.keys.to_bytes(),
            checkpoint: witnessed.checkpoint.to_bytes().to_vec(),
            witness_keys: witnessed.witness.to_bytes(),
            first: witnessed.first,
            end: witnessed.end,
        }
    }
}

impl TryFrom<&proto::GetWitnessedResponse> for WitnessedLog {
    type Error = WireError;

    fn try_from(answer: &proto::GetWitnessedResponse) -> Result<Self, WireError> {
        let note = bytes_within("checkpoint", &answer.checkpoint, MAX_CHECKPOINT_LEN_BYTES)?;
        let keys = |bytes: &[u8], field| {
            SignedLogKeys::from_bytes(bytes).map_err(|_| WireError::Malformed { field })
        };
        let checkpoint = SignedCheckpoint::from_bytes(note).map_err(|_| malformed("checkpoint"))?;
        if answer.first > answer.end || answer.end > checkpoint.size() {
            return Err(malformed("end"));
        }
        Ok(Self {
            keys: keys(&answer.log_keys, "log_keys")?,
            checkpoint,
            witness: keys(&answer.witness_keys, "witness_keys")?,
            first: answer.first,
            end: answer.end,
        })
    }
}

const fn malformed(field: &'static str) -> WireError {
    WireError::Malformed { field }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ledger::log::LogSigner;
    use ledger::{ProvinceCode, Slot};

    use super::*;

    #[test]
    fn a_part_travels_unchanged_and_is_cut_to_what_fits() {
        let part = LogPart {
            entries: vec![vec![1; 40], vec![2; 6_000]],
            proof: vec![LogHash([3; 32]); 5],
        };
        let message = log_part_response(&part).unwrap();
        assert_eq!(ReadPart::try_from(&message), Ok(ReadPart(part)));
        assert_eq!(fitting(&vec![vec![0; 10]; 300]), Ok(256));
        let large = vec![vec![0; 6_382]; 256];
        let count = fitting(&large).unwrap();
        assert!(count > 10 && (count + 1) * 6_384 > MAX_LOG_PART_BYTES);
        assert_eq!(fitting(&[]), Ok(0));
        assert!(fitting(&[vec![0; MAX_LOG_PART_BYTES]]).is_err());
    }

    #[test]
    fn a_damaged_or_oversized_part_is_named() {
        let refusal = |damage: fn(&mut proto::GetLogPartResponse)| {
            let part = LogPart {
                entries: vec![vec![1; 40]],
                proof: vec![LogHash([3; 32])],
            };
            let mut message = log_part_response(&part).unwrap();
            damage(&mut message);
            ReadPart::try_from(&message).unwrap_err()
        };
        assert_eq!(refusal(|m| m.bundle.truncate(41)), malformed("bundle"));
        assert_eq!(refusal(|m| m.proof[0].truncate(31)), malformed("proof"));
        assert_eq!(
            refusal(|m| m.proof = vec![vec![0; 32]; 64]),
            malformed("proof")
        );
        assert_eq!(
            refusal(|m| m.bundle = vec![0; MAX_LOG_PART_BYTES + 1]),
            WireError::TooLong {
                field: "bundle",
                limit: MAX_LOG_PART_BYTES,
                got: MAX_LOG_PART_BYTES + 1
            }
        );
        // 257 empty entries.
        assert_eq!(refusal(|m| m.bundle = vec![0; 514]), malformed("bundle"));
    }

    #[test]
    fn what_is_witnessed_travels_unchanged_and_holds_no_more_than_its_checkpoint_is_of() {
        let signer = LogSigner::derive(&[1; 32]);
        let public = signer.public(ProvinceCode::new(33).unwrap(), Slot::new(2).unwrap(), 1);
        let keys = public.sign(
            ledger::Minute::new(0).unwrap(),
            &SigningKey::from_bytes(&[8; 32]),
        );
        let log = public.log_key("test").unwrap();
        let witnessed = WitnessedLog {
            keys,
            checkpoint: signer.sign(3, LogHash([5; 32]), &log).unwrap(),
            witness: keys,
            first: 1,
            end: 3,
        };
        let message = proto::GetWitnessedResponse::from(&witnessed);
        assert_eq!(WitnessedLog::try_from(&message), Ok(witnessed));
        for (first, end) in [(0, 4), (3, 2)] {
            let wrong = proto::GetWitnessedResponse {
                first,
                end,
                ..message.clone()
            };
            assert_eq!(WitnessedLog::try_from(&wrong), Err(malformed("end")));
        }
    }
}
