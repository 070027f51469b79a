//! Proving and verifying an opening, and a pseudonym, on one and two threads. `cargo bench -p prover --bench opening`, with
//! `-- pseudonym` for that alone.

use std::hint::black_box;

use circuits::opening::scene::{Scene, a_fact};
use circuits::{Circuit, Opening, Pseudonym, pseudonym};
use criterion::{Criterion, criterion_group, criterion_main};
use prover::{CircuitUse, ProverOf};
use rayon::ThreadPoolBuilder;
use rules::FactKind;
use verifier::{PassProof, PreparedCircuit, VerifyingKey};

fn opening(c: &mut Criterion) {
    let positive = a_fact(FactKind::ScreenedPositive, 33, 3 * 1440);
    let (public, witness) = Scene::new().answered(positive).expect("it stands");
    measured::<Opening>(c, &public, &witness);
}

fn at_a_hospital(c: &mut Criterion) {
    let scene = pseudonym::scene::Scene::new();
    let (public, witness) = scene.named().expect("a head from before the close");
    measured::<Pseudonym>(c, &public, &witness);
}

fn measured<C>(c: &mut Criterion, public: &C::Public, witness: &C::Witness)
where
    C: Circuit<Public: Sync, Witness: Sync>,
{
    let prover = ProverOf::<C>::from_test_parameters(&[1; 32]).expect("test parameters");
    let mut group = c.benchmark_group(C::NAME);
    group.sample_size(10);
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a thread pool");
        group.bench_function(format!("prove, {threads} threads"), |b| {
            b.iter(|| pool.install(|| prover.prove(public, witness, [7; 32]).expect("a proof")));
        });
    }
    group.bench_function("assignment", |b| {
        b.iter(|| black_box(C::assign(public, witness)));
    });
    let bytes = prover.prove(public, witness, [7; 32]).expect("a proof");
    let key = VerifyingKey::from_bytes(prover.verifying_key()).expect("a key");
    let circuit = PreparedCircuit::new(CircuitUse::Test, &prover.matrix_digest(), &key);
    let inputs = C::inputs(public).try_into().expect("six inputs");
    group.bench_function("verify, reading included", |b| {
        b.iter(|| {
            let proof = PassProof::from_bytes(&bytes).expect("points");
            assert!(circuit.verifies(&proof, &inputs));
        });
    });
    group.finish();
}

criterion_group!(benches, opening, at_a_hospital);
criterion_main!(benches);
