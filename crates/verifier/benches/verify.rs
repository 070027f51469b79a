//! What a gate pays: one showing, its parts, and the proofs of many together.
//!
//! Verification depends on the number of public inputs only, so a tiny circuit with six of them stands for the real one.

#[path = "../tests/suite/fixture.rs"]
mod fixture;

use std::hint::black_box;

use commitment::{CircuitUse, Fr, PUBLIC_INPUTS};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fixture::{NOW, Wish, World, gate};
use verifier::{
    BatchSeed, GateMemory, PassProof, PreparedCircuit, Presented, QrText, verify, verify_proofs,
};

fn gate_benches(c: &mut Criterion) {
    let mut world = World::new();
    let list = world.trust_list();
    let showing = world.showing(&Wish::default());
    let text = QrText::from_showing(&showing);
    let gate = gate();
    c.bench_function("decode a QR text", |b| {
        b.iter(|| QrText::parse(black_box(text.as_str())).and_then(|t| t.showing()));
    });
    c.bench_function("verify a decoded showing", |b| {
        b.iter(|| {
            let verdict = verify(
                &Presented::plain(black_box(&showing)),
                &list,
                &gate,
                NOW,
                &mut GateMemory::default(),
            );
            assert!(verdict.is_accept());
        });
    });
    c.bench_function("accept a trust list", |b| {
        b.iter(|| world.trust_list());
    });
}

fn proof_benches(c: &mut Criterion) {
    let mut world = World::new();
    let kit = &world.production;
    let circuit = PreparedCircuit::new(CircuitUse::Production, &[7; 32], &kit.entry.key);
    let made: Vec<(PassProof, [Fr; PUBLIC_INPUTS])> = (0..256u64)
        .map(|n| {
            let inputs = std::array::from_fn(|i| -Fr::from(n * 6 + i as u64 + 1));
            (kit.prove(inputs, &mut world.rng), inputs)
        })
        .collect();
    let items: Vec<_> = made.iter().map(|(proof, x)| (proof, *x)).collect();
    let seed = BatchSeed::from_random([9; 32]);
    c.bench_function("verify one proof", |b| {
        b.iter(|| assert!(circuit.verifies(items[0].0, black_box(&items[0].1))));
    });
    let mut group = c.benchmark_group("verify proofs together");
    group.sample_size(20);
    for count in [64usize, 256] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(count.to_string(), |b| {
            b.iter(|| verify_proofs(&circuit, black_box(&items[..count]), &seed));
        });
    }
    let mut one_bad = items.clone();
    one_bad[100].1[0] += Fr::from(1);
    group.bench_function("256, one of them bad", |b| {
        b.iter(|| verify_proofs(&circuit, black_box(&one_bad), &seed));
    });
    group.finish();
}

criterion_group!(benches, gate_benches, proof_benches);
criterion_main!(benches);
