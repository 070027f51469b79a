//! What every backend must do, as one function that is run against each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Batch, Change, MAX_KEY_LEN_BYTES, MAX_VALUE_LEN_BYTES, Store, StoreError, Table, Tally,
};

/// Opens the backend under test, the same data each time; a store handed out before has been dropped.
pub trait Opener {
    /// The store.
    fn open(&mut self) -> Arc<dyn Store>;
}

/// Checks that a backend, empty at first, does what [`Store`] promises.
///
/// # Panics
/// With the broken promise.
pub fn check_backend(opener: &mut dyn Opener) {
    let store = opener.open();
    rows_are_read_back_and_overwritten(&*store);
    tables_do_not_mix(&*store);
    scans_are_sorted_bounded_and_resumable(&*store);
    a_batch_with_a_conflict_leaves_no_trace(&*store);
    a_row_is_replaced_only_while_it_is_what_it_was(&*store);
    limits_are_refused_and_leave_no_trace(&*store);
    only_one_of_many_racers_writes_a_new_row(&store);
    concurrent_commits_are_all_there(&store);
    an_export_is_the_store_at_its_end(&store);
    drop(store);
    everything_is_there_after_reopening(&*opener.open());
}

fn put(store: &dyn Store, table: Table, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.push(table, key.to_vec(), Change::Put(value.to_vec()));
    store.commit(batch).expect("a plain write succeeds");
}

fn get(store: &dyn Store, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    store.get(table, key).expect("a read succeeds")
}

fn rows_are_read_back_and_overwritten(store: &dyn Store) {
    assert_eq!(get(store, Table::Events, b"k"), None);
    put(store, Table::Events, b"k", b"one");
    put(store, Table::Events, b"k", b"two");
    assert_eq!(get(store, Table::Events, b"k"), Some(b"two".to_vec()));
    put(store, Table::Events, b"empty", b"");
    assert_eq!(get(store, Table::Events, b"empty"), Some(Vec::new()));
    let mut batch = Batch::default();
    batch.push(Table::Events, b"k".to_vec(), Change::Delete);
    batch.push(Table::Events, b"never there".to_vec(), Change::Delete);
    batch.push(Table::Events, b"last wins".to_vec(), Change::Put(vec![1]));
    batch.push(Table::Events, b"last wins".to_vec(), Change::Put(vec![2]));
    store.commit(batch).expect("removal succeeds");
    assert_eq!(get(store, Table::Events, b"k"), None);
    assert_eq!(get(store, Table::Events, b"last wins"), Some(vec![2]));
    store
        .commit(Batch::default())
        .expect("an empty batch succeeds");
}

fn tables_do_not_mix(store: &dyn Store) {
    put(store, Table::Residents, b"same", b"r");
    put(store, Table::Devices, b"same", b"d");
    assert_eq!(get(store, Table::Residents, b"same"), Some(b"r".to_vec()));
    assert_eq!(get(store, Table::Devices, b"same"), Some(b"d".to_vec()));
    let all = store.scan(Table::Residents, b"", None, 10).expect("scan");
    assert_eq!(all, vec![(b"same".to_vec(), b"r".to_vec())]);
}

fn scans_are_sorted_bounded_and_resumable(store: &dyn Store) {
    for key in [&[7, 255, 3][..], &[7], &[7, 0], &[7, 255], &[8], &[6, 9]] {
        put(store, Table::Reads, key, key);
    }
    let keys = |prefix: &[u8], after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
        let rows = store
            .scan(Table::Reads, prefix, after, limit)
            .expect("scan");
        rows.into_iter().map(|(key, _)| key).collect()
    };
    let all: [&[u8]; 4] = [&[7], &[7, 0], &[7, 255], &[7, 255, 3]];
    assert_eq!(keys(&[7], None, 10), all);
    assert_eq!(keys(&[7], None, 2), all[..2]);
    assert_eq!(keys(&[7], Some(&[7, 0]), 10), all[2..]);
    assert_eq!(keys(&[7, 255], None, 10), all[2..]);
    assert_eq!(keys(&[], None, 10).len(), 6);
    assert!(keys(&[7], Some(&[8]), 10).is_empty());
    assert!(keys(&[9], None, 10).is_empty());
}

fn a_batch_with_a_conflict_leaves_no_trace(store: &dyn Store) {
    put(store, Table::Epochs, b"there", b"old");
    let mut batch = Batch::default();
    batch.push(Table::Epochs, b"before".to_vec(), Change::Put(vec![1]));
    batch.push(Table::Epochs, b"there".to_vec(), Change::PutNew(vec![2]));
    batch.push(Table::Epochs, b"behind".to_vec(), Change::Put(vec![3]));
    let refused = store.commit(batch);
    assert_eq!(refused, Err(StoreError::Conflict(Table::Epochs)));
    assert_eq!(get(store, Table::Epochs, b"before"), None);
    assert_eq!(get(store, Table::Epochs, b"behind"), None);
    assert_eq!(get(store, Table::Epochs, b"there"), Some(b"old".to_vec()));
    let mut twice = Batch::default();
    twice.push(Table::Epochs, b"twice".to_vec(), Change::PutNew(vec![1]));
    twice.push(Table::Epochs, b"twice".to_vec(), Change::PutNew(vec![2]));
    assert_eq!(
        store.commit(twice),
        Err(StoreError::Conflict(Table::Epochs))
    );
    let mut moved = Batch::default();
    moved.push(Table::Epochs, b"there".to_vec(), Change::Delete);
    moved.push(Table::Epochs, b"there".to_vec(), Change::PutNew(vec![9]));
    store.commit(moved).expect("a removed row is new again");
    assert_eq!(get(store, Table::Epochs, b"there"), Some(vec![9]));
}

