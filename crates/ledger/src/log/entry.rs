//! What stands in a log.

use commitment::layout::{LayoutError, Reader};
use commitment::{Fr, Minute, ProvinceCode, fr_to_bytes};

use super::counts::{AppealCounts, ColourCounts, ImpactCount, RetentionCounts, SourceCounts};
use super::{LogError, LogHash};
use crate::receipt::is_batch_len;
use crate::{
    CosignedStatement, MAX_COSIGNED_LEN_BYTES, SIGNED_TREE_HEAD_LEN_BYTES, SignedTreeHead,
};

/// Longest entry, its kind included: a registry statement with all its cosignatures. Bundles give lengths two bytes.
pub const ENTRY_LEN_MAX_BYTES: usize = 1 + MAX_COSIGNED_LEN_BYTES;
/// Longest name of a rule set.
pub(super) const MAX_NAME_LEN_BYTES: usize = 64;
const _: () = assert!(ENTRY_LEN_MAX_BYTES <= u16::MAX as usize);

/// An entry of a log. Its bytes are a kind and what the kind holds, integers big-endian, nothing after it:
///
/// | kind | bytes, with the kind | fields |
/// |---|---|---|
/// | 1 tree head | 176 | [`SignedTreeHead`] |
/// | 2 registry | ≤ 6,382 | [`CosignedStatement`] |
/// | 3 rule set | ≤ 147 | [`RuleSetNotice`] |
/// | 4 key change | 43 | [`KeyChange`] |
/// | 5 source | 48 | [`SourceEntitlement`] |
/// | 6 revocations | 49 | [`RevocationBatch`] |
/// | 7 commitments | 41 | [`CommitmentBatch`] |
/// | 20 colours | ≤ 6,382 | [`ColourCounts`] |
/// | 21 impact | ≤ 6,382 | [`ImpactCount`] |
/// | 22 sources | ≤ 5,507 | [`SourceCounts`] |
/// | 23 rule set in an emergency | ≤ 147 | [`RuleSetNotice`] |
/// | 24 rule set withdrawn | ≤ 148 | flag "in an emergency" 1, [`RuleSetNotice`] |
/// | 25 appeals | 63 | [`AppealCounts`] |
/// | 26 retention | 13 | [`RetentionCounts`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The log's own province closed an epoch.
    TreeHead(SignedTreeHead),
    /// A registry with a quorum was taken up.
    Registry(CosignedStatement),
    /// A rule set was announced; one that is flagged as an emergency has a kind of its own.
    RuleSet(RuleSetNotice),
    /// A key of the province was changed.
    KeyChange(KeyChange),
    /// A source was entitled, or is no longer.
    Source(SourceEntitlement),
    /// A batch of revocations was published.
    Revocations(RevocationBatch),
    /// A batch of salted commitments to what was accepted; the log tells nothing of it but when, and how many at most.
    Commitments(CommitmentBatch),
    /// How many people had which colour at the end of a day.
    Colours(ColourCounts),
    /// How many people would have another colour under a rule set that was announced.
    Impact(ImpactCount),
    /// How many discretionary events each source stated on a day.
    Sources(SourceCounts),
    /// A rule set that was announced is not, any more, and never was in force.
    RuleSetWithdrawn(RuleSetNotice),
    /// What came of appeals on a day.
    Appeals(AppealCounts),
    /// What was kept no longer, on a day.
    Retention(RetentionCounts),
}

/// A rule set with its dates.
///
/// Layout: name (length 1, then the bytes, at most 64) · version 4 · province or nation 1 · row-table digest 32 · SHA-256
/// of its file 32 · announced 4 · in force from 4 · until 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSetNotice {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Whose it is.
    pub scope: ProvinceCode,
    /// The digest of its row table.
    pub digest: Fr,
    /// SHA-256 of its canonical text.
    pub text_sha256: [u8; 32],
    /// When it was announced.
    pub announced: Minute,
    /// From when it is in force.
    pub from: Minute,
    /// Until when.
    pub until: Minute,
    /// Whether it is flagged as an emergency, which shortens the notice.
    pub is_emergency: bool,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyRole {
    /// Signs tree heads and cosignatures of registries.
    Head = 1,
    /// Signs the log, and what the province cosigns as a witness.
    Log = 2,
    /// The authority of the province's certificates.
    Tls = 3,
}

