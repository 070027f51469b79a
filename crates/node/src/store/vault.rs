use std::sync::Arc;

use rules::ProvinceCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::seal::{AesSeal, mac};
use super::{Batch, Change, NodeKey, Seal, Store, StoreError, Table};
use crate::Entropy;

/// Version of the rows' form; a store of another version is refused.
pub const SCHEMA_VERSION: u32 = 1;

/// Bytes of a large value that go into one row, so that the sealed row stays below the limit.
const PART_LEN_BYTES: usize = 60_000;
/// Rows read at a time when a whole table is walked.
const WALK_LEN: usize = 512;
const IDENTITY_KEY: &[u8] = b"identity";

/// Whose store it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIdentity {
    /// Name of the federation.
    pub federation: String,
    /// Province of the node.
    pub province: ProvinceCode,
}

#[derive(Serialize, Deserialize)]
struct MetaRow {
    schema: u32,
    identity: StoreIdentity,
    key_check: [u8; 32],
}

/// Typed rows over a [`Store`], sealed with the node key.
pub struct Vault {
    store: Arc<dyn Store>,
    seal: Box<dyn Seal>,
    lookup_key: Zeroizing<[u8; 32]>,
}

/// Typed changes that are committed together or not at all.
pub struct WriteSet<'a> {
    vault: &'a Vault,
    batch: Batch,
}

impl Vault {
    /// Takes a store for this node: one that is empty becomes its own, any other must be.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for the store of another node or schema, [`StoreError::WrongKey`] for another key.
    pub fn open(
        store: Arc<dyn Store>,
        identity: &StoreIdentity,
        key: &NodeKey,
        entropy: Arc<Entropy>,
    ) -> Result<Self, StoreError> {
        let key_check = mac(&key.derive("check")[..], &[b"store"]);
        if let Some(bytes) = store.get(Table::Meta, IDENTITY_KEY)? {
            check_meta(&bytes, identity, &key_check)?;
        } else {
            let row = MetaRow {
                schema: SCHEMA_VERSION,
                identity: identity.clone(),
                key_check,
            };
            let mut batch = Batch::default();
            let change = Change::PutNew(encode(&row));
            batch.push(Table::Meta, IDENTITY_KEY.to_vec(), change);
            store.commit(batch)?;
        }
        Ok(Self {
            store,
            seal: Box::new(AesSeal::new(key, entropy)),
            lookup_key: key.derive("lookup"),
        })
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
            Some(sealed) => Ok(Some(self.decode(table, key, &sealed)?)),
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
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self.store.scan(table, prefix, after.as_deref(), WALK_LEN)?;
            let is_last = rows.len() < WALK_LEN;
            for (key, sealed) in &rows {
                each(key, self.decode(table, key, sealed)?)?;
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

    /// A large value written by [`WriteSet::put_large`].
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn get_large<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        let Some((parts, mut bytes)) = self.get::<(u8, Vec<u8>)>(table, &part_key(key, 0))? else {
            return Ok(None);
        };
        for part in 1..parts {
            let (_, more) = self
                .get::<(u8, Vec<u8>)>(table, &part_key(key, part))?
                .ok_or(StoreError::Damaged(table))?;
            bytes.extend(more);
        }
        let value = postcard::from_bytes(&bytes).map_err(|_| StoreError::Damaged(table))?;
        Ok(Some(value))
    }

    /// Begins a set of changes.
    pub fn write(&self) -> WriteSet<'_> {
        WriteSet {
            vault: self,
            batch: Batch::default(),
        }
    }

    fn decode<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let plain = Zeroizing::new(self.seal.open(table, key, sealed)?);
        postcard::from_bytes(&plain).map_err(|_| StoreError::Damaged(table))
    }
}

impl WriteSet<'_> {
    /// Writes a row, whether or not it is there.
    pub fn put<T: Serialize>(&mut self, table: Table, key: &[u8], row: &T) {
        let sealed = self.sealed(table, key, row);
        self.batch.push(table, key.to_vec(), Change::Put(sealed));
    }

    /// Writes a row; the whole set is refused with [`StoreError::Conflict`] if it is there.
    pub fn put_new<T: Serialize>(&mut self, table: Table, key: &[u8], row: &T) {
        let sealed = self.sealed(table, key, row);
        self.batch.push(table, key.to_vec(), Change::PutNew(sealed));
    }

    /// Writes a value that may be larger than a row, at most 15 MB, under keys of its own table.
    pub fn put_large<T: Serialize>(&mut self, table: Table, key: &[u8], value: &T) {
        let bytes = encode(value);
        let parts: Vec<&[u8]> = bytes.chunks(PART_LEN_BYTES).collect();
        let count = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        for (part, bytes) in (0..count).zip(parts) {
            self.put(table, &part_key(key, part), &(count, bytes));
        }
    }

    /// Removes a row if it is there.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.batch.push(table, key.to_vec(), Change::Delete);
    }

    /// Commits the set; when it returns, all of it would survive a loss of power.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit(self) -> Result<(), StoreError> {
        self.vault.store.commit(self.batch)
    }

    fn sealed<T: Serialize>(&self, table: Table, key: &[u8], row: &T) -> Vec<u8> {
        let plain = Zeroizing::new(encode(row));
        self.vault.seal.seal(table, key, &plain)
    }
}

