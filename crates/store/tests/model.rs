//! Sequences of operations on both databases beside the store in memory: same answers, same rows, over reopenings,
//! compactions, conversions, and crashes at any point between two writes to the disk.

use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use store::{
    Backend, Batch, Change, DiskOptions, DiskStore, MemoryStore, Store, StoreError, Table,
};

const TABLES: [Table; 3] = [Table::Events, Table::Reads, Table::Places];

#[derive(Clone, Debug)]
enum Op {
    /// Changes of one commit: table, key, kind, value.
    Commit(Vec<(usize, u8, u8, u16)>),
    Scan(usize, u8, Option<u8>, usize),
    Reopen,
    Compact(bool),
    Export,
    /// The files as they are while the store is open, as a killed process leaves them.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let change = (0..TABLES.len(), 0u8..12, 0u8..6, 0u16..2_000);
    prop_oneof![
        12 => vec(change, 1..8).prop_map(Op::Commit),
        4 => (0..TABLES.len(), 0u8..3, proptest::option::of(0u8..12), 0usize..9)
            .prop_map(|(table, prefix, after, limit)| Op::Scan(table, prefix, after, limit)),
        1 => Just(Op::Reopen),
        1 => any::<bool>().prop_map(Op::Compact),
        1 => Just(Op::Export),
        1 => Just(Op::Crash),
    ]
}

/// Keys of one or two bytes, so that some are prefixes of others.
fn key(number: u8) -> Vec<u8> {
    match number % 3 {
        0 => vec![number / 3],
        rest => vec![number / 3, rest],
    }
}

fn value(seed: u16) -> Vec<u8> {
    let len = if seed.is_multiple_of(97) {
        40_000
    } else {
        usize::from(seed % 300)
    };
    vec![seed.to_be_bytes()[1]; len]
}

fn batch(changes: &[(usize, u8, u8, u16)], model: &MemoryStore) -> Batch {
    let mut batch = Batch::default();
    for (table, number, kind, seed) in changes {
        let (table, key, value) = (TABLES[*table], key(*number), value(*seed));
        let now = model.get(table, &key).unwrap();
        let change = match kind {
            0 | 1 => Change::Put(value),
            2 => Change::PutNew(value),
            3 => Change::Delete,
            4 => Change::Replace(now.unwrap_or_default(), value),
            _ => Change::Replace(vec![*kind; 3], value),
        };
        batch.push(table, key, change);
    }
    batch
}

fn options(dir: &Path, backend: Backend) -> DiskOptions {
    DiskOptions {
        backend,
        cache_bytes: 4 << 20,
        ..DiskOptions::new(dir)
    }
}

fn rows(store: &dyn Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = std::collections::BTreeMap::new();
    store
        .export(&mut |key, value| {
            match value {
                Some(value) => rows.insert(key.to_vec(), value.to_vec()),
                None => rows.remove(key),
            };
            Ok(())
        })
        .unwrap();
    rows.into_iter().collect()
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn other(backend: Backend) -> Backend {
    match backend {
        Backend::Sled => Backend::Redb,
        Backend::Redb => Backend::Sled,
    }
}

fn run(ops: &[Op], mut backend: Backend) -> Result<(), TestCaseError> {
    let mut dir = tempfile::tempdir().unwrap();
    let model = MemoryStore::default();
    let mut store = Arc::new(DiskStore::open(&options(dir.path(), backend)).unwrap());
    for op in ops {
        match op {
            Op::Commit(changes) => {
                let changes = batch(changes, &model);
                let expected = model.commit(changes.clone());
                prop_assert!(matches!(expected, Ok(()) | Err(StoreError::Conflict(_))));
                prop_assert_eq!(store.commit(changes), expected);
            }
            Op::Scan(table, prefix, after, limit) => {
                let (table, after) = (TABLES[*table], after.map(key));
                let scan =
                    |store: &dyn Store| store.scan(table, &[*prefix], after.as_deref(), *limit);
                prop_assert_eq!(scan(&*store), scan(&model));
            }
            Op::Reopen => {
                drop(store);
                store = Arc::new(DiskStore::open(&options(dir.path(), backend)).unwrap());
            }
            Op::Compact(convert) => {
                let to = if *convert { other(backend) } else { backend };
                store.compact(to, &mut |_| ()).unwrap();
                backend = to;
            }
            Op::Export => prop_assert_eq!(rows(&*store), rows(&model)),
            Op::Crash => {
                let crashed = tempfile::tempdir().unwrap();
                copy_dir(dir.path(), crashed.path());
                drop(store);
                dir = crashed;
                store = Arc::new(DiskStore::open(&options(dir.path(), backend)).unwrap());
            }
        }
    }
    prop_assert_eq!(rows(&*store), rows(&model));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sled_does_what_the_model_does(ops in vec(op(), 1..40)) {
        run(&ops, Backend::Sled)?;
    }

    #[test]
    fn redb_does_what_the_model_does(ops in vec(op(), 1..40)) {
        run(&ops, Backend::Redb)?;
    }
}
