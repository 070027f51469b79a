use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::batch::Rows;
use crate::{Change, Opener, check_backend};

const BACKENDS: [Backend; 2] = [Backend::Sled, Backend::Redb];

fn options(dir: &Path, backend: Backend) -> DiskOptions {
    DiskOptions {
        backend,
        cache_bytes: 16 << 20,
        ..DiskOptions::new(dir)
    }
}

fn put(store: &DiskStore, key: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.push(Table::Events, key.to_vec(), Change::Put(vec![1; 1_000]));
    store.commit(batch)
}

fn filled(dir: &Path, backend: Backend, rows: u32) {
    let store = DiskStore::open(&options(dir, backend)).unwrap();
    for number in 0..rows {
        put(&store, &number.to_be_bytes()).unwrap();
    }
}

fn rows_of(store: &DiskStore) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    let export = store.export(&mut |key, value| {
        match value {
            Some(value) => rows.insert(key.to_vec(), value.to_vec()),
            None => rows.remove(key),
        };
        Ok(())
    });
    export.unwrap();
    rows
}

/// The directory of the only generation.
fn generation_dir(dir: &Path) -> PathBuf {
    let names = whole_ones(dir).unwrap();
    assert_eq!(names.len(), 1);
    dir.join(names[0].to_string())
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

struct InDir(tempfile::TempDir, Backend);

impl Opener for InDir {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(DiskStore::open(&options(self.0.path(), self.1)).unwrap())
    }
}

#[test]
fn both_databases_conform() {
    for backend in BACKENDS {
        check_backend(&mut InDir(tempfile::tempdir().unwrap(), backend));
    }
}

#[test]
fn a_directory_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(DiskStore::open(&options(&data, Backend::Sled)).unwrap());
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    let second = DiskStore::open(&options(dir.path(), Backend::Sled));
    assert_eq!(second.err(), Some(StoreError::Locked));
    drop(first);
    assert!(DiskStore::open(&options(dir.path(), Backend::Sled)).is_ok());
}

#[test]
fn a_directory_of_the_other_database_is_refused_and_can_be_converted() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), Backend::Sled, 300);
    let other = DiskStore::open(&options(dir.path(), Backend::Redb));
    assert!(matches!(other, Err(StoreError::OtherBackend { .. })));
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    let before = rows_of(&store);
    store.compact(Backend::Redb, &mut |_| ()).unwrap();
    assert_eq!(rows_of(&store), before);
    put(&store, b"later").unwrap();
    drop(store);
    let store = DiskStore::open(&options(dir.path(), Backend::Redb)).unwrap();
    assert_eq!(rows_of(&store).len(), before.len() + 1);
}

#[test]
fn without_room_nothing_is_written_and_the_store_lives_on() {
    for backend in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), backend, 1);
        let mut tight = options(dir.path(), backend);
        tight.reserve_bytes = u64::MAX;
        let store = DiskStore::open(&tight).unwrap();
        assert!(matches!(put(&store, b"k"), Err(StoreError::Full { .. })));
        assert!(matches!(
            store.compact(backend, &mut |_| ()),
            Err(StoreError::Full { .. })
        ));
        assert_eq!(rows_of(&store).len(), 1);
        drop(store);
        tight.reserve_bytes = 0;
        tight.max_bytes = 100;
        let store = DiskStore::open(&tight).unwrap();
        let refused = put(&store, b"k").unwrap_err();
        assert!(matches!(refused, StoreError::SizeLimit { .. }));
        assert!(refused.to_string().contains("node compact"));
        assert_eq!(store.get(Table::Events, b"k").unwrap(), None);
        assert!(!store.has_failed());
    }
}

