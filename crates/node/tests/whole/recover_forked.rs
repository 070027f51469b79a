//! A node that signed two histories, holders of the one that is not its log, and others that do not answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use ledger::log::{AddCheckpoint, Log, SignedCheckpoint, SignedLogKeys, WitnessState};
use ledger::{HeadKeys, Member, Roster};
use node::store::{MemoryStore, MirrorRow, Store as _, Table, WitnessedRow};
use node::{Node, NodeError, PassedOver, RecoverError, SimulatedClock, WhyNot};
use rules::Minute;
use tokio::net::TcpListener;
use wire::{CheckpointOffer, Reason};

use crate::recover::{
    BACK, Before, LOST, copy_of, entries, findings, is_older, lose, recover, recover_as, slot,
    vault,
};
use crate::recover_hostile::{Manner, bytes_of, damage, serve};
use crate::world::{PROVINCES, Wish, World, head_key, log_signer, minute, parts, province};

/// Another history of a house's log, that goes on by itself after `common` entries; and its checkpoint, signed by that house.
pub(crate) fn branch(
    home: u8,
    told: &[Vec<u8>],
    common: usize,
    size: usize,
) -> (Vec<Vec<u8>>, SignedCheckpoint) {
    let mut all = told[..common].to_vec();
    while all.len() < size {
        all.push([&told[0][..], &all.len().to_be_bytes()].concat());
    }
    let mut log = Log::default();
    for entry in &all {
        log.append(entry).unwrap();
    }
    let signer = log_signer(home);
    let name = signer.public(province(home), slot(home), 1).log_key("test");
    let checkpoint = signer.sign(log.size(), log.root().unwrap(), &name.unwrap());
    (all, checkpoint.unwrap())
}

/// What a witness remembers that has cosigned it.
fn state_of(checkpoint: &SignedCheckpoint) -> Vec<u8> {
    let size = checkpoint.size().to_be_bytes();
    [&[1][..], &size, &checkpoint.root().0].concat()
}

fn passed(who: &str, why: WhyNot) -> PassedOver {
    let who = who.to_owned();
    PassedOver { who, why }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_another_history_is_named_and_the_log_is_what_the_witnesses_hold() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let (had, told) = (entries(LOST, &backup).len(), bytes_of(&lost));
    let mut urls = Vec::new();
    // Older than the log, as large, and larger: what an old disk signed, and what a thief of the key can sign.
    let sizes = [had + 1, told.len(), told.len() + 3];
    for size in sizes {
        let (all, checkpoint) = branch(LOST, &told, had, size);
        let at = serve(all, checkpoint.to_bytes().to_vec(), Manner::Honest).await;
        urls.push(format!("http://{at}/log"));
    }
    let recovered = recover(&world, &backup, &urls, None).await.unwrap();
    assert_eq!(recovered.has, told.len() as u64);
    assert_eq!(recovered.cosigned_by, 2);
    assert_eq!(bytes_of(&backup), told);
    let size = |size: usize| WhyNot::OtherHistory { size: size as u64 };
    let named: Vec<PassedOver> = urls
        .iter()
        .zip(sizes)
        .map(|(url, of)| passed(url, size(of)))
        .collect();
    assert_eq!(recovered.passed_over, named);
    // Whoever comes to hold one of them does not keep the node from its start; another larger one does.
    for (size, is_older_now) in [(told.len() + 3, false), (told.len() + 4, true)] {
        assert!(!is_older(&world, &backup).await);
        let (_, checkpoint) = branch(LOST, &told, had, size);
        cosign(&world, &checkpoint);
        assert_eq!(is_older(&world, &backup).await, is_older_now, "{size}");
    }
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
}

