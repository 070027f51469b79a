//! Whether the time of a proof tells something about the record: `cargo bench -p prover --bench side_channels`.
//!
//! What counts is the processor time of the process, so that what else the machine does stays out of it; the records take
//! turns, so that what is left of that meets all of them alike.
//! `SIDE_CHANNELS_ROUNDS` sets the number of rounds, 1 to 255, 30 by default. What it printed once is in `docs/side-channels.md`.

use std::hint::black_box;
use std::num::NonZeroU8;
use std::time::Duration;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::{BigInt, BigInteger as _, PrimeField};
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP};
use ark_poly::GeneralEvaluationDomain;
use circuits::clearance::scene::{Scene, ago, fact, green_record, place};
use circuits::clearance::{Witness, assign, shape};
use commitment::PublicInputs;
use prover::Prover;
use rand_chacha_03::ChaCha20Rng;
use rand_chacha_03::rand_core::{RngCore as _, SeedableRng as _};
use rules::{CheckInRun, Day, FactKind, Record, Stay};
use rustix::time::{ClockId, clock_gettime};

const HOUR: u32 = 60;
const DAY: u32 = 1_440;
/// Random records measured besides the chosen ones.
const RANDOM: usize = 4;
/// Parts of a proof, in the order in which they are printed.
const PARTS: [&str; 8] = [
    "assign", "h poly", "MSM h", "MSM l", "MSM a", "MSM b1", "MSM b2", "whole",
];

/// A record to be measured.
struct Case {
    name: String,
    public: PublicInputs,
    witness: Witness,
    /// Milliseconds of processor time, by part.
    times: [Vec<f64>; PARTS.len()],
}

impl Case {
    /// None where the record does not support the claim.
    fn of(name: impl Into<String>, scene: &Scene) -> Option<Self> {
        let (public, witness) = scene.witness().ok()?;
        Some(Self {
            name: name.into(),
            public,
            witness,
            times: Default::default(),
        })
    }
}

fn day(back: u16) -> Day {
    Day::new(ago(0).day().get() - back)
}

/// As much as a record can hold: 12 stays in listed and unlisted places, 12 facts, 8 tests, 4 runs.
fn full_record() -> Record {
    let stays = (0..12).map(|n| Stay {
        place: place([0, 1, 3, 4][n as usize % 4]),
        begin: ago((20 + n) * DAY),
        end: Some(ago((20 + n) * DAY - 5 * HOUR)),
    });
    let kinds = [
        FactKind::Entry,
        FactKind::PotentialRisk,
        FactKind::PooledTube,
    ];
    let facts = (0..12).map(|n| fact(kinds[n as usize % 3], 33, (13 + n) * DAY + n));
    let negatives = (0..8).rev().map(|n| ago(5 * HOUR + n * 25 * HOUR));
    let runs = (0..4).rev().map(|n| CheckInRun {
        first: day(4 + n * 6),
        last: day(1 + n * 6),
    });
    let (stays, facts) = (stays.collect(), facts.collect());
    Record::new(stays, facts, negatives.collect(), runs.collect()).expect("within capacities")
}

fn random_record(rng: &mut ChaCha20Rng) -> Record {
    let mut below = |limit: u32| rng.next_u32() % limit;
    let mut stays = Vec::new();
    for _ in 0..below(13) {
        let begin = 2 * DAY + below(40 * DAY);
        let end = begin - below(2 * DAY);
        stays.push(Stay {
            place: place(below(5)),
            begin: ago(begin),
            end: (below(8) > 0).then(|| ago(end)),
        });
    }
    let mut facts = Vec::new();
    for _ in 0..below(13) {
        let kind = FactKind::ALL[below(15) as usize];
        let province = [0, 33, 35][below(3) as usize];
        let mut fact = fact(kind, province, 2 * DAY + below(60 * DAY));
        fact.end = (below(2) == 0).then(|| ago(below(2 * DAY)));
        facts.push(fact);
    }
    let mut negatives: Vec<_> = (0..below(9)).map(|_| ago(below(10 * DAY))).collect();
    negatives.sort_unstable();
    negatives.dedup();
    let runs = (0..below(4)).map(|_| below(5)).collect::<Vec<_>>();
    let mut back = 0;
    let mut runs: Vec<_> = runs
        .into_iter()
        .map(|len| {
            let last = back + 2;
            back = last + u16::try_from(len).expect("small");
            CheckInRun {
                first: day(back),
                last: day(last),
            }
        })
        .collect();
    runs.reverse();
    Record::new(stays, facts, negatives, runs).expect("within capacities")
}