#[test]
fn compaction_gives_back_room_while_reads_and_commits_go_on() {
    for backend in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(DiskStore::open(&options(dir.path(), backend)).unwrap());
        for round in 0..40u32 {
            let mut batch = Batch::default();
            for number in 0..200u32 {
                let key = number.to_be_bytes().to_vec();
                let value = vec![u8::try_from(round).unwrap(); 1_000];
                batch.push(Table::Events, key, Change::Put(value));
            }
            store.commit(batch).unwrap();
        }
        let before = store.usage().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (writing, stopping) = (Arc::clone(&store), Arc::clone(&stop));
        let writer = std::thread::spawn(move || {
            let mut last = 0u32;
            while !stopping.load(Ordering::SeqCst) {
                last += 1;
                let mut batch = Batch::default();
                let value = last.to_be_bytes().to_vec();
                batch.push(Table::Places, b"last".to_vec(), Change::Put(value.clone()));
                batch.push(
                    Table::Places,
                    last.to_be_bytes().to_vec(),
                    Change::Put(value),
                );
                writing.commit(batch).unwrap();
                assert_eq!(
                    writing
                        .get(Table::Events, &7u32.to_be_bytes())
                        .unwrap()
                        .map(|v| v.len()),
                    Some(1_000)
                );
            }
            last
        });
        for _ in 0..3 {
            store.compact(backend, &mut |_| ()).unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        let last = writer.join().unwrap();
        let places = store.scan(Table::Places, b"", None, usize::MAX).unwrap();
        assert_eq!(
            places.len(),
            last as usize + 1,
            "each acknowledged row is there"
        );
        store.compact(backend, &mut |_| ()).unwrap();
        if backend == Backend::Sled {
            let after = store.usage().unwrap();
            assert!(after.size_bytes < before.size_bytes, "{before:?} {after:?}");
        }
        assert_eq!(
            generation_dir(dir.path())
                .file_name()
                .unwrap()
                .to_string_lossy(),
            format!("g000005.{}", backend.name())
        );
        let rows = rows_of(&store);
        drop(store);
        let store = DiskStore::open(&options(dir.path(), backend)).unwrap();
        assert_eq!(rows_of(&store), rows);
    }
}

#[test]
fn after_a_switch_that_may_have_happened_no_commit_goes_to_the_old_generation() {
    for in_doubt in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = DiskStore::open(&options(dir.path(), Backend::Redb)).unwrap();
        put(&store, b"before").unwrap();
        let error = StoreError::Failed("the directory did not sync".to_owned());
        let refused = error.clone();
        let switched = store.grouped.switch(&mut |_, _| Ok(()), move |_, _| {
            Err(NotSwitched { error, in_doubt })
        });
        assert_eq!(switched, Err(refused));
        assert_eq!(store.has_failed(), in_doubt);
        assert_eq!(put(&store, b"after").is_err(), in_doubt);
    }
}

#[test]
fn sled_keeps_the_longest_rows_in_its_log_and_not_in_files_that_it_does_not_sync() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    for round in 0..3u8 {
        for number in 0..60u8 {
            let mut batch = Batch::default();
            let key = vec![number; crate::MAX_KEY_LEN_BYTES];
            let value = vec![round; crate::MAX_VALUE_LEN_BYTES];
            batch.push(Table::Events, key, Change::Put(value));
            store.commit(batch).unwrap();
        }
    }
    for number in (0..60u8).filter(|number| number % 5 != 0) {
        let mut batch = Batch::default();
        batch.push(
            Table::Events,
            vec![number; crate::MAX_KEY_LEN_BYTES],
            Change::Delete,
        );
        store.commit(batch).unwrap();
    }
    let blobs = generation_dir(dir.path()).join("blobs");
    assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 0);
}

#[test]
fn a_store_with_the_segments_of_an_earlier_version_opens() {
    let dir = tempfile::tempdir().unwrap();
    let flat = sled::Config::new().path(dir.path()).segment_size(512 << 10);
    let flat = flat.open().unwrap();
    flat.insert([Table::Events.code(), 1], vec![1; 100])
        .unwrap();
    drop(flat);
    for rows in [1, 2] {
        let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
        assert_eq!(rows_of(&store).len(), rows);
        put(&store, &[9]).unwrap();
    }
}

