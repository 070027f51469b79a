use serde::Deserialize;

/// Numbers of residents that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    /// The hour of UTC+8, 0 to 23, from which on the day before is counted.
    pub hour: u8,
    /// Days whose counts are given out; the log keeps all.
    pub keep_days: u16,
}

impl Default for Counts {
    /// At night, when few residents ask.
    fn default() -> Self {
        Self {
            hour: 2,
            keep_days: 90,
        }
    }
}

impl Counts {
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        [
            ("counts.hour", self.hour.into(), 0, 23),
            ("counts.keep_days", self.keep_days.into(), 1, 3_660),
        ]
        .into_iter()
    }
}