fn part_key(key: &[u8], part: u8) -> Vec<u8> {
    [key, &[part]].concat()
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("rows hold nothing that postcard cannot write")
}

fn check_meta(
    bytes: &[u8],
    identity: &StoreIdentity,
    key_check: &[u8; 32],
) -> Result<(), StoreError> {
    let name = |schema: u32, who: &StoreIdentity| {
        let province = who.province.get();
        format!("{}/{province:02} with schema {schema}", who.federation)
    };
    let meta: MetaRow =
        postcard::from_bytes(bytes).map_err(|_| StoreError::Damaged(Table::Meta))?;
    if meta.identity != *identity || meta.schema != SCHEMA_VERSION {
        return Err(StoreError::Foreign {
            found: name(meta.schema, &meta.identity),
            expected: name(SCHEMA_VERSION, identity),
        });
    }
    if meta.key_check != *key_check {
        return Err(StoreError::WrongKey);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn identity(province: u8) -> StoreIdentity {
        StoreIdentity {
            federation: "test".to_owned(),
            province: ProvinceCode::new(province).unwrap(),
        }
    }

    fn open(store: &Arc<MemoryStore>, province: u8, key: u8) -> Result<Vault, StoreError> {
        let entropy = Arc::new(Entropy::from_seed([3; 32]));
        let key = NodeKey::new([key; 32]);
        Vault::open(store.clone(), &identity(province), &key, entropy)
    }

    #[test]
    fn the_store_of_another_node_or_key_is_refused() {
        let store = Arc::new(MemoryStore::default());
        drop(open(&store, 33, 1).unwrap());
        assert!(open(&store, 33, 1).is_ok());
        assert!(matches!(
            open(&store, 35, 1),
            Err(StoreError::Foreign { .. })
        ));
        assert_eq!(open(&store, 33, 2).err(), Some(StoreError::WrongKey));
    }

    #[test]
    fn rows_come_back_and_do_not_lie_there_in_plain() {
        let store = Arc::new(MemoryStore::default());
        let vault = open(&store, 33, 1).unwrap();
        let row = "110105194912310021".to_owned();
        let mut write = vault.write();
        write.put(Table::Events, b"k", &row);
        write.commit().unwrap();
        assert_eq!(vault.get(Table::Events, b"k").unwrap(), Some(row.clone()));
        let raw = store.get(Table::Events, b"k").unwrap().unwrap();
        assert!(!raw.windows(18).any(|w| w == row.as_bytes()));
    }

    #[test]
    fn a_row_moved_to_another_key_is_damaged() {
        let store = Arc::new(MemoryStore::default());
        let vault = open(&store, 33, 1).unwrap();
        let mut write = vault.write();
        write.put(Table::Events, b"a", &7u32);
        write.commit().unwrap();
        let raw = store.get(Table::Events, b"a").unwrap().unwrap();
        let mut batch = Batch::default();
        batch.push(Table::Events, b"b".to_vec(), Change::Put(raw));
        store.commit(batch).unwrap();
        let moved = vault.get::<u32>(Table::Events, b"b");
        assert_eq!(moved, Err(StoreError::Damaged(Table::Events)));
    }

    #[test]
    fn large_values_and_long_walks_come_back_whole() {
        let store = Arc::new(MemoryStore::default());
        let vault = open(&store, 33, 1).unwrap();
        let large: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[1]).collect();
        let mut write = vault.write();
        write.put_large(Table::Online, b"x", &large);
        for number in 0..1500u32 {
            write.put(Table::Reads, &number.to_be_bytes(), &number);
        }
        write.commit().unwrap();
        assert_eq!(vault.get_large(Table::Online, b"x").unwrap(), Some(large));
        let none: Option<Vec<u8>> = vault.get_large(Table::Online, b"y").unwrap();
        assert_eq!(none, None);
        let rows: Vec<(Vec<u8>, u32)> = vault.list(Table::Reads, b"").unwrap();
        assert!(rows.iter().map(|(_, n)| *n).eq(0..1500));
    }
}
