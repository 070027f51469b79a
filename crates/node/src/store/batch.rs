use super::StoreError;

/// Longest value that a backend takes, in bytes; sled keeps larger ones in separate files.
pub const MAX_VALUE_LEN_BYTES: usize = 65_536;
/// Longest key, in bytes.
pub const MAX_KEY_LEN_BYTES: usize = 128;

/// The tables. The numbers are part of the stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Whose store this is; the only table that is not sealed.
    Meta = 1,
    /// Resident key → who, and the fixed place in the state tree.
    Residents = 2,
    /// Place in the state tree → resident key; its last row tells the next free place.
    Places = 3,
    /// Device key id → resident and public key.
    Devices = 4,
    /// Resident key, number → event with its evidence.
    Events = 5,
    /// Minute, device key id, nonce → nothing; what was signed once is not taken twice.
    Nonces = 6,
    /// Resident key, use id → what was requested.
    Uses = 7,
    /// Resident key, use id, position → an issued pass with its revocation secret.
    Passes = 8,
    /// Resident key, kind, day or epoch → what has been used up.
    Limits = 9,
    /// Resident key, case id → a contested event.
    Cases = 10,
    /// Resident key, minute, number → who read the record and what for.
    Reads = 11,
    /// Epoch → closing minute and signed head; its presence is what closes an epoch.
    Epochs = 12,
    /// Epoch, place → committed record, blinding and leaf.
    Committed = 13,
    /// One row: what this node has cosigned last, and the heads that it has seen.
    Cosigned = 14,
    /// Epoch → registry with its quorum.
    Registries = 15,
    /// Sequence → digest of the last online document that this node has signed.
    OnlineSigned = 16,
    /// Sequence → the newest online document with its quorum.
    Online = 17,
    /// Resident key, use id → why there is no pass.
    Refusals = 18,
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 18] = [
        Self::Meta,
        Self::Residents,
        Self::Places,
        Self::Devices,
        Self::Events,
        Self::Nonces,
        Self::Uses,
        Self::Passes,
        Self::Limits,
        Self::Cases,
        Self::Reads,
        Self::Epochs,
        Self::Committed,
        Self::Cosigned,
        Self::Registries,
        Self::OnlineSigned,
        Self::Online,
        Self::Refusals,
    ];

    /// The number in stored keys.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Residents => "residents",
            Self::Places => "places",
            Self::Devices => "devices",
            Self::Events => "events",
            Self::Nonces => "nonces",
            Self::Uses => "uses",
            Self::Passes => "passes",
            Self::Limits => "limits",
            Self::Cases => "cases",
            Self::Reads => "reads",
            Self::Epochs => "epochs",
            Self::Committed => "committed",
            Self::Cosigned => "cosigned",
            Self::Registries => "registries",
            Self::OnlineSigned => "online-signed",
            Self::Online => "online",
            Self::Refusals => "refusals",
        }
    }
}

/// One change to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Writes the row, whether or not it was there.
    Put(Vec<u8>),
    /// Writes the row; the whole batch is refused if it is there.
    PutNew(Vec<u8>),
    /// Removes the row if it is there.
    Delete,
}

/// Changes that are applied together or not at all, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    changes: Vec<(Table, Vec<u8>, Change)>,
}

impl Batch {
    /// Adds a change.
    pub fn push(&mut self, table: Table, key: Vec<u8>, change: Change) {
        self.changes.push((table, key, change));
    }

    /// The changes in their order.
    pub fn changes(&self) -> &[(Table, Vec<u8>, Change)] {
        &self.changes
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes as `(whole key, new value or none for removal)`, after checking the limits and, through
    /// `exists`, that rows that must be new are.
    pub(super) fn resolve(
        self,
        mut exists: impl FnMut(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<Resolved, StoreError> {
        let mut resolved: Resolved = Vec::with_capacity(self.changes.len());
        let mut seen = std::collections::HashMap::new();
        for (table, key, change) in self.changes {
            let whole = whole_key(table, &key)?;
            let value = match change {
                Change::Delete => None,
                Change::Put(value) | Change::PutNew(value) if value.len() > MAX_VALUE_LEN_BYTES => {
                    let len_bytes = value.len();
                    return Err(StoreError::ValueTooLarge { table, len_bytes });
                }
                Change::Put(value) => Some(value),
                Change::PutNew(value) => {
                    let there = match seen.get(&whole) {
                        Some(&there) => there,
                        None => exists(&whole)?,
                    };
                    if there {
                        return Err(StoreError::Conflict(table));
                    }
                    Some(value)
                }
            };
            seen.insert(whole.clone(), value.is_some());
            resolved.push((whole, value));
        }
        Ok(resolved)
    }
}

/// Whole keys with their new values, none for removal.
type Resolved = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The key of a row among all tables' rows.
pub(super) fn whole_key(table: Table, key: &[u8]) -> Result<Vec<u8>, StoreError> {
    if key.len() > MAX_KEY_LEN_BYTES {
        return Err(StoreError::KeyTooLarge(key.len()));
    }
    let mut whole = Vec::with_capacity(key.len() + 1);
    whole.push(table.code());
    whole.extend_from_slice(key);
    Ok(whole)
}

/// The least key above all keys that begin with `prefix`; none if there is no such key.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_own_number_and_name() {
        for (i, a) in Table::ALL.iter().enumerate() {
            for b in &Table::ALL[..i] {
                assert!(a.code() != b.code() && a.name() != b.name());
            }
        }
    }

    #[test]
    fn the_end_of_a_prefix_skips_bytes_that_cannot_rise() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255, 255]), None);
    }
}