/// Has 33 remember a checkpoint of the lost house as cosigned last.
fn cosign(world: &World, checkpoint: &SignedCheckpoint) {
    let vault = vault(33, &world.house(33).store);
    let key = [slot(LOST).get()];
    let mut row: WitnessedRow = vault.get(Table::Witnessed, &key).unwrap().unwrap();
    row.state = state_of(checkpoint);
    assert!(WitnessState::from_bytes(&row.state).is_ok());
    row.checkpoint = checkpoint.to_bytes().to_vec();
    let mut write = vault.write();
    write.put(Table::Witnessed, &key, &row);
    write.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_that_witnesses_hold_are_told_as_what_they_are() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let (had, told) = (entries(LOST, &backup).len(), bytes_of(&lost));
    for size in [had + 1, told.len()] {
        let (_, checkpoint) = branch(LOST, &told, had, size);
        cosign(&world, &checkpoint);
        let found = recover(&world, &backup, &[], None).await;
        match found {
            Err(RecoverError::TwoHistories { size: of, shown_by }) => {
                assert_eq!((of, shown_by.as_str()), (size as u64, "province 33"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(entries(LOST, &backup).len(), had);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_answers_keeps_nobody_waiting_and_is_named() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let told = bytes_of(&lost);
    for index in 0..told.len() {
        damage(&world, 33, index as u64, None);
    }
    // One that takes connections and says nothing, beside one whose entries are gone.
    world.close(42).await;
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.move_to(42, mute.local_addr().unwrap());
    let checkpoint = {
        let rows = vault(LOST, &lost).list::<Vec<u8>>(Table::LogCheckpoint, b"");
        rows.unwrap()[0].1.clone()
    };
    let mut urls = Vec::new();
    for manner in [Manner::Never, Manner::Honest] {
        let at = serve(told.clone(), checkpoint.clone(), manner).await;
        urls.push(format!("http://{at}/log"));
    }
    let began = Instant::now();
    let recovered = recover(&world, &backup, &urls, Some(1)).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(recovered.has, told.len() as u64);
    // Of the log of 33 the one that says nothing is the only other witness.
    assert_eq!(recovered.unread, [slot(33)]);
    assert_eq!(
        recovered.passed_over,
        [
            passed("province 42", WhyNot::Silent),
            passed("province 33", WhyNot::OtherEntries),
            passed(&urls[0], WhyNot::Silent),
        ]
    );
    let again: Arc<MemoryStore> = backup;
    assert_eq!(bytes_of(&again), told);
}

/// Has a store hold and have cosigned this of the log of 33.
fn hold(store: &Arc<MemoryStore>, home: u8, all: &[Vec<u8>], checkpoint: &SignedCheckpoint) {
    let (vault, of) = (vault(home, store), slot(33).get());
    let mut write = vault.write();
    for key in vault.keys(Table::Mirrored, &[of], usize::MAX).unwrap() {
        write.delete(Table::Mirrored, &key);
    }
    for (index, entry) in (0_u64..).zip(all) {
        let key = [&[of][..], &index.to_be_bytes()].concat();
        write.put(Table::Mirrored, &key, entry);
    }
    let mirror = MirrorRow {
        first: 0,
        end: all.len() as u64,
        len_bytes: 0,
        checkpoint: checkpoint.to_bytes().to_vec(),
    };
    write.put(Table::Mirrors, &[of], &mirror);
    let mut row: WitnessedRow = vault.get(Table::Witnessed, &[of]).unwrap().unwrap();
    row.state = state_of(checkpoint);
    row.checkpoint = checkpoint.to_bytes().to_vec();
    write.put(Table::Witnessed, &[of], &row);
    write.commit().unwrap();
}

/// An offer of the log of 33 with so many entries, to who has cosigned `old` of them, under keys of a number.
fn offer(told: &[Vec<u8>], old: usize, number: u32) -> CheckpointOffer {
    let mut log = Log::default();
    for entry in told {
        log.append(entry).unwrap();
    }
    let keys = log_signer(33).public(province(33), slot(33), number);
    let none = |_: u64| Err(());
    let checkpoint = log_signer(33).sign(
        log.size(),
        log.root().unwrap(),
        &keys.log_key("test").unwrap(),
    );
    CheckpointOffer {
        keys: keys.sign(Minute::ZERO, &head_key(33)),
        request: AddCheckpoint {
            old_size: old as u64,
            proof: log
                .prove_consistency(old as u64, log.size(), &none)
                .unwrap(),
            checkpoint: checkpoint.unwrap(),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_two_histories_is_found_kept_as_evidence_and_cosigned_no_more() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    let cosigned: WitnessedRow = vault(LOST, &backup)
        .get(Table::Witnessed, &[slot(33).get()])
        .unwrap()
        .unwrap();
    let then = WitnessState::from_bytes(&cosigned.state).unwrap().size();
    let then = usize::try_from(then).unwrap();
    let told: Vec<Vec<u8>> = {
        let rows = vault(33, &world.house(33).store).list(Table::LogEntries, b"");
        rows.unwrap().into_iter().map(|(_, entry)| entry).collect()
    };
    assert!(told.len() > then);
    // What the other witness of the log of 33 has cosigned: less than this node by its backup, as much, and more.
    for size in [then - 1, then, then + 2] {
        let (all, checkpoint) = branch(33, &told, then - 3, size);
        let store = world.close(42).await;
        hold(&store, 42, &all, &checkpoint);
        world.reopen(&Wish::default(), 42, store, BACK).await;
        let mine = copy_of(&backup);
        if size > then {
            // What is read anew is held against what was cosigned, whoever gives it.
            read_beyond(&mine, true);
        }
        let recovered = recover(&world, &mine, &[], None).await.unwrap();
        assert_eq!(recovered.forked, [slot(33)], "{size}");
        assert_eq!(recovered.unread, []);
        assert_eq!(findings(LOST, &mine), Vec::<String>::new());

        let clock = Arc::new(SimulatedClock::start(minute(BACK), 0));
        let node = Node::open(parts(&Wish::default(), LOST, mine, clock)).unwrap();
        let kept = node.evidence().unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.check(&kept[0].1), Ok(()));
        // Neither history is cosigned, until the log has other keys.
        let good = node.witness(province(33), &offer(&told, then, 1));
        assert_eq!(
            good,
            Err(NodeError::Refused(Reason::CheckpointRefused)),
            "{size}"
        );
        let renewed = node.witness(province(33), &offer(&told, then, 2)).unwrap();
        assert!(renewed.cosignature.is_some());
    }
}

/// Has a store of the lost house hold an entry of the log of 33 beyond what was cosigned, of a checkpoint that nobody cosigned; or so
/// many of them that what was cosigned is gone.
fn read_beyond(store: &Arc<MemoryStore>, is_cosigned_gone: bool) {
    let (vault, of) = (vault(LOST, store), slot(33).get());
    let mut row: MirrorRow = vault.get(Table::Mirrors, &[of]).unwrap().unwrap();
    let mut write = vault.write();
    let key = [&[of][..], &row.end.to_be_bytes()].concat();
    write.put(Table::Mirrored, &key, &vec![7_u8; 40]);
    row.end += 1;
    if is_cosigned_gone {
        row.first = row.end;
    }
    write.put(Table::Mirrors, &[of], &row);
    write.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_of_another_log_that_does_not_fit_is_cut_back_in_a_recovery_or_read_anew() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    for is_cosigned_gone in [false, true] {
        let store = copy_of(&backup);
        read_beyond(&store, is_cosigned_gone);
        let recovered = recover(&world, &store, &[], None).await.unwrap();
        assert_eq!((recovered.logs, recovered.unread), (2, vec![]));
        holds_what_33_told(&world, &store);
    }
}

fn holds_what_33_told(world: &World, store: &Arc<MemoryStore>) {
    let of = slot(33).get();
    let held = |store: &Arc<MemoryStore>| -> Vec<Vec<u8>> {
        let rows = vault(LOST, store).list(Table::Mirrored, &[of]).unwrap();
        rows.into_iter().map(|(_, entry)| entry).collect()
    };
    let told: Vec<Vec<u8>> = {
        let rows = vault(33, &world.house(33).store).list(Table::LogEntries, b"");
        rows.unwrap().into_iter().map(|(_, entry)| entry).collect()
    };
    let held = held(store);
    assert!(held.len() > 10 && held == told[..held.len()]);
}

/// All rows of a store, as they lie there.
fn rows_of(store: &MemoryStore) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    let mut each = |key: &[u8], value: Option<&[u8]>| {
        rows.insert(key.to_vec(), value.unwrap_or_default().to_vec());
        Ok(())
    };
    store.export(&mut each).unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_recovery_leaves_the_store_as_it_was() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let (had, told) = (entries(LOST, &backup).len(), bytes_of(&lost));
    let before = rows_of(&backup);
    let mut kinds = Vec::new();
    // An entry of a later version; a history that goes on from the store, and that nobody gives; and too few that answer.
    let (unknown, of_unknown) = branch(LOST, &told, told.len(), told.len() + 1);
    let (_, of_nobody) = branch(LOST, &told, had, told.len() + 2);
    let mut urls = Vec::new();
    for (all, checkpoint) in [(unknown, of_unknown), (Vec::new(), of_nobody)] {
        let at = serve(all, checkpoint.to_bytes().to_vec(), Manner::Honest).await;
        urls.push(format!("http://{at}/log"));
    }
    for url in &urls {
        let urls = std::slice::from_ref(url);
        kinds.push(recover(&world, &backup, urls, None).await.unwrap_err());
        assert!(rows_of(&backup) == before, "{:?}", kinds.last());
    }
    world.close(42).await;
    kinds.push(recover(&world, &backup, &[], None).await.unwrap_err());
    assert!(rows_of(&backup) == before);
    let index = told.len() as u64;
    assert_eq!(kinds[0], RecoverError::UnknownEntry { index });
    assert!(matches!(kinds[1], RecoverError::Incomplete { .. }));
    assert!(matches!(kinds[2], RecoverError::TooFewAnswers { .. }));
}

/// The world's provinces, of which this one has had a second head key for a while.
fn with_two_keys(home: u8) -> Roster {
    let members = PROVINCES.map(|code| {
        let first = (Minute::ZERO, head_key(code).verifying_key());
        let second = (minute(BACK - 5), second_key(code).verifying_key());
        let keys = if code == home {
            vec![first, second]
        } else {
            vec![first]
        };
        Member {
            province: province(code),
            slot: slot(code),
            head_keys: HeadKeys::new(keys).unwrap(),
        }
    });
    Roster::new(members.to_vec()).unwrap()
}

fn second_key(home: u8) -> SigningKey {
    SigningKey::from_bytes(&[home + 1; 32])
}

fn own_keys(store: &Arc<MemoryStore>) -> SignedLogKeys {
    let row: Option<Vec<u8>> = vault(LOST, store)
        .get(Table::LogKeys, &[slot(LOST).get()])
        .unwrap();
    SignedLogKeys::from_bytes(&row.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn log_keys_that_a_retired_head_key_announced_come_back_where_it_is_gone() {
    let mut world = World::new(Wish::default()).await;
    let Before { lost, .. } = lose(&mut world).await;
    let told = bytes_of(&lost);
    let (roster, keys) = (with_two_keys(LOST), [second_key(LOST)]);
    let public = log_signer(LOST).public(province(LOST), slot(LOST), 1);
    // Nothing is left of the store. Those who hold the log show the keys as they were announced.
    let empty = Arc::new(MemoryStore::default());
    let as_now = (&roster, &keys[..]);
    let recovered = recover_as(&world, &empty, &[], None, as_now).await.unwrap();
    assert_eq!((recovered.had, recovered.has), (0, told.len() as u64));
    assert_eq!(bytes_of(&empty), told);
    let announced = own_keys(&empty);
    assert_eq!(announced, own_keys(&lost));
    assert_eq!(
        (announced.keys, announced.head_key_of),
        (public, Minute::ZERO)
    );
    assert_eq!(announced.check(&roster), Ok(()));

    // Where nobody shows them, the files' keys stand under the head key in force.
    for home in [33, 42] {
        world.close(home).await;
    }
    let checkpoint = {
        let rows = vault(LOST, &lost).list::<Vec<u8>>(Table::LogCheckpoint, b"");
        rows.unwrap()[0].1.clone()
    };
    let at = serve(told.clone(), checkpoint, Manner::Honest).await;
    let urls = [format!("http://{at}/log")];
    let empty = Arc::new(MemoryStore::default());
    recover_as(&world, &empty, &urls, Some(0), as_now)
        .await
        .unwrap();
    let anew = own_keys(&empty);
    assert_eq!((anew.keys, anew.head_key_of), (public, minute(BACK - 5)));
    assert_eq!(anew.check(&roster), Ok(()));
    assert_eq!(anew.check_told(&roster, None, minute(BACK + 30)), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_keys_are_known_under_a_retired_head_key_alone_is_told_as_not_read() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    let roster = with_two_keys(33);
    let keys = [head_key(LOST)];
    // Its keys are in the backup: then whoever signed them is of no account.
    let known = copy_of(&backup);
    let as_now = (&roster, &keys[..]);
    let recovered = recover_as(&world, &known, &[], None, as_now).await.unwrap();
    assert_eq!((recovered.logs, recovered.unread), (2, vec![]));
    // Nothing is left of the store, and the retired key can be in anybody's hands.
    let empty = Arc::new(MemoryStore::default());
    let recovered = recover_as(&world, &empty, &[], None, as_now).await.unwrap();
    assert_eq!(recovered.logs, 1);
    assert_eq!(recovered.unread, [slot(33)]);
    let none: Option<WitnessedRow> = vault(LOST, &empty)
        .get(Table::Witnessed, &[slot(33).get()])
        .unwrap();
    assert_eq!(none, None);
}
