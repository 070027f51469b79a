use std::collections::BTreeMap;

use rules::{Minute, Record};

use super::migrate::FirstCommittedRow;
use super::*;
use crate::rows::{CommittedRow, EventRow, Evidence, ResidentKey};
use crate::seal::FirstSeal;
use crate::testing::{entropy, identity};
use crate::{Backend, Batch, Change, DiskOptions, DiskStore, MemoryStore};

const RESIDENT: ResidentKey = ResidentKey([5; 32]);
const OTHER: ResidentKey = ResidentKey([6; 32]);

fn open(store: &Arc<MemoryStore>, province: u8, key: u8) -> Result<Vault, StoreError> {
    let ring = KeyRing::from_secret([key; 32]);
    Vault::open(Arc::clone(store) as _, &identity(province), ring, entropy())
}

fn raw_put(store: &MemoryStore, table: Table, key: &[u8], value: Vec<u8>) {
    let mut batch = Batch::default();
    batch.push(table, key.to_vec(), Change::Put(value));
    store.commit(batch).unwrap();
}

/// A vault with two residents who have an event each.
fn filled() -> (Arc<MemoryStore>, Vault) {
    let store = Arc::new(MemoryStore::default());
    let vault = open(&store, 33, 1).unwrap();
    let mut write = vault.write();
    for resident in [RESIDENT, OTHER] {
        write.take_in(resident);
        write.put_new(Table::Events, &resident.row(&[1]), &resident.0);
        write.put_of(resident, Table::Committed, &[resident.0[0]], &resident.0);
    }
    write.put(Table::Devices, b"device", &RESIDENT);
    write.commit().unwrap();
    (store, vault)
}

#[test]
fn the_store_of_another_node_key_or_time_is_refused() {
    let store = Arc::new(MemoryStore::default());
    drop(open(&store, 33, 1).unwrap());
    assert!(open(&store, 33, 1).is_ok());
    let foreign = open(&store, 35, 1).err().unwrap();
    assert_eq!(
        foreign.to_string(),
        "the store belongs to test/33, not to test/35"
    );
    assert_eq!(open(&store, 33, 2).err(), Some(StoreError::WrongKey));
    // What a newer schema has behind its number is not known here.
    raw_put(&store, Table::Meta, b"identity", vec![3, 255, 255]);
    let newer = StoreError::Newer { found: 3, known: 2 };
    assert_eq!(open(&store, 33, 1).err(), Some(newer));
}

#[test]
fn rows_come_back_and_do_not_lie_there_in_plain() {
    let (store, vault) = filled();
    let found: [u8; 32] = vault
        .get(Table::Events, &RESIDENT.row(&[1]))
        .unwrap()
        .unwrap();
    assert_eq!(found, RESIDENT.0);
    let row = "110105194912310021".to_owned();
    let mut write = vault.write();
    write.put(Table::Cases, &RESIDENT.row(b"k"), &row);
    write.put(Table::Epochs, b"k", &row);
    write.commit().unwrap();
    for (table, key) in [
        (Table::Cases, RESIDENT.row(b"k")),
        (Table::Epochs, b"k".to_vec()),
    ] {
        assert_eq!(vault.get(table, &key).unwrap(), Some(row.clone()));
        let raw = store.get(table, &key).unwrap().unwrap();
        assert!(!raw.windows(18).any(|w| w == row.as_bytes()));
    }
}

#[test]
fn a_row_moved_to_another_key_resident_or_table_is_damaged() {
    let (store, vault) = filled();
    let raw = store
        .get(Table::Events, &RESIDENT.row(&[1]))
        .unwrap()
        .unwrap();
    for (table, key) in [
        (Table::Events, RESIDENT.row(&[2])),
        (Table::Events, OTHER.row(&[1])),
        (Table::Reads, RESIDENT.row(&[1])),
    ] {
        raw_put(&store, table, &key, raw.clone());
        assert_eq!(
            vault.get::<[u8; 32]>(table, &key),
            Err(StoreError::Damaged(table))
        );
    }
    // A committed record with another's name in front.
    let committed = store.get(Table::Committed, &[5]).unwrap().unwrap();
    let renamed = [&OTHER.0[..], &committed[32..]].concat();
    raw_put(&store, Table::Committed, &[5], renamed);
    let moved = vault.get::<[u8; 32]>(Table::Committed, &[5]);
    assert_eq!(moved, Err(StoreError::Damaged(Table::Committed)));
    // A data key of one resident at another's place.
    let key = store.get(Table::Keys, &RESIDENT.0).unwrap().unwrap();
    raw_put(&store, Table::Keys, &OTHER.0, key);
    let other = vault.get::<[u8; 32]>(Table::Events, &OTHER.row(&[1]));
    assert_eq!(other, Err(StoreError::Damaged(Table::Keys)));
    assert_eq!(vault.check_rows(&mut |_| ()).unwrap().wrong, 6);
}

