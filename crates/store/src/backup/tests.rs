use std::sync::Arc;

use super::*;
use crate::testing::{entropy, identity};
use crate::{Backend, MemoryStore, ResidentKey, Vault, open_on_disk};

fn ring(key: u8) -> KeyRing {
    KeyRing::from_secret([key; 32])
}

fn fill(vault: &Vault, residents: std::ops::Range<u8>) {
    for number in residents {
        let resident = ResidentKey([number + 1; 32]);
        let mut write = vault.write();
        write.take_in(resident);
        write.put(Table::Events, &resident.row(&[1]), &number);
        write.commit().unwrap();
    }
}

/// A backup of 50 residents.
fn backup() -> Vec<u8> {
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::open(Arc::clone(&store) as _, &identity(33), ring(1), entropy()).unwrap();
    fill(&vault, 0..50);
    let mut bytes = Vec::new();
    write_backup(&*store, &mut bytes, &mut |_| ()).unwrap();
    bytes
}

fn restore(
    bytes: &[u8],
    options: &DiskOptions,
    province: u8,
    key: u8,
) -> Result<DiskStore, BackupError> {
    let (identity, ring) = (identity(province), ring(key));
    restore_backup(&mut &bytes[..], options, &identity, &ring, &mut |_| ())
}

#[test]
fn a_backup_taken_beside_commits_is_restored_whole_into_either_database() {
    let from = tempfile::tempdir().unwrap();
    let options = DiskOptions::new(from.path());
    let (store, vault) = open_on_disk(&options, &identity(33), ring(1), entropy()).unwrap();
    fill(&vault, 0..20);
    let mut bytes = Vec::new();
    let tally = std::thread::scope(|scope| {
        let filling = scope.spawn(|| fill(&vault, 20..120));
        let tally = write_backup(&*store, &mut bytes, &mut |_| ()).unwrap();
        filling.join().unwrap();
        tally
    });
    for backend in [Backend::Sled, Backend::Redb] {
        let to = tempfile::tempdir().unwrap();
        let options = DiskOptions {
            backend,
            ..DiskOptions::new(to.path())
        };
        let restored = restore(&bytes, &options, 33, 1).unwrap();
        assert_eq!(restored.usage().unwrap().rows, tally.rows);
        drop(restored);
        let (_, vault) = open_on_disk(&options, &identity(33), ring(1), entropy()).unwrap();
        let checked = vault.check_rows(&mut |_| ()).unwrap();
        assert_eq!((checked.rows, checked.wrong), (tally.rows, 0));
        // Residents came one after the other, so those that it has are the first ones.
        let events: Vec<(Vec<u8>, u8)> = vault.list(Table::Events, b"").unwrap();
        assert!(events.len() >= 20 && events.len() == usize::try_from(tally.rows).unwrap() / 2 - 1);
        assert!(
            events
                .iter()
                .map(|(_, number)| *number)
                .eq(0..u8::try_from(events.len()).unwrap())
        );
        drop(vault);
        // A directory with a store is left alone.
        let again = restore(&bytes, &options, 33, 1);
        assert!(again.err().unwrap().to_string().contains("holds a store"));
    }
}

#[test]
fn a_backup_of_another_node_or_key_is_refused_before_there_is_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let options = DiskOptions::new(dir.path());
    let bytes = backup();
    let foreign = restore(&bytes, &options, 35, 1).err().unwrap();
    assert!(matches!(
        foreign,
        BackupError::Store(StoreError::Foreign { .. })
    ));
    let other_key = restore(&bytes, &options, 33, 2).err().unwrap();
    assert!(matches!(
        other_key,
        BackupError::Store(StoreError::WrongKey)
    ));
    // Data keys under a key that the ring has lost.
    let mut rotated = ring(1);
    rotated.rotate(&entropy()).unwrap();
    rotated.retire(1).unwrap();
    let lost = restore_backup(
        &mut &bytes[..],
        &options,
        &identity(33),
        &rotated,
        &mut |_| (),
    );
    let lost = lost.err().unwrap();
    assert!(
        matches!(lost, BackupError::Store(StoreError::KeyMissing(1))),
        "{lost}"
    );
    assert_eq!(DiskStore::exists(dir.path()), Ok(false));
    assert!(restore(&bytes, &options, 33, 1).is_ok());
}

#[test]
fn a_backup_that_is_cut_or_changed_anywhere_is_refused() {
    let bytes = backup();
    assert_eq!(check_backup(&mut &bytes[..]).unwrap(), 102);
    for len in 0..bytes.len() {
        let cut = check_backup(&mut &bytes[..len]);
        assert!(matches!(cut, Err(BackupError::CutShort)), "{len}");
    }
    let dir = tempfile::tempdir().unwrap();
    let options = DiskOptions::new(dir.path());
    for position in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[position] ^= 0x10;
        assert!(
            restore(&changed, &options, 33, 1).is_err(),
            "byte {position}"
        );
        assert_eq!(DiskStore::exists(dir.path()), Ok(false));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(
        check_backup(&mut &longer[..]),
        Err(BackupError::Damaged(_))
    ));
}

/// Takes a number of bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_without_room_for_the_backup_is_named_and_the_store_lives_on() {
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::open(Arc::clone(&store) as _, &identity(33), ring(1), entropy()).unwrap();
    fill(&vault, 0..9);
    for room in [0, 5, 40, 300] {
        let failed = write_backup(&*store, &mut Full(room), &mut |_| ());
        assert!(matches!(failed, Err(BackupError::Io(_))), "{room}");
    }
    fill(&vault, 9..10);
}
