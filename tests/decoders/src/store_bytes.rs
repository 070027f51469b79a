//! What a store is restored from: a backup's stream, and the key ring.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use rules::ProvinceCode;
use store::{
    DiskOptions, Entropy, KeyRing, MemoryStore, ResidentKey, StoreIdentity, Table, Vault,
    check_backup, restore_backup, write_backup,
};

use crate::bytes::says;

fn identity() -> StoreIdentity {
    StoreIdentity {
        federation: "test".to_owned(),
        province: ProvinceCode::new(33).expect("a province"),
    }
}

fn ring() -> KeyRing {
    KeyRing::from_secret([1; 32])
}

/// A backup, read to its end; and restored, as far as one comes in a place where no directory can be made.
pub(crate) fn backup(data: &[u8]) {
    match check_backup(&mut &*data) {
        Ok(rows) => {
            // A row takes four bytes and more.
            assert!(rows.saturating_mul(4) <= data.len() as u64);
            let cut = check_backup(&mut &data[..data.len() - 1]);
            assert!(cut.is_err(), "a backup without its last byte");
            let more = check_backup(&mut &[data, &[0]].concat()[..]);
            assert!(more.is_err(), "a backup with a byte more");
        }
        Err(error) => says(&error),
    }
    let nowhere = DiskOptions::new(Path::new("/dev/null/store"));
    let mut input = data;
    let restored = restore_backup(&mut input, &nowhere, &identity(), &ring(), &mut |_| ());
    says(&restored.err().expect("there is no such directory"));
}

static BACKUP: LazyLock<Vec<u8>> = LazyLock::new(|| written(3));

fn written(residents: u8) -> Vec<u8> {
    let store = Arc::new(MemoryStore::default());
    let entropy = Arc::new(Entropy::from_seed([3; 32]));
    let vault = Vault::open(Arc::clone(&store) as _, &identity(), ring(), entropy);
    let vault = vault.expect("an empty store");
    for number in 0..residents {
        let resident = ResidentKey([number + 1; 32]);
        let mut write = vault.write();
        write.take_in(resident);
        write.put(Table::Events, &resident.row(&[1]), &number);
        write.commit().expect("room in memory");
    }
    let mut bytes = Vec::new();
    write_backup(&*store, &mut bytes, &mut |_| ()).expect("a vector takes all");
    bytes
}

pub(crate) fn backup_seeds() -> Vec<Vec<u8>> {
    let (full, cut) = (BACKUP.clone(), BACKUP[..BACKUP.len() / 2].to_vec());
    vec![full, written(0), cut]
}

/// The text of a key ring: what is read is written and read as the same, takes a new key, and lets one go.
pub(crate) fn key_ring(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut ring = match KeyRing::parse(text) {
        Ok(ring) => ring,
        Err(message) => {
            says(&message);
            return;
        }
    };
    let again = KeyRing::parse(&ring.to_text()).expect("a ring that was written");
    assert_eq!(again.numbers(), ring.numbers());
    assert!(again.derive("checks") == ring.derive("checks"));
    let (before, newest) = (ring.numbers(), ring.newest());
    assert_eq!(before.last(), Some(&newest));
    match ring.rotate(&Entropy::from_seed([4; 32])) {
        Ok(number) => {
            assert!(number > newest && ring.newest() == number);
            ring.retire(newest).expect("a key that is not in use");
            assert!(ring.retire(number).is_err(), "the key in use was let go");
        }
        Err(message) => {
            says(&message);
            assert_eq!(ring.numbers(), before);
        }
    }
}

pub(crate) fn key_ring_seeds() -> Vec<Vec<u8>> {
    let mut grown = ring();
    for _ in 0..3 {
        let number = grown.rotate(&Entropy::from_seed([5; 32]));
        number.expect("a ring of a few keys");
    }
    [
        "01".repeat(32),
        ring().to_text().to_string(),
        grown.to_text().to_string(),
        "root 00\nwrap 1 00\n".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