#[test]
fn an_erased_resident_is_gone_and_nothing_more_is_written_for_them() {
    let (store, vault) = filled();
    let before = vault.check_rows(&mut |_| ()).unwrap();
    assert_eq!((before.rows, before.wrong), (9, 0));
    let wrapped = store.get(Table::Keys, &RESIDENT.0).unwrap().unwrap();
    let row = store
        .get(Table::Events, &RESIDENT.row(&[1]))
        .unwrap()
        .unwrap();
    let mut erasing = vault.write();
    erasing.erase(RESIDENT);
    erasing.delete(Table::Committed, &[5]);
    erasing.delete(Table::Devices, b"device");
    erasing.commit().unwrap();
    let after = vault.check_rows(&mut |_| ()).unwrap();
    assert_eq!((after.rows, after.wrong), (5, 0));
    let mut late = vault.write();
    late.put(Table::Passes, &RESIDENT.row(&[1]), &1u8);
    assert_eq!(late.commit(), Err(StoreError::Damaged(Table::Keys)));
    // Who finds the key and the row in an old file opens them, until the key above is retired.
    let ring = KeyRing::from_secret([1; 32]);
    let key = ring.unwrap(&RESIDENT.0, &wrapped).unwrap();
    assert!(
        key.open(Table::Events, &RESIDENT.0, &RESIDENT.row(&[1]), &row)
            .is_ok()
    );
    let mut rotated = ring.clone();
    rotated.rotate(&entropy()).unwrap();
    vault.take_ring(rotated.clone()).unwrap();
    assert_eq!(vault.wrapped_under().unwrap(), [(1, 2)]);
    let mut early = rotated.clone();
    early.retire(1).unwrap();
    assert_eq!(vault.take_ring(early), Err(StoreError::KeyMissing(1)));
    assert_eq!(vault.rewrap(&mut |_| ()), Ok(2));
    assert_eq!(vault.wrapped_under().unwrap(), [(2, 2)]);
    assert_eq!(vault.rewrap(&mut |_| ()), Ok(0));
    rotated.retire(1).unwrap();
    vault.take_ring(rotated.clone()).unwrap();
    assert_eq!(
        rotated.unwrap(&RESIDENT.0, &wrapped).err(),
        Some(StoreError::KeyMissing(1))
    );
    let found: [u8; 32] = vault.get(Table::Events, &OTHER.row(&[1])).unwrap().unwrap();
    assert_eq!(found, OTHER.0);
    // A ring that lacks the key of one resident alone does not open the store at all.
    raw_put(&store, Table::Keys, &RESIDENT.0, wrapped);
    let lacking = Vault::open(Arc::clone(&store) as _, &identity(33), rotated, entropy());
    assert_eq!(lacking.err(), Some(StoreError::KeyMissing(1)));
    assert_eq!(
        vault.take_ring(KeyRing::from_secret([2; 32])),
        Err(StoreError::WrongKey)
    );
}

