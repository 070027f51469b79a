//! The trail of a resident's record where somebody else than the resident reads it: written before it is answered, shown to the
//! resident.

use commitment::Epoch;
use federation::{FederationId, PeerId, Role};
use rules::{Minute, SourceId};
use wire::{DeviceKeyId, READING_PLACE_BYTES, Reason};

use crate::epoch::committed_key;
use crate::proxies::{KnownProxy, name_of};
use crate::store::{ReadPurpose, ReadRow, ResidentKey, StoreError, Table, WriteSet};
use crate::{Node, NodeError};

/// Readings that a resident is shown at once, the older ones on asking: some 100 bytes each, 1.6 of the 16 kB that an answer is padded to.
const SHOWN_MAX: usize = 16;
/// How often one reader has one thing of one registry opened: an answer may be lost, and a program start over.
pub(crate) const OPENINGS_MAX: u32 = 4;
/// Rows of openings removed at a time.
const FORGET_LEN: usize = 4_096;
/// Where a reading stands in its resident's trail: minute and random.
type Place = [u8; READING_PLACE_BYTES];
/// Ends the key of a reading by somebody else than the resident, so that it is found without opening all others.
const BY_OTHER: &[u8] = b"o";
/// Length of such a key: resident, minute, random, and that end.
const BY_OTHER_KEY_LEN_BYTES: usize = 32 + 4 + 16 + BY_OTHER.len();

/// A reading of a record by somebody else than its resident, or that an office named a proxy, who may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadByOther {
    /// When.
    pub at: Minute,
    /// Who: the identity of a certificate, or what the resident calls a proxy.
    pub reader: String,
    /// What for, in a word.
    pub purpose: &'static str,
    /// The epoch of the registry that the record was read in; 0 for a proxy and for an office.
    pub epoch: Epoch,
}

/// Readings of a record by somebody else, as many as are shown at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// Those shown, newest first.
    pub shown: Vec<ReadByOther>,
    /// How many there are in all.
    pub total: usize,
    /// Where the next older ones begin; none where there are none.
    pub next: Option<Place>,
}

/// An opening of a leaf that is to be counted and told.
pub(crate) struct OpeningNote {
    /// Epoch of the registry and place in the tree.
    pub(crate) leaf: (Epoch, u32),
    /// Digest of who reads, and of what of the leaf.
    pub(crate) by: [u8; 32],
    /// How often that may be.
    pub(crate) most: u32,
    /// Whose record.
    pub(crate) resident: ResidentKey,
    /// What for.
    pub(crate) purpose: ReadPurpose,
}

/// Who reads, what for, and in which registry; none where the resident does, or a proxy.
fn reader_of(
    purpose: ReadPurpose,
    federation: &FederationId,
) -> Option<(PeerId, &'static str, Epoch)> {
    let (province, role, word, epoch) = match purpose {
        ReadPurpose::Query | ReadPurpose::Pass | ReadPurpose::Correct | ReadPurpose::Proxy => {
            return None;
        }
        ReadPurpose::Sample {
            province,
            auditor,
            epoch,
        } => (province, Role::Auditor(auditor), "sample", epoch),
        ReadPurpose::Opening { source, epoch } => {
            let role = Role::Source(source.kind, source.number);
            (source.province, role, "opening", epoch)
        }
        ReadPurpose::Appeal { source } => {
            let role = Role::Source(source.kind, source.number);
            (source.province, role, "appeal", 0)
        }
        ReadPurpose::Naming { source } => {
            let role = Role::Source(source.kind, source.number);
            (source.province, role, "naming", 0)
        }
    };
    let reader = PeerId {
        federation: federation.clone(),
        province,
        role,
    };
    Some((reader, word, Epoch::new(epoch)))
}

impl Node {
    /// Counts an opening and puts it into the resident's trail, in one commit.
    ///
    /// # Errors
    /// [`Reason::Quota`].
    pub(crate) fn note_opening(&self, note: &OpeningNote) -> Result<(), NodeError> {
        let mut key = committed_key(note.leaf.0, note.leaf.1);
        key.extend(note.by);
        let calls: u32 = self.vault.get(Table::Openings, &key)?.unwrap_or(0);
        if calls >= note.most {
            return Err(NodeError::Refused(Reason::Quota));
        }
        let mut write = self.vault.write();
        write.put(Table::Openings, &key, &(calls + 1));
        self.note_by_other(note.resident, note.purpose, [0; 32], &mut write);
        Ok(write.commit()?)
    }

