//! The configuration's table on proving.

use std::path::PathBuf;

use serde::Deserialize;

/// With which keys and how passes are proved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proving {
    /// Where the proving key comes from.
    pub parameters: Parameters,
    /// Threads that prove.
    #[serde(default = "Proving::default_threads")]
    pub threads: usize,
    /// Passes that may wait; more are refused with `PROVER_BUSY`.
    #[serde(default = "Proving::default_queue_len")]
    pub queue_len: usize,
    /// How long a call waits for its passes before it answers "pending", milliseconds.
    #[serde(default = "Proving::default_wait_ms")]
    pub wait_ms: u64,
    /// Answers to `MakeCode`, whatever they say, leave at multiples of this after the call came, milliseconds. Above the
    /// time of almost every proof, so that almost every answer leaves at the first.
    #[serde(default = "Proving::default_answer_quantum_ms")]
    pub answer_quantum_ms: u64,
    /// Over how long devices are told to spread the renewal of their passes when a new epoch has begun, seconds.
    #[serde(default = "Proving::default_renew_spread_s")]
    pub renew_spread_s: u32,
}

impl Proving {
    const fn default_threads() -> usize {
        1
    }

    const fn default_queue_len() -> usize {
        64
    }

    const fn default_wait_ms() -> u64 {
        8_000
    }

    /// An hour: a core proves about 3,600 passes in it, and a pass of the last epoch is shown meanwhile.
    const fn default_renew_spread_s() -> u32 {
        3_600
    }

    /// docs/side-channels.md has the measurement.
    const fn default_answer_quantum_ms() -> u64 {
        2_000
    }

    /// Keys with their values and what they may be.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        let (threads, queue_len) = (self.threads as u64, self.queue_len as u64);
        [
            ("proving.threads", threads, 1, 256),
            ("proving.queue_len", queue_len, 1, 65_536),
            ("proving.wait_ms", self.wait_ms, 0, 60_000),
            (
                "proving.answer_quantum_ms",
                self.answer_quantum_ms,
                1,
                60_000,
            ),
            (
                "proving.renew_spread_s",
                self.renew_spread_s.into(),
                1,
                86_400,
            ),
        ]
        .into_iter()
    }

    /// The latest point at which a call that waits for its passes answers: one after the wait is over. The wait goes on to
    /// a point, at least to the first.
    pub(crate) fn latest_answer_ms(&self) -> u64 {
        let waited = self.wait_ms.div_ceil(self.answer_quantum_ms).max(1);
        (waited + 1) * self.answer_quantum_ms
    }
}

/// A proving key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Parameters {
    /// Single-party test parameters, made when they are not in their cache; refused in production.
    Test {
        /// The party's seed, 64 hexadecimal digits.
        seed: String,
        /// Directory of the cache.
        cache_dir: PathBuf,
    },
    /// A key file from a ceremony.
    Pinned {
        /// The file.
        file: PathBuf,
        /// SHA-256 of its bytes, 64 hexadecimal digits.
        sha256: String,
    },
}

impl Parameters {
    pub(crate) fn hex(&self) -> &str {
        match self {
            Self::Test { seed, .. } => seed,
            Self::Pinned { sha256, .. } => sha256,
        }
    }
}