fn a_row_is_replaced_only_while_it_is_what_it_was(store: &dyn Store) {
    put(store, Table::Keys, b"k", b"1");
    let replace = |old: &[u8], new: &[u8]| {
        let mut batch = Batch::default();
        let change = Change::Replace(old.to_vec(), new.to_vec());
        batch.push(Table::Keys, b"k".to_vec(), change);
        store.commit(batch)
    };
    replace(b"1", b"2").expect("it is what it was");
    assert_eq!(replace(b"1", b"3"), Err(StoreError::Conflict(Table::Keys)));
    assert_eq!(get(store, Table::Keys, b"k"), Some(b"2".to_vec()));
    let mut gone = Batch::default();
    gone.push(Table::Keys, b"k".to_vec(), Change::Delete);
    store.commit(gone).expect("removal succeeds");
    assert_eq!(replace(b"2", b"3"), Err(StoreError::Conflict(Table::Keys)));
}

fn limits_are_refused_and_leave_no_trace(store: &dyn Store) {
    let largest = vec![5; MAX_VALUE_LEN_BYTES];
    put(store, Table::Online, b"largest", &largest);
    assert_eq!(get(store, Table::Online, b"largest"), Some(largest));
    let mut batch = Batch::default();
    batch.push(Table::Online, b"small".to_vec(), Change::Put(vec![1]));
    let large = Change::Put(vec![5; MAX_VALUE_LEN_BYTES + 1]);
    batch.push(Table::Online, b"large".to_vec(), large);
    let refused = store.commit(batch);
    assert!(matches!(refused, Err(StoreError::ValueTooLarge { .. })));
    assert_eq!(get(store, Table::Online, b"small"), None);
    let long_key = vec![1; MAX_KEY_LEN_BYTES + 1];
    let mut batch = Batch::default();
    batch.push(Table::Online, long_key.clone(), Change::Put(vec![1]));
    assert!(matches!(
        store.commit(batch),
        Err(StoreError::KeyTooLarge(_))
    ));
    assert!(store.get(Table::Online, &long_key).is_err());
}

fn only_one_of_many_racers_writes_a_new_row(store: &Arc<dyn Store>) {
    let racers: Vec<_> = (0..16u8)
        .map(|racer| {
            let store = Arc::clone(store);
            std::thread::spawn(move || {
                let mut batch = Batch::default();
                batch.push(
                    Table::Cosigned,
                    b"race".to_vec(),
                    Change::PutNew(vec![racer]),
                );
                store.commit(batch).is_ok().then_some(racer)
            })
        })
        .collect();
    let results = racers.into_iter().map(|r| r.join().expect("no panic"));
    let winners: Vec<u8> = results.flatten().collect();
    assert_eq!(winners.len(), 1, "one racer wins");
    assert_eq!(get(&**store, Table::Cosigned, b"race"), Some(winners));
}

fn concurrent_commits_are_all_there(store: &Arc<dyn Store>) {
    let writers: Vec<_> = (0..8u8)
        .map(|writer| {
            let store = Arc::clone(store);
            std::thread::spawn(move || {
                for number in 0..16 {
                    put(&*store, Table::Places, &[writer, number], &[number]);
                    assert_eq!(
                        get(&*store, Table::Places, &[writer, number]),
                        Some(vec![number])
                    );
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("every writer reads what it wrote");
    }
}

fn an_export_is_the_store_at_its_end(store: &Arc<dyn Store>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (writing, stopping) = (Arc::clone(store), Arc::clone(&stop));
    let writer = std::thread::spawn(move || {
        for number in 0u32.. {
            if stopping.load(Ordering::SeqCst) {
                return;
            }
            let mut batch = Batch::default();
            let key = |n: u32| (n % 97).to_be_bytes().to_vec();
            let change = Change::Put(number.to_be_bytes().to_vec());
            batch.push(Table::Limits, key(number), change);
            batch.push(Table::Limits, key(number + 31), Change::Delete);
            writing.commit(batch).expect("commits go on");
        }
    });
    for _ in 0..3 {
        let mut rows = BTreeMap::new();
        let tally = store
            .export(&mut |key, value| {
                match value {
                    Some(value) => rows.insert(key.to_vec(), value.to_vec()),
                    None => rows.remove(key),
                };
                Ok(())
            })
            .expect("an export succeeds beside commits");
        let mut counted = Tally::default();
        for (key, value) in &rows {
            counted.add(key, value);
        }
        assert!(counted.same_rows(&tally), "{counted:?} {tally:?}");
        assert!(rows.contains_key(&[&[Table::Epochs.code()], &b"there"[..]].concat()));
    }
    stop.store(true, Ordering::SeqCst);
    writer.join().expect("the writer ends");
}

fn everything_is_there_after_reopening(store: &dyn Store) {
    let rows = store.scan(Table::Places, b"", None, 1000).expect("scan");
    assert_eq!(rows.len(), 8 * 16);
    assert_eq!(get(store, Table::Epochs, b"there"), Some(vec![9]));
    assert_eq!(get(store, Table::Events, b"k"), None);
}
