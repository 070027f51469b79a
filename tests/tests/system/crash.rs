//! A node that is killed in the middle of its work.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::{Event, EventBody, Minute, SourceKind, TestResult};
use tests::{Person, Plan, Source, World, operator};
use wire::operator::v1 as op;
use wire::source::v1::SignedEvent;

use crate::NODE;

const HOME: u8 = 33;
const RESIDENTS: u16 = 8;
const BATCH_LEN: usize = 24;

/// What the offices have sent, and what of it the node has acknowledged.
#[derive(Default)]
struct Books {
    sent: Vec<SignedEvent>,
    acknowledged: BTreeSet<Vec<u8>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_between_and_within_batches_loses_nothing_acknowledged_and_counts_nothing_twice()
 {
    let mut world = World::prepare(Plan::new(NODE, RESIDENTS));
    let books = Arc::new(Mutex::new(Books::default()));
    // How many batches are acknowledged before the kill, and how long after the last of them it comes.
    for (round, (batches, delay_ms)) in [(1, 0), (3, 1), (6, 3), (2, 7), (9, 15)]
        .into_iter()
        .enumerate()
    {
        world.start_node(HOME);
        let before = count(&books);
        let offices = [SourceKind::Laboratory, SourceKind::Hospital];
        let writers: Vec<_> = offices
            .into_iter()
            .zip(1..)
            .map(|(kind, writer)| {
                let source = world.source(HOME, kind, HOME);
                let batch = u32::try_from(round).unwrap() * 4 + writer;
                tokio::spawn(write_until_it_ends(
                    source,
                    Arc::clone(&books),
                    world.now(),
                    batch,
                ))
            })
            .collect();
        while count(&books) < before + batches * BATCH_LEN {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        world.take_node(HOME).kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }

    world.start_node(HOME);
    let events = status(&world).await.events;
    let Books { sent, acknowledged } = Arc::into_inner(books).unwrap().into_inner().unwrap();
    assert!(
        events >= acknowledged.len() as u64,
        "{events} of {}",
        acknowledged.len()
    );
    assert!(
        sent.len() > acknowledged.len(),
        "no kill came within a batch"
    );
    let mut offered_again = 0;
    for kind in [SourceKind::Laboratory, SourceKind::Hospital] {
        let mut source = world.source(HOME, kind, HOME);
        let own = |e: &&SignedEvent| Event::from_bytes(&e.event).unwrap().source == source.id;
        let own: Vec<SignedEvent> = sent.iter().filter(own).cloned().collect();
        for batch in own.chunks(200) {
            let answers = source.offer(batch.to_vec()).await.unwrap();
            for (event, answer) in batch.iter().zip(answers) {
                offered_again += 1;
                if acknowledged.contains(&event.event) {
                    assert_eq!(answer, "duplicate", "an acknowledged event was lost");
                } else {
                    assert!(answer == "accepted" || answer == "duplicate", "{answer}");
                }
            }
        }
    }
    assert_eq!(offered_again, sent.len());
    assert_eq!(status(&world).await.events, sent.len() as u64);
    assert_eq!(status(&world).await.residents, u64::from(RESIDENTS));
    world.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_cut_short_is_closed_once_and_whole() {
    let mut world = World::prepare(Plan::new(NODE, 64));
    world.start_node(HOME);
    let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
    let now = world.now();
    let one_each = (1..=64).map(|number| {
        let event = negative(&laboratory, number, now, 60);
        laboratory.sign(&event)
    });
    let one_each: Vec<_> = one_each.collect();
    laboratory.offer(one_each).await.unwrap();
    let request = op::CloseEpochRequest {
        epoch: 1,
        as_of_minute: now.get(),
    };
    for delay_ms in [0, 2, 6, 12, 20] {
        let mut operator: operator::Client = world.operator(HOME);
        operator.get_status(op::GetStatusRequest {}).await.unwrap();
        let closing = tokio::spawn(async move { operator.close_epoch(request).await });
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        world.take_node(HOME).kill();
        let _ = closing.await.unwrap();
        world.start_node(HOME);
    }
    let closed = world.operator(HOME).close_epoch(request).await.unwrap();
    let closed = closed.into_inner();
    assert_eq!(closed.records, 64);
    let again = world.operator(HOME).close_epoch(request).await.unwrap();
    assert_eq!(again.get_ref().head, closed.head);
    world.take_node(HOME).kill();
    world.start_node(HOME);
    let restored = world.operator(HOME).close_epoch(request).await.unwrap();
    assert_eq!(restored.get_ref().head, closed.head);
    world.stop();
}

/// A few cycles of what `docs/reliability.md` has by the thousand: kills under load over both doors, while the store is
/// compacted, given new keys and backed up, and while a node opens.
#[test]
fn a_node_killed_at_any_moment_keeps_all_that_it_acknowledged_and_every_batch_whole() {
    for backend in ["sled", "redb"] {
        let dir = tempfile::tempdir().unwrap();
        let (code, report) = kill_nodes(dir.path(), backend, &["--cycles", "5", "--seed", "21"]);
        assert_eq!(code, Some(0), "{report}");
        let figure = |name: &str| report["figures"][name].as_u64().unwrap_or_default();
        assert_eq!((report["count"].as_u64(), figure("fsck")), (Some(5), 1));
        assert!(figure("events and calls acknowledged") > 50, "{report}");
        assert!(figure("events asked for again") > 50, "{report}");
    }
}

/// The harness itself: where a store is put back, it must see what is gone.
#[test]
fn losses_are_seen_where_a_node_s_store_is_put_back_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--cycles", "3", "--seed", "22", "--forget"];
    let (code, report) = kill_nodes(dir.path(), "redb", &more);
    assert_eq!(code, Some(1), "{report}");
    let failures = report["failures"].as_array().unwrap();
    let is_lost = |f: &serde_json::Value| f["what"].as_str().is_some_and(|w| w.starts_with("lost"));
    assert!(failures.iter().any(is_lost), "{report}");
    let kept = std::path::Path::new(failures[0]["kept"].as_str().unwrap());
    assert!(kept.join("data").is_dir() && kept.join("node.log").is_file());
}

fn kill_nodes(dir: &Path, backend: &str, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_node-kill"))
        .args(["--backend", backend, "--no-report", "--json", "--work"])
        .arg(dir)
        .args(more)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

async fn write_until_it_ends(
    mut source: Source,
    books: Arc<Mutex<Books>>,
    now: Minute,
    writer: u32,
) {
    for batch in 0.. {
        let first = batch * u32::try_from(BATCH_LEN).unwrap();
        let events: Vec<SignedEvent> = (0..u32::try_from(BATCH_LEN).unwrap())
            .map(|n| {
                let number = u16::try_from(n % u32::from(RESIDENTS)).unwrap() + 1;
                let ago = 1 + (writer * 1_499 + first + n) % 40_000;
                let event = negative(&source, number, now, ago);
                source.sign(&event)
            })
            .collect();
        books.lock().unwrap().sent.extend(events.iter().cloned());
        let Ok(answers) = source.offer(events.clone()).await else {
            return;
        };
        assert!(answers.iter().all(|a| a == "accepted"), "{answers:?}");
        let done = events.into_iter().map(|e| e.event);
        books.lock().unwrap().acknowledged.extend(done);
    }
}

fn negative(source: &Source, number: u16, now: Minute, minutes_ago: u32) -> Event {
    let person = Person::of(HOME, number);
    let body = EventBody::Test {
        sampled_at: now.saturating_add_signed(-i64::from(minutes_ago)),
        result: TestResult::Negative,
    };
    source.event(person.number, now, body)
}

fn count(books: &Mutex<Books>) -> usize {
    books.lock().unwrap().acknowledged.len()
}

async fn status(world: &World) -> op::GetStatusResponse {
    let answer = world
        .operator(HOME)
        .get_status(op::GetStatusRequest {})
        .await;
    answer.unwrap().into_inner()
}

#[test]
fn a_node_that_is_told_to_end_as_soon_as_it_is_ready_ends_in_order() {
    let mut world = World::prepare(Plan::new(NODE, 1));
    let [code, ..] = tests::PROVINCES;
    world.start_node(code);
    let (exit, log) = world.take_node(code).terminate();
    assert_eq!(exit, Some(0), "{}", log.text());
}