/// A key was changed.
///
/// Layout: role 1 · flag "compromised" 1 · number 4 · from 4 · SHA-256 of the new public keys 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// What the key is for.
    pub role: KeyRole,
    /// Whether the old one is no longer to be believed at all.
    pub is_compromised: bool,
    /// The new key's number; numbers rise.
    pub number: u32,
    /// From when it is used.
    pub from: Minute,
    /// SHA-256 of the new public keys: of the head key's 32 bytes, of [`super::SignedLogKeys`], of the authority's certificate.
    pub sha256: [u8; 32],
}

/// What a source may do.
///
/// Layout: flag "entitled" 1 · province 1 · kind 1 · number 4 · Ed25519 key 32 · since 4 · until 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceEntitlement {
    /// Whether it may sign events at all.
    pub is_entitled: bool,
    /// The source's province.
    pub province: ProvinceCode,
    /// Code of its kind, which says what it may sign.
    pub kind: u8,
    /// Its number.
    pub number: u32,
    /// Its key.
    pub key: [u8; 32],
    /// From when.
    pub since: Minute,
    /// Until when; the last minute there is for no end.
    pub until: Minute,
}

/// A batch of revocations.
///
/// Layout: sequence 8 · issued 4 · expires 4 · digest 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationBatch {
    /// The number of the trust list's online document that named it first.
    pub sequence: u64,
    /// When it was made.
    pub issued: Minute,
    /// When it is listed no longer, at the latest.
    pub expires: Minute,
    /// Its digest, by which the online document names it.
    pub sha256: [u8; 32],
}

/// A batch of commitments to events and contestations, by the root of the tree over them; see [`crate::receipt`].
///
/// Layout: made 4 · commitments, fillings among them, 4 · root 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitmentBatch {
    /// When it was made; not before anything in it was accepted, and not before the batch before it.
    pub at: Minute,
    /// How many commitments it has, fillings among them: a power of two.
    pub len: u32,
    /// The root of the tree over them.
    pub root: LogHash,
}

impl Entry {
    /// The kind of a tree head.
    pub const TREE_HEAD: u8 = 1;
    /// The kind of a registry.
    pub const REGISTRY: u8 = 2;

    const fn kind(&self) -> u8 {
        match self {
            Self::TreeHead(_) => Self::TREE_HEAD,
            Self::Registry(_) => Self::REGISTRY,
            Self::RuleSet(notice) if notice.is_emergency => 23,
            Self::RuleSet(_) => 3,
            Self::KeyChange(_) => 4,
            Self::Source(_) => 5,
            Self::Revocations(_) => 6,
            Self::Commitments(_) => 7,
            Self::Colours(_) => 20,
            Self::Impact(_) => 21,
            Self::Sources(_) => 22,
            Self::RuleSetWithdrawn(_) => 24,
            Self::Appeals(_) => 25,
            Self::Retention(_) => 26,
        }
    }

    /// The time that an entry tells, by which promises are judged: of a tree head, or of an epoch's registry. Both are
    /// held against the clocks of other provinces.
    pub const fn told_time(&self) -> Option<Minute> {
        match self {
            Self::TreeHead(head) => Some(head.head.head_time),
            Self::Registry(cosigned) => Some(cosigned.statement().as_of()),
            _ => None,
        }
    }

