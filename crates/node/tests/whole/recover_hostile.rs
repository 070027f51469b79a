//! Mirrors that give other entries, too few, too many, or never end; and a store that went on by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ledger::log::bundle;
use node::store::{MemoryStore, MirrorRow, StoreError, Table};
use node::{NodeError, PassedOver, RecoverError, WhyNot, is_older_than_signed, mark_older};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::recover::{
    BACK, Before, LOST, close_and_assemble, copy_of, entries, findings, look, lose, recover, slot,
    vault,
};
use crate::world::{Wish, World, minute, parts, province};

fn mirrored_key(index: u64) -> Vec<u8> {
    [&[slot(LOST).get()][..], &index.to_be_bytes()].concat()
}

/// Changes an entry of the lost house's log where another house holds it; none to remove it.
pub(crate) fn damage(world: &World, home: u8, index: u64, entry: Option<&[u8]>) {
    let vault = vault(home, &world.house(home).store);
    let mut write = vault.write();
    match entry {
        Some(entry) => write.put(Table::Mirrored, &mirrored_key(index), &entry.to_vec()),
        None => write.delete(Table::Mirrored, &mirrored_key(index)),
    }
    write.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_with_other_entries_is_passed_over_for_an_honest_one() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let had = entries(LOST, &backup).len() as u64;
    let told = entries(LOST, &lost);
    // The first that is asked gives another entry, and a well-formed one.
    damage(&world, 33, had + 1, Some(&told[0].to_bytes()));
    let recovered = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!(recovered.has, told.len() as u64);
    assert_eq!(entries(LOST, &backup), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_mirror_has_all_of_it_nothing_is_changed_and_the_size_is_told() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    mark_older(&vault(LOST, &backup)).unwrap();
    let (had, has) = (entries(LOST, &backup).len(), entries(LOST, &lost).len());
    let as_it_was = copy_of(&backup);
    for home in [33, 42] {
        for index in had + 2..has {
            damage(&world, home, index as u64, None);
        }
    }
    let found = recover(&world, &backup, &[], None).await;
    let reached = match found {
        Err(RecoverError::Incomplete {
            reached, wanted, ..
        }) if wanted == has as u64 => reached,
        other => panic!("{other:?}"),
    };
    assert!(reached < has as u64 && reached >= had as u64);
    assert_eq!(entries(LOST, &backup), entries(LOST, &as_it_was));
    assert!(is_older_than_signed(&vault(LOST, &backup)).unwrap());
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_went_on_by_itself_is_told_so() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    let had = entries(LOST, &backup).len() as u64;
    let clock = Arc::new(node::SimulatedClock::start(minute(BACK), 0));
    let node = node::Node::open(parts(
        &Wish::default(),
        LOST,
        Arc::clone(&backup) as _,
        clock,
    ));
    node.unwrap()
        .close_epoch(commitment::Epoch::new(9), minute(BACK))
        .unwrap();
    assert_eq!(
        recover(&world, &backup, &[], None).await,
        Err(RecoverError::OtherHistory { index: had })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_went_on_further_than_the_mirrors_is_told_so() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let had = entries(LOST, &backup).len() as u64;
    let clock = Arc::new(node::SimulatedClock::start(minute(BACK), 0));
    let wish = Wish::default();
    let parts = parts(&wish, LOST, Arc::clone(&backup) as _, clock);
    let alone = node::Node::open(parts).unwrap();
    let more = entries(LOST, &lost).len() as u64 + 3;
    for epoch in 9.. {
        let at = BACK + epoch;
        node::Clock::advance_to(&**alone.clock(), minute(at));
        let epoch = commitment::Epoch::new(epoch);
        alone.close_epoch(epoch, minute(at)).unwrap();
        if alone.checkpoint().unwrap().size() > more {
            break;
        }
    }
    drop(alone);
    assert_eq!(
        recover(&world, &backup, &[], None).await,
        Err(RecoverError::OtherHistory { index: had })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_mirror_of_another_log_does_not_end_the_recovery() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    {
        let vault = vault(LOST, &backup);
        let key = [&[slot(33).get()][..], &0_u64.to_be_bytes()].concat();
        let mut write = vault.write();
        write.put(Table::Mirrored, &key, &vec![1_u8, 2, 3]);
        write.commit().unwrap();
    }
    let recovered = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!(recovered.logs, 2);
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_answers_change_nothing_unless_the_operator_says_how_many_there_can_be() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    world.close(42).await;
    let found = recover(&world, &backup, &[], None).await;
    let too_few = RecoverError::TooFewAnswers {
        answered: 1,
        needed: 2,
        silent: vec![province(42)],
    };
    assert_eq!(found, Err(too_few));
    let recovered = recover(&world, &backup, &[], Some(1)).await.unwrap();
    assert_eq!(recovered.has, entries(LOST, &lost).len() as u64);
    // Of the log of 33 the one that is away is the only other witness.
    assert_eq!(recovered.unread, [slot(33)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_keys_that_are_damaged_in_the_store_are_told_and_not_taken_for_none() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    {
        let vault = vault(LOST, &backup);
        let mut write = vault.write();
        write.put(Table::LogKeys, &[slot(LOST).get()], &vec![1_u8, 2, 3]);
        write.commit().unwrap();
    }
    let damaged = NodeError::Store(StoreError::Damaged(Table::LogKeys));
    assert_eq!(look(&world, &backup).await, Err(damaged.clone()));
    // Before anybody is asked.
    for home in [33, 42] {
        world.close(home).await;
    }
    let found = recover(&world, &backup, &[], None).await;
    assert_eq!(found, Err(RecoverError::Node(damaged)));
}

/// What a mirror by plain HTTP does with a request for entries.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Honest,
    OtherEntries,
    TooFew,
    TooMany,
    Endless,
    CutShort,
    Never,
}

/// The entries of the lost house's log in a store.
pub(crate) fn bytes_of(store: &Arc<MemoryStore>) -> Vec<Vec<u8>> {
    let told = entries(LOST, store);
    told.iter().map(ledger::log::Entry::to_bytes).collect()
}

/// A mirror that serves these entries in its manner.
pub(crate) async fn serve(all: Vec<Vec<u8>>, checkpoint: Vec<u8>, manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1_024];
            let len = stream.read(&mut request).await.unwrap();
            let is_checkpoint = request[..len].starts_with(b"GET /log/checkpoint ");
            if matches!(manner, Manner::Never) && !is_checkpoint {
                kept.push(stream);
                continue;
            }
            let mut given = all.clone();
            match manner {
                Manner::OtherEntries => given.last_mut().unwrap()[10] ^= 1,
                Manner::TooFew => drop(given.pop()),
                Manner::TooMany => given.push(given[0].clone()),
                _ => {}
            }
            let bytes = bundle(given.iter().map(Vec::as_slice)).unwrap();
            let body = if is_checkpoint {
                checkpoint.clone()
            } else {
                bytes
            };
            let len = match manner {
                Manner::Endless if !is_checkpoint => usize::MAX,
                Manner::CutShort if !is_checkpoint => body.len() + 1,
                _ => body.len(),
            };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
            if matches!(manner, Manner::Endless) && !is_checkpoint {
                while stream.write_all(&[0; 8_192]).await.is_ok() {}
            }
        }
    });
    at
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_by_plain_http_is_believed_as_far_as_the_nodes_own_signature_goes() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let rows = vault(LOST, &lost).list::<Vec<u8>>(Table::LogCheckpoint, b"");
    let checkpoint = rows.unwrap()[0].1.clone();
    let told = entries(LOST, &lost);
    // The others hold nothing of it any more.
    for home in [33, 42] {
        for index in 0..told.len() {
            damage(&world, home, index as u64, None);
        }
    }
    let had = entries(LOST, &backup).len() as u64;
    for manner in [
        Manner::OtherEntries,
        Manner::TooFew,
        Manner::TooMany,
        Manner::Endless,
        Manner::CutShort,
    ] {
        let at = serve(bytes_of(&lost), checkpoint.clone(), manner).await;
        let urls = [format!("http://{at}/log"), "https://nowhere".to_owned()];
        let found = recover(&world, &backup, &urls, None);
        let found = tokio::time::timeout(Duration::from_mins(1), found).await;
        let passed_over = match found.unwrap() {
            Err(RecoverError::Incomplete {
                reached,
                wanted,
                passed_over,
            }) if (reached, wanted) == (had, told.len() as u64) => passed_over,
            other => panic!("{other:?}"),
        };
        // Each of those that were asked is named, and who was passed over before that.
        let names: Vec<&str> = passed_over.iter().map(|one| one.who.as_str()).collect();
        let asked = ["province 33", "province 42", urls[0].as_str()];
        assert_eq!(names[0], urls[1]);
        assert_eq!(names[1..], asked);
        let before = PassedOver {
            who: urls[1].clone(),
            why: WhyNot::Silent,
        };
        assert_eq!(passed_over[0], before);
    }
    // A checkpoint of somebody else is none.
    let of_others = world
        .house(33)
        .node
        .log_file("/checkpoint")
        .unwrap()
        .unwrap();
    let at = serve(bytes_of(&lost), of_others, Manner::Honest).await;
    let urls = [format!("http://{at}/log"), "https://nowhere".to_owned()];
    assert!(recover(&world, &backup, &urls, None).await.is_err());
    let at = serve(bytes_of(&lost), checkpoint, Manner::Honest).await;
    let urls = [format!("http://{at}/log/")];
    let recovered = recover(&world, &backup, &urls, None).await.unwrap();
    assert_eq!(recovered.has, told.len() as u64);
    assert_eq!(entries(LOST, &backup), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_goes_on_where_it_ended_and_is_fetched_anew_where_it_is_damaged() {
    let mut world = World::new(Wish::default()).await;
    close_and_assemble(&world, 1).await;
    crate::recover::cosigned_by(world.house(LOST), 2).await;
    let held = world.house(42).node.mirrored(slot(LOST));
    assert_eq!(held, world.house(LOST).node.checkpoint().unwrap().size());
    let store = world.close(42).await;
    let mut write_to = vault(42, &store);
    let mut write = Arc::get_mut(&mut write_to).unwrap().write();
    write.put(Table::Mirrored, &mirrored_key(held - 1), &vec![1_u8, 2, 3]);
    write.commit().unwrap();
    world.reopen(&Wish::default(), 42, store, BACK).await;
    assert_eq!(world.house(42).node.mirrored(slot(LOST)), 0);
    world.advance_to(BACK + 1);
    close_and_assemble(&world, 2).await;
    crate::recover::cosigned_by(world.house(LOST), 2).await;
    let size = world.house(LOST).node.checkpoint().unwrap().size();
    assert_eq!(world.house(42).node.mirrored(slot(LOST)), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_with_entries_that_nobody_cosigned_is_cut_back_and_goes_on() {
    let mut world = World::new(Wish::default()).await;
    close_and_assemble(&world, 1).await;
    crate::recover::cosigned_by(world.house(LOST), 2).await;
    // What was read of checkpoints that were not cosigned, before the log came back without them.
    for beyond in 1..=5 {
        let epoch = 1 + u32::try_from(beyond).unwrap();
        let held = world.house(42).node.mirrored(slot(LOST));
        let store = world.close(42).await;
        {
            let vault = vault(42, &store);
            let row = vault.get(Table::Mirrors, &[slot(LOST).get()]).unwrap();
            let mut row: MirrorRow = row.unwrap();
            assert_eq!(row.end, held);
            row.end += beyond;
            let mut write = vault.write();
            for index in held..row.end {
                write.put(Table::Mirrored, &mirrored_key(index), &vec![7_u8; 40]);
            }
            write.put(Table::Mirrors, &[slot(LOST).get()], &row);
            write.commit().unwrap();
        }
        let now = BACK + 2 * epoch;
        world.reopen(&Wish::default(), 42, store, now).await;
        assert_eq!(world.house(42).node.mirrored(slot(LOST)), held + beyond);
        world.advance_to(now + 1);
        close_and_assemble(&world, epoch).await;
        crate::recover::cosigned_by(world.house(LOST), 2).await;
        let size = world.house(LOST).node.checkpoint().unwrap().size();
        assert_eq!(world.house(42).node.mirrored(slot(LOST)), size, "{beyond}");
        let path = format!("/mirror/{}/tile/entries/000.p/{size}", slot(LOST).get());
        let mirrored = world.house(42).node.log_file(&path).unwrap().unwrap();
        let told = bytes_of(&world.house(LOST).store);
        let read = ledger::log::read_bundle(&mirrored).unwrap();
        assert!(read == told, "{beyond}");
    }
}