/// Whether any file below a directory holds these bytes.
fn lies_in(dir: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return lies_in(&path, bytes);
        }
        let file = std::fs::read(path).unwrap();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn once_compacted_no_file_has_anything_of_an_erased_resident_sealed_or_not() {
    for backend in [Backend::Sled, Backend::Redb] {
        let dir = tempfile::tempdir().unwrap();
        let options = DiskOptions {
            backend,
            ..DiskOptions::new(dir.path())
        };
        let ring = KeyRing::from_secret([1; 32]);
        let (disk, vault) = open_on_disk(&options, &identity(33), ring, entropy()).unwrap();
        let mut write = vault.write();
        for resident in [RESIDENT, OTHER] {
            write.take_in(resident);
            write.put_new(
                Table::Events,
                &resident.row(&[1]),
                &[resident.0, resident.0],
            );
        }
        write.commit().unwrap();
        let stored = |table, key: &[u8]| disk.get(table, key).unwrap().unwrap();
        let wrapped = stored(Table::Keys, &RESIDENT.0);
        let sealed = stored(Table::Events, &RESIDENT.row(&[1]));
        let of_other = stored(Table::Keys, &OTHER.0);
        // What is looked for is found while it is there.
        assert!(lies_in(dir.path(), &wrapped) && lies_in(dir.path(), &sealed));
        let mut erasing = vault.write();
        erasing.erase(RESIDENT);
        erasing.commit().unwrap();
        disk.compact(backend, &mut |_| ()).unwrap();
        for gone in [&wrapped[..], &sealed, &RESIDENT.0] {
            assert!(!lies_in(dir.path(), gone), "{backend:?}");
        }
        assert!(lies_in(dir.path(), &of_other));
    }
}

#[test]
fn keys_are_wrapped_anew_while_residents_come_and_go() {
    let (_, vault) = filled();
    let mut ring = KeyRing::from_secret([1; 32]);
    ring.rotate(&entropy()).unwrap();
    vault.take_ring(ring).unwrap();
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for number in 0..200u8 {
                let mut resident = ResidentKey([7; 32]);
                resident.0[0] = number;
                let mut write = vault.write();
                write.take_in(resident);
                write.put(Table::Events, &resident.row(&[1]), &number);
                write.commit().unwrap();
                if number % 3 == 0 {
                    let mut erasing = vault.write();
                    erasing.erase(resident);
                    erasing.commit().unwrap();
                }
            }
        });
        while !changing.is_finished() {
            vault.rewrap(&mut |_| ()).unwrap();
        }
    });
    vault.rewrap(&mut |_| ()).unwrap();
    assert_eq!(vault.wrapped_under().unwrap(), [(2, 3 + 200 - 67)]);
    assert_eq!(vault.check_rows(&mut |_| ()).unwrap().wrong, 0);
}

#[test]
fn a_row_without_its_key_is_found_to_be_an_orphan() {
    let (store, vault) = filled();
    let mut batch = Batch::default();
    batch.push(Table::Keys, OTHER.0.to_vec(), Change::Delete);
    store.commit(batch).unwrap();
    let checked = vault.check_rows(&mut |_| ()).unwrap();
    assert_eq!(checked.wrong, 2);
    assert!(
        checked
            .findings
            .iter()
            .all(|f| f.what.contains("without a data key"))
    );
}

#[test]
fn large_values_and_long_walks_come_back_whole() {
    let (_, vault) = filled();
    let large: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[1]).collect();
    let mut write = vault.write();
    write.put_large(Table::Online, b"x", &large);
    for number in 0..1500u32 {
        write.put(Table::Reads, &RESIDENT.row(&number.to_be_bytes()), &number);
    }
    write.commit().unwrap();
    assert_eq!(vault.get_large(Table::Online, b"x").unwrap(), Some(large));
    let none: Option<Vec<u8>> = vault.get_large(Table::Online, b"y").unwrap();
    assert_eq!(none, None);
    let rows: Vec<(Vec<u8>, u32)> = vault.list(Table::Reads, b"").unwrap();
    assert!(rows.iter().map(|(_, n)| *n).eq(0..1500));
    let mut write = vault.write();
    write.put_large(Table::Online, b"x", &vec![0u8; 16_000_000]);
    assert!(matches!(
        write.commit(),
        Err(StoreError::ValueTooLarge { .. })
    ));
}