    /// Removes who had what opened of registries before `first`.
    pub(crate) fn forget_openings(&self, first: Epoch) -> Result<(), NodeError> {
        loop {
            let mut old = self.vault.keys(Table::Openings, b"", FORGET_LEN)?;
            old.retain(|key| key[..] < first.get().to_be_bytes()[..]);
            if old.is_empty() {
                return Ok(());
            }
            let mut write = self.vault.write();
            for key in &old {
                write.delete(Table::Openings, key);
            }
            write.commit()?;
        }
    }

    /// Puts a reading by a proxy among the changes. A row is never written over.
    pub(crate) fn note_reading_by_proxy(
        &self,
        resident: ResidentKey,
        proxy: DeviceKeyId,
        write: &mut WriteSet<'_>,
    ) {
        self.note_by_other(resident, ReadPurpose::Proxy, proxy.0, write);
    }

    /// Puts a reading of what is contested among the changes.
    pub(crate) fn note_reading_by_office(
        &self,
        resident: ResidentKey,
        source: SourceId,
        write: &mut WriteSet<'_>,
    ) {
        self.note_by_other(resident, ReadPurpose::Appeal { source }, [0; 32], write);
    }

    /// Puts among the changes that an office named a proxy.
    pub(crate) fn note_naming(
        &self,
        resident: ResidentKey,
        source: SourceId,
        write: &mut WriteSet<'_>,
    ) {
        self.note_by_other(resident, ReadPurpose::Naming { source }, [0; 32], write);
    }

    fn note_by_other(
        &self,
        resident: ResidentKey,
        purpose: ReadPurpose,
        device_key_id: [u8; 32],
        write: &mut WriteSet<'_>,
    ) {
        let row = ReadRow {
            purpose,
            device_key_id,
            rule_set: String::new(),
        };
        let now = self.clock.now().get().to_be_bytes();
        let key = [&now[..], &self.entropy.bytes::<16>(), BY_OTHER].concat();
        write.put_new(Table::Reads, &resident.row(&key), &row);
    }

    /// The readings of a record by somebody else than its resident, newest first: those before the place `from`, or the newest.
    /// `proxies` are those of now, who have a label.
    pub(crate) fn readings_by_others(
        &self,
        resident: ResidentKey,
        from: Option<Place>,
        proxies: &[KnownProxy],
    ) -> Result<Readings, NodeError> {
        let mut keys = self.vault.keys(Table::Reads, &resident.0, usize::MAX)?;
        keys.retain(|key| key.len() == BY_OTHER_KEY_LEN_BYTES);
        let total = keys.len();
        let place = |key: &[u8]| key.get(32..).and_then(|place| place.first_chunk()).copied();
        let is_older = |key: &&Vec<u8>| from.is_none_or(|from| place(key) < Some(from));
        let mut older = keys.iter().rev().filter(is_older);
        let page: Vec<&Vec<u8>> = older.by_ref().take(SHOWN_MAX).collect();
        let next = older.next().and(page.last());
        Ok(Readings {
            shown: page
                .iter()
                .map(|key| self.reading(key, proxies))
                .collect::<Result<_, _>>()?,
            total,
            next: next.and_then(|key| place(key)),
        })
    }

    fn reading(&self, key: &[u8], proxies: &[KnownProxy]) -> Result<ReadByOther, NodeError> {
        let damaged = || NodeError::Store(StoreError::Damaged(Table::Reads));
        let row: Option<ReadRow> = self.vault.get(Table::Reads, key)?;
        let row = row.ok_or_else(damaged)?;
        let (reader, purpose, epoch) = if row.purpose == ReadPurpose::Proxy {
            let name = name_of(&row.device_key_id, proxies);
            (name, "proxy", Epoch::default())
        } else {
            let read = reader_of(row.purpose, &self.federation).ok_or_else(damaged)?;
            (read.0.to_string(), read.1, read.2)
        };
        let at = key.get(32..36).and_then(|at| at.try_into().ok());
        let at = at.map(u32::from_be_bytes).map(Minute::new);
        Ok(ReadByOther {
            at: at.and_then(Result::ok).ok_or_else(damaged)?,
            reader,
            purpose,
            epoch,
        })
    }
}
