//! Whose store it is, and of which form its rows are: the one row in plain.

use rules::ProvinceCode;
use serde::{Deserialize, Serialize};

use crate::seal::{DataKey, KeyRing, NODE, mac};
use crate::{Batch, Change, Entropy, Store, StoreError, Table};

/// Version of the rows' form. 1 sealed all rows under one key, and had the leaves among the committed records.
pub const SCHEMA_VERSION: u32 = 2;

pub(crate) const IDENTITY_KEY: &[u8] = b"identity";

/// Whose store it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIdentity {
    /// Name of the federation.
    pub federation: String,
    /// Province of the node.
    pub province: ProvinceCode,
}

impl std::fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:02}", self.federation, self.province.get())
    }
}

#[derive(Serialize, Deserialize)]
struct MetaRow {
    schema: u32,
    identity: StoreIdentity,
    key_check: [u8; 32],
}

/// The row's key and value under a schema.
pub(super) fn row(schema: u32, identity: &StoreIdentity, ring: &KeyRing) -> (Vec<u8>, Vec<u8>) {
    let row = MetaRow {
        schema,
        identity: identity.clone(),
        key_check: key_check(ring),
    };
    let bytes = postcard::to_stdvec(&row).expect("a row of plain fields is written");
    (IDENTITY_KEY.to_vec(), bytes)
}

fn key_check(ring: &KeyRing) -> [u8; 32] {
    mac(&ring.derive("check")[..], &[b"store"])
}

/// The schema of a store, after checking that it is this node's; none for an empty one.
pub(super) fn check(
    store: &dyn Store,
    identity: &StoreIdentity,
    ring: &KeyRing,
) -> Result<Option<u32>, StoreError> {
    let row = store.get(Table::Meta, IDENTITY_KEY)?;
    row.map(|row| check_row(&row, identity, ring)).transpose()
}

/// The schema in the row, after checking that it is this node's.
pub(crate) fn check_row(
    bytes: &[u8],
    identity: &StoreIdentity,
    ring: &KeyRing,
) -> Result<u32, StoreError> {
    // A newer row may be longer; its schema stands first whatever follows.
    let newer = postcard::take_from_bytes::<u32>(bytes);
    if let Ok((found, _)) = newer
        && found > SCHEMA_VERSION
    {
        return Err(other_schema(found));
    }
    let meta: MetaRow =
        postcard::from_bytes(bytes).map_err(|_| StoreError::Damaged(Table::Meta))?;
    if meta.identity != *identity {
        return Err(StoreError::Foreign {
            found: meta.identity.to_string(),
            expected: identity.to_string(),
        });
    }
    if meta.key_check != key_check(ring) {
        return Err(StoreError::WrongKey);
    }
    Ok(meta.schema)
}

pub(super) fn other_schema(found: u32) -> StoreError {
    StoreError::Newer {
        found,
        known: SCHEMA_VERSION,
    }
}

/// Makes an empty store this node's.
pub(super) fn begin(
    store: &dyn Store,
    identity: &StoreIdentity,
    ring: &KeyRing,
    entropy: &Entropy,
) -> Result<DataKey, StoreError> {
    let node_key = DataKey::generate(entropy);
    let mut batch = Batch::default();
    let (key, value) = row(SCHEMA_VERSION, identity, ring);
    batch.push(Table::Meta, key, Change::PutNew(value));
    let wrapped = ring.wrap(&NODE, &node_key, entropy);
    batch.push(Table::Keys, NODE.to_vec(), Change::PutNew(wrapped));
    store.commit(batch)?;
    Ok(node_key)
}
