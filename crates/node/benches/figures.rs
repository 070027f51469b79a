//! Figures of a node: events a second with durable commit on sled, and the time to close an epoch.
//!
//! What the store weighs, how fast it is backed up and restored, and how long a start takes.
//!
//! `cargo bench -p node`; `NODE_BENCH_RECORDS=100000` sets the number of records, 10,000 by default;
//! `NODE_BENCH_BACKEND=redb` takes the other database.

#![allow(dead_code, clippy::cast_precision_loss)]

#[path = "../tests/whole/provers.rs"]
mod provers;
#[path = "../tests/whole/world.rs"]
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use commitment::Epoch;
use ed25519_dalek::Signer as _;
use node::store::{Backend, DiskOptions, DiskStore, StoreIdentity};
use node::{CivilRegister, EventAnswer, Node, OfferedEvent, RegisterUnavailable, SimulatedClock};
use rules::{Event, EventBody, EventId, IdentityNumber, SourceKind, TestResult};
use world::{START, Wish, minute, parts, source, source_key};

/// Everybody lives here.
struct Everybody;

impl CivilRegister for Everybody {
    fn lives_here(&self, _: &IdentityNumber) -> Result<bool, RegisterUnavailable> {
        Ok(true)
    }

    fn confirms(&self, _: &IdentityNumber, _: &str, _: &[u8]) -> Result<bool, RegisterUnavailable> {
        Ok(true)
    }
}

fn person(number: u32) -> IdentityNumber {
    let (year, sequence) = (1950 + number / 10_000, number % 1_000);
    let month = 1 + number % 10_000 / 1_000;
    let year = u16::try_from(year).unwrap();
    let month = u8::try_from(month).unwrap();
    let sequence = u16::try_from(sequence).unwrap();
    IdentityNumber::assemble(330_102, (year, month, 1), sequence).unwrap()
}

fn offered(number: u32, serial: u32) -> OfferedEvent {
    let lab = source(33, SourceKind::Laboratory);
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id[4..8].copy_from_slice(&serial.to_be_bytes());
    let at = minute(START - 60 - serial);
    let event = Event {
        id: EventId(id),
        subject: person(number),
        source: lab,
        issued_at: at,
        body: EventBody::Test {
            sampled_at: at,
            result: TestResult::Negative,
        },
    };
    OfferedEvent {
        event: event.to_bytes(),
        signature: source_key(lab).sign(&event.signing_bytes()).to_bytes(),
        home: None,
    }
}

fn options(dir: &std::path::Path) -> DiskOptions {
    let backend = match std::env::var("NODE_BENCH_BACKEND").as_deref() {
        Ok("redb") => Backend::Redb,
        _ => Backend::Sled,
    };
    DiskOptions {
        backend,
        cache_bytes: 256 << 20,
        ..DiskOptions::new(dir)
    }
}

fn open(dir: &std::path::Path) -> (Arc<DiskStore>, Arc<Node>) {
    let store = Arc::new(DiskStore::open(&options(dir)).unwrap());
    let clock = Arc::new(SimulatedClock::start(minute(START), 0).movable(true));
    let mut parts = parts(&Wish::default(), 33, Arc::clone(&store) as _, clock);
    parts.register = Box::new(Everybody);
    (store, Node::open(parts).unwrap())
}

/// Hands in `events` in batches from several threads; events a second, and the 99th percentile of a batch's time.
fn hand_in(node: &Node, events: &[OfferedEvent], batch: usize, threads: usize) -> String {
    let batches: Vec<&[OfferedEvent]> = events.chunks(batch).collect();
    let next = AtomicUsize::new(0);
    let lab = source(33, SourceKind::Laboratory);
    let times = Mutex::new(Vec::new());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let asked = Instant::now();
                    let answers = node.take_events(lab, batch).unwrap();
                    times.lock().unwrap().push(asked.elapsed());
                    assert!(answers.iter().all(|a| *a == EventAnswer::Accepted));
                }
            });
        }
    });
    let rate = events.len() as f64 / began.elapsed().as_secs_f64();
    let mut times = times.into_inner().unwrap();
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100].as_secs_f64() * 1e3;
    format!("{rate:.0}, a batch's p99 {p99:.1} ms")
}

/// What the store weighs, and how long it takes to back it up, to restore it and to start over it.
fn weigh(dir: &std::path::Path, records: u32) {
    let (store, node) = open(dir);
    drop(node);
    let before = store.usage().unwrap();
    store.compact(store.backend(), &mut |_| ()).unwrap();
    let usage = store.usage().unwrap();
    let of = |bytes: u64| bytes / u64::from(records);
    println!(
        "on disk: {} bytes for each resident, {} once compacted ({} rows)",
        of(before.size_bytes),
        of(usage.size_bytes),
        usage.rows
    );
    let began = Instant::now();
    let mut backup = Vec::new();
    node::store::write_backup(&*store, &mut backup, &mut |_| ()).unwrap();
    let mib = backup.len() as f64 / f64::from(1 << 20);
    let rate = mib / began.elapsed().as_secs_f64();
    println!("backup, not encrypted: {mib:.0} MiB at {rate:.0} MiB/s");
    let to = tempfile::tempdir().unwrap();
    let identity = StoreIdentity {
        federation: "test".to_owned(),
        province: world::province(33),
    };
    let (began, ring) = (Instant::now(), world::node_key(33));
    let read = &mut &backup[..];
    let restored =
        node::store::restore_backup(read, &options(to.path()), &identity, &ring, &mut |_| ());
    drop(restored.unwrap());
    let rate = mib / began.elapsed().as_secs_f64();
    println!("restoring it: {rate:.0} MiB/s");
    drop(store);
    let began = Instant::now();
    let store = DiskStore::open(&options(dir)).unwrap();
    let opened = began.elapsed().as_secs_f64();
    drop(store);
    let began = Instant::now();
    drop(open(dir));
    let started = began.elapsed().as_secs_f64();
    println!(
        "start over {records} residents: {started:.2} s, of which the store, all rows added up, {opened:.2} s"
    );
}

fn main() {
    let records: u32 = std::env::var("NODE_BENCH_RECORDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let dir = tempfile::tempdir().unwrap();
    let (store, node) = open(dir.path());
    for (serial, batch, threads, count) in
        [(0, 1, 1, 1_000), (1, 1, 16, 5_000), (2, 256, 4, 10_000)]
    {
        let events: Vec<_> = (0..count.min(records))
            .map(|n| offered(n, serial))
            .collect();
        let rate = hand_in(&node, &events, batch, threads);
        println!("durable events a second, batches of {batch} from {threads} threads: {rate}");
    }
    let events: Vec<_> = (0..records).map(|n| offered(n, 3)).collect();
    let rate = hand_in(&node, &events, 256, 4);
    println!("durable events a second, batches of 256, {records} residents: {rate}");
    let began = Instant::now();
    let closed = node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    let took = began.elapsed().as_secs_f64();
    println!(
        "closing an epoch of {} records: {took:.2} s",
        closed.records
    );
    node.clock().advance_to(minute(START + 19 * 60));
    let began = Instant::now();
    node.count_due().unwrap();
    let took = began.elapsed().as_secs_f64();
    assert_eq!(node.counted_days().unwrap().len(), 1);
    println!("counting a day of {records} residents, rests included: {took:.2} s");
    drop(node);
    drop(store);
    weigh(dir.path(), records);
}