#[test]
fn a_compaction_that_was_cut_short_leaves_the_store_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), Backend::Sled, 20);
    // Cut before the new one was whole, and after it was whole but not in use.
    copy_dir(
        &generation_dir(dir.path()),
        &dir.path().join("new-g000002.sled"),
    );
    filled(dir.path(), Backend::Sled, 30);
    copy_dir(
        &generation_dir(dir.path()),
        &dir.path().join("g000002.sled"),
    );
    filled(dir.path(), Backend::Sled, 40);
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    assert_eq!(rows_of(&store).len(), 40);
    assert_eq!(whole_ones(dir.path()).unwrap().len(), 1);
    assert!(!dir.path().join("new-g000002.sled").exists());
}

#[test]
fn the_name_of_the_generation_is_found_again_where_there_is_no_choice() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), Backend::Sled, 5);
    for damaged in [None, Some("g000009.sle"), Some("")] {
        match damaged {
            Some(text) => std::fs::write(dir.path().join(CURRENT), text).unwrap(),
            None => std::fs::remove_file(dir.path().join(CURRENT)).unwrap(),
        }
        let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
        assert_eq!(rows_of(&store).len(), 5);
    }
    copy_dir(
        &generation_dir(dir.path()),
        &dir.path().join("g000002.sled"),
    );
    std::fs::write(dir.path().join(CURRENT), "?").unwrap();
    let two = DiskStore::open(&options(dir.path(), Backend::Sled));
    assert!(
        two.err()
            .unwrap()
            .to_string()
            .contains("does not name a generation")
    );
    assert_eq!(
        whole_ones(dir.path()).unwrap().len(),
        2,
        "nothing is removed"
    );
    // A store whose directory is gone is not taken for an empty one.
    std::fs::write(dir.path().join(CURRENT), "g000003.sled\n").unwrap();
    let gone = DiskStore::open(&options(dir.path(), Backend::Sled));
    assert!(
        gone.err()
            .unwrap()
            .to_string()
            .contains("g000003.sled is missing")
    );
}

#[test]
fn an_older_database_and_a_missing_row_are_found_when_the_store_is_opened() {
    for backend in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), backend, 10);
        let old = tempfile::tempdir().unwrap();
        copy_dir(&generation_dir(dir.path()), old.path());
        filled(dir.path(), backend, 20);
        let generation = generation_dir(dir.path());
        let mark = std::fs::read(generation.join("mark")).unwrap();
        // The database is that of an earlier day.
        let kept = tempfile::tempdir().unwrap();
        copy_dir(&generation, kept.path());
        std::fs::remove_dir_all(&generation).unwrap();
        copy_dir(old.path(), &generation);
        std::fs::write(generation.join("mark"), mark).unwrap();
        let lost = DiskStore::open(&options(dir.path(), backend));
        let expected = StoreError::LostCommits {
            found: 10,
            acknowledged: 30,
        };
        assert_eq!(lost.err(), Some(expected));
        std::fs::remove_dir_all(&generation).unwrap();
        copy_dir(kept.path(), &generation);
        assert!(DiskStore::open(&options(dir.path(), backend)).is_ok());
        // A row is not there any more, which no seal shows.
        let opening = options(dir.path(), backend).opening(backend);
        let opened = Generation::open(&generation, opening).unwrap();
        let row = [&[Table::Events.code()], &3u32.to_be_bytes()[..]].concat();
        opened.engine.write(&Rows::from([(row, None)])).unwrap();
        drop(opened);
        let rotten = DiskStore::open(&options(dir.path(), backend));
        let expected = StoreError::Rotten {
            found_rows: 19,
            expected_rows: 20,
        };
        assert_eq!(rotten.err(), Some(expected));
        std::fs::remove_file(generation.join("mark")).unwrap();
        let unmarked = DiskStore::open(&options(dir.path(), backend));
        assert!(
            unmarked
                .err()
                .unwrap()
                .to_string()
                .contains("mark file is missing")
        );
    }
}

#[test]
fn a_torn_snapshot_is_set_aside_and_no_row_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), Backend::Sled, 300);
    // sled writes a snapshot when it opens a log that has none yet.
    filled(dir.path(), Backend::Sled, 1);
    let mut torn = 0;
    for entry in std::fs::read_dir(generation_dir(dir.path())).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            let bytes = std::fs::read(entry.path()).unwrap();
            std::fs::write(entry.path(), &bytes[..bytes.len() / 2]).unwrap();
            torn += 1;
        }
    }
    assert!(torn > 0, "sled wrote a snapshot");
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    assert_eq!(rows_of(&store).len(), 300);
}

