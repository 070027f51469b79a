use std::collections::HashMap;

use serde::Serialize;

use super::{PART_LEN_BYTES, Part, Vault, encode, part_key};
use crate::rows::ResidentKey;
use crate::seal::{DataKey, NODE, Owner};
use crate::table::Scope;
use crate::{Batch, Change, StoreError, Table};

/// Typed changes that are committed together or not at all.
pub struct WriteSet<'a> {
    vault: &'a Vault,
    batch: Batch,
    keys: HashMap<Owner, DataKey>,
    /// What went wrong while the set was put together; it is refused then.
    error: Option<StoreError>,
}

impl<'a> WriteSet<'a> {
    pub(super) fn new(vault: &'a Vault) -> Self {
        Self {
            vault,
            batch: Batch::default(),
            keys: HashMap::new(),
            error: None,
        }
    }

    /// Gives a resident who is new a data key. Rows of a resident without one are refused, so that nothing is written
    /// for someone who was erased meanwhile.
    pub fn take_in(&mut self, resident: ResidentKey) {
        if self.keys.contains_key(&resident.0) {
            return;
        }
        let entropy = &self.vault.entropy;
        let key = DataKey::generate(entropy);
        let wrapped = self.vault.ring().wrap(&resident.0, &key, entropy);
        let change = Change::PutNew(wrapped);
        self.batch.push(Table::Keys, resident.0.to_vec(), change);
        self.keys.insert(resident.0, key);
    }

    /// Writes a row, whether or not it is there.
    pub fn put<T: Serialize>(&mut self, table: Table, key: &[u8], row: &T) {
        self.push(table, key, row, Change::Put);
    }

    /// Writes a row; the whole set is refused with [`StoreError::Conflict`] if it is there.
    pub fn put_new<T: Serialize>(&mut self, table: Table, key: &[u8], row: &T) {
        self.push(table, key, row, Change::PutNew);
    }

    /// Writes a row of a table whose keys do not begin with a resident's, sealed under that resident's key.
    pub fn put_of<T: Serialize>(
        &mut self,
        resident: ResidentKey,
        table: Table,
        key: &[u8],
        row: &T,
    ) {
        if let Some(sealed) = self.sealed(table, resident.0, key, row) {
            let stored = [&resident.0[..], &sealed].concat();
            self.batch.push(table, key.to_vec(), Change::Put(stored));
        }
    }

    /// Writes a value that may be larger than a row, at most 15 MB, under keys of its own table.
    pub fn put_large<T: Serialize>(&mut self, table: Table, key: &[u8], value: &T) {
        let bytes = encode(value);
        let parts: Vec<&[u8]> = bytes.chunks(PART_LEN_BYTES).collect();
        let Ok(count) = u8::try_from(parts.len()) else {
            let len_bytes = bytes.len();
            self.error = Some(StoreError::ValueTooLarge { table, len_bytes });
            return;
        };
        for (part, bytes) in (0..count).zip(parts) {
            self.put(table, &part_key(key, part), &Part(count, bytes));
        }
    }

    /// Removes a row if it is there.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.batch.push(table, key.to_vec(), Change::Delete);
    }

    /// Removes a resident's data key and every row of theirs in tables whose keys begin with a resident's; of others the
    /// caller removes them. What the database's old files still hold opens only with the removed key; see
    /// [`Vault::rewrap`] for when that is gone too.
    pub fn erase(&mut self, resident: ResidentKey) {
        self.keys.remove(&resident.0);
        self.delete(Table::Keys, &resident.0);
        for table in Table::of_residents() {
            let vault = self.vault;
            let walked = vault.walk_stored::<StoreError>(table, &resident.0, &mut |key, _| {
                self.delete(table, key);
                Ok(())
            });
            if let Err(error) = walked {
                self.error = Some(error);
            }
        }
    }

    /// Commits the set; when it returns, all of it would survive a loss of power.
    ///
    /// # Errors
    /// As [`crate::Store::commit`]; [`StoreError::Damaged`] of [`Table::Keys`] for rows of a resident without a data key.
    pub fn commit(self) -> Result<(), StoreError> {
        match self.error {
            Some(error) => Err(error),
            None => self.vault.store.commit(self.batch),
        }
    }

    fn push<T: Serialize>(
        &mut self,
        table: Table,
        key: &[u8],
        row: &T,
        change: fn(Vec<u8>) -> Change,
    ) {
        let owner = match table.scope() {
            Scope::Node => Some(NODE),
            Scope::Resident => key.first_chunk().copied(),
            Scope::Named | Scope::Plain => None,
        };
        let Some(owner) = owner else {
            self.error = Some(StoreError::Damaged(table));
            return;
        };
        if let Some(sealed) = self.sealed(table, owner, key, row) {
            self.batch.push(table, key.to_vec(), change(sealed));
        }
    }

    /// The row sealed for its place; none if that failed, which the commit will say.
    fn sealed<T: Serialize>(
        &mut self,
        table: Table,
        owner: Owner,
        key: &[u8],
        row: &T,
    ) -> Option<Vec<u8>> {
        if !self.keys.contains_key(&owner) {
            match self.vault.data_key(&owner) {
                Ok(Some(key)) => {
                    self.keys.insert(owner, key);
                }
                Ok(None) => {
                    self.error = Some(StoreError::Damaged(Table::Keys));
                    return None;
                }
                Err(error) => {
                    self.error = Some(error);
                    return None;
                }
            }
        }
        let plain = encode(row);
        let entropy = &self.vault.entropy;
        Some(self.keys[&owner].seal(table, &owner, key, &plain, entropy))
    }
}
