//! Proving time on one and two threads, and where it goes. `cargo bench -p prover`.

use std::hint::black_box;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP};
use ark_poly::GeneralEvaluationDomain;
use circuits::clearance::scene::Scene;
use circuits::clearance::{assign, shape};
use criterion::{Criterion, criterion_group, criterion_main};
use prover::Prover;
use rayon::{ThreadPool, ThreadPoolBuilder};

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a thread pool")
}

fn proving(c: &mut Criterion) {
    let prover = Prover::from_test_parameters(&[1; 32]).expect("test parameters");
    let (public, witness) = Scene::green().witness().expect("the scene is green");
    let mut group = c.benchmark_group("prove");
    group.sample_size(10);
    for threads in [1, 2] {
        let pool = pool(threads);
        group.bench_function(format!("whole, {threads} threads"), |b| {
            b.iter(|| pool.install(|| prover.prove(&public, &witness, [7; 32]).expect("a proof")));
        });
        parts(&mut group, &prover, &pool, threads);
    }
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn parts(group: &mut Group<'_>, prover: &Prover, pool: &ThreadPool, threads: usize) {
    let (public, witness) = Scene::green().witness().expect("the scene is green");
    let shape = shape();
    let mut part = |name: &str, work: &mut (dyn FnMut() + Send)| {
        group.bench_function(format!("{name}, {threads} threads"), |b| {
            b.iter(|| pool.install(&mut *work));
        });
    };
    part("assignment", &mut || {
        black_box(assign(&public, &witness));
    });
    let values = assign(&public, &witness).values;
    let quotient = || {
        LibsnarkReduction::witness_map_from_matrices::<Fr, GeneralEvaluationDomain<Fr>>(
            &shape.matrices,
            shape.instance,
            shape.constraints(),
            &values,
        )
        .expect("within the domain")
    };
    part("h polynomial (FFT)", &mut || {
        black_box(quotient());
    });
    let key = prover.bench_key();
    let scalars: Vec<_> = values[1..].iter().map(|v| v.into_bigint()).collect();
    let private = &scalars[shape.instance - 1..];
    let h: Vec<_> = quotient().iter().map(|v| v.into_bigint()).collect();
    part("MSM h", &mut || {
        let _ = black_box(G1Projective::msm_bigint(&key.h_query, &h));
    });
    part("MSM l", &mut || {
        let _ = black_box(G1Projective::msm_bigint(&key.l_query, private));
    });
    part("MSM a", &mut || {
        let _ = black_box(G1Projective::msm_bigint(&key.a_query[1..], &scalars));
    });
    part("MSM b in G1", &mut || {
        let _ = black_box(G1Projective::msm_bigint(&key.b_g1_query[1..], &scalars));
    });
    part("MSM b in G2", &mut || {
        let _ = black_box(G2Projective::msm_bigint(&key.b_g2_query[1..], &scalars));
    });
}

criterion_group!(benches, proving);
criterion_main!(benches);