/// A store as schema 1 left it: flat in its directory, all rows under one key.
fn first_schema(dir: &std::path::Path, ring: &KeyRing) -> BTreeMap<Vec<u8>, EventRow> {
    let (seal, entropy) = (FirstSeal::new(ring), entropy());
    let flat = sled::open(dir).unwrap();
    let put = |table: Table, key: &[u8], plain: &[u8]| {
        let sealed = seal.seal(table, key, plain, &entropy);
        flat.insert([&[table.code()], key].concat(), sealed)
            .unwrap();
    };
    let (key, meta) = meta::row(1, &identity(33), ring);
    flat.insert([&[Table::Meta.code()], &key[..]].concat(), meta)
        .unwrap();
    let mut events = BTreeMap::new();
    for number in 0..40u8 {
        let resident = ResidentKey([number + 1; 32]);
        let event = EventRow {
            event: vec![number; 30],
            evidence: Evidence::Source(vec![number; 64]),
            received_at: Minute::ZERO,
        };
        put(Table::Events, &resident.row(&[0, 0, 0, 0]), &encode(&event));
        events.insert(resident.row(&[0, 0, 0, 0]), event);
        put(Table::Places, &[0, 0, 0, number], &encode(&resident));
        let committed = FirstCommittedRow {
            resident,
            record: Record::default(),
            blinding: [number; 32],
            leaf: [number + 100; 32],
        };
        put(
            Table::Committed,
            &[0, 0, 0, 1, 0, 0, 0, number],
            &encode(&committed),
        );
    }
    flat.flush().unwrap();
    events
}

#[test]
fn a_store_of_the_first_schema_is_brought_to_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let ring = KeyRing::from_secret([1; 32]);
    let events = first_schema(dir.path(), &ring);
    let options = DiskOptions::new(dir.path());
    // With another key nothing is changed, but for the place of the files.
    let wrong = KeyRing::from_secret([2; 32]);
    let refused = open_on_disk(&options, &identity(33), wrong, entropy());
    assert_eq!(refused.err(), Some(StoreError::WrongKey));
    for opened in 0..2 {
        let (store, vault) =
            open_on_disk(&options, &identity(33), ring.clone(), entropy()).unwrap();
        // Meta, 41 keys, and events, places, committed records and leaves.
        assert_eq!(store.usage().unwrap().rows, 1 + 41 + 4 * 40, "{opened}");
        for (key, event) in &events {
            let found: EventRow = vault.get(Table::Events, key).unwrap().unwrap();
            assert_eq!(found.event, event.event);
        }
        for number in 0..40u8 {
            let key = [0, 0, 0, 1, 0, 0, 0, number];
            let row: CommittedRow = vault.get(Table::Committed, &key).unwrap().unwrap();
            assert_eq!(row.blinding, [number; 32]);
            let leaf: [u8; 32] = vault.get(Table::Leaves, &key).unwrap().unwrap();
            assert_eq!(leaf, [number + 100; 32]);
        }
        assert_eq!(vault.check_rows(&mut |_| ()).unwrap().wrong, 0);
        drop(vault);
        drop(store);
    }
    assert!(DiskStore::exists(dir.path()).unwrap());
}

#[test]
fn names_for_looking_up_differ_by_node_purpose_and_person() {
    let (_, vault) = filled();
    let name = vault.blinded("resident", b"110105194912310021");
    assert_eq!(vault.blinded("resident", b"110105194912310021"), name);
    let other_node = open(&Arc::new(MemoryStore::default()), 33, 2).unwrap();
    let others = [
        other_node.blinded("resident", b"110105194912310021"),
        vault.blinded("nonce", b"110105194912310021"),
        vault.blinded("resident", b"11010519491231002X"),
        vault.blinded("resident1", b"10105194912310021"),
        [0; 32],
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, name);
        assert!(!others[..index].contains(other));
    }
}

#[test]
fn keys_come_in_order_and_no_more_of_them_than_asked_for() {
    let (_, vault) = filled();
    let mut write = vault.write();
    for number in [3u8, 1, 2] {
        write.put(Table::Epochs, &[7, number], &number);
    }
    write.put(Table::Epochs, &[8, 0], &0u8);
    write.commit().unwrap();
    let keys = |prefix: &[u8], limit| vault.keys(Table::Epochs, prefix, limit).unwrap();
    assert_eq!(keys(&[7], 9), [[7, 1], [7, 2], [7, 3]]);
    assert_eq!(keys(&[7], 2), [[7, 1], [7, 2]]);
    assert_eq!(keys(b"", usize::MAX).len(), 4);
    assert!(keys(&[9], 9).is_empty());
}

