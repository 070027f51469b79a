//! Typed rows over a store, each resident's sealed under the resident's own data key.

mod check;
mod keys;
pub(crate) mod meta;
mod migrate;
mod write;

use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{DataKey, KeyRing, NODE, Owner, mac};
use crate::table::Scope;
use crate::{EachRow, Entropy, Store, StoreError, Table};

pub use check::{Checked, Finding};
pub use meta::{SCHEMA_VERSION, StoreIdentity};
pub use migrate::open_on_disk;
pub use write::WriteSet;

/// Bytes of a large value that go into one row, so that the sealed row stays below the limit.
const PART_LEN_BYTES: usize = 60_000;
/// Rows read at a time when a whole table is walked.
const WALK_LEN: usize = 512;

/// Typed rows over a [`Store`], sealed with the keys of the node's ring.
pub struct Vault {
    store: Arc<dyn Store>,
    entropy: Arc<Entropy>,
    ring: RwLock<Arc<KeyRing>>,
    node_key: DataKey,
    lookup_key: Zeroizing<[u8; 32]>,
}

/// A part of a large value: how many parts there are, and its bytes.
#[derive(Serialize, Deserialize)]
struct Part<B>(u8, B);

impl Vault {
    /// Takes a store for this node: one that is empty becomes its own, any other must be.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for the store of another node, [`StoreError::Newer`] for one of a newer schema,
    /// [`StoreError::WrongKey`] and [`StoreError::KeyMissing`] for a ring that does not open every data key. Nothing is
    /// changed then.
    pub fn open(
        store: Arc<dyn Store>,
        identity: &StoreIdentity,
        ring: KeyRing,
        entropy: Arc<Entropy>,
    ) -> Result<Self, StoreError> {
        let node_key = match meta::check(&*store, identity, &ring)? {
            Some(SCHEMA_VERSION) => {
                let wrapped = store.get(Table::Keys, &NODE)?;
                ring.unwrap(&NODE, &wrapped.ok_or(StoreError::Damaged(Table::Keys))?)?
            }
            Some(found) => return Err(meta::other_schema(found)),
            None => meta::begin(&*store, identity, &ring, &entropy)?,
        };
        let vault = Self {
            store,
            entropy,
            node_key,
            lookup_key: ring.derive("lookup"),
            ring: RwLock::new(Arc::new(ring)),
        };
        vault.check_ring(&vault.ring())?;
        Ok(vault)
    }

    /// The name under which `secret` – an identity number, say – is looked up: HMAC-SHA-256, with `purpose` mixed in.
    pub fn blinded(&self, purpose: &str, secret: &[u8]) -> [u8; 32] {
        mac(&self.lookup_key[..], &[purpose.as_bytes(), &[0], secret])
    }

    /// The row under `key`.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if the row does not open.
    pub fn get<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        match self.store.get(table, key)? {
            Some(stored) => Ok(Some(self.decode(table, key, &stored, &mut None)?)),
            None => Ok(None),
        }
    }

    /// All rows whose keys begin with `prefix`, ascending.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn list<T: DeserializeOwned>(
        &self,
        table: Table,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        let mut all = Vec::new();
        self.walk(table, prefix, |key, row| {
            all.push((key.to_vec(), row));
            Ok(())
        })?;
        Ok(all)
    }

    /// Calls `each` with every row whose key begins with `prefix`, ascending.
    ///
    /// # Errors
    /// As [`Vault::get`], or what `each` returns.
    pub fn walk<T: DeserializeOwned, E: From<StoreError>>(
        &self,
        table: Table,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], T) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last_key = None;
        self.walk_stored(table, prefix, &mut |key, stored| {
            each(key, self.decode(table, key, stored, &mut last_key)?)
        })
    }

    /// Calls `each` with every row as it is stored.
    fn walk_stored<E: From<StoreError>>(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut EachRow<'_, E>,
    ) -> Result<(), E> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self.store.scan(table, prefix, after.as_deref(), WALK_LEN)?;
            let is_last = rows.len() < WALK_LEN;
            for (key, stored) in &rows {
                each(key, stored)?;
            }
            match rows.into_iter().next_back() {
                Some((key, _)) if !is_last => after = Some(key),
                _ => return Ok(()),
            }
        }
    }

    /// The keys that begin with `prefix`, at most `limit` of them, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys(
        &self,
        table: Table,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.store.scan(table, prefix, None, limit)?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    /// The keys that begin with `prefix` and come after `after`, at most `limit` of them, ascending: a page of a table that is
    /// too large for the memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys_after(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.store.scan(table, prefix, after, limit)?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    /// A large value written by [`WriteSet::put_large`].
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn get_large<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        let first = self.get::<Part<Vec<u8>>>(table, &part_key(key, 0))?;
        let Some(Part(parts, mut bytes)) = first else {
            return Ok(None);
        };
        for part in 1..parts {
            let Part(_, more) = self
                .get::<Part<Vec<u8>>>(table, &part_key(key, part))?
                .ok_or(StoreError::Damaged(table))?;
            bytes.extend(more);
        }
        let value = postcard::from_bytes(&bytes).map_err(|_| StoreError::Damaged(table))?;
        Ok(Some(value))
    }

    /// Begins a set of changes.
    pub fn write(&self) -> WriteSet<'_> {
        WriteSet::new(self)
    }

    fn ring(&self) -> Arc<KeyRing> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&ring)
    }

    /// An owner's data key; none for one who has none, as after erasure.
    fn data_key(&self, owner: &Owner) -> Result<Option<DataKey>, StoreError> {
        if *owner == NODE {
            return Ok(Some(self.node_key.clone()));
        }
        let wrapped = self.store.get(Table::Keys, owner)?;
        wrapped
            .map(|wrapped| self.ring().unwrap(owner, &wrapped))
            .transpose()
    }

    /// Opens a stored row; `last` keeps the key of the last owner, since neighbours often have the same.
    fn open_row(
        &self,
        table: Table,
        key: &[u8],
        stored: &[u8],
        last: &mut Option<(Owner, DataKey)>,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (owner, sealed) = owner_of(table, key, stored)?;
        if last.as_ref().is_none_or(|(of, _)| *of != owner) {
            let key = self.data_key(&owner)?;
            *last = Some((owner, key.ok_or(StoreError::Damaged(table))?));
        }
        match last {
            Some((_, data_key)) => data_key.open(table, &owner, key, sealed),
            None => Err(StoreError::Damaged(table)),
        }
    }

    fn decode<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        stored: &[u8],
        last: &mut Option<(Owner, DataKey)>,
    ) -> Result<T, StoreError> {
        let plain = self.open_row(table, key, stored, last)?;
        postcard::from_bytes(&plain).map_err(|_| StoreError::Damaged(table))
    }
}

/// Under whose key a stored row is sealed, and its sealed part.
fn owner_of<'a>(
    table: Table,
    key: &[u8],
    stored: &'a [u8],
) -> Result<(Owner, &'a [u8]), StoreError> {
    let damaged = StoreError::Damaged(table);
    match table.scope() {
        Scope::Node => Ok((NODE, stored)),
        Scope::Resident => Ok((*key.first_chunk().ok_or(damaged)?, stored)),
        Scope::Named => {
            let (owner, sealed) = stored.split_first_chunk().ok_or(damaged)?;
            Ok((*owner, sealed))
        }
        Scope::Plain => Err(damaged),
    }
}

fn part_key(key: &[u8], part: u8) -> Vec<u8> {
    [key, &[part]].concat()
}

fn encode<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        postcard::to_stdvec(value).expect("rows hold nothing that postcard cannot write"),
    )
}

#[cfg(test)]
mod tests;
