//! The configuration's table on openings.

use serde::Deserialize;

use crate::config::Parameters;

/// With which key openings are proved, and how many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openings {
    /// Where the proving key comes from. Nothing is opened under one that the root document does not name.
    pub parameters: Parameters,
    /// Openings under way at once, in the queue of the passes; more are refused with `PROVER_BUSY`.
    #[serde(default = "Openings::default_at_once")]
    pub at_once: usize,
    /// Openings of one source, each hour.
    #[serde(default = "Openings::default_per_source_per_h")]
    pub per_source_per_h: u32,
    /// Openings of one source at once.
    #[serde(default = "Openings::default_per_source_burst")]
    pub per_source_burst: u32,
}

impl Openings {
    /// A pass waits for two of them at most, each a third to a half of its own time.
    const fn default_at_once() -> usize {
        2
    }

    /// Enough to follow up doubts, too little to have every record opened that a laboratory hands events in for.
    const fn default_per_source_per_h() -> u32 {
        60
    }

    /// A third of an hour's: at 0.35 s each one source takes seven seconds of proving at once, and then what comes back, one a minute.
    const fn default_per_source_burst() -> u32 {
        20
    }

    /// Keys with their values and what they may be.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        [
            ("openings.at_once", self.at_once as u64, 1, 256),
            (
                "openings.per_source_per_h",
                self.per_source_per_h.into(),
                1,
                100_000,
            ),
            (
                "openings.per_source_burst",
                self.per_source_burst.into(),
                1,
                100_000,
            ),
        ]
        .into_iter()
    }
}
