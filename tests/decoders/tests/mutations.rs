//! Every decoder of bytes from outside, over its seeds and mutations of them. `tests/fuzz/run` looks further.

use std::env;
use std::fmt::Write as _;

use decoders::{TARGETS, Target};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// Mutations of each target's seeds.
const MUTATIONS: usize = 2_000;
/// Time after which a target's remaining mutations are left out, so that slow decoders do not hold up all tests.
const SLOW: std::time::Duration = std::time::Duration::from_millis(1_500);

/// Whatever bytes come, a decoder answers within its limits. `VIRIDIAN_SEED` gives another run than the usual one.
#[test]
fn every_decoder_answers_its_seeds_and_mutations_of_them() {
    let seed = env::var("VIRIDIAN_SEED").map_or(1, |text| text.parse().expect("a number"));
    println!("VIRIDIAN_SEED={seed}");
    for target in &TARGETS {
        target.warm();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let seeds = target.seeds();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for input in &seeds {
            run(target, input);
        }
        let begun = std::time::Instant::now();
        let mut inputs = 0;
        while inputs < MUTATIONS && begun.elapsed() < SLOW {
            run(target, &mutated(&seeds, target.max_len_bytes, &mut rng));
            inputs += 1;
        }
        println!("{}: {} seeds, {inputs} mutations", target.name, seeds.len());
        assert!(inputs >= 20, "{}: too slow to be of use", target.name);
    }
}

/// Runs an input, and shows it if the check fails.
fn run(target: &Target, input: &[u8]) {
    let shown = Shown(target, input);
    target.run(input);
    std::mem::forget(shown);
}

/// Prints the input when dropped: when the check panics.
struct Shown<'a>(&'a Target, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        let mut digits = String::new();
        for byte in self.1 {
            let _ = write!(digits, "{byte:02x}");
        }
        eprintln!("{} fails over these bytes: {digits}", self.0.name);
    }
}

/// One to four changes to a seed.
fn mutated(seeds: &[Vec<u8>], limit: usize, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut bytes = seeds.choose(rng).cloned().unwrap_or_default();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=bytes.len());
        let rest = bytes.len() - at;
        match rng.random_range(0..7) {
            0 if rest > 0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if rest > 0 => bytes[at] = rng.random(),
            2 if rest > 0 => {
                let edge = *[0, 1, 0x7f, 0x80, 0xff].choose(rng).expect("five edges");
                let len = rest.min(rng.random_range(1..=8));
                bytes[at..at + len].fill(edge);
            }
            3 => bytes.truncate(at),
            4 if rest > 0 => {
                let end = at + rng.random_range(1..=rest.min(64));
                bytes.drain(at..end);
            }
            5 if rest > 0 => {
                let part = bytes[at..at + rng.random_range(1..=rest.min(64))].to_vec();
                let to = rng.random_range(0..=bytes.len());
                bytes.splice(to..to, part);
            }
            _ => {
                let other = seeds.choose(rng).map_or(&[][..], Vec::as_slice);
                let from = rng.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes.truncate(limit);
    bytes
}