#[test]
fn a_store_that_lay_flat_in_its_directory_is_moved_into_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let flat = sled::open(dir.path()).unwrap();
    for number in 0..50u32 {
        let key = [&[Table::Events.code()], &number.to_be_bytes()[..]].concat();
        flat.insert(key, vec![1; 100]).unwrap();
    }
    flat.flush().unwrap();
    drop(flat);
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    assert_eq!(rows_of(&store).len(), 50);
    put(&store, b"later").unwrap();
    drop(store);
    let store = DiskStore::open(&options(dir.path(), Backend::Sled)).unwrap();
    assert_eq!(rows_of(&store).len(), 51);
    assert!(!dir.path().join("db").exists());
}

#[test]
fn a_store_is_made_from_rows_only_if_they_add_up_and_only_where_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let key = [Table::Events.code(), 1];
    let tally = |rows: &[&[u8]]| {
        let mut tally = Tally::default();
        tally.commits = 7;
        for value in rows {
            tally.add(&key, value);
        }
        tally
    };
    let make = |expected| {
        DiskStore::create(&options(dir.path(), Backend::Redb), |put| {
            put(&key, Some(b"old"))?;
            put(&key, Some(b"new"))?;
            Ok(expected)
        })
    };
    let wrong = make(tally(&[b"old"]));
    assert!(matches!(wrong, Err(StoreError::Rotten { .. })));
    assert_eq!(DiskStore::exists(dir.path()), Ok(false));
    let store = make(tally(&[b"new"])).unwrap();
    assert_eq!(
        store.get(Table::Events, &[1]).unwrap(),
        Some(b"new".to_vec())
    );
    assert_eq!(store.usage().unwrap().commits, 7);
    drop(store);
    assert_eq!(DiskStore::exists(dir.path()), Ok(true));
    assert!(
        make(tally(&[b"new"]))
            .err()
            .unwrap()
            .to_string()
            .contains("holds a store")
    );
}

/// Where the writer of the test below is told its directory and database.
const WITHOUT_ROOM: &str = "STORE_TEST_WITHOUT_ROOM";

/// In a process whose files may not grow, started by this test itself, prints what was acknowledged; then what was
/// acknowledged is looked for.
#[test]
fn when_the_disk_refuses_to_grow_nothing_acknowledged_is_lost() {
    if let Ok(told) = std::env::var(WITHOUT_ROOM) {
        let (backend, dir) = told.split_once(' ').unwrap();
        let backend = BACKENDS.into_iter().find(|b| b.name() == backend).unwrap();
        return write_without_room(Path::new(dir), backend);
    }
    for backend in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        let test = "disk::tests::when_the_disk_refuses_to_grow_nothing_acknowledged_is_lost";
        let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact --nocapture \"$1\"";
        let output = Command::new("bash")
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env(
                WITHOUT_ROOM,
                format!("{} {}", backend.name(), dir.path().display()),
            )
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("refused"),
            "{text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let acknowledged: Vec<u32> = text
            .lines()
            .filter_map(|line| line.split("acknowledged ").nth(1)?.trim().parse().ok())
            .collect();
        assert!(acknowledged.len() > 10);
        let store = DiskStore::open(&options(dir.path(), backend)).unwrap();
        for number in acknowledged {
            let found = store.get(Table::Events, &number.to_be_bytes()).unwrap();
            assert!(found.is_some(), "{number} was acknowledged and is gone");
        }
    }
}

fn write_without_room(dir: &Path, backend: Backend) {
    let store = DiskStore::open(&options(dir, backend)).unwrap();
    for number in 0..200_000u32 {
        match put(&store, &number.to_be_bytes()) {
            Ok(()) => println!("acknowledged {number}"),
            Err(StoreError::Failed(_)) => {
                println!("refused {number}");
                assert!(
                    put(&store, b"later").is_err(),
                    "a failed store stays failed"
                );
                return;
            }
            Err(other) => panic!("unexpected {other}"),
        }
    }
    panic!("the limit was never reached");
}
