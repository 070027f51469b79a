//! What an epoch costs: building the tree of 100,000 leaves, and changing 1,000 of them.

use std::hint::black_box;

use commitment::Fr;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ledger::{LeafIndex, StateTree};

fn leaves(count: u32, offset: u64) -> Vec<(LeafIndex, Fr)> {
    (0..count)
        .map(|i| {
            let index = LeafIndex::new(i).expect("below 8^9");
            (index, Fr::from(u64::from(i) + offset))
        })
        .collect()
}

fn state_tree(c: &mut Criterion) {
    let all = leaves(100_000, 1);
    let tree = StateTree::build(&all);
    let changed: Vec<_> = leaves(100_000, 7).into_iter().step_by(100).collect();
    let mut group = c.benchmark_group("state_tree");
    group.sample_size(10);
    group.bench_function("build 100,000 leaves", |b| {
        b.iter(|| StateTree::build(black_box(&all)));
    });
    group.bench_function("update 1,000 of 100,000 leaves", |b| {
        b.iter_batched_ref(
            || tree.clone(),
            |tree| tree.update(black_box(&changed)),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("path", |b| {
        let index = LeafIndex::new(54_321).expect("below 8^9");
        b.iter(|| tree.path(black_box(index)));
    });
    group.finish();
}

criterion_group!(benches, state_tree);
criterion_main!(benches);
