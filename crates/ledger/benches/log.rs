//! What a log and a witness cost: appending, signing, reading a tile, cosigning, checking a policy.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ledger::log::{
    AddCheckpoint, Log, LogHash, LogSigner, NoteKey, TilePath, WitnessState, leaf_hash,
};
use ledger::{ProvinceCode, Slot};

/// Entries of the log before what is measured.
const ENTRIES: u64 = 100_000;
/// Bytes of an entry: a tree head's.
const ENTRY_LEN_BYTES: usize = 176;

fn entry(index: u64) -> Vec<u8> {
    let mut entry = vec![1; ENTRY_LEN_BYTES];
    entry[..8].copy_from_slice(&index.to_be_bytes());
    entry
}

fn leaves(bundle: u64) -> Vec<LogHash> {
    let entries = bundle * 256..(bundle + 1) * 256;
    entries.map(|index| leaf_hash(&entry(index))).collect()
}

fn keys(number: u8) -> (LogSigner, NoteKey, NoteKey) {
    let signer = LogSigner::derive(&[number; 32]);
    let province = ProvinceCode::new(33).expect("a province");
    let slot = Slot::new(number).expect("a slot");
    let public = signer.public(province, slot, 1);
    let log = public.log_key("bench").expect("a name");
    let witness = public.witness_key("bench").expect("a name");
    (signer, log, witness)
}

fn log(c: &mut Criterion) {
    let read = |bundle| Ok::<_, ()>(leaves(bundle));
    let (signer, log_key, _) = keys(1);
    let (witness_signer, _, witness_key) = keys(2);
    let mut kept = Log::default();
    for index in 0..ENTRIES {
        kept.append(&entry(index)).expect("room");
    }
    let old = (kept.size(), kept.root().expect("its root"));
    let new: Vec<Vec<u8>> = (ENTRIES..ENTRIES + 256).map(entry).collect();
    let mut group = c.benchmark_group("log");
    group.throughput(Throughput::Elements(256));
    group.bench_function("append 256 entries", |b| {
        b.iter_batched_ref(
            || kept.clone(),
            |log| {
                for entry in &new {
                    log.append(entry).expect("room");
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("append one entry, and sign", |b| {
        b.iter_batched_ref(
            || kept.clone(),
            |log| {
                log.append(&new[0]).expect("room");
                let root = log.root().expect("its root");
                signer.sign(log.size(), root, &log_key).expect("its key")
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("a tile, from its entries", |b| {
        let path = TilePath::parse("tile/0/123").expect("a path");
        b.iter(|| kept.tile(black_box(path), ENTRIES, &read).expect("there"));
    });

    let mut grown = kept.clone();
    grown.append(&new[0]).expect("room");
    let root = grown.root().expect("its root");
    let request = AddCheckpoint {
        old_size: ENTRIES,
        proof: grown
            .prove_consistency(ENTRIES, grown.size(), &read)
            .expect("a proof"),
        checkpoint: signer.sign(grown.size(), root, &log_key).expect("its key"),
    };
    let state = {
        let mut bytes = WitnessState::default().to_bytes();
        bytes[1..9].copy_from_slice(&old.0.to_be_bytes());
        bytes[9..].copy_from_slice(&old.1.0);
        WitnessState::from_bytes(&bytes).expect("a state")
    };
    let bytes = request.to_bytes();
    group.bench_function("read, check and cosign a checkpoint", |b| {
        b.iter(|| {
            let request = AddCheckpoint::from_bytes(black_box(&bytes)).expect("a request");
            let permit = state.consider(&request, &log_key).expect("it extends");
            permit.sign(&witness_key, &witness_signer, 1_700_000_000)
        });
    });
    group.finish();
}

criterion_group!(benches, log);
criterion_main!(benches);
