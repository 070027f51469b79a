//! Test parameters from a seed, which anybody can make again.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};
use prover::Prover;

use crate::files;

/// A seed of test parameters: by the name of where it stands, or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    name: String,
    bytes: [u8; 32],
}

impl Seed {
    /// What the demonstration's nodes use.
    const DEMO: (&'static str, [u8; 32]) = ("demo", [0xde; 32]);
    /// What the sample configurations under `deploy/` use.
    const SAMPLE: (&'static str, [u8; 32]) = ("sample", {
        let mut one = [0; 32];
        one[31] = 1;
        one
    });

    /// Its name, or its digits.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        for (name, bytes) in [Self::DEMO, Self::SAMPLE] {
            if text == name {
                return Ok(Self {
                    name: text.to_owned(),
                    bytes,
                });
            }
        }
        Ok(Self {
            bytes: digits(text).map_err(|error| format!("{error}, or one of demo, sample"))?,
            name: text.to_ascii_lowercase(),
        })
    }
}

/// 32 bytes from 64 hexadecimal digits.
pub(crate) fn digits(text: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "64 hexadecimal digits".to_owned())?;
    Ok(bytes)
}

/// Makes the key of a seed, or reads it where it was made before; takes some seconds.
pub(crate) fn make(seed: &Seed, cache: Option<&Path>) -> Result<Prover> {
    let bar = files::spinner("making the test key from its seed");
    let made = match cache {
        Some(directory) => Prover::from_cached_test_parameters(directory, &seed.bytes),
        None => Prover::from_test_parameters(&seed.bytes),
    };
    bar.finish_and_clear();
    made.context("no test key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_name_or_64_digits() {
        let demo: Seed = "demo".parse().unwrap();
        let spelled: Seed = "de".repeat(32).parse().unwrap();
        assert_eq!(demo.bytes, spelled.bytes);
        for bad in ["", "de", "Demo", &"g".repeat(64), &"d".repeat(65)] {
            assert!(bad.parse::<Seed>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_named_seeds_are_those_that_the_demonstration_and_the_samples_use() {
        let stage = include_str!("../../demo/src/stage.rs");
        assert!(stage.contains(r#"seed = "de".repeat(32)"#));
        let sample = hex::encode(Seed::SAMPLE.1);
        for text in [
            include_str!("../../../deploy/node/basic.toml"),
            include_str!("../../../deploy/node/advanced.toml"),
        ] {
            assert!(text.contains(&format!("seed = \"{sample}\"")));
        }
    }
}
