//! Proving and verifying an opening on one and two threads. `cargo bench -p prover --bench opening`.

use std::hint::black_box;

use circuits::opening::assign;
use circuits::opening::scene::{Scene, a_fact};
use criterion::{Criterion, criterion_group, criterion_main};
use prover::{CircuitUse, OpeningProver};
use rayon::ThreadPoolBuilder;
use rules::FactKind;
use verifier::{PassProof, PreparedCircuit, VerifyingKey};

fn opening(c: &mut Criterion) {
    let prover = OpeningProver::from_test_parameters(&[1; 32]).expect("test parameters");
    let positive = a_fact(FactKind::ScreenedPositive, 33, 3 * 1440);
    let (public, witness) = Scene::new().answered(positive).expect("it stands");
    let mut group = c.benchmark_group("opening");
    group.sample_size(10);
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a thread pool");
        group.bench_function(format!("prove, {threads} threads"), |b| {
            b.iter(|| pool.install(|| prover.prove(&public, &witness, [7; 32]).expect("a proof")));
        });
    }
    group.bench_function("assignment", |b| {
        b.iter(|| black_box(assign(&public, &witness)));
    });
    let bytes = prover.prove(&public, &witness, [7; 32]).expect("a proof");
    let key = VerifyingKey::from_bytes(prover.verifying_key()).expect("a key");
    let circuit = PreparedCircuit::new(CircuitUse::Test, &prover.matrix_digest(), &key);
    group.bench_function("verify, reading included", |b| {
        b.iter(|| {
            let proof = PassProof::from_bytes(&bytes).expect("points");
            assert!(circuit.verifies(&proof, &public.to_fields()));
        });
    });
    group.finish();
}

criterion_group!(benches, opening);
criterion_main!(benches);
