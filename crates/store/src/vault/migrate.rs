//! From schema 1 to schema 2: every row opened under the one key that there was and sealed under its owner's, into a new
//! generation; the old one is used no more once the new one is whole, and not before.

use std::collections::HashMap;
use std::sync::Arc;

use rules::Record;
use serde::{Deserialize, Serialize};

use super::{SCHEMA_VERSION, StoreIdentity, Vault, encode, meta};
use crate::rows::{CommittedRow, ResidentKey};
use crate::seal::{DataKey, FirstSeal, KeyRing, NODE, Owner};
use crate::table::Scope;
use crate::{DiskOptions, DiskStore, EachRow, Entropy, StoreError, Table};

/// Opens the store in a directory for this node, and brings it to the schema of today first.
///
/// # Errors
/// As [`DiskStore::open`] and [`Vault::open`].
pub fn open_on_disk(
    options: &DiskOptions,
    identity: &StoreIdentity,
    ring: KeyRing,
    entropy: Arc<Entropy>,
) -> Result<(Arc<DiskStore>, Vault), StoreError> {
    let mut store = Arc::new(DiskStore::open(options)?);
    if meta::check(&*store, identity, &ring)? == Some(1) {
        drop(store);
        tracing::info!(
            to = SCHEMA_VERSION,
            "the store's rows are brought to a new schema"
        );
        let mut migration = Migration::new(identity, &ring, &entropy);
        DiskStore::migrate(options, &mut |key, value, put| {
            migration.row(key, value, put)
        })?;
        store = Arc::new(DiskStore::open(options)?);
    }
    let vault = Vault::open(Arc::clone(&store) as _, identity, ring, entropy)?;
    Ok((store, vault))
}

/// A committed record as schema 1 had it.
#[derive(Serialize, Deserialize)]
pub(super) struct FirstCommittedRow {
    pub(super) resident: ResidentKey,
    pub(super) record: Record,
    pub(super) blinding: [u8; 32],
    pub(super) leaf: [u8; 32],
}

struct Migration<'a> {
    identity: &'a StoreIdentity,
    ring: &'a KeyRing,
    entropy: &'a Entropy,
    old: FirstSeal,
    keys: HashMap<Owner, DataKey>,
}

impl<'a> Migration<'a> {
    fn new(identity: &'a StoreIdentity, ring: &'a KeyRing, entropy: &'a Entropy) -> Self {
        Self {
            identity,
            ring,
            entropy,
            old: FirstSeal::new(ring),
            keys: HashMap::new(),
        }
    }

    fn row(&mut self, whole: &[u8], value: &[u8], put: &mut EachRow<'_>) -> Result<(), StoreError> {
        let strange = || StoreError::Failed("a row of an unknown table".to_owned());
        let (code, key) = whole.split_first().ok_or_else(strange)?;
        let table = Table::from_code(*code).ok_or_else(strange)?;
        if table == Table::Meta {
            let (key, value) = meta::row(SCHEMA_VERSION, self.identity, self.ring);
            return put(&whole_key(table, &key), &value);
        }
        let plain = self.old.open(table, key, value)?;
        match table.scope() {
            Scope::Node => {
                let sealed = self.sealed(table, NODE, key, &plain, put)?;
                put(whole, &sealed)
            }
            Scope::Resident => {
                let owner = *key.first_chunk().ok_or(StoreError::Damaged(table))?;
                let sealed = self.sealed(table, owner, key, &plain, put)?;
                put(whole, &sealed)
            }
            Scope::Named => {
                let row: FirstCommittedRow =
                    postcard::from_bytes(&plain).map_err(|_| StoreError::Damaged(table))?;
                let owner = row.resident.0;
                let committed = encode(&CommittedRow {
                    record: row.record,
                    blinding: row.blinding,
                });
                let sealed = self.sealed(table, owner, key, &committed, put)?;
                put(whole, &[&owner[..], &sealed].concat())?;
                let leaf = encode(&row.leaf);
                let sealed = self.sealed(Table::Leaves, NODE, key, &leaf, put)?;
                put(&whole_key(Table::Leaves, key), &sealed)
            }
            Scope::Plain => Err(strange()),
        }
    }

    fn sealed(
        &mut self,
        table: Table,
        owner: Owner,
        key: &[u8],
        plain: &[u8],
        put: &mut EachRow<'_>,
    ) -> Result<Vec<u8>, StoreError> {
        if !self.keys.contains_key(&owner) {
            let new = DataKey::generate(self.entropy);
            let wrapped = self.ring.wrap(&owner, &new, self.entropy);
            put(&whole_key(Table::Keys, &owner), &wrapped)?;
            self.keys.insert(owner, new);
        }
        Ok(self.keys[&owner].seal(table, &owner, key, plain, self.entropy))
    }
}

fn whole_key(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table.code()], key].concat()
}
