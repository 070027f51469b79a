//! Figures of a node: events a second with durable commit on sled, and the time to close an epoch.
//!
//! `cargo bench -p node`; `NODE_BENCH_RECORDS=100000` sets the number of records, 10,000 by default.

#![allow(dead_code, clippy::cast_precision_loss)]

#[path = "../tests/whole/provers.rs"]
mod provers;
#[path = "../tests/whole/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use commitment::Epoch;
use ed25519_dalek::Signer as _;
use node::store::{DiskOptions, DiskStore};
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
    }
}

fn open(dir: &std::path::Path) -> Arc<Node> {
    let store = DiskStore::open(&DiskOptions::new(dir)).unwrap();
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    let mut parts = parts(&Wish::default(), 33, Arc::new(store), clock);
    parts.register = Box::new(Everybody);
    Node::open(parts).unwrap()
}

/// Hands in `events` in batches from several threads; events a second.
fn hand_in(node: &Node, events: &[OfferedEvent], batch: usize, threads: usize) -> f64 {
    let batches: Vec<&[OfferedEvent]> = events.chunks(batch).collect();
    let next = AtomicUsize::new(0);
    let lab = source(33, SourceKind::Laboratory);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answers = node.take_events(lab, batch).unwrap();
                    assert!(answers.iter().all(|a| *a == EventAnswer::Accepted));
                }
            });
        }
    });
    events.len() as f64 / began.elapsed().as_secs_f64()
}

fn main() {
    let records: u32 = std::env::var("NODE_BENCH_RECORDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path());
    for (serial, batch, threads, count) in
        [(0, 1, 1, 1_000), (1, 1, 16, 5_000), (2, 256, 4, 10_000)]
    {
        let events: Vec<_> = (0..count.min(records))
            .map(|n| offered(n, serial))
            .collect();
        let rate = hand_in(&node, &events, batch, threads);
        println!("durable events a second, batches of {batch} from {threads} threads: {rate:.0}");
    }
    let events: Vec<_> = (0..records).map(|n| offered(n, 3)).collect();
    let rate = hand_in(&node, &events, 256, 4);
    println!("durable events a second, batches of 256, {records} residents: {rate:.0}");
    let began = Instant::now();
    let closed = node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    let took = began.elapsed().as_secs_f64();
    println!(
        "closing an epoch of {} records: {took:.2} s",
        closed.records
    );
}