    /// The canonical bytes, at most [`ENTRY_LEN_MAX_BYTES`].
    ///
    /// # Panics
    /// For a rule set whose name is longer than 64 bytes, or a rule's of more than 8; those that this project admits are
    /// shorter.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![self.kind()];
        match self {
            Self::TreeHead(head) => out.extend(head.to_bytes()),
            Self::Registry(cosigned) => out.extend(cosigned.to_bytes()),
            Self::RuleSet(notice) => notice.write(&mut out),
            Self::KeyChange(change) => change.write(&mut out),
            Self::Source(source) => source.write(&mut out),
            Self::Revocations(batch) => batch.write(&mut out),
            Self::Commitments(batch) => batch.write(&mut out),
            Self::Colours(counts) => counts.write(&mut out),
            Self::Impact(count) => count.write(&mut out),
            Self::Sources(counts) => counts.write(&mut out),
            Self::Appeals(counts) => counts.write(&mut out),
            Self::Retention(counts) => counts.write(&mut out),
            Self::RuleSetWithdrawn(notice) => {
                out.push(u8::from(notice.is_emergency));
                notice.write(&mut out);
            }
        }
        out
    }

    /// Reads an entry; no signature is checked.
    ///
    /// # Errors
    /// [`LogError::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        let mut reader = Reader::new(bytes, ENTRY_LEN_MAX_BYTES)?;
        let kind = reader.u8()?;
        let ledger = |error| match error {
            crate::Error::Layout(error) => LogError::Layout(error),
            _ => LogError::Layout(LayoutError::Invalid("an entry")),
        };
        let rest = &bytes[1..];
        let entry = match kind {
            Self::TREE_HEAD if rest.len() == SIGNED_TREE_HEAD_LEN_BYTES => {
                return Ok(Self::TreeHead(
                    SignedTreeHead::from_bytes(rest).map_err(ledger)?,
                ));
            }
            Self::REGISTRY => {
                return Ok(Self::Registry(
                    CosignedStatement::from_bytes(rest).map_err(ledger)?,
                ));
            }
            3 => Self::RuleSet(RuleSetNotice::read(&mut reader, false)?),
            23 => Self::RuleSet(RuleSetNotice::read(&mut reader, true)?),
            24 => {
                let is_emergency = flag(&mut reader)?;
                Self::RuleSetWithdrawn(RuleSetNotice::read(&mut reader, is_emergency)?)
            }
            20 => Self::Colours(ColourCounts::read(&mut reader)?),
            21 => Self::Impact(ImpactCount::read(&mut reader)?),
            22 => Self::Sources(SourceCounts::read(&mut reader)?),
            25 => Self::Appeals(AppealCounts::read(&mut reader)?),
            26 => Self::Retention(RetentionCounts::read(&mut reader)?),
            4 => Self::KeyChange(KeyChange::read(&mut reader)?),
            5 => Self::Source(SourceEntitlement::read(&mut reader)?),
            6 => Self::Revocations(RevocationBatch::read(&mut reader)?),
            7 => Self::Commitments(CommitmentBatch::read(&mut reader)?),
            _ => return Err(LayoutError::Invalid("a kind of entry").into()),
        };
        reader.finish()?;
        Ok(entry)
    }
}

impl RuleSetNotice {
    fn write(&self, out: &mut Vec<u8>) {
        assert!(
            self.name.len() <= MAX_NAME_LEN_BYTES,
            "a name of a rule set"
        );
        out.push(self.name.len().to_le_bytes()[0]);
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.push(self.scope.get());
        out.extend_from_slice(&fr_to_bytes(self.digest));
        out.extend_from_slice(&self.text_sha256);
        for minute in [self.announced, self.from, self.until] {
            out.extend_from_slice(&minute.get().to_be_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>, is_emergency: bool) -> Result<Self, LayoutError> {
        Ok(Self {
            name: read_name(reader, MAX_NAME_LEN_BYTES)?,
            version: reader.u32()?,
            scope: reader.province()?,
            digest: reader.fr()?,
            text_sha256: reader.array()?,
            announced: reader.minute()?,
            from: reader.minute()?,
            until: reader.minute()?,
            is_emergency,
        })
    }
}

impl KeyChange {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.role as u8, u8::from(self.is_compromised)]);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.from.get().to_be_bytes());
        out.extend_from_slice(&self.sha256);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let role = match reader.u8()? {
            1 => KeyRole::Head,
            2 => KeyRole::Log,
            3 => KeyRole::Tls,
            _ => return Err(LayoutError::Invalid("a role of a key")),
        };
        Ok(Self {
            role,
            is_compromised: flag(reader)?,
            number: reader.u32()?,
            from: reader.minute()?,
            sha256: reader.array()?,
        })
    }
}

impl SourceEntitlement {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([u8::from(self.is_entitled), self.province.get(), self.kind]);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.since.get().to_be_bytes());
        out.extend_from_slice(&self.until.get().to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            is_entitled: flag(reader)?,
            province: reader.province()?,
            kind: reader.u8()?,
            number: reader.u32()?,
            key: reader.array()?,
            since: reader.minute()?,
            until: reader.minute()?,
        })
    }
}