#[test]
fn a_walk_ends_with_the_last_row_however_many_there_are() {
    let (_, vault) = filled();
    for (table, count) in [
        (Table::Epochs, WALK_LEN - 1),
        (Table::Nonces, WALK_LEN),
        (Table::Jobs, WALK_LEN + 1),
    ] {
        let mut write = vault.write();
        for number in 0..u32::try_from(count).unwrap() {
            write.put(table, &number.to_be_bytes(), &number);
        }
        write.commit().unwrap();
        let rows: Vec<(Vec<u8>, u32)> = vault.list(table, b"").unwrap();
        assert!(rows.iter().map(|(_, n)| *n as usize).eq(0..count));
    }
}

#[test]
fn one_walk_opens_the_rows_of_all_residents() {
    let (_, vault) = filled();
    let events: Vec<(Vec<u8>, [u8; 32])> = vault.list(Table::Events, b"").unwrap();
    let expected = [RESIDENT, OTHER].map(|resident| (resident.row(&[1]), resident.0));
    assert_eq!(events, expected);
    let of_one: Vec<(Vec<u8>, [u8; 32])> = vault.list(Table::Events, &OTHER.0).unwrap();
    assert_eq!(of_one, expected[1..]);
}

#[test]
fn of_findings_the_first_hundred_are_kept_and_all_are_counted() {
    let mut checked = Checked::default();
    for number in 0..102u64 {
        assert_eq!(checked.wrong, number);
        checked.add(Table::Events, number.to_string());
    }
    let kept = checked.findings.iter().map(|finding| &finding.what);
    assert!(kept.eq((0..100).map(|n| n.to_string()).collect::<Vec<_>>().iter()));
    assert_eq!(checked.wrong, 102);
}

#[test]
fn long_work_says_how_far_it_is() {
    let (_, vault) = filled();
    let mut said = Vec::new();
    vault.check_rows(&mut |rows| said.push(rows)).unwrap();
    assert!(said.iter().copied().eq(1..=9));
    let mut ring = KeyRing::from_secret([1; 32]);
    ring.rotate(&entropy()).unwrap();
    vault.take_ring(ring).unwrap();
    // A pass that wraps the keys of the node and of two residents, and one that finds nothing to do.
    let mut said = Vec::new();
    assert_eq!(vault.rewrap(&mut |keys| said.push(keys)), Ok(3));
    assert_eq!(said, [3, 3, 3, 3]);
}

#[test]
fn a_wrapped_key_that_is_no_key_is_found() {
    let (store, vault) = filled();
    let wrapped = store.get(Table::Keys, &RESIDENT.0).unwrap().unwrap();
    for bad in [&wrapped[..3], &wrapped[..wrapped.len() - 1]] {
        raw_put(&store, Table::Keys, &RESIDENT.0, bad.to_vec());
        let checked = vault.check_rows(&mut |_| ()).unwrap();
        let tables: Vec<Table> = checked.findings.iter().map(|f| f.table).collect();
        assert_eq!(tables, [Table::Events, Table::Committed, Table::Keys]);
        assert_eq!((checked.rows, checked.wrong), (9, 3));
    }
    assert_eq!(
        vault.wrapped_under(),
        Ok(vec![(1, 3)]),
        "its number can still be read"
    );
}

#[test]
fn a_large_value_that_lacks_a_part_is_damaged() {
    let (store, vault) = filled();
    let large = vec![7u8; 2 * PART_LEN_BYTES];
    let mut write = vault.write();
    write.put_large(Table::Online, b"x", &large);
    write.commit().unwrap();
    assert_eq!(vault.keys(Table::Online, b"x", 9).unwrap().len(), 3);
    let mut batch = Batch::default();
    batch.push(Table::Online, part_key(b"x", 2), Change::Delete);
    store.commit(batch).unwrap();
    let read = vault.get_large::<Vec<u8>>(Table::Online, b"x");
    assert_eq!(read, Err(StoreError::Damaged(Table::Online)));
}