fn cases() -> Vec<Case> {
    let known = |name: &str, scene| Case::of(name, &scene).expect("the claim is supported");
    let mut cases = vec![
        known("empty", Scene::not_red(Record::default())),
        known("green scene, not red", Scene::not_red(green_record())),
        known("green scene, green+24h", Scene::green()),
        known("full", Scene::not_red(full_record())),
    ];
    let mut seed = 0;
    let chosen = cases.len();
    while cases.len() < chosen + RANDOM {
        let record = random_record(&mut ChaCha20Rng::seed_from_u64(seed));
        cases.extend(Case::of(
            format!("random, seed {seed}"),
            &Scene::not_red(record),
        ));
        seed += 1;
    }
    cases
}

/// What the process has worked so far, on all its threads: the multi-exponentiations start threads of their own.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("since the process began")
}

fn ms<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = worked();
    let done = black_box(work());
    (done, worked().saturating_sub(began).as_secs_f64() * 1_000.0)
}

/// Times the parts of one proof, then a whole one.
fn measure(prover: &Prover, case: &mut Case, round: u8) {
    let shape = shape();
    let key = prover.bench_key();
    let (assignment, assigned) = ms(|| assign(&case.public, &case.witness));
    let values = assignment.values;
    let (h, quotient) = ms(|| {
        LibsnarkReduction::witness_map_from_matrices::<Fr, GeneralEvaluationDomain<Fr>>(
            &shape.matrices,
            shape.instance,
            shape.constraints(),
            &values,
        )
        .expect("within the domain")
    });
    let h: Vec<_> = h.iter().map(|v| v.into_bigint()).collect();
    let scalars: Vec<_> = values[1..].iter().map(|v| v.into_bigint()).collect();
    let private = &scalars[shape.instance - 1..];
    let (_, in_h) = ms(|| G1Projective::msm_bigint(&key.h_query, &h));
    let (_, in_l) = ms(|| G1Projective::msm_bigint(&key.l_query, private));
    let (_, in_a) = ms(|| G1Projective::msm_bigint(&key.a_query[1..], &scalars));
    let (_, in_b1) = ms(|| G1Projective::msm_bigint(&key.b_g1_query[1..], &scalars));
    let (_, in_b2) = ms(|| G2Projective::msm_bigint(&key.b_g2_query[1..], &scalars));
    let (_, whole) = ms(|| {
        prover
            .prove(&case.public, &case.witness, [round; 32])
            .expect("a proof")
    });
    let parts = [assigned, quotient, in_h, in_l, in_a, in_b1, in_b2, whole];
    for (times, took) in case.times.iter_mut().zip(parts) {
        times.push(took);
    }
}

/// Lower quartile, median, upper quartile and most.
fn quartiles(times: &[f64]) -> [f64; 4] {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len() - 1;
    [last / 4, last / 2, last * 3 / 4, last].map(|at| sorted[at])
}

/// Wires that are 0, 1, below 2^64 and larger.
fn sizes(case: &Case) -> [usize; 4] {
    let mut counts = [0; 4];
    for value in assign(&case.public, &case.witness).values {
        let value: BigInt<4> = value.into_bigint();
        counts[match value.num_bits() {
            0 => 0,
            1 => 1,
            2..=64 => 2,
            _ => 3,
        }] += 1;
    }
    counts
}

fn print(cases: &[Case]) {
    let whole = PARTS.len() - 1;
    let base = quartiles(&cases[0].times[whole])[1];
    println!(
        "{:<24} {:>6} {:>6} {:>6} {:>6}  {:>7} {:>7} {:>7} {:>7}  ratio",
        "record", "zero", "one", "small", "large", "q1 ms", "median", "q3", "most"
    );
    for case in cases {
        let [zero, one, small, large] = sizes(case);
        let [low, median, high, most] = quartiles(&case.times[whole]);
        println!(
            "{:<24} {zero:>6} {one:>6} {small:>6} {large:>6}  {low:>7.0} {median:>7.0} {high:>7.0} {most:>7.0}  {:.3}",
            case.name,
            median / base
        );
    }
    println!("\nmedian of each part in ms, and its ratio to the first record");
    for (part, name) in PARTS.iter().enumerate() {
        let base = quartiles(&cases[0].times[part])[1];
        let row: Vec<String> = cases
            .iter()
            .map(|case| {
                let median = quartiles(&case.times[part])[1];
                format!("{median:>7.1} {:.3}", median / base)
            })
            .collect();
        println!("{name:<8} {}", row.join("  "));
    }
}

fn main() {
    let rounds = std::env::var("SIDE_CHANNELS_ROUNDS").map_or(30, |text| {
        let rounds: NonZeroU8 = text.parse().expect("SIDE_CHANNELS_ROUNDS: 1 to 255");
        rounds.get()
    });
    let prover = Prover::from_test_parameters(&[1; 32]).expect("test parameters");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread pool");
    let mut cases = cases();
    let count = cases.len();
    pool.install(|| {
        for round in 0..rounds {
            // Each round begins with another record.
            for turn in 0..count {
                measure(
                    &prover,
                    &mut cases[(turn + usize::from(round)) % count],
                    round,
                );
            }
        }
    });
    println!("{rounds} rounds, processor time");
    print(&cases);
}
