//! A store as a stream of bytes: a header with whose store it is, rows and later changes, and at the end what they add up
//! to. The values are sealed as in the store; who encrypts the stream, and where it goes, is not known here.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::seal::{KeyRing, NODE};
use crate::vault::meta;
use crate::{
    DiskOptions, DiskStore, Each, MAX_KEY_LEN_BYTES, MAX_VALUE_LEN_BYTES, Store, StoreError,
    StoreIdentity, Table, Tally,
};

const MAGIC: &[u8; 12] = b"VIR backup 1";
/// Longest meta row.
const MAX_META_LEN_BYTES: usize = 1_024;
const PUT: u8 = 1;
const REMOVE: u8 = 2;
const END: u8 = 3;

/// Why a backup was not written, or not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file could not be read or written.
    #[error("the backup cannot be read or written: {0}")]
    Io(io::Error),
    /// It does not begin as a backup does.
    #[error("this is not a backup of a store, or one of another version")]
    NotABackup,
    /// It ends before its end.
    #[error("the backup is cut short")]
    CutShort,
    /// A field in it cannot be.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// The store did not give or take the rows, or the backup is not this node's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::CutShort
        } else {
            Self::Io(error)
        }
    }
}

/// Writes a store's rows as they are when this returns; commits go on meanwhile. `each` is called with the number of rows
/// written.
///
/// # Errors
/// [`BackupError::Io`], [`BackupError::Store`]; what was written so far is no backup then.
pub fn write_backup(
    store: &dyn Store,
    out: &mut dyn Write,
    each: &mut dyn FnMut(u64),
) -> Result<Tally, BackupError> {
    let meta = store.get(Table::Meta, meta::IDENTITY_KEY)?;
    let meta = meta.ok_or(StoreError::Damaged(Table::Meta))?;
    out.write_all(MAGIC)?;
    out.write_all(&u16_of(meta.len()))?;
    out.write_all(&meta)?;
    let mut rows = 0;
    let mut broken = None;
    let exported = store.export(&mut |key, value| {
        rows += 1;
        each(rows);
        put_row(out, key, value).map_err(|error| {
            broken = Some(error);
            StoreError::Failed("the backup could not be written".to_owned())
        })
    });
    let tally = match (exported, broken) {
        (_, Some(error)) => return Err(error.into()),
        (exported, None) => exported?,
    };
    out.write_all(&[END])?;
    out.write_all(&tally.to_bytes())?;
    out.write_all(&check_of(&tally.to_bytes()))?;
    out.flush()?;
    Ok(tally)
}

/// What shows that the end is as it was written.
fn check_of(tally: &[u8; 32]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&Sha256::digest(tally)[..8]);
    check
}

fn put_row(out: &mut dyn Write, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
    out.write_all(&[if value.is_some() { PUT } else { REMOVE }])?;
    out.write_all(&u16_of(key.len()))?;
    out.write_all(key)?;
    let Some(value) = value else { return Ok(()) };
    let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
    out.write_all(&len.to_be_bytes())?;
    out.write_all(value)
}

fn u16_of(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
}

/// Makes a store from a backup, in a directory that holds none. Whose it is, and that the ring opens it, is checked before
/// there is a store. `each` is called with the number of rows read.
///
/// # Errors
/// [`BackupError`]; there is no store then.
pub fn restore_backup(
    input: &mut dyn Read,
    options: &DiskOptions,
    identity: &StoreIdentity,
    ring: &KeyRing,
    each: &mut dyn FnMut(u64),
) -> Result<DiskStore, BackupError> {
    let meta = read_header(input)?;
    meta::check_row(&meta, identity, ring)?;
    let mut broken = None;
    let created = DiskStore::create(options, |put| {
        let mut rows = 0;
        let read = read_rows(input, &mut |key, value| {
            rows += 1;
            each(rows);
            check_key(ring, key, value)?;
            Ok(put(key, value)?)
        });
        read.map_err(|error| match error {
            BackupError::Store(error) => error,
            other => {
                let text = other.to_string();
                broken = Some(other);
                StoreError::Failed(text)
            }
        })
    });
    match (created, broken) {
        (_, Some(error)) => Err(error),
        (created, None) => Ok(created?),
    }
}

/// Reads a backup to its end and checks its form, without making a store, and tells how many rows it has. What the rows add
/// up to is compared by [`restore_backup`], which has them all.
///
/// # Errors
/// [`BackupError`].
pub fn check_backup(input: &mut dyn Read) -> Result<u64, BackupError> {
    read_header(input)?;
    let mut rows = 0;
    read_rows(input, &mut |_, _| {
        rows += 1;
        Ok(())
    })?;
    Ok(rows)
}

fn read_header(input: &mut dyn Read) -> Result<Vec<u8>, BackupError> {
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Err(BackupError::NotABackup);
    }
    let len = usize::from(u16::from_be_bytes(read_array(input)?));
    read_bytes(input, len, MAX_META_LEN_BYTES, "the header is too long")
}

fn read_rows(input: &mut dyn Read, each: &mut Each<'_, BackupError>) -> Result<Tally, BackupError> {
    loop {
        let [tag] = read_array(input)?;
        if tag == END {
            let tally: [u8; 32] = read_array(input)?;
            if read_array(input)? != check_of(&tally) {
                return Err(BackupError::Damaged("its end"));
            }
            let mut more = [0];
            if input.read(&mut more)? != 0 {
                return Err(BackupError::Damaged("something follows its end"));
            }
            return Tally::from_bytes(&tally).ok_or(BackupError::Damaged("its end"));
        }
        let len = usize::from(u16::from_be_bytes(read_array(input)?));
        let key = read_bytes(input, len, MAX_KEY_LEN_BYTES + 1, "a key is too long")?;
        if Table::from_code(*key.first().unwrap_or(&0)).is_none() {
            return Err(BackupError::Damaged("a row of an unknown table"));
        }
        match tag {
            PUT => {
                let len = u32::from_be_bytes(read_array(input)?);
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                let value = read_bytes(input, len, MAX_VALUE_LEN_BYTES, "a value is too long")?;
                each(&key, Some(&value))?;
            }
            REMOVE => each(&key, None)?,
            _ => {
                return Err(BackupError::Damaged(
                    "something that is neither row nor end",
                ));
            }
        }
    }
}

/// A data key that the ring does not open makes the whole backup useless: better said before than after.
fn check_key(ring: &KeyRing, key: &[u8], value: Option<&[u8]>) -> Result<(), BackupError> {
    let (Some((code, owner)), Some(wrapped)) = (key.split_first(), value) else {
        return Ok(());
    };
    if *code == Table::Keys.code() {
        let owner = owner.try_into().unwrap_or(NODE);
        ring.unwrap(&owner, wrapped)?;
    }
    Ok(())
}

fn read_array<const N: usize>(input: &mut dyn Read) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_bytes(
    input: &mut dyn Read,
    len: usize,
    limit: usize,
    too_long: &'static str,
) -> Result<Vec<u8>, BackupError> {
    if len > limit {
        return Err(BackupError::Damaged(too_long));
    }
    let mut bytes = vec![0; len];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
