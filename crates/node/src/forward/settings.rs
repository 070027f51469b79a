//! The configuration's table on events that go to, and come from, other provinces.

use std::path::PathBuf;

use rules::{FactKind, Minute, lint};
use serde::Deserialize;

/// Sealing keys of one node: the one in use, those before it that may still come, and those announced.
const MAX_KEYS: usize = 8;

/// Events that go to, and come from, other provinces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forward {
    /// The keys that other provinces seal events to; without one this home takes none.
    #[serde(rename = "key")]
    pub keys: Vec<SealingKeyFile>,
    /// Time after which an event that did not reach its home lapses, hours.
    pub expiry_hours: u32,
    /// Events that wait for one home; more are refused.
    pub outbox_rows_per_home: u32,
    /// First wait after a home did not answer, milliseconds; it doubles with each time.
    pub retry_first_ms: u64,
    /// Longest wait, seconds.
    pub retry_most_s: u64,
    /// What this home contests: facts of other provinces that have no effect until their source confirms them.
    pub contested: Vec<FactKind>,
    /// Time for that, minutes.
    pub confirm_within_min: u32,
    /// Events of one source of another province, each day, that may name somebody who does not live here, or that a record
    /// does not admit.
    pub misses_per_source_per_day: u32,
}

/// A sealing key and when it is in use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealingKeyFile {
    /// Its secret: 64 hexadecimal digits, mode 0600; made by `node new-key FILE`.
    pub file: PathBuf,
    /// First minute of its use, since the Unix epoch. Of several keys in use, the one that began last is told to others.
    pub not_before_minute: Minute,
    /// Last minute in which anything sealed to it is opened.
    pub not_after_minute: Minute,
}

impl Default for Forward {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            // A node that is away over a weekend finds everything when it is back; a test is of use for no longer.
            expiry_hours: 72,
            // A day of a large city's tests of visitors, in 10 MB.
            outbox_rows_per_home: 20_000,
            retry_first_ms: 1_000,
            retry_most_s: 300,
            // What an authority states at its discretion is what can be abused.
            contested: lint::DISCRETIONARY.to_vec(),
            confirm_within_min: 1_440,
            // A laboratory with 10,000 visitors a day, of whom one in fifty is mistaken.
            misses_per_source_per_day: 200,
        }
    }
}

impl Forward {
    /// Each key with its value and bounds.
    pub(crate) fn ranges(&self) -> [(&'static str, u64, u64, u64); 6] {
        let rows = self.outbox_rows_per_home.into();
        let misses = self.misses_per_source_per_day.into();
        [
            ("forward.expiry_hours", self.expiry_hours.into(), 1, 720),
            ("forward.outbox_rows_per_home", rows, 1, 1_000_000),
            ("forward.retry_first_ms", self.retry_first_ms, 10, 60_000),
            ("forward.retry_most_s", self.retry_most_s, 1, 3_600),
            (
                "forward.confirm_within_min",
                self.confirm_within_min.into(),
                1,
                10_080,
            ),
            ("forward.misses_per_source_per_day", misses, 1, 100_000),
        ]
    }

    /// What the ranges do not say.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.keys.len() > MAX_KEYS {
            return Err(format!("forward.key: at most {MAX_KEYS} keys"));
        }
        for key in &self.keys {
            if key.not_before_minute >= key.not_after_minute {
                let file = key.file.display();
                return Err(format!(
                    "forward.key: {file}: not_before_minute < not_after_minute"
                ));
            }
        }
        Ok(())
    }
}
