//! A node that signed two histories, holders of the one that is not its log, and others that do not answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::log::{Log, SignedCheckpoint, WitnessState};
use node::store::{MemoryStore, Table, WitnessedRow};
use node::{PassedOver, RecoverError, WhyNot};
use tokio::net::TcpListener;

use crate::recover::{Before, LOST, entries, findings, lose, recover, slot, vault};
use crate::recover_hostile::{Manner, bytes_of, damage, serve};
use crate::world::{Wish, World, log_signer, province};

/// Another history of the lost house's log, that goes on by itself after `common` entries; and its checkpoint, signed by that house.
pub(crate) fn branch(
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
    let signer = log_signer(LOST);
    let name = signer.public(province(LOST), slot(LOST), 1).log_key("test");
    let checkpoint = signer.sign(log.size(), log.root().unwrap(), &name.unwrap());
    (all, checkpoint.unwrap())
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
        let (all, checkpoint) = branch(&told, had, size);
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
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_that_witnesses_hold_are_told_as_what_they_are() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let (had, told) = (entries(LOST, &backup).len(), bytes_of(&lost));
    for size in [had + 1, told.len()] {
        let (_, checkpoint) = branch(&told, had, size);
        // One of the others has cosigned another history.
        let vault = vault(33, &world.house(33).store);
        let key = [slot(LOST).get()];
        let mut row: WitnessedRow = vault.get(Table::Witnessed, &key).unwrap().unwrap();
        let state = [
            &row.state[..1],
            &checkpoint.size().to_be_bytes(),
            &checkpoint.root().0,
        ]
        .concat();
        assert!(WitnessState::from_bytes(&state).is_ok());
        row.state = state;
        row.checkpoint = checkpoint.to_bytes().to_vec();
        let mut write = vault.write();
        write.put(Table::Witnessed, &key, &row);
        write.commit().unwrap();
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
