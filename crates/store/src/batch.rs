use std::collections::BTreeMap;

use crate::{StoreError, Table};

/// Longest value that a backend takes, in bytes; sled keeps larger ones in separate files.
pub const MAX_VALUE_LEN_BYTES: usize = 65_536;
/// Longest key, in bytes.
pub const MAX_KEY_LEN_BYTES: usize = 128;

/// One change to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Writes the row, whether or not it was there.
    Put(Vec<u8>),
    /// Writes the row; the whole batch is refused if it is there.
    PutNew(Vec<u8>),
    /// Writes the row; the whole batch is refused unless the row is there with the first value.
    Replace(Vec<u8>, Vec<u8>),
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

    /// The rows that the batch leaves behind, after checking the limits and, through `now`, what rows there must be.
    pub(crate) fn resolve(
        self,
        mut now: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
    ) -> Result<Rows, StoreError> {
        let mut rows = Rows::new();
        for (table, key, change) in self.changes {
            let whole = whole_key(table, &key)?;
            let mut is = || match rows.get(&whole) {
                Some(value) => Ok(value.clone()),
                None => now(&whole),
            };
            let value = match change {
                Change::Delete => None,
                Change::Put(value) => Some(value),
                Change::PutNew(value) if is()?.is_none() => Some(value),
                Change::Replace(old, value) if is()?.is_some_and(|is| is == old) => Some(value),
                Change::PutNew(_) | Change::Replace(..) => return Err(StoreError::Conflict(table)),
            };
            if let Some(len_bytes) = value.as_ref().map(Vec::len)
                && len_bytes > MAX_VALUE_LEN_BYTES
            {
                return Err(StoreError::ValueTooLarge { table, len_bytes });
            }
            rows.insert(whole, value);
        }
        Ok(rows)
    }
}

/// Whole keys with their new values, none for removal.
pub(crate) type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The key of a row among all tables' rows.
pub(crate) fn whole_key(table: Table, key: &[u8]) -> Result<Vec<u8>, StoreError> {
    if key.len() > MAX_KEY_LEN_BYTES {
        return Err(StoreError::KeyTooLarge(key.len()));
    }
    let mut whole = Vec::with_capacity(key.len() + 1);
    whole.push(table.code());
    whole.extend_from_slice(key);
    Ok(whole)
}

/// The least key above all keys that begin with `prefix`; none if there is no such key.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_skips_bytes_that_cannot_rise() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255, 255]), None);
    }

    #[test]
    fn a_batch_is_empty_until_a_change_is_put_into_it() {
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        batch.push(Table::Jobs, vec![1], Change::Delete);
        assert!(!batch.is_empty());
        assert_eq!(batch.changes(), [(Table::Jobs, vec![1], Change::Delete)]);
    }

    #[test]
    fn a_row_is_written_anew_only_where_none_is_and_replaced_only_if_it_is_the_one_that_was_read() {
        let resolve = |change: Change, there: Option<&[u8]>| {
            let mut batch = Batch::default();
            batch.push(Table::Jobs, vec![1], change);
            let rows = batch.resolve(|_| Ok(there.map(<[u8]>::to_vec)));
            rows.map(|rows| rows.into_values().collect::<Vec<_>>())
        };
        let refused = Err(StoreError::Conflict(Table::Jobs));
        let written = Ok(vec![Some(vec![9])]);
        let new = Change::PutNew(vec![9]);
        assert_eq!(resolve(new.clone(), None), written);
        assert_eq!(resolve(new, Some(&[9])), refused);
        let other = Change::Replace(vec![8], vec![9]);
        assert_eq!(resolve(other.clone(), Some(&[8])), written);
        assert_eq!(resolve(other.clone(), Some(&[7])), refused);
        assert_eq!(resolve(other, None), refused);
        assert_eq!(resolve(Change::Put(vec![9]), Some(&[7])), written);
        assert_eq!(resolve(Change::Delete, Some(&[7])), Ok(vec![None]));
    }
}