impl RevocationBatch {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.issued.get().to_be_bytes());
        out.extend_from_slice(&self.expires.get().to_be_bytes());
        out.extend_from_slice(&self.sha256);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            sequence: reader.u64()?,
            issued: reader.minute()?,
            expires: reader.minute()?,
            sha256: reader.array()?,
        })
    }
}

impl CommitmentBatch {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.at.get().to_be_bytes());
        out.extend_from_slice(&self.len.to_be_bytes());
        out.extend_from_slice(&self.root.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let batch = Self {
            at: reader.minute()?,
            len: reader.u32()?,
            root: LogHash(reader.array()?),
        };
        if !is_batch_len(batch.len as usize) {
            return Err(LayoutError::Invalid("a length of a batch"));
        }
        Ok(batch)
    }
}

/// A name: its length in one byte, and its bytes.
pub(super) fn read_name(reader: &mut Reader<'_>, limit: usize) -> Result<String, LayoutError> {
    let len = usize::from(reader.u8()?);
    if len > limit {
        return Err(LayoutError::TooLong { len, limit });
    }
    let name = std::str::from_utf8(reader.slice(len)?)
        .map_err(|_| LayoutError::Invalid("a name that is no text"))?;
    Ok(name.to_owned())
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, LayoutError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(LayoutError::Invalid("a flag above 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minutes: u32) -> Minute {
        Minute::new(minutes).unwrap()
    }

    fn notice(is_emergency: bool) -> RuleSetNotice {
        RuleSetNotice {
            name: "hz-2020-02".to_owned(),
            version: 3,
            scope: ProvinceCode::NATION,
            digest: Fr::from(7),
            text_sha256: [1; 32],
            announced: minute(10),
            from: minute(20),
            until: Minute::MAX,
            is_emergency,
        }
    }

    fn entries() -> Vec<Entry> {
        let province = ProvinceCode::new(33).unwrap();
        vec![
            Entry::RuleSet(notice(false)),
            Entry::KeyChange(KeyChange {
                role: KeyRole::Log,
                is_compromised: true,
                number: 2,
                from: minute(5),
                sha256: [2; 32],
            }),
            Entry::Source(SourceEntitlement {
                is_entitled: true,
                province,
                kind: 1,
                number: 9,
                key: [3; 32],
                since: minute(1),
                until: Minute::MAX,
            }),
            Entry::Revocations(RevocationBatch {
                sequence: 4,
                issued: minute(6),
                expires: minute(7),
                sha256: [4; 32],
            }),
            Entry::Commitments(CommitmentBatch {
                at: minute(8),
                len: 256,
                root: LogHash([5; 32]),
            }),
            Entry::RuleSet(notice(true)),
            Entry::RuleSetWithdrawn(notice(false)),
            Entry::RuleSetWithdrawn(notice(true)),
        ]
    }

    #[test]
    fn entries_survive_their_bytes_and_nothing_shorter_or_longer_is_one() {
        for entry in entries() {
            let bytes = entry.to_bytes();
            assert_eq!(Entry::from_bytes(&bytes), Ok(entry));
            assert!(Entry::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            assert!(Entry::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
        assert!(Entry::from_bytes(&[]).is_err());
        assert!(Entry::from_bytes(&[8; 33]).is_err());
        assert!(Entry::from_bytes(&[7; ENTRY_LEN_MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn an_emergency_is_another_kind_and_a_withdrawal_no_announcement() {
        let kinds = |entry: Entry| entry.to_bytes()[0];
        assert_eq!(kinds(Entry::RuleSet(notice(false))), 3);
        assert_eq!(kinds(Entry::RuleSet(notice(true))), 23);
        assert_eq!(kinds(Entry::RuleSetWithdrawn(notice(true))), 24);
    }

    #[test]
    fn the_lengths_are_those_of_the_table() {
        let lengths: Vec<usize> = entries().iter().map(|e| e.to_bytes().len()).collect();
        assert_eq!(
            lengths,
            [83 + 10, 43, 48, 49, 41, 83 + 10, 84 + 10, 84 + 10]
        );
        assert_eq!(1 + SIGNED_TREE_HEAD_LEN_BYTES, 176);
        assert_eq!(ENTRY_LEN_MAX_BYTES, 6_382);
    }
}
